//! Dead letters: mails that were given up, listed for the operator.

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

use super::{
    Connection, Result,
    outbox::{self, Subject},
};
use crate::clock::Timestamp;

/// A mail that will not be sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Time at which it was given up.
    pub at: Timestamp,
    /// Canonical address of the recipient.
    pub email: String,
    /// Time at which somebody asked for it: the start of the login, or the invitation.
    pub asked_at: Timestamp,
    /// Number of failed attempts before it was given up.
    pub attempts: i32,
    /// Reason why it was given up.
    pub error: String,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn add(
    db: &impl Connection,
    mail: &outbox::Model,
    subject: &Subject,
    error: &str,
    now: Timestamp,
) -> Result<()> {
    let letter = ActiveModel {
        at: Set(now),
        email: Set(subject.email().to_owned()),
        asked_at: Set(subject.asked_at()),
        attempts: Set(mail.attempts),
        error: Set(error.to_owned()),
        ..Default::default()
    };
    Entity::insert(letter).exec_without_returning(db).await?;
    Ok(())
}

/// Condition for mails that were given up before a time.
pub(crate) fn older_than(time: Timestamp) -> Expr {
    Column::At.lt(time)
}

pub(crate) async fn count(db: &impl Connection) -> Result<u64> {
    Ok(Entity::find().count(db).await?)
}

/// Lists all dead letters, oldest first.
pub(crate) async fn list(db: &impl Connection) -> Result<Vec<Model>> {
    Ok(Entity::find().order_by_asc(Column::Id).all(db).await?)
}
