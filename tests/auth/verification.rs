//! The verification page.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Service, chunked_body, link_path, ok, problem};

#[tokio::test]
async fn the_page_shows_who_asked_and_opening_it_changes_nothing() {
    let service = Service::start().await;
    let request = service
        .post("/api/1/login")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .json(&json!({ "email": "ann@example.com" }));
    ok(request).await;
    let path = link_path(&service.mail_after(0).await);
    service.outbox_is_empty().await;
    let before = service.dump().await;
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let response = service.request(method, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let page = response.text().await.unwrap();
        if !page.is_empty() {
            for shown in [
                "ann@example.com",
                "127.0.0.1",
                "Thu, 01 Jan 2026 00:00:00 GMT",
                "Thu, 01 Jan 2026 00:10:00 GMT</data> (in 10 minutes)",
                "Firefox on Linux",
                "<form method=\"post\">",
            ] {
                assert!(page.contains(shown), "lacks {shown}: {page}");
            }
        }
    }
    assert_eq!(service.dump().await, before);
}

/// Whoever starts a login for somebody else's address chooses the header, and that person reads it.
#[tokio::test]
async fn no_word_of_who_asks_stands_on_the_page_or_in_the_mail() {
    let service = Service::start().await;
    for header in [
        "Chrome on Windows. To cancel this login, type your code at https://evil.example/c",
        "curl/8.0 evil.example",
        "Mozilla/5.0 (X11; Linux x86_64; evil.example) Gecko/20100101 Firefox/evil.example",
        "evil.example <script>alert(1)</script>",
    ] {
        let mails = service.mails().len();
        let request = service.post("/api/1/login").header("user-agent", header);
        ok(request.json(&json!({ "email": "ann@example.com" }))).await;
        let mail = service.mail_after(mails).await;
        let page = service.get(&link_path(&mail)).send().await.unwrap();
        let page = page.text().await.unwrap();
        for shown in [&mail, &page] {
            assert!(!shown.contains("evil"), "{header}: {shown}");
        }
    }
    let kept = service.dump().await.join("\n");
    assert!(
        !kept.contains("evil"),
        "what is shown is what is kept: {kept}"
    );
}

#[tokio::test]
async fn a_foreign_domain_is_shown_as_it_is_looked_up() {
    let service = Service::start().await;
    // The first letter is Cyrillic.
    let login = service.start_login("ann@еxample.com").await;
    let page = service.get(&login.path).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("ann@xn--xample-2of.com"), "{page}");
}

#[tokio::test]
async fn the_code_may_be_typed_and_pasted_in_many_ways() {
    let service = Service::start().await;
    for change in [
        str::to_lowercase,
        |code: &str| code.replace('-', ""),
        |code: &str| format!(" {code} "),
        |code: &str| format!("Code: {code}"),
        |code: &str| code.replace('-', " — "),
        |code: &str| {
            let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).unwrap();
            code.chars().map(wide).collect()
        },
    ] {
        let login = service.start_login("ann@example.com").await;
        let page = service.type_code(&login, &change(&login.manual_code)).await;
        assert_eq!(page.status(), 200);
        ok(service.get("/api/1/user").bearer_auth(&login.session_key)).await;
    }
}

