//! Requests and answers that a document allows, read from its JSON alone, without any of the code
//! that is generated from it, so that neither can hide a fault of the other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, Method, header};
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// A request; its body is `None` if it is streamed.
pub type Sent = http::Request<Option<Vec<u8>>>;
/// An answer.
pub type Answer = http::Response<Vec<u8>>;

/// The media type of every error.
const PROBLEM: &str = "application/problem+json";

/// An OpenAPI document that requests and answers are held against.
///
/// It is stricter than the document where the document leaves room for later versions: a reply may
/// have no member that is not documented.
pub struct Oracle {
    written: Value,
    /// With its extensions written out, and its replies closed.
    document: Value,
    /// Compiled validators by schema, kept since compiling one takes longer than checking with it.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Verdict of a document on a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// No operation has this path and method: 404 or 405.
    NoOperation,
    /// The operation takes no such request: 400 or 415.
    Invalid,
    /// It lacks a valid key: 403, `not_logged_in`.
    NotLoggedIn,
    /// The operation's own code answers it.
    Taken,
}

/// An operation that a request is for.
struct Operation<'a> {
    documented: &'a Value,
    in_path: Map<String, Value>,
}

impl Oracle {
    /// # Errors
    ///
    /// The text is not JSON.
    pub fn new(json: &str) -> serde_json::Result<Self> {
        let written: Value = serde_json::from_str(json)?;
        let mut document = written.clone();
        write_out_extensions(&mut document);
        close_replies(&mut document);
        Ok(Self {
            written,
            document,
            validators: Mutex::default(),
        })
    }

    /// The document as it is written.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// The document that requests and answers are held against.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Says what of an answer is not documented.
    ///
    /// # Errors
    ///
    /// The request, its status, and what is wrong.
    pub fn check(&self, sent: &Sent, answer: &Answer) -> Result<(), String> {
        self.is_documented(sent, answer).map_err(|reason| {
            let (method, path, status) = (sent.method(), sent.uri().path(), answer.status());
            format!("{method} {path} is answered with {status}: {reason}")
        })
    }

    /// Verdict of the document on a request of a user whose key is `key`.
    pub fn verdict(&self, sent: &Sent, key: &str) -> Verdict {
        let Some(operation) = self.operation(sent) else {
            return Verdict::NoOperation;
        };
        if self.fits_operation(sent, &operation).is_err() {
            Verdict::Invalid
        } else if self.admits(sent, operation.documented, key) {
            Verdict::Taken
        } else {
            Verdict::NotLoggedIn
        }
    }

    /// Verdict that the service's answer to a request shows, or `None` if the service failed.
    pub fn outcome(answer: &Answer) -> Option<Verdict> {
        let code = || -> Option<Value> {
            let mut problem: Value = serde_json::from_slice(answer.body()).ok()?;
            Some(problem["code"].take())
        };
        match answer.status().as_u16() {
            404 | 405 => Some(Verdict::NoOperation),
            400 | 415 => Some(Verdict::Invalid),
            403 if code() == Some(json!("not_logged_in")) => Some(Verdict::NotLoggedIn),
            500.. => None,
            _ => Some(Verdict::Taken),
        }
    }

