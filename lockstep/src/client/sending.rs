//! Sending of calls and reading of replies, where progenitor supports less than the document
//! requires.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Block, Expr, Ident, ImplItem, Item, Local, Member, Pat, Stmt, parse_quote};

use super::{
    Writer, helpers, lowering,
    names::{self, Names},
};
use crate::api::{Operation, Parameter, Payload, Place, one_media_type};

impl Writer<'_> {
    /// Replaces the code with which each builder sends and reads, and marks deprecated methods.
    ///
    /// # Errors
    ///
    /// A builder of progenitor does not have the expected shape.
    pub(super) fn send(&self, code: &mut syn::File) -> Result<(), String> {
        for (_, names) in self.operations().filter(|(it, _)| it.deprecated) {
            let method = names::identifier(&names.id);
            let mut marked = code.items.iter_mut().map(|item| match item {
                Item::Impl(item) if item.trait_.is_none() => mark(&mut item.items, &method),
                _ => false,
            });
            if !marked.any(|marked| marked) {
                return Err(format!(
                    "the generated client has no method {method} to mark as deprecated"
                ));
            }
        }
        let builders = code.items.iter_mut().find_map(|item| match item {
            Item::Mod(module) if module.ident == "builder" => Some(module),
            _ => None,
        });
        let builders = builders.ok_or("there is no module of builders")?;
        builders.attrs.push(parse_quote!(#[allow(deprecated)]));
        let (_, items) = builders
            .content
            .as_mut()
            .ok_or("the module of builders is empty")?;
        for (operation, names) in self.operations() {
            self.send_operation(operation, names, items)?;
        }
        let text = items.iter().map(|item| item.to_token_stream().to_string());
        let mut text: String = text.collect();
        for (name, function) in helpers::all() {
            if text.contains(&format!("{name} (")) {
                text.push_str(&function.to_string());
                items.push(syn::parse2(function).map_err(|error| error.to_string())?);
            }
        }
        Ok(())
    }

    fn send_operation(
        &self,
        operation: &Operation,
        names: &Names,
        items: &mut [Item],
    ) -> Result<(), String> {
        let is_multipart = self.is_multipart(operation);
        let is_optional = operation.body.as_ref().is_some_and(|body| {
            let is_typed = lowering::sent(operation).is_some_and(|it| it.payload.value().is_some());
            !body.required && is_typed
        });
        let mut sent = false;
        for item in items {
            match item {
                Item::Struct(item) if is_multipart && item.ident == names.builder => {
                    for field in &mut item.fields {
                        if field.ident.as_ref().is_some_and(|name| name == "body") {
                            field.ty = parse_quote!(Option<reqwest::multipart::Form>);
                        }
                    }
                    // A form is sent once.
                    item.attrs
                        .retain(|attribute| !attribute.path().is_ident("derive"));
                    item.attrs.push(parse_quote!(#[derive(Debug)]));
                }
                Item::Impl(item) if is_of(&item.self_ty, &names.builder) => {
                    for (parameter, name) in operation.parameters.iter().zip(&names.parameters) {
                        if parameter.deprecated {
                            mark(&mut item.items, &names::identifier(name));
                        }
                    }
                    for inner in &mut item.items {
                        let ImplItem::Fn(method) = inner else {
                            continue;
                        };
                        match method.sig.ident.to_string().as_str() {
                            "send" => {
                                self.rewrite(operation, names, &mut method.block)?;
                                sent = true;
                            }
                            "new" if is_multipart => {
                                set_body(&mut method.block, parse_quote!(None))
                            }
                            "new" if is_optional => {
                                set_body(&mut method.block, parse_quote!(Ok(None)))
                            }
                            "body" if is_multipart => {
                                *method = parse_quote! {
                                    pub fn body(mut self, form: reqwest::multipart::Form) -> Self {
                                        self.body = Some(form);
                                        self
                                    }
                                };
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        match sent {
            true => Ok(()),
            false => Err(format!(
                "the generated client has no builder that sends {}",
                operation.id
            )),
        }
    }

    /// Replaces the code that writes a request and reads its reply.
    fn rewrite(
        &self,
        operation: &Operation,
        names: &Names,
        block: &mut Block,
    ) -> Result<(), String> {
        let (arms, accepted) = self.arms(operation, names);
        let mut statements = Vec::new();
        let mut has_info = false;
        for statement in std::mem::take(&mut block.stmts) {
            let name = match &statement {
                Stmt::Local(local) => bound(local),
                _ => None,
            };
            let name = name.map(|name| name.to_string());
            match (name.as_deref(), &statement) {
                (Some("url"), _) => statements.extend(
                    self.request(operation, names, &accepted.join(", "))
                        .map_err(|it| it.to_string())?,
                ),
                (Some("body"), _) if self.is_multipart(operation) => {
                    statements.push(parse_quote! {
                        let body = body.ok_or_else(|| Error::InvalidRequest("body was not initialized".to_owned()))?;
                    });
                }
                (Some("request" | "header_map" | "result"), _) => {}
                (Some("response"), _) => statements.push(parse_quote! {
                    let response = exchange(client, request, info).await?;
                }),
                (None, Stmt::Expr(_, Some(_))) => {}
                (None, Stmt::Expr(..)) if !has_info => {}
                (_, Stmt::Expr(_, None)) => {
                    statements.push(Stmt::Expr(
                        parse_quote! {
                            match response.status().as_u16() {
                                #(#arms)*
                            }
                        },
                        None,
                    ));
                }
                (name, _) => {
                    has_info |= name == Some("info");
                    statements.push(statement);
                }
            }
        }
        block.stmts = statements;
        Ok(())
    }

    fn is_multipart(&self, operation: &Operation) -> bool {
        lowering::sent(operation).is_some_and(|it| matches!(it.payload, Payload::Multipart(_)))
    }

    /// The statements that make the request, which asks for the media types of `accept`.
    fn request(
        &self,
        operation: &Operation,
        names: &Names,
        accept: &str,
    ) -> syn::Result<Vec<Stmt>> {
        let parameters = || operation.parameters.iter().zip(&names.parameters);
        let idents = || parameters().map(|(parameter, name)| (parameter, names::identifier(name)));
        let url = self.url(operation, names);
        let queries =
            idents()
                .filter(|(it, _)| it.place == Place::Query)
                .map(|(parameter, ident)| {
                    let wire = &parameter.wire;
                    match query_style(parameter) {
                        None => quote!(.query(&progenitor_client::QueryParam::new(#wire, &#ident))),
                        Some(style) => quote!(.query(&pairs_of(#wire, &#ident, #style))),
                    }
                });
        let queries: Vec<TokenStream> = queries.collect();
        let headers = idents().filter_map(|(parameter, ident)| {
            let (name, value) = match parameter.place {
                Place::Header => (parameter.wire.to_ascii_lowercase(), quote!(text_of(value))),
                Place::Cookie => {
                    let pair = format!("{}={{}}", parameter.wire);
                    (
                        "cookie".to_owned(),
                        quote!(format!(#pair, encode_path(&text_of(value)))),
                    )
                }
                _ => return None,
            };
            let append = quote!(header_map.append(#name, #value.try_into()?););
            Some(match parameter.required {
                true => quote!({ let value = &#ident; #append }),
                false => quote!(if let Some(value) = &#ident { #append }),
            })
        });
        let headers: Vec<TokenStream> = headers.collect();
        let capacity = headers.len() + 1;
        let method = Ident::new(&operation.method, proc_macro2::Span::call_site());
        let start = match operation.method.as_str() {
            "options" | "trace" => {
                let method = Ident::new(
                    &operation.method.to_uppercase(),
                    proc_macro2::Span::call_site(),
                );
                quote!(request(::reqwest::Method::#method, url))
            }
            _ => quote!(#method(url)),
        };
        let accept = (!accept.is_empty()).then(|| {
            quote!(.header(::reqwest::header::ACCEPT, ::reqwest::header::HeaderValue::from_static(#accept)))
        });
        let required = operation.body.as_ref().is_some_and(|body| body.required);
        let optional =
            lowering::sent(operation).filter(|it| !required && it.payload.value().is_some());
        let optional = optional.and_then(|content| {
            let media_type = &content.media_type;
            Some(match &content.payload {
                Payload::Json(_) => quote! {
                    let request = match &body {
                        Some(body) => request.header(::reqwest::header::CONTENT_TYPE, #media_type).json(body),
                        None => request,
                    };
                },
                Payload::Form(_) => quote! {
                    let request = match &body {
                        Some(body) => request.form_urlencoded(body)?,
                        None => request,
                    };
                },
                _ => return None,
            })
        });
        let body = lowering::sent(operation)
            .filter(|_| optional.is_none())
            .map(|content| {
                let media_type = one_media_type(&content.media_type);
                let named = quote!(.header(::reqwest::header::CONTENT_TYPE, #media_type));
                match &content.payload {
                    Payload::Json(_) => {
                        let named = (media_type != "application/json").then_some(named);
                        quote!(#named .json(&body))
                    }
                    Payload::Form(_) => quote!(.form_urlencoded(&body)?),
                    Payload::Multipart(_) => quote!(.multipart(body)),
                    Payload::Text | Payload::Bytes => quote!(#named .body(body)),
                }
            });
        let code = quote! {
            #url
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(#capacity);
            header_map.append(
                ::reqwest::header::HeaderName::from_static("api-version"),
                ::reqwest::header::HeaderValue::from_static(super::Client::api_version()),
            );
            #(#headers)*
            let request = client.client.#start #accept #body #(#queries)* .headers(header_map);
            #optional
            let request = request.build()?;
        };
        let block: Block = syn::parse2(quote!({ #code }))?;
        Ok(block.stmts)
    }

    fn url(&self, operation: &Operation, names: &Names) -> TokenStream {
        let mut format = "{}".to_owned();
        let mut arguments = Vec::new();
        let mut rest = operation.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (wire, behind) = after.split_once('}').unwrap_or((after, ""));
            format.push_str(before);
            format.push_str("{}");
            let mut parameters = operation.parameters.iter().zip(&names.parameters);
            let name = parameters.find(|(it, _)| it.place == Place::Path && it.wire == wire);
            if let Some((parameter, name)) = name {
                let name = names::identifier(name);
                let explode = parameter.explode.unwrap_or(false);
                let text = match parameter.style.as_deref() {
                    Some(style @ ("label" | "matrix")) => {
                        quote!(path_of(#wire, &#name, #style, #explode))
                    }
                    _ => quote!(text_of(&#name)),
                };
                arguments.push(quote!(encode_path(&#text)));
            }
            rest = behind;
        }
        format.push_str(rest);
        quote!(let url = format!(#format, client.baseurl, #(#arguments,)*);)
    }
}

/// The style of a query parameter, if progenitor uses another one.
fn query_style(parameter: &Parameter) -> Option<&'static str> {
    match (parameter.style.as_deref(), parameter.explode) {
        (Some("deepObject"), _) => Some("deepObject"),
        (Some("spaceDelimited"), explode) if explode != Some(true) => Some(" "),
        (Some("pipeDelimited"), explode) if explode != Some(true) => Some("|"),
        (None | Some("form"), Some(false)) => Some(","),
        _ => None,
    }
}

fn bound(local: &Local) -> Option<&Ident> {
    match &local.pat {
        Pat::Ident(pattern) => Some(&pattern.ident),
        Pat::Type(pattern) => match &*pattern.pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        },
        _ => None,
    }
}

fn is_of(kind: &syn::Type, name: &Ident) -> bool {
    match kind {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == *name),
        _ => false,
    }
}

/// Sets what a new builder has for a body.
fn set_body(block: &mut Block, value: Expr) {
    if let Some(Stmt::Expr(Expr::Struct(made), None)) = block.stmts.last_mut() {
        for field in &mut made.fields {
            if matches!(&field.member, Member::Named(name) if name == "body") {
                field.expr = value.clone();
            }
        }
    }
}

/// Marks a method as deprecated. Returns true if it exists.
fn mark(items: &mut [ImplItem], name: &Ident) -> bool {
    for item in items {
        if let ImplItem::Fn(method) = item
            && method.sig.ident == *name
        {
            method.attrs.push(parse_quote!(#[deprecated]));
            return true;
        }
    }
    false
}
