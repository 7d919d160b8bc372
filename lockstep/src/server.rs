//! Document -> poem-openapi server code.

mod operations;
mod responses;
mod security;
mod types;

use std::{collections::HashSet, iter};

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use serde_json::Value;
use utoipa::openapi::{Components, OpenApi, RefOr, Schema};

use crate::{
    Document,
    code::generated,
    names::ident,
    pointers::{body_credential, join},
    source::Source,
};

/// Writes the server's code: one Rust file to be included in a module, the same text for the same
/// document.
pub fn server(document: &Document) -> String {
    let writer = Writer {
        model: &document.model,
        source: &document.source,
        no_components: Components::new(),
    };
    let items = [
        writer.types(),
        writer.security(),
        writer.responses(),
        writer.bodies(),
        writer.traits(),
        writer.routes(),
        vec![writer.service()],
    ]
    .concat();
    generated(&document.file, iter::once(imports(&items)).chain(items))
}

/// The imports that the items need.
fn imports(items: &[TokenStream]) -> TokenStream {
    let mut names = HashSet::new();
    for item in items {
        collect_names(item.clone(), &mut names);
    }
    let used = |candidates: &[&str]| -> Vec<Ident> {
        let used = candidates.iter().filter(|name| names.contains(**name));
        used.map(|name| ident(name)).collect()
    };
    let derives = used(&[
        "ApiRequest",
        "ApiResponse",
        "Enum",
        "Object",
        "OpenApi",
        "OpenApiService",
        "SecurityScheme",
        "Tags",
    ]);
    let modules = [
        ("auth", used(&["ApiKey", "Bearer"])),
        ("payload", used(&["Form"])),
    ];
    let modules = modules
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(module, names)| {
            let module = ident(module);
            quote!(#module::{#(#names),*},)
        });
    let runtime = used(&["Json", "Path", "Query"]);
    let runtime =
        (!runtime.is_empty()).then(|| quote!(use openapi_lockstep_runtime::{#(#runtime),*};));
    quote! {
        use std::{future::Future, sync::Arc};
        #runtime
        use poem::Request;
        use poem_openapi::{#(#derives,)* #(#modules)*};
    }
}

fn collect_names(tokens: TokenStream, names: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Group(group) => collect_names(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// What the parts of the generator share: the model, and the source for the order of components.
struct Writer<'a> {
    model: &'a OpenApi,
    source: &'a Source,
    no_components: Components,
}

impl Writer<'_> {
    fn service(&self) -> TokenStream {
        let tags = self.tags();
        let bounds = tags.iter().map(|tag| tag.api_name());
        let same_bounds = bounds.clone();
        let names: Vec<Ident> = tags.iter().map(|tag| tag.routes_name()).collect();
        let title = &self.model.info.title;
        let version = &self.model.info.version;
        let (types, routes) = match names.as_slice() {
            [name] => (quote!(#name<T>), quote!(#name(implementation))),
            _ => (
                quote!((#(#names<T>),*)),
                quote!((#(#names(Arc::clone(&implementation))),*)),
            ),
        };
        quote! {
            /// The routes of every operation, served by `implementation`.
            ///
            /// Make `openapi_lockstep_runtime::Operations` of them and put those behind
            /// `Contract::guard`: they rely on requests that are as documented.
            pub fn routes<T>(implementation: T) -> #types
            where
                T: #(#bounds)+*,
            {
                let implementation = Arc::new(implementation);
                #routes
            }

            /// The routes as poem-openapi documents them.
            pub fn service<T>(implementation: T) -> OpenApiService<#types, ()>
            where
                T: #(#same_bounds)+*,
            {
                OpenApiService::new(routes(implementation), #title, #version)
            }
        }
    }

    fn components(&self) -> &Components {
        self.model
            .components
            .as_ref()
            .unwrap_or(&self.no_components)
    }

    /// The names of the components of one kind, in the order of the document.
    fn component_names(&self, kind: &str) -> Vec<&str> {
        let components = self.source.at(&format!("/components/{kind}"));
        components
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|object| object.keys())
            .map(String::as_str)
            .collect()
    }

    /// The schema itself, whether it stands in place or under its name.
    fn schema<'a>(&'a self, schema: &'a RefOr<Schema>) -> Option<&'a Schema> {
        match schema {
            RefOr::T(schema) => Some(schema),
            RefOr::Ref(reference) => self.schema(
                self.components()
                    .schemas
                    .get(name_of(&reference.ref_location))?,
            ),
        }
    }
}

/// The name in a reference such as `#/components/schemas/User`.
fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

/// A doc comment, one attribute a line.
fn docs(text: &str) -> TokenStream {
    let lines = text.trim_end().lines().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!(" {line}")
        }
    });
    quote!(#(#[doc = #lines])*)
}

/// The identifier of a method, field or parameter.
fn snake(name: &str) -> Ident {
    ident(&name.to_snake_case())
}

/// The identifier of a type or variant.
fn camel(name: &str) -> Ident {
    ident(&name.to_upper_camel_case())
}
