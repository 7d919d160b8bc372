//! Pages for people with a browser: the verification page and the documentation.

mod docs;
mod verify;

pub(crate) use docs::{docs_files, document_json, document_yaml, home};
pub(crate) use verify::{redeem_code, script, show_verification, style, unavailable};
