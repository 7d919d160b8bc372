//! The document alone decides which requests are taken.

use std::fs;

use cortex_report_tests::{
    oracle::{Oracle, Verdict},
    requests::{Attempt, attempts},
};

use crate::harness::{Service, conformance::ORACLE};

const VERDICTS: [Verdict; 4] = [
    Verdict::Taken,
    Verdict::Invalid,
    Verdict::NotLoggedIn,
    Verdict::NoOperation,
];

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figure is one of docs/lockstep.md")]
async fn what_the_document_takes_is_taken_and_nothing_else() {
    let service = Service::start().await;
    // The session has an id that no attempt has, since it would end it.
    for _ in 0..8 {
        service.start_login("bob@example.com").await;
    }
    let key = service.log_in("ann@example.com").await;
    let mut verdicts = Vec::new();
    let mut wrong = Vec::new();
    for Attempt { name, sent } in attempts(&ORACLE, &key) {
        let expected = ORACLE.verdict(&sent, &key);
        let answer = service.api.send(&sent).await.unwrap();
        if Oracle::outcome(&answer) != Some(expected) {
            let body = String::from_utf8_lossy(answer.body());
            let status = answer.status();
            wrong.push(format!(
                "{name}: {expected:?} by the document, but {status} {body}"
            ));
        }
        verdicts.push(expected);
    }
    let count = |verdict| verdicts.iter().filter(|it| **it == verdict).count();
    let counts = VERDICTS.map(|verdict| (verdict, count(verdict)));
    println!("{} requests: {counts:?}", verdicts.len());
    assert!(
        wrong.is_empty(),
        "{} are treated otherwise:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(counts.iter().all(|(_, count)| *count > 0), "{counts:?}");
}

/// The documents of this major version that were released, by their files.
fn released() -> Vec<(String, Oracle)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/released");
    let mut released = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let document = openapi_lockstep::read(&name, &text).ok().unwrap();
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        let current = ORACLE.written()["info"]["version"].as_str().unwrap();
        if major(document.version()) == major(current) {
            released.push((name, Oracle::new(&document.json()).unwrap()));
        }
    }
    released
}

#[tokio::test]
async fn what_a_released_document_takes_is_still_taken() {
    let released = released();
    assert!(
        !released.is_empty(),
        "a released document is in docs/released"
    );
    let mut wrong = Vec::new();
    for (name, oracle) in &released {
        let service = Service::start().await;
        let key = service.log_in("ann@example.com").await;
        for attempt in attempts(oracle, &key) {
            if oracle.verdict(&attempt.sent, &key) == Verdict::Taken {
                let answer = service.api.send(&attempt.sent).await.unwrap();
                if Oracle::outcome(&answer) != Some(Verdict::Taken) {
                    let body = String::from_utf8_lossy(answer.body());
                    wrong.push(format!(
                        "{name}: {}: {} {body}",
                        attempt.name,
                        answer.status()
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "clients of a released document are refused:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_key_may_stand_in_the_body_of_every_operation_that_takes_one() {
    let key = "key";
    for (path, item) in ORACLE.written()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if operation["security"] == serde_json::json!([]) {
                continue;
            }
            for media_type in ["application/json", "application/x-www-form-urlencoded"] {
                let name = format!("{id} with session_key in its {media_type}");
                let taken = attempts(&ORACLE, key).into_iter().any(|attempt| {
                    attempt.name == name && ORACLE.verdict(&attempt.sent, key) == Verdict::Taken
                });
                assert!(
                    taken || id == "logout",
                    "no request tries {method} {path}: {name}"
                );
            }
        }
    }
}
