//! People of an organization: invited, joined, given another role, removed.

use std::collections::HashSet;

use cortex_report_server::Registration;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Service, is_as_kept, ok, problem};

const DAY: u64 = 24 * 60 * 60;

async fn members(service: &Service, key: &str, org_id: i64) -> Vec<Value> {
    let path = format!("/api/1/org/{org_id}/member");
    let list = ok(service.get(&path).bearer_auth(key)).await;
    list["member_list"].as_array().unwrap().clone()
}

async fn invitations(service: &Service, key: &str, org_id: i64) -> Vec<Value> {
    let path = format!("/api/1/org/{org_id}/invitation");
    let list = ok(service.get(&path).bearer_auth(key)).await;
    list["invitation_list"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_invitation_is_accepted_by_logging_in() {
    let service = Service::start_with(|settings| {
        settings.public_url = Some("https://report.example".parse().unwrap());
    })
    .await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.create_org(&ann, "Games of evil.example").await;
    let mail = service
        .invite(&ann, org_id, "Bob@Example.com", "viewer")
        .await;
    is_as_kept("invitation_mail.txt", &without_boundaries(&mail));
    let open = invitations(&service, &ann, org_id).await;
    assert_eq!(open[0]["email"], "bob@example.com");
    assert_eq!(open[0]["ends_at"], "2026-01-15T00:00:00Z");

    let bob = service.log_in("bob@example.com").await;
    assert_eq!(invitations(&service, &ann, org_id).await, [] as [Value; 0]);
    let both = members(&service, &bob, org_id).await;
    let roles: Vec<_> = both.iter().map(|it| (&it["email"], &it["role"])).collect();
    assert_eq!(
        roles,
        [
            (&json!("ann@example.com"), &json!("owner")),
            (&json!("bob@example.com"), &json!("viewer"))
        ]
    );
    let page = format!(
        "/api/1/org/{org_id}/member?limit=1&after={}",
        both[0]["user_id"]
    );
    let page = ok(service.get(&page).bearer_auth(&bob)).await;
    assert_eq!(page["member_list"].as_array().unwrap(), &both[1..]);

    // Somebody who is a member keeps their role, whatever else they are invited to.
    let again = json!({ "email": "bob@example.com", "role": "owner" });
    let path = format!("/api/1/org/{org_id}/invitation");
    let again = service.post(&path).bearer_auth(&ann).json(&again);
    let refused = problem(again, 403, "not_allowed").await;
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("of a member already")
    );
}

/// A mail without what is random in it.
fn without_boundaries(mail: &str) -> String {
    let (_, boundary) = mail.split_once("boundary=\"").unwrap();
    let (boundary, _) = boundary.split_once('"').unwrap();
    mail.replace(boundary, "boundary").replace("\r\n", "\n")
}

#[tokio::test]
async fn whoever_is_logged_in_joins_at_the_next_login() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let bob = service.log_in("bob@example.com").await;
    let org_id = service.create_org(&ann, "Shared").await;
    service
        .invite(&ann, org_id, "bob@example.com", "member")
        .await;
    let path = format!("/api/1/org/{org_id}");
    problem(service.get(&path).bearer_auth(&bob), 403, "not_allowed").await;
    service.log_in("bob@example.com").await;
    ok(service.get(&path).bearer_auth(&bob)).await;
    let user = ok(service.get("/api/1/user").bearer_auth(&bob)).await;
    let names: Vec<_> = user["org_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|org| &org["name"])
        .collect();
    assert_eq!(names, ["Shared", "bob"], "the older session knows it too");
}

#[tokio::test]
async fn an_invitation_lets_in_while_registration_is_closed() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let service = service
        .restart_with(|settings| settings.registration = Registration::Closed)
        .await;
    let bob = service
        .join(&ann, org_id, "bob@example.com", "member")
        .await;
    let user = ok(service.get("/api/1/user").bearer_auth(&bob)).await;
    assert_eq!(
        user["org_list"],
        json!([{ "org_id": org_id, "name": "ann", "short_name": "ann", "role": "member" }]),
        "there is no organization of their own"
    );

    // Taken back between the mail of the login and its code.
    service
        .invite(&ann, org_id, "cyd@example.com", "member")
        .await;
    let login = service.start_login("cyd@example.com").await;
    let open = invitations(&service, &ann, org_id).await;
    let path = format!(
        "/api/1/org/{org_id}/invitation/{}",
        open[0]["invitation_id"]
    );
    ok(service.request(Method::DELETE, &path).bearer_auth(&ann)).await;
    let page = service.type_code(&login, &login.manual_code).await;
    assert_eq!(page.status(), 404);
    assert_eq!(service.rows("user").await, 2);
    problem(
        service.request(Method::DELETE, &path).bearer_auth(&ann),
        403,
        "not_allowed",
    )
    .await;
}

#[tokio::test]
async fn an_invitation_ends_after_14_days_and_the_last_one_counts() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    service
        .invite(&ann, org_id, "bob@example.com", "owner")
        .await;
    service
        .invite(&ann, org_id, "bob@example.com", "viewer")
        .await;
    assert_eq!(service.rows("invitation").await, 1);
    service
        .invite(&ann, org_id, "cyd@example.com", "member")
        .await;
    service.clock.advance(14 * DAY - 1);
    // The session of ann has not been used for 7 days.
    let ann = service.log_in("ann@example.com").await;
    service.log_in("bob@example.com").await;
    service.clock.advance(1);
    assert_eq!(invitations(&service, &ann, org_id).await, [] as [Value; 0]);
    service.log_in("cyd@example.com").await;
    let roles = members(&service, &ann, org_id).await;
    let roles: Vec<_> = roles.iter().map(|it| &it["role"]).collect();
    assert_eq!(roles, ["owner", "viewer"]);
}

