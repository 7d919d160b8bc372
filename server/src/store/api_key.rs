//! API keys, with which applications send events.

use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, entity::prelude::*};

use super::{
    ApiKeyId, AppId, Connection, Page, Result, Writer,
    app::{self, Owned},
};
use crate::clock::Timestamp;

/// Maximum number of keys of an application that work at the same time.
pub const MAX_WORKING: u64 = 20;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// The api_key_id.
    #[sea_orm(primary_key)]
    pub id: ApiKeyId,
    /// The key itself, unique, which every member of the organization may see.
    pub key: String,
    /// Application that the key belongs to.
    pub app_id: AppId,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Name for people.
    pub label: Option<String>,
    /// Time of the last use, to the hour.
    pub used_at: Option<Timestamp>,
    /// Time at which it stops working.
    pub ends_at: Option<Timestamp>,
    /// Time at which it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// State of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Events sent with it are accepted.
    Active,
    /// Its end has passed.
    Ended,
    /// It was revoked, and never works again.
    Revoked,
}

impl State {
    /// Returns the name of the state, as in the document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
        }
    }
}

impl Model {
    /// Returns the state of the key.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        match (self.revoked_at, self.ends_at) {
            (Some(_), _) => State::Revoked,
            (None, Some(ends_at)) if ends_at <= now => State::Ended,
            (None, _) => State::Active,
        }
    }
}

/// Condition for the keys that work.
pub(super) fn works(now: Timestamp) -> Condition {
    let has_not_ended = Condition::any()
        .add(Column::EndsAt.is_null())
        .add(Column::EndsAt.gt(now));
    Condition::all()
        .add(Column::RevokedAt.is_null())
        .add(has_not_ended)
}

fn of_app(app: &app::Model) -> Select<Entity> {
    Entity::find().filter(Column::AppId.eq(app.id))
}

/// Lists the keys of an application that work, oldest first.
pub(crate) async fn list_working(
    db: &impl Connection,
    app: &app::Model,
    now: Timestamp,
) -> Result<Vec<String>> {
    let keys = of_app(app).filter(works(now)).order_by_asc(Column::Id);
    let keys = keys.all(db).await?.into_iter();
    Ok(keys.map(|key| key.key).collect())
}

/// Lists a page of the keys of an application.
pub(crate) async fn list_page(
    db: &impl Connection,
    app: &app::Model,
    page: Page<ApiKeyId>,
) -> Result<Vec<Model>> {
    let mut keys = of_app(app).order_by_asc(Column::Id).limit(page.limit);
    if let Some(after) = page.after {
        keys = keys.filter(Column::Id.gt(after));
    }
    Ok(keys.all(db).await?)
}

/// Finds a key of an application.
pub(crate) async fn find(db: &Writer, app: &Owned, id: ApiKeyId) -> Result<Option<Model>> {
    let key = of_app(&app.model).filter(Column::Id.eq(id));
    Ok(key.one(db).await?)
}

/// Returns true if an application may have one more key that works.
pub(crate) async fn has_room(db: &Writer, app: &Owned, now: Timestamp) -> Result<bool> {
    Ok(of_app(&app.model).filter(works(now)).count(db).await? < MAX_WORKING)
}

/// Adds a key to an application.
pub(crate) async fn add(
    db: &Writer,
    app: &Owned,
    key: String,
    label: Option<&str>,
    ends_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Model> {
    let key = ActiveModel {
        label: Set(label.map(str::to_owned)),
        ends_at: Set(ends_at),
        ..first(key, app.model.id, now)
    };
    Ok(key.insert(db).await?)
}

/// The first key of an application.
pub(super) fn first(key: String, app_id: AppId, now: Timestamp) -> ActiveModel {
    ActiveModel {
        key: Set(key),
        app_id: Set(app_id),
        created_at: Set(now),
        ..Default::default()
    }
}

/// Writes a changed key.
pub(crate) async fn update(db: &Writer, key: &Model) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Label, key.label.clone().into())
        .col_expr(Column::EndsAt, key.ends_at.map(|it| it.0).into())
        .col_expr(Column::RevokedAt, key.revoked_at.map(|it| it.0).into())
        .filter(Column::Id.eq(key.id))
        .exec(db)
        .await?;
    Ok(())
}
