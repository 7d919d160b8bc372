//! Model of a document's operations: the input of both writers and of the comparison with the
//! server.

mod credentials;
mod outcomes;
mod reader;

use std::collections::HashSet;

use proc_macro2::Ident;

pub(crate) use credentials::{Access, Alternative, Credential, Kind, Scheme};
pub(crate) use outcomes::{Answer, Group, Header, Outcome, Outcomes};
pub(crate) use reader::{essence, placeholders, read};

use crate::types::{Named, Type, TypeId, reached};

/// A service as a document describes it.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) tags: Vec<Tag>,
    pub(crate) types: Vec<Named>,
    pub(crate) schemes: Vec<Scheme>,
    /// The sets of credentials that operations take.
    pub(crate) credentials: Vec<Credential>,
    pub(crate) operations: Vec<Operation>,
    /// The failures that every operation answers, but for those that are not checked.
    pub(crate) shared: Group,
}

impl Api {
    /// The failures of an operation: its own, and those of every operation.
    pub(crate) fn failures<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> impl Iterator<Item = &'a Outcome> {
        let own = operation.outcomes.failures.outcomes.iter();
        own.chain(self.shared_by(operation))
    }

    /// The shared failures that an operation has.
    pub(crate) fn shared_by<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> impl Iterator<Item = &'a Outcome> {
        let shared = self.shared.outcomes.iter();
        shared.filter(|it| operation.shared.contains(&it.answer))
    }

    /// Returns the tags that have operations, each with them.
    pub(crate) fn used_tags(&self) -> impl Iterator<Item = (&Tag, Vec<&Operation>)> {
        self.tags.iter().enumerate().filter_map(|(number, tag)| {
            let operations = self.operations.iter();
            let operations: Vec<_> = operations.filter(|it| it.tag == number).collect();
            (!operations.is_empty()).then_some((tag, operations))
        })
    }

    /// The types of what requests carry.
    pub(crate) fn of_requests(&self) -> HashSet<TypeId> {
        let operations = || self.operations.iter();
        let bodies = operations().filter_map(|operation| operation.body.as_ref());
        let bodies = bodies.flat_map(|body| &body.contents);
        let bodies = bodies.filter_map(|content| content.payload.value());
        let parameters = operations().flat_map(|operation| &operation.parameters);
        reached(&self.types, bodies.chain(parameters.map(|it| &it.kind)))
    }

    /// The types of what replies carry.
    pub(crate) fn of_replies(&self) -> HashSet<TypeId> {
        let groups = self
            .operations
            .iter()
            .flat_map(|operation| [&operation.outcomes.successes, &operation.outcomes.failures]);
        let outcomes = groups
            .chain([&self.shared])
            .flat_map(|group| &group.outcomes);
        let payloads = outcomes.filter_map(|outcome| outcome.content.as_ref());
        reached(
            &self.types,
            payloads.filter_map(|(_, payload)| payload.value()),
        )
    }
}

/// The Content-Type of what is sent: a wildcard stands for several media types and cannot be one.
pub(crate) fn one_media_type(documented: &str) -> &str {
    match documented.contains('*') {
        true => "application/octet-stream",
        false => documented,
    }
}

#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The identifier of the server's module of its operations.
    pub(crate) module: Ident,
    /// The identifier of the trait that sums up its operations.
    pub(crate) api: Ident,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) pointer: String,
    /// The operationId.
    pub(crate) id: String,
    /// The identifier of its trait.
    pub(crate) upper: Ident,
    /// The identifier of its method.
    pub(crate) lower: Ident,
    /// Its first tag.
    pub(crate) tag: usize,
    /// In lower case.
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// The identifier of the struct of its parameters, where there are several.
    pub(crate) arguments: Option<Ident>,
    /// True if the server passes its requests on as they are sent, with the bytes of the body.
    pub(crate) is_unchecked: bool,
    pub(crate) body: Option<Body>,
    pub(crate) access: Access,
    /// The schemes of its security, in the order of its alternatives, and the scopes that each
    /// needs.
    pub(crate) scopes: Vec<(usize, Vec<String>)>,
    pub(crate) outcomes: Outcomes,
    /// The statuses of the shared failures that it answers.
    pub(crate) shared: Vec<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    /// The word of OpenAPI.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) pointer: String,
    pub(crate) wire: String,
    pub(crate) name: Ident,
    pub(crate) place: Place,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) required: bool,
    /// True if its schema has a default.
    pub(crate) has_default: bool,
    /// The style, where it is not the one of the place.
    pub(crate) style: Option<String>,
    pub(crate) explode: Option<bool>,
    pub(crate) kind: Type,
}

#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    /// True if it carries more than a credential, so that it is passed to the method.
    pub(crate) is_read: bool,
    pub(crate) contents: Vec<Content>,
    /// The identifier of the enum of its contents, where they are of several types.
    pub(crate) choice: Option<Ident>,
}

/// A media type and its payload.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) media_type: String,
    /// The identifier of a variant that holds it.
    pub(crate) name: Ident,
    pub(crate) payload: Payload,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Payload {
    Json(Type),
    /// Names and values as a browser's form writes them.
    Form(Type),
    /// Names and values, some of which are files.
    Multipart(Type),
    Text,
    /// Bytes without further structure, as they are sent.
    Bytes,
}

impl Payload {
    /// The type of a value that serde reads, if it is one.
    pub(crate) fn value(&self) -> Option<&Type> {
        match self {
            Self::Json(kind) | Self::Form(kind) | Self::Multipart(kind) => Some(kind),
            Self::Text | Self::Bytes => None,
        }
    }
}
