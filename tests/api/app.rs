//! Applications: created, listed, deleted, and by whom.

use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseBackend};
use serde_json::{Value, json};

use crate::harness::{Service, ok, pointers, problem};

#[tokio::test]
async fn an_application_is_created_listed_and_deleted() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let second = service.create_app(&key, org_id, "beta").await;
    let first = service.create_app(&key, org_id, "Alpha").await;

    let list = async || {
        ok(service
            .get(&format!("/api/1/app?org_id={org_id}"))
            .bearer_auth(&key))
        .await
    };
    let apps = list().await;
    assert_eq!(
        apps.as_object().unwrap().len(),
        1,
        "no app_id: nothing was created"
    );
    let apps = apps["app_list"].as_array().unwrap();
    let names: Vec<(&Value, &Value)> = apps
        .iter()
        .map(|app| (&app["app_id"], &app["name"]))
        .collect();
    assert_eq!(
        names,
        [
            (&json!(first), &json!("Alpha")),
            (&json!(second), &json!("beta"))
        ]
    );
    let mut keys = Vec::new();
    for app in apps {
        let [api_key] = app["api_key_list"].as_array().unwrap().as_slice() else {
            panic!("one key is minted: {app}");
        };
        let api_key = api_key.as_str().unwrap();
        assert_eq!(api_key.len(), 32);
        assert!(api_key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        keys.push(api_key.to_owned());
    }
    assert_ne!(keys[0], keys[1]);

    let path = format!("/api/1/app/{first}");
    let deleted = ok(service.request(Method::DELETE, &path).bearer_auth(&key)).await;
    assert_eq!(deleted, json!({ "result": "deleted" }));
    let apps = list().await;
    assert_eq!(apps["app_list"].as_array().unwrap().len(), 1);
    assert!(
        !service
            .dump()
            .await
            .iter()
            .any(|row| row.contains(&keys[0])),
        "its key is gone"
    );
    problem(
        service.request(Method::DELETE, &path).bearer_auth(&key),
        403,
        "not_allowed",
    )
    .await;

    let third = service.create_app(&key, org_id, "Alpha").await;
    assert!(
        third > second && third > first,
        "an app_id is not used again"
    );
}

#[tokio::test]
async fn the_published_get_creates_too() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let path = format!("/api/1/app?org_id={org_id}&app_name=Space+Miner");
    let created = ok(service.get(&path).bearer_auth(&key)).await;
    assert_eq!(created["app_list"][0]["app_id"], created["app_id"]);
    assert_eq!(created["app_list"][0]["name"], "Space Miner");
    problem(service.get(&path).bearer_auth(&key), 409, "name_taken").await;
    let before = service.dump().await;
    for path in [&path, &path.replace("Miner", "Digger")] {
        let head = service.request(Method::HEAD, path).bearer_auth(&key);
        assert_eq!(head.send().await.unwrap().status(), 200);
    }
    assert_eq!(service.dump().await, before, "a HEAD changes nothing");
}

#[tokio::test]
async fn ids_may_be_decimal_strings_wherever_they_are_sent() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let json = json!({ "org_id": org_id.to_string(), "app_name": "a" });
    let created = ok(service.post("/api/1/app").bearer_auth(&key).json(&json)).await;
    assert!(created["app_id"].is_i64());
    let form = [("org_id", org_id.to_string()), ("app_name", "b".to_owned())];
    let created = ok(service.post("/api/1/app").bearer_auth(&key).form(&form)).await;
    assert!(created["app_id"].is_i64());
}