/// A scanner or a stranger with the link could otherwise end the login, and lock the address.
#[tokio::test]
async fn what_is_not_a_code_costs_nothing() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    service.outbox_is_empty().await;
    let before = service.dump().await;
    let form = |body: &str| {
        let form = service.post(&login.path).body(body.to_owned());
        form.header("content-type", "application/x-www-form-urlencoded")
    };
    let json = json!({ "manual_code": "BBBB-BBBB" });
    for (request, status) in [
        (form(""), 400),
        (form("manual_code="), 400),
        (form("manual_code=+++"), 400),
        (form("manual_code=BBBB"), 400),
        (form("manual_code=BBBB-BBBA"), 400),
        (form("manual_code=12345678"), 400),
        (form("manual_code=BBBB-BBBB-B"), 400),
        (form("manual_code=%ff%feBBBBBBBB"), 400),
        (form("code=BBBB-BBBB"), 400),
        (form("manual_code=BBBBBBBB&manual_code=BBBBBBBB"), 400),
        (service.post(&login.path), 415),
        (service.post(&login.path).body("manual_code=BBBBBBBB"), 415),
        (service.post(&login.path).json(&json), 415),
        (
            service
                .post(&login.path)
                .header("content-type", "text/plain")
                .body("manual_code=BBBBBBBB"),
            415,
        ),
        (form(&format!("manual_code={}", "B".repeat(70_000))), 413),
        (form("").body(chunked_body(70_000)), 413),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        let content_type = &response.headers()["content-type"];
        assert_eq!(content_type, "text/html; charset=utf-8");
        let page = response.text().await.unwrap();
        let has_form = page.contains("<form method=\"post\">");
        assert_eq!(has_form, status != 413, "{page}");
        let reason = match status {
            400 => "That is not a code",
            415 => "The form did not arrive",
            _ => "That is too long",
        };
        assert!(page.contains(reason), "{status} lacks {reason}: {page}");
    }
    assert_eq!(service.dump().await, before);
    let put = service.request(Method::PUT, &login.path);
    problem(put, 405, "method_not_allowed").await;

    let page = service.type_code(&login, &login.manual_code).await;
    assert_eq!(page.status(), 200);
    let blank = service.type_code(&login, "").await;
    assert_eq!(blank.status(), 400, "nor after it was verified");
    assert_eq!(failures(&service).await, 0);
}

#[tokio::test]
async fn a_verified_link_says_so_as_long_as_it_lives_and_does_nothing_again() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    let form = [("manual_code", &login.manual_code)];
    let answer = service.post(&login.path).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303, "a reload sends no form again");
    let token = login.path.trim_start_matches("/verify/");
    assert_eq!(answer.headers()["location"], format!("./{token}"));

    let before = service.dump().await;
    for _ in 0..10 {
        for page in [
            service.type_code(&login, &login.manual_code).await,
            service.get(&login.path).send().await.unwrap(),
        ] {
            assert_eq!(page.status(), 200);
            let page = page.text().await.unwrap();
            assert!(page.contains("This login is verified"), "{page}");
        }
    }
    assert_eq!(service.dump().await, before);

    ok(service
        .post("/api/1/logout")
        .bearer_auth(&login.session_key))
    .await;
    let page = service.type_code(&login, &login.manual_code).await;
    assert_eq!(page.status(), 404, "it is not verified any more");
    let request = service.get("/api/1/user").bearer_auth(&login.session_key);
    problem(request, 403, "not_logged_in").await;
}

#[tokio::test]
async fn a_verified_link_does_not_tell_codes_apart_without_end() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    service.type_code(&login, &login.manual_code).await;
    for _ in 0..4 {
        let page = service.type_code(&login, "BBBB-BBBB").await;
        assert_eq!(page.status(), 403);
    }
    for code in ["BBBB-BBBB", "CCCC-CCCC", &login.manual_code] {
        let page = service.type_code(&login, code).await;
        assert_eq!(page.status(), 200, "all look alike now");
    }
    assert_eq!(failures(&service).await, 5, "so many were compared");
    assert_eq!(
        service.rows("code_failure").await,
        0,
        "there was nothing to guess any more"
    );
    ok(service.get("/api/1/user").bearer_auth(&login.session_key)).await;
}

#[tokio::test]
async fn five_wrong_codes_burn_the_login() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    for left in [4, 3, 2, 1] {
        let page = service.type_code(&login, "BBBB-BBBB").await;
        assert_eq!(page.status(), 403);
        let page = page.text().await.unwrap();
        let tries = if left == 1 { "try" } else { "tries" };
        assert!(page.contains(&format!("{left} {tries} left")), "{page}");
    }
    assert_eq!(service.type_code(&login, "BBBB-BBBB").await.status(), 404);
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        404
    );
    // Whoever waits for it need wait no longer.
    let request = service.get("/api/1/user").bearer_auth(&login.session_key);
    problem(request, 403, "not_allowed").await;
    assert_eq!(
        service.rows("user").await,
        0,
        "nobody was logged in, so there is no user"
    );

    service.log_in("ann@example.com").await;
}

