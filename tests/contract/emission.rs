//! The document that poem-openapi emits for the generated server, compared with openapi.yaml.

use cortex_report_api::server::spec;
use openapi_lockstep::differences;

#[test]
fn the_server_says_what_the_document_says() {
    let text = cortex_report_api::DOCUMENT_YAML;
    let document = openapi_lockstep::read("openapi.yaml", text).unwrap();
    let differences = differences(&document, &spec()).unwrap();
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
