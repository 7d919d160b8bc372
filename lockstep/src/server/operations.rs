//! Operations: bodies, a trait for each tag, and the routes that call it.

use utoipa::openapi::{
    Required,
    path::{Operation, Parameter, ParameterIn},
    request_body::RequestBody,
};

use super::{
    responses::response_name,
    security::Access,
    types::{is_deprecated, reference_name},
    *,
};

/// A tag and the operations under it.
pub(super) struct TagGroup<'a> {
    name: &'a str,
    description: &'a str,
    /// Path, method, operation.
    operations: Vec<(&'a str, &'static str, &'a Operation)>,
}

impl TagGroup<'_> {
    pub(super) fn api_name(&self) -> Ident {
        ident(&format!("{}Api", self.name.to_upper_camel_case()))
    }

    pub(super) fn routes_name(&self) -> Ident {
        ident(&format!("{}Routes", self.name.to_upper_camel_case()))
    }
}

/// What the method of an operation takes and answers.
struct Method<'a> {
    name: Ident,
    access: Access,
    parameters: Vec<&'a Parameter>,
    body: Option<Body<'a>>,
    response: Ident,
}

/// A request body and the enum of its media types.
struct Body<'a> {
    name: Ident,
    schema: &'a RefOr<Schema>,
    /// Whether it holds nothing but a credential, which no method takes.
    only_credential: bool,
}

