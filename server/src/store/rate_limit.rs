//! Rate limits that all instances share: a burst, then one for each interval.

use std::{str::FromStr, time::Duration};

use sea_orm::{
    ActiveValue::Set,
    ExprTrait,
    entity::prelude::*,
    sea_query::{OnConflict, SimpleExpr},
};

use super::{Connection, Result, Writer};
use crate::{clock::Timestamp, secret::digest};

/// Use of a limit, as the generic cell rate algorithm stores it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quota")]
pub struct Model {
    /// SHA-256 of the limited client, network or address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    /// Time at which the limit will have fully replenished.
    pub full_at: Timestamp,
    /// Time of the last use. If it is in the future, a clock was ahead, and only the time from then
    /// to `full_at` counts.
    pub taken_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Condition for limits that have fully replenished, as if they had never been used.
pub(crate) fn full_at(now: Timestamp) -> Expr {
    Column::FullAt.lte(now)
}

/// Rate limit: a burst, then one for each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Number allowed at once, at least one.
    pub burst: u32,
    /// Time until one more is allowed.
    pub interval: Duration,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (burst, interval) = text.split_once('/')?;
            let (number, unit) = interval.split_at_checked(interval.len().checked_sub(1)?)?;
            let unit = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 60 * 60,
                _ => return None,
            };
            let seconds = number.parse::<u32>().ok()?.checked_mul(unit)?;
            let burst = burst.parse().ok().filter(|burst| *burst > 0)?;
            Some(Self {
                burst,
                interval: Duration::from_secs(seconds.into()),
            })
        };
        parse().ok_or_else(|| {
            "write it like 20/5m: 20 at once, then one every 5 minutes (s, m or h)".to_owned()
        })
    }
}

/// Limit, with the key of the client, network or address that it limits.
#[derive(Clone, Debug)]
pub(crate) struct RateLimit {
    pub(crate) key: Vec<u8>,
    pub(crate) limit: Limit,
}

impl RateLimit {
    /// Returns the limit of what a text names.
    pub(crate) fn new(key: &str, limit: Limit) -> Self {
        Self {
            key: digest(key).into(),
            limit,
        }
    }
}

/// Use of a limit, including the one that is taken now.
struct Use {
    limit: Limit,
    taken: f64,
}

impl Use {
    /// Time until one more can be taken, given the use of `member`, which takes from the same
    /// limit.
    ///
    /// A member that has used up a part of its own limit has to leave as large a part of the shared
    /// limit to others, so that a few members can never use it up.
    fn wait(&self, member: Option<&Self>) -> Duration {
        let (burst, interval) = (f64::from(self.limit.burst), self.limit.interval);
        let alone = interval.mul_f64((self.taken - burst).max(0.0));
        let Some(member) = member else {
            return alone;
        };
        let used = (member.taken - 1.0).max(0.0);
        let share = burst / f64::from(member.limit.burst);
        if self.taken <= burst - (share * used).floor() {
            return alone;
        }
        // Both limits replenish meanwhile.
        let excess = self.taken - burst + share * used;
        let filling = 1.0 / interval.as_secs_f64() + share / member.limit.interval.as_secs_f64();
        let both = Duration::try_from_secs_f64(excess / filling).unwrap_or(interval);
        match both <= member.limit.interval.mul_f64(used) {
            true => both,
            false => alone.max(both),
        }
    }
}

/// Takes one from each limit of several chains, in which each limit is shared by the ones before
/// it. If a limit is used up, returns the time until one can be taken from all. Then the
/// transaction must not be committed, and [`bring_back`] has to be called.
///
/// A limit is changed first and read then, so that another request for it at the same moment waits
/// for this transaction to end. Transactions that take from their limits in the same order of kinds
/// never deadlock.
pub(crate) async fn take(
    db: &Writer,
    chains: &[Vec<RateLimit>],
    now: Timestamp,
) -> Result<Option<Duration>> {
    let mut wait = Duration::ZERO;
    for chain in chains {
        let mut member = None;
        for one in chain {
            let used = take_one(db, one, now).await?;
            wait = wait.max(used.wait(member.as_ref()));
            member = Some(used);
        }
    }
    Ok(Some(wait).filter(|wait| !wait.is_zero()))
}

