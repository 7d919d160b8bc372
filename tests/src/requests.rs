//! Requests that try what a document says of requests: each differs in one place from one that is
//! as documented.

use http::header;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::oracle::{Oracle, Sent, members};

/// A request and what it tries.
pub struct Attempt {
    /// The operation, the place and the value.
    pub name: String,
    /// The request; its URI has no host.
    pub sent: Sent,
}

/// Lengths around which limits are likely, for texts whose own limits may be gone.
const LENGTHS: [u64; 8] = [0, 1, 2, 64, 100, 128, 254, 256];

/// Every attempt that a document suggests. `key` is a valid session_key.
pub fn attempts(oracle: &Oracle, key: &str) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for (path, item) in members(&oracle.document()["paths"]) {
        for (method, operation) in members(item) {
            if operation["x-unchecked"] == true {
                continue;
            }
            let draft = Draft::of(oracle, path, method, operation, key);
            let mut attempt = |what: String, draft: Draft| {
                attempts.push(Attempt {
                    name: format!(
                        "{} {what}",
                        operation["operationId"].as_str().unwrap_or("?")
                    ),
                    sent: draft.build(),
                });
            };
            attempt("as it is documented".to_owned(), draft.clone());
            elsewhere(&draft, &mut attempt);
            keys(oracle, operation, &draft, key, &mut attempt);
            parameters(oracle, operation, &draft, &mut attempt);
            bodies(oracle, operation, &draft, &mut attempt);
        }
    }
    attempts
}

/// A request that is not yet written out.
#[derive(Clone, Default)]
struct Draft {
    method: String,
    /// With its parameters in braces.
    path: String,
    in_path: Map<String, Value>,
    query: Map<String, Value>,
    media_type: String,
    body: Option<Value>,
    authorization: Option<String>,
    cookie: Option<String>,
}

impl Draft {
    /// The shortest request that is as documented.
    fn of(oracle: &Oracle, path: &str, method: &str, operation: &Value, key: &str) -> Self {
        let mut draft = Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            ..Self::default()
        };
        let required = |parameter: &&Value| parameter["required"] == true;
        for parameter in array(&operation["parameters"]).filter(required) {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let place = match parameter["in"] == "path" {
                true => &mut draft.in_path,
                false => &mut draft.query,
            };
            place.insert(name, parameter["example"].clone());
        }
        let body = oracle.resolve(&operation["requestBody"]);
        if let (true, Some((media_type, content))) =
            (body["required"] == true, members(&body["content"]).next())
        {
            draft.media_type = media_type.clone();
            draft.body = Some(content["example"].clone());
        }
        if needs_key(oracle, operation) {
            draft.authorization = Some(format!("Bearer {key}"));
        }
        draft
    }

    fn build(self) -> Sent {
        let mut path = self.path;
        for (name, value) in &self.in_path {
            let value = utf8_percent_encode(&text(value), NON_ALPHANUMERIC).to_string();
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        if !self.query.is_empty() {
            path = format!("{path}?{}", form(&self.query));
        }
        let mut sent = http::Request::builder().method(&*self.method).uri(path);
        if let Some(value) = self.authorization {
            sent = sent.header(header::AUTHORIZATION, value);
        }
        if let Some(value) = self.cookie {
            sent = sent.header(header::COOKIE, value);
        }
        let body = match &self.body {
            None => String::new(),
            Some(Value::Object(body)) if self.media_type != "application/json" => form(body),
            Some(body) => body.to_string(),
        };
        if self.body.is_some() {
            sent = sent.header(header::CONTENT_TYPE, self.media_type);
        }
        sent.body(Some(body.into_bytes()))
            .expect("its parts are encoded")
    }
}

/// Other methods, and another path.
fn elsewhere(draft: &Draft, attempt: &mut impl FnMut(String, Draft)) {
    for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
        if method != draft.method {
            let method = method.to_owned();
            attempt(
                format!("by {method}"),
                Draft {
                    method,
                    ..draft.clone()
                },
            );
        }
    }
    let path = format!("{}x", draft.path);
    attempt(
        format!("at {path}"),
        Draft {
            path,
            ..draft.clone()
        },
    );
}

/// The key where the document says that it may be, and nowhere.
fn keys(
    oracle: &Oracle,
    operation: &Value,
    draft: &Draft,
    key: &str,
    attempt: &mut impl FnMut(String, Draft),
) {
    // With another operation the key may be no key any more.
    if !needs_key(oracle, operation) {
        return;
    }
    let without = Draft {
        authorization: None,
        ..draft.clone()
    };
    attempt("without a key".to_owned(), without.clone());
    for (_, scheme) in members(&oracle.document()["components"]["securitySchemes"]) {
        let Some(name) = scheme["name"].as_str() else {
            continue;
        };
        attempt(
            format!("with the cookie {name}"),
            Draft {
                cookie: Some(format!("{name}={key}")),
                ..without.clone()
            },
        );
        for (media_type, _) in contents(oracle, operation) {
            let mut with = without.clone();
            with.media_type = media_type.clone();
            with.body.get_or_insert_with(|| json!({}))[name] = json!(key);
            attempt(format!("with {name} in its {media_type}"), with);
        }
    }
}