#[tokio::test]
async fn a_name_has_1_to_64_characters_that_can_be_seen() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let long = "é".repeat(64);
    for (given, kept) in [
        ("a", "a"),
        ("  a b  ", "a b"),
        ("\u{3000}名前\u{a0}", "名前"),
        ("🦀", "🦀"),
        ("👩\u{200d}🚀", "👩\u{200d}🚀"),
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ("'; DROP TABLE app; --", "'; DROP TABLE app; --"),
        (long.as_str(), long.as_str()),
        (&format!("  {}  ", "x".repeat(64)), &"x".repeat(64)),
    ] {
        let app_id = service.create_app(&key, org_id, given).await;
        let apps = ok(service
            .get(&format!("/api/1/app?org_id={org_id}"))
            .bearer_auth(&key))
        .await;
        let apps = apps["app_list"].as_array().unwrap();
        let app = apps.iter().find(|app| app["app_id"] == app_id).unwrap();
        assert_eq!(app["name"], kept);
    }
    let before = service.dump().await;
    let too_long = "x".repeat(65);
    for name in [
        "",
        " ",
        "\u{3000}",
        "\t",
        "a\nb",
        "a\0",
        "\u{7f}",
        "a\u{85}",
        "\u{9b}a",
        too_long.as_str(),
        &" ".repeat(300),
        "\u{200b}",
        "a\u{feff}",
        "a\u{202e}b",
        "a\u{2067}b",
        "a\u{e0041}",
        "\u{3164}",
        "\u{2800}",
        "a\u{200d}b",
        "a\u{200c}",
        "a\u{fe0f}",
        "\u{301}",
    ] {
        let body = json!({ "org_id": org_id, "app_name": name });
        let json = service.post("/api/1/app").bearer_auth(&key).json(&body);
        assert_eq!(pointers(json).await[0], "/body/app_name", "{name:?}");
        let form = [
            ("org_id", org_id.to_string()),
            ("app_name", name.to_owned()),
        ];
        let form = service.post("/api/1/app").bearer_auth(&key).form(&form);
        assert_eq!(pointers(form).await[0], "/body/app_name", "{name:?}");
        let query = service.get("/api/1/app").bearer_auth(&key);
        let query = query.query(&[("org_id", &org_id.to_string()[..]), ("app_name", name)]);
        assert_eq!(pointers(query).await[0], "/query/app_name", "{name:?}");
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn a_name_is_unique_within_its_organization_whatever_its_case() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let bob = service.log_in("bob@example.com").await;
    let (anns, bobs) = (service.org_id(&ann).await, service.org_id(&bob).await);
    service.create_app(&ann, anns, "Straße").await;
    service.create_app(&ann, anns, "οδος").await;
    service.create_app(&ann, anns, "Caf\u{e9}").await;
    service
        .create_app(&ann, anns, "\u{fdfa}".repeat(64).as_str())
        .await;
    let before = service.dump().await;
    for name in [
        "Straße",
        "straße",
        " STRAßE ",
        "STRASSE",
        "STRAẞE",
        "ΟΔΟΣ",
        "οδοσ",
        "cafe\u{301}",
        "ＣＡＦÉ",
        &"\u{fdfa}".repeat(64),
    ] {
        let body = json!({ "org_id": anns, "app_name": name });
        problem(
            service.post("/api/1/app").bearer_auth(&ann).json(&body),
            409,
            "name_taken",
        )
        .await;
    }
    assert_eq!(service.dump().await, before);
    service.create_app(&bob, bobs, "Straße").await;
}

