//! The paths of events: who may send, from where, how much, and what the answers are.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::bundles::{ORG, Sender};
use crate::harness::{ok, problem_of};

fn event(index: i64) -> Value {
    json!({ "type": "event", "event_index": index, "event_datetime": "2026-11-30T12:00:00.000Z" })
}

#[tokio::test]
async fn events_come_into_the_tables_of_their_types() {
    let sender = Sender::start().await;
    let at = "2026-11-30T12:00:00.123Z";
    sender
        .track(json!([
            { "type": "install", "event_index": 0, "event_datetime": at, "is_attributed": true },
            { "type": "dau", "event_index": 1, "event_datetime": at },
            { "type": "event", "event_index": 2, "event_datetime": at, "kingdom": "level",
              "order": "x", "float1": 1.5 },
            { "type": "economy", "event_index": 3, "event_datetime": at, "spend_amount": 4.99,
              "spend_currency": "USD", "spend_type": "gems" },
            { "type": "message_send", "event_index": 4, "event_datetime": at, "network": "n",
              "from_tag": "a", "to_list": ["b", "c", "b"] },
            { "type": "message_click", "event_index": 5, "event_datetime": at, "to_tag": "b" },
            { "type": "experiment", "event_index": 6, "event_datetime": at,
              "experiment_name": "e", "variant_name": false },
        ]))
        .await;
    let line = json!({ "api_key": sender.api_key, "log_line": "GET /", "repsonse_bytes": 12 });
    let sent = sender.send("app_log", line.to_string()).await;
    assert_eq!(sent.status(), 200);

    let install = &sender.rows("install").await[0];
    assert_eq!(install["app"], "Space Miner");
    assert_eq!(install["is_attributed"], true);
    assert_eq!(install["event_datetime"], "2026-11-30T12:00:00.123Z");
    assert_eq!(install["country"], "ZZ", "the published default");
    assert_eq!(
        install["user_map_tag"], "dtd1",
        "nothing else is known of the device"
    );
    assert_eq!(install["app_id"], sender.app_id);
    assert_eq!(sender.rows("dau").await.len(), 1);
    let event = &sender.rows("event").await[0];
    assert_eq!(
        (&event["kingdom"], &event["order"]),
        (&json!("level"), &json!("x"))
    );
    assert_eq!(
        (&event["float1"], &event["float2"]),
        (&json!(1.5), &json!(0.0))
    );
    let economy = &sender.rows("economy").await[0];
    assert_eq!(economy["spend_amount"], 4.99);
    let sent = sender.rows("message_send").await;
    let mut to: Vec<&Value> = sent.iter().map(|row| &row["to_tag"]).collect();
    to.sort_by_key(|tag| tag.to_string());
    assert_eq!(to, ["b", "b", "c"], "a row for each recipient");
    assert_eq!(sender.rows("message_click").await[0]["from_tag"], "");
    let experiment = &sender.rows("experiment").await[0];
    assert_eq!(experiment["experiment_name"], "e");
    assert_eq!(
        experiment.get("variant_name"),
        None,
        "the device takes no longer part"
    );
    let log = &sender.rows("app_log").await[0];
    assert_eq!(
        (&log["log_line"], &log["response_bytes"]),
        (&json!("GET /"), &json!(12))
    );
    sender.service.stop().await;
}

/// A browser's SDK takes an answer that its page may not read for a failure of the network.
#[tokio::test]
async fn pages_of_every_origin_may_read_every_answer_of_these_paths_alone() {
    let sender = Sender::start().await;
    let origin = |headers: &reqwest::header::HeaderMap| {
        headers
            .get("access-control-allow-origin")
            .map(|it| it.to_str().unwrap().to_owned())
    };
    let bundle = sender.bundle(json!([event(1)])).to_string();
    let wrong_key = bundle.replace(&sender.api_key, &"x".repeat(32));
    let no_key = bundle.replace(&sender.api_key, "\\u0000");
    for (path, body, status) in [
        (format!("/{ORG}/1/track"), bundle.as_str(), 200),
        (format!("/{}/1/track", ORG.to_uppercase()), &bundle, 200),
        (format!("/{ORG}/1/track"), "no JSON", 400),
        (format!("/{ORG}/1/track"), &wrong_key, 403),
        (format!("/{ORG}/1/track"), &no_key, 403),
        ("/nobody/1/track".to_owned(), &bundle, 403),
        ("/%FF/1/app_log".to_owned(), &bundle, 400),
    ] {
        let sent = sender.service.post(&path).body(body.to_owned());
        let sent = sent
            .header("origin", "https://game.example")
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), status, "{path} {body}");
        assert_eq!(
            origin(sent.headers()).as_deref(),
            Some("*"),
            "{path} {body}"
        );
    }
    let get = sender
        .service
        .get(&format!("/{ORG}/1/track"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (get.status(), origin(get.headers()).is_some()),
        (StatusCode::METHOD_NOT_ALLOWED, true)
    );

    let asked = sender
        .service
        .request(Method::OPTIONS, &format!("/{ORG}/1/track"));
    let asked = asked
        .header("origin", "https://game.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .header("access-control-request-private-network", "true");
    let allowed = asked.send().await.unwrap();
    assert_eq!(allowed.status(), 204);
    let header = |name: &str| allowed.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("access-control-allow-methods"), "POST");
    assert_eq!(
        header("access-control-allow-headers"),
        "content-type, accept, *"
    );
    assert_eq!(header("access-control-allow-private-network"), "true");

    for path in ["/api/1/user", "/docs/", "/livez", "/nobody/1/else"] {
        let other = sender
            .service
            .get(path)
            .header("origin", "https://game.example");
        let other = other.send().await.unwrap();
        assert_eq!(
            origin(other.headers()),
            None,
            "{path} is for this origin alone"
        );
    }
    sender.service.stop().await;
}

