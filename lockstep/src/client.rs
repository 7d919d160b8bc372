//! Document -> progenitor client code, and a typed mock of the service for those who test with it.

mod lowering;
mod raising;

pub(crate) use lowering::{extensions, named_scalars, open_objects};
pub(crate) use raising::member;

use std::fmt::Display;

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::{ToTokens, quote};
use schemars::schema::{InstanceType, SchemaObject};
use serde::Deserialize;
use serde_json::Value;

use crate::{Document, Refusal, code::generated};

/// The document as progenitor reads it: OpenAPI 3.0.3, without what progenitor would lose.
///
/// Every difference to the document is a pass of its own. What the types of the client cannot say
/// is said in their documentation, and what the client does by itself (the credential, the media
/// types) is not asked of its user.
pub fn lowered(document: &Document) -> Value {
    lowering::lower(document)
}

/// Writes the client's code, progenitor's in the style of builders: one Rust file to be included
/// in a module, the same text for the same document.
///
/// The crate that includes it provides two types at its root:
///
/// - `Session`: what its `Client` holds besides the URL and the `reqwest::Client`, with an
///   implementation of `progenitor_client::ClientHooks<Session>` for that `Client`, which sends
///   the credential
/// - `Secret`: what the format `password` becomes; it is made `From<String>`, and serde writes and
///   reads it as a string
///
/// A reply is decoded if it has the documented media type, and is progenitor's
/// `UnexpectedResponse` otherwise. Members that the document does not have are ignored; another
/// value of an enum cannot be decoded, so adding one breaks the clients that are there.
///
/// # Errors
///
/// progenitor does not take the document. Where the rules of [`read`](crate::read) are complete,
/// that does not happen.
pub fn client(document: &Document) -> Result<String, Refusal> {
    let lowered = lowered(document);
    let refusal = |reason: &dyn Display| refusal(document, reason);
    let tokens = generate(document, &lowered, Generator::generate_tokens)?;
    let mut code = syn::parse2(tokens).map_err(|error| refusal(&error))?;
    raising::mark_deprecated(&mut code, &lowered).map_err(|reason| refusal(&reason))?;
    raising::decode_what_is_documented(&mut code).map_err(|reason| refusal(&reason))?;
    let code = generated(&document.file, [code.into_token_stream()]);
    // Nobody compiles progenitor's examples, so they are none for rustdoc to count as skipped.
    Ok(code.replace("```ignore\n", "```text\n"))
}

/// Writes a typed mock of the service, progenitor's extension of `httpmock`: one Rust file to be
/// included in a module of the crate that has the `types` of the [`client`] at its root.
///
/// # Errors
///
/// As for [`client`].
pub fn mock(document: &Document) -> Result<String, Refusal> {
    let tokens = generate(document, &lowered(document), |generator, model| {
        generator.httpmock(model, "crate")
    })?;
    Ok(generated(
        &document.file,
        [raising::answer_problems(tokens)],
    ))
}

fn generate(
    document: &Document,
    lowered: &Value,
    write: impl FnOnce(&mut Generator, &OpenAPI) -> progenitor_impl::Result<TokenStream>,
) -> Result<TokenStream, Refusal> {
    let model = OpenAPI::deserialize(lowered).map_err(|error| refusal(document, error))?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::Session));
    let secret = SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some("password".to_owned()),
        ..SchemaObject::default()
    };
    settings.with_conversion(secret, "crate::Secret", std::iter::empty());
    let mut generator = Generator::new(&settings);
    write(&mut generator, &model).map_err(|error| refusal(document, error))
}

fn refusal(document: &Document, reason: impl Display) -> Refusal {
    let reason = format!("progenitor does not take the lowered document: {reason}");
    document.source.refusal("", reason)
}
