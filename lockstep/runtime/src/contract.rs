//! The check of requests against an OpenAPI document.

use std::{collections::BTreeMap, sync::Arc};

use poem::{
    Endpoint, IntoEndpoint, IntoResponse, Request, Response, Result,
    http::{Method, StatusCode, header},
};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    code,
    document::{ContractError, base_path, members},
    operation::Operation,
    operations::{Operations, Reject, Serve},
    path::{PathParameters, Template},
    problem::Rejection,
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

struct Routes {
    /// The path of the server's URL, which may stand before every path.
    base: String,
    /// Routes without path parameters, by path.
    literal: BTreeMap<String, Route>,
    /// Routes whose path has parameters.
    with_parameters: Vec<Route>,
    /// Path and method of each operation, in the order of their numbers.
    numbered: Vec<(String, Method)>,
}

/// A path and its operations.
struct Route {
    template: Template,
    operations: Vec<(Method, Operation)>,
}

impl Contract {
    /// Reads the document from its JSON text. A body larger than `body_limit`, in bytes, is
    /// answered with 413, unless its operation has the extension `x-body-limit`. An operation with
    /// the extension `x-deadline` that does not reply within so many seconds is answered with 503.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or one of its schemas is not valid.
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
        // Literal text has priority over a parameter in the same place.
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

    /// Serves generated routes behind the check of each request. Rejections are sent as the
    /// document's own errors if it has some, otherwise as problems of RFC 9457.
    ///
    /// # Errors
    ///
    /// The code was generated from another document.
    pub fn serve(self, routes: impl Serve) -> Result<Guarded<Operations>, ContractError> {
        let reject = routes.reject();
        let operations = self.operations(routes)?;
        let mut guarded = self.guard(operations);
        guarded.reject = reject;
        Ok(guarded)
    }

    /// The operations of `routes`, to be put behind this contract by [`Contract::guard`].
    ///
    /// # Errors
    ///
    /// An operation has no route: the code was generated from another document, or leaves it out.
    pub fn operations(&self, routes: impl Serve) -> Result<Operations, ContractError> {
        Operations::new(&self.routes.numbered, routes)
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

    /// Finds the operation of a request.
    ///
    /// # Errors
    ///
    /// The answer to a request whose path or method the document does not have.
    pub fn matched(&self, request: &Request) -> Result<Matched<'_>, Rejection> {
        let (route, parameters) = self.route(request.uri().path()).ok_or_else(|| {
            Rejection::new(
                StatusCode::NOT_FOUND,
                code::NOT_FOUND,
                "No operation has this path; the OpenAPI document lists all paths.",
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

/// The operation of a [`Contract`] that matches a request.
pub struct Matched<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) path: PathParameters<'a>,
}

impl<'a> Matched<'a> {
    /// Its operationId.
    pub fn id(&self) -> &'a str {
        &self.operation.id
    }

    /// The maximum size of its body in bytes, if the document has one for it.
    pub fn body_limit(&self) -> Option<usize> {
        self.operation.body_limit
    }
}

/// An endpoint behind a [`Contract`]: it sees only requests that are as documented.
pub struct Guarded<E> {
    contract: Contract,
    endpoint: E,
    reject: Option<Reject>,
}

impl<E> Guarded<E> {
    /// Writes rejections with `reject`, instead of as problems of RFC 9457. [`Contract::serve`]
    /// does it with the generated trait `Reject`, where there is one.
    #[must_use]
    pub fn rejecting(mut self, reject: Reject) -> Self {
        self.reject = Some(reject);
        self
    }
}

impl<E: Endpoint> Guarded<E> {
    /// Finds the operation of a request, like [`Contract::matched`].
    ///
    /// # Errors
    ///
    /// The answer to a request whose path or method the document does not have.
    pub fn matched(&self, request: &Request) -> Result<Matched<'_>, Rejection> {
        self.contract.matched(request)
    }

    /// Handles a request that [`Contract::matched`] has matched to an operation.
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
                        // Without `get_response`, whose future would be one more to move.
                        None => match self.endpoint.call(request).await {
                            Ok(response) => response.into_response(),
                            Err(error) => error.into_response(),
                        },
                        // Boxed to keep the future small for operations without a deadline.
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
            // RFC 9110, 15.5.2: every 401 has a challenge.
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
