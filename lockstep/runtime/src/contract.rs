use std::{collections::BTreeMap, fmt, sync::Arc};

use jsonschema::Validator;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use poem::{
    Endpoint, IntoEndpoint, IntoResponse, Request, Response, Result,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde_json::{Map, Value, json};

use crate::{Rejection, body::MediaType, code, coercion::Coercions};

/// The extension of a member of a body, `true`: it carries the key of the cookie of its name.
const BODY_MEMBER: &str = "x-body-member";

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
    routes: Arc<Routes>,
    pub(crate) body_limit: usize,
}

/// A document that no contract can be made of; openapi-lockstep accepts none such.
#[derive(Debug)]
pub struct ContractError(String);

impl ContractError {
    pub(crate) fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the OpenAPI document cannot be used: {}", self.0)
    }
}

impl std::error::Error for ContractError {}

struct Routes {
    /// Routes whose path is written out, by that path.
    literal: BTreeMap<String, Route>,
    /// Routes whose path has parameters.
    with_parameters: Vec<Route>,
    /// Path, method and operationId of each operation, in the order of their numbers.
    numbered: Vec<(String, Method, String)>,
}

/// A path and what may be done there.
struct Route {
    segments: Vec<Segment>,
    operations: Vec<(Method, Operation)>,
}

enum Segment {
    Literal(String),
    Parameter(String),
}

impl Segment {
    fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }
}

/// The parameters of a path by name, as they were sent.
pub(crate) type PathParameters<'a> = Vec<(&'a str, String)>;

/// What an operation takes.
pub(crate) struct Operation {
    /// Its operationId.
    id: String,
    pub(crate) number: usize,
    /// The schema of a whole request: an object of `path`, `query` and `body`.
    pub(crate) schema: Value,
    pub(crate) coercions: Coercions,
    pub(crate) validator: Validator,
    /// Whether it may be asked with neither parameters nor a body.
    pub(crate) takes_nothing: bool,
    /// The media types of the body; none where the operation takes no body.
    pub(crate) media_types: Vec<MediaType>,
    /// Whether its body may carry more than a credential, so that somebody reads it.
    pub(crate) body_is_read: bool,
    pub(crate) access: Access,
}

