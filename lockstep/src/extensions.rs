//! Expands extensions, which state once what holds for many operations, into plain OpenAPI before
//! anything else reads the document.
//!
//! A service may accept more than other generators can handle: several media types of one body, or
//! the body of a GET. Plain OpenAPI would break their code; an extension does not affect it, and is
//! still served and compared.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;
use serde_json::{Value, json};

use crate::{
    Diagnostic,
    pointers::{
        BODY_MEMBER, UNCHECKED, alternatives, content_schemas, join, last, members, operations,
        remove, resolve,
    },
    source::Source,
};

/// At the root, `true`: every body that is documented as JSON may also come as a form.
const FORM_BODIES: &str = "x-form-bodies";

/// Replaces the extensions by plain OpenAPI. Returns a diagnostic for each that is not valid.
///
/// [`BODY_MEMBER`] in a cookie's security scheme is a schema: every operation that takes the
/// cookie's key also takes it as a member of its body, which has the cookie's name and this schema.
/// It expands into this extension of the member itself.
pub(crate) fn write_out(source: &mut Source) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for scheme in members(&source.value, "/components/securitySchemes") {
        body_member(source, &scheme, &mut diagnostics);
    }
    form_bodies(source, &mut diagnostics);
    misplaced(source, &source.value, String::new(), &mut diagnostics);
    diagnostics
}

fn body_member(source: &mut Source, scheme: &str, diagnostics: &mut Vec<Diagnostic>) {
    let extension = join(scheme, BODY_MEMBER);
    let Some(schema) = source.at(&extension).cloned() else {
        return;
    };
    let is_cookie = source.at(&join(scheme, "in")) == Some(&json!("cookie"));
    let name = source.at(&join(scheme, "name")).and_then(Value::as_str);
    let (Some(name), true, true) = (name.map(str::to_owned), is_cookie, schema.is_object()) else {
        let reason = "has to be a schema, in the security scheme of a cookie: the member gets the cookie's name";
        diagnostics.push(source.diagnostic(&extension, reason));
        remove(&mut source.value, scheme, BODY_MEMBER);
        return;
    };
    remove(&mut source.value, scheme, BODY_MEMBER);
    let mut member = schema;
    member[BODY_MEMBER] = json!(true);

    let mut bodies = BTreeSet::new();
    let mut without = Vec::new();
    for operation in operations(&source.value) {
        if alternatives(&source.value, &operation).is_empty() {
            continue;
        }
        let body = join(&operation, "requestBody");
        match source.at(&body) {
            Some(_) => {
                let body = resolve(&source.value, &body, "requestBodies");
                bodies.extend(content_schemas(&source.value, &body));
            }
            None => without.push(operation),
        }
    }
    for body in bodies {
        let properties = source.value.pointer_mut(&body).and_then(|body| {
            let body = body.as_object_mut()?;
            let properties = body.entry("properties").or_insert_with(|| json!({}));
            properties.as_object_mut()
        });
        if let Some(properties) = properties {
            let there = properties.entry(&name).or_insert_with(|| member.clone());
            if let Value::Object(there) = there {
                there.insert(BODY_MEMBER.to_owned(), json!(true));
            }
        }
    }
    if without.is_empty() {
        return;
    }
    let body = name.to_upper_camel_case();
    let request = format!("{body}Request");
    let media_type = json!({ "schema": { "$ref": format!("#/components/schemas/{request}") } });
    let components = [
        (
            "schemas",
            &request,
            json!({
                "description": format!("A body that carries only the {name}."),
                "type": "object",
                "additionalProperties": false,
                "properties": { &name: member },
            }),
        ),
        (
            "requestBodies",
            &body,
            json!({
                "description": format!("Only for a client that sends its {name} nowhere else."),
                "content": { "application/json": media_type },
            }),
        ),
    ];
    for (kind, component, value) in components {
        let pointer = format!("/components/{kind}/{component}");
        if source.at(&pointer).is_some() {
            let reason =
                format!("adds {pointer}, which exists already: rename the existing component");
            diagnostics.push(source.diagnostic(&extension, reason));
            continue;
        }
        if let Some(Value::Object(components)) = source.value.get_mut("components") {
            let named = components.entry(kind).or_insert_with(|| json!({}));
            if let Some(named) = named.as_object_mut() {
                named.insert(component.clone(), value);
            }
        }
        source.place_like(pointer, &extension);
    }
    for operation in without {
        if let Some(Value::Object(operation)) = source.value.pointer_mut(&operation) {
            let reference = format!("#/components/requestBodies/{body}");
            operation.insert("requestBody".to_owned(), json!({ "$ref": reference }));
        }
    }
}

fn form_bodies(source: &mut Source, diagnostics: &mut Vec<Diagnostic>) {
    let is_meant = match source.at(&join("", FORM_BODIES)) {
        None => false,
        Some(Value::Bool(is_meant)) => *is_meant,
        Some(_) => {
            diagnostics.push(source.diagnostic(&join("", FORM_BODIES), "has to be true or false"));
            false
        }
    };
    remove(&mut source.value, "", FORM_BODIES);
    if !is_meant {
        return;
    }
    // The method of an operation that is not checked reads its bodies itself.
    let operations = operations(&source.value).into_iter();
    let checked = operations.filter(|it| source.at(&join(it, UNCHECKED)) != Some(&json!(true)));
    let own = checked.map(|operation| join(&operation, "requestBody"));
    let named = members(&source.value, "/components/requestBodies");
    for body in own.chain(named).collect::<Vec<_>>() {
        let content = source.value.pointer_mut(&join(&body, "content"));
        let content = content.and_then(Value::as_object_mut);
        if let Some(content) = content
            && let Some(json) = content.get("application/json").cloned()
        {
            content
                .entry("application/x-www-form-urlencoded")
                .or_insert(json);
        }
    }
}

/// Refuses an extension of this module in a place where it has no effect.
fn misplaced(source: &Source, value: &Value, pointer: String, diagnostics: &mut Vec<Diagnostic>) {
    let is_misplaced = match last(&pointer).as_str() {
        FORM_BODIES => true,
        BODY_MEMBER => *value != json!(true) || !is_of_cookie(source, &pointer),
        _ => false,
    };
    if is_misplaced {
        let reason = "has no effect here: x-form-bodies belongs at the root, x-body-member in a security scheme, or as true in a member that has a cookie's name";
        diagnostics.push(source.diagnostic(&pointer, reason));
    }
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                misplaced(source, inner, join(&pointer, name), diagnostics);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                misplaced(source, inner, format!("{pointer}/{index}"), diagnostics);
            }
        }
        _ => {}
    }
}

/// Returns true if the keyword at `pointer` belongs to a member of a schema that has the name of a
/// cookie with a key.
fn is_of_cookie(source: &Source, pointer: &str) -> bool {
    let Some((member, _)) = pointer.rsplit_once('/') else {
        return false;
    };
    let is_member = member.starts_with("/components/schemas/")
        && member.rsplit('/').nth(1) == Some("properties");
    let name = Value::String(last(member));
    let schemes = members(&source.value, "/components/securitySchemes");
    let mut schemes = schemes.iter().filter_map(|scheme| source.at(scheme));
    is_member && schemes.any(|scheme| scheme["in"] == "cookie" && scheme["name"] == name)
}
