//! Health checks for a supervisor and a load balancer: `/livez` and `/readyz`.

use std::time::{Duration, Instant};

use crate::harness::{Service, conformance::Caller, ok, problem};

#[tokio::test]
async fn it_lives_and_is_ready() {
    let service = Service::start().await;
    for (path, body) in [("/livez", "alive\n"), ("/readyz", "ready\n")] {
        let answer = service.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), body);
        problem(service.post(path), 405, "method_not_allowed").await;
    }
}

#[tokio::test]
async fn without_its_database_it_lives_and_is_not_ready() {
    let service = Service::start().await;
    let failed = service.database.fail().await;
    let begin = Instant::now();
    let not_ready = service.get("/readyz").send().await.unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(3),
        "who asks does not wait long: {:?}",
        begin.elapsed()
    );
    assert_eq!(not_ready.headers()["retry-after"], "5");
    problem(service.get("/readyz"), 503, "unavailable").await;
    let alive = service.get("/livez").send().await.unwrap();
    assert_eq!(alive.status(), 200);
    failed.close().await.unwrap();
    // The probe is not cut off, and uses the test's database.
    service.stop().await;
}

#[tokio::test]
async fn told_to_stop_it_is_not_ready_and_serves_on_for_a_while() {
    let service = Service::start_with(|settings| settings.drain = 2).await;
    let key = service.log_in("ann@example.com").await;
    let api = Caller::new(&service.url());
    let stopping = tokio::spawn(service.stop());
    let begin = Instant::now();
    while api.get("/readyz").send().await.unwrap().status() == 200 {
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
    problem(api.get("/readyz"), 503, "unavailable").await;
    let user = api.get("/api/1/user").bearer_auth(&key);
    let answer = user.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["connection"],
        "close",
        "nobody is to send another request here"
    );
    ok(api.get("/api/1/user").bearer_auth(&key)).await;
    stopping.await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(1900));
    let refused = api.get("/readyz").send().await.unwrap_err();
    assert!(refused.is_connect());
}
