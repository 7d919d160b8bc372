use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use jsonschema::{PatternOptions, Validator};
use poem::{
    Endpoint, IntoEndpoint, IntoResponse, Request, Response, Result,
    http::{Method, StatusCode, header},
};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{
    Operations, Reject, Rejection, Serve,
    body::{MediaType, essence},
    code,
    coercion::Coercions,
    credential::Access,
    parameters::{Parameter, Place},
    path::{PathParameters, Template},
};

/// The methods of HTTP that an operation may have.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::PATCH,
    Method::TRACE,
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
    /// The path of the server's URL, which may stand before every path.
    base: String,
    /// Routes whose path is written out, by that path.
    literal: BTreeMap<String, Route>,
    /// Routes whose path has parameters.
    with_parameters: Vec<Route>,
    /// Path and method of each operation, in the order of their numbers.
    numbered: Vec<(String, Method)>,
}

/// A path and what may be done there.
struct Route {
    template: Template,
    operations: Vec<(Method, Operation)>,
}

/// An operation: what it accepts, and its limits.
pub(crate) struct Operation {
    /// Its operationId.
    id: String,
    pub(crate) number: usize,
    pub(crate) parameters: Vec<Parameter>,
    /// The schema of a whole request: an object of `path`, `query`, `header`, `cookie` and `body`.
    pub(crate) schema: Value,
    pub(crate) coercions: Coercions,
    pub(crate) validator: Validator,
    /// True if a request with neither parameters nor a body is valid, so that it need not be
    /// checked.
    pub(crate) takes_nothing: bool,
    /// The body by media type; nothing where the operation takes none.
    pub(crate) bodies: Vec<TakenBody>,
    pub(crate) body_is_required: bool,
    pub(crate) access: Access,
    /// The most bytes of a body, where the document says it.
    pub(crate) body_limit: Option<usize>,
    /// The longest time from its checked request to its reply, where the document says it.
    deadline: Option<Duration>,
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

impl Contract {
    /// Reads the document from its JSON text. A body larger than `body_limit`, in bytes, is
    /// answered with 413, unless its operation has the extension `x-body-limit`. An operation with the
    /// extension `x-deadline` that does not reply within so many seconds is answered with 503.
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
                numbered.push((path.clone(), method.clone()));
                operations.push((method, operation));
            }
            let route = Route {
                template: Template::new(path),
                operations,
            };
            match route.template.literal() {
                Some(path) => {
                    literal.insert(path, route);
                }
                None => with_parameters.push(route),
            }
        }
        // What is written out goes before a parameter in the same place.
        with_parameters.sort_by_key(|route| route.template.openness());
        let routes = Routes {
            base: base_path(&document),
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
            reject: None,
        }
    }

    /// Serves generated routes behind the check of each request. What is refused is answered by the
    /// document's own errors where it has some, else by problems of RFC 9457.
    ///
    /// # Errors
    ///
    /// The code was generated from another document.
    pub fn serve(self, routes: impl Serve) -> Result<Guarded<Operations>, ContractError> {
        let reject = routes.reject();
        let operations = Operations::new(&self, routes)?;
        let mut guarded = self.guard(operations);
        guarded.reject = reject;
        Ok(guarded)
    }

    /// Path and method of each operation, in the order of their numbers.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &(String, Method)> {
        self.routes.numbered.iter()
    }

    fn route(&self, path: &str) -> Option<(&Route, PathParameters<'_>)> {
        let routes = &self.routes;
        let path = match path.strip_prefix(routes.base.as_str()) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => path,
        };
        if let Some(route) = routes.literal.get(path) {
            return Some((route, Vec::new()));
        }
        let mut with_parameters = routes.with_parameters.iter();
        with_parameters.find_map(|route| Some((route, route.template.matches(path)?)))
    }

    /// The operation that a request means.
    ///
    /// # Errors
    ///
    /// The answer to a request whose path or method is none of the document.
    pub fn matched(&self, request: &Request) -> Result<Matched<'_>, Rejection> {
        let (route, parameters) = self.route(request.uri().path()).ok_or_else(|| {
            Rejection::new(
                StatusCode::NOT_FOUND,
                code::NOT_FOUND,
                "No operation is at this path; the document lists them.",
            )
        })?;
        match route.operation(request.method()) {
            Some(operation) => Ok(Matched {
                operation,
                path: parameters,
            }),
            None => Err(route.method_not_allowed()),
        }
    }
}

/// The operation of a [`Contract`] that a request means.
pub struct Matched<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) path: PathParameters<'a>,
}

impl<'a> Matched<'a> {
    /// Its operationId.
    pub fn id(&self) -> &'a str {
        &self.operation.id
    }
}

/// An endpoint behind a [`Contract`]: it sees only requests that are as documented.
pub struct Guarded<E> {
    contract: Contract,
    endpoint: E,
    reject: Option<Reject>,
}

impl<E> Guarded<E> {
    /// Answers by `reject` what is refused before a method is called, in the place of problems of RFC
    /// 9457. [`Contract::serve`] does it with the generated trait `Reject`, where there is one.
    #[must_use]
    pub fn rejecting(mut self, reject: Reject) -> Self {
        self.reject = Some(reject);
        self
    }
}

