//! What the tests and the mutations share: [`oracle`] says what a document allows, [`requests`] has
//! requests that try its every limit, [`workspace`] copies this workspace to build it changed.

pub mod oracle;
pub mod requests;
pub mod workspace;
