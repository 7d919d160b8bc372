//! Known clients, from which a mailbox has logged in before: a part of the mail limits is reserved
//! for them.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::{Connection, Result};
use crate::clock::Timestamp;

/// Client from which a mailbox has logged in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_client")]
pub struct Model {
    /// The SHA-256 of the mailbox and the client.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    /// Time of the last login.
    pub seen_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns true if a mailbox has logged in from a client.
pub(crate) async fn is_known(db: &impl Connection, key: Vec<u8>) -> Result<bool> {
    Ok(Entity::find_by_id(key).one(db).await?.is_some())
}

/// Records a login.
pub(crate) async fn add(db: &impl Connection, key: Vec<u8>, now: Timestamp) -> Result<()> {
    let client = ActiveModel {
        key: Set(key),
        seen_at: Set(now),
    };
    let known = OnConflict::column(Column::Key)
        .update_column(Column::SeenAt)
        .to_owned();
    Entity::insert(client)
        .on_conflict(known)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Condition for clients whose last login was before a time.
pub(crate) fn older_than(time: Timestamp) -> Expr {
    Column::SeenAt.lt(time)
}
