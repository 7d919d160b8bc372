//! Faults to plant in the server's own code: each compiles, and each breaks what openapi.yaml or
//! its description promises.

use std::fs;

use cortex_report_tests::workspace;

use crate::{Change, Failure};

/// The code that is there once, and what takes its place.
struct Fault {
    kind: &'static str,
    file: &'static str,
    change: [&'static str; 2],
}

/// Every fault.
///
/// # Errors
///
/// A file cannot be read, or has not the code that a fault takes the place of.
pub fn faults() -> Result<Vec<Change>, Failure> {
    let changed = FAULTS.iter().map(|Fault { kind, file, change }| {
        let [from, to] = change;
        let sound = fs::read_to_string(workspace::original().join(file))?;
        if sound.matches(from).count() != 1 {
            return Err(format!("{file} has not one place with {from:?}: plant another").into());
        }
        Ok(Change {
            kind,
            edit: format!("{file}: {from:?} becomes {to:?}"),
            file,
            text: sound.replace(from, to),
        })
    });
    changed.collect()
}

const CLEANUP: &str = "server/src/cleanup.rs";
const CLOCK: &str = "server/src/clock.rs";
const CONNECT: &str = "server/src/store/connect.rs";
const CONNECTION: &str = "server/src/store/connection.rs";
const ADMISSION: &str = "server/src/http/admission.rs";
const NEW_APP: &str = "server/src/store/new_app.rs";
const CREATE_APP: &str = "server/src/app/create_app.rs";
const DELETE_APP: &str = "server/src/app/delete_app.rs";
const FILE: &str = "server/src/config/file.rs";
const GET_USER: &str = "server/src/auth/get_user.rs";
const HEALTH: &str = "server/src/http/health.rs";
const HTTP: &str = "server/src/http.rs";
const LIST_APPS: &str = "server/src/app/list_apps.rs";
const LOGIN: &str = "server/src/auth/login.rs";
const LOGOUT: &str = "server/src/auth/logout.rs";
const MEMBERSHIP: &str = "server/src/store/membership.rs";
const OUTBOX: &str = "server/src/mail/outbox.rs";
const PROXIES: &str = "server/src/http/proxies.rs";
const RANDOM: &str = "server/src/random.rs";
const SESSIONS: &str = "server/src/auth/sessions.rs";
const SERVICE: &str = "server/src/service.rs";
const SESSION: &str = "server/src/auth/session.rs";
const SIGNALS: &str = "server/src/signals.rs";
const SOURCES: &str = "server/src/config/sources.rs";
const START: &str = "server/src/start.rs";
const STORE: &str = "server/src/store.rs";
const STORE_HEALTH: &str = "server/src/store/health.rs";
const STORED_APP: &str = "server/src/store/app.rs";
const STORED_SESSION: &str = "server/src/store/session.rs";
const SURROUNDINGS: &str = "server/src/http/surroundings.rs";
const TELEMETRY: &str = "server/src/telemetry.rs";
const TEXT: &str = "server/src/text.rs";
const VERIFY: &str = "server/src/pages/verify.rs";

const fn fault(kind: &'static str, file: &'static str, change: [&'static str; 2]) -> Fault {
    Fault { kind, file, change }
}

/// The faults, by kind.
const FAULTS: [Fault; 83] = [
    fault(
        "status",
        CREATE_APP,
        [
            "Created::NameTaken => Ok(None)",
            "Created::NameTaken => Err(not_allowed())",
        ],
    ),
    fault(
        "status",
        CREATE_APP,
        [
            "Created::NotAllowed => Err(not_allowed())",
            "Created::NotAllowed => Ok(None)",
        ],
    ),
    fault(
        "status",
        DELETE_APP,
        [
            "let Some((app, role)) = found else {\n            return Err(not_allowed());",
            "let Some((app, role)) = found else {\n            let result = DeleteAppResult::Deleted;\n            return Ok(DeleteAppReply { result });",
        ],
    ),
    fault(
        "status",
        LIST_APPS,
        ["apps.ok_or_else(not_allowed)?", "apps.unwrap_or_default()"],
    ),
    fault(
        "status",
        LOGIN,
        [
            "map_err(|error| invalid(\"/body/email\", error))?",
            "map_err(|_| crate::service::not_allowed())?",
        ],
    ),
    fault(
        "status",
        SERVICE,
        [
            "Self::service_unavailable(\n                    ProblemCode::Unavailable,\n                    format!(\"The database is not available. Try again in {RETRY_AFTER} seconds.\"),\n                    RETRY_AFTER,\n                )",
            "Self::internal_server_error(ProblemCode::InternalError, format!(\"{RETRY_AFTER}\"))",
        ],
    ),
    fault(
        "status",
        SURROUNDINGS,
        [
            "StatusCode::REQUEST_TIMEOUT,\n        \"request",
            "StatusCode::GATEWAY_TIMEOUT,\n        \"request",
        ],
    ),
    fault(
        "status",
        HTTP,
        [
            "const BODY_LIMIT: usize = 64 * 1024",
            "const BODY_LIMIT: usize = 640 * 1024",
        ],
    ),
    fault(
        "code",
        CREATE_APP,
        [
            "ProblemCode::NameTaken,\n                NAME_TAKEN",
            "ProblemCode::NotAllowed,\n                NAME_TAKEN",
        ],
    ),
    fault(
        "code",
        LIST_APPS,
        [
            "let code = ProblemCode::NameTaken;",
            "let code = ProblemCode::InvalidRequest;",
        ],
    ),
    fault(
        "code",
        SESSION,
        ["ProblemCode::NotLoggedIn,", "ProblemCode::NotAllowed,"],
    ),
    fault(
        "code",
        SESSION,
        ["ProblemCode::CrossSite,", "ProblemCode::NotLoggedIn,"],
    ),
    fault(
        "code",
        LOGIN,
        ["ProblemCode::TooManyRequests,", "ProblemCode::Unavailable,"],
    ),
    fault("code", SURROUNDINGS, ["\"request_timeout\"", "\"timeout\""]),
    fault(
        "member",
        LIST_APPS,
        [
            "Ok(AppList {\n            app_id,",
            "let _ = app_id;\n        Ok(AppList {\n            app_id: None,",
        ],
    ),
    fault(
        "member",
        LIST_APPS,
        ["api_key_list: app.keys,", "api_key_list: Vec::new(),"],
    ),
    fault(
        "member",
        LIST_APPS,
        [
            "Some(name) => {\n",
            "Some(name) if name.is_empty() => None,\n        Some(name) => {\n            let name = format!(\"{name}.\");\n",
        ],
    ),
    fault(
        "member",
        GET_USER,
        [
            "org_list: org_list.collect()",
            "org_list: org_list.skip(1).collect()",
        ],
    ),
    fault(
        "member",
        GET_USER,
        [
            "display_name: active.display_name.clone()",
            "display_name: format!(\"{} \", active.display_name)",
        ],
    ),
    fault(
        "member",
        GET_USER,
        ["user_id: active.user_id,", "user_id: active.user_id + 1,"],
    ),
    fault(
        "value",
        GET_USER,
        ["user_id: active.user_id,", "user_id: active.user_id - 1,"],
    ),
    fault(
        "value",
        GET_USER,
        [
            "email: active.email.clone(),",
            "email: active.display_name.clone(),",
        ],
    ),
    fault(
        "value",
        CREATE_APP,
        [
            "CreateAppReply { app_id }",
            "CreateAppReply { app_id: -app_id }",
        ],
    ),
    fault(
        "value",
        CREATE_APP,
        [
            "service.random.api_key()",
            "format!(\"{}0\", service.random.api_key())",
        ],
    ),
    fault(
        "value",
        RANDOM,
        ["\"{first}-{second}\"", "\"{first}{second}\""],
    ),
    fault(
        "value",
        RANDOM,
        ["BCDFGHJKLMNPQRSTVWXZ", "BCDFGHJKLMNPQRSTVWXY"],
    ),
    fault(
        "value",
        LOGIN,
        [
            "session_key: session_key.reveal().into()",
            "session_key: session_key.reveal().repeat(4).into()",
        ],
    ),
    fault("value", TEXT, ["name = name.trim()", "name = name"]),
    fault(
        "header",
        LOGIN,
        [
            "set_cookie: Some(cookie),",
            "set_cookie: Some(cookie).filter(|_| false),",
        ],
    ),
    fault(
        "header",
        LOGOUT,
        [
            "let cookie = is_own_site.then(||",
            "let cookie = (!is_own_site).then(||",
        ],
    ),
    fault(
        "header",
        LOGIN,
        ["            seconds,\n", "            0,\n"],
    ),
    fault(
        "header",
        LOGIN,
        [
            "as_secs_f64().ceil() as i64",
            "as_secs_f64().floor() as i64 / 2",
        ],
    ),
    fault(
        "header",
        SERVICE,
        [
            "seconds.\"),\n                    RETRY_AFTER,\n",
            "seconds.\"),\n                    -RETRY_AFTER,\n",
        ],
    ),
    fault(
        "header",
        SESSION,
        [
            "; HttpOnly; SameSite=Strict{secure}",
            "; SameSite=Strict{secure}",
        ],
    ),
    fault(
        "header",
        SURROUNDINGS,
        [
            "set(header::CACHE_CONTROL, \"no-store\")",
            "set(header::CACHE_CONTROL, \"no-cache\")",
        ],
    ),
    fault(
        "rights",
        MEMBERSHIP,
        ["Self::Viewer => false", "Self::Viewer => true"],
    ),
    fault(
        "rights",
        DELETE_APP,
        ["!role.may_change() || ", "role.may_change() && false || "],
    ),
    fault(
        "rights",
        STORED_APP,
        [
            "membership::Entity::find_by_id((user_id, org_id))",
            "membership::Entity::find().filter(membership::Column::OrgId.eq(org_id))",
        ],
    ),
    fault(
        "rights",
        STORED_APP,
        [
            ".filter(Column::OrgId.eq(org_id))\n        .order_by_asc(Column::Id)",
            ".order_by_asc(Column::Id)",
        ],
    ),
    fault(
        "session",
        STORED_SESSION,
        [
            ".filter(Column::State.eq(state))\n        .filter(Column::ExpiresAt.gt(now))",
            ".filter(Column::State.eq(state))",
        ],
    ),
    fault(
        "session",
        STORED_SESSION,
        [
            ".filter(Column::UsedAt.gt(now.minus(IDLE_FOR)))",
            ".filter(Column::UsedAt.gte(now.minus(IDLE_FOR)))",
        ],
    ),
    fault(
        "session",
        STORED_SESSION,
        [
            "self.is_pending() && now < self.expires_at",
            "self.is_pending() && now <= self.expires_at",
        ],
    ),
    fault("session", LOGOUT, ["self.sessions.forget(&change);", ""]),
    fault(
        "session",
        SESSIONS,
        [
            "RENEWED_AFTER: Duration = Duration::from_millis(500)",
            "RENEWED_AFTER: Duration = Duration::from_secs(60)",
        ],
    ),
    fault(
        "session",
        SESSION,
        ["if active.has_expired(now) {", "if false {"],
    ),
    fault(
        "session",
        LOGOUT,
        [
            "session::disable(&writer, session).await?",
            "session.state == State::Pending",
        ],
    ),
    fault(
        "session",
        SESSION,
        [
            "by_cookie && *request.method() != Method::GET",
            "by_cookie && *request.method() == Method::POST",
        ],
    ),
    fault(
        "session",
        LIST_APPS,
        ["if session.by_cookie {", "if !session.by_cookie {"],
    ),
    fault(
        "session",
        VERIFY,
        ["code_failure::reset(&writer, &session.email).await?;", ""],
    ),
    fault(
        "operation",
        PROXIES,
        [
            "peer(request).filter(|peer| !trusted.contains(*peer))",
            "peer(request).filter(|_| false)",
        ],
    ),
    fault(
        "operation",
        PROXIES,
        ["if !trusted.contains(address) {", "if true {"],
    ),
    fault(
        "operation",
        TELEMETRY,
        [
            "!text.is_empty() && text.bytes().all(is_plain)",
            "!text.is_empty() || text.bytes().all(is_plain)",
        ],
    ),
    fault(
        "operation",
        PROXIES,
        [
            "Some(TraceContextPropagator::new().extract(&headers))",
            "Some(TraceContextPropagator::new().extract(&headers)).filter(|_| false)",
        ],
    ),
    fault(
        "operation",
        HEALTH,
        [
            "if service.draining.load(Ordering::Relaxed) {",
            "if false {",
        ],
    ),
    fault(
        "operation",
        HEALTH,
        [
            "Some(reason) => unavailable(reason),",
            "Some(_) => \"ready\\n\".into_response(),",
        ],
    ),
    fault("operation", START, ["tokio::time::sleep(drain).await;", ""]),
    fault(
        "operation",
        SURROUNDINGS,
        [
            "if service.draining.load(Ordering::Relaxed) {",
            "if false {",
        ],
    ),
    fault(
        "value",
        STORED_APP,
        [
            "page_of_apps.filter(Column::Id.gt(after))",
            "page_of_apps.filter(Column::Id.gte(after))",
        ],
    ),
    fault(
        "value",
        STORED_APP,
        [
            "apps.sort_by(|one, other| one.name_key.cmp(&other.name_key));",
            "",
        ],
    ),
    fault("rights", NEW_APP, ["if may_create(item) {", "if true {"]),
    fault(
        "operation",
        ADMISSION,
        [
            "Self::SendHead => Some(HEAD_TIMEOUT),",
            "Self::SendHead => None,",
        ],
    ),
    fault(
        "operation",
        ADMISSION,
        [
            "Self::ReadAnswer => Some(READ_TIMEOUT),",
            "Self::ReadAnswer => None,",
        ],
    ),
    fault(
        "operation",
        SURROUNDINGS,
        ["metrics.count_request(operation, status, took);", ""],
    ),
    fault(
        "operation",
        SURROUNDINGS,
        [
            "Box::pin(add_request_id(&mut response, exchange.id.as_str())).await;",
            "",
        ],
    ),
    fault(
        "operation",
        CLEANUP,
        [
            "Duration::from_secs(24 * 60 * 60)",
            "Duration::from_secs(60 * 60)",
        ],
    ),
    fault(
        "operation",
        CLEANUP,
        [
            "Duration::from_secs(30 * 24 * 60 * 60)",
            "Duration::from_secs(24 * 60 * 60)",
        ],
    ),
    fault("operation", STORE, ["if found < batch {", "if true {"]),
    fault(
        "operation",
        STORED_SESSION,
        ["Column::ExpiresAt.lt(time)", "Column::CreatedAt.lt(time)"],
    ),
    fault(
        "operation",
        FILE,
        [
            "errors.push(FileError::UnknownKey { line, key });",
            "drop(key);",
        ],
    ),
    fault(
        "operation",
        SOURCES,
        ["if !arg.is_hide_env_values_set() {", "if true {"],
    ),
    fault(
        "operation",
        OUTBOX,
        ["metrics.count_mail(MailOutcome::Sent);", ""],
    ),
    fault(
        "operation",
        SURROUNDINGS,
        [
            "Some(id) => tokio::spawn(id.scope(work)),",
            "Some(_) => tokio::spawn(work),",
        ],
    ),
    fault(
        "operation",
        SURROUNDINGS,
        ["self.answered.map_or(GONE_AWAY", "self.answered.map_or(200"],
    ),
    fault(
        "operation",
        STORE,
        [
            "if !connect::is_up_to_date(&connection).await? {\n            return",
            "if false {\n            return",
        ],
    ),
    fault(
        "operation",
        CONNECT,
        ["if !is_up_to_date(connection).await? {", "if true {"],
    ),
    fault(
        "durability",
        CONNECTION,
        ["if self.failed.load(Ordering::Relaxed) {", "if false {"],
    ),
    fault(
        "durability",
        CONNECT,
        ["Ok(!connection.is_in_transaction())", "Ok(true)"],
    ),
    fault(
        "durability",
        STORE_HEALTH,
        [
            "if Identity::of(file).ok() != Some(*identity) {",
            "if false {",
        ],
    ),
    fault(
        "time",
        CLOCK,
        ["Timestamp(monotonic.saturating_add(most))", "machine"],
    ),
    fault(
        "time",
        CLEANUP,
        ["session::shorten(db, now, CLOCK_TOLERANCE).await?;", ""],
    ),
    fault(
        "signal",
        SIGNALS,
        [
            "signal(SignalKind::quit())?",
            "signal(SignalKind::child())?",
        ],
    ),
    fault(
        "signal",
        SIGNALS,
        [".chain(libc::SIGRTMIN()..=libc::SIGRTMAX())", ""],
    ),
    fault("signal", START, ["self.tls.send_replace(tls);", ""]),
];
