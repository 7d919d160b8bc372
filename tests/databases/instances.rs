//! Several instances with one database.

use std::time::{Duration, Instant};

use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseBackend};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Service, TIMEOUT, conformance::Call, ok, problem, say};

/// The statuses that requests get which are sent at once.
async fn statuses(requests: impl IntoIterator<Item = Call>) -> Vec<u16> {
    let mut sent = JoinSet::new();
    for request in requests {
        sent.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    sent.join_all().await
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|it| **it == status).count()
}

#[tokio::test]
async fn a_limit_holds_for_all_of_them_together() {
    for limit in ["address_client", "address", "client", "network", "total"] {
        let change = |settings: &mut cortex_report_server::ServeSettings| {
            let limits = &mut settings.mail_limits;
            let of_kind = match limit {
                "address_client" => &mut limits.address_client,
                "address" => &mut limits.address,
                "client" => &mut limits.client,
                "network" => &mut limits.network,
                _ => &mut limits.total,
            };
            *of_kind = "5/10m".parse().unwrap();
        };
        let one = Service::start_with(change).await;
        let other = one.another(change).await;
        let logins = (0..32).map(|number| {
            let api = if number % 2 == 0 {
                &one.api
            } else {
                &other.api
            };
            let body = json!({ "email": "ann@example.com" });
            api.post("/api/1/login").json(&body)
        });
        let statuses = statuses(logins).await;
        let granted = (count(&statuses, 200), count(&statuses, 429));
        assert_eq!(granted, (5, 27), "{limit}: {statuses:?}");
        assert_eq!(one.rows("session").await, 5, "{limit}");
    }
}

#[tokio::test]
async fn a_code_works_once_for_all_of_them_together() {
    let one = Service::start().await;
    let other = one.another(|_| {}).await;
    for round in 0..5 {
        let login = one.start_login(&format!("ann{round}@example.com")).await;
        let tries = (0..16).map(|number| {
            let api = if number % 2 == 0 {
                &one.api
            } else {
                &other.api
            };
            let form = [("manual_code", &login.manual_code)];
            api.post(&login.path).form(&form)
        });
        let statuses = statuses(tries).await;
        // Who sent the right code, and found tries left, is told so; it logged in once.
        let (verified, dead) = (count(&statuses, 303), count(&statuses, 404));
        assert!(verified >= 1 && verified + dead == 16, "{statuses:?}");
        assert_eq!(one.rows("audit").await, round + 1);
        assert_eq!(one.rows("user").await, round + 1);
    }
}

#[tokio::test]
async fn a_name_that_all_of_them_create_at_once_is_created_by_one() {
    let one = Service::start().await;
    let other = one.another(|_| {}).await;
    let key = one.log_in("ann@example.com").await;
    let org_id = one.org_id(&key).await;
    for round in 0..5 {
        // In the same order on one and in the other order on the other, so that each has names that
        // the other is about to add.
        let names = (0..40).chain((0..40).rev());
        let created = names.enumerate().map(|(number, name)| {
            let api = if number < 40 { &one.api } else { &other.api };
            let body = json!({ "org_id": org_id, "app_name": format!("{round} {name}") });
            api.post("/api/1/app").bearer_auth(&key).json(&body)
        });
        let statuses = statuses(created.collect::<Vec<_>>()).await;
        let outcomes = (count(&statuses, 200), count(&statuses, 409));
        assert_eq!(outcomes, (40, 40), "{statuses:?}");
        for table in ["app", "api_key"] {
            assert_eq!(one.rows(table).await, 40 * (round + 1), "{table}");
        }
        assert_eq!(one.rows("audit").await, 40 * (round + 1) + 1);
    }
}

#[tokio::test]
async fn two_logins_of_a_new_address_verified_at_once_make_one_user() {
    let one = Service::start().await;
    let other = one.another(|_| {}).await;
    for round in 0..5 {
        let email = format!("ann{round}@example.com");
        let logins = [one.start_login(&email).await, one.start_login(&email).await];
        let tries = logins
            .iter()
            .zip([&one.api, &other.api])
            .map(|(login, api)| {
                let form = [("manual_code", &login.manual_code)];
                api.post(&login.path).form(&form)
            });
        let tries: Vec<Call> = tries.collect();
        assert_eq!(statuses(tries).await, [303, 303], "both are logged in");
        assert_eq!(one.rows("user").await, round + 1);
        assert_eq!(one.rows("org").await, round + 1);
    }
}

