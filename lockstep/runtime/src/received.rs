//! The body of a request.

use std::io;

use futures_util::StreamExt;
use poem::{
    Body, FromRequest, Request, RequestBody,
    error::ReadBodyError,
    http::{StatusCode, header},
    web::Multipart,
};
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    File, InvalidMember, Rejection,
    body::{MediaType, essence, is_of_other_charset, read_json},
    code,
    operation::{Operation, TakenBody},
    parameters,
    problem::{invalid, join},
};

/// A body as it was received.
#[derive(Default)]
pub(crate) struct Received {
    /// Index among the bodies that the operation takes; `None` without a body.
    pub(crate) taken: Option<usize>,
    /// Its value, if it is of a media type that is read into one.
    pub(crate) value: Option<Value>,
    /// True if all of its values are texts, as those of a form.
    pub(crate) is_of_texts: bool,
    /// The files of its members.
    pub(crate) files: Vec<(String, File)>,
    /// Keeps the files until the request is answered.
    pub(crate) kept: Vec<tempfile::TempPath>,
    pub(crate) errors: Vec<InvalidMember>,
}

impl Received {
    /// Returns true if there is no body.
    pub(crate) fn is_nothing(&self) -> bool {
        self.taken.is_none()
    }
}

impl Operation {
    /// Reads the body of a request, up to a maximum number of bytes.
    pub(crate) async fn receive(
        &self,
        request: &mut Request,
        limit: usize,
    ) -> Result<Received, Rejection> {
        let body = request.take_body();
        if body.is_empty() {
            return Ok(Received::default());
        }
        // Boxed for the requests without a body: its future has a buffer, which would be part of
        // theirs.
        Box::pin(self.receive_some(request, body, limit)).await
    }

    async fn receive_some(
        &self,
        request: &mut Request,
        body: Body,
        limit: usize,
    ) -> Result<Received, Rejection> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        let taken = self.taken(request);
        if let Ok(taken) = taken
            && self.bodies[taken].media_type == MediaType::Bytes
        {
            request.set_body(at_most(body, limit));
            return Ok(Received {
                taken: Some(taken),
                ..Received::default()
            });
        }
        if let Ok(taken) = taken
            && self.bodies[taken].media_type == MediaType::Multipart
        {
            let mut received = Received {
                taken: Some(taken),
                is_of_texts: true,
                ..Received::default()
            };
            let members = &self.bodies[taken].members;
            read_parts(request, body, members, limit, &mut received).await?;
            return Ok(received);
        }
        let bytes = match body.into_bytes_limit(limit).await {
            Ok(bytes) if bytes.is_empty() => return Ok(Received::default()),
            Ok(bytes) => bytes,
            Err(ReadBodyError::PayloadTooLarge) => return Err(too_large(limit)),
            Err(_) => return Err(unreadable()),
        };
        let taken = taken?;
        let TakenBody {
            media_type,
            members,
            ..
        } = &self.bodies[taken];
        let mut received = Received {
            taken: Some(taken),
            is_of_texts: media_type.is_of_texts(),
            ..Received::default()
        };
        match media_type {
            MediaType::Form => {
                let form = parameters::of_pairs(members, "/body", &bytes, &mut received.errors);
                received.value = Some(Value::Object(form));
            }
            MediaType::Text => match String::from_utf8(bytes.into()) {
                Ok(text) => received.value = Some(Value::String(text)),
                Err(_) => received.errors.push(invalid("/body", "is not UTF-8")),
            },
            _ => match read_json(&bytes) {
                Ok(value) => received.value = Some(value),
                Err(detail) => received.errors.push(invalid("/body", detail)),
            },
        }
        Ok(received)
    }

    /// Index of the body that matches the request's Content-Type.
    fn taken(&self, request: &Request) -> Result<usize, Rejection> {
        if self.bodies.is_empty() {
            let failure = invalid("/body", "is not allowed here: send no body");
            return Err(Rejection::invalid(vec![failure]));
        }
        let content_type = request.content_type().unwrap_or_default();
        let given = essence(content_type);
        // A Content-Type cannot be a wildcard.
        let given = if given.contains('*') {
            String::new()
        } else {
            given
        };
        let wildcard = given.split_once('/').map(|(kind, _)| format!("{kind}/*"));
        let is_it = |wanted: &str| self.bodies.iter().position(|it| it.essence == wanted);
        let taken = is_it(&given)
            .or_else(|| is_it(&wildcard?))
            .or_else(|| is_it("*/*"));
        taken
            .filter(|it| {
                !self.bodies[*it].media_type.is_value() || !is_of_other_charset(content_type)
            })
            .ok_or_else(|| {
                let names: Vec<&str> = self.bodies.iter().map(|it| it.essence.as_str()).collect();
                Rejection::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    code::UNSUPPORTED_MEDIA_TYPE,
                    format!("Send the body as {}.", names.join(" or ")),
                )
            })
    }
}

