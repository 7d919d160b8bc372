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

/// The document's server, which is where it is served, in the texts of the document.
const YAML_SERVER: &str = "servers:\n  - url: /";
const JSON_SERVER: &str = r#""servers":[{"url":"/"#;

/// Leads to the documentation, which is what there is for a person to see.
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

/// The document, with the path of the public URL at the place where `server` names the root.
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
        // Nothing is sent to another host.
        .validator_url("none");
    match utoipa_swagger_ui::serve(&path, Arc::new(config)) {
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
