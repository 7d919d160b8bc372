//! Traces, sent to an OpenTelemetry collector.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use poem::{EndpointExt, Route, Server, handler, listener::TcpAcceptor, post, web::Data};
use prost::Message;
use tokio::net::TcpListener;

use crate::harness::{
    binary::{binary, serve, signal},
    problem,
};

/// Requests that a collector received.
type Collected = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

#[handler]
fn collect(Data(collected): Data<&Collected>, body: Vec<u8>) {
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    collected.lock().unwrap().push(request);
}

/// A collector, and its URL.
async fn collector() -> (Collected, String) {
    let collected = Collected::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Route::new()
        .at("/v1/traces", post(collect))
        .data(Arc::clone(&collected));
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    (collected, url)
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|it| it.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn a_request_is_part_of_the_trace_that_a_trusted_proxy_began() {
    let (collected, url) = collector().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command
        .env("CORTEX_REPORT_OTLP_URL", url)
        .env("CORTEX_REPORT_TRUSTED_PROXIES", "127.0.0.1");
    let mut served = serve(command).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = served.api.get("/api/1/user");
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    let request = request.header("x-request-id", "from-proxy");
    problem(request, 403, "not_logged_in").await;
    signal(&served.child, "TERM");
    assert!(served.child.wait().await.unwrap().success());

    let collected = std::mem::take(&mut *collected.lock().unwrap());
    let resources = collected.iter().flat_map(|it| &it.resource_spans);
    let mut spans: Vec<&Span> = Vec::new();
    for resource in resources {
        let of = resource.resource.as_ref().unwrap();
        let name = attribute(&of.attributes, "service.name");
        assert_eq!(name.as_deref(), Some("cortex-reportd"));
        spans.extend(resource.scope_spans.iter().flat_map(|it| &it.spans));
    }
    let [span] = spans[..] else {
        panic!("one request was sent: {spans:?}");
    };
    let hex: String = span.trace_id.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(hex, trace);
    assert_eq!(span.name, "getUser");
    assert_eq!(span.kind(), SpanKind::Server);
    for (name, value) in [
        ("operation", "getUser"),
        ("http.request.method", "GET"),
        ("id", "from-proxy"),
        ("http.response.status_code", "403"),
    ] {
        let found = attribute(&span.attributes, name);
        assert_eq!(found.as_deref(), Some(value), "{name}: {span:?}");
    }
    let status = span.status.as_ref().map(|status| status.code());
    let is_error = status == Some(StatusCode::Error);
    assert!(!is_error, "a refusal is no fault of the service: {span:?}");
}

/// OpenTelemetry's name for what is none of HTTP's methods, which may be anything.
#[tokio::test]
async fn a_trace_names_methods_that_http_knows() {
    let (collected, url) = collector().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_OTLP_URL", url);
    let mut served = serve(command).await;
    let method = reqwest::Method::from_bytes(b"SECRET-4ZQ3mX0u7dT1rN8k").unwrap();
    let request = served.api.request(method, "/api/1/user");
    problem(request, 405, "method_not_allowed").await;
    signal(&served.child, "TERM");
    assert!(served.child.wait().await.unwrap().success());

    let collected = std::mem::take(&mut *collected.lock().unwrap());
    assert!(!format!("{collected:?}").contains("SECRET"));
    let resources = collected.iter().flat_map(|it| &it.resource_spans);
    let scopes = resources.flat_map(|it| &it.scope_spans);
    let spans: Vec<&Span> = scopes.flat_map(|it| &it.spans).collect();
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].name, "HTTP");
    let method = attribute(&spans[0].attributes, "http.request.method");
    assert_eq!(method.as_deref(), Some("_OTHER"));
}

#[tokio::test]
async fn without_its_collector_it_serves_and_ends_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_OTLP_URL", "http://127.0.0.1:1");
    let mut served = serve(command).await;
    problem(served.api.get("/api/1/user"), 403, "not_logged_in").await;
    signal(&served.child, "TERM");
    let begin = Instant::now();
    assert!(served.child.wait().await.unwrap().success());
    let ended_after = begin.elapsed();
    assert!(ended_after < Duration::from_secs(10), "{ended_after:?}");
    let mut log = String::new();
    while let Some(line) = served.log.next_line().await.unwrap() {
        log.push_str(&line);
    }
    assert!(log.contains("opentelemetry"), "the operator is told: {log}");
}