    fn is_documented(&self, sent: &Sent, answer: &Answer) -> Result<(), String> {
        let operation = self.operation(sent);
        if operation.is_none() && !sent.uri().path().starts_with("/api/") {
            // The pages are no part of the API.
            return Ok(());
        }
        if sent.method() == Method::HEAD {
            return self.is_documented_head(sent, answer);
        }
        let body = match media_type(answer.headers()).as_str() {
            "text/plain" => Value::from(String::from_utf8_lossy(answer.body())),
            _ => serde_json::from_slice(answer.body())
                .map_err(|error| format!("its body is no JSON: {error}"))?,
        };
        let Some(operation) = operation else {
            return match answer.status().as_u16() {
                404 | 405 if media_type(answer.headers()) == PROBLEM => {
                    self.fits(&self.document["components"]["schemas"]["Problem"], &body)
                }
                404 | 405 => Err(format!("it is not of the media type {PROBLEM}")),
                _ => Err("no such operation is documented".to_owned()),
            };
        };
        let response = self.resolve(&operation.documented["responses"][answer.status().as_str()]);
        if response.is_null() {
            return Err("the status is not documented".to_owned());
        }
        let media_type = media_type(answer.headers());
        let content = &response["content"][&media_type];
        if content.is_null() {
            return Err(format!("the media type {media_type:?} is not documented"));
        }
        self.fits(&content["schema"], &body)?;
        // A header that the document does not know is HTTP's own; one that it knows elsewhere is not.
        for name in self.header_names() {
            if answer.headers().contains_key(name) && response["headers"][name].is_null() {
                return Err(format!("the header {name} is not documented"));
            }
        }
        for (name, header) in members(&response["headers"]) {
            if let Some(value) = answer.headers().get(name) {
                let value = value.to_str().map_err(|_| format!("{name} is no text"))?;
                let value = self.read(value, &header["schema"]);
                self.fits(&header["schema"], &value)
                    .map_err(|reason| format!("{name}: {reason}"))?;
            }
        }
        match self.fits_operation(sent, &operation) {
            Err(_) if operation.documented["x-unchecked"] == true => Ok(()),
            Err(reason) if answer.status().is_success() => {
                Err(format!("the request is not as documented: {reason}"))
            }
            _ => Ok(()),
        }
    }

    /// A HEAD is answered as the GET is, without a body (RFC 9110, 9.3.2).
    fn is_documented_head(&self, sent: &Sent, answer: &Answer) -> Result<(), String> {
        let mut get = sent.clone();
        *get.method_mut() = Method::GET;
        let responses = match self.operation(&get) {
            Some(operation) => &operation.documented["responses"],
            None => &json!({ "404": {}, "405": {} }),
        };
        match (
            answer.body().is_empty(),
            &responses[answer.status().as_str()],
        ) {
            (false, _) => Err("it has a body".to_owned()),
            (true, Value::Null) => Err("the status is not documented".to_owned()),
            (true, _) => Ok(()),
        }
    }

    /// The headers that any reply is documented to have.
    fn header_names(&self) -> impl Iterator<Item = &String> {
        let shared = members(&self.document["components"]["responses"]);
        let own = members(&self.document["paths"])
            .flat_map(|(_, item)| members(item))
            .flat_map(|(_, operation)| members(&operation["responses"]));
        let headers = shared
            .chain(own)
            .flat_map(|(_, it)| members(&it["headers"]));
        headers.map(|(name, _)| name)
    }

