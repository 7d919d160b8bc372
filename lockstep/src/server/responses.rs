//! Responses: an enum for each operation of what is its own, and `Failure` for what all share.

use http::StatusCode;
use utoipa::openapi::{Response, header::Header, path::Operation};

use super::*;
use crate::rules::shared_responses;

/// A response under its status.
struct Documented<'a> {
    status: u16,
    response: &'a Response,
}

impl Writer<'_> {
    pub(super) fn responses(&self) -> Vec<TokenStream> {
        let mut items = Vec::new();
        let shared = shared_responses(self.source);
        let failures: Vec<Documented<'_>> = shared
            .iter()
            .filter_map(|(status, name)| {
                self.documented(status, self.components().responses.get(name)?)
            })
            .collect();
        items.extend(self.problem());
        items.extend(self.response_enum(
            &ident("Failure"),
            "What every operation can answer when it cannot do its work.",
            &failures,
        ));
        for (_, _, operation) in self.operations() {
            let id = operation.operation_id.as_deref().unwrap_or_default();
            let own: Vec<Documented<'_>> = operation
                .responses
                .responses
                .iter()
                .filter(|(status, _)| !shared.contains_key(*status))
                .filter_map(|(status, response)| self.documented(status, response))
                .collect();
            items.extend(self.response_enum(
                &response_name(operation),
                &format!("What `{id}` answers, beside a [`Failure`]."),
                &own,
            ));
        }
        items
    }

    fn response_enum(
        &self,
        name: &Ident,
        comment: &str,
        responses: &[Documented<'_>],
    ) -> Vec<TokenStream> {
        let comment = docs(comment);
        let variants = responses.iter().map(|documented| self.variant(documented));
        let mut items = vec![quote! {
            #comment
            #[derive(ApiResponse)]
            pub enum #name {
                #(#variants)*
            }
        }];
        let constructors: Vec<TokenStream> = responses
            .iter()
            .filter(|documented| documented.status >= 400)
            .map(|documented| self.constructor(documented))
            .collect();
        if !constructors.is_empty() {
            items.push(quote! {
                impl #name {
                    #(#constructors)*
                }
            });
        }
        items
    }

    fn variant(&self, documented: &Documented<'_>) -> TokenStream {
        let Documented { status, response } = documented;
        let comment = docs(&response.description);
        let variant = variant_name(*status);
        let status = proc_macro2::Literal::u16_unsuffixed(*status);
        let body = response.content.iter().next();
        let media_type = body
            .map(|(media_type, _)| media_type.as_str())
            .filter(|media_type| *media_type != "application/json")
            .map(|media_type| quote!(, content_type = #media_type));
        let payload = body.and_then(|(_, content)| match content {
            RefOr::T(content) => {
                let schema = self.type_of(content.schema.as_ref()?);
                Some(quote!(Json<#schema>,))
            }
            RefOr::Ref(_) => None,
        });
        let headers = headers(response).map(|(name, header)| {
            let comment = docs(header.description.as_deref().unwrap_or_default());
            let kind = self.header_type(header);
            quote! {
                #comment
                #[oai(header = #name)]
                Option<#kind>,
            }
        });
        let fields = quote!(#payload #(#headers)*);
        let fields = (!fields.is_empty()).then(|| quote!((#fields)));
        quote! {
            #comment
            #[oai(status = #status #media_type)]
            #variant #fields,
        }
    }

    /// A function that makes the problem of one status.
    fn constructor(&self, documented: &Documented<'_>) -> TokenStream {
        let Documented { status, response } = documented;
        let variant = variant_name(*status);
        let function = snake(&variant.to_string());
        let title = title(*status);
        let comment = docs(&format!("{status}: {}", response.description));
        let code = self.problem_member("code");
        let (errors, some_errors) = if *status == 400 {
            let errors = self.problem_member("errors");
            (Some(quote!(errors: #errors,)), quote!(Some(errors)))
        } else {
            (None, quote!(None))
        };
        let (header_names, header_types): (Vec<Ident>, Vec<TokenStream>) = headers(response)
            .map(|(name, header)| (snake(name), self.header_type(header)))
            .unzip();
        let status = proc_macro2::Literal::u16_unsuffixed(*status);
        quote! {
            #comment
            pub fn #function(
                code: #code,
                detail: impl Into<String>,
                #errors
                #(#header_names: #header_types,)*
            ) -> Self {
                let problem = problem(#status, #title, code, detail.into(), #some_errors);
                Self::#variant(Json(problem), #(Some(#header_names)),*)
            }
        }
    }

    /// The function that fills a problem in.
    fn problem(&self) -> Option<TokenStream> {
        let problem = camel(self.problem_name()?);
        let status = self.problem_member("status");
        let code = self.problem_member("code");
        let errors = self.problem_member("errors");
        // Which `openapi-lockstep-runtime` adds.
        let request_id = self
            .problem_members()
            .any(|(name, _)| name == "request_id")
            .then(|| quote!(request_id: None,));
        Some(quote! {
            fn problem(
                status: #status,
                title: &str,
                code: #code,
                detail: String,
                errors: Option<#errors>,
            ) -> #problem {
                #problem {
                    r#type: "about:blank".to_owned(),
                    title: title.to_owned(),
                    status,
                    detail,
                    code,
                    errors,
                    #request_id
                }
            }
        })
    }

    /// The name of the schema of every error.
    fn problem_name(&self) -> Option<&str> {
        // The rules demand that every operation documents this one.
        let name = shared_responses(self.source).remove("500")?;
        let RefOr::T(response) = self.components().responses.get(&name)? else {
            return None;
        };
        match response.content.get("application/problem+json")? {
            RefOr::T(content) => types::reference_name(content.schema.as_ref()?),
            RefOr::Ref(_) => None,
        }
    }

    /// The members of the schema of every error.
    fn problem_members(&self) -> impl Iterator<Item = (&String, &RefOr<Schema>)> {
        let schema = self
            .problem_name()
            .and_then(|name| self.components().schemas.get(name));
        let object = match schema {
            Some(RefOr::T(Schema::Object(object))) => Some(object),
            _ => None,
        };
        object.into_iter().flat_map(|object| &object.properties)
    }

    /// The type of one of them.
    fn problem_member(&self, name: &str) -> TokenStream {
        self.problem_members()
            .find(|(known, _)| *known == name)
            .map(|(_, member)| self.type_of(member))
            .unwrap_or_default()
    }

    fn header_type(&self, header: &Header) -> TokenStream {
        match &header.schema {
            Some(schema) => self.type_of(schema),
            None => quote!(String),
        }
    }

    fn documented<'a>(
        &'a self,
        status: &str,
        response: &'a RefOr<Response>,
    ) -> Option<Documented<'a>> {
        let response = match response {
            RefOr::T(response) => response,
            RefOr::Ref(reference) => {
                let name = name_of(&reference.ref_location);
                match self.components().responses.get(name)? {
                    RefOr::T(response) => response,
                    RefOr::Ref(_) => return None,
                }
            }
        };
        let status = status.parse().ok()?;
        Some(Documented { status, response })
    }
}

/// The name of the enum of what an operation answers.
pub(super) fn response_name(operation: &Operation) -> Ident {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    camel(&format!("{}Response", id.to_upper_camel_case()))
}

fn headers(response: &Response) -> impl Iterator<Item = (&String, &Header)> {
    response
        .headers
        .iter()
        .filter_map(|(name, header)| match header {
            RefOr::T(header) => Some((name, header)),
            RefOr::Ref(_) => None,
        })
}

/// The name of a status, as RFC 9110 has it; the rules take none without.
fn title(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    let title = status.and_then(|status| status.canonical_reason());
    title.unwrap_or_default()
}

fn variant_name(status: u16) -> Ident {
    camel(title(status))
}