#[tokio::test]
async fn a_key_works_for_its_organization_until_it_is_revoked() {
    let sender = Sender::start().await;
    let bundle = sender.bundle(json!([event(1)])).to_string();
    let bo = sender.service.log_in("bo@example.com").await;
    assert_ne!(bo, sender.session);
    let of_another = sender.service.post("/bo/1/track").body(bundle.clone());
    assert_eq!(of_another.send().await.unwrap().status(), 403);

    let keys = format!("/api/1/app/{}/api_key", sender.app_id);
    let list = ok(sender.service.get(&keys).bearer_auth(&sender.session)).await;
    let id = &list["api_key_list"][0]["api_key_id"];
    assert_eq!(sender.send("track", bundle.clone()).await.status(), 200);
    let revoke = sender
        .service
        .request(Method::DELETE, &format!("{keys}/{id}"));
    ok(revoke.bearer_auth(&sender.session)).await;
    let refused = sender.send("track", bundle).await;
    problem_of(refused, 403, "not_allowed").await;
    sender.service.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_given_up_by_its_sender() {
    let sender = Sender::start().await;
    let long = "x".repeat(4 << 20);
    let large = sender
        .bundle(json!([{ "type": "event", "kingdom": long }]))
        .to_string();
    let refused = sender.send("track", large).await;
    assert_eq!(refused.status(), 400, "a 413 would be repeated for ever");
    let line = json!({ "api_key": sender.api_key, "log_line": long }).to_string();
    assert_eq!(
        sender.send("app_log", line).await.status(),
        200,
        "lines of log may be long"
    );
    let stored = &sender.rows("app_log").await[0];
    assert_eq!(stored["log_line"].as_str().unwrap().len(), 65_535);
    sender.service.stop().await;
}

#[tokio::test]
async fn an_organization_is_sent_events_by_its_short_name() {
    let sender = Sender::start().await;
    let service = &sender.service;
    let create = |name: &str, short_name: Option<&str>| {
        let mut body = json!({ "org_name": name });
        if let Some(short_name) = short_name {
            body["short_name"] = short_name.into();
        }
        service
            .post("/api/1/org")
            .bearer_auth(&sender.session)
            .json(&body)
    };
    ok(create("Example Games", None)).await;
    ok(create("Example Games", None)).await;
    ok(create("API", None)).await;
    ok(create("Übung 1", Some("training"))).await;
    for (name, why) in [("training", "taken"), ("api", "reserved")] {
        let refused = create("More", Some(name)).send().await.unwrap();
        assert_eq!(refused.status(), 403, "the name {name} is {why}");
    }
    let user = ok(service.get("/api/1/user").bearer_auth(&sender.session)).await;
    let mut names: Vec<&str> = user["org_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|org| org["short_name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names[0], ORG);
    assert!(names[1].starts_with("api_"), "{names:?}");
    assert!(names[2].starts_with("example_game_"), "{names:?}");
    assert_eq!(names[3], "example_games");
    assert_eq!(names[4], "training");

    let path = format!("/api/1/org/{}", sender.org_id);
    let rename = service
        .request(Method::PATCH, &path)
        .bearer_auth(&sender.session);
    let renamed = ok(rename.json(&json!({ "org_name": "Ann", "short_name": "games" }))).await;
    assert_eq!(renamed["short_name"], "games");
    let bundle = sender.bundle(json!([event(1)])).to_string();
    let by_old = sender.send("track", bundle.clone()).await;
    assert_eq!(by_old.status(), 403);
    let by_new = service
        .post("/games/1/track")
        .body(bundle)
        .send()
        .await
        .unwrap();
    assert_eq!(by_new.status(), 200);
    sender.service.stop().await;
}