async fn take_one(db: &Writer, one: &RateLimit, now: Timestamp) -> Result<Use> {
    let RateLimit { key, limit } = one.clone();
    let interval = i64::try_from(limit.interval.as_millis()).unwrap_or(i64::MAX);
    let unused = ActiveModel {
        key: Set(key.clone()),
        full_at: Set(now.plus(limit.interval)),
        taken_at: Set(now),
    };
    let (full_at, taken_at) = (
        Expr::col((Entity, Column::FullAt)),
        Expr::col((Entity, Column::TakenAt)),
    );
    let later = Expr::case(taken_at.gt(now), as_if_taken(now))
        .case(full_at.clone().gt(now), full_at)
        .finally(now);
    // MariaDB sets one column after the other, and the first one needs the old value of the second.
    let used = OnConflict::column(Column::Key)
        .value(Column::FullAt, Expr::expr(later).add(interval))
        .value(Column::TakenAt, now.0)
        .to_owned();
    Entity::insert(unused)
        .on_conflict(used)
        .exec_without_returning(db)
        .await?;
    let stored = Entity::find_by_id(key).one(db).await?;
    let filling = stored.map_or(now, |it| it.full_at).since(now);
    Ok(Use {
        limit,
        taken: match limit.interval.is_zero() {
            true => 0.0,
            false => filling.as_secs_f64() / limit.interval.as_secs_f64(),
        },
    })
}

/// Time at which a limit whose last use is in the future would have replenished if that use were
/// now.
fn as_if_taken(now: Timestamp) -> SimpleExpr {
    Expr::col((Entity, Column::FullAt))
        .sub(Expr::col((Entity, Column::TakenAt)))
        .add(now.0)
}

/// Corrects limits whose last use is in the future, because a clock was ahead: otherwise a limit
/// that is used up would not begin to replenish before the time that the clock had.
pub(crate) async fn bring_back(
    db: &impl Connection,
    chains: &[Vec<RateLimit>],
    now: Timestamp,
) -> Result<()> {
    for RateLimit { key, .. } in chains.iter().flatten() {
        Entity::update_many()
            .col_expr(Column::FullAt, as_if_taken(now))
            .col_expr(Column::TakenAt, now.0.into())
            .filter(Column::Key.eq(key.clone()))
            .filter(Column::TakenAt.gt(now))
            .exec(db)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(limit: &str, taken: f64) -> Use {
        Use {
            limit: limit.parse().unwrap(),
            taken,
        }
    }

    #[test]
    fn a_limit_is_used_up_and_fills_up() {
        assert_eq!(used("5/10m", 5.0).wait(None), Duration::ZERO);
        assert_eq!(used("5/10m", 6.0).wait(None), Duration::from_secs(600));
        assert_eq!(used("5/10m", 5.5).wait(None), Duration::from_secs(300));
    }

    #[test]
    fn whoever_has_used_much_leaves_as_much_to_others() {
        let wait =
            |shared: f64, member: f64| used("1000/1s", shared).wait(Some(&used("20/30s", member)));
        assert_eq!(
            wait(1000.0, 1.0),
            Duration::ZERO,
            "a first one takes the last"
        );
        assert!(wait(1000.0, 2.0) > Duration::ZERO, "a second one leaves 50");
        assert_eq!(wait(950.0, 2.0), Duration::ZERO);
        assert!(wait(51.0, 20.0) > Duration::ZERO, "the last one leaves 950");
        assert_eq!(wait(50.0, 20.0), Duration::ZERO);
        // Both fill up: 101 too many, and in a second one and 50 / 30 are there again.
        assert_eq!(wait(1001.0, 3.0).as_secs(), 37);
    }

    #[test]
    fn a_limit_is_a_burst_and_an_interval() {
        let limit: Limit = "20/5m".parse().unwrap();
        assert_eq!((limit.burst, limit.interval.as_secs()), (20, 300));
        for text in [
            "", "20", "20/", "20/5", "0/5m", "-1/5m", "20/5d", "a/5m", "5/é",
        ] {
            assert!(text.parse::<Limit>().is_err(), "{text:?} is no limit");
        }
    }
}
