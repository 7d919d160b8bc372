//! Organizations.

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

use super::{Connection, OrgId, Result};
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

pub(crate) async fn exists(db: &impl Connection, id: OrgId) -> Result<bool> {
    Ok(Entity::find_by_id(id).one(db).await?.is_some())
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