fn parameters(
    oracle: &Oracle,
    operation: &Value,
    draft: &Draft,
    attempt: &mut impl FnMut(String, Draft),
) {
    for parameter in array(&operation["parameters"]) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let in_path = parameter["in"] == "path";
        for value in values(oracle, &parameter["schema"]) {
            let text = text(&value);
            // A path without it is another path.
            if in_path && text.is_empty() {
                continue;
            }
            let mut draft = draft.clone();
            let place = match in_path {
                true => &mut draft.in_path,
                false => &mut draft.query,
            };
            place.insert(name.to_owned(), json!(text));
            attempt(format!("{name}={}", shown(&value)), draft);
        }
        if !in_path {
            let mut draft = draft.clone();
            draft.query.shift_remove(name);
            attempt(format!("without {name}"), draft);
        }
    }
    let mut unknown = draft.clone();
    unknown.query.insert("unknown".to_owned(), json!("x"));
    attempt("with an unknown parameter".to_owned(), unknown);
}

fn bodies(
    oracle: &Oracle,
    operation: &Value,
    draft: &Draft,
    attempt: &mut impl FnMut(String, Draft),
) {
    let mut with = |what: String, media_type: &str, body: Option<Value>| {
        let key_is_tried = body != draft.body
            && members(&oracle.document()["components"]["securitySchemes"])
                .filter_map(|(_, scheme)| scheme["name"].as_str())
                .any(|name| body.as_ref().is_some_and(|body| body.get(name).is_some()));
        let mut draft = Draft {
            media_type: media_type.to_owned(),
            body,
            ..draft.clone()
        };
        if key_is_tried {
            draft.authorization = None;
        }
        attempt(what, draft);
    };
    with("without a body".to_owned(), "", None);
    let mut example = json!({});
    for (media_type, content) in contents(oracle, operation) {
        example = content["example"].clone();
        if example.is_null() {
            example = json!({});
        }
        let schema = oracle.resolve(&content["schema"]);
        with(
            format!("with an example as {media_type}"),
            media_type,
            Some(example.clone()),
        );
        let mut unknown = example.clone();
        unknown["unknown"] = json!("x");
        with(
            format!("with an unknown member in its {media_type}"),
            media_type,
            Some(unknown),
        );
        for (name, property) in members(&schema["properties"]) {
            for value in values(oracle, property) {
                let what = format!("{name}={} in its {media_type}", shown(&value));
                let mut body = example.clone();
                body[name] = value;
                with(what, media_type, Some(body));
            }
            let mut body = example.clone();
            if let Some(body) = body.as_object_mut() {
                body.shift_remove(name);
            }
            with(
                format!("without {name} in its {media_type}"),
                media_type,
                Some(body),
            );
        }
        for body in [json!([]), json!("x"), json!(null)] {
            if media_type == "application/json" {
                with(format!("with the body {body}"), media_type, Some(body));
            }
        }
    }
    for media_type in ["application/json", "application/xml"] {
        with(
            format!("with the example as {media_type}"),
            media_type,
            Some(example.clone()),
        );
    }
}

/// Values on both sides of whatever a schema demands.
fn values(oracle: &Oracle, schema: &Value) -> Vec<Value> {
    let schema = oracle.resolve(schema);
    let mut values = vec![
        json!(null),
        json!(true),
        json!(1.5),
        json!([]),
        json!({}),
        json!("7"),
        json!("007"),
        json!("1.5"),
        json!(" a "),
        json!("a b"),
        json!("a\u{7}b"),
        json!("\u{a0}"),
        json!("é"),
        json!("ann@bücher.example"),
        json!("ann@example.com"),
    ];
    values.extend((-1..=3).map(Value::from));
    values.extend(array(&schema["enum"]).cloned());
    let numbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    for limit in numbers.iter().filter_map(|name| schema[name].as_i64()) {
        values.extend((limit - 1..=limit + 1).map(Value::from));
    }
    let lengths = ["minLength", "maxLength"];
    let limits = lengths.iter().filter_map(|name| schema[name].as_u64());
    let is_email = schema["format"]
        .as_str()
        .is_some_and(|format| format.contains("email"));
    for limit in limits.chain(LENGTHS) {
        for length in limit.saturating_sub(1)..=limit + 1 {
            // What is long only for the spaces around it.
            values.push(json!(format!("{:width$}", "a", width = length as usize)));
            values.push(match is_email {
                true => json!(email(length as usize)),
                false => json!("a".repeat(length as usize)),
            });
        }
    }
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// An address of so many characters: at most 64 before the `@`, and at most 63 between two dots.
fn email(length: usize) -> String {
    let Some(local) = length.checked_sub("@a.example".len()) else {
        return "a".repeat(length);
    };
    let local = local.clamp(1, 64);
    let mut domain = length.saturating_sub(local + 1 + ".example".len());
    let mut labels = Vec::new();
    while domain > 0 {
        // A dot goes with every label but the last.
        let label = if domain <= 63 { domain } else { domain.min(62) };
        labels.push("a".repeat(label));
        domain = domain.saturating_sub(label + 1);
    }
    format!("{}@{}.example", "a".repeat(local), labels.join("."))
}

fn needs_key(oracle: &Oracle, operation: &Value) -> bool {
    let choices = operation.get("security");
    let choices = array(choices.unwrap_or(&oracle.document()["security"]));
    let choices: Vec<&Value> = choices.collect();
    !choices.is_empty() && !choices.contains(&&json!({}))
}

fn contents<'a>(
    oracle: &'a Oracle,
    operation: &'a Value,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    members(&oracle.resolve(&operation["requestBody"])["content"])
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Text of a value in a path, a query or a form.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn form(pairs: &Map<String, Value>) -> String {
    let pairs = pairs.iter().map(|(name, value)| (name, text(value)));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// A value, cut to what is read at a glance.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() > 30 => format!("{} characters", text.chars().count()),
        value => value.to_string(),
    }
}
