//! Claims of instances to move an organization's events into the lake. One of them has it at a
//! time.

use sea_orm::{
    ActiveValue::Set, Condition, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict,
};

use super::{OrgId, Reader, Result, Writer};
use crate::clock::Timestamp;

/// The claim to an organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lake_claim")]
pub struct Model {
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: OrgId,
    /// The instance that has the claim.
    pub holder: String,
    /// Time until which it has it.
    pub ends_at: Timestamp,
    /// Number of the next batch.
    pub next_batch: i64,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Claims an organization until a time, or extends the claim. Returns false if another instance has
/// it.
pub(crate) async fn take(
    db: &Reader,
    org_id: OrgId,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool> {
    let first = ActiveModel {
        org_id: Set(org_id),
        holder: Set(String::new()),
        ends_at: Set(Timestamp(0)),
        next_batch: Set(1),
    };
    let there = OnConflict::column(Column::OrgId)
        .update_column(Column::OrgId)
        .to_owned();
    let is_free = Condition::any()
        .add(Column::Holder.eq(holder))
        .add(Column::EndsAt.lt(now));
    let claim = || {
        Entity::update_many()
            .col_expr(Column::Holder, holder.into())
            .col_expr(Column::EndsAt, until.0.into())
            .filter(Column::OrgId.eq(org_id))
            .filter(is_free.clone())
            .exec(db)
    };
    if claim().await?.rows_affected == 1 {
        return Ok(true);
    }
    if Entity::find_by_id(org_id).one(db).await?.is_some() {
        return Ok(false);
    }
    Entity::insert(first)
        .on_conflict(there)
        .exec_without_returning(db)
        .await?;
    Ok(claim().await?.rows_affected == 1)
}

/// Lists the organizations whose last claim was this instance's.
pub(crate) async fn list_orgs(db: &Reader, holder: &str) -> Result<Vec<OrgId>> {
    let claims = Entity::find()
        .select_only()
        .column(Column::OrgId)
        .filter(Column::Holder.eq(holder))
        .order_by_asc(Column::OrgId);
    Ok(claims.into_tuple().all(db).await?)
}

/// Ends the claims of an instance.
pub(crate) async fn release_all(db: &Reader, holder: &str) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::EndsAt, 0.into())
        .filter(Column::Holder.eq(holder))
        .filter(Column::EndsAt.ne(0))
        .exec(db)
        .await?;
    Ok(())
}

/// Returns the number of the next batch of a claimed organization, at least `least`, and counts it.
/// Returns `None` if another instance has the claim now.
pub(crate) async fn next_batch(
    db: &Writer,
    org_id: OrgId,
    holder: &str,
    least: i64,
) -> Result<Option<i64>> {
    let claim = Entity::find_by_id(org_id)
        .filter(Column::Holder.eq(holder))
        .one(db)
        .await?;
    let Some(claim) = claim else {
        return Ok(None);
    };
    let next = claim.next_batch.max(least);
    let counted = Entity::update_many()
        .col_expr(Column::NextBatch, (next + 1).into())
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::Holder.eq(holder))
        .filter(Column::NextBatch.eq(claim.next_batch))
        .exec(db)
        .await?;
    Ok((counted.rows_affected == 1).then_some(next))
}
