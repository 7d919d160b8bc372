//! Replies of an operation's call: their types, and the code that reads them.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Writer, names::Names};
use crate::{
    api::{Answer, Group, Operation, Outcome, Payload},
    types::comment,
};

impl Writer<'_> {
    fn failures(&self, operation: &Operation) -> Vec<Outcome> {
        self.document.api.failures(operation).cloned().collect()
    }

    /// The types of a call's success and failure.
    pub(super) fn result(
        &self,
        operation: &Operation,
        names: &Names,
    ) -> (TokenStream, TokenStream) {
        let (success, failure) = (&names.success, &names.failure);
        let successes = &operation.outcomes.successes;
        let success = match self.common(&successes.outcomes) {
            // A reply that is only bytes is passed on as a stream.
            Some(kind) if kind.to_string() == "Vec < u8 >" => quote!(ByteStream),
            Some(kind) => kind,
            None => quote!(types::#success),
        };
        let failure = match self.common(&self.failures(operation)) {
            Some(kind) => kind,
            None => quote!(types::#failure),
        };
        (success, failure)
    }

    /// The common type of the replies, if they have one.
    fn common(&self, outcomes: &[Outcome]) -> Option<TokenStream> {
        let kind = |outcome: &Outcome| match &outcome.content {
            Some((_, payload)) => self.payload(payload),
            None => quote!(()),
        };
        let Some(first) = outcomes.first() else {
            return Some(quote!(()));
        };
        let first = kind(first);
        let is_same = |outcome: &Outcome| kind(outcome).to_string() == first.to_string();
        outcomes.iter().all(is_same).then_some(first)
    }

    /// The enums of replies that have no type in common.
    pub(super) fn reply_types(&self, operation: &Operation, names: &Names) -> Vec<TokenStream> {
        let mut items = Vec::new();
        let about = format!("The replies of `{}`.", operation.id);
        let successes = &operation.outcomes.successes.outcomes;
        if self.common(successes).is_none() {
            items.push(self.choice(&names.success, &about, successes));
        }
        let failures = self.failures(operation);
        if self.common(&failures).is_none() {
            let about = format!("The failures of `{}`.", operation.id);
            items.push(self.choice(&names.failure, &about, &failures));
        }
        items
    }

    fn choice(&self, name: &proc_macro2::Ident, about: &str, outcomes: &[Outcome]) -> TokenStream {
        let about = comment(about, "");
        let api = &self.document.api;
        let variants = outcomes.iter().map(|outcome| {
            let (name, docs) = (&outcome.name, comment(&outcome.description, ""));
            match &outcome.content {
                Some((_, payload)) => {
                    let kind = match payload {
                        Payload::Json(kind) | Payload::Form(kind) => {
                            self.side.kind(&api.types, &quote!(), kind)
                        }
                        payload => self.payload(payload),
                    };
                    quote!(#docs #name(#kind),)
                }
                None => quote!(#docs #name,),
            }
        });
        quote! {
            #about
            #[derive(Clone, Debug, PartialEq)]
            pub enum #name {
                #(#variants)*
            }
        }
    }

    /// The match arms that read a response by its status, and their media types.
    pub(super) fn arms(
        &self,
        operation: &Operation,
        names: &Names,
    ) -> (Vec<TokenStream>, Vec<String>) {
        let mut arms = Vec::new();
        let mut media_types = Vec::new();
        let failures = Group {
            name: names.failure.clone(),
            outcomes: self.failures(operation),
        };
        let successes = &operation.outcomes.successes;
        let groups = [(&successes.outcomes, false), (&failures.outcomes, true)];
        for (outcomes, is_failure) in groups {
            let has_choice = self.common(outcomes).is_none();
            let is_stream = !is_failure && {
                let (success, _) = self.result(operation, names);
                success.to_string() == "ByteStream"
            };
            let name = match is_failure {
                true => &names.failure,
                false => &names.success,
            };
            for outcome in outcomes {
                if let Some((media_type, _)) = &outcome.content
                    && !media_types.contains(media_type)
                {
                    media_types.push(media_type.clone());
                }
                let variant = has_choice.then(|| {
                    let variant = &outcome.name;
                    quote!(types::#name::#variant)
                });
                let read = match &outcome.content {
                    _ if is_stream => quote!(Ok(ResponseValue::stream(response))),
                    None => match &variant {
                        Some(variant) => {
                            quote!(made(Ok(ResponseValue::empty(response)), |()| #variant))
                        }
                        None => quote!(Ok(ResponseValue::empty(response))),
                    },
                    Some((_, payload)) => {
                        let read = match payload {
                            Payload::Json(_) | Payload::Form(_) => quote!(read_json(response)),
                            Payload::Text => quote!(read_text(response)),
                            Payload::Bytes | Payload::Multipart(_) => quote!(read_bytes(response)),
                        };
                        match &variant {
                            Some(variant) => quote!(made(#read.await, #variant)),
                            None => quote!(#read.await),
                        }
                    }
                };
                let read = match is_failure {
                    true => quote!(refused(#read)),
                    false => read,
                };
                let guard = outcome.content.as_ref().map(|(media_type, _)| {
                    let essence = crate::api::essence(media_type);
                    match essence.as_str() {
                        "*/*" => quote!(),
                        _ => quote!(if is_of(&response, #essence)),
                    }
                });
                let order = match outcome.answer {
                    Answer::Status(_) => 0,
                    Answer::Range(_) => 1,
                    Answer::Default => 2,
                };
                let pattern = match outcome.answer {
                    Answer::Status(status) => quote!(#status),
                    Answer::Range(hundred) => {
                        let (first, last) = (hundred * 100, hundred * 100 + 99);
                        quote!(#first..=#last)
                    }
                    // Separates successes from failures.
                    Answer::Default if !is_failure => quote!(100..=399),
                    Answer::Default => quote!(_),
                };
                arms.push((order, is_failure, quote!(#pattern #guard => #read,)));
            }
        }
        arms.sort_by_key(|(order, is_failure, _)| (*order, *is_failure));
        let is_total = failures.outcomes.iter().any(|outcome| {
            let content = outcome.content.as_ref();
            let takes_all = content.is_none_or(|(media_type, _)| media_type == "*/*");
            outcome.answer == Answer::Default && takes_all
        });
        if !is_total {
            arms.push((
                3,
                true,
                quote!(_ => Err(Error::UnexpectedResponse(response)),),
            ));
        }
        (
            arms.into_iter().map(|(_, _, arm)| arm).collect(),
            media_types,
        )
    }
}
