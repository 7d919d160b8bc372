//! The document alone decides which requests are taken.

use cortex_report_tests::{
    oracle::{Oracle, Verdict},
    requests::{Attempt, attempts},
};

use crate::{conformance::ORACLE, harness::Service};

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
