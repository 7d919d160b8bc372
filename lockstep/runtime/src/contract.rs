use std::{fmt, sync::Arc};

use jsonschema::Validator;
use poem::{
    Endpoint, IntoEndpoint, IntoResponse, Request, Response, Result,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde_json::{Map, Value, json};

use crate::{Rejection, body::MediaType, code};

/// What of a path item is an operation.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::PATCH,
];

/// An OpenAPI document, ready to check requests against.
#[derive(Clone)]
pub struct Contract {
    routes: Arc<[Route]>,
    pub(crate) body_limit: usize,
}

/// A document that no contract can be made of; openapi-lockstep accepts none such.
#[derive(Debug)]
pub struct ContractError(String);

impl fmt::Display for ContractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the OpenAPI document cannot be used: {}", self.0)
    }
}

impl std::error::Error for ContractError {}

/// A path and what may be done there.
struct Route {
    segments: Vec<Segment>,
    operations: Vec<(Method, Operation)>,
}

enum Segment {
    Literal(String),
    Parameter(String),
}

/// The parameters of a path by name, as they were sent.
pub(crate) type PathParameters<'a> = Vec<(&'a str, String)>;

/// What an operation takes.
pub(crate) struct Operation {
    /// Its operationId.
    id: String,
    /// The schema of a whole request: an object of `path`, `query` and `body`.
    pub(crate) schema: Value,
    pub(crate) validator: Validator,
    /// The media types of the body; none where the operation takes no body.
    pub(crate) media_types: Vec<MediaType>,
    pub(crate) access: Access,
}

/// Who may call an operation.
pub(crate) enum Access {
    Public,
    Secured {
        /// The cookie, and so the body member, that carries the key.
        cookie: Option<String>,
        /// Whether `Authorization: Bearer` carries it.
        bearer: bool,
        /// The status that answers a missing credential; none where it may be missing.
        missing: Option<StatusCode>,
    },
}

impl Contract {
    /// Reads the document from its JSON text. A body larger than `body_limit`, in bytes, is
    /// answered with 413.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or one of its schemas is none.
    pub fn new(document: &str, body_limit: usize) -> Result<Self, ContractError> {
        let document: Value =
            serde_json::from_str(document).map_err(|error| ContractError(error.to_string()))?;
        let mut routes = Vec::new();
        for (path, item) in members(&document["paths"]) {
            let mut operations = Vec::new();
            for method in METHODS {
                let Some(operation) = item.get(method.as_str().to_lowercase()) else {
                    continue;
                };
                let operation = Operation::new(&document, operation)
                    .map_err(|error| ContractError(format!("{method} {path}: {error}")))?;
                operations.push((method, operation));
            }
            routes.push(Route {
                segments: segments(path),
                operations,
            });
        }
        // A path that is written out goes before one with a parameter in the same place.
        routes.sort_by_key(|route| {
            let is_parameter = |segment: &Segment| matches!(segment, Segment::Parameter(_));
            route.segments.iter().map(is_parameter).collect::<Vec<_>>()
        });
        Ok(Self {
            routes: routes.into(),
            body_limit,
        })
    }

    /// Puts an endpoint behind the check of each request.
    pub fn guard<E: IntoEndpoint>(self, endpoint: E) -> Guarded<E::Endpoint> {
        Guarded {
            contract: self,
            endpoint: endpoint.into_endpoint(),
        }
    }

    /// The operationId of the operation that a request means, if it means one.
    pub fn operation_id(&self, request: &Request) -> Option<&str> {
        let (operation, _) = self.operation(request).ok()?;
        Some(&operation.id)
    }

