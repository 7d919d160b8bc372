//! Audit log: events are appended, and never changed.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{AppId, Connection, Result};
use crate::{client::Client, clock::Timestamp};

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Event {
    /// A login was verified.
    #[sea_orm(string_value = "login")]
    Login,
    /// A wrong code was tried.
    #[sea_orm(string_value = "failure")]
    Failure,
    /// A session was logged out.
    #[sea_orm(string_value = "logout")]
    Logout,
    /// An application was created.
    #[sea_orm(string_value = "app_created")]
    AppCreated,
    /// An application was deleted.
    #[sea_orm(string_value = "app_deleted")]
    AppDeleted,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Time of the event.
    pub at: Timestamp,
    /// Kind of the event.
    pub event: Event,
    /// Canonical address of the user.
    pub email: String,
    /// IP address of the client, or `unknown`.
    pub client: String,
    /// Application, if the event is about one.
    pub app_id: Option<AppId>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn add(
    db: &impl Connection,
    event: Event,
    email: &str,
    client: Client,
    app_id: Option<AppId>,
    now: Timestamp,
) -> Result<()> {
    let entry = entry(event, email, client, app_id, now);
    Entity::insert(entry).exec_without_returning(db).await?;
    Ok(())
}

pub(super) fn entry(
    event: Event,
    email: &str,
    client: Client,
    app_id: Option<AppId>,
    now: Timestamp,
) -> ActiveModel {
    ActiveModel {
        at: Set(now),
        event: Set(event),
        email: Set(email.to_owned()),
        client: Set(client.to_string()),
        app_id: Set(app_id),
        ..Default::default()
    }
}
