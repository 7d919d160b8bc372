//! Users: people who verified a login, or whom the operator added.

use sea_orm::{ActiveValue::Set, QuerySelect, entity::prelude::*};

use super::{Connection, Result, UserId, Writer};
use crate::{address::EmailAddress, clock::Timestamp};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    /// The user_id.
    #[sea_orm(primary_key)]
    pub id: UserId,
    /// The canonical address, unique.
    pub email: String,
    /// Display name of the user.
    pub display_name: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last login that was verified.
    pub logged_in_at: Option<Timestamp>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn find_by_email(
    db: &impl Connection,
    email: &EmailAddress,
) -> Result<Option<Model>> {
    find_by_text(db, email.as_str()).await
}

/// Finds the user of a canonical address.
pub(super) async fn find_by_text(db: &impl Connection, email: &str) -> Result<Option<Model>> {
    Ok(Entity::find()
        .filter(Column::Email.eq(email))
        .one(db)
        .await?)
}

pub(crate) async fn list(db: &impl Connection) -> Result<Vec<Model>> {
    let mut users = Entity::find().all(db).await?;
    users.sort_by(|one, other| one.email.cmp(&other.email));
    Ok(users)
}

/// Adds a user. Returns `None` if there is one with this address.
pub(crate) async fn add(
    db: &Writer,
    email: &EmailAddress,
    display_name: &str,
    now: Timestamp,
) -> Result<Option<Model>> {
    let user = ActiveModel {
        email: Set(email.as_str().to_owned()),
        display_name: Set(display_name.to_owned()),
        created_at: Set(now),
        ..Default::default()
    };
    db.insert_unless_taken(user).await
}

/// Keeps others from changing or deleting a user, and from giving them memberships, until the
/// transaction ends. Returns false if there is no such user.
pub(crate) async fn lock(db: &Writer, id: UserId) -> Result<bool> {
    // SQLite has one writer at a time, and no locks of rows.
    let user = Entity::find_by_id(id).lock_exclusive();
    Ok(user.one(db).await?.is_some())
}

/// Records a login that was verified.
pub(crate) async fn note_login(db: &Writer, id: UserId, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::LoggedInAt, now.0.into())
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Gives a user another display name.
pub(crate) async fn rename(db: &Writer, id: UserId, name: &str) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::DisplayName, name.into())
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}
