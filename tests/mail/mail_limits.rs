//! Rate limits of login mails.

use serde_json::{Value, json};

use crate::harness::{Login, Service, link_path, ok, problem_of, say};

async fn limited(address_client: &str, address: &str, client: &str, total: &str) -> Service {
    Service::start_with(|settings| {
        let limits = &mut settings.mail_limits;
        limits.address_client = address_client.parse().unwrap();
        limits.address = address.parse().unwrap();
        limits.client = client.parse().unwrap();
        limits.total = total.parse().unwrap();
    })
    .await
}

async fn log_in(service: &Service, email: &str) {
    ok(service
        .post("/api/1/login")
        .json(&json!({ "email": email })))
    .await;
}

/// The problem of a login that is one too many, and the seconds of its Retry-After.
async fn refused(service: &Service, email: &str) -> (Value, u64) {
    let request = service
        .post("/api/1/login")
        .json(&json!({ "email": email }));
    let response = request.send().await.unwrap();
    let retry_after = response
        .headers()
        .get("retry-after")
        .map(|it| it.to_str().unwrap().parse());
    let problem = problem_of(response, 429, "too_many_requests").await;
    (
        problem,
        retry_after.expect("a 429 says when to come back").unwrap(),
    )
}

#[tokio::test]
async fn five_at_once_then_one_every_ten_minutes() {
    let service = limited("5/10m", "100/1s", "100/1s", "100/1s").await;
    for _ in 0..5 {
        log_in(&service, "ann@example.com").await;
    }
    let (problem, wait) = refused(&service, "Ann@EXAMPLE.com").await;
    assert_eq!(wait, 600);
    assert!(problem["detail"].as_str().unwrap().contains("600 seconds"));
    assert_eq!(service.rows("session").await, 5);
    log_in(&service, "bob@example.com").await;

    service.clock.advance(599);
    assert_eq!(refused(&service, "ann@example.com").await.1, 1);
    service.clock.advance(1);
    log_in(&service, "ann@example.com").await;
    assert_eq!(refused(&service, "ann@example.com").await.1, 600);
    service.clock.advance(100_000);
    for _ in 0..5 {
        log_in(&service, "ann@example.com").await;
    }
    refused(&service, "ann@example.com").await;
}

#[tokio::test]
async fn each_limit_holds_by_itself() {
    let many = "100/1s";
    for (limits, refused_ones, free_ones) in [
        (
            [many, "2/5m", many, many],
            vec!["ann@example.com"],
            vec!["bob@example.com"],
        ),
        (
            [many, many, "2/30s", many],
            vec!["ann@example.com", "bob@example.com"],
            vec![],
        ),
        (
            [many, many, many, "2/1m"],
            vec!["ann@example.com", "bob@example.com"],
            vec![],
        ),
    ] {
        let [address_client, address, client, total] = limits;
        let service = limited(address_client, address, client, total).await;
        log_in(&service, "ann@example.com").await;
        log_in(&service, "ann@example.com").await;
        for email in refused_ones {
            refused(&service, email).await;
        }
        for email in free_ones {
            log_in(&service, email).await;
        }
    }
}

#[tokio::test]
async fn a_refused_login_uses_nothing_up() {
    let service = limited("1/10m", "2/1h", "100/1s", "100/1s").await;
    log_in(&service, "ann@example.com").await;
    for _ in 0..10 {
        refused(&service, "ann@example.com").await;
    }
    service.clock.advance(600);
    log_in(&service, "ann@example.com").await;
}

#[tokio::test]
async fn known_and_unknown_addresses_are_limited_alike() {
    let service = limited("1/10m", "100/1s", "100/1s", "100/1s").await;
    service.operate(&["user", "add", "known@example.com"]);
    let mut problems = Vec::new();
    for email in ["known@example.com", "unknown@example.com"] {
        log_in(&service, email).await;
        problems.push(refused(&service, email).await);
    }
    assert_eq!(problems[0], problems[1]);
}

#[tokio::test]
async fn the_limits_outlive_a_restart() {
    let service = limited("1/10m", "100/1s", "100/1s", "100/1s").await;
    log_in(&service, "ann@example.com").await;
    let service = service
        .restart_with(|settings| settings.mail_limits.address_client = "1/10m".parse().unwrap())
        .await;
    refused(&service, "ann@example.com").await;
}

#[tokio::test]
async fn a_mail_that_is_owed_is_sent_after_a_restart_and_an_expired_one_is_not() {
    let service = Service::start().await;
    let folder = service.folder().path().join("mail");
    // A folder that takes no mail.
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();
    log_in(&service, "late@example.com").await;
    service.clock.advance(500);
    log_in(&service, "ann@example.com").await;
    assert_eq!(service.rows("mail").await, 2);
    std::fs::remove_file(&folder).unwrap();
    service.clock.advance(100);
    let service = service.restart_with(|_| {}).await;
    // The first one may have tried once more in vain before it stopped: that is due again by now.
    service.clock.advance(60);
    service.outbox_is_empty().await;
    let mails = service.mails();
    assert_eq!(mails.len(), 1, "{:#?}", service.dump().await);
    assert!(mails[0].contains("To: ann@example.com\r\n"));
}

