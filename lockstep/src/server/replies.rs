//! Replies of a method.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::Writer;
use crate::{
    Answers,
    api::{Answer, Group, Operation, Outcome, Payload, one_media_type},
    names::ident,
    types::comment,
};

impl Writer<'_> {
    /// The failures of every operation.
    pub(super) fn failure(&self) -> Vec<TokenStream> {
        let rejection = (self.answers == Answers::Added).then(|| {
            quote! {
                /// A failure that the document does not speak of.
                Rejection(Rejection),
            }
        });
        let arm = rejection
            .as_ref()
            .map(|_| quote!(Self::Rejection(rejection) => rejection.into_response(),));
        let about = "The failures that every operation may answer.";
        let mut items = self.choice(&self.api.shared, about, rejection, arm);
        if self.has_own_errors() {
            items.push(quote! {
                /// Says what is refused before a method is called in the document's own errors.
                pub trait Reject: Send + Sync + 'static {
                    /// The failure that answers a rejection.
                    fn reject(&self, rejection: &Rejection) -> Failure;
                }
            });
        }
        items
    }

    /// Returns true if every operation can return errors that are not problems of RFC 9457 with a
    /// code, so that the runtime cannot write them.
    pub(super) fn has_own_errors(&self) -> bool {
        let outcomes = self.api.shared.outcomes.iter();
        let mut with_content = outcomes.filter(|it| it.content.is_some()).peekable();
        with_content.peek().is_some() && with_content.all(|it| self.problem(it).is_none())
    }

    /// The types of an operation's replies for which the document's own types are not sufficient.
    pub(super) fn replies(&self, operation: &Operation) -> Vec<TokenStream> {
        let mut items = Vec::new();
        let successes = &operation.outcomes.successes;
        match successes.only() {
            Some(only) if only.headers.is_empty() => {}
            Some(only) => items.push(self.reply_struct(&successes.name, only)),
            None => {
                let about = format!("The replies of `{}`.", operation.id);
                items.extend(self.choice(successes, &about, None, None));
            }
        }
        let failures = &operation.outcomes.failures;
        if !failures.outcomes.is_empty() {
            let about = format!("The failures of `{}`.", operation.id);
            let shared = quote! {
                /// One that every operation has.
                Failure(Failure),
            };
            let arm = quote!(Self::Failure(failure) => failure.into_response(),);
            items.extend(self.choice(failures, &about, Some(shared), Some(arm)));
            let name = &failures.name;
            items.push(quote! {
                impl<E: Into<Failure>> From<E> for #name {
                    fn from(error: E) -> Self {
                        Self::Failure(error.into())
                    }
                }
            });
        }
        items
    }

    /// The type of what an operation answers when it succeeds, and of its failures.
    pub(super) fn result(&self, operation: &Operation) -> (TokenStream, TokenStream) {
        let successes = &operation.outcomes.successes;
        let success = match successes.only() {
            Some(only) if only.headers.is_empty() => match &only.content {
                Some((_, payload)) => self.payload(payload),
                None => quote!(()),
            },
            _ => {
                let name = &successes.name;
                quote!(#name)
            }
        };
        let failures = &operation.outcomes.failures;
        let failure = match failures.outcomes.is_empty() {
            true => quote!(Failure),
            false => {
                let name = &failures.name;
                quote!(#name)
            }
        };
        (success, failure)
    }

    /// The response of a success that is bound to `reply`.
    pub(super) fn respond(&self, operation: &Operation) -> TokenStream {
        match operation.outcomes.successes.only() {
            Some(only) if only.headers.is_empty() => response(only, &quote!(reply)),
            _ => quote!(reply.into_response()),
        }
    }

    fn reply_struct(&self, name: &Ident, outcome: &Outcome) -> TokenStream {
        let docs = comment(&outcome.description, "");
        let fields = self.fields(outcome).into_iter().map(|(docs, field, kind)| {
            quote! {
                #docs
                pub #field: #kind,
            }
        });
        let names = self.fields(outcome).into_iter().map(|(_, field, _)| field);
        let response = response(outcome, &quote!(body));
        quote! {
            #docs
            pub struct #name {
                #(#fields)*
            }

            impl IntoResponse for #name {
                fn into_response(self) -> Response {
                    let Self { #(#names),* } = self;
                    #response
                }
            }
        }
    }

    /// An enum of replies, its response, and the functions that write problems.
    fn choice(
        &self,
        group: &Group,
        about: &str,
        other: Option<TokenStream>,
        other_arm: Option<TokenStream>,
    ) -> Vec<TokenStream> {
        let name = &group.name;
        let about = comment(about, "");
        let variants = group.outcomes.iter().map(|outcome| {
            let (name, docs) = (&outcome.name, comment(&outcome.description, ""));
            let fields = self.fields(outcome);
            match fields.as_slice() {
                [] => quote!(#docs #name,),
                [(_, _, kind)] if is_plain(outcome) => quote!(#docs #name(#kind),),
                fields => {
                    let fields = fields
                        .iter()
                        .map(|(docs, field, kind)| quote!(#docs #field: #kind,));
                    quote!(#docs #name { #(#fields)* },)
                }
            }
        });
        let arms = group.outcomes.iter().map(|outcome| {
            let name = &outcome.name;
            let response = response(outcome, &quote!(body));
            let fields = self.fields(outcome);
            match fields.as_slice() {
                [] => quote!(Self::#name => #response,),
                [_] if is_plain(outcome) => quote!(Self::#name(body) => #response,),
                fields => {
                    let fields = fields.iter().map(|(_, field, _)| field);
                    quote!(Self::#name { #(#fields),* } => { #response })
                }
            }
        });
        let is_empty = group.outcomes.is_empty() && other_arm.is_none();
        let response = match is_empty {
            true => quote!(match self {}),
            false => quote!(match self { #(#arms)* #other_arm }),
        };
        let mut items = vec![quote! {
            #about
            pub enum #name {
                #(#variants)*
                #other
            }

            impl IntoResponse for #name {
                fn into_response(self) -> Response {
                    #response
                }
            }
        }];
        let problems: Vec<TokenStream> = group
            .outcomes
            .iter()
            .filter_map(|outcome| self.problem_function(outcome))
            .collect();
        if !problems.is_empty() {
            items.push(quote! {
                impl #name {
                    #(#problems)*
                }
            });
        }
        items
    }

    /// The fields of an outcome's variant: comment, name and type.
    fn fields(&self, outcome: &Outcome) -> Vec<(TokenStream, Ident, TokenStream)> {
        let mut fields = Vec::new();
        if !matches!(outcome.answer, Answer::Status(_)) {
            let status = ident("status");
            fields.push((quote!(), status, quote!(poem::http::StatusCode)));
        }
        if let Some((_, payload)) = &outcome.content {
            let body = ident("body");
            fields.push((quote!(), body, self.payload(payload)));
        }
        for header in &outcome.headers {
            let kind = self.kind(&header.kind);
            let kind = match header.required {
                true => kind,
                false => quote!(Option<#kind>),
            };
            fields.push((comment(&header.description, ""), header.name.clone(), kind));
        }
        fields
    }
}

/// Returns true if an outcome is its body and nothing else.
pub(super) fn is_plain(outcome: &Outcome) -> bool {
    let has_status = matches!(outcome.answer, Answer::Status(_));
    has_status && outcome.headers.is_empty() && outcome.content.is_some()
}

/// The response of an outcome whose parts are bound to their names, the body to `body`.
fn response(outcome: &Outcome, body: &TokenStream) -> TokenStream {
    let status = match outcome.answer {
        Answer::Status(status) => {
            let status = Literal::u16_unsuffixed(status);
            quote!(#status)
        }
        Answer::Range(_) | Answer::Default => quote!(status.as_u16()),
    };
    let content = outcome.content.as_ref().map(|(media_type, payload)| {
        let media_type = one_media_type(media_type);
        match payload {
            Payload::Text | Payload::Bytes => quote!(.bytes(#media_type, #body)),
            _ => quote!(.json(#media_type, &#body)),
        }
    });
    let headers = outcome.headers.iter().map(|header| {
        let (wire, name) = (header.wire.to_ascii_lowercase(), &header.name);
        quote!(.header(#wire, &#name))
    });
    quote!(Reply::new(#status) #content #(#headers)* .into_response())
}
