//! Whose word counts about where a request comes from.

use serde_json::json;

use crate::harness::{Service, ok};

/// The client that a login notes, for what the proxies say.
async fn client(service: &Service, forwarded_for: &[&str]) -> String {
    let mails = service.mails().len();
    let mut login = service.post("/api/1/login");
    for line in forwarded_for {
        login = login.header("x-forwarded-for", line);
    }
    ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    let mail = service.mail_after(mails).await;
    let (_, rest) = mail.split_once("  From:  ").unwrap();
    rest.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn by_default_nobody_is_believed() {
    let service = Service::start().await;
    assert_eq!(client(&service, &["192.0.2.1"]).await, "127.0.0.1");
}

#[tokio::test]
async fn the_client_is_the_nearest_that_is_no_proxy_of_ours() {
    let service = Service::start_with(|settings| {
        let networks = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];
        settings.trusted_proxies = networks.map(|it| it.parse().unwrap()).into();
    })
    .await;
    for (lines, expected) in [
        (&[][..], "127.0.0.1"),
        (&["192.0.2.1"], "192.0.2.1"),
        // What the client itself says stands before.
        (&["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        (&["198.51.100.9, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
        (
            &["198.51.100.9", "192.0.2.1,10.1.2.3", "fd00::7"],
            "192.0.2.1",
        ),
        (&["192.0.2.1:4711"], "192.0.2.1"),
        (&["[2001:db8::1]:4711"], "2001:db8::1"),
        (&["::ffff:192.0.2.1"], "192.0.2.1"),
        // All are ours: the farthest.
        (&["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        // What is no address ends what is known.
        (&["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
        (&["192.0.2.1, "], "127.0.0.1"),
        (&["\u{e9}"], "127.0.0.1"),
    ] {
        assert_eq!(client(&service, lines).await, expected, "{lines:?}");
    }
}

/// Else a proxy would use up the limit of all who come through it, and whoever writes another
/// address into the header would have a limit of their own each time.
#[tokio::test]
async fn limits_count_clients_and_not_proxies() {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.mail_limits.client = "1/1h".parse().unwrap();
    })
    .await;
    let status = async |forwarded_for: &str| {
        let login = service
            .post("/api/1/login")
            .header("x-forwarded-for", forwarded_for);
        let login = login.json(&json!({ "email": "ann@example.com" }));
        login.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("192.0.2.1").await, 200);
    assert_eq!(status("192.0.2.2").await, 200);
    assert_eq!(status("192.0.2.1").await, 429);
    assert_eq!(status("198.51.100.9, 192.0.2.1").await, 429);
}
