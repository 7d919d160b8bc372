//! The operations of a generated server.

use std::{collections::HashMap, pin::Pin, sync::Arc};

use poem::{
    Endpoint, Request, Response, Result,
    endpoint::{BoxEndpoint, DynEndpoint},
    http::{Method, StatusCode},
};
use poem_openapi::OpenApi;

use crate::{document::ContractError, given::Given, problem::Rejection};

/// The future of an operation. It borrows nothing, so it can be spawned as a task.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

/// The endpoints of a server by path and method, as poem-openapi collects them.
pub type Table = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

/// The operations of a generated server, behind a [`Contract`](crate::Contract): the contract has
/// already matched the request to an operation, so the path is not routed again.
pub struct Operations(Vec<Called>);

/// Writes the response to a request that is refused before a method is called.
pub type Reject = Arc<dyn Fn(&Rejection) -> Response + Send + Sync>;

/// Routes that are generated from a document.
pub trait Serve: OpenApi {
    /// The endpoint of each operation.
    fn endpoints(self) -> Endpoints;

    /// Writes rejections as the document's own errors; `None` if it has problems of RFC 9457.
    fn reject(&self) -> Option<Reject> {
        None
    }
}

/// The endpoints of a generated server, by path and method.
#[derive(Default)]
pub struct Endpoints(HashMap<(&'static str, Method), Called>);

/// Calls an operation.
struct Called(Box<dyn Fn(Request) -> Answering + Send + Sync>);

impl DynEndpoint for Called {
    type Output = Response;

    fn call(&self, request: Request) -> Answering {
        (self.0)(request)
    }
}

impl Endpoints {
    /// Adds the endpoint of an operation of `service`.
    pub fn add<T, F>(
        &mut self,
        method: Method,
        path: &'static str,
        service: &Arc<T>,
        call: impl Fn(Arc<T>, Request) -> F + Send + Sync + 'static,
    ) where
        T: Send + Sync + 'static,
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        let service = Arc::clone(service);
        let called = Called(Box::new(move |request| {
            Box::pin(call(Arc::clone(&service), request))
        }));
        self.0.insert((path, method), called);
    }

    /// Adds them to the table that poem-openapi collects.
    pub fn add_to(self, table: &mut Table) {
        for ((path, method), called) in self.0 {
            let of_path = table.entry(path.to_owned()).or_default();
            of_path.insert(method, Box::new(called));
        }
    }
}

impl Operations {
    /// The operations of `routes`, in the order of `numbered`: the path and method of each.
    pub(crate) fn new(
        numbered: &[(String, Method)],
        routes: impl Serve,
    ) -> Result<Self, ContractError> {
        let mut endpoints = routes.endpoints().0;
        let called = numbered.iter().map(|(path, method)| {
            let called = endpoints.remove(&(path.as_str(), method.clone()));
            called.ok_or_else(|| {
                ContractError::new(format!("no code is generated for {method} {path}"))
            })
        });
        Ok(Self(called.collect::<Result<_, _>>()?))
    }

    /// Starts the operation of a request that a [`Contract`](crate::Contract) has checked.
    ///
    /// # Errors
    ///
    /// 500 if there is no contract in front.
    pub fn begin(&self, request: Request) -> Result<Answering> {
        let given = request.data::<Given>();
        match given.and_then(|given| self.0.get(given.operation())) {
            Some(called) => Ok((called.0)(request)),
            None => Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
        }
    }
}

impl Endpoint for Operations {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        self.begin(request)?.await
    }
}