/// Reads the parts of a multipart body; those that are files go to the disk.
async fn read_parts(
    request: &Request,
    body: Body,
    members: &[parameters::Parameter],
    limit: usize,
    received: &mut Received,
) -> Result<(), Rejection> {
    let multipart = Multipart::from_request(request, &mut RequestBody::new(body)).await;
    let mut multipart = multipart.map_err(|_| unreadable())?;
    let mut left = limit;
    let mut value = Map::new();
    while let Some(part) = multipart.next_field().await.map_err(|_| unreadable())? {
        let name = part.name().unwrap_or_default().to_owned();
        let media_type = part.content_type().map(str::to_owned);
        let file_name = part.file_name().map(str::to_owned);
        let member = members.iter().find(|it| it.name() == name);
        let is_file = member.is_some_and(parameters::Parameter::is_file) || file_name.is_some();
        let of = media_type.as_deref().map(|it| MediaType::of(&essence(it)));
        let is_json = of == Some(MediaType::Json);
        let mut reader = part.into_async_read();
        let text = if is_file {
            let (size, path) = save(&mut reader, left).await?;
            left -= size;
            let file = File {
                path: path.to_path_buf(),
                name: file_name,
                media_type,
                size: size as u64,
            };
            received.kept.push(path);
            received.files.push((name.clone(), file));
            String::new()
        } else {
            let mut bytes = Vec::new();
            let read = (&mut reader)
                .take(left as u64 + 1)
                .read_to_end(&mut bytes)
                .await;
            read.map_err(|_| unreadable())?;
            left = left
                .checked_sub(bytes.len())
                .ok_or_else(|| too_large(limit))?;
            match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => {
                    received
                        .errors
                        .push(invalid(&join("/body", &name), "is not UTF-8"));
                    continue;
                }
            }
        };
        let part = match is_json && !is_file {
            true => match read_json(text.as_bytes()) {
                Ok(value) => value,
                Err(detail) => {
                    received.errors.push(invalid(&join("/body", &name), detail));
                    continue;
                }
            },
            false => Value::String(text),
        };
        match member.filter(|it| it.is_list()) {
            Some(_) => {
                let list = value
                    .entry(name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(part);
                }
            }
            None if value.contains_key(&name) => {
                received
                    .errors
                    .push(invalid(&join("/body", &name), "is sent more than once"));
            }
            None => {
                value.insert(name, part);
            }
        }
    }
    received.value = Some(Value::Object(value));
    Ok(())
}

/// Writes a part to a file, up to a maximum number of bytes.
async fn save(
    reader: &mut (impl tokio::io::AsyncRead + Unpin),
    limit: usize,
) -> Result<(usize, tempfile::TempPath), Rejection> {
    let failed = |_| {
        let detail =
            "The service cannot store an uploaded file. The operator finds the reason in its log.";
        Rejection::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            code::INTERNAL_ERROR,
            detail,
        )
    };
    let path = tempfile::NamedTempFile::new()
        .map_err(failed)?
        .into_temp_path();
    let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
    let mut size = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer).await.map_err(|_| unreadable())?;
        if read == 0 {
            break;
        }
        size += read;
        if size > limit {
            return Err(too_large(limit));
        }
        file.write_all(&buffer[..read]).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok((size, path))
}

/// A stream of the body that fails once it exceeds the limit.
fn at_most(body: Body, limit: usize) -> Body {
    let mut left = limit;
    Body::from_bytes_stream(body.into_bytes_stream().map(move |chunk| {
        let chunk = chunk?;
        let larger = || io::Error::other(format!("the body is larger than {limit} bytes"));
        left = left.checked_sub(chunk.len()).ok_or_else(larger)?;
        Ok::<_, io::Error>(chunk)
    }))
}

fn too_large(limit: usize) -> Rejection {
    Rejection::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        code::PAYLOAD_TOO_LARGE,
        format!("The body is larger than {limit} bytes."),
    )
}

fn unreadable() -> Rejection {
    Rejection::invalid(vec![invalid("/body", "could not be read completely")])
}
