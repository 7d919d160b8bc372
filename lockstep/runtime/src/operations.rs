//! The operations of a generated server, and how they read what was checked.

use std::collections::HashMap;

use poem::{
    Endpoint, Request, RequestBody, Response, Result, endpoint::BoxEndpoint, http::StatusCode,
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi,
    error::{AuthorizationError, ParseParamError},
    registry::{MetaParamIn, MetaSchemaRef, Registry},
    types::ParseFromParameter,
};
use serde_json::Value;

use crate::{Contract, ContractError};

/// The operations of a generated server, behind a [`Contract`]: it has found out which one a request
/// means, and nothing looks at the path again.
pub struct Operations(Vec<BoxEndpoint<'static>>);

impl Operations {
    /// The operations of `routes` in the order of the contract.
    ///
    /// # Errors
    ///
    /// An operation has no route: the code was generated from another document.
    pub fn new(contract: &Contract, routes: impl OpenApi) -> Result<Self, ContractError> {
        let mut table = HashMap::new();
        routes.add_routes(&mut table);
        let of_shapes = table.iter_mut().map(|(path, it)| (shape(path), it));
        let mut of_shapes: HashMap<_, _> = of_shapes.collect();
        let endpoints = contract.operations().map(|(path, method, id)| {
            let of_path = of_shapes.get_mut(&shape(path));
            let endpoint = of_path.and_then(|it| it.remove(method));
            endpoint.ok_or_else(|| ContractError::new(format!("no code is generated for {id}")))
        });
        Ok(Self(endpoints.collect::<Result<_, _>>()?))
    }
}

/// A path without the names of its parameters, for which poem-openapi has its own.
fn shape(path: &str) -> Vec<&str> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let shape = segments.map(|segment| match segment.starts_with(['{', ':']) {
        true => ":",
        false => segment,
    });
    shape.collect()
}

impl Endpoint for Operations {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let checked = request.data::<Checked>();
        match checked.and_then(|checked| self.0.get(checked.operation)) {
            Some(endpoint) => endpoint.call(request).await,
            // Only without a contract in front.
            None => Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
        }
    }
}

/// What a contract has found out of a request.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(crate) operation: usize,
    /// An object of `path`, `query` and `body`; none where nothing was given.
    pub(crate) given: Option<Value>,
    pub(crate) key: Option<Key>,
}

/// A credential, and how it came.
#[derive(Clone)]
pub enum Key {
    /// As `Authorization: Bearer`, or as a member of the body: whoever can write it there is no
    /// other site that only makes a browser send its cookie.
    Bearer(String),
    /// As a cookie alone.
    Cookie(String),
}

/// A generated credential.
pub trait FromKey: Sized {
    /// The credential that a key is; none if the operation cannot do without.
    fn from_key(key: Option<Key>) -> Option<Self>;
}

/// A credential that a contract has found. poem-openapi would look for it in the headers, which no
/// longer have it.
pub struct Found<T>(pub T);

impl<'a, T: ApiExtractor<'a> + FromKey> ApiExtractor<'a> for Found<T> {
    const TYPES: &'static [ApiExtractorType] = T::TYPES;

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        T::security_schemes()
    }

    fn has_security_fallback() -> bool {
        T::has_security_fallback()
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        let key = request.data::<Checked>().and_then(|it| it.key.clone());
        Ok(Self(T::from_key(key).ok_or(AuthorizationError)?))
    }
}

macro_rules! parameter {
    ($name:ident, $place:literal, $what:literal) => {
        #[doc = $what]
        pub struct $name<T>(pub T);

        impl<'a, T: ParseFromParameter> ApiExtractor<'a> for $name<T> {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
            const PARAM_IS_REQUIRED: bool = T::IS_REQUIRED;

            type ParamType = T;
            type ParamRawType = T::RawValueType;

            fn register(registry: &mut Registry) {
                T::register(registry);
            }

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::$name)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                Some(T::schema_ref())
            }

            fn param_raw_type(&self) -> Option<&Self::ParamRawType> {
                self.0.as_raw_value()
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                options: ExtractParamOptions<Self::ParamType>,
            ) -> Result<Self> {
                Ok(Self(parameter(request, $place, options.name)?))
            }
        }
    };
}

parameter!(
    Path,
    "path",
    "A parameter in the path, as a contract has checked it."
);
parameter!(
    Query,
    "query",
    "A parameter in the query, as a contract has checked it."
);

fn parameter<T: ParseFromParameter>(
    request: &Request,
    place: &str,
    name: &'static str,
) -> Result<T, ParseParamError> {
    let given = request.data::<Checked>().and_then(|it| it.given.as_ref());
    let given = given.and_then(|given| {
        let members = given.get(place)?.as_object()?;
        // The parameters of a path are in its order, and poem-openapi calls them by their numbers.
        match name.strip_prefix("param").and_then(|it| it.parse().ok()) {
            Some(number) if place == "path" => members.values().nth(number),
            _ => members.get(name),
        }
    });
    let text = given.map(|given| match given {
        Value::String(text) => text.clone(),
        // A decimal string has become an integer.
        other => other.to_string(),
    });
    T::parse_from_parameters(text).map_err(|error| ParseParamError {
        name,
        reason: error.into_message(),
    })
}