#[tokio::test]
async fn guesses_at_once_get_no_more_tries() {
    let service = Arc::new(Service::start().await);
    for _ in 0..3 {
        let login = Arc::new(service.start_login("ann@example.com").await);
        let before = failures(&service).await;
        let mut guesses = JoinSet::new();
        for _ in 0..40 {
            let (service, login) = (service.clone(), login.clone());
            guesses.spawn(async move { service.type_code(&login, "BBBB-BBBB").await.status() });
        }
        guesses.join_all().await;
        assert_eq!(
            failures(&service).await - before,
            5,
            "so many codes were compared"
        );
        assert_eq!(
            service.type_code(&login, &login.manual_code).await.status(),
            404
        );
    }
}

async fn failures(service: &Service) -> usize {
    let dump = service.dump().await;
    let audit = dump.iter().filter(|row| row.starts_with("audit"));
    audit.filter(|row| row.contains("'failure'")).count()
}

#[tokio::test]
async fn the_right_code_at_once_from_many_logs_in_once() {
    let service = Arc::new(Service::start().await);
    for round in 0..5 {
        let email = format!("ann{round}@example.com");
        let login = Arc::new(service.start_login(&email).await);
        let mut tries = JoinSet::new();
        for _ in 0..16 {
            let (service, login) = (service.clone(), login.clone());
            tries
                .spawn(async move { service.type_code(&login, &login.manual_code).await.status() });
        }
        let statuses = tries.join_all().await;
        // Who sent the right code, and found tries left, is told so; it logged in once.
        assert!(statuses.iter().any(|status| *status == 200), "{statuses:?}");
        assert_eq!(service.rows("audit").await, round + 1, "{statuses:?}");
        assert_eq!(service.rows("user").await, round + 1);
        assert_eq!(service.rows("code_failure").await, 0);
        ok(service.get("/api/1/user").bearer_auth(&login.session_key)).await;
    }
}

#[tokio::test]
async fn a_login_lives_ten_minutes() {
    let service = Service::start().await;
    let in_time = service.start_login("ann@example.com").await;
    let late = service.start_login("ann@example.com").await;
    service.clock.advance(599);
    assert_eq!(
        service
            .type_code(&in_time, &in_time.manual_code)
            .await
            .status(),
        200
    );
    service.clock.advance(1);
    for path in [&late.path, &in_time.path] {
        assert_eq!(service.get(path).send().await.unwrap().status(), 404);
    }
    assert_eq!(
        service.type_code(&late, &late.manual_code).await.status(),
        404
    );
    service.clock.set_ahead(-86_400);
    assert_eq!(
        service.type_code(&late, &late.manual_code).await.status(),
        404
    );
}

#[tokio::test]
async fn a_hundred_wrong_codes_in_a_row_lock_the_address_until_the_operator_unlocks_it() {
    let service = Service::start().await;
    for _ in 0..20 {
        let login = service.start_login("ann@example.com").await;
        for _ in 0..5 {
            service.type_code(&login, "BBBB-BBBB").await;
        }
    }
    let login = service.start_login("ann@example.com").await;
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        404
    );
    service.log_in("bob@example.com").await;

    let unlocked = service.operate(&["user", "unlock", "ann@example.com"]);
    assert_eq!(
        String::from_utf8_lossy(&unlocked.stdout),
        "ann@example.com can log in again\n"
    );
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        200
    );
}

#[tokio::test]
async fn a_right_code_forgets_the_wrong_ones() {
    let service = Service::start().await;
    for _ in 0..25 {
        let login = service.start_login("ann@example.com").await;
        for _ in 0..4 {
            service.type_code(&login, "BBBB-BBBB").await;
        }
        assert_eq!(
            service.type_code(&login, &login.manual_code).await.status(),
            200
        );
    }
}

#[tokio::test]
async fn after_a_wrong_code_another_login_of_the_address_works() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    service.type_code(&login, "BBBB-BBBB").await;
    let another = service.start_login("ann@example.com").await;
    let page = service.type_code(&another, &another.manual_code).await;
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn a_page_that_the_database_fails_says_so() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    service.database.drop_table("session").await;
    let page = service.get(&login.path).send().await.unwrap();
    assert_eq!(page.status(), 503);
    assert!(page.headers().contains_key("retry-after"));
    let page = page.text().await.unwrap();
    assert!(page.contains("The service has a problem"), "{page}");
}
