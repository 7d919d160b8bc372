//! The outbox: the mails that are owed, each written in the transaction that owes it.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Connection, Result};
use crate::clock::Timestamp;

/// A mail with the verification URL of a session.
///
/// It holds neither the URL nor the address: both are made from the session when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The session that waits for it.
    pub session_id: i64,
    /// How often sending it has failed.
    pub attempts: i32,
    /// When it is to be sent.
    pub due_at: Timestamp,
}

/// None is declared: the modules ask for what they need.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn add(db: &impl Connection, session_id: i64, now: Timestamp) -> Result<()> {
    let mail = ActiveModel {
        session_id: Set(session_id),
        attempts: Set(0),
        due_at: Set(now),
        ..Default::default()
    };
    Entity::insert(mail).exec_without_returning(db).await?;
    Ok(())
}

/// The mails that are due, oldest first, no more than a worker does in one go.
pub(crate) async fn list_due(db: &impl Connection, now: Timestamp) -> Result<Vec<Model>> {
    let mails = Entity::find()
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::Id)
        .limit(100);
    Ok(mails.all(db).await?)
}

/// Strikes out a mail that was sent or is no longer wanted.
pub(crate) async fn remove(db: &impl Connection, mail: &Model) -> Result<()> {
    Entity::delete_by_id(mail.id).exec(db).await?;
    Ok(())
}

/// Puts off a mail that could not be sent.
pub(crate) async fn postpone(db: &impl Connection, mail: &Model, due_at: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Attempts, (mail.attempts + 1).into())
        .col_expr(Column::DueAt, due_at.0.into())
        .filter(Column::Id.eq(mail.id))
        .exec(db)
        .await?;
    Ok(())
}
