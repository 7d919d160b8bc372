//! Types for the schemas of any document.

mod comment;
mod described;
mod model;
mod reader;
mod writer;

use quote::quote;

pub(crate) use comment::comment;
pub(crate) use described::described;
pub(crate) use model::{
    Alternative, Member, Named, Record, Rest, Shape, Type, TypeId, Union, Variant, reached,
};
pub(crate) use reader::{TypeReader, target};
pub(crate) use writer::{Side, write};

use crate::{Diagnostic, code, normalize::normalize, source::Source};

/// Writes a Rust type for each schema under `components/schemas` of an OpenAPI document, 3.0 or
/// 3.1, and for each one inside them that needs a name: one Rust file to be included in a module.
///
/// Every document is accepted: a schema without a better Rust type is a `serde_json::Value`, with a
/// comment that gives the reason. A value of a schema is read and written again without loss,
/// except for members that the document does not name: they are kept if it says
/// `additionalProperties`.
///
/// - an object is a struct; a member that is optional and may be null is an `Option<Option<T>>`, so
///   that null differs from a missing member
/// - an enum of texts is an enum, and so are alternatives, told apart by their discriminator where
///   there is one
/// - combined objects are one struct, and what contains itself is boxed
///
/// The crate that includes it needs `openapi-lockstep-types`, `serde` and `serde_json`, `uuid` for
/// the format `uuid`, and `chrono` for `date` and `date-time`.
///
/// # Errors
///
/// The text is neither YAML nor JSON.
pub fn types(file: &str, text: &str) -> Result<String, Vec<Diagnostic>> {
    let mut source = Source::parse(file, text)?;
    normalize(&mut source.value);
    let mut reader = TypeReader::new(&source.value);
    reader.components();
    let (types, _) = reader.finish();
    let side = Side {
        secret: quote!(String),
        file: quote!(String),
        record: quote!(openapi_lockstep_types::record),
        calls: true,
        reads: (0..types.len()).collect(),
    };
    Ok(code::generated(file, write(&types, &side)))
}
