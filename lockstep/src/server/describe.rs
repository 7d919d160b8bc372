//! The routes, and their description for poem-openapi.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Writer;
use crate::{
    api::{Access, Kind, Operation, Outcome, Parameter, Place, Scheme},
    names::ident,
};

impl Writer<'_> {
    pub(super) fn routes(&self) -> Vec<TokenStream> {
        let tags: Vec<_> = self.api.used_tags().map(|(tag, _)| tag).collect();
        let bounds = tags.iter().map(|tag| {
            let (module, api) = (&tag.module, &tag.api);
            quote!(#module::#api)
        });
        let bounds = match tags.is_empty() {
            true => quote!(Send + Sync + 'static),
            false => quote!(#(#bounds)+*),
        };
        let has_own_errors = self.has_own_errors();
        let and_reject = has_own_errors.then(|| quote!(+ Reject));
        let bounds = quote!(#bounds #and_reject);
        let reject = has_own_errors.then(|| {
            quote! {
                fn reject(&self) -> Option<openapi_lockstep_runtime::Reject> {
                    let service = Arc::clone(&self.0);
                    Some(Arc::new(move |rejection| service.reject(rejection).into_response()))
                }
            }
        });
        let described = self.described();
        let endpoints = self.api.operations.iter().map(|operation| {
            let (path, lower, method) = (&operation.path, &operation.lower, word(operation));
            let module = &self.api.tags[operation.tag].module;
            quote!(endpoints.add(Method::#method, #path, &self.0, #module::#lower::<T>);)
        });
        let endpoints = match self.api.operations.is_empty() {
            true => quote!(openapi_lockstep_runtime::Endpoints::default()),
            false => quote! {
                use poem::http::Method;

                let mut endpoints = openapi_lockstep_runtime::Endpoints::default();
                #(#endpoints)*
                endpoints
            },
        };
        let registered = tags.iter().map(|tag| {
            let name = &tag.name;
            quote!(openapi_lockstep_runtime::add_tag(registry, #name);)
        });
        let schemes = self.api.schemes.iter().map(registered_scheme);
        let (title, version) = (&self.api.title, &self.api.version);
        vec![
            quote! {
                /// The routes of every operation, served by one implementation.
                pub struct Routes<T>(Arc<T>);

                impl<T: #bounds> poem_openapi::OpenApi for Routes<T> {
                    fn meta() -> Vec<poem_openapi::registry::MetaApi> {
                        Described::meta()
                    }

                    fn register(registry: &mut poem_openapi::registry::Registry) {
                        Described::register(registry);
                    }

                    fn add_routes(self, table: &mut openapi_lockstep_runtime::Table) {
                        openapi_lockstep_runtime::Serve::endpoints(self).add_to(table);
                    }
                }

                impl<T: #bounds> openapi_lockstep_runtime::Serve for Routes<T> {
                    fn endpoints(self) -> openapi_lockstep_runtime::Endpoints {
                        #endpoints
                    }

                    #reject
                }
            },
            quote! {
                /// The API as poem-openapi registers it; it handles no request.
                struct Described;

                impl poem_openapi::OpenApi for Described {
                    fn meta() -> Vec<poem_openapi::registry::MetaApi> {
                        openapi_lockstep_runtime::meta(described::described())
                    }

                    fn register(registry: &mut poem_openapi::registry::Registry) {
                        for operation in described::described() {
                            operation.register(registry);
                        }
                        #(#registered)*
                        #(#schemes)*
                    }

                    fn add_routes(self, _: &mut openapi_lockstep_runtime::Table) {}
                }
            },
            described,
            quote! {
                /// The routes of every operation, served by `implementation`.
                ///
                /// Hand them to `openapi_lockstep_runtime::Contract::serve`: they rely on requests that
                /// are as documented.
                pub fn routes<T: #bounds>(implementation: T) -> Routes<T> {
                    Routes(Arc::new(implementation))
                }

                /// The OpenAPI document that poem-openapi emits for the routes, in JSON.
                pub fn spec() -> String {
                    poem_openapi::OpenApiService::new(Described, #title, #version).spec()
                }
            },
        ]
    }

    /// The module that describes the operations, a function for each.
    fn described(&self) -> TokenStream {
        let operations = &self.api.operations;
        let shared = self.outcomes(&self.api.shared.outcomes);
        let shares = !self.api.shared.outcomes.is_empty() && !operations.is_empty();
        let shared = shares.then(|| {
            quote! {
                /// An operation with the failures of all.
                fn with_shared_failures(operation: Operation) -> Operation {
                    operation #shared
                }
            }
        });
        let functions = operations.iter().map(|operation| {
            let lower = &operation.lower;
            let described = self.described_operation(operation);
            let mut all = self.api.shared.outcomes.iter();
            let described = match all.all(|it| operation.shared.contains(&it.answer)) {
                true if shares => quote!(with_shared_failures(#described)),
                true => described,
                false => {
                    let some = self.outcomes(self.api.shared_by(operation));
                    quote!(#described #some)
                }
            };
            quote! {
                fn #lower() -> Operation {
                    #described
                }
            }
        });
        let functions = quote!(#(#functions)* #shared);
        let text = functions.to_string();
        let style = text.contains("Style").then(|| quote!(Style,));
        let place = text.contains("MetaParamIn").then(|| {
            quote!(
                use poem_openapi::registry::MetaParamIn;
            )
        });
        let types = text.contains("types ::").then(|| {
            quote!(
                use super::types;
            )
        });
        let method = (!operations.is_empty()).then(|| {
            quote!(
                use poem::http::Method;
            )
        });
        let names = operations.iter().map(|operation| &operation.lower);
        quote! {
            /// The operations as poem-openapi registers them.
            mod described {
                use openapi_lockstep_runtime::{Operation, #style};
                #method
                #place
                #types

                pub(super) fn described() -> Vec<Operation> {
                    Vec::from([#(#names()),*])
                }

                #functions
            }
        }
    }

    fn described_operation(&self, operation: &Operation) -> TokenStream {
        let Operation { id, path, .. } = operation;
        let tag = &self.api.tags[operation.tag].name;
        let method = word(operation);
        let deprecated = operation.deprecated.then(|| quote!(.deprecated()));
        let alternatives = operation
            .access
            .credential()
            .map(|set| &self.api.credentials[set].alternatives);
        let security = alternatives.into_iter().flatten().map(|alternative| {
            let schemes = alternative.schemes.iter().map(|scheme| {
                let wire = &self.api.schemes[*scheme].wire;
                let scopes = operation.scopes.iter().find(|(of, _)| of == scheme);
                let scopes = scopes
                    .map(|(_, scopes)| scopes.as_slice())
                    .unwrap_or_default();
                quote!((#wire, &[#(#scopes),*]))
            });
            quote!(.security(&[#(#schemes),*]))
        });
        let optional =
            matches!(operation.access, Access::Optional(_)).then(|| quote!(.security(&[])));
        let parameters = operation.parameters.iter().map(|it| self.parameter(it));
        let body = operation.body.iter().flat_map(|body| {
            let required = body.required;
            body.contents.iter().map(move |content| {
                let media_type = &content.media_type;
                match content.payload.value() {
                    Some(kind) => {
                        let kind = self.kind(kind);
                        quote!(.body::<#kind>(#media_type, #required))
                    }
                    None => quote!(.plain_body(#media_type, #required)),
                }
            })
        });
        let successes = self.outcomes(&operation.outcomes.successes.outcomes);
        let failures = self.outcomes(&operation.outcomes.failures.outcomes);
        quote! {
            Operation::new(Method::#method, #path, #id, #tag)
                #deprecated #(#security)* #optional #(#parameters)* #(#body)* #successes #failures
        }
    }

    fn parameter(&self, parameter: &Parameter) -> TokenStream {
        let (wire, kind) = (&parameter.wire, self.kind(&parameter.kind));
        let required = parameter.required;
        let place = match parameter.place {
            Place::Path => quote!(Path),
            Place::Query => quote!(Query),
            Place::Header => quote!(Header),
            Place::Cookie => quote!(Cookie),
        };
        let style = match (&parameter.style, parameter.explode) {
            (None, None) => quote!(Style::default()),
            (style, explode) => {
                let style = match style {
                    Some(style) => quote!(Some(#style)),
                    None => quote!(None),
                };
                let explode = match explode {
                    Some(explode) => quote!(Some(#explode)),
                    None => quote!(None),
                };
                quote!(Style { style: #style, explode: #explode })
            }
        };
        quote!(.parameter::<#kind>(MetaParamIn::#place, #wire, #required, #style))
    }

    fn outcomes<'o>(&self, outcomes: impl IntoIterator<Item = &'o Outcome>) -> TokenStream {
        let mut tokens = TokenStream::new();
        let mut last = None;
        for outcome in outcomes {
            // The media types of one status follow each other.
            if last != Some(outcome.answer) {
                let key = outcome.answer.key();
                tokens.extend(quote!(.reply(#key)));
                for header in &outcome.headers {
                    let (wire, kind, required) =
                        (&header.wire, self.kind(&header.kind), header.required);
                    tokens.extend(quote!(.header::<#kind>(#wire, #required)));
                }
            }
            last = Some(outcome.answer);
            if let Some((media_type, payload)) = &outcome.content {
                tokens.extend(match payload.value() {
                    Some(kind) => {
                        let kind = self.kind(kind);
                        quote!(.content::<#kind>(#media_type))
                    }
                    None => quote!(.plain_content(#media_type)),
                });
            }
        }
        tokens
    }
}

fn word(operation: &Operation) -> Ident {
    ident(&operation.method.to_uppercase())
}

fn registered_scheme(scheme: &Scheme) -> TokenStream {
    let wire = &scheme.wire;
    let kind = match &scheme.kind {
        Kind::Key { place, name } => quote!(Key { place: #place, name: #name }),
        Kind::Basic => quote!(Basic),
        Kind::Bearer { format: None } => quote!(Bearer { format: None }),
        Kind::Bearer {
            format: Some(format),
        } => quote!(Bearer { format: Some(#format) }),
        Kind::OAuth2 => quote!(OAuth2),
        Kind::OpenIdConnect(url) => quote!(OpenIdConnect { url: #url }),
    };
    quote!(openapi_lockstep_runtime::Scheme::#kind.register(registry, #wire);)
}
