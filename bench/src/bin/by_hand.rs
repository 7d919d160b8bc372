//! The same operations as somebody would write them by hand: axum, and sqlx on the service's database.
//!
//! `by_hand ADDRESS DATABASE` answers who is logged in and which applications an organization has.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    routing::get,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

const IDLE_FOR: i64 = 7 * 24 * 60 * 60 * 1000;

#[derive(Serialize)]
struct User {
    user_id: i64,
    email: String,
    display_name: String,
    org_list: Vec<Org>,
}

#[derive(Serialize, sqlx::FromRow)]
struct Org {
    org_id: i64,
    name: String,
}

#[derive(Serialize)]
struct AppList {
    app_list: Vec<App>,
}

#[derive(Serialize)]
struct App {
    app_id: i64,
    name: String,
    api_key_list: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct Session {
    user_id: i64,
    email: String,
    display_name: String,
}

#[derive(Deserialize)]
struct Asked {
    org_id: i64,
}

type Failure = (StatusCode, &'static str);

fn failed(_: sqlx::Error) -> Failure {
    (StatusCode::SERVICE_UNAVAILABLE, "the database failed")
}

async fn session(pool: &SqlitePool, headers: &HeaderMap) -> Result<Session, Failure> {
    let refused = (StatusCode::FORBIDDEN, "not logged in");
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let cookie = text(header::COOKIE).and_then(|it| it.strip_prefix("session_key="));
    let bearer = text(header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
    let key = cookie.or(bearer).ok_or(refused)?;
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let session = sqlx::query_as(
        "SELECT user_id, user.email, display_name FROM session JOIN user ON user.id = user_id
        WHERE key_hash = ? AND state = 'active' AND expires_at > ? AND used_at > ?",
    );
    let session = session
        .bind(Sha256::digest(key.as_bytes()).to_vec())
        .bind(now)
        .bind(now - IDLE_FOR)
        .fetch_optional(pool);
    session.await.map_err(failed)?.ok_or(refused)
}

async fn user(State(pool): State<SqlitePool>, headers: HeaderMap) -> Result<Json<User>, Failure> {
    let session = session(&pool, &headers).await?;
    let orgs = sqlx::query_as(
        "SELECT org.id AS org_id, name FROM org JOIN membership ON org_id = org.id
        WHERE user_id = ? ORDER BY name",
    );
    let org_list = orgs
        .bind(session.user_id)
        .fetch_all(&pool)
        .await
        .map_err(failed)?;
    Ok(Json(User {
        user_id: session.user_id,
        email: session.email,
        display_name: session.display_name,
        org_list,
    }))
}

async fn apps(
    State(pool): State<SqlitePool>,
    Query(Asked { org_id }): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<AppList>, Failure> {
    let session = session(&pool, &headers).await?;
    let member = sqlx::query_scalar("SELECT role FROM membership WHERE user_id = ? AND org_id = ?");
    let member = member
        .bind(session.user_id)
        .bind(org_id)
        .fetch_optional(&pool);
    let role: Option<String> = member.await.map_err(failed)?;
    role.ok_or((StatusCode::FORBIDDEN, "not allowed"))?;
    let apps = sqlx::query_as("SELECT id, name FROM app WHERE org_id = ? ORDER BY id");
    let apps: Vec<(i64, String)> = apps.bind(org_id).fetch_all(&pool).await.map_err(failed)?;
    let keys = sqlx::query_as(
        "SELECT app_id, key FROM api_key JOIN app ON app.id = app_id WHERE org_id = ?",
    );
    let keys: Vec<(i64, String)> = keys.bind(org_id).fetch_all(&pool).await.map_err(failed)?;
    let mut of_app = BTreeMap::<i64, Vec<String>>::new();
    for (app_id, key) in keys {
        of_app.entry(app_id).or_default().push(key);
    }
    let app_list = apps.into_iter().map(|(app_id, name)| App {
        app_id,
        name,
        api_key_list: of_app.remove(&app_id).unwrap_or_default(),
    });
    Ok(Json(AppList {
        app_list: app_list.collect(),
    }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or("the arguments are ADDRESS DATABASE");
    let (address, database) = (next()?, next()?);
    let options = SqliteConnectOptions::new().filename(database);
    let pool = SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options)
        .await?;
    let routes = Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/api/1/user", get(user))
        .route("/api/1/app", get(apps))
        .with_state(pool);
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}