    fn operation(&self, sent: &Sent) -> Option<Operation<'_>> {
        let paths = self.document["paths"].as_object()?;
        paths.iter().find_map(|(template, item)| {
            let documented = item.get(sent.method().as_str().to_lowercase())?;
            let (names, values) = (template.split('/'), sent.uri().path().split('/'));
            if names.clone().count() != values.clone().count() {
                return None;
            }
            let mut in_path = Map::new();
            for (name, value) in names.zip(values) {
                match name
                    .strip_prefix('{')
                    .and_then(|name| name.strip_suffix('}'))
                {
                    Some(name) if !value.is_empty() => {
                        let value = percent_decode_str(value).decode_utf8_lossy();
                        in_path.insert(name.to_owned(), json!(value));
                    }
                    _ if name == value => {}
                    _ => return None,
                }
            }
            Some(Operation {
                documented,
                in_path,
            })
        })
    }

    /// Says what of a request its operation does not take.
    fn fits_operation(&self, sent: &Sent, operation: &Operation<'_>) -> Result<(), String> {
        let in_query = pairs(sent.uri().query().unwrap_or_default().as_bytes())?;
        let parameters = operation.documented["parameters"].as_array();
        let mut known = Vec::new();
        for parameter in parameters.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = match parameter["in"] == "path" {
                true => &operation.in_path,
                false => {
                    known.push(name);
                    &in_query
                }
            };
            match place.get(name) {
                Some(value) => {
                    let value = self.read(value.as_str().unwrap_or_default(), &parameter["schema"]);
                    self.fits(&parameter["schema"], &value)
                        .map_err(|it| format!("{name}: {it}"))?;
                }
                None if parameter["required"] == true => {
                    return Err(format!("{name} is missing"));
                }
                None => {}
            }
        }
        if let Some(name) = in_query.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("{name} is no parameter"));
        }
        match sent.body() {
            None => Ok(()),
            Some(bytes) => {
                let body = self.resolve(&operation.documented["requestBody"]);
                self.fits_body(bytes, &media_type(sent.headers()), body)
            }
        }
    }

    fn fits_body(&self, bytes: &[u8], media_type: &str, body: &Value) -> Result<(), String> {
        if bytes.is_empty() {
            return match body["required"] == true {
                true => Err("it has no body".to_owned()),
                false => Ok(()),
            };
        }
        let schema = &body["content"][media_type]["schema"];
        if schema.is_null() {
            return Err(format!("{media_type:?} is not taken"));
        }
        let mut value = match media_type {
            "application/json" => {
                serde_json::from_slice(bytes).map_err(|error| format!("its body: {error}"))?
            }
            _ => Value::Object(pairs(bytes)?),
        };
        let properties = &self.resolve(schema)["properties"];
        for (name, member) in value.as_object_mut().into_iter().flatten() {
            if let Value::String(text) = member {
                *member = self.read(text, &properties[name]);
            }
        }
        self.fits(schema, &value)
    }

    /// Returns true if a request carries the key where its operation expects one, or the operation
    /// needs none.
    fn admits(&self, sent: &Sent, operation: &Value, key: &str) -> bool {
        let choices = operation
            .get("security")
            .unwrap_or(&self.document["security"]);
        let choices: Vec<&Value> = choices.as_array().into_iter().flatten().collect();
        choices.is_empty()
            || choices.iter().any(|choice| {
                members(choice).all(|(name, _)| {
                    self.carries(
                        sent,
                        &self.document["components"]["securitySchemes"][name],
                        key,
                    )
                })
            })
    }

    fn carries(&self, sent: &Sent, scheme: &Value, key: &str) -> bool {
        let header = |name: header::HeaderName| {
            let value = sent.headers().get(name);
            value.and_then(|it| it.to_str().ok()).unwrap_or_default()
        };
        if scheme["type"] == "http" {
            return header(header::AUTHORIZATION) == format!("Bearer {key}");
        }
        // The cookie's name is also that of the body's member.
        let name = scheme["name"].as_str().unwrap_or_default();
        let bytes = sent.body().as_deref().unwrap_or_default();
        let in_body = serde_json::from_slice(bytes).unwrap_or_else(|_| {
            let pairs = pairs(bytes).unwrap_or_default();
            Value::Object(pairs)
        });
        header(header::COOKIE) == format!("{name}={key}") || in_body[name] == key
    }

    /// A text as the value that its schema means: a decimal string is an integer where one is due,
    /// and the space around an address is no part of it.
    fn read(&self, text: &str, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        if schema["format"] == "idn-email" {
            return json!(text.trim());
        }
        let kind = &schema["type"];
        let is_integer = match kind {
            Value::Array(kinds) => kinds.contains(&json!("integer")),
            kind => kind == "integer",
        };
        match text.parse::<i64>() {
            Ok(number) if is_integer && number.to_string() == text => json!(number),
            _ => json!(text),
        }
    }

    /// Target of the value's `$ref`, or the value itself if it has none.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str();
        match reference.and_then(|reference| self.document.pointer(reference.strip_prefix('#')?)) {
            Some(target) => target,
            None => value,
        }
    }

    /// Says where a value is not as a schema has it.
    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let name = schema.to_string();
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let validator = match validators.get(&name) {
            Some(validator) => Arc::clone(validator),
            None => {
                let validator = self.validator(schema).map_err(|error| error.to_string())?;
                let validator = Arc::new(validator);
                validators.insert(name, Arc::clone(&validator));
                validator
            }
        };
        drop(validators);
        match validator.iter_errors(value).next() {
            Some(error) => Err(format!("{}: {error}", error.instance_path())),
            None => Ok(()),
        }
    }

    /// Checks what a schema of the document describes; formats count.
    ///
    /// # Errors
    ///
    /// The schema is none.
    pub fn validator(
        &self,
        schema: &Value,
    ) -> Result<Validator, Box<jsonschema::ValidationError<'static>>> {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .map_err(Box::new)
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let name = value.unwrap_or_default().split(';').next();
    name.unwrap_or_default().trim().to_lowercase()
}