impl Writer<'_> {
    /// Path, method and operation of each operation, in the order of the document.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &'static str, &Operation)> {
        self.model.paths.paths.iter().flat_map(|(path, item)| {
            [
                ("get", &item.get),
                ("put", &item.put),
                ("post", &item.post),
                ("delete", &item.delete),
                ("patch", &item.patch),
            ]
            .into_iter()
            .filter_map(|(method, operation)| Some((path.as_str(), method, operation.as_ref()?)))
        })
    }

    /// The tags that have operations, in the order of the document.
    pub(super) fn tags(&self) -> Vec<TagGroup<'_>> {
        let tags = self.model.tags.iter().flatten();
        tags.map(|tag| TagGroup {
            name: &tag.name,
            description: tag.description.as_deref().unwrap_or_default(),
            operations: self
                .operations()
                .filter(|(_, _, operation)| {
                    let tags = operation.tags.as_deref().unwrap_or_default();
                    tags.contains(&tag.name)
                })
                .collect(),
        })
        .filter(|tag| !tag.operations.is_empty())
        .collect()
    }

    /// Every request body, each component once.
    pub(super) fn request_bodies(&self) -> impl Iterator<Item = &RequestBody> {
        let named = self.components().request_bodies.values();
        let own = self
            .operations()
            .filter_map(|(_, _, operation)| operation.request_body.as_ref());
        named.chain(own).filter_map(|body| match body {
            RefOr::T(body) => Some(body),
            RefOr::Ref(_) => None,
        })
    }

    pub(super) fn bodies(&self) -> Vec<TokenStream> {
        let mut written: Vec<Ident> = Vec::new();
        let mut items = Vec::new();
        for (_, _, operation) in self.operations() {
            let Some((request_body, body)) = self.request_body(operation) else {
                continue;
            };
            if written.contains(&body.name) {
                continue;
            }
            items.extend(self.body(request_body, &body));
            written.push(body.name);
        }
        items
    }

    fn body(&self, request_body: &RequestBody, body: &Body<'_>) -> Vec<TokenStream> {
        let name = &body.name;
        let kind = self.type_of(body.schema);
        let comment = docs(
            request_body
                .description
                .as_deref()
                .unwrap_or("A body, in the media types that it may come in."),
        );
        let payloads: Vec<Ident> = request_body
            .content
            .keys()
            .map(|media_type| match media_type.as_str() {
                "application/json" => ident("Json"),
                _ => ident("Form"),
            })
            .collect();
        let mut items = vec![quote! {
            #comment
            #[derive(ApiRequest)]
            pub enum #name {
                #(#payloads(#payloads<#kind>),)*
            }
        }];
        if !body.only_credential {
            items.push(quote! {
                impl #name {
                    fn into_inner(self) -> #kind {
                        match self {
                            #(Self::#payloads(#payloads(body)))|* => body,
                        }
                    }
                }
            });
        }
        items
    }

    pub(super) fn traits(&self) -> Vec<TokenStream> {
        let tags = self.tags();
        let bound = match self.credential_schemes() {
            Some(_) => quote!(Security),
            None => quote!(Send + Sync + 'static),
        };
        let mut items = vec![tag_enum(&tags)];
        items.extend(tags.iter().map(|tag| {
            let name = tag.api_name();
            let comment = docs(tag.description);
            let methods = tag
                .operations
                .iter()
                .map(|(path, _, operation)| self.trait_method(path, operation));
            quote! {
                #comment
                pub trait #name: #bound {
                    #(#methods)*
                }
            }
        }));
        items
    }

    fn trait_method(&self, path: &str, operation: &Operation) -> TokenStream {
        let method = self.method(path, operation);
        let comment = summary_and_description(operation);
        let Method { name, response, .. } = &method;
        let caller = match method.access {
            Access::Public => None,
            Access::Optional => Some(quote!(credential: Option<Credential>,)),
            Access::Required => Some(quote!(principal: Self::Principal,)),
        };
        let parameters = method.parameters.iter().map(|parameter| {
            let name = snake(&parameter.name);
            let kind = self.parameter_type(parameter);
            quote!(#name: #kind,)
        });
        let body = method
            .body
            .iter()
            .filter(|body| !body.only_credential)
            .map(|body| {
                let kind = self.type_of(body.schema);
                quote!(body: #kind,)
            });
        let body: Vec<_> = body.collect();
        let count = 2 + usize::from(caller.is_some()) + method.parameters.len();
        let allowed = many_arguments(count + body.len());
        quote! {
            #comment
            #allowed
            fn #name(
                &self,
                request: &Request,
                #caller
                #(#parameters)*
                #(#body)*
            ) -> impl Future<Output = Result<#response, Failure>> + Send;
        }
    }

    pub(super) fn routes(&self) -> Vec<TokenStream> {
        self.tags()
            .iter()
            .flat_map(|tag| {
                let routes = tag.routes_name();
                let api = tag.api_name();
                let variant = camel(tag.name);
                let tag_path = format!("Tag::{variant}");
                let tag_path: syn::Path = match syn::parse_str(&tag_path) {
                    Ok(path) => path,
                    Err(_) => variant.clone().into(),
                };
                let comment = docs(&format!("The routes to [`{api}`]."));
                let methods = tag
                    .operations
                    .iter()
                    .map(|(path, method, operation)| self.route(path, method, operation));
                [
                    quote! {
                        #comment
                        pub struct #routes<T>(Arc<T>);
                    },
                    quote! {
                        #[OpenApi(tag = #tag_path)]
                        impl<T: #api> #routes<T> {
                            #(#methods)*
                        }
                    },
                ]
            })
            .collect()
    }

    fn route(&self, path: &str, http_method: &str, operation: &Operation) -> TokenStream {
        let method = self.method(path, operation);
        // poem-openapi writes a parameter `:name` and says `{name}`.
        let poem_path = path.replace('{', ":").replace('}', "");
        let Method { name, response, .. } = &method;
        let comment = summary_and_description(operation);
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let deprecated = is_deprecated(&operation.deprecated).then(|| quote!(, deprecated));
        let (credential, principal, caller) = match method.access {
            Access::Public => (None, None, None),
            Access::Optional => (
                Some(quote!(credential: openapi_lockstep_runtime::Found<OptionalCredential>,)),
                None,
                Some(quote!(credential.0.into(),)),
            ),
            Access::Required => (
                Some(quote!(credential: openapi_lockstep_runtime::Found<Credential>,)),
                Some(quote! {
                    let principal = self.0.authenticate(request, credential.0).await?;
                }),
                Some(quote!(principal,)),
            ),
        };
        let parameters = method.parameters.iter().map(|parameter| {
            let comment = docs(parameter.description.as_deref().unwrap_or_default());
            let name = snake(&parameter.name);
            let kind = self.parameter_type(parameter);
            let wrapper = match parameter.parameter_in {
                ParameterIn::Path => quote!(Path),
                _ => quote!(Query),
            };
            let mut options = Vec::new();
            let wire = &parameter.name;
            if name != wire.as_str() {
                options.push(quote!(name = #wire));
            }
            if is_deprecated(&parameter.deprecated) {
                options.push(quote!(deprecated));
            }
            let options = (!options.is_empty()).then(|| quote!(#[oai(#(#options),*)]));
            quote!(#comment #options #name: #wrapper<#kind>,)
        });
        let arguments = method.parameters.iter().map(|parameter| {
            let name = snake(&parameter.name);
            quote!(#name.0,)
        });
        let (body, inner) = match &method.body {
            Some(Body {
                name,
                only_credential: true,
                ..
            }) => (
                Some(quote!(_body: openapi_lockstep_runtime::Unread<#name>,)),
                None,
            ),
            Some(Body { name, .. }) => {
                (Some(quote!(body: #name,)), Some(quote!(body.into_inner(),)))
            }
            None => (None, None),
        };
        let count = 2 + usize::from(credential.is_some()) + method.parameters.len();
        let allowed = many_arguments(count + usize::from(body.is_some()));
        quote! {
            #comment
            #allowed
            #[oai(path = #poem_path, method = #http_method, operation_id = #id #deprecated)]
            async fn #name(
                &self,
                request: &Request,
                #credential
                #(#parameters)*
                #body
            ) -> Result<#response, Failure> {
                #principal
                self.0.#name(request, #caller #(#arguments)* #inner).await
            }
        }
    }

    fn method<'a>(&'a self, path: &str, operation: &'a Operation) -> Method<'a> {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let mut parameters: Vec<&Parameter> = operation
            .parameters
            .iter()
            .flatten()
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some(parameter),
                RefOr::Ref(_) => None,
            })
            .collect();
        // poem-openapi takes the arguments for the path's parameters in the order of the path.
        parameters.sort_by_key(|parameter| match parameter.parameter_in {
            ParameterIn::Path => path.find(&format!("{{{}}}", parameter.name)),
            _ => Some(usize::MAX),
        });
        Method {
            name: snake(id),
            access: self.access(operation),
            parameters,
            body: self.request_body(operation).map(|(_, body)| body),
            response: response_name(operation),
        }
    }

    fn request_body<'a>(&'a self, operation: &'a Operation) -> Option<(&'a RequestBody, Body<'a>)> {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let (name, body) = match operation.request_body.as_ref()? {
            RefOr::T(body) => (id, body),
            RefOr::Ref(reference) => {
                let name = name_of(&reference.ref_location);
                match self.components().request_bodies.get(name)? {
                    RefOr::T(body) => (name, body),
                    RefOr::Ref(_) => return None,
                }
            }
        };
        let schema = match body.content.values().next()? {
            RefOr::T(content) => content.schema.as_ref()?,
            RefOr::Ref(_) => return None,
        };
        let credential = reference_name(schema).and_then(|name| {
            body_credential(&self.source.value, &join("/components/schemas", name))
        });
        let only_credential = match self.schema(schema)? {
            Schema::Object(object) if credential.is_some() => {
                let mut members = object.properties.keys();
                members.all(|member| Some(member) == credential.as_ref())
            }
            _ => false,
        };
        let name = camel(&format!("{}Body", name.to_upper_camel_case()));
        Some((
            body,
            Body {
                name,
                schema,
                only_credential,
            },
        ))
    }

    fn parameter_type(&self, parameter: &Parameter) -> TokenStream {
        let kind = match &parameter.schema {
            Some(schema) => self.type_of(schema),
            None => quote!(String),
        };
        match parameter.required {
            Required::True => kind,
            Required::False => quote!(Option<#kind>),
        }
    }
}

fn tag_enum(tags: &[TagGroup<'_>]) -> TokenStream {
    let variants = tags.iter().map(|tag| {
        let comment = docs(tag.description);
        let variant = camel(tag.name);
        let name = tag.name;
        quote! {
            #comment
            #[oai(rename = #name)]
            #variant,
        }
    });
    quote! {
        #[derive(Tags)]
        enum Tag {
            #(#variants)*
        }
    }
}

/// The summary, then the description: poem-openapi takes them from the comment like that.
fn summary_and_description(operation: &Operation) -> TokenStream {
    let summary = operation.summary.as_deref().unwrap_or_default();
    let description = operation.description.as_deref().unwrap_or_default();
    docs(&format!("{summary}\n\n{description}"))
}

/// What lets clippy pass a method with as many parameters as its operation has.
fn many_arguments(count: usize) -> Option<TokenStream> {
    /// As many as clippy passes.
    const FEW: usize = 7;
    (count > FEW).then(|| quote!(#[allow(clippy::too_many_arguments)]))
}
