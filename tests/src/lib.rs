//! Code shared by the tests and the mutations: [`oracle`] judges requests and answers by a
//! document, [`requests`] has requests that try its every limit, [`workspace`] copies this
//! workspace to build it changed.

pub mod oracle;
pub mod requests;
pub mod workspace;
