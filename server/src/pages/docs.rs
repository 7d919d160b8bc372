//! The documentation: Swagger UI and the document that it shows.

use std::{borrow::Cow, sync::Arc};

use cortex_report_api::{DOCUMENT_JSON, DOCUMENT_YAML};
use poem::{
    Body, IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::{Data, Path, Redirect},
};
use utoipa_swagger_ui::Config;

use crate::service::Service;

/// The server in the text of the document: the root of the host that serves it.
const YAML_SERVER: &str = "servers:\n  - url: /";
const JSON_SERVER: &str = r#""servers":[{"url":"/"#;

/// Redirects to the documentation, since the service has no other start page.
#[handler]
pub(crate) fn home() -> Redirect {
    Redirect::see_other("/docs/")
}

#[handler]
pub(crate) fn document_yaml(Data(service): Data<&Service>) -> Response {
    document(service, DOCUMENT_YAML, YAML_SERVER)
        .with_content_type("application/yaml")
        .into_response()
}

#[handler]
pub(crate) fn document_json(Data(service): Data<&Service>) -> Response {
    document(service, DOCUMENT_JSON, JSON_SERVER)
        .with_content_type("application/json")
        .into_response()
}

/// The document, with the path of the public URL instead of the root as its server.
fn document(service: &Service, text: &'static str, server: &str) -> Body {
    match service.public_url.path().strip_prefix('/') {
        Some(path) => text.replacen(server, &format!("{server}{path}"), 1).into(),
        None => text.into(),
    }
}

#[handler]
pub(crate) fn docs_files(Path(path): Path<String>) -> Response {
    let config = Config::new(["../openapi.json"])
        .use_base_layout()
        .deep_linking(true)
        .display_request_duration(true)
        .try_it_out_enabled(true)
        // The default validator would get the document's URL on another host.
        .validator_url("none");
    match utoipa_swagger_ui::serve(&path, Arc::new(config)) {
        Ok(Some(file)) => {
            // Almost every file is embedded in the binary, and is sent without a copy.
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
