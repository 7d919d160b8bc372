//! Generates poem-openapi server code from a document.

mod describe;
mod operations;
mod problems;
mod replies;
mod schemas;
mod security;

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;

use crate::{
    Answers, Document,
    api::{Api, Payload},
    code::generated,
    names::ident,
    types::{self, Side, Type},
};

/// Writes the server's code: one Rust file to be included in a module, the same text for the same
/// document.
pub fn server(document: &Document) -> String {
    let writer = Writer {
        api: &document.api,
        answers: document.answers,
        side: Side {
            secret: quote!(openapi_lockstep_runtime::Secret),
            file: quote!(openapi_lockstep_runtime::File),
            record: quote!(openapi_lockstep_runtime::record),
            calls: false,
            reads: document.api.of_requests(),
        },
    };
    let items = [
        writer.types(),
        writer.security(),
        writer.problem_maker().into_iter().collect(),
        writer.failure(),
        writer.tags(),
        writer.routes(),
    ];
    let items: Vec<TokenStream> = items.into_iter().flatten().collect();
    generated(
        &document.file,
        std::iter::once(imports(&items)).chain(items),
    )
}

/// The imports that the items need.
fn imports(items: &[TokenStream]) -> TokenStream {
    let mut names = HashSet::new();
    for item in items {
        // A module has imports of its own.
        if !item.to_string().contains("mod types {") {
            collect_names(item.clone(), &mut names);
        }
    }
    let used = |module: TokenStream, candidates: &[&str]| {
        let used = candidates.iter().filter(|name| names.contains(**name));
        let used: Vec<Ident> = used.map(|name| ident(name)).collect();
        (!used.is_empty()).then(|| quote!(use #module::{#(#used),*};))
    };
    let sync = used(quote!(std::sync), &["Arc"]);
    let runtime = ["Given", "Presented", "Rejection", "Reply", "Secret"];
    let runtime = used(quote!(openapi_lockstep_runtime), &runtime);
    let poem = used(quote!(poem), &["IntoResponse", "Request", "Response"]);
    quote!(#sync #runtime #poem)
}

/// Adds the names that are used without a path.
fn collect_names(tokens: TokenStream, names: &mut HashSet<String>) {
    let mut colons = 0;
    for token in tokens {
        let is_colon = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == ':');
        match token {
            TokenTree::Ident(name) if colons < 2 => {
                names.insert(name.to_string());
            }
            TokenTree::Group(group) => collect_names(group.stream(), names),
            _ => {}
        }
        colons = if is_colon { colons + 1 } else { 0 };
    }
}

/// State that the parts of the writer share.
struct Writer<'a> {
    api: &'a Api,
    answers: Answers,
    side: Side,
}

impl Writer<'_> {
    /// The module of the types, and their schemas for poem-openapi.
    fn types(&self) -> Vec<TokenStream> {
        if self.api.types.is_empty() {
            return Vec::new();
        }
        let types = types::write(&self.api.types, &self.side);
        let module = quote! {
            /// The values of the document's schemas.
            pub mod types {
                #(#types)*
            }
        };
        vec![module, self.schemas()]
    }

    /// The Rust type of a value, as the code outside of the module of types names it.
    fn kind(&self, kind: &Type) -> TokenStream {
        self.side.kind(&self.api.types, &quote!(types::), kind)
    }

    /// The Rust type of a body's payload.
    fn payload(&self, payload: &Payload) -> TokenStream {
        match payload {
            Payload::Json(kind) | Payload::Form(kind) | Payload::Multipart(kind) => self.kind(kind),
            Payload::Text => quote!(String),
            Payload::Bytes => quote!(poem::Body),
        }
    }
}
