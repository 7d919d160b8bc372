//! Functions that write problems of RFC 9457.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{Writer, replies::is_plain};
use crate::{
    api::{Answer, Outcome, Payload},
    types::{Member, Record, Rest, Shape, Type, comment},
};

/// Type of a problem, as the generated function that makes one fills it in.
pub(super) struct Problem<'a> {
    /// True if the members that the document does not name have a field, where `record` keeps them.
    is_kept: bool,
    record: &'a Record,
    kind: TokenStream,
    code: &'a Type,
    /// The failures of a request, of which only a 400 has some.
    errors: Option<&'a Type>,
}

impl Writer<'_> {
    /// The function that writes the problem of a failure, if it is one of RFC 9457 with a code.
    pub(super) fn problem_function(&self, outcome: &Outcome) -> Option<TokenStream> {
        let Answer::Status(status) = outcome.answer else {
            return None;
        };
        let problem = self.problem(outcome)?;
        let made = self.made_problem()?;
        if made.kind.to_string() != problem.kind.to_string() {
            return None;
        }
        let docs = comment(&format!("{status}: {}", outcome.description), "");
        let function = crate::names::Scope::default().lower(&outcome.name.to_string());
        let has_errors = status == 400 && problem.errors.is_some();
        let errors = problem.errors.filter(|_| has_errors).map(|kind| {
            let kind = self.kind(kind);
            quote!(errors: #kind,)
        });
        let headers = outcome.headers.iter().map(|header| {
            let (name, kind) = (&header.name, self.kind(&header.kind));
            quote!(#name: #kind,)
        });
        let status = Literal::u16_unsuffixed(status);
        let title = title(outcome.answer)?;
        let with_errors = problem.errors.map(|_| match has_errors {
            true => quote!(, Some(errors)),
            false => quote!(, None),
        });
        let body = quote!(problem(#status, #title, code, detail.into() #with_errors));
        let code = self.kind(problem.code);
        let variant = &outcome.name;
        let value = match is_plain(outcome) {
            true => quote!(Self::#variant(#body)),
            false => {
                let headers = outcome.headers.iter().map(|header| {
                    let name = &header.name;
                    match header.required {
                        true => quote!(#name,),
                        false => quote!(#name: Some(#name),),
                    }
                });
                quote!(Self::#variant { body: #body, #(#headers)* })
            }
        };
        Some(quote! {
            #docs
            pub fn #function(code: #code, detail: impl Into<String>, #errors #(#headers)*) -> Self {
                #value
            }
        })
    }

    /// The problems that a function makes: those of the first type that is one.
    fn made_problem(&self) -> Option<Problem<'_>> {
        let operations = self.api.operations.iter();
        let own = operations.flat_map(|operation| &operation.outcomes.failures.outcomes);
        let mut outcomes = own.chain(&self.api.shared.outcomes);
        outcomes.find_map(|outcome| {
            title(outcome.answer)?;
            self.problem(outcome)
        })
    }

    /// The function that makes a problem, if one of the failures is one.
    pub(super) fn problem_maker(&self) -> Option<TokenStream> {
        let problem = self.made_problem()?;
        let (kind, code) = (&problem.kind, self.kind(problem.code));
        let status = problem
            .record
            .members
            .iter()
            .find(|it| it.wire == "status")?;
        let status = self.kind(&status.kind);
        let errors = problem.errors.map(|kind| {
            let kind = self.kind(kind);
            quote!(errors: Option<#kind>,)
        });
        let members = problem.record.members.iter().map(|member| {
            let name = &member.name;
            match member.wire.as_str() {
                "type" => quote!(#name: "about:blank".to_owned(),),
                "title" => quote!(#name: title.to_owned(),),
                "status" | "detail" | "code" | "errors" => quote!(#name,),
                _ => quote!(#name: None,),
            }
        });
        let others = match &problem.record.rest {
            Rest::Kept(name, _) if problem.is_kept => Some(quote!(#name: Default::default(),)),
            _ => None,
        };
        Some(quote! {
            fn problem(status: #status, title: &str, code: #code, detail: String, #errors) -> #kind {
                #kind { #(#members)* #others }
            }
        })
    }

    pub(super) fn problem(&self, outcome: &Outcome) -> Option<Problem<'_>> {
        let Some((_, Payload::Json(kind @ Type::Named(id)))) = &outcome.content else {
            return None;
        };
        let Shape::Record(record) = &self.api.types.get(*id)?.shape else {
            return None;
        };
        let member = |wire: &str| record.members.iter().find(|it| it.wire == wire);
        for (wire, is_text) in [
            ("type", true),
            ("title", true),
            ("status", false),
            ("detail", true),
        ] {
            let member = member(wire)?;
            let fits = match &member.kind {
                Type::Text => is_text,
                Type::Integer(name) => !is_text && *name != "i8" && *name != "u8",
                _ => false,
            };
            if !member.required || !fits {
                return None;
            }
        }
        let code = member("code").filter(|it| it.required)?;
        let filled = ["type", "title", "status", "detail", "code"];
        let mut others = record
            .members
            .iter()
            .filter(|it| !filled.contains(&it.wire.as_str()));
        let is_list = |it: &Member| matches!(it.kind, Type::List(_));
        let errors = member("errors").filter(|it| is_list(it));
        let is_optional = others.all(|it| !it.required);
        let is_any = matches!(record.rest, Rest::Kept(_, Type::Any(None)));
        is_optional.then(|| Problem {
            is_kept: !is_any || self.side.reads.contains(id),
            record,
            kind: self.kind(kind),
            code: &code.kind,
            errors: errors.map(|it| &it.kind),
        })
    }
}

/// The name of a status that has one.
fn title(answer: Answer) -> Option<&'static str> {
    let Answer::Status(status) = answer else {
        return None;
    };
    http::StatusCode::from_u16(status).ok()?.canonical_reason()
}
