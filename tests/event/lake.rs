//! The lake by itself: batches that are tried again, and upkeep.

use std::{path::Path, sync::Arc};

use cortex_report_lake::{Lake, Row, Table, Value};
use serde_json::json;

use crate::harness::lake::{query, rows};

const ORG: i64 = 7;
/// 2026-01-01T00:00:00Z in microseconds.
const NOON: i64 = 1_767_225_600_000_000;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A row that arrived at a time.
fn row(table: Table, id: i64, arrival: i64) -> Row {
    let mut row = Row {
        table,
        app_id: 1,
        event_id: Some(id),
        is_indexed: true,
        values: vec![Value::Null; table.columns().len()],
    };
    row.set("app", Value::Text("Space Miner".to_owned()));
    row.set("device_tag", Value::Text(format!("d{}", id % 3)));
    row.set("event_index", Value::Integer(id));
    row.set("event_datetime", Value::Time(NOON));
    row.set("ingest_datetime", Value::Time(arrival));
    row
}

async fn count(folder: &Path, table: &str) -> usize {
    rows(folder, ORG, table).await.len()
}

/// The Parquet files of a table.
fn files(folder: &Path, table: &str) -> usize {
    let table = folder.join(format!("org-{ORG}/{table}"));
    let days = std::fs::read_dir(table).unwrap().flatten();
    let days = days.filter(|day| day.file_name() != "_delta_log" && day.path().is_dir());
    days.map(|day| std::fs::read_dir(day.path()).unwrap().count())
        .sum()
}

#[tokio::test]
async fn a_batch_that_is_tried_again_is_appended_to_the_tables_that_lack_it() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path().to_owned()).unwrap();
    let org = lake.org(ORG);
    assert_eq!(org.last_batch().await.unwrap(), 0);
    let events = vec![row(Table::Event, 1, NOON), row(Table::Event, 2, NOON)];
    org.append(3, events.clone()).await.unwrap();
    assert_eq!(org.last_batch().await.unwrap(), 3);

    // As if it had ended before the second table had the batch.
    let mut all = events;
    all.push(row(Table::Dau, 3, NOON));
    let appended = org.append(3, all).await.unwrap();
    assert_eq!((appended.new, appended.repeated), (1, 2));
    assert_eq!(count(folder.path(), "event").await, 2);
    assert_eq!(count(folder.path(), "dau").await, 1);

    // Another batch with an event that is there, one that is twice in it, and a new one.
    let more = [2, 4, 4].map(|id| row(Table::Event, id, NOON + 1));
    let appended = org.append(4, more.to_vec()).await.unwrap();
    assert_eq!((appended.new, appended.repeated), (1, 2));
    assert_eq!(count(folder.path(), "event").await, 3);
}

#[tokio::test]
async fn upkeep_makes_one_file_of_a_day_and_deletes_the_others_later() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path().to_owned()).unwrap();
    let org = lake.org(ORG);
    for batch in 0..5 {
        let of_batch = (0..10).map(|number| row(Table::Event, batch * 10 + number, NOON));
        org.append(batch + 1, of_batch.collect()).await.unwrap();
    }
    assert_eq!(files(folder.path(), "event"), 5);
    let noon = NOON / 1000;
    let same_day = org.maintain(noon).await.unwrap();
    assert_eq!(same_day.replaced, 0, "small files of today stay");

    let hour = 60 * 60 * 1000;
    let now = i64::try_from(
        std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_millis(),
    );
    // Files have times of the file system.
    let now = now.unwrap();
    let next_day = org.maintain(now).await.unwrap();
    assert_eq!(
        (next_day.replaced, next_day.deleted),
        (5, 0),
        "others may be reading them"
    );
    assert_eq!(files(folder.path(), "event"), 6);
    let later = org.maintain(now + 7 * hour).await.unwrap();
    assert_eq!((later.replaced, later.deleted), (0, 5));
    assert_eq!(files(folder.path(), "event"), 1);
    let sums = "SELECT count(*) AS n, sum(event_index) AS s FROM stored";
    let sums = query(folder.path(), ORG, "event", sums).await;
    assert_eq!((&sums[0]["n"], &sums[0]["s"]), (&json!(50), &json!(1225)));

    // What it has written anew still counts as there, and the number of the batch too.
    assert_eq!(org.last_batch().await.unwrap(), 5);
    let again = org
        .append(6, vec![row(Table::Event, 7, NOON + DAY)])
        .await
        .unwrap();
    assert_eq!((again.new, again.repeated), (0, 1));
}

/// delta-rs would let both succeed, and double the rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upkeep_of_two_instances_at_once_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let instances = [0, 1].map(|_| Lake::open(folder.path().to_owned()).unwrap());
    let [one, other] = [0, 1].map(|number: usize| Arc::clone(&instances[number]).org(ORG));
    for round in 0..5 {
        for batch in 0..3 {
            let number = round * 3 + batch;
            let of_batch =
                (0..10).map(|id| row(Table::Event, number * 10 + id, NOON + round * DAY));
            one.append(number + 1, of_batch.collect()).await.unwrap();
        }
        // The loser may fail; its files are nobody's.
        let now = NOON / 1000 + 100 * DAY / 1000;
        let _ = tokio::join!(one.maintain(now), other.maintain(now));
        let expected = usize::try_from((round + 1) * 30).unwrap();
        assert_eq!(count(folder.path(), "event").await, expected);
    }
}
