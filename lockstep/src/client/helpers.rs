//! The functions of a client's builders, in Rust code.

use proc_macro2::TokenStream;
use quote::quote;

/// The functions that a builder may use.
pub(super) fn all() -> [(&'static str, TokenStream); 11] {
    [
        (
            "exchange",
            quote! {
                /// Sends a request between the hooks of the client, and waits for the head of its response.
                async fn exchange<E>(
                    client: &super::Client,
                    mut request: reqwest::Request,
                    info: OperationInfo,
                ) -> Result<reqwest::Response, Error<E>> {
                    client.pre(&mut request, &info).await?;
                    let result = client.exec(request, &info).await;
                    client.post(&result, &info).await?;
                    Ok(result?)
                }
            },
        ),
        (
            "is_of",
            quote! {
                fn is_of(response: &reqwest::Response, media_type: &str) -> bool {
                    let value = response.headers().get(reqwest::header::CONTENT_TYPE);
                    let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
                    let value = value.split(';').next().unwrap_or_default().trim();
                    match media_type.strip_suffix('*') {
                        Some(kind) => value.to_ascii_lowercase().starts_with(kind),
                        None => value.eq_ignore_ascii_case(media_type),
                    }
                }
            },
        ),
        (
            "read_json",
            quote! {
                /// Reads a body. One that cannot be decoded is not kept: it may hold a secret.
                async fn read_json<T: serde::de::DeserializeOwned, E>(
                    response: reqwest::Response,
                ) -> Result<ResponseValue<T>, Error<E>> {
                    let reply = ResponseValue::from_response(response).await;
                    reply.map_err(|error| match error {
                        Error::InvalidResponsePayload(_, reason) => {
                            Error::InvalidResponsePayload(::std::default::Default::default(), reason)
                        }
                        error => error,
                    })
                }
            },
        ),
        (
            "read_text",
            quote! {
                async fn read_text<E>(response: reqwest::Response) -> Result<ResponseValue<String>, Error<E>> {
                    let (status, headers) = (response.status(), response.headers().clone());
                    let text = response.text().await.map_err(Error::ResponseBodyError)?;
                    Ok(ResponseValue::new(text, status, headers))
                }
            },
        ),
        (
            "read_bytes",
            quote! {
                async fn read_bytes<E>(response: reqwest::Response) -> Result<ResponseValue<Vec<u8>>, Error<E>> {
                    let (status, headers) = (response.status(), response.headers().clone());
                    let bytes = response.bytes().await.map_err(Error::ResponseBodyError)?;
                    Ok(ResponseValue::new(bytes.to_vec(), status, headers))
                }
            },
        ),
        (
            "made",
            quote! {
                fn made<T, U: std::fmt::Debug, E>(
                    reply: Result<ResponseValue<T>, Error<E>>,
                    make: impl FnOnce(T) -> U,
                ) -> Result<ResponseValue<U>, Error<E>> {
                    reply.and_then(|reply| reply.map(make))
                }
            },
        ),
        (
            "refused",
            quote! {
                fn refused<T, E>(reply: Result<ResponseValue<E>, Error<E>>) -> Result<ResponseValue<T>, Error<E>> {
                    Err(match reply {
                        Ok(reply) => Error::ErrorResponse(reply),
                        Err(error) => error,
                    })
                }
            },
        ),
        (
            "text_of",
            quote! {
                /// Writes a value as a path or a header has it.
                fn text_of(value: &impl serde::Serialize) -> String {
                    text_of_json(&serde_json::to_value(value).unwrap_or_default())
                }
            },
        ),
        (
            "pairs_of",
            quote! {
                /// Writes a value as a query has it: its members in brackets, or its items by their
                /// separator.
                fn pairs_of(name: &str, value: &impl serde::Serialize, style: &str) -> Vec<(String, String)> {
                    let text = |value: &serde_json::Value| match value {
                        serde_json::Value::String(text) => text.clone(),
                        value => value.to_string(),
                    };
                    match serde_json::to_value(value).unwrap_or_default() {
                        serde_json::Value::Null => Vec::new(),
                        serde_json::Value::Object(members) if style == "deepObject" => {
                            let members = members.iter();
                            members.map(|(member, value)| (format!("{name}[{member}]"), text(value))).collect()
                        }
                        serde_json::Value::Array(items) => {
                            let items: Vec<String> = items.iter().map(text).collect();
                            vec![(name.to_owned(), items.join(style))]
                        }
                        serde_json::Value::Object(members) => {
                            let parts: Vec<String> = members.iter().map(|(member, value)| format!("{member}{style}{}", text(value))).collect();
                            vec![(name.to_owned(), parts.join(style))]
                        }
                        value => vec![(name.to_owned(), text(&value))],
                    }
                }
            },
        ),
        (
            "path_of",
            quote! {
                /// Writes a value as a path has it behind a dot, or behind a semicolon with its name.
                fn path_of(name: &str, value: &impl serde::Serialize, style: &str, explode: bool) -> String {
                    let named = format!("{name}=");
                    let (first, before, separator) = match (style, explode) {
                        ("label", true) => (".", "", "."),
                        ("label", false) => (".", "", ","),
                        (_, true) => (";", named.as_str(), ";"),
                        (_, false) => (";", "", ","),
                    };
                    let mut text = first.to_owned();
                    if style == "matrix" && !explode {
                        text.push_str(&named);
                    }
                    let parts: Vec<String> = match serde_json::to_value(value).unwrap_or_default() {
                        serde_json::Value::Array(items) => {
                            items.iter().map(|item| format!("{before}{}", text_of_json(item))).collect()
                        }
                        serde_json::Value::Object(members) => {
                            let sign = if explode { "=" } else { "," };
                            members.iter().map(|(name, value)| format!("{name}{sign}{}", text_of_json(value))).collect()
                        }
                        value => vec![format!("{before}{}", text_of_json(&value))],
                    };
                    text + &parts.join(separator)
                }
            },
        ),
        (
            "text_of_json",
            quote! {
                fn text_of_json(value: &serde_json::Value) -> String {
                    match value {
                        serde_json::Value::String(text) => text.clone(),
                        serde_json::Value::Array(items) => {
                            items.iter().map(text_of_json).collect::<Vec<_>>().join(",")
                        }
                        serde_json::Value::Object(members) => {
                            let members = members.iter().map(|(name, value)| format!("{name},{}", text_of_json(value)));
                            members.collect::<Vec<_>>().join(",")
                        }
                        value => value.to_string(),
                    }
                }
            },
        ),
    ]
}
