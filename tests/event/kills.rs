//! Acknowledged events are in the lake once, at whatever point the service is killed.

use std::{
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{process::Command, sync::watch};

use crate::harness::{
    TIMEOUT, TestDatabase,
    binary::{Served, binary, serve, signal},
    lake, link_path, mail_after, ok, say,
};

/// Number of kills; another one is in this variable.
const KILLS: usize = 10;
const VARIABLE: &str = "CORTEX_REPORT_TEST_KILLS";
const DEVICES: usize = 4;
/// An event happens each second of this time.
const AT: &str = "2026-11-30T12:00:00.000Z";

fn command(folder: &Path, database: &TestDatabase) -> Command {
    let mut command = binary(folder);
    command
        .env("CORTEX_REPORT_DATABASE_URL", database.url())
        .env("CORTEX_REPORT_SEAL_INTERVAL", "0")
        // Nobody reads the rest.
        .env(
            "CORTEX_REPORT_LOG_LEVEL",
            "error,cortex_report_server::run=info",
        );
    command
}

/// Logs in and creates an application. Returns the id of the organization and the key.
async fn prepare(served: &Served, folder: &Path) -> (i64, String) {
    let api = &served.api;
    let login = api.post("/api/1/login");
    let login = ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    let form = api.post(&link_path(&mail_after(folder, 0).await));
    let form = form.form(&[("manual_code", login["manual_code"].as_str().unwrap())]);
    assert!(form.send().await.unwrap().status().as_u16() < 400);
    let session = login["session_key"].as_str().unwrap();
    let user = ok(api.get("/api/1/user").bearer_auth(session)).await;
    let org_id = user["org_list"][0]["org_id"].as_i64().unwrap();
    let app = json!({ "org_id": org_id, "app_name": "Space Miner" });
    ok(api.post("/api/1/app").bearer_auth(session).json(&app)).await;
    let list = format!("/api/1/app?org_id={org_id}");
    let list = ok(api.get(&list).bearer_auth(session)).await;
    let key = list["app_list"][0]["api_key_list"][0].as_str().unwrap();
    (org_id, key.to_owned())
}

/// A device that sends events until it has to stop, and repeats them as SDKs do: in bundles of
/// another composition, until they are answered with 200. Returns the number of its events.
async fn device(
    number: usize,
    key: String,
    service: watch::Receiver<String>,
    stop: Arc<AtomicBool>,
) -> i64 {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let (mut next, mut tries) = (0_i64, 0_i64);
    let mut queue: Vec<Value> = Vec::new();
    while !stop.load(Ordering::Relaxed) || !queue.is_empty() {
        if !stop.load(Ordering::Relaxed) {
            for _ in 0..3 {
                queue.push(json!({ "type": "event", "event_index": next, "event_datetime": AT }));
                next += 1;
            }
        }
        tries += 1;
        let count = queue.len().min(1 + usize::try_from(tries % 7).unwrap());
        let bundle = json!({ "api_key": key, "device_tag": format!("d{number}"),
            "events": &queue[..count] });
        let url = format!("{}/ann/1/track", *service.borrow());
        match client.post(url).body(bundle.to_string()).send().await {
            Ok(reply) if reply.status() == 200 => drop(queue.drain(..count)),
            Ok(reply) => assert!(reply.status().as_u16() >= 500, "{}", reply.status()),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    next
}

#[tokio::test]
async fn acknowledged_events_are_there_once_however_often_the_service_is_killed() {
    let kills = env::var(VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let database = TestDatabase::create(folder).await;
    let mut served = serve(command(folder, &database)).await;
    let (org_id, key) = prepare(&served, folder).await;

    let (urls, service) = watch::channel(served.url.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let devices: Vec<_> = (0..DEVICES)
        .map(|number| {
            tokio::spawn(device(
                number,
                key.clone(),
                service.clone(),
                Arc::clone(&stop),
            ))
        })
        .collect();
    for kill in 0..kills {
        // Not the same time after each start.
        let pause = 40 + (kill as u64 * 7919) % 1500;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        signal(&served.child, "KILL");
        served.child.wait().await.unwrap();
        served = serve(command(folder, &database)).await;
        urls.send_replace(served.url.clone());
    }
    stop.store(true, Ordering::Relaxed);
    let mut sent = Vec::new();
    for device in devices {
        sent.push(device.await.unwrap());
    }
    let begin = Instant::now();
    while !database.rows("inbox").await.is_empty() {
        assert!(
            begin.elapsed() < 3 * TIMEOUT,
            "the inbox has to become empty"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let counts = "SELECT device_tag, count(*) AS n, count(DISTINCT event_index) AS d, \
        max(event_index) AS last FROM stored GROUP BY device_tag ORDER BY device_tag";
    let counts = lake::query(&folder.join("lake"), org_id, "event", counts).await;
    for (count, sent) in counts.iter().zip(&sent) {
        assert_eq!(
            count["d"], *sent,
            "acknowledged and lost: {counts:?} of {sent:?}"
        );
        assert_eq!(count["n"], *sent, "stored twice: {counts:?} of {sent:?}");
    }
    assert_eq!(counts.len(), DEVICES);
    say(&format!(
        "events: {kills} kills, {} events acknowledged, 0 lost, 0 twice",
        sent.iter().sum::<i64>()
    ));
}
