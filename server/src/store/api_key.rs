//! API keys, with which applications send events.

use sea_orm::entity::prelude::*;

use super::AppId;
use crate::clock::Timestamp;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// The key itself, which every member of the organization may see.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Application that the key belongs to.
    pub app_id: AppId,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
