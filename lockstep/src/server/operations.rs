//! Generates the traits of operations, and the calls of their methods.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Writer;
use crate::{
    api::{Access, Body, Operation, Parameter, Payload},
    types::comment,
};

impl Writer<'_> {
    /// Everything of an operation: its arguments, its replies, its trait and its endpoint.
    pub(super) fn operation(&self, operation: &Operation) -> Vec<TokenStream> {
        let mut items: Vec<TokenStream> = self.arguments(operation).into_iter().collect();
        items.extend(self.body_choice(operation));
        items.extend(self.replies(operation));
        items.push(self.operation_trait(operation));
        items.push(self.endpoint(operation));
        items
    }

    /// The struct of the parameters, where there are several.
    fn arguments(&self, operation: &Operation) -> Option<TokenStream> {
        let name = operation.arguments.as_ref()?;
        let about = comment(&format!("The parameters of `{}`.", operation.id), "");
        let fields = operation.parameters.iter().map(|parameter| {
            let docs = comment(&parameter.description, "");
            let (name, kind) = (&parameter.name, self.argument(parameter));
            quote! {
                #docs
                pub #name: #kind,
            }
        });
        Some(quote! {
            #about
            #[derive(Clone, Debug, PartialEq)]
            pub struct #name {
                #(#fields)*
            }
        })
    }

    /// The type of a parameter in a method's signature.
    fn argument(&self, parameter: &Parameter) -> TokenStream {
        let kind = self.kind(&parameter.kind);
        match parameter.required || parameter.has_default {
            true => kind,
            false => quote!(Option<#kind>),
        }
    }

    /// The enum of a body that may be of several types.
    fn body_choice(&self, operation: &Operation) -> Option<TokenStream> {
        let body = operation
            .body
            .as_ref()
            .filter(|_| !operation.is_unchecked)?;
        let name = body.choice.as_ref()?;
        let about = comment(&format!("The body of `{}`.", operation.id), "");
        let variants = body.contents.iter().map(|content| {
            let (name, kind) = (&content.name, self.payload(&content.payload));
            let docs = comment(&format!("`{}`", content.media_type), "");
            quote!(#docs #name(#kind),)
        });
        Some(quote! {
            #about
            #[derive(Debug)]
            pub enum #name {
                #(#variants)*
            }
        })
    }

    fn operation_trait(&self, operation: &Operation) -> TokenStream {
        let Operation { upper, lower, .. } = operation;
        let about = comment(
            &format!("`{} {}`", operation.method.to_uppercase(), operation.path),
            "",
        );
        let texts = [&operation.summary, &operation.description];
        let texts: Vec<&str> = texts
            .into_iter()
            .map(|it| it.as_str())
            .filter(|it| !it.is_empty())
            .collect();
        let docs = comment(&texts.join("\n\n"), "");
        let bound = match operation.access {
            Access::Required(set) => {
                let credential = &self.api.credentials[set].name;
                quote!(Authenticate<#credential>)
            }
            _ => quote!(Send + Sync + 'static),
        };
        let caller = match operation.access {
            Access::Public => None,
            Access::Optional(set) => {
                let credential = &self.api.credentials[set].name;
                Some(quote!(credential: Option<#credential>,))
            }
            Access::Required(set) => {
                let credential = &self.api.credentials[set].name;
                Some(quote!(principal: <Self as Authenticate<#credential>>::Principal,))
            }
        };
        let parameters = match (&operation.arguments, operation.parameters.as_slice()) {
            (Some(name), _) => Some(quote!(parameters: #name,)),
            (None, [only]) => {
                let (name, kind) = (&only.name, self.argument(only));
                Some(quote!(#name: #kind,))
            }
            (None, _) => None,
        };
        let body = operation
            .body
            .as_ref()
            .filter(|body| body.is_read)
            .map(|body| {
                let kind = match operation.is_unchecked {
                    true => self.payload(&Payload::Bytes),
                    false => self.body_kind(body),
                };
                quote!(body: #kind,)
            });
        let (success, failure) = self.result(operation);
        quote! {
            #about
            pub trait #upper: #bound {
                #docs
                fn #lower(
                    &self,
                    request: &Request,
                    #caller
                    #parameters
                    #body
                ) -> impl Future<Output = Result<#success, #failure>> + Send;
            }
        }
    }

    /// The type of a body in a method's signature.
    fn body_kind(&self, body: &Body) -> TokenStream {
        let (kind, is_bytes) = match (&body.choice, body.contents.as_slice()) {
            (Some(name), _) => (quote!(#name), false),
            (None, [first, ..]) => (
                self.payload(&first.payload),
                first.payload == Payload::Bytes,
            ),
            (None, []) => (quote!(()), false),
        };
        // A missing body of bytes is empty.
        match body.required || is_bytes {
            true => kind,
            false => quote!(Option<#kind>),
        }
    }

    /// The function that reads the checked request, and calls the method.
    fn endpoint(&self, operation: &Operation) -> TokenStream {
        let Operation { upper, lower, .. } = operation;
        let scopes = self.scopes(operation);
        let of = |credential: &Ident| match &scopes {
            None => quote!(#credential::of),
            Some(scopes) => quote!(|presented| #credential::of(presented #scopes)),
        };
        let caller = operation.access.credential().map(|set| {
            let credential = &self.api.credentials[set].name;
            match operation.access {
                Access::Optional(_) => quote! {
                    let credential = #credential::of(given.presented() #scopes);
                },
                _ => {
                    let of = of(credential);
                    quote! {
                    let credential = given.credential(#of)?;
                    let principal = match service.authenticate(&request, credential).await {
                        Ok(principal) => principal,
                        Err(failure) => return Ok(failure.into_response()),
                    };
                    }
                }
            }
        });
        let caller_argument = match operation.access {
            Access::Public => None,
            Access::Optional(_) => Some(quote!(credential,)),
            Access::Required(_) => Some(quote!(principal,)),
        };
        let read = |parameter: &Parameter| {
            let (place, wire) = (parameter.place.word(), &parameter.wire);
            quote!(given.parameter(#place, #wire)?)
        };
        let parameters = match (&operation.arguments, operation.parameters.as_slice()) {
            (Some(name), parameters) => {
                let fields = parameters.iter().map(|parameter| {
                    let (name, value) = (&parameter.name, read(parameter));
                    quote!(#name: #value,)
                });
                Some(quote!(let parameters = #name { #(#fields)* };))
            }
            (None, [only]) => {
                let value = read(only);
                Some(quote!(let parameters = #value;))
            }
            (None, _) => None,
        };
        let parameters_argument = parameters.as_ref().map(|_| quote!(parameters,));
        let read_body = operation.body.as_ref().filter(|body| body.is_read);
        let body_argument = read_body.map(|_| quote!(body,));
        let is_unchecked = operation.is_unchecked;
        let body = read_body.map(|body| {
            let value = match is_unchecked {
                true => quote!(request.take_body()),
                false => read_body_code(body),
            };
            quote!(let body = #value;)
        });
        let reads_value = |body: &Body| !is_unchecked && reads_value(body);
        let has_choice = |body: &Body| !is_unchecked && body.choice.is_some();
        let reads = read_body.is_some_and(|body| reads_value(body) || has_choice(body));
        let is_used = caller.is_some() || parameters.is_some() || reads;
        let takes_bytes = read_body.is_some_and(|body| {
            let mut contents = body.contents.iter();
            is_unchecked || contents.any(|content| content.payload == Payload::Bytes)
        });
        let changes = parameters.is_some() || read_body.is_some_and(reads_value);
        let changes = changes.then(|| quote!(mut));
        let given = is_used.then(|| quote!(let #changes given = Given::take(&mut request)?;));
        let takes = (is_used || takes_bytes).then(|| quote!(mut));
        let respond = self.respond(operation);
        let reply = match self.result(operation).0.to_string().as_str() {
            "()" => quote!(()),
            _ => quote!(reply),
        };
        quote! {
            pub(super) async fn #lower<T: #upper>(
                service: Arc<T>,
                #takes request: Request,
            ) -> poem::Result<Response> {
                #given
                #caller
                #parameters
                #body
                let replied = T::#lower(&service, &request, #caller_argument #parameters_argument #body_argument);
                Ok(match replied.await {
                    Ok(#reply) => #respond,
                    Err(failure) => failure.into_response(),
                })
            }
        }
    }

    /// The modules of the tags: their operations, and the trait that sums them up.
    pub(super) fn tags(&self) -> Vec<TokenStream> {
        let modules = self.api.used_tags().map(|(tag, operations)| {
            let about = comment(&format!("The operations of the tag `{}`.", tag.name), "");
            let docs = match tag.description.is_empty() {
                true => about.clone(),
                false => comment(&tag.description, ""),
            };
            let (module, api) = (&tag.module, &tag.api);
            let bounds = operations.iter().map(|operation| &operation.upper);
            let bounds = quote!(#(#bounds)+*);
            let items = operations
                .iter()
                .flat_map(|operation| self.operation(operation));
            quote! {
                #docs
                pub mod #module {
                    use super::*;

                    #(#items)*

                    #about
                    pub trait #api: #bounds {}

                    impl<T: #bounds> #api for T {}
                }
            }
        });
        modules.collect()
    }
}

/// The code that reads a body.
fn read_body_code(body: &Body) -> TokenStream {
    let value = |payload: &Payload| match payload {
        Payload::Bytes => quote!(request.take_body()),
        _ => quote!(given.body()?),
    };
    let Some(name) = &body.choice else {
        return value(&body.contents[0].payload);
    };
    let arms = body.contents.iter().enumerate().map(|(number, content)| {
        let (variant, value) = (&content.name, value(&content.payload));
        let made = quote!(#name::#variant(#value));
        let made = match body.required {
            true => made,
            false => quote!(Some(#made)),
        };
        quote!(Some(#number) => #made,)
    });
    let other = match body.required {
        true => quote!(_ => return Err(Rejection::without_body().into()),),
        false => quote!(_ => None,),
    };
    quote! {
        match given.content() {
            #(#arms)*
            #other
        }
    }
}

/// Returns true if one of the contents is read as a value.
fn reads_value(body: &Body) -> bool {
    body.contents
        .iter()
        .any(|content| content.payload != Payload::Bytes)
}
