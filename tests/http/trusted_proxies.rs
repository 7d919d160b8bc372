//! Whose word counts about where a request comes from.

use serde_json::json;

use crate::harness::{
    Service,
    binary::{binary, serve, signal},
    ok, problem,
};

/// The client that a login notes, for what the proxies say: lines of a header's name and value.
async fn client(service: &Service, lines: &[(&str, &[u8])]) -> String {
    let mails = service.mails().len();
    let mut login = service.post("/api/1/login");
    for (name, value) in lines {
        login = login.header(name, *value);
    }
    ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    let mail = service.mail_after(mails).await;
    let (_, rest) = mail.split_once("  From:  ").unwrap();
    rest.lines().next().unwrap().to_owned()
}

async fn behind_proxies() -> Service {
    Service::start_with(|settings| {
        let networks = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];
        settings.trusted_proxies = networks.map(|it| it.parse().unwrap()).into();
    })
    .await
}

#[tokio::test]
async fn by_default_nobody_is_believed() {
    let service = Service::start().await;
    for name in ["x-forwarded-for", "forwarded"] {
        let said = client(&service, &[(name, b"for=192.0.2.1")]).await;
        assert_eq!(said, "127.0.0.1");
    }
}

#[tokio::test]
async fn the_client_is_the_nearest_that_is_no_proxy_of_ours() {
    let service = behind_proxies().await;
    for (lines, expected) in [
        (&[&b"192.0.2.1"[..]][..], "192.0.2.1"),
        // What the client itself says stands before.
        (&[b"198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        (&[b"198.51.100.9, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
        (
            &[b"198.51.100.9", b"192.0.2.1,10.1.2.3", b"fd00::7"],
            "192.0.2.1",
        ),
        (&[b"\xff, 192.0.2.1"], "192.0.2.1"),
        (&[b"\xff", b"192.0.2.1"], "192.0.2.1"),
        (&[b"\", 192.0.2.1"], "192.0.2.1"),
        // As proxies write addresses.
        (&[b"192.0.2.1:4711"], "192.0.2.1"),
        (&[b"\t192.0.2.1\t "], "192.0.2.1"),
        (&[b"\"192.0.2.1\""], "192.0.2.1"),
        (&[b"2001:db8::7"], "2001:db8::7"),
        (&[b"[2001:db8::7]"], "2001:db8::7"),
        (&[b"[2001:db8::7]:4711"], "2001:db8::7"),
        (&[b"\"[2001:db8::7]:4711\""], "2001:db8::7"),
        (&[b"[2001:DB8:0::7]"], "2001:db8::7"),
        (&[b"fe80::7%eth0"], "fe80::7"),
        (&[b"[fe80::7%25eth0]:80"], "fe80::7"),
        (&[b"::ffff:192.0.2.1"], "192.0.2.1"),
        (&[b"[::ffff:192.0.2.1]:80"], "192.0.2.1"),
        (&[b"192.0.2.1, [fd00::7]:1, ::ffff:10.1.2.3"], "192.0.2.1"),
        // Empty members of a list count for nothing.
        (&[b"192.0.2.1, "], "192.0.2.1"),
        (&[b"192.0.2.1", b""], "192.0.2.1"),
        (&[b", ,192.0.2.1,, 10.0.0.2 ,"], "192.0.2.1"),
        // All are ours: the farthest.
        (&[b"10.0.0.1, 10.0.0.2"], "10.0.0.1"),
    ] {
        let lines: Vec<_> = lines.iter().map(|it| ("x-forwarded-for", *it)).collect();
        assert_eq!(client(&service, &lines).await, expected, "{lines:?}");
    }
}

#[tokio::test]
async fn the_standard_header_says_as_much() {
    let service = behind_proxies().await;
    for (lines, expected) in [
        (&[&b"for=192.0.2.1"[..]][..], "192.0.2.1"),
        (&[b"For=\"192.0.2.1:4711\" ; proto=https"], "192.0.2.1"),
        (&[b"for=\"[2001:db8::7]\""], "2001:db8::7"),
        (&[b"for=\"[2001:db8::7]:4711\""], "2001:db8::7"),
        (&[b"for=\"[2001:db8::7]:_port\""], "2001:db8::7"),
        (&[b"for=\"\\[2001:db8::7]\""], "2001:db8::7"),
        (
            &[b"host=\"a,b;for=1.1.1.1\";by=_x;FOR=192.0.2.1;proto=http"],
            "192.0.2.1",
        ),
        (
            &[
                b"for=198.51.100.9, for=192.0.2.1;by=10.0.0.1",
                b"for=10.0.0.1",
            ],
            "192.0.2.1",
        ),
        (&[b"for=192.0.2.1, , for=10.0.0.1,"], "192.0.2.1"),
        // A client cannot hide in its quotes what a proxy of ours appends.
        (&[b"for=\"x, for=192.0.2.1"], "192.0.2.1"),
        (&[b"for=\"\\\", for=\"192.0.2.1:80\""], "192.0.2.1"),
        (&[b"\xff;\", for=192.0.2.1"], "192.0.2.1"),
        (&[b"for=unknown"], "unknown"),
        (&[b"for=_hidden"], "unknown"),
        (&[b"for=192.0.2.1, for=_hidden, for=10.0.0.1"], "unknown"),
        (&[b"for=192.0.2.1, proto=https"], "unknown"),
        (&[b"for=192.0.2.1;for=192.0.2.2"], "unknown"),
        (&[b"192.0.2.1"], "unknown"),
    ] {
        let lines: Vec<_> = lines.iter().map(|it| ("forwarded", *it)).collect();
        assert_eq!(client(&service, &lines).await, expected, "{lines:?}");
    }
    // Where a proxy sets the usual one, this one may come from the client.
    for usual in ["192.0.2.1", "unknown"] {
        let lines = [
            ("forwarded", &b"for=198.51.100.9"[..]),
            ("x-forwarded-for", usual.as_bytes()),
        ];
        assert_eq!(client(&service, &lines).await, usual);
    }
}

/// The proxy itself would count as the client of all whom it does not name.
#[tokio::test]
async fn a_client_that_a_proxy_does_not_name_is_unknown() {
    let service = behind_proxies().await;
    for line in [
        None,
        Some(&b""[..]),
        Some(b" , "),
        Some(b"\xff"),
        Some(b"192.0.2.1\xff"),
        Some("\u{e9}".as_bytes()),
        Some(b"unknown"),
        Some(b"client.example.com"),
        Some(b"192.0.2.256"),
        Some(b"192.0.2.1:x"),
        Some(b"192.0.2.1:65536"),
        Some(b"[2001:db8::7"),
        Some(b"[2001:db8::7]x"),
        Some(b"192.0.2.1 192.0.2.2"),
        Some(b"0.0.0.0"),
        Some(b"::"),
        Some(b"192.0.2.1, unknown, 10.0.0.2"),
        Some(b"192.0.2.1, \xff, 10.0.0.2"),
    ] {
        let lines: Vec<_> = line.map(|it| ("x-forwarded-for", it)).into_iter().collect();
        assert_eq!(client(&service, &lines).await, "unknown", "{lines:?}");
    }
    let login = service.start_login("bob@example.com").await;
    let page = service.get(&login.path).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("<dt>From</dt><dd>unknown</dd>"), "{page}");
    service.type_code(&login, &login.manual_code).await;
    let audit = service.database.rows("audit").await;
    assert!(audit[0].contains("'unknown'"), "{audit:?}");
}

#[tokio::test]
async fn the_log_says_once_that_a_proxy_names_no_client() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_TRUSTED_PROXIES", "127.0.0.1");
    let mut served = serve(command).await;
    served.api.get("/livez").send().await.unwrap();
    for _ in 0..3 {
        problem(served.api.get("/api/1/user"), 403, "not_logged_in").await;
    }
    signal(&served.child, "TERM");
    assert!(served.child.wait().await.unwrap().success());
    let mut warnings = Vec::new();
    while let Some(line) = served.log.next_line().await.unwrap() {
        warnings.extend(Some(line).filter(|line| line.contains("trusted proxy")));
    }
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("X-Forwarded-For"), "{warnings:?}");
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
    // Who is not named shares one limit, which is nobody else's.
    assert_eq!(status("unknown").await, 200);
    assert_eq!(status("_hidden").await, 429);
    assert_eq!(status("127.0.0.1").await, 200);
}
