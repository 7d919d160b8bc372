//! Bodies and media types.

use super::Reader;
use crate::{
    api::{Access, Body, Content, Payload},
    names::Scope,
    pointers::{self, body_credential, join, last},
    types::Type,
};

impl Reader<'_> {
    pub(super) fn body(&mut self, pointer: &str, id: &str, access: Access) -> Option<Body> {
        self.source.at(pointer)?;
        let place = self.follow(pointer, "requestBodies")?;
        let contents = self.contents(&place, &format!("{id} body"));
        if contents.is_empty() {
            self.refuse(pointer, "has no media type");
            return None;
        }
        for (content, at) in contents.iter().zip(self.members(&join(&place, "content"))) {
            if matches!(content.payload, Payload::Form(_) | Payload::Multipart(_))
                && !content
                    .payload
                    .value()
                    .is_some_and(|kind| self.types.is_record(kind))
            {
                self.refuse(
                    &at,
                    "is a form, so its schema has to be an object with properties",
                );
            }
        }
        let first = contents[0].payload.value();
        let is_one = contents.len() == 1
            || first.is_some() && contents.iter().all(|it| it.payload.value() == first);
        let schemas = pointers::content_schemas(&self.source.value, &place);
        let is_read = access == Access::Public
            || !schemas
                .iter()
                .all(|schema| self.is_credential_alone(schema));
        Some(Body {
            required: self.is_true(&join(&place, "required")),
            is_read,
            choice: (!is_one).then(|| self.scope.upper(&format!("{id} body"))),
            contents,
        })
    }

    /// Returns true if a body carries only a credential.
    fn is_credential_alone(&self, schema: &str) -> bool {
        let properties = self.members(&join(schema, "properties"));
        let credential = body_credential(&self.source.value, schema);
        credential.is_some() && properties.len() == 1
    }

    pub(super) fn contents(&mut self, pointer: &str, name: &str) -> Vec<Content> {
        let (mut contents, mut scope) = (Vec::new(), Scope::default());
        for content in self.members(&join(pointer, "content")) {
            let media_type = last(&content);
            let essence = essence(&media_type);
            let is_media_type = essence.split_once('/').is_some_and(|(kind, subtype)| {
                !kind.is_empty()
                    && !subtype.is_empty()
                    && essence.bytes().all(|byte| byte.is_ascii_graphic())
            });
            if !is_media_type {
                self.refuse(&content, "is not a media type");
                continue;
            }
            contents.push(Content {
                name: scope.upper(&variant(&essence)),
                payload: self.payload(&content, &essence, name),
                media_type,
            });
        }
        contents
    }

    fn payload(&mut self, pointer: &str, essence: &str, name: &str) -> Payload {
        let schema = join(pointer, "schema");
        let kind = |reader: &mut Self| match reader.source.at(&schema) {
            Some(_) => reader.types.at(&schema, name),
            None => Type::Any(None),
        };
        match essence {
            "application/json" | "text/json" => Payload::Json(kind(self)),
            essence if essence.ends_with("+json") => Payload::Json(kind(self)),
            "application/x-www-form-urlencoded" => Payload::Form(kind(self)),
            "multipart/form-data" => Payload::Multipart(kind(self)),
            "text/event-stream" => Payload::Bytes,
            essence if essence.starts_with("text/") => Payload::Text,
            _ => Payload::Bytes,
        }
    }
}

/// The media type without its parameters, in lower case.
pub(crate) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// The name of the variant of a media type.
fn variant(essence: &str) -> String {
    let subtype = essence
        .split_once('/')
        .map_or(essence, |(_, subtype)| subtype);
    match essence {
        "application/x-www-form-urlencoded" => "form".to_owned(),
        "multipart/form-data" => "multipart".to_owned(),
        "application/octet-stream" => "bytes".to_owned(),
        "text/plain" => "text".to_owned(),
        "*/*" => "any".to_owned(),
        _ => subtype.to_owned(),
    }
}