impl<E: Endpoint> Guarded<E> {
    /// The operation that a request means, as [`Contract::matched`] says.
    ///
    /// # Errors
    ///
    /// The answer to a request whose path or method is none of the document.
    pub fn matched(&self, request: &Request) -> Result<Matched<'_>, Rejection> {
        self.contract.matched(request)
    }

    /// Answers a request of which [`Contract::matched`] has found out what it means.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn has room for its arguments twice, and a request is large"
    )]
    pub fn answer<'a>(
        &'a self,
        mut request: Request,
        matched: Result<Matched<'a>, Rejection>,
    ) -> impl Future<Output = Response> + Send + 'a {
        async move {
            let operation = matched.as_ref().ok().map(|matched| matched.operation);
            let checked = match matched {
                Ok(matched) => matched.check(&mut request, self.contract.body_limit).await,
                Err(rejection) => Err(rejection),
            };
            let mut response = match checked {
                Ok(()) => {
                    match operation.and_then(|operation| operation.deadline) {
                        // Not by `get_response`, whose future would be one more to move.
                        None => match self.endpoint.call(request).await {
                            Ok(response) => response.into_response(),
                            Err(error) => error.into_response(),
                        },
                        // Boxed for the operations without one.
                        Some(deadline) => {
                            let reply = self.endpoint.get_response(request);
                            Box::pin(timeout(deadline, reply))
                                .await
                                .unwrap_or_else(|_| {
                                    let detail =
                                        format!("The operation took longer than {deadline:?}.");
                                    let status = StatusCode::SERVICE_UNAVAILABLE;
                                    Rejection::new(status, code::INTERNAL_ERROR, detail)
                                        .into_response()
                                })
                        }
                    }
                }
                Err(rejection) => rejection.into_response(),
            };
            if let Some(reject) = &self.reject
                && let Some(rejection) = response.data::<Rejection>()
            {
                let mut answered = reject(rejection);
                if let Some((name, value)) = rejection.header() {
                    answered.headers_mut().insert(name, value.clone());
                }
                response = answered;
            }
            // RFC 9110, 15.5.2: whatever answers 401 says how to authenticate.
            if response.status() == StatusCode::UNAUTHORIZED
                && !response.headers().contains_key(header::WWW_AUTHENTICATE)
            {
                let headers = response.headers_mut();
                for challenge in operation.into_iter().flat_map(|it| it.access.challenges()) {
                    headers.append(header::WWW_AUTHENTICATE, challenge.clone());
                }
            }
            response
        }
    }
}

impl<E: Endpoint> Endpoint for Guarded<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let matched = self.contract.matched(&request);
        Ok(self.answer(request, matched).await)
    }
}

impl Route {
    fn operation(&self, method: &Method) -> Option<&Operation> {
        let of = |method: &Method| {
            let mut operations = self.operations.iter();
            operations.find_map(|(known, operation)| (known == method).then_some(operation))
        };
        match *method {
            // RFC 9110, 9.3.2: a HEAD is a GET whose answer has no body, which poem leaves out.
            Method::HEAD => of(method).or_else(|| of(&Method::GET)),
            ref method => of(method),
        }
    }

    fn method_not_allowed(&self) -> Rejection {
        let has_head = self
            .operations
            .iter()
            .any(|(method, _)| *method == Method::HEAD);
        let methods: Vec<&str> = self
            .operations
            .iter()
            .map(|(method, _)| match *method {
                Method::GET if !has_head => "GET, HEAD",
                ref method => method.as_str(),
            })
            .collect();
        Rejection::method_not_allowed(&methods.join(", "))
    }
}

impl Operation {
    fn new(document: &Value, operation: &Value, number: usize) -> Result<Self, String> {
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
            // A query that nobody knows is refused; who sends other headers and cookies is no
            // concern of the operation.
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
        // Where the references inside point to.
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
    // A pattern that comes from the document never takes exponential time.
    let plain = options().with_pattern_options(PatternOptions::regex());
    let bounded = PatternOptions::fancy_regex().backtrack_limit(STEPS);
    let built = plain.build(schema);
    let built = built.or_else(|_| options().with_pattern_options(bounded).build(schema));
    built.map_err(|error| error.to_string())
}

/// The components that a schema refers to, and those that they refer to.
fn referenced(document: &Value, schema: &Value) -> Value {
    let mut components = Map::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                open.extend(object.values());
                let reference = object.get("$ref").and_then(Value::as_str);
                let pointer = reference.and_then(|it| it.strip_prefix("#/components/"));
                let Some((kind, rest)) = pointer.and_then(|it| it.split_once('/')) else {
                    continue;
                };
                let name = rest.split('/').next().unwrap_or_default();
                let name = name.replace("~1", "/").replace("~0", "~");
                let named = components.entry(kind).or_insert_with(|| json!({}));
                let component = &document["components"][kind][&name];
                if let Value::Object(named) = named
                    && !named.contains_key(&name)
                {
                    named.insert(name, component.clone());
                    open.push(component);
                }
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    Value::Object(components)
}

/// The path of the first server's URL, its variables with their defaults.
fn base_path(document: &Value) -> String {
    let server = &document["servers"][0];
    let mut url = server["url"].as_str().unwrap_or_default().to_owned();
    for (name, variable) in members(&server["variables"]) {
        let default = variable["default"].as_str().unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |start| &rest[start..]),
        None => url.as_str(),
    };
    path.trim_end_matches('/').to_owned()
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
