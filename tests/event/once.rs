//! Each event is stored once, by whoever it was sent and however it was repeated.

use serde_json::{Value, json};

use super::bundles::{ORG, Sender};
use crate::harness::Service;

const AT: &str = "2026-11-30T12:00:00.000Z";
const HOUR: u64 = 60 * 60;

fn event(index: i64) -> Value {
    json!({ "type": "event", "event_index": index, "event_datetime": AT, "kingdom": "k" })
}

#[tokio::test]
async fn an_event_with_an_index_is_stored_once_within_two_days() {
    let sender = Sender::start().await;
    sender.track(json!([event(1), event(2)])).await;
    // Before and after the first copy is in the lake, in other company, and in the same bundle.
    sender.track(json!([event(2), event(3)])).await;
    sender.sealed().await;
    sender
        .track(json!([event(3), event(1), event(4), event(4)]))
        .await;
    assert_eq!(sender.rows("event").await.len(), 4);

    // A member that moved to the bundle is still the same; another value is not.
    let mut moved = sender.bundle(json!([{ "type": "event", "event_index": 1,
        "event_datetime": AT }, { "type": "event", "event_index": 2, "event_datetime": AT }]));
    moved["kingdom"] = "k".into();
    assert_eq!(sender.send("track", moved.to_string()).await.status(), 200);
    let mut other = event(1);
    other["kingdom"] = "other".into();
    sender.track(json!([other])).await;
    assert_eq!(sender.rows("event").await.len(), 5);

    sender.service.clock.advance(47 * HOUR);
    sender.track(json!([event(1)])).await;
    assert_eq!(
        sender.rows("event").await.len(),
        5,
        "47 hours later it is the same"
    );
    sender.service.clock.advance(2 * HOUR);
    sender.track(json!([event(1)])).await;
    assert_eq!(
        sender.rows("event").await.len(),
        6,
        "49 hours later it is another one"
    );
    sender.service.stop().await;
}

#[tokio::test]
async fn events_without_an_index_are_stored_once_with_their_bundle() {
    let sender = Sender::start().await;
    let event = json!({ "type": "event", "event_datetime": AT });
    let pair = json!([event, event]);
    sender.track(pair.clone()).await;
    sender.track(pair.clone()).await;
    assert_eq!(
        sender.rows("event").await.len(),
        2,
        "equal events of a bundle are two"
    );
    sender.track(json!([event])).await;
    assert_eq!(
        sender.rows("event").await.len(),
        3,
        "another bundle with an equal event"
    );
    sender.service.clock.advance(9 * 60);
    sender.track(pair.clone()).await;
    assert_eq!(sender.rows("event").await.len(), 3, "nine minutes later");
    sender.service.clock.advance(11 * 60);
    sender.track(pair).await;
    assert_eq!(
        sender.rows("event").await.len(),
        5,
        "eleven minutes after that"
    );

    let line = json!({ "api_key": sender.api_key, "log_line": "l" }).to_string();
    for _ in 0..3 {
        assert_eq!(sender.send("app_log", line.clone()).await.status(), 200);
    }
    assert_eq!(sender.rows("app_log").await.len(), 1);
    for host in ["web-1", "web-2"] {
        let events = json!([{ "log_line": "started" }]);
        let bundle = json!({ "api_key": sender.api_key, "hostname": host, "events": events });
        assert_eq!(
            sender.send("app_log", bundle.to_string()).await.status(),
            200
        );
    }
    assert_eq!(
        sender.rows("app_log").await.len(),
        3,
        "two hosts say the same"
    );
    sender.service.stop().await;
}

#[tokio::test]
async fn a_user_is_who_the_device_was_last_known_as() {
    let sender = Sender::start().await;
    let bundle = |device: &str, user: Option<&str>, index: i64| {
        let mut bundle = sender.bundle(json!([event(index)]));
        bundle["device_tag"] = device.into();
        if let Some(user) = user {
            bundle["user_tag"] = user.into();
        }
        bundle.to_string()
    };
    let long = "u".repeat(70);
    for (device, user, index) in [
        ("d1", None, 1),
        ("d1", Some("ann"), 2),
        ("d1", None, 3),
        ("d2", None, 4),
        ("d1", Some("bo"), 5),
        ("d1", None, 6),
        ("d3", Some(long.as_str()), 7),
    ] {
        assert_eq!(
            sender
                .send("track", bundle(device, user, index))
                .await
                .status(),
            200
        );
        sender.sealed().await;
    }
    let mut rows = sender.rows("event").await;
    rows.sort_by_key(|row| row["event_index"].as_i64());
    let users: Vec<&str> = rows
        .iter()
        .map(|row| row["user_map_tag"].as_str().unwrap())
        .collect();
    assert_eq!(
        users[..6],
        ["dtd1", "utann", "utann", "dtd2", "utbo", "utbo"]
    );
    assert_eq!(users[6].chars().count(), 64, "{users:?}");
    sender.service.stop().await;
}

/// Two instances take the same events, and move them, at the same time: with one name, which does
/// not tell their claims apart, and with two.
#[tokio::test]
async fn instances_together_store_an_event_once() {
    for host in [1, 2] {
        let sender = Sender::start().await;
        let another = sender.service.another(|serve| {
            serve.events.seal_interval = 0;
            serve.listen = ([127, 0, 0, host], 0).into();
        });
        let another = another.await;
        for round in 0..10 {
            let events: Vec<Value> = (round * 10..round * 10 + 10).map(event).collect();
            let bundle = sender.bundle(events.into()).to_string();
            let path = format!("/{ORG}/1/track");
            let (here, there) = tokio::join!(
                sender.send("track", bundle.clone()),
                another.api.post(&path).body(bundle.clone()).send(),
            );
            assert_eq!(
                (here.status().as_u16(), there.unwrap().status().as_u16()),
                (200, 200)
            );
        }
        assert_eq!(sender.rows("event").await.len(), 100);
        sender.service.stop().await;
    }
}

#[tokio::test]
async fn a_zero_in_a_tag_stops_nothing() {
    let sender = Sender::start().await;
    let mut bundle = sender.bundle(json!([event(1)]));
    bundle["device_tag"] = "d\u{0}".into();
    bundle["user_tag"] = "u\u{0}".into();
    assert_eq!(sender.send("track", bundle.to_string()).await.status(), 200);
    let rows = sender.rows("event").await;
    assert_eq!(rows[0]["device_tag"], "d\u{fffd}");
    assert_eq!(rows[0]["user_map_tag"], "utu\u{fffd}");
    sender.service.stop().await;
}

#[tokio::test]
async fn events_that_wait_are_moved_after_a_restart() {
    let waiting = Service::start_with(|serve| serve.events.seal_interval = 3600).await;
    let mut sender = Sender::of(waiting).await;
    sender.track(json!([event(1), event(2)])).await;
    assert_ne!(sender.service.rows("inbox").await, 0);
    sender.service = sender
        .service
        .restart_with(|serve| serve.events.seal_interval = 0)
        .await;
    assert_eq!(sender.rows("event").await.len(), 2);
    sender.service.stop().await;
}
