//! Checks that a document describes the answers that are given before a method is called.

use crate::{
    Diagnostic,
    api::{Access, Answer, Api, Operation, Outcome, Payload},
    pointers::join,
    source::Source,
    types::{Record, Shape, Type},
};

/// The problem codes that `openapi-lockstep-runtime` sends.
const CODES: [&str; 7] = [
    "invalid_request",
    "not_logged_in",
    "not_found",
    "method_not_allowed",
    "payload_too_large",
    "unsupported_media_type",
    "internal_error",
];

/// Returns a diagnostic for each answer that the document has to describe and does not.
pub(crate) fn check(source: &Source, api: &Api) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut refuse =
        |pointer: &str, reason: String| diagnostics.push(source.diagnostic(pointer, reason));
    for operation in &api.operations {
        let responses = join(&operation.pointer, "responses");
        for (status, reason) in missing(api, operation) {
            let reason = format!("does not document {status}, which answers {reason}");
            refuse(&responses, reason);
        }
        for outcome in api.failures(operation) {
            if let Some(reason) = no_problem(api, outcome) {
                refuse(&outcome.pointer, reason);
            }
        }
    }
    let shares = |status| {
        api.shared
            .outcomes
            .iter()
            .any(|it| it.answer == Answer::Status(status))
    };
    if !api.operations.is_empty() && !shares(500) {
        let reason =
            "every operation has to document the same 500 response, which is sent after a panic";
        refuse("/paths", reason.to_owned());
    }
    let is_secured = |it: &Operation| it.access != Access::Public;
    if api.operations.iter().any(is_secured) && !shares(401) && !shares(403) {
        let reason = "every operation has to document the same 401 or 403 response, which is sent for an invalid credential";
        refuse("/paths", reason.to_owned());
    }
    diagnostics
}

/// The statuses that an operation does not document, and what they answer.
fn missing(api: &Api, operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let documents = |status| {
        api.failures(operation)
            .any(|failure| failure.answer == Answer::Status(status))
    };
    let mut missing = Vec::new();
    // Also without parameters and body: a client may send some.
    let is_checked = !operation.is_unchecked;
    if is_checked && !documents(400) {
        missing.push(("400", "an invalid request"));
    }
    if is_checked && !documents(413) {
        missing.push(("413", "a body that is too large"));
    }
    if is_checked && operation.body.is_some() && !documents(415) {
        missing.push(("415", "a body of another media type"));
    }
    if operation.access != Access::Public && !documents(401) && !documents(403) {
        missing.push(("401 or 403", "a missing or invalid credential"));
    }
    missing
}

/// Reason why the runtime cannot send this failure as a problem, if it cannot.
fn no_problem(api: &Api, outcome: &Outcome) -> Option<String> {
    let answered = [400, 401, 403, 404, 405, 413, 415, 500].map(Answer::Status);
    if !answered.contains(&outcome.answer) {
        return None;
    }
    let Some((media_type, payload)) = &outcome.content else {
        return Some("has no body: a problem needs one of application/problem+json".to_owned());
    };
    if media_type != "application/problem+json" {
        return Some(format!(
            "has to be application/problem+json, not {media_type}"
        ));
    }
    let Payload::Json(kind) = payload else {
        return Some("has to be an object".to_owned());
    };
    let Some(problem) = record(api, kind) else {
        return Some("has to be an object with the members of a problem".to_owned());
    };
    let need = |name: &str, what: &str, required: bool, fits: &dyn Fn(&Type) -> bool| {
        let member = problem.members.iter().find(|member| member.wire == name);
        let fits = member.is_some_and(|it| it.required == required && fits(&it.kind));
        let need = if required {
            "a required"
        } else {
            "an optional"
        };
        (!fits).then(|| format!("a problem needs {need} {name}, {what}"))
    };
    let is_text = |kind: &Type| *kind == Type::Text;
    let wrong = need("type", "a string", true, &is_text)
        .or_else(|| need("title", "a string", true, &is_text))
        .or_else(|| {
            need("status", "an integer", true, &|kind| {
                matches!(kind, Type::Integer(_))
            })
        })
        .or_else(|| need("detail", "a string", true, &is_text))
        .or_else(|| {
            let what = "an enum, so that codes are told apart by type";
            need("code", what, true, &|kind| codes(api, kind).is_some())
        })
        .or_else(|| {
            let what = "a list of objects of pointer and detail";
            need("errors", what, false, &|kind| {
                is_list_of_failures(api, kind)
            })
        });
    if wrong.is_some() {
        return wrong;
    }
    let known = [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "errors",
        "request_id",
    ];
    let mut others = problem.members.iter();
    if let Some(other) = others.find(|it| !known.contains(&it.wire.as_str()) && it.required) {
        let reason = "which the problems of the generated server do not have";
        return Some(format!("requires the member {}, {reason}", other.wire));
    }
    let code = problem.members.iter().find(|it| it.wire == "code")?;
    let known = codes(api, &code.kind)?;
    let lacked = CODES.iter().find(|code| !known.contains(code))?;
    Some(format!(
        "code lacks {lacked}, which the generated server answers"
    ))
}

fn is_list_of_failures(api: &Api, kind: &Type) -> bool {
    let Type::List(items) = kind else {
        return false;
    };
    record(api, items).is_some_and(|failure| {
        let is_known = |wire: &str| ["pointer", "detail"].contains(&wire);
        failure.members.len() == 2
            && failure
                .members
                .iter()
                .all(|it| it.required && is_known(&it.wire) && it.kind == Type::Text)
    })
}

fn record<'a>(api: &'a Api, kind: &Type) -> Option<&'a Record> {
    match kind {
        Type::Named(id) => match &api.types[*id].shape {
            Shape::Record(record) => Some(record),
            Shape::Alias(kind) => record(api, kind),
            _ => None,
        },
        _ => None,
    }
}

fn codes<'a>(api: &'a Api, kind: &Type) -> Option<Vec<&'a str>> {
    match kind {
        Type::Named(id) => match &api.types[*id].shape {
            Shape::Values(values) => Some(values.iter().map(|value| value.wire.as_str()).collect()),
            Shape::Alias(kind) => codes(api, kind),
            _ => None,
        },
        _ => None,
    }
}
