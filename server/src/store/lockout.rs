//! Lockout of an address after too many wrong codes: counts the codes that were tried for it since
//! the last right one.
//!
//! A new login does not reset the count: otherwise an attacker could start login after login, and
//! would get as many tries as they want.

use sea_orm::{ActiveValue::Set, ExprTrait, entity::prelude::*, sea_query::OnConflict};

use super::{Connection, Result, Writer};

/// Number of tries after which an address is locked until the operator unlocks it.
pub const MAX_FAILURES: i32 = 100;

/// The tries for one address since the last right code.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_failure")]
pub struct Model {
    /// The canonical address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub email: String,
    /// Number of tries.
    pub failures: i32,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns true if codes may be tried for an address.
pub(crate) async fn is_open(db: &impl Connection, email: &str) -> Result<bool> {
    let failures = Entity::find_by_id(email.to_owned()).one(db).await?;
    Ok(failures.is_none_or(|known| known.failures < MAX_FAILURES))
}

/// Counts a try as a failure, until its code turns out to be right. Returns false if the address
/// had no try left; then the transaction must not be committed.
pub(crate) async fn count(db: &Writer, email: &str) -> Result<bool> {
    let first = ActiveModel {
        email: Set(email.to_owned()),
        failures: Set(1),
    };
    let known = OnConflict::column(Column::Email)
        .value(
            Column::Failures,
            Expr::col((Entity, Column::Failures)).add(1),
        )
        .to_owned();
    Entity::insert(first)
        .on_conflict(known)
        .exec_without_returning(db)
        .await?;
    // Another try for the same address at the same moment waits for this transaction to end.
    let counted = Entity::find_by_id(email.to_owned()).one(db).await?;
    Ok(counted.is_none_or(|counted| counted.failures <= MAX_FAILURES))
}

/// Resets the failures of an address. Returns true if there were any.
pub(crate) async fn reset(db: &impl Connection, email: &str) -> Result<bool> {
    let reset = Entity::delete_by_id(email.to_owned()).exec(db).await?;
    Ok(reset.rows_affected == 1)
}