/// The service as it is without settings, behind a proxy that says who asks.
async fn with_defaults() -> Service {
    Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        let limits = &mut settings.mail_limits;
        limits.address_client = "5/10m".parse().unwrap();
        limits.address = "10/1h".parse().unwrap();
        limits.client = "20/30s".parse().unwrap();
        limits.network = "60/10s".parse().unwrap();
        limits.total = "1000/1s".parse().unwrap();
    })
    .await
}

/// Starts a login from an address; answers how many seconds to wait if it is refused.
async fn ask(service: &Service, email: &str, from: &str) -> Result<Value, u64> {
    let login = service.post("/api/1/login").header("x-forwarded-for", from);
    let answer = login.json(&json!({ "email": email })).send().await.unwrap();
    if answer.status() == 429 {
        let wait = answer.headers()["retry-after"].to_str().unwrap();
        return Err(wait.parse().unwrap());
    }
    assert_eq!(answer.status(), 200);
    let answer = answer.text().await.unwrap();
    Ok(serde_json::from_str(&answer).unwrap())
}

async fn log_in_from(service: &Service, email: &str, from: &str) {
    let mails = service.mails().len();
    let reply = ask(service, email, from).await.unwrap();
    let text = |name: &str| reply[name].as_str().unwrap().to_owned();
    let login = Login {
        session_key: text("session_key"),
        manual_code: text("manual_code"),
        path: link_path(&service.mail_after(mails).await),
    };
    let page = service.type_code(&login, &login.manual_code).await;
    assert!(page.status().as_u16() < 400);
}

/// The addresses of an attacker, each in a network of its own.
fn attackers(count: usize) -> Vec<String> {
    let address = |number| format!("10.{}.{}.1", number / 250, number % 250);
    (0..count).map(address).collect()
}

/// A stranger neither keeps somebody from logging in where they did before, nor everybody.
#[tokio::test]
async fn strangers_use_up_what_is_for_strangers() {
    let shown = |asked: Result<Value, u64>| match asked {
        Ok(_) => "at once".to_owned(),
        Err(wait) => format!("in {wait} s"),
    };
    say(
        "mail limits: addresses | mails to the victim | mails to others | victim, known client | \
         victim, new network | bystander, known client | bystander, new network",
    );
    for count in [1, 4, 60, 1000] {
        let service = with_defaults().await;
        log_in_from(&service, "victim@example.com", "203.0.113.5").await;
        log_in_from(&service, "bystander@example.com", "198.51.100.7").await;
        let (mut to_victim, mut to_others) = (0, 0);
        for from in attackers(count) {
            // Neither tags nor dots make another mailbox of it.
            for tag in [
                "victim",
                "victim+a",
                "v.ictim",
                "vic.tim+b",
                "victim+c",
                "victim",
            ] {
                let email = format!("{tag}@example.com");
                if ask(&service, &email, &from).await.is_err() {
                    break;
                }
                to_victim += 1;
            }
        }
        for from in attackers(count) {
            for number in 0..25 {
                let email = format!("nobody{number}-{from}@example.com");
                if ask(&service, &email, &from).await.is_err() {
                    break;
                }
                to_others += 1;
            }
        }
        let known = ask(&service, "victim@example.com", "203.0.113.5").await;
        let moved = ask(&service, "victim@example.com", "192.0.2.9").await;
        let bystander = ask(&service, "bystander@example.com", "198.51.100.7").await;
        let new = ask(&service, "new@example.com", "192.0.2.10").await;
        assert!(known.is_ok(), "{count}: the victim is kept out");
        assert!(bystander.is_ok(), "{count}: a bystander is kept out");
        assert!(
            count > 4 || moved.is_ok(),
            "{count}: the victim cannot move"
        );
        assert!(count > 60 || new.is_ok(), "{count}: nobody new gets in");
        assert!(to_victim <= 10, "{to_victim} mails for one mailbox at once");
        say(&format!(
            "mail limits: {count} | {to_victim} | {to_others} | {} | {} | {} | {}",
            shown(known),
            shown(moved),
            shown(bystander),
            shown(new)
        ));
    }
}

/// Whoever shares a network with an attacker still gets in.
#[tokio::test]
async fn a_neighbour_of_an_attacker_gets_in() {
    for (attacker, neighbour) in [
        ("192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
    ] {
        let service = with_defaults().await;
        for number in 0..30 {
            let email = format!("nobody{number}@example.com");
            let _ = ask(&service, &email, attacker).await;
        }
        assert!(ask(&service, "new@example.com", attacker).await.is_err());
        assert!(ask(&service, "new@example.com", neighbour).await.is_ok());
    }
}

/// A mailbox gets no more than the limit says in a day, from however many networks it is asked for.
#[tokio::test]
async fn a_mailbox_gets_so_many_mails_a_day() {
    let service = with_defaults().await;
    let mut mails = 0;
    let from = attackers(96);
    for from in &from {
        for _ in 0..3 {
            let asked = ask(&service, "victim@example.com", from).await;
            mails += usize::from(asked.is_ok());
        }
        service.clock.advance(15 * 60);
    }
    assert!(mails <= 10 + 24, "{mails} mails in a day");
}