#[tokio::test]
async fn a_session_is_known_to_all_and_ended_for_all() {
    let one = Service::start().await;
    let other = one.another(|_| {}).await;
    let key = one.log_in("ann@example.com").await;
    ok(other.api.get("/api/1/user").bearer_auth(&key)).await;
    ok(one.post("/api/1/logout").bearer_auth(&key)).await;
    let user = || other.api.get("/api/1/user").bearer_auth(&key);
    if one.database.backend() == DatabaseBackend::Postgres {
        // It is told, while its clock stands.
        let begin = Instant::now();
        while user().send().await.unwrap().status() == 200 {
            assert!(begin.elapsed() < TIMEOUT, "the other instance is not told");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = begin.elapsed().as_millis();
        say(&format!(
            "a logout reached another instance after {took} ms"
        ));
    } else {
        ok(user()).await;
        one.clock.advance(1);
    }
    problem(user(), 403, "not_logged_in").await;
}

/// Also where nobody tells it: the clock of one stands for those of both.
#[tokio::test]
async fn what_was_changed_elsewhere_holds_after_a_second() {
    let one = Service::start().await;
    let key = one.log_in("ann@example.com").await;
    let user = || one.get("/api/1/user").bearer_auth(&key);
    ok(user()).await;
    let database = one.database.connect().await;
    let change = async |change: &str| database.execute_unprepared(change).await.unwrap();
    change("UPDATE org SET name = 'Example Games'").await;
    let org = |user: Value| user["org_list"][0]["name"].as_str().unwrap().to_owned();
    // PostgreSQL begins to tell an instance of changes only shortly after its start, and then it asks
    // for everything anew.
    let is_told = one.database.backend() == DatabaseBackend::Postgres;
    if !is_told {
        assert_eq!(org(ok(user()).await), "ann", "it is in memory");
    }
    one.clock.advance(1);
    assert_eq!(org(ok(user()).await), "Example Games");
    change("UPDATE session SET state = 'disabled'").await;
    if !is_told {
        ok(user()).await;
    }
    one.clock.advance(1);
    problem(user(), 403, "not_logged_in").await;
    change("UPDATE session SET state = 'active'").await;
    ok(user()).await;
}

/// A right that ends at one instance ends at the other within a second.
#[tokio::test]
async fn a_key_a_member_and_a_token_that_end_at_one_end_at_the_other() {
    let one = Service::start().await;
    let other = one.another(|_| {}).await;
    let ann = one.log_in("ann@example.com").await;
    let org_id = one.create_org(&ann, "Shared").await;
    let bob = one.join(&ann, org_id, "bob@example.com", "member").await;
    let app_id = one.create_app(&ann, org_id, "Space Miner").await;
    let org = format!("/api/1/org/{org_id}");
    let made = json!({ "label": "build server", "role": "viewer" });
    let made = one
        .post(&format!("{org}/token"))
        .bearer_auth(&ann)
        .json(&made);
    let made = ok(made).await;
    let token = made["token"].as_str().unwrap();
    let app = format!("/api/1/app/{app_id}");
    let keys = ok(one.get(&format!("{app}/api_key")).bearer_auth(&ann)).await;
    let api_key = format!("{app}/api_key/{}", keys["api_key_list"][0]["api_key_id"]);
    let user = |key: &str| other.api.get("/api/1/user").bearer_auth(key);
    // The other one knows all of them.
    for key in [&*bob, token] {
        ok(user(key)).await;
    }

    let end = |path: String| one.request(Method::DELETE, &path).bearer_auth(&ann);
    ok(end(api_key)).await;
    ok(end(format!("{org}/member/{}", one.user_id(&bob).await))).await;
    ok(end(format!("{org}/token/{}", made["token_id"]))).await;
    // Rights are looked up for each request.
    let shown = ok(other.api.get(&app).bearer_auth(&ann)).await;
    assert_eq!(shown["api_key_list"], json!([]));
    problem(other.api.get(&app).bearer_auth(&bob), 403, "not_allowed").await;
    problem(other.api.get(&org).bearer_auth(&bob), 403, "not_allowed").await;
    one.clock.advance(1);
    problem(user(token), 403, "not_logged_in").await;
    let left = ok(user(&bob)).await;
    assert_eq!(left["org_list"].as_array().unwrap().len(), 1, "{left}");
}
