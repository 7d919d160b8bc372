//! The documentation: Swagger UI and the document that it shows.

use std::{borrow::Cow, sync::Arc};

use cortex_report_api::{DOCUMENT_JSON, DOCUMENT_YAML};
use poem::{
    Body, IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::{Path, Redirect},
};
use utoipa_swagger_ui::Config;

/// Starts Swagger UI with the document. It runs from a file of ours, since a browser refuses a GET
/// with a body, which the document allows: Swagger UI would fail to try one out.
const INITIALIZER: &str = include_str!("../../templates/swagger-initializer.js");

/// Leads to the documentation, which is what there is for a person to see.
#[handler]
pub(crate) fn home() -> Redirect {
    Redirect::see_other("/docs/")
}

#[handler]
pub(crate) fn document_yaml() -> Response {
    DOCUMENT_YAML
        .with_content_type("application/yaml")
        .into_response()
}

#[handler]
pub(crate) fn document_json() -> Response {
    DOCUMENT_JSON
        .with_content_type("application/json")
        .into_response()
}

#[handler]
pub(crate) fn docs_files(Path(path): Path<String>) -> Response {
    if path == "swagger-initializer.js" {
        return INITIALIZER
            .with_content_type("text/javascript; charset=utf-8")
            .into_response();
    }
    match utoipa_swagger_ui::serve(&path, Arc::new(Config::default())) {
        Ok(Some(file)) => {
            // Almost every file is part of the binary, and is sent from there.
            let body = match file.bytes {
                Cow::Borrowed(bytes) => Body::from(bytes),
                Cow::Owned(bytes) => Body::from(bytes),
            };
            let mut response = body.with_content_type(&file.content_type).into_response();
            if file.gzpipped {
                let gzip = header::HeaderValue::from_static("gzip");
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, gzip);
            }
            response
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
