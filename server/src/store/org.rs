//! Organizations.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Connection, Member, OrgId, Owner, Result, Writer};
use crate::clock::Timestamp;

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "org")]
pub struct Model {
    /// The org_id.
    #[sea_orm(primary_key)]
    pub id: OrgId,
    /// Name, which several organizations may share.
    pub name: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finds the organization of a member.
pub(crate) async fn find(db: &impl Connection, member: Member) -> Result<Option<Model>> {
    find_by_id(db, member.org_id()).await
}

/// Finds an organization, whoever asks.
pub(crate) async fn find_by_id(db: &impl Connection, id: OrgId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Waits until no other transaction changes the people of an organization, and keeps others from
/// it until this one ends. A transaction that locks several takes them in the order of their ids.
pub(crate) async fn lock(db: &Writer, id: OrgId) -> Result<()> {
    // SQLite has one writer at a time, and no locks of rows.
    let org = Entity::find_by_id(id).lock_exclusive();
    org.one(db).await?;
    Ok(())
}

pub(crate) async fn list(db: &impl Connection) -> Result<Vec<Model>> {
    Ok(Entity::find().order_by_asc(Column::Id).all(db).await?)
}

pub(crate) async fn add(db: &impl Connection, name: &str, now: Timestamp) -> Result<Model> {
    let org = ActiveModel {
        name: Set(name.to_owned()),
        created_at: Set(now),
        ..Default::default()
    };
    Ok(org.insert(db).await?)
}

/// Gives an organization another name.
pub(crate) async fn rename(db: &Writer, owner: Owner, name: &str) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Name, name.into())
        .filter(Column::Id.eq(owner.org_id()))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes an organization with all that it has.
pub(crate) async fn delete(db: &Writer, owner: Owner) -> Result<()> {
    Entity::delete_by_id(owner.org_id()).exec(db).await?;
    Ok(())
}
