//! The parts of a request by themselves: which operation it means, its check against the document, and
//! how its reply is written. What a session takes is part of what `bench/instructions` counts.

use std::hint::black_box;

use cortex_report_api::{
    CONTRACT_JSON,
    server::{GetUserResponse, Org, User},
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use openapi_lockstep_runtime::{Contract, Json};
use poem::{Endpoint, IntoResponse, Request, endpoint::make_sync, http::Method};
use tokio::runtime::{Builder, Runtime};

const BODY_LIMIT: usize = 64 * 1024;
const KEY: &str = "Bearer Zk3vR8mPq1TnW6yB0sXcJ4hLd7gFaUeoZk3vR8mPq1T";

fn contract() -> Contract {
    Contract::new(CONTRACT_JSON, BODY_LIMIT).expect("the build has read the document")
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().build();
    runtime.expect("the system has what a runtime needs")
}

fn request(method: Method, path: &'static str, body: &'static str) -> Request {
    Request::builder()
        .method(method)
        .uri_str(path)
        .header("authorization", KEY)
        .content_type("application/json")
        .body(body)
}

fn routing(criterion: &mut Criterion) {
    let contract = contract();
    for (name, method, path) in [
        ("a path without parameters", Method::GET, "/api/1/user"),
        ("a path with one", Method::DELETE, "/api/1/app/12"),
        ("no operation's path", Method::GET, "/api/1/nothing/12"),
    ] {
        let request = request(method, path, "");
        criterion.bench_function(&format!("routing: {name}"), |bencher| {
            bencher.iter(|| black_box(contract.matched(black_box(&request)).is_ok()));
        });
    }
}

fn check(criterion: &mut Criterion) {
    let guarded = contract().guard(make_sync(|_| ()));
    let runtime = runtime();
    for (name, method, path, body) in [
        ("nothing but a key", Method::GET, "/api/1/user", ""),
        (
            "a query",
            Method::GET,
            "/api/1/app?org_id=3&limit=100&after=12",
            "",
        ),
        (
            "a body",
            Method::POST,
            "/api/1/app",
            r#"{"org_id": 3, "app_name": "Space Miner"}"#,
        ),
        (
            "a body with three failures",
            Method::POST,
            "/api/1/app",
            r#"{"org_id": "x", "nam": 1}"#,
        ),
    ] {
        criterion.bench_function(&format!("check: {name}"), |bencher| {
            let new = || request(method.clone(), path, body);
            let check = |request| runtime.block_on(guarded.get_response(request));
            bencher.iter_batched(new, check, BatchSize::SmallInput);
        });
    }
}

fn encoding(criterion: &mut Criterion) {
    for orgs in [1, 100] {
        let org = |org_id| Org {
            org_id,
            name: format!("Studio {org_id}"),
        };
        let user = || User {
            user_id: 7,
            email: "ann@example.com".to_owned(),
            display_name: "ann".to_owned(),
            org_list: (1..=orgs).map(org).collect(),
        };
        criterion.bench_function(&format!("encoding: a user of {orgs}"), |bencher| {
            let encode = |user| GetUserResponse::Ok(Json(user)).into_response();
            bencher.iter_batched(user, encode, BatchSize::SmallInput);
        });
    }
}

criterion_group!(parts, routing, check, encoding);
criterion_main!(parts);
