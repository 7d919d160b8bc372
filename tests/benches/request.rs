//! The parts of a request by themselves: which operation it means, its check against the document, and
//! how its reply is written. What a session takes is part of what `bench/instructions` counts.

use std::hint::black_box;

use cortex_report_api::{
    CONTRACT_JSON,
    server::types::{Org, Role, User},
};
use divan::Bencher;
use openapi_lockstep_runtime::{Contract, Reply};
use poem::{Endpoint, IntoResponse, Request, endpoint::make_sync, http::Method};
use tokio::runtime::Builder;

const BODY_LIMIT: usize = 64 * 1024;
const KEY: &str = "Bearer Zk3vR8mPq1TnW6yB0sXcJ4hLd7gFaUeoZk3vR8mPq1T";

/// Method, path and body of a request.
struct Sent(Method, &'static str, &'static str);

fn main() {
    divan::main();
}

fn contract() -> Contract {
    Contract::new(CONTRACT_JSON, BODY_LIMIT).expect("the build has read the document")
}

fn request(Sent(method, path, body): &Sent) -> Request {
    Request::builder()
        .method(method.clone())
        .uri_str(path)
        .header("authorization", KEY)
        .content_type("application/json")
        .body(*body)
}

mod routing {
    use super::*;

    fn bench(bencher: Bencher<'_, '_>, sent: &Sent) {
        let (contract, request) = (contract(), request(sent));
        bencher.bench_local(|| contract.matched(black_box(&request)).is_ok());
    }

    #[divan::bench]
    fn a_path_without_parameters(bencher: Bencher<'_, '_>) {
        bench(bencher, &Sent(Method::GET, "/api/1/user", ""));
    }

    #[divan::bench]
    fn a_path_with_one(bencher: Bencher<'_, '_>) {
        bench(bencher, &Sent(Method::DELETE, "/api/1/app/12", ""));
    }

    #[divan::bench]
    fn the_path_of_no_operation(bencher: Bencher<'_, '_>) {
        bench(bencher, &Sent(Method::GET, "/api/1/nothing/12", ""));
    }
}

mod check {
    use super::*;

    fn bench(bencher: Bencher<'_, '_>, sent: &Sent) {
        let guarded = contract().guard(make_sync(|_| ()));
        let runtime = Builder::new_current_thread().build();
        let runtime = runtime.expect("the system has what a runtime needs");
        bencher
            .with_inputs(|| request(sent))
            .bench_local_values(|request| runtime.block_on(guarded.get_response(request)));
    }

    #[divan::bench]
    fn nothing_but_a_key(bencher: Bencher<'_, '_>) {
        bench(bencher, &Sent(Method::GET, "/api/1/user", ""));
    }

    #[divan::bench]
    fn a_query(bencher: Bencher<'_, '_>) {
        let path = "/api/1/app?org_id=3&limit=100&after=12";
        bench(bencher, &Sent(Method::GET, path, ""));
    }

    #[divan::bench]
    fn a_body(bencher: Bencher<'_, '_>) {
        let body = r#"{"org_id": 3, "app_name": "Space Miner"}"#;
        bench(bencher, &Sent(Method::POST, "/api/1/app", body));
    }

    #[divan::bench]
    fn a_body_with_three_failures(bencher: Bencher<'_, '_>) {
        let body = r#"{"org_id": "x", "nam": 1}"#;
        bench(bencher, &Sent(Method::POST, "/api/1/app", body));
    }
}

/// The reply about a user of so many organizations.
#[divan::bench(args = [1, 100])]
fn encoding(bencher: Bencher<'_, '_>, orgs: i64) {
    let org = |org_id| Org {
        org_id,
        name: format!("Studio {org_id}"),
        short_name: Some(format!("studio_{org_id}")),
        role: Some(Role::Owner),
    };
    let user = User {
        user_id: 7,
        email: "ann@example.com".to_owned(),
        display_name: "ann".to_owned(),
        org_list: (1..=orgs).map(org).collect(),
    };
    bencher.bench_local(|| {
        let reply = Reply::new(200).json("application/json", black_box(&user));
        reply.into_response()
    });
}
