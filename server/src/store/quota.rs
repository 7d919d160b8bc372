//! Limits that all instances share: so many at once, then one for each interval.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ExprTrait, entity::prelude::*, sea_query::OnConflict};

use super::{Connection, Result, Writer};
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

/// Those of which all is there again, as if they had never been used.
pub(crate) fn full_at(now: Timestamp) -> Expr {
    Column::FullAt.lte(now)
}

/// Takes one from each of several limits; if any of them has none left, answers how long to wait
/// until all of them have one, which is never longer than the longest interval. Then the transaction
/// must not be committed, and [`shorten`] is due.
///
/// It is taken first and looked at then, so that whoever asks for the same at the same moment waits
/// for this transaction to end. Transactions that ask for their limits in the same order of kinds
/// never wait for each other in a circle.
pub(crate) async fn take(
    db: &Writer,
    limits: &[(Vec<u8>, Limit)],
    now: Timestamp,
) -> Result<Option<Duration>> {
    let mut wait = Duration::ZERO;
    for (key, limit) in limits {
        let interval = i64::try_from(limit.interval.as_millis()).unwrap_or(i64::MAX);
        let unused = ActiveModel {
            key: Set(key.clone()),
            full_at: Set(now.plus(limit.interval)),
        };
        let full_at = Expr::col((Entity, Column::FullAt));
        let later = Expr::case(full_at.clone().gt(latest(*limit, now)), latest(*limit, now))
            .case(full_at.clone().gt(now), full_at)
            .finally(now);
        let used = OnConflict::column(Column::Key)
            .value(Column::FullAt, Expr::expr(later).add(interval))
            .to_owned();
        Entity::insert(unused)
            .on_conflict(used)
            .exec_without_returning(db)
            .await?;
        let quota = Entity::find_by_id(key.clone()).one(db).await?;
        let full_at = quota.map_or(now, |quota| quota.full_at);
        wait = wait.max(full_at.since(latest(*limit, now)));
    }
    Ok(Some(wait).filter(|wait| !wait.is_zero()))
}

/// The latest time at which a limit that is used up is whole again.
fn latest(limit: Limit, now: Timestamp) -> Timestamp {
    now.plus(limit.interval * limit.burst)
}

/// Shortens what would last longer than the limits allow, because a clock was ahead: without it, a
/// limit that is never taken would not begin to fill up before the time that the clock had.
pub(crate) async fn shorten(
    db: &impl Connection,
    limits: &[(Vec<u8>, Limit)],
    now: Timestamp,
) -> Result<()> {
    for (key, limit) in limits {
        Entity::update_many()
            .col_expr(Column::FullAt, latest(*limit, now).0.into())
            .filter(Column::Key.eq(key.clone()))
            .filter(Column::FullAt.gt(latest(*limit, now)))
            .exec(db)
            .await?;
    }
    Ok(())
}
