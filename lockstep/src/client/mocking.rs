//! Expectations and answers of a mock, where progenitor supports JSON only.

use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{ImplItem, Item, parse_quote};

use super::{Writer, names::Names};
use crate::{
    api::{Answer, Operation, Outcome, Payload, Place},
    names::Scope,
};

impl Writer<'_> {
    /// Lets a mock expect parameters by their names, and return documented replies.
    ///
    /// # Errors
    ///
    /// progenitor's code does not have the expected shape.
    pub(super) fn answer(&self, code: &mut syn::File) -> Result<(), String> {
        let operations = code.items.iter_mut().find_map(|item| match item {
            Item::Mod(module) if module.ident == "operations" => module.content.as_mut(),
            _ => None,
        });
        let (_, items) = operations.ok_or("there is no module of operations")?;
        for (operation, names) in self.operations() {
            let when = format!("{}When", names.builder);
            let then = format!("{}Then", names.builder);
            for item in items.iter_mut() {
                let Item::Impl(item) = item else { continue };
                let of = item.self_ty.to_token_stream().to_string();
                if of == when {
                    for inner in &mut item.items {
                        let ImplItem::Fn(method) = inner else {
                            continue;
                        };
                        let block = method.block.to_token_stream();
                        let block = expect(block, operation, names);
                        method.block = syn::parse2(block).map_err(|error| error.to_string())?;
                    }
                } else if of == then {
                    item.items.retain(|inner| match inner {
                        ImplItem::Fn(method) => {
                            method.sig.ident == "new" || method.sig.ident == "into_inner"
                        }
                        _ => true,
                    });
                    let successes = operation.outcomes.successes.outcomes.iter();
                    let failures = self.document.api.failures(operation);
                    let mut scope = Scope::new(["new", "into_inner"]);
                    for outcome in successes.chain(failures) {
                        let function = self.answer_function(outcome, &mut scope);
                        item.items
                            .push(syn::parse2(function).map_err(|error| error.to_string())?);
                    }
                }
            }
        }
        let text: String = items
            .iter()
            .map(|item| item.to_token_stream().to_string())
            .collect();
        if text.contains("text_of (") {
            items.push(parse_quote! {
                fn text_of(value: &impl serde::Serialize) -> String {
                    match serde_json::to_value(value).unwrap_or_default() {
                        serde_json::Value::String(text) => text,
                        value => value.to_string(),
                    }
                }
            });
        }
        Ok(())
    }

    fn answer_function(&self, outcome: &Outcome, scope: &mut Scope) -> TokenStream {
        let name = scope.lower(&outcome.name.to_string());
        let (argument, status) = match outcome.answer {
            Answer::Status(status) => (None, quote!(#status)),
            Answer::Range(_) | Answer::Default => (Some(quote!(status: u16,)), quote!(status)),
        };
        let (value, content) = match &outcome.content {
            None => (None, None),
            Some((media_type, payload)) => {
                let (kind, body) = match payload {
                    Payload::Text => (quote!(&str), quote!(.body(value))),
                    Payload::Bytes | Payload::Multipart(_) => (quote!(&[u8]), quote!(.body(value))),
                    payload => {
                        let kind = self.payload(payload);
                        (quote!(&#kind), quote!(.json_body_obj(value)))
                    }
                };
                let content = quote!(.header("content-type", #media_type) #body);
                (Some(quote!(value: #kind,)), Some(content))
            }
        };
        quote! {
            pub fn #name(self, #argument #value) -> Self {
                Self(self.0.status(#status) #content)
            }
        }
    }
}

/// Gives the parameters that are expected the names that the document has for them, and their
/// values as they are sent.
fn expect(tokens: TokenStream, operation: &Operation, names: &Names) -> TokenStream {
    const EXPECTATIONS: [&str; 4] = [
        "query_param",
        "query_param_missing",
        "header",
        "header_missing",
    ];
    let mut previous: Option<Ident> = None;
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    // `value.to_string()` is correct only for types whose `Display` is what they are sent as.
    let mut index = 0;
    while index + 3 < tokens.len() {
        let is_text = tokens[index].to_string() == "value"
            && tokens[index + 1].to_string() == "."
            && tokens[index + 2].to_string() == "to_string";
        if is_text {
            let text: Vec<TokenTree> = quote!(text_of(&value)).into_iter().collect();
            tokens.splice(index..index + 4, text);
        }
        index += 1;
    }
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let is_expectation = previous
                    .take()
                    .is_some_and(|name| EXPECTATIONS.iter().any(|it| name == it));
                let inner = expect(group.stream(), operation, names);
                let inner = match is_expectation {
                    true => renamed(inner, operation, names),
                    false => inner,
                };
                TokenTree::Group(Group::new(group.delimiter(), inner))
            }
            TokenTree::Ident(name) => {
                previous = Some(name.clone());
                TokenTree::Ident(name)
            }
            token => token,
        })
        .collect()
}

fn renamed(arguments: TokenStream, operation: &Operation, names: &Names) -> TokenStream {
    let rename = |token: TokenTree| match token {
        TokenTree::Literal(literal) => {
            let mut parameters = operation.parameters.iter().zip(&names.parameters);
            let text = literal.to_string();
            let known = parameters.find(|(_, name)| text == format!("{name:?}"));
            match known {
                Some((parameter, _)) if parameter.place != Place::Path => {
                    TokenTree::Literal(Literal::string(&parameter.wire))
                }
                _ => TokenTree::Literal(literal),
            }
        }
        token => token,
    };
    arguments.into_iter().map(rename).collect()
}
