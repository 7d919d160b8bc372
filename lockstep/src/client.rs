//! Generates progenitor client code from a document, and a typed mock of the service for tests.

mod helpers;
mod lowering;
mod mocking;
mod names;
mod replies;
mod sending;

use std::fmt::Display;

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;
use serde::Deserialize;
use syn::{Item, parse_quote};

use self::{lowering::Lowered, names::Names};
use crate::{
    Diagnostic, Document,
    api::{Operation, Payload},
    code::generated_file,
    types::{self, Side, Type},
};

/// Writes the client's code, progenitor's in the style of builders: one Rust file to be included
/// in a module, the same text for the same document.
///
/// The crate that includes it provides a type `Inner` at its root: the state of its `Client`
/// besides the URL and the `reqwest::Client`, with an implementation of
/// `progenitor_client::ClientHooks<Inner>` for that `Client`, which sends the credential.
///
/// A reply is decoded if it has the documented media type, and is progenitor's `UnexpectedResponse`
/// otherwise. Members that the document does not have are ignored unless it closes the object;
/// another value of an enum cannot be decoded, so adding one breaks existing clients.
///
/// # Errors
///
/// progenitor cannot generate code for the document.
pub fn client(document: &Document) -> Result<String, Diagnostic> {
    let writer = Writer::new(document);
    let lowered = writer.lower(false);
    let tokens = writer.generate(&lowered, Generator::generate_tokens)?;
    let mut code: syn::File = syn::parse2(tokens).map_err(|error| writer.diagnostic(&error))?;
    writer.write_types(&mut code);
    writer
        .send(&mut code)
        .map_err(|reason| writer.diagnostic(&reason))?;
    let code = generated_file(&document.file, &code);
    // progenitor's examples are not compiled: as text, rustdoc does not count them as skipped
    // tests.
    Ok(code.replace("```ignore\n", "```text\n"))
}

/// Writes a typed mock of the service, progenitor's extension of `httpmock`: one Rust file to be
/// included in a module of the crate that has the `types` of the [`client`] at its root.
///
/// # Errors
///
/// As for [`client`].
pub fn mock(document: &Document) -> Result<String, Diagnostic> {
    let writer = Writer::new(document);
    let lowered = writer.lower(true);
    let tokens = writer.generate(&lowered, |generator, model| {
        generator.httpmock(model, "crate")
    })?;
    let mut code: syn::File = syn::parse2(tokens).map_err(|error| writer.diagnostic(&error))?;
    writer
        .answer(&mut code)
        .map_err(|reason| writer.diagnostic(&reason))?;
    Ok(generated_file(&document.file, &code))
}

/// State that the parts of the writer share.
struct Writer<'a> {
    document: &'a Document,
    side: Side,
    /// The identifiers of each operation, in the order of the document.
    names: Vec<Names>,
}

impl<'a> Writer<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            side: Side {
                secret: quote!(openapi_lockstep_types::Secret),
                file: quote!(String),
                record: quote!(openapi_lockstep_types::record),
                calls: true,
                reads: document.api.of_replies(),
            },
            names: names::of(&document.api),
        }
    }

    fn operations(&self) -> impl Iterator<Item = (&'a Operation, &Names)> {
        self.document.api.operations.iter().zip(&self.names)
    }

    /// The Rust type of a value, as the code outside of the module of types names it.
    fn kind(&self, kind: &Type) -> TokenStream {
        self.side
            .kind(&self.document.api.types, &quote!(types::), kind)
    }

    /// The Rust type of a reply's payload.
    fn payload(&self, payload: &Payload) -> TokenStream {
        match payload {
            Payload::Json(kind) | Payload::Form(kind) => self.kind(kind),
            Payload::Text => quote!(String),
            Payload::Bytes | Payload::Multipart(_) => quote!(Vec<u8>),
        }
    }

    fn generate(
        &self,
        lowered: &Lowered,
        write: impl FnOnce(&mut Generator, &OpenAPI) -> Result<TokenStream, progenitor::Error>,
    ) -> Result<TokenStream, Diagnostic> {
        let model =
            OpenAPI::deserialize(&lowered.document).map_err(|error| self.diagnostic(&error))?;
        let mut settings = GenerationSettings::new();
        settings
            .with_interface(InterfaceStyle::Builder)
            .with_hooks(HooksMode::Expected)
            .with_inner_type(quote!(crate::Inner));
        for (name, kind) in &lowered.types {
            settings.with_replacement(name, kind, std::iter::empty());
        }
        let mut generator = Generator::new(&settings);
        write(&mut generator, &model).map_err(|error| self.diagnostic(&error))
    }

    /// Replaces progenitor's types by the document's.
    fn write_types(&self, code: &mut syn::File) {
        let types = types::write(&self.document.api.types, &self.side);
        let replies = self
            .operations()
            .flat_map(|(operation, names)| self.reply_types(operation, names));
        let items: Vec<TokenStream> = types.into_iter().chain(replies).collect();
        for item in &mut code.items {
            if let Item::Mod(module) = item
                && module.ident == "types"
            {
                *module = parse_quote! {
                    /// The values of the document's schemas.
                    pub mod types {
                        #(#items)*
                    }
                };
            }
        }
    }

    fn diagnostic(&self, reason: &dyn Display) -> Diagnostic {
        let reason = format!("code generation with progenitor failed: {reason}");
        self.document.source.diagnostic("", reason)
    }
}