/// As after a version that told names apart by less.
#[tokio::test]
async fn names_of_an_older_version_get_the_keys_of_this_one() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let names = ["Stra\u{df}e", "plain", "Stra\u{1e9e}e", "caf\u{e9}"];
    for number in 0..names.len() {
        service
            .create_app(&key, org_id, &format!("app {number}"))
            .await;
    }
    let database = service.database.connect().await;
    for (number, name) in names.iter().enumerate() {
        let sql = format!(
            "UPDATE app SET name = '{name}', name_key = '{}' WHERE name = 'app {number}'",
            // What two of them get now was the key of another one.
            ["old", "strasse", "plain", "caf\u{e9}"][number]
        );
        sea_orm::ConnectionTrait::execute_unprepared(&database, &sql)
            .await
            .unwrap();
    }
    let forget = "DELETE FROM seaql_migrations WHERE version LIKE '%fold_names'";
    sea_orm::ConnectionTrait::execute_unprepared(&database, forget)
        .await
        .unwrap();
    database.close().await.unwrap();
    let service = service.restart_with(|_| {}).await;

    let apps = service.get(&format!("/api/1/app?org_id={org_id}"));
    let apps = ok(apps.bearer_auth(&key)).await;
    let apps = apps["app_list"].as_array().unwrap();
    let listed: Vec<&str> = apps
        .iter()
        .map(|app| app["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        listed,
        ["caf\u{e9}", "plain", "Stra\u{df}e", "Stra\u{1e9e}e"]
    );
    for name in ["STRASSE", "PLAIN", "cafe\u{301}"] {
        let body = json!({ "org_id": org_id, "app_name": name });
        let create = service.post("/api/1/app").bearer_auth(&key).json(&body);
        problem(create, 409, "name_taken").await;
    }
    service.create_app(&key, org_id, "old").await;
    service.stop().await;
}

#[tokio::test]
async fn of_many_that_take_a_name_at_once_one_gets_it() {
    let service = std::sync::Arc::new(Service::start().await);
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (service, key) = (service.clone(), key.clone());
        tries.spawn(async move {
            let body = json!({ "org_id": org_id, "app_name": "a" });
            let request = service.post("/api/1/app").bearer_auth(&key).json(&body);
            request.send().await.unwrap().status().as_u16()
        });
    }
    let mut statuses = tries.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(service.rows("api_key").await, 1);
}

/// Every role, every operation, the own organization, a foreign one and one that does not exist.
/// With SQLite those that are made at the same moment are parts of one transaction.
#[tokio::test]
async fn what_is_made_at_once_is_all_there_and_what_is_refused_leaves_nothing() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let mut created = tokio::task::JoinSet::new();
    for number in 0..64 {
        let name = format!("app {}", number / 2);
        let body = json!({ "org_id": org_id, "app_name": name });
        let request = service.post("/api/1/app").bearer_auth(&key).json(&body);
        created.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let mut statuses = created.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[200; 32], [409; 32]].concat());
    let listed = service.get(&format!("/api/1/app?org_id={org_id}"));
    let listed = ok(listed.bearer_auth(&key)).await;
    let listed = listed["app_list"].as_array().unwrap();
    assert_eq!(listed.len(), 32);
    for app in listed {
        assert_eq!(app["api_key_list"].as_array().unwrap().len(), 1, "{app}");
    }
    // The login, and each application.
    assert_eq!(service.rows("audit").await, 33);
}

#[tokio::test]
async fn pages_meet_each_application_once_whatever_changes_meanwhile() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let mut made = Vec::new();
    // The list by name has them the other way round.
    for name in ["e", "d", "c", "b", "a"] {
        made.push(service.create_app(&key, org_id, name).await);
    }
    let page = async |query: &str| -> Vec<i64> {
        let path = format!("/api/1/app?org_id={org_id}{query}");
        let page = ok(service.get(&path).bearer_auth(&key)).await;
        let apps = page["app_list"].as_array().unwrap().iter();
        assert!(
            apps.clone()
                .all(|app| app["api_key_list"].as_array().unwrap().len() == 1),
            "{page}"
        );
        apps.map(|app| app["app_id"].as_i64().unwrap()).collect()
    };
    let by_name: Vec<i64> = made.iter().rev().copied().collect();
    assert_eq!(page("").await, by_name, "the published call");
    assert_eq!(
        page("&after=1").await,
        made[made.iter().position(|id| *id > 1).unwrap()..]
    );
    assert_eq!(page("&limit=1000").await, made);
    assert_eq!(page("&limit=2").await, made[..2]);

    let path = format!("/api/1/app/{}", made[1]);
    ok(service.request(Method::DELETE, &path).bearer_auth(&key)).await;
    let newer = service.create_app(&key, org_id, "d").await;
    let second = format!("&limit=2&after={}", made[1]);
    assert_eq!(
        page(&second).await,
        made[2..4],
        "the last of the page before is gone"
    );
    let third = format!("&limit=2&after={}", made[3]);
    assert_eq!(
        page(&third).await,
        [made[4], newer],
        "a newer one comes last"
    );
    assert!(page(&format!("&after={newer}")).await.is_empty());
    assert!(page(&format!("&after={}", i64::MAX)).await.is_empty());

    for (query, pointer) in [
        ("limit=0", "/query/limit"),
        ("limit=1001", "/query/limit"),
        ("limit=two", "/query/limit"),
        ("after=0", "/query/after"),
        ("after=-1", "/query/after"),
        ("after=9223372036854775808", "/query/after"),
    ] {
        let asked = service.get(&format!("/api/1/app?org_id={org_id}&{query}"));
        assert_eq!(
            pointers(asked.bearer_auth(&key)).await,
            [pointer],
            "{query}"
        );
    }
    let foreign = service.get(&format!("/api/1/app?org_id={}&limit=1", org_id + 1));
    problem(foreign.bearer_auth(&key), 403, "not_allowed").await;
}

