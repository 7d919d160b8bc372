//! What the generated code reads bodies into and writes them from.

use std::marker::PhantomData;

use poem::{
    IntoResponse, Request, RequestBody, Response, Result,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    error::ParseRequestPayloadError,
    payload,
    payload::{ParsePayload, Payload},
    registry::{MetaRequest, MetaSchemaRef, Registry},
    types::{ParseFromJSON, Type},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::operations::Checked;

/// A JSON body. What a [`Contract`](crate::Contract) has read of a request is not read again, and a
/// reply is written at once, where poem-openapi's own makes a tree of values of it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Type> Payload for Json<T> {
    const CONTENT_TYPE: &'static str = payload::Json::<T>::CONTENT_TYPE;

    fn check_content_type(content_type: &str) -> bool {
        payload::Json::<T>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for Json<T> {
    const IS_REQUIRED: bool = T::IS_REQUIRED;

    async fn from_request(request: &Request, _: &mut RequestBody) -> Result<Self> {
        let body = request.data::<Checked>().and_then(|it| it.given.as_ref());
        let body = body.and_then(|given| given.get("body"));
        // A body that may be left out is an object of which nothing is required.
        let body = body.cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let value = T::parse_from_json(Some(body)).map_err(|error| ParseRequestPayloadError {
            reason: error.into_message(),
        })?;
        Ok(Self(value))
    }
}

impl<T: Serialize + Send> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let mut response = Response::builder().body(body);
                let media_type = HeaderValue::from_static("application/json; charset=utf-8");
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, media_type);
                response
            }
            Err(error) => poem::error::InternalServerError(error).into_response(),
        }
    }
}

/// A documented body that is not read: [`Contract`](crate::Contract) has checked it, and what it
/// carries is elsewhere.
pub struct Unread<T>(PhantomData<fn() -> T>);

impl<'a, T: ApiExtractor<'a>> ApiExtractor<'a> for Unread<T> {
    const TYPES: &'static [ApiExtractorType] = T::TYPES;

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        T::request_meta()
    }

    async fn from_request(
        _: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        Ok(Self(PhantomData))
    }
}