    /// The operation that a request means, with the path's parameters.
    pub(crate) fn operation(
        &self,
        request: &Request,
    ) -> Result<(&Operation, PathParameters<'_>), Rejection> {
        let path = request.uri().path();
        let (route, parameters) = self
            .routes
            .iter()
            .find_map(|route| Some((route, route.parameters(path)?)))
            .ok_or_else(|| {
                Rejection::new(
                    StatusCode::NOT_FOUND,
                    code::NOT_FOUND,
                    "No operation is at this path; the document lists them.",
                )
            })?;
        // RFC 9110, 9.3.2: a HEAD is a GET whose answer has no body, which poem leaves out.
        let method = match *request.method() {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        match route.operations.iter().find(|(known, _)| known == method) {
            Some((_, operation)) => Ok((operation, parameters)),
            None => Err(route.method_not_allowed()),
        }
    }
}

/// An endpoint behind a [`Contract`]: it sees only requests that are as documented.
pub struct Guarded<E> {
    contract: Contract,
    endpoint: E,
}

impl<E: Endpoint> Endpoint for Guarded<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut response = match self.contract.check(request).await {
            Ok(request) => self.endpoint.get_response(request).await,
            Err(rejection) => rejection.into_response(),
        };
        // RFC 9110, 15.5.2: whatever answers 401 says how to authenticate.
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            let headers = response.headers_mut();
            headers.entry(header::WWW_AUTHENTICATE).or_insert(challenge);
        }
        Ok(response)
    }
}

impl Route {
    fn parameters(&self, path: &str) -> Option<PathParameters<'_>> {
        let given: Vec<&str> = path.split('/').collect();
        if given.len() != self.segments.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (segment, given) in self.segments.iter().zip(given) {
            match segment {
                Segment::Literal(literal) if literal == given => {}
                Segment::Parameter(name) if !given.is_empty() => {
                    parameters.push((name.as_str(), given.to_owned()));
                }
                _ => return None,
            }
        }
        Some(parameters)
    }

    fn method_not_allowed(&self) -> Rejection {
        let methods: Vec<&str> = self
            .operations
            .iter()
            .map(|(method, _)| match *method {
                Method::GET => "GET, HEAD",
                ref method => method.as_str(),
            })
            .collect();
        Rejection::method_not_allowed(&methods.join(", "))
    }
}

impl Operation {
    fn new(document: &Value, operation: &Value) -> Result<Self, String> {
        let mut places = Map::new();
        let mut required = Vec::new();
        for place in ["path", "query"] {
            let (schema, is_required) = parameters(operation, place);
            places.insert(place.to_owned(), schema);
            if is_required {
                required.push(place);
            }
        }
        let body = resolve(document, &operation["requestBody"]);
        let contents: Vec<(&String, &Value)> = members(&body["content"]).collect();
        if let Some((_, content)) = contents.first() {
            places.insert("body".to_owned(), content["schema"].clone());
            if body["required"] == true {
                required.push("body");
            }
        }
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": places,
            "required": required,
            // Where the references inside point to.
            "components": document["components"],
        });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            // A pattern that comes from the document never takes exponential time.
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .build(&schema)
            .map_err(|error| error.to_string())?;
        let id = operation["operationId"].as_str().unwrap_or_default();
        Ok(Self {
            id: id.to_owned(),
            media_types: contents
                .iter()
                .filter_map(|(name, _)| MediaType::parse(name))
                .collect(),
            access: Access::new(document, operation),
            schema,
            validator,
        })
    }
}

impl Access {
    fn new(document: &Value, operation: &Value) -> Self {
        let requirements = operation
            .get("security")
            .or_else(|| document.get("security"))
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let schemes: Vec<&Value> = requirements
            .iter()
            .flat_map(members)
            .map(|(name, _)| &document["components"]["securitySchemes"][name])
            .collect();
        if schemes.is_empty() {
            return Self::Public;
        }
        let optional = requirements
            .iter()
            .any(|requirement| members(requirement).next().is_none());
        let documented = |status| operation["responses"].get(status).is_some();
        Self::Secured {
            cookie: schemes
                .iter()
                .find(|scheme| scheme["in"] == "cookie")
                .and_then(|scheme| scheme["name"].as_str())
                .map(str::to_owned),
            bearer: schemes.iter().any(|scheme| scheme["scheme"] == "bearer"),
            missing: match (optional, documented("401")) {
                (true, _) => None,
                (false, true) => Some(StatusCode::UNAUTHORIZED),
                (false, false) => Some(StatusCode::FORBIDDEN),
            },
        }
    }
}

/// The schema of the parameters in `place`, and whether one of them is required.
fn parameters(operation: &Value, place: &str) -> (Value, bool) {
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

fn segments(path: &str) -> Vec<Segment> {
    path.split('/')
        .map(|segment| {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Literal(segment.to_owned()),
            }
        })
        .collect()
}

/// Follows a reference within the document, if there is one.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
