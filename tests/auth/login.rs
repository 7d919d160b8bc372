//! `POST /api/1/login` and what comes of it.

use cortex_report_server::Registration;
use serde_json::json;

use crate::harness::{Service, link_path, ok, pointers, problem};

#[tokio::test]
async fn a_login_answers_a_pending_session_and_owes_a_mail() {
    let service = Service::start().await;
    let request = service
        .post("/api/1/login")
        .json(&json!({ "email": "ann@example.com" }));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    let reply: serde_json::Value = response.json().await.unwrap();
    assert_eq!(reply["result"], "new_browser");
    let key = reply["session_key"].as_str().unwrap();
    assert_eq!(key.len(), 43, "256 bits in base64url");
    assert_eq!(
        cookie,
        format!("session_key={key}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict")
    );
    let code = reply["manual_code"].as_str().unwrap();
    let (first, second) = code.split_once('-').unwrap();
    for letters in [first, second] {
        assert_eq!(letters.len(), 4);
        assert!(
            letters
                .chars()
                .all(|it| "BCDFGHJKLMNPQRSTVWXZ".contains(it)),
            "{code}"
        );
    }
    assert_eq!(reply.as_object().unwrap().len(), 3);

    let mail = service.mail_after(0).await;
    let path = link_path(&mail);
    assert_eq!(path.len(), "/verify/".len() + 43);
    assert!(!mail.contains(code), "the code must not be in the mail");
    let (_, text) = mail.split_once("7bit\r\n\r\n").unwrap();
    let (text, _) = text.split_once("\r\n--").unwrap();
    let url = format!("{}{path}", service.url());
    assert_eq!(
        text.replace("\r\n", "\n").replace(&url, "URL"),
        "Somebody wants to log in to Data Cortex with this address.\n\n  From:  127.0.0.1\n  \
         At:    Thu, 01 Jan 2026 00:00:00 GMT\n\nWas it you? Then open this page, and type the \
         code that is shown where you\nare logging in:\n\nURL\n\nThe link works for 10 \
         minutes. If it was not you, ignore this mail: nobody\nis logged in unless the code is \
         typed on that page."
    );
    for header in [
        "To: ann@example.com\r\n",
        "Subject: Log in to Data Cortex\r\n",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n",
        "Message-ID: <login-1767225600000-1@localhost>\r\n",
        "Auto-Submitted: auto-generated\r\n",
    ] {
        assert!(mail.contains(header), "{mail}");
    }
}

#[tokio::test]
async fn a_pending_key_is_worth_nothing() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    let mut answers = Vec::new();
    for request in [
        service.get("/api/1/user"),
        service.get("/api/1/app?org_id=1"),
        service.get("/api/1/app?org_id=1&app_name=a"),
        service
            .post("/api/1/app")
            .json(&json!({ "org_id": 1, "app_name": "a" })),
        service.request(reqwest::Method::DELETE, "/api/1/app/1"),
    ] {
        let request = request.bearer_auth(&login.session_key);
        answers.push(problem(request, 403, "not_logged_in").await);
    }
    let unknown = service.get("/api/1/user").bearer_auth("unknown");
    let unknown = problem(unknown, 403, "not_logged_in").await;
    assert!(
        answers.iter().all(|answer| *answer == unknown),
        "all keys that are no good look alike"
    );
}

#[tokio::test]
async fn the_first_verified_login_makes_the_user_and_an_organization() {
    let service = Service::start().await;
    let first = service.log_in("Ann.B@Example.com").await;
    let user = ok(service.get("/api/1/user").bearer_auth(&first)).await;
    assert_eq!(
        user,
        json!({
            "user_id": 1, "email": "ann.b@example.com", "display_name": "ann.b",
            "org_list": [
                { "org_id": 1, "name": "ann.b", "short_name": "annb", "role": "owner" },
            ],
        })
    );
    let second = service.log_in("ann.b@EXAMPLE.com").await;
    assert_ne!(first, second);
    assert_eq!(
        ok(service.get("/api/1/user").bearer_auth(&second)).await,
        user
    );
    assert_eq!(
        ok(service.get("/api/1/user").bearer_auth(&first)).await,
        user
    );

    let other = service.log_in("bob@bücher.example").await;
    let other = ok(service.get("/api/1/user").bearer_auth(&other)).await;
    assert_eq!(other["email"], "bob@xn--bcher-kva.example");
    assert_eq!(other["org_list"][0]["org_id"], 2);
}

#[tokio::test]
async fn with_closed_registration_only_the_operators_users_get_a_mail() {
    let service =
        Service::start_with(|settings| settings.registration = Registration::Closed).await;
    assert!(
        service
            .operate(&["user", "add", "ann@example.com"])
            .status
            .success()
    );

    let answer = async |email: &str| {
        let request = service
            .post("/api/1/login")
            .json(&json!({ "email": email }));
        let response = request.send().await.unwrap();
        let status = response.status();
        let headers: Vec<String> = response.headers().keys().map(ToString::to_string).collect();
        let body: serde_json::Value = response.json().await.unwrap();
        let members: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        (status, headers, members)
    };
    let known = answer("ann@example.com").await;
    let unknown = answer("bob@example.com").await;
    assert_eq!(known, unknown);
    service.outbox_is_empty().await;
    let mails = service.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: ann@example.com\r\n"));

    let key = service.log_in("ann@example.com").await;
    let user = ok(service.get("/api/1/user").bearer_auth(key)).await;
    assert_eq!(
        user["org_list"],
        json!([]),
        "the operator decides where the user belongs"
    );
}

