//! Limits that all instances share: so many at once, then one for each interval.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::{Connection, Result};
use crate::{clock::Timestamp, config::Limit};

/// How much of a limit is used up, as the generic cell rate algorithm keeps it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quota")]
pub struct Model {
    /// The SHA-256 of what is limited.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    /// When all of it will be there again.
    pub full_at: Timestamp,
}

/// None is declared: the modules ask for what they need.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes one from each of several limits, or nothing from any and answers how long to wait until
/// all of them have one.
pub(crate) async fn take(
    db: &impl Connection,
    limits: &[(Vec<u8>, Limit)],
    now: Timestamp,
) -> Result<Option<Duration>> {
    let mut taken = Vec::new();
    let mut wait = Duration::ZERO;
    for (key, limit) in limits {
        let quota = Entity::find_by_id(key.clone()).one(db).await?;
        let full_at = quota.map_or(now, |quota| quota.full_at.max(now));
        let earliest = full_at.minus(limit.interval * (limit.burst - 1));
        wait = wait.max(earliest.since(now));
        taken.push(ActiveModel {
            key: Set(key.clone()),
            full_at: Set(full_at.plus(limit.interval)),
        });
    }
    if !wait.is_zero() {
        return Ok(Some(wait));
    }
    let known = OnConflict::column(Column::Key)
        .update_column(Column::FullAt)
        .to_owned();
    Entity::insert_many(taken)
        .on_conflict(known)
        .exec_without_returning(db)
        .await?;
    Ok(None)
}
