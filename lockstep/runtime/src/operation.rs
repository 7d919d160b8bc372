//! An operation of the document, ready to check its requests.

use std::time::Duration;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value, json};

use crate::{
    body::{MediaType, essence},
    coercion::Coercions,
    credential::Access,
    document::{members, referenced, resolve},
    parameters::{Parameter, Place},
};

/// An operation: what it accepts, and its limits.
pub(crate) struct Operation {
    /// Its operationId.
    pub(crate) id: String,
    pub(crate) number: usize,
    /// True if its requests are passed on as they are sent.
    pub(crate) is_unchecked: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// The schema of a whole request: an object of `path`, `query`, `header`, `cookie` and `body`.
    pub(crate) schema: Value,
    pub(crate) coercions: Coercions,
    pub(crate) validator: Validator,
    /// True if a request with neither parameters nor a body is valid, so that it need not be
    /// checked.
    pub(crate) takes_nothing: bool,
    /// The bodies by media type; empty if the operation takes none.
    pub(crate) bodies: Vec<TakenBody>,
    pub(crate) body_is_required: bool,
    pub(crate) access: Access,
    /// Maximum size of a body in bytes, if the document has one.
    pub(crate) body_limit: Option<usize>,
    /// Maximum time from the checked request to the reply, if the document has one.
    pub(crate) deadline: Option<Duration>,
}

/// A body that an operation takes.
pub(crate) struct TakenBody {
    /// The media type without its parameters, in lower case.
    pub(crate) essence: String,
    pub(crate) media_type: MediaType,
    /// The member of the schema of a whole request that it is checked as.
    pub(crate) place: String,
    /// The members of a form.
    pub(crate) members: Vec<Parameter>,
}

impl Operation {
    pub(crate) fn new(document: &Value, operation: &Value, number: usize) -> Result<Self, String> {
        let body = resolve(document, &operation["requestBody"]);
        let first = members(&body["content"]).next();
        let first = first.map_or(&Value::Null, |(_, it)| resolve(document, &it["schema"]));
        let access = Access::new(document, operation, first);
        let mut places = Map::new();
        let mut required = Vec::new();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<Parameter> = parameters
            .filter_map(|parameter| Parameter::new(document, parameter))
            .collect();
        for place in ["path", "query", "header", "cookie"] {
            let (mut schema, is_required) = parameters_schema(operation, place);
            let has_any = parameters.iter().any(|it| it.place.name() == place);
            // Unknown query parameters are refused; other headers and cookies do not concern the
            // operation.
            if place == "query" {
                for key in access.query_keys() {
                    schema["properties"][key] = json!({ "type": "string" });
                }
            }
            if has_any || place == "query" {
                places.insert(place.to_owned(), schema);
            }
            if is_required {
                required.push(place);
            }
        }
        let mut bodies = Vec::new();
        let mut schemas = Vec::<(&Value, String)>::new();
        for (name, content) in members(&body["content"]) {
            let essence = essence(name);
            let media_type = MediaType::of(&essence);
            let schema = content.get("schema").unwrap_or(&Value::Bool(true));
            let members = match media_type.is_of_texts() {
                true => Parameter::of_form(document, schema),
                false => Vec::new(),
            };
            // Bodies of one schema are checked in one place.
            let known = schemas.iter().find(|(known, _)| *known == schema);
            let place = match known {
                Some((_, place)) => place.clone(),
                None if schemas.is_empty() => "body".to_owned(),
                None => format!("body {}", schemas.len()),
            };
            if media_type.is_value() && known.is_none() {
                places.insert(place.clone(), schema.clone());
                schemas.push((schema, place.clone()));
            }
            bodies.push(TakenBody {
                essence,
                media_type,
                place,
                members,
            });
        }
        let body_is_required = body["required"] == true;
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": places,
            "required": required,
        });
        // The references inside the schema point to these.
        let components = referenced(document, &schema);
        schema["components"] = components;
        let validator = validator(&schema)?;
        let takes_nothing = !body_is_required
            && !parameters.iter().any(Parameter::has_default)
            && parameters
                .iter()
                .all(|it| matches!(it.place, Place::Path | Place::Query))
            && validator.is_valid(&json!({ "path": {}, "query": {} }));
        Ok(Self {
            id: operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            number,
            is_unchecked: operation["x-unchecked"] == true,
            parameters,
            takes_nothing,
            bodies,
            body_is_required,
            access,
            deadline: operation["x-deadline"]
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            body_limit: operation["x-body-limit"]
                .as_u64()
                .and_then(|it| it.try_into().ok()),
            coercions: Coercions::new(&schema),
            schema,
            validator,
        })
    }
}

/// The schema of the parameters in `place`, and whether one of them is required.
fn parameters_schema(operation: &Value, place: &str) -> (Value, bool) {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let parameters = operation["parameters"].as_array();
    for parameter in parameters.into_iter().flatten() {
        if parameter["in"] != place {
            continue;
        }
        let name = parameter["name"].as_str().unwrap_or_default();
        properties.insert(name.to_owned(), parameter["schema"].clone());
        if parameter["required"] == true {
            required.push(name);
        }
    }
    let is_required = !required.is_empty();
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    (schema, is_required)
}

fn validator(schema: &Value) -> Result<Validator, String> {
    /// The most steps that a pattern with a look-around takes.
    const STEPS: usize = 10_000;
    let options = || {
        jsonschema::options()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
    };
    // A pattern of the document never takes exponential time.
    let plain = options().with_pattern_options(PatternOptions::regex());
    let bounded = PatternOptions::fancy_regex().backtrack_limit(STEPS);
    let built = plain.build(schema);
    let built = built.or_else(|_| options().with_pattern_options(bounded).build(schema));
    built.map_err(|error| error.to_string())
}