#[tokio::test]
async fn a_long_list_has_all_applications_by_name() {
    const APPS: usize = 2001;
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let mut creating = tokio::task::JoinSet::new();
    for first in 0..50 {
        let requests = (first..APPS).step_by(50).map(|number| {
            // The order of names is not that of ids.
            let name = format!("app {:05}", number * 7919 % APPS);
            let body = json!({ "org_id": org_id, "app_name": name });
            service.post("/api/1/app").bearer_auth(&key).json(&body)
        });
        let requests: Vec<_> = requests.collect();
        creating.spawn(async move {
            for request in requests {
                ok(request).await;
            }
        });
    }
    creating.join_all().await;
    let list = service.get(&format!("/api/1/app?org_id={org_id}"));
    let list = ok(list.bearer_auth(&key)).await;
    let apps = list["app_list"].as_array().unwrap();
    let names: Vec<_> = apps
        .iter()
        .map(|app| app["name"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = (0..APPS).map(|number| format!("app {number:05}")).collect();
    assert_eq!(names, expected);
    for app in apps {
        assert_eq!(app["api_key_list"].as_array().unwrap().len(), 1, "{app}");
    }
}

#[tokio::test]
async fn one_that_the_database_refuses_takes_no_other_with_it() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let database = service.database.connect().await;
    let refuse: &[&str] = match service.database.backend() {
        DatabaseBackend::Sqlite => &[
            "CREATE TRIGGER refuse BEFORE INSERT ON app WHEN NEW.name = 'refused' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        ],
        DatabaseBackend::Postgres => &[
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql \
             AS 'BEGIN RAISE EXCEPTION ''refused''; END'",
            "CREATE TRIGGER refuse BEFORE INSERT ON app FOR EACH ROW \
             WHEN (NEW.name = 'refused') EXECUTE FUNCTION refuse()",
        ],
        _ => &["CREATE TRIGGER refuse BEFORE INSERT ON app FOR EACH ROW \
             IF NEW.name = 'refused' THEN SIGNAL SQLSTATE '45000'; END IF"],
    };
    for statement in refuse {
        database.execute_unprepared(statement).await.unwrap();
    }
    database.close().await.unwrap();
    let names = (0..20).map(|number| match number {
        7 => "refused".to_owned(),
        _ => format!("app {number}"),
    });
    let mut created = tokio::task::JoinSet::new();
    for name in names {
        let body = json!({ "org_id": org_id, "app_name": name });
        let request = service.post("/api/1/app").bearer_auth(&key).json(&body);
        created.spawn(async move { (request.send().await.unwrap().status().as_u16(), name) });
    }
    for (status, name) in created.join_all().await {
        let expected = if name == "refused" { 500 } else { 200 };
        assert_eq!(status, expected, "{name}");
    }
    assert_eq!(service.rows("app").await, 19);
}
