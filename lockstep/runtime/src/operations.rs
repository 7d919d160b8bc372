//! The operations of a generated server.

use std::{collections::HashMap, sync::Arc};

use poem::{
    Endpoint, EndpointExt, Request, Response, Result,
    endpoint::{BoxEndpoint, make},
    http::{Method, StatusCode},
};
use poem_openapi::OpenApi;

use crate::{Contract, ContractError, given::Given};

/// The operations of a generated server, behind a [`Contract`]: it has found out which one a request
/// means, and nothing looks at the path again.
pub struct Operations(Vec<BoxEndpoint<'static>>);

/// The endpoints of a server by path and method, as poem-openapi collects them.
pub type Table = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl Operations {
    /// The operations of `routes` in the order of the contract.
    ///
    /// # Errors
    ///
    /// An operation has no route: the code was generated from another document, or leaves it out.
    pub fn new(contract: &Contract, routes: impl OpenApi) -> Result<Self, ContractError> {
        let mut table = Table::new();
        routes.add_routes(&mut table);
        let endpoints = contract.operations().map(|(path, method)| {
            let endpoint = table.get_mut(path).and_then(|it| it.remove(method));
            endpoint.ok_or_else(|| {
                ContractError::new(format!("no code is generated for {method} {path}"))
            })
        });
        Ok(Self(endpoints.collect::<Result<_, _>>()?))
    }
}

impl Endpoint for Operations {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let given = request.data::<Given>();
        match given.and_then(|given| self.0.get(given.operation())) {
            Some(endpoint) => endpoint.call(request).await,
            // Only without a contract in front.
            None => Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
        }
    }
}

/// The endpoints of one service, as they are added to a table.
pub struct RouteTable<'a, T> {
    table: &'a mut Table,
    service: Arc<T>,
}

impl<'a, T: Send + Sync + 'static> RouteTable<'a, T> {
    /// Adds to `table` what `service` serves.
    pub fn new(table: &'a mut Table, service: Arc<T>) -> Self {
        Self { table, service }
    }

    /// Adds the endpoint of an operation.
    pub fn add<F>(
        &mut self,
        method: Method,
        path: &str,
        call: impl Fn(Arc<T>, Request) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        let service = Arc::clone(&self.service);
        let endpoint = make(move |request| call(Arc::clone(&service), request)).boxed();
        let of_path = self.table.entry(path.to_owned()).or_default();
        of_path.insert(method, endpoint);
    }
}