#[tokio::test]
async fn the_last_owner_cannot_go() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let bob = service
        .join(&ann, org_id, "bob@example.com", "member")
        .await;
    let (ann_id, bob_id) = (service.user_id(&ann).await, service.user_id(&bob).await);
    let member = |user_id: i64| format!("/api/1/org/{org_id}/member/{user_id}");
    let change = |key: &str, user_id: i64, role: &str| {
        let change = service
            .request(Method::PATCH, &member(user_id))
            .bearer_auth(key);
        change.json(&json!({ "role": role }))
    };
    let remove = |key: &str, user_id: i64| {
        service
            .request(Method::DELETE, &member(user_id))
            .bearer_auth(key)
    };
    let before = service.dump().await;
    for refused in [change(&ann, ann_id, "member"), remove(&ann, ann_id)] {
        let problem = problem(refused, 403, "not_allowed").await;
        assert!(problem["detail"].as_str().unwrap().contains("last owner"));
    }
    assert_eq!(service.dump().await, before);
    ok(change(&ann, ann_id, "owner")).await;

    assert_eq!(ok(change(&ann, bob_id, "owner")).await["role"], "owner");
    ok(remove(&ann, ann_id)).await;
    problem(remove(&bob, bob_id), 403, "not_allowed").await;
    problem(
        service
            .get(&format!("/api/1/org/{org_id}"))
            .bearer_auth(&ann),
        403,
        "not_allowed",
    )
    .await;
    let user = ok(service.get("/api/1/user").bearer_auth(&ann)).await;
    assert_eq!(user["org_list"], json!([]));
}

#[tokio::test]
async fn invitations_are_limited_but_keep_nobody_from_logging_in() {
    let service = Service::start_with(|settings| {
        settings.mail_limits.address = "2/1h".parse().unwrap();
        settings.mail_limits.user = "5/1h".parse().unwrap();
    })
    .await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let invite = |email: &str| {
        let path = format!("/api/1/org/{org_id}/invitation");
        let body = json!({ "email": email, "role": "viewer" });
        service.post(&path).bearer_auth(&ann).json(&body)
    };
    ok(invite("bob@example.com")).await;
    ok(invite("b.o.b+x@example.com")).await;
    problem(invite("bob@example.com"), 429, "too_many_requests").await;
    service.log_in("bob@example.com").await;
    for number in 0..3 {
        ok(invite(&format!("guest{number}@example.com"))).await;
    }
    let refused = invite("guest3@example.com").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
}

/// The owner could go in two requests at once, and a person could be let in twice, if two instances
/// did not wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_once_over_two_instances_there_is_always_an_owner_and_one_membership_for_each() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.create_org(&ann, "Shared").await;
    let other = service.another(|_| {}).await;
    let mut keys = vec![ann.clone()];
    for number in 0..9 {
        let email = format!("owner{number}@example.com");
        keys.push(service.join(&ann, org_id, &email, "owner").await);
    }
    let mut user_ids = Vec::new();
    for key in &keys {
        user_ids.push(service.user_id(key).await);
    }
    let logins = join_all((0..10).map(async |number| {
        // Two logins of each, which accept at the same moment.
        let email = format!("guest{number}@example.com");
        service.invite(&ann, org_id, &email, "member").await;
        service
            .api
            .post("/api/1/login")
            .json(&json!({ "email": email }))
            .send()
            .await
            .unwrap();
    }));
    logins.await;

    // 100 invitations, and 100 tries to remove or demote an owner by another one.
    let work = (0..100).flat_map(|number| {
        let apis = [&service.api, &other.api];
        let (key, user_id) = (&keys[number % 10], user_ids[(number * 7 + 3) % 10]);
        let invite = apis[number % 2]
            .post(&format!("/api/1/org/{org_id}/invitation"))
            .bearer_auth(key)
            .json(
                &json!({ "email": format!("guest{}@example.com", number % 20), "role": "member" }),
            );
        let path = format!("/api/1/org/{org_id}/member/{user_id}");
        let method = if number % 3 == 0 {
            Method::PATCH
        } else {
            Method::DELETE
        };
        let mut remove = apis[(number + 1) % 2]
            .request(method.clone(), &path)
            .bearer_auth(key);
        if method == Method::PATCH {
            remove = remove.json(&json!({ "role": "viewer" }));
        }
        [invite, remove]
    });
    let answers = join_all(work.map(async |call| call.send().await.unwrap().status().as_u16()));
    let answers: Vec<u16> = answers.await;
    assert!(
        answers.iter().all(|status| [200, 403].contains(status)),
        "{answers:?}"
    );

    let rows = service.database.rows("membership").await;
    let of_org = rows.iter().filter(|row| row.contains(&format!("{org_id}")));
    let owners = of_org.filter(|row| row.contains("owner")).count();
    assert!(owners >= 1, "{rows:?}");
    let left: HashSet<&String> = rows.iter().collect();
    assert_eq!(left.len(), rows.len(), "nobody is a member twice");
    let invited = service.database.rows("invitation").await;
    assert!(
        invited.len() <= 20,
        "an address has one invitation: {invited:?}"
    );
}
