//! What progenitor leaves out and the code can still say.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use serde_json::Value;
use syn::{Attribute, Expr, Ident, ImplItem, Item, Pat, Stmt, Type, Visibility, parse_quote};

use crate::{names::is_keyword, pointers::operations};

/// Marks what the lowered document calls deprecated.
///
/// # Errors
///
/// Something that is to be marked is not where it was expected.
pub(super) fn mark_deprecated(code: &mut syn::File, lowered: &Value) -> Result<(), String> {
    let mut unmarked = deprecated_paths(lowered);
    if !unmarked.is_empty() {
        mark_items(&mut code.items, "", &mut unmarked);
    }
    match unmarked.into_iter().next() {
        None => Ok(()),
        Some(path) => Err(format!(
            "{path} is not in the code, to be marked as deprecated"
        )),
    }
}

/// The paths in the code of what is deprecated: types, fields and methods.
fn deprecated_paths(lowered: &Value) -> BTreeSet<String> {
    let is_deprecated = |value: &Value| value["deprecated"] == true;
    let mut paths = BTreeSet::new();
    let operations = operations(lowered);
    for operation in operations.iter().filter_map(|it| lowered.pointer(it)) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        if is_deprecated(operation) {
            paths.insert(format!("Client::{}", member(id)));
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let deprecated = parameters
            .filter(|parameter| is_deprecated(parameter) || is_deprecated(&parameter["schema"]));
        for parameter in deprecated {
            let name = member(parameter["name"].as_str().unwrap_or_default());
            let builder = identifier(id, |words| words.to_upper_camel_case());
            paths.insert(format!("builder::{builder}::{name}"));
        }
    }
    let schemas = lowered["components"]["schemas"].as_object();
    for (name, schema) in schemas.into_iter().flatten() {
        if is_deprecated(schema) {
            paths.insert(format!("types::{name}"));
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        let deprecated = properties
            .filter(|(_, property)| is_deprecated(property) || is_deprecated(&property["items"]));
        for (property, _) in deprecated {
            let property = member(property);
            paths.insert(format!("types::{name}::{property}"));
            paths.insert(format!("types::builder::{name}::{property}"));
        }
    }
    paths
}

/// The identifier of a field or method, as progenitor writes it.
pub(crate) fn member(name: &str) -> String {
    identifier(name, |words| words.to_snake_case())
}

fn identifier(name: &str, case: impl Fn(&str) -> String) -> String {
    let is_part = |letter: char| unicode_ident::is_xid_continue(letter);
    let words = name.replace('\'', "");
    let words = case(&words.replace(|letter| !is_part(letter), "-"));
    let name = match words.chars().next() {
        None => case("x"),
        Some(first) if unicode_ident::is_xid_start(first) => words,
        Some(_) => format!("_{words}"),
    };
    match is_keyword(&name) {
        true => format!("{name}_"),
        false => name,
    }
}

fn mark_items(items: &mut [Item], module: &str, unmarked: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Mod(item) => {
                // The code itself uses what it has marked.
                item.attrs.push(parse_quote!(#[allow(deprecated)]));
                if let Some((_, items)) = &mut item.content {
                    mark_items(items, &format!("{module}{}::", item.ident), unmarked);
                }
            }
            Item::Struct(item) => {
                let path = format!("{module}{}", item.ident);
                for field in &mut item.fields {
                    // The fields of a builder have the names of its methods.
                    if let (Some(name), Visibility::Public(_)) = (&field.ident, &field.vis) {
                        mark(&format!("{path}::{name}"), &mut field.attrs, unmarked);
                    }
                }
                mark(&path, &mut item.attrs, unmarked);
            }
            Item::Enum(item) => {
                mark(
                    &format!("{module}{}", item.ident),
                    &mut item.attrs,
                    unmarked,
                );
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let Type::Path(target) = item.self_ty.as_ref() else {
                    continue;
                };
                let Some(target) = target.path.segments.last() else {
                    continue;
                };
                for inner in &mut item.items {
                    if let ImplItem::Fn(method) = inner {
                        let path = format!("{module}{}::{}", target.ident, method.sig.ident);
                        mark(&path, &mut method.attrs, unmarked);
                    }
                }
            }
            _ => {}
        }
    }
}

fn mark(path: &str, attributes: &mut Vec<Attribute>, unmarked: &mut BTreeSet<String>) {
    if unmarked.remove(path) {
        attributes.push(parse_quote!(#[deprecated]));
    }
}

/// Lets a reply be decoded only if it is of the media type that the document has for its status,
/// where progenitor decodes what comes; and keeps a success that cannot be decoded out of the
/// error, since it may hold a secret.
///
/// # Errors
///
/// An operation is not sent by the code that is expected.
pub(super) fn decode_what_is_documented(code: &mut syn::File) -> Result<(), String> {
    let builders = code.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_mut(),
        _ => None,
    });
    let (_, items) = builders.ok_or("there is no module of builders")?;
    for item in items.iter_mut() {
        let Item::Impl(item) = item else {
            continue;
        };
        let send = item.items.iter_mut().find_map(|inner| match inner {
            ImplItem::Fn(method) if method.sig.ident == "send" => Some(method),
            _ => None,
        });
        let Some(Stmt::Expr(last, None)) = send.and_then(|send| send.block.stmts.last_mut()) else {
            return Err("a builder has no method that sends".to_owned());
        };
        let Expr::Match(replies) = &mut *last else {
            return Err("a method that sends does not tell statuses apart".to_owned());
        };
        let response = match &*replies.expr {
            Expr::MethodCall(call) => response_of(&call.receiver).cloned(),
            _ => None,
        };
        let response = response.ok_or("a method that sends does not look at the status")?;
        for arm in &mut replies.arms {
            let status = match &arm.pat {
                Pat::Lit(literal) => literal.to_token_stream().to_string(),
                _ => continue,
            };
            // A reply without a body is not decoded.
            if arm
                .body
                .to_token_stream()
                .to_string()
                .contains("ResponseValue :: empty")
            {
                continue;
            }
            let media_type = if status.starts_with(['4', '5']) {
                "application/problem+json"
            } else {
                "application/json"
            };
            let (status, decode) = (&arm.pat, &arm.body);
            *arm = parse_quote!(#status if is_of(&#response, #media_type) => #decode,);
        }
        *last = parse_quote!(without_body(#replies));
    }
    items.push(parse_quote! {
        fn is_of(response: &reqwest::Response, media_type: &str) -> bool {
            let value = response.headers().get(reqwest::header::CONTENT_TYPE);
            let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
            let value = value.split(';').next().unwrap_or_default();
            value.trim().eq_ignore_ascii_case(media_type)
        }
    });
    items.push(parse_quote! {
        fn without_body<T, E>(reply: Result<T, Error<E>>) -> Result<T, Error<E>> {
            reply.map_err(|error| match error {
                Error::InvalidResponsePayload(_, reason) => {
                    Error::InvalidResponsePayload(Default::default(), reason)
                }
                error => error,
            })
        }
    });
    Ok(())
}

/// The variable of `response.status()`.
fn response_of(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::MethodCall(call) if call.method == "status" => Some(&call.receiver),
        _ => None,
    }
}

/// Lets a mock answer an error as the problem that it is, where progenitor knows of JSON only.
pub(super) fn answer_problems(mock: TokenStream) -> TokenStream {
    let mut is_error = false;
    let mut previous = None;
    mock.into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let inner = group.stream();
                if previous.take().is_some_and(|name: Ident| name == "status") {
                    let status = inner.to_string();
                    is_error = status.starts_with(['4', '5']);
                }
                let inner = if is_error {
                    as_problem(inner)
                } else {
                    answer_problems(inner)
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

/// The arguments of what is called on an answer that is an error.
fn as_problem(arguments: TokenStream) -> TokenStream {
    let problem = |token: TokenTree| match token {
        TokenTree::Literal(literal) if literal.to_string() == "\"application/json\"" => {
            TokenTree::Literal(Literal::string("application/problem+json"))
        }
        token => token,
    };
    arguments.into_iter().map(problem).collect()
}