#[tokio::test]
async fn a_form_does_the_same_as_json() {
    let service = Service::start().await;
    let request = service
        .post("/api/1/login")
        .form(&[("email", "ann@example.com")]);
    assert_eq!(ok(request).await["result"], "new_browser");
    let request = service
        .post("/api/1/login")
        .form(&[("email", "ann"), ("x", "1")]);
    assert_eq!(pointers(request).await, ["/body/email", "/body/x"]);
}

#[tokio::test]
async fn the_mailed_url_never_follows_the_request() {
    let service = Service::start().await;
    let url = service.url();
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-for", "203.0.113.7"),
        ("user-agent", "Visit http://evil.example now"),
    ] {
        let mails = service.mails().len();
        let request = service
            .post("/api/1/login")
            .header(name, value)
            .json(&json!({ "email": "ann@example.com" }));
        ok(request).await;
        let mail = service.mail_after(mails).await;
        assert!(mail.contains(&format!("{url}/verify/")), "{name}: {mail}");
        assert!(
            !mail.contains("evil") && mail.contains("127.0.0.1"),
            "{name}: {mail}"
        );
    }
}

/// A mail that is read without being decoded, in a log or an archive, still has a link that works.
#[tokio::test]
async fn the_link_is_whole_in_the_raw_mail_however_long_the_host_is() {
    for length in [40, 60, 200] {
        let label = "a".repeat(19);
        let host = format!("{label}.{label}.{}", "b.".repeat(length)).to_owned();
        let host = format!("{}x", &host[..length - 1]);
        let service = Service::start_with(|settings| {
            settings.public_url = Some(format!("https://{host}").parse().unwrap());
            settings.mail.mail_from = "Reports <reports@mail.example>".parse().unwrap();
        })
        .await;
        let login = service.start_login("ann@example.com").await;
        let mail = service.mail_after(0).await;
        let url = format!("https://{host}{}", login.path);
        let lines: Vec<&str> = mail.split("\r\n").collect();
        assert!(lines.contains(&url.as_str()), "{mail}");
        let in_html = format!("<a href=\"{url}\">{url}</a>");
        assert!(mail.contains(&in_html), "{mail}");
        for shown in [
            "<html lang=\"en\">",
            "<title>Log in to Data Cortex</title>",
            "@mail.example>\r\n",
        ] {
            assert!(mail.contains(shown), "lacks {shown}: {mail}");
        }
        assert!(!mail.contains("quoted-printable") && !mail.contains("base64"));
    }
}

#[tokio::test]
async fn the_public_url_stands_in_mails_and_decides_over_the_cookie() {
    let service = Service::start_with(|settings| {
        settings.public_url = Some("https://report.example.com".parse().unwrap());
    })
    .await;
    let request = service
        .post("/api/1/login")
        .json(&json!({ "email": "ann@example.com" }));
    let response = request.send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"),
        "{cookie}"
    );
    assert!(response.headers().contains_key("strict-transport-security"));
    let mail = service.mail_after(0).await;
    assert!(
        mail.contains("https://report.example.com/verify/"),
        "{mail}"
    );
}

#[tokio::test]
async fn spaces_around_an_address_do_not_matter() {
    let service = Service::start().await;
    let typed = "\u{3000} Ann@example.com\u{a0}\r\n";
    let json = service
        .post("/api/1/login")
        .json(&json!({ "email": typed }));
    ok(json).await;
    let form = service.post("/api/1/login").form(&[("email", typed)]);
    ok(form).await;
    service.mail_after(1).await;
    for mail in service.mails() {
        assert!(mail.contains("To: ann@example.com\r\n"), "{mail}");
    }
    for command in [
        &["user", "add", typed][..],
        &["user", "end-sessions", typed],
        &["user", "unlock", typed],
    ] {
        let output = service.operate(command);
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_used_says_why() {
    let service = Service::start().await;
    let long = format!("{}@example.com", "a".repeat(65));
    for (email, why) in [
        ("änn@example.com", "SMTPUTF8"),
        ("\"ann b\"@example.com", "quotation mark"),
        ("ann@[127.0.0.1]", "IP address"),
        ("ann", "name@domain.example"),
        ("ann@", "name@domain.example"),
        (long.as_str(), "at most 64 characters"),
    ] {
        let request = service.post("/api/1/login");
        let request = request.json(&json!({ "email": email }));
        let problem = problem(request, 400, "invalid_request").await;
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["pointer"], "/body/email");
        let detail = errors[0]["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{email}: {detail}");
    }
}

#[tokio::test]
async fn hostile_addresses_are_refused_and_leave_nothing() {
    let service = Service::start().await;
    let before = service.dump().await;
    let long = format!("ann@{}example.com", "a.".repeat(130));
    for email in [
        "",
        " ",
        "ann",
        "ann@",
        "@example.com",
        "ann@example.com\r\nBcc: bob@example.com",
        "ann@example.com\nTo: bob@example.com",
        "ann\0@example.com",
        "ann@example.com,bob@example.com",
        "Ann <ann@example.com>",
        "\"a b\"@example.com",
        "ann@[127.0.0.1]",
        "ann@-example.com",
        "änn@example.com",
        long.as_str(),
    ] {
        let json = service
            .post("/api/1/login")
            .json(&json!({ "email": email }));
        assert_eq!(pointers(json).await[0], "/body/email", "{email:?}");
        let form = service.post("/api/1/login").form(&[("email", email)]);
        assert_eq!(pointers(form).await[0], "/body/email", "{email:?}");
    }
    assert_eq!(service.dump().await, before);
    assert!(service.mails().is_empty());
}