/// The pairs of a query or a form, each name once.
fn pairs(text: &[u8]) -> Result<Map<String, Value>, String> {
    let mut pairs = Map::new();
    for (name, value) in form_urlencoded::parse(text) {
        if pairs.insert(name.to_string(), json!(value)).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    Ok(pairs)
}

/// The members of an object; none of anything else.
pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Adds what the document says by `x-body-member` and `x-form-bodies`: the body member that carries
/// the key of a cookie, at every operation that takes the cookie, and forms beside JSON.
fn write_out_extensions(document: &mut Value) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let schemes = document["components"]["securitySchemes"].clone();
    let everywhere = document["security"].clone();
    let has_forms = document["x-form-bodies"] == true;
    let components = document["components"].clone();
    let items = document["paths"].as_object_mut();
    let items = items.into_iter().flat_map(Map::values_mut);
    let operations = items
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut);
    for operation in operations.filter(|it| it["operationId"].is_string()) {
        let choices = operation.get("security").unwrap_or(&everywhere).clone();
        let choices = choices.as_array().cloned().unwrap_or_default();
        let scheme = choices
            .iter()
            .flat_map(members)
            .map(|(name, _)| &schemes[name])
            .find(|scheme| scheme["x-body-member"].is_object());
        if scheme.is_none() && operation["requestBody"].is_null() {
            continue;
        }
        // Each operation gets a body of its own, so that no other is changed with it.
        let target = |value: &Value| -> Value {
            let name = value["$ref"].as_str().unwrap_or_default();
            let place = name.strip_prefix("#/components").unwrap_or_default();
            match place.is_empty() {
                true => value.clone(),
                false => components.pointer(place).cloned().unwrap_or_default(),
            }
        };
        let mut body = target(&operation["requestBody"]);
        if body.is_null() {
            let empty = json!({ "type": "object", "additionalProperties": false });
            body = json!({ "content": { "application/json": { "schema": empty } } });
        }
        let contents = body["content"].as_object_mut();
        for content in contents.into_iter().flat_map(Map::values_mut) {
            let mut schema = target(&content["schema"]);
            if let Some((name, member)) =
                scheme.and_then(|it| Some((it["name"].as_str()?, &it["x-body-member"])))
                && schema["properties"][name].is_null()
            {
                schema["properties"][name] = member.clone();
            }
            content["schema"] = schema;
        }
        let json = body["content"]["application/json"].clone();
        let is_checked = operation["x-unchecked"] != true;
        if has_forms && is_checked && json.is_object() && body["content"][FORM].is_null() {
            body["content"][FORM] = json;
        }
        operation["requestBody"] = body;
    }
}

/// Closes every schema that a reply is of, or that such a schema refers to.
fn close_replies(document: &mut Value) {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                found.extend(
                    reference
                        .and_then(|it| it.strip_prefix('#'))
                        .map(str::to_owned),
                );
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut open = Vec::new();
    references(&document["components"]["responses"], &mut open);
    for (_, item) in members(&document["paths"]) {
        for (_, operation) in members(item) {
            references(&operation["responses"], &mut open);
        }
    }
    let mut seen: Vec<String> = Vec::new();
    while let Some(pointer) = open.pop() {
        if seen.contains(&pointer) {
            continue;
        }
        if let Some(schema) = document.pointer_mut(&pointer) {
            references(schema, &mut open);
            if schema["type"] == "object" {
                schema["additionalProperties"] = json!(false);
            }
        }
        seen.push(pointer);
    }
}