/// Who may call an operation.
pub(crate) enum Access {
    Public,
    Secured {
        /// The cookie that carries the key.
        cookie: Option<String>,
        /// True if the member of the body that has the cookie's name carries it too.
        in_body: bool,
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
        let document: Value = serde_json::from_str(document).map_err(ContractError::new)?;
        let mut numbered = Vec::new();
        let (mut literal, mut with_parameters) = (BTreeMap::new(), Vec::new());
        for (path, item) in members(&document["paths"]) {
            let mut operations = Vec::new();
            for method in METHODS {
                let Some(operation) = item.get(method.as_str().to_lowercase()) else {
                    continue;
                };
                let number = numbered.len();
                let operation = Operation::new(&document, operation, number)
                    .map_err(|error| ContractError::new(format!("{method} {path}: {error}")))?;
                numbered.push((path.clone(), method.clone(), operation.id.clone()));
                operations.push((method, operation));
            }
            let route = Route {
                segments: segments(path),
                operations,
            };
            if route.segments.iter().any(Segment::is_parameter) {
                with_parameters.push(route);
            } else {
                literal.insert(encoded(path), route);
            }
        }
        // A segment that is written out goes before a parameter in the same place.
        with_parameters.sort_by_key(|route| {
            let segments = route.segments.iter();
            segments.map(Segment::is_parameter).collect::<Vec<_>>()
        });
        let routes = Routes {
            literal,
            with_parameters,
            numbered,
        };
        Ok(Self {
            routes: Arc::new(routes),
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

    /// Path, method and operationId of each operation, in the order of their numbers.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &Method, &str)> {
        let numbered = self.routes.numbered.iter();
        numbered.map(|(path, method, id)| (path.as_str(), method, id.as_str()))
    }

    /// The operationId of the operation that a request means, if it means one.
    pub fn operation_id(&self, request: &Request) -> Option<&str> {
        let (route, _) = self.route(request.uri().path())?;
        Some(&route.operation(request.method())?.id)
    }

    fn route(&self, path: &str) -> Option<(&Route, PathParameters<'_>)> {
        if let Some(route) = self.routes.literal.get(path) {
            return Some((route, Vec::new()));
        }
        let mut routes = self.routes.with_parameters.iter();
        routes.find_map(|route| Some((route, route.parameters(path)?)))
    }

    /// The operation that a request means, with the path's parameters.
    pub(crate) fn operation(
        &self,
        request: &Request,
    ) -> Result<(&Operation, PathParameters<'_>), Rejection> {
        let (route, parameters) = self.route(request.uri().path()).ok_or_else(|| {
            Rejection::new(
                StatusCode::NOT_FOUND,
                code::NOT_FOUND,
                "No operation is at this path; the document lists them.",
            )
        })?;
        match route.operation(request.method()) {
            Some(operation) => Ok((operation, parameters)),
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

    async fn call(&self, mut request: Request) -> Result<Response> {
        let mut response = match self.contract.check(&mut request).await {
            Ok(()) => self.endpoint.get_response(request).await,
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
        let mut given = path.split('/');
        let mut parameters = Vec::new();
        for segment in &self.segments {
            match (segment, given.next()?) {
                (Segment::Literal(literal), given) if literal == given => {}
                (Segment::Parameter(name), given) if !given.is_empty() => {
                    parameters.push((name.as_str(), given.to_owned()));
                }
                _ => return None,
            }
        }
        given.next().is_none().then_some(parameters)
    }

    fn operation(&self, method: &Method) -> Option<&Operation> {
        // RFC 9110, 9.3.2: a HEAD is a GET whose answer has no body, which poem leaves out.
        let method = match *method {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        let mut operations = self.operations.iter();
        operations.find_map(|(known, operation)| (known == method).then_some(operation))
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
    fn new(document: &Value, operation: &Value, number: usize) -> Result<Self, String> {
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
        let body = contents.first().map(|(_, content)| &content["schema"]);
        let body = body.map(|schema| resolve(document, schema));
        let access = Access::new(document, operation, body.unwrap_or(&Value::Null));
        let body_is_read = body.is_some_and(|body| {
            let members = members(&body["properties"]);
            let mut names = members.map(|(name, _)| name);
            names.any(|name| Some(name) != access.body_member())
        });
        Ok(Self {
            id: id.to_owned(),
            number,
            takes_nothing: validator.is_valid(&json!({ "path": {}, "query": {} })),
            body_is_read,
            media_types: contents
                .iter()
                .filter_map(|(name, _)| MediaType::parse(name))
                .collect(),
            access,
            coercions: Coercions::new(&schema),
            schema,
            validator,
        })
    }
}

impl Access {
    /// The member of the body that carries the key.
    pub(crate) fn body_member(&self) -> Option<&String> {
        match self {
            Self::Secured {
                cookie,
                in_body: true,
                ..
            } => cookie.as_ref(),
            _ => None,
        }
    }

    /// The access to an operation whose body is of the schema `body`.
    fn new(document: &Value, operation: &Value, body: &Value) -> Self {
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
        let cookie = schemes.iter().find(|scheme| scheme["in"] == "cookie");
        Self::Secured {
            cookie: cookie
                .and_then(|scheme| scheme["name"].as_str())
                .map(str::to_owned),
            in_body: cookie.is_some_and(|scheme| {
                let name = scheme["name"].as_str().unwrap_or_default();
                body["properties"][name][BODY_MEMBER] == true
            }),
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
                None => Segment::Literal(encoded(segment)),
            }
        })
        .collect()
}

/// A path as it is asked for: what a URL cannot have in a path is percent-encoded.
fn encoded(path: &str) -> String {
    /// The path percent-encode set of the URL standard, except the braces of parameters.
    const NOT_IN_PATHS: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'^')
        .add(b'`');
    utf8_percent_encode(path, NOT_IN_PATHS).to_string()
}

/// Follows a reference within the document, if there is one.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
