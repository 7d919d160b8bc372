//! Odd bodies and events that SDKs send, each with its outcome.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bundles::Sender;

/// Outcome of an event.
enum Becomes {
    /// A row of a table with these values; null stands for a column without one.
    Row(&'static str, Value),
    /// A row of the table of errors, with the place and the reason.
    Error(&'static str, &'static str),
}

use Becomes::{Error, Row};

/// An event as text, since some of it is no valid value of serde_json; `@` stands for the number of
/// the case.
struct Case {
    name: &'static str,
    event: &'static str,
    becomes: Becomes,
}

fn case(name: &'static str, event: &'static str, becomes: Becomes) -> Case {
    Case {
        name,
        event,
        becomes,
    }
}

fn cases() -> Vec<Case> {
    let event = |values| Row("event", values);
    vec![
        case(
            "a number as a text",
            r#"{"kingdom": 7}"#,
            event(json!({"kingdom": "7"})),
        ),
        case(
            "true as a text",
            r#"{"phylum": true}"#,
            event(json!({"phylum": "true"})),
        ),
        case(
            "an empty text",
            r#"{"kingdom": ""}"#,
            event(json!({"kingdom": ""})),
        ),
        case(
            "null is no value",
            r#"{"kingdom": null}"#,
            event(json!({"kingdom": null})),
        ),
        case(
            "a list as a text",
            r#"{"kingdom": ["a"], "phylum": "p"}"#,
            event(json!({"kingdom": null, "phylum": "p"})),
        ),
        case(
            "an object as a text",
            r#"{"genus": {"a": 1}}"#,
            event(json!({"genus": null})),
        ),
        case(
            "a text that is too long",
            r#"{"species": "123456789012345678901234567890123"}"#,
            event(json!({"species": "12345678901234567890123456789012"})),
        ),
        case(
            "a text that is cut on a character",
            r#"{"species": "1234567890123456789012345678901äöü"}"#,
            event(json!({"species": "1234567890123456789012345678901ä"})),
        ),
        case(
            "half a surrogate pair",
            r#"{"species": "cut \ud83d"}"#,
            event(json!({"species": "cut \u{fffd}"})),
        ),
        case(
            "a surrogate pair",
            r#"{"species": "\ud83d\ude00"}"#,
            event(json!({"species": "😀"})),
        ),
        case(
            "a control character and a zero",
            r#"{"species": "a\u0000b\n"}"#,
            event(json!({"species": "a\u{0}b\n"})),
        ),
        case(
            "unknown members",
            r#"{"network": "n", "session_key": [[[1]]], "x": {"y": 1e999}}"#,
            event(json!({"network": null})),
        ),
        case(
            "a member twice",
            r#"{"kingdom": "first", "kingdom": "last"}"#,
            event(json!({"kingdom": "last"})),
        ),
        case(
            "null as a number",
            r#"{"float1": null}"#,
            event(json!({"float1": 0.0})),
        ),
        case(
            "a text as a number",
            r#"{"float1": "1.25"}"#,
            event(json!({"float1": 1.25})),
        ),
        case(
            "a text that is none",
            r#"{"float1": "NaN"}"#,
            event(json!({"float1": 0.0})),
        ),
        case(
            "true as a number",
            r#"{"float2": true}"#,
            event(json!({"float2": 1.0})),
        ),
        case(
            "a number beyond all",
            r#"{"float3": 1e999}"#,
            event(json!({"float3": 0.0})),
        ),
        case(
            "a long number",
            r#"{"float4": 0.1000000000000000055}"#,
            event(json!({"float4": 0.1})),
        ),
        case(
            "a time without milliseconds",
            r#"{"event_datetime": "2026-11-30T12:00:00Z"}"#,
            event(json!({"event_datetime": "2026-11-30T12:00:00Z"})),
        ),
        case(
            "a time without a zone",
            r#"{"event_datetime": "2026-11-30T12:00:00.5"}"#,
            event(json!({"event_datetime": "2026-11-30T12:00:00.500Z"})),
        ),
        case(
            "a time in another zone",
            r#"{"event_datetime": "2026-11-30T13:00:00+01:00"}"#,
            event(json!({"event_datetime": "2026-11-30T12:00:00Z"})),
        ),
        case(
            "a zone without a colon",
            r#"{"event_datetime": "2026-11-30T12:00:00.001+0000"}"#,
            event(json!({"event_datetime": "2026-11-30T12:00:00.001Z"})),
        ),
        case(
            "a time with a space",
            r#"{"event_datetime": "2026-11-30 12:00:00"}"#,
            event(json!({"event_datetime": "2026-11-30T12:00:00Z"})),
        ),
        case(
            "a time later than now",
            r#"{"event_datetime": "2036-01-01T00:00:00Z"}"#,
            event(json!({"event_datetime": "2036-01-01T00:00:00Z"})),
        ),
        case(
            "a time that is none",
            r#"{"event_datetime": "yesterday"}"#,
            event(json!({})),
        ),
        case(
            "a time as a number",
            r#"{"event_datetime": 1790000000000}"#,
            event(json!({})),
        ),
        case(
            "no time",
            r#"{"kingdom": "now"}"#,
            event(json!({"kingdom": "now"})),
        ),
        case(
            "an index as a text",
            r#"{"event_index": "12"}"#,
            event(json!({"event_index": 12})),
        ),
        case(
            "an index as a float",
            r#"{"event_index": 12.0}"#,
            event(json!({"event_index": 12})),
        ),
        case(
            "half an index",
            r#"{"event_index": 1.5}"#,
            event(json!({"event_index": null})),
        ),
        case(
            "a large index",
            r#"{"event_index": 9007199254740993}"#,
            event(json!({"event_index": 9_007_199_254_740_993_i64})),
        ),
        case(
            "a member of the bundle",
            r#"{"os": "iOS"}"#,
            event(json!({"os": "iOS", "app_ver": "1"})),
        ),
        case(
            "a user as a number",
            r#"{"user_tag": 7}"#,
            event(json!({"user_map_tag": "ut7"})),
        ),
        case(
            "a social tag",
            r#"{"facebook_tag": "f", "twitter_tag": "t"}"#,
            event(json!({"user_map_tag": "fbf"})),
        ),
        case(
            "an install",
            r#"{"type": "install", "is_attributed": "true"}"#,
            Row("install", json!({"is_attributed": true})),
        ),
        case(
            "money as a text",
            r#"{"type": "economy", "spend_currency": "USD", "spend_amount": "4.99"}"#,
            Row("economy", json!({"spend_amount": 4.99})),
        ),
        case(
            "a currency as wide as its SDK sends it",
            r#"{"type": "economy", "spend_currency": "12345678901234567890123456789012345", "spend_amount": 0}"#,
            Row(
                "economy",
                json!({"spend_currency": "12345678901234567890123456789012"}),
            ),
        ),
        case(
            "money without a currency",
            r#"{"type": "economy", "spend_amount": 1}"#,
            Error("/spend_currency", "is required"),
        ),
        case(
            "money without an amount",
            r#"{"type": "economy", "spend_currency": "USD", "spend_amount": null}"#,
            Error("/spend_amount", "is required"),
        ),
        case(
            "money beyond all",
            r#"{"type": "economy", "spend_currency": "USD", "spend_amount": 1e999}"#,
            Error("/spend_amount", "is not a number"),
        ),
        case(
            "a message to one",
            r#"{"type": "message_send", "to_list": "you"}"#,
            Row("message_send", json!({"to_tag": "you", "network": ""})),
        ),
        case(
            "a message with the recipient elsewhere",
            r#"{"type": "message_send", "to_tag": "you"}"#,
            Row("message_send", json!({"to_tag": "you"})),
        ),
        case(
            "a message to nobody",
            r#"{"type": "message_send", "to_list": [null, "", []]}"#,
            Error("/to_list", "has no recipient"),
        ),
        case(
            "an experiment without a name",
            r#"{"type": "experiment", "variant_name": "a"}"#,
            Error("/experiment_name", "is required"),
        ),
        case(
            "a type that is not known",
            r#"{"type": "link", "facebook_tag": "f"}"#,
            Error("/type", "is not a known type of event"),
        ),
        case(
            "a type of another path",
            r#"{"type": "app_log"}"#,
            Error("/type", "is not a known type of event"),
        ),
        case(
            "no type",
            r#"{"type": null}"#,
            Error("/type", "is required"),
        ),
        case(
            "no device",
            r#"{"device_tag": "", "kingdom": "@"}"#,
            Error("/device_tag", "is required"),
        ),
    ]
}

/// All of them are sent in bundles together, so that none affects the others.
#[tokio::test]
async fn each_odd_event_becomes_what_was_decided() {
    let sender = Sender::start().await;
    let cases = cases();
    assert!(cases.len() >= 40);
    let key = &sender.api_key;
    for (first, some) in cases
        .chunks(20)
        .enumerate()
        .map(|(at, some)| (at * 20, some))
    {
        let events = some.iter().enumerate().map(|(number, case)| {
            // The members of a case come last, and so replace these.
            let own = case
                .event
                .trim_start_matches('{')
                .replace('@', &(first + number).to_string());
            format!(
                r#"{{"type": "event", "device_tag": "case {}", {own}"#,
                first + number
            )
        });
        let events: Vec<String> = events.collect();
        let bundle = format!(
            r#"{{"api_key": "{key}", "app_ver": 1, "device_tag": "d", "events": [{}]}}"#,
            events.join(",")
        );
        let sent = sender.send("track", bundle).await;
        assert_eq!(sent.status(), 200, "{}", sent.text().await.unwrap());
    }
    let mut tables = BTreeMap::new();
    for table in [
        "event",
        "install",
        "economy",
        "message_send",
        "ingest_error_log",
    ] {
        tables.insert(table, sender.rows(table).await);
    }
    let errors = &tables["ingest_error_log"];
    let mut expected_errors = 0;
    for (number, case) in cases.iter().enumerate() {
        let device = format!("case {number}");
        let (name, place) = (case.name, format!("/body/events/{}", number % 20));
        match &case.becomes {
            Row(table, values) => {
                let mut rows = tables[table]
                    .iter()
                    .filter(|row| row["device_tag"] == device);
                let row = rows
                    .next()
                    .unwrap_or_else(|| panic!("{name}: there is no row"));
                assert!(rows.next().is_none(), "{name}: there are two rows");
                for (column, value) in values.as_object().unwrap() {
                    let stored = row.get(column).unwrap_or(&Value::Null);
                    assert_eq!(stored, value, "{name}: {column} of {row:?}");
                }
                if values.get("event_datetime").is_none() {
                    assert_eq!(row["event_datetime"], row["ingest_datetime"], "{name}");
                }
            }
            Error(member, reason) => {
                expected_errors += 1;
                let place = format!("{place}{member}");
                let is_it = |row: &&BTreeMap<String, Value>| {
                    row["place"] == place && row["reason"] == *reason
                };
                assert!(
                    errors.iter().any(|row| is_it(&row)),
                    "{name}: {place} in {errors:?}"
                );
            }
        }
    }
    assert_eq!(errors.len(), expected_errors, "{errors:?}");
    sender.service.stop().await;
}

/// Whole bodies, each with the status and the place that is at fault.
#[tokio::test]
async fn a_bundle_of_which_nothing_can_be_stored_is_refused() {
    let sender = Sender::start().await;
    let key = &sender.api_key;
    let event = r#"{"type": "event", "device_tag": "d"}"#;
    let many = vec![event; 101].join(",");
    let with_key = |rest: &str| format!(r#"{{"api_key": "{key}", {rest}}}"#);
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("track", b"".to_vec(), "/body"),
        ("track", b"a=1".to_vec(), "/body"),
        ("track", b"{".to_vec(), "/body"),
        ("track", b"[]".to_vec(), "/body"),
        ("track", b"null".to_vec(), "/body"),
        ("track", deep.into_bytes(), "/body"),
        ("track", br#"{"events": []}"#.to_vec(), "/body/api_key"),
        (
            "track",
            br#"{"api_key": null, "events": []}"#.to_vec(),
            "/body/api_key",
        ),
        (
            "track",
            br#"{"api_key": {}, "events": []}"#.to_vec(),
            "/body/api_key",
        ),
        (
            "track",
            with_key(r#""app_ver": "1""#).into(),
            "/body/events",
        ),
        ("track", with_key(r#""events": {}"#).into(), "/body/events"),
        ("track", with_key(r#""events": []"#).into(), "/body/events"),
        (
            "track",
            with_key(&format!(r#""events": [{many}]"#)).into(),
            "/body/events",
        ),
        (
            "track",
            with_key(r#""events": [7]"#).into(),
            "/body/events/0",
        ),
        (
            "track",
            with_key(r#""events": [null, [1]]"#).into(),
            "/body/events/0",
        ),
        (
            "track",
            with_key(r#""events": [{"type": "event"}]"#).into(),
            "/body/events/0/device_tag",
        ),
        (
            "app_log",
            with_key(r#""events": []"#).into(),
            "/body/events",
        ),
        (
            "app_log",
            with_key(r#""events": "line""#).into(),
            "/body/events",
        ),
    ];
    for (verb, body, place) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
        let sent = sender.send(verb, body).await;
        assert_eq!(sent.status(), 400, "{shown}");
        let problem: Value = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
        assert_eq!(problem["errors"][0]["pointer"], place, "{shown}: {problem}");
    }
    // Those with a key are recorded: for a list that is none, and for each bad event.
    let errors = sender.rows("ingest_error_log").await;
    assert_eq!(errors.len(), 10, "{errors:?}");
    assert!(sender.rows("event").await.is_empty());
    sender.service.stop().await;
}

#[tokio::test]
async fn one_bad_event_of_a_hundred_costs_one() {
    let sender = Sender::start().await;
    let mut events: Vec<Value> = (0..100)
        .map(|index| {
            json!({ "type": "event", "event_index": index,
            "event_datetime": "2026-11-30T12:00:00.000Z" })
        })
        .collect();
    events[41]["type"] = "nothing".into();
    sender.track(events.clone().into()).await;
    assert_eq!(sender.rows("event").await.len(), 99);
    let errors = sender.rows("ingest_error_log").await;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["place"], "/body/events/41/type");
    // Alike but for their indexes.
    events[42]["type"] = "nothing".into();
    sender.track(events.into()).await;
    assert_eq!(sender.rows("ingest_error_log").await.len(), 2);
    sender.service.stop().await;
}

/// Any media type, also none, and a body in parts without its length, as node's SDK sends it.
#[tokio::test]
async fn a_body_is_read_as_json_whatever_its_media_type() {
    let sender = Sender::start().await;
    let types = [
        Some("application/json; charset=utf-8"),
        Some("text/plain;charset=UTF-8"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("*/*"),
        Some("nonsense"),
        None,
    ];
    for (index, media_type) in types.into_iter().enumerate() {
        let bundle = sender.bundle(json!([{ "type": "event", "event_index": index,
            "event_datetime": "2026-11-30T12:00:00Z" }]));
        let mut text = bundle.to_string().into_bytes();
        if index == 0 {
            text.splice(0..0, *b"\xef\xbb\xbf");
        }
        let parts = text
            .chunks(10)
            .map(|part| Ok::<_, std::io::Error>(part.to_vec()));
        let parts: Vec<_> = parts.collect();
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(parts));
        let mut call = sender.call("track").body(body);
        if let Some(media_type) = media_type {
            call = call.header("content-type", media_type);
        }
        assert_eq!(call.send().await.unwrap().status(), 200, "{media_type:?}");
    }
    assert_eq!(sender.rows("event").await.len(), types.len());
    sender.service.stop().await;
}
