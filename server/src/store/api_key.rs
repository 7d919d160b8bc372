//! API keys: what applications send events with.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};

use super::{Connection, Result, app};
use crate::clock::Timestamp;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// The key itself, which every member of the organization may see.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Whose it is.
    pub app_id: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// None is declared: the modules ask for what they need.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The keys of an organization's applications, oldest first, by app_id.
pub(crate) async fn list_of_org(
    db: &impl Connection,
    org_id: i64,
) -> Result<HashMap<i64, Vec<String>>> {
    let apps = app::Entity::find()
        .select_only()
        .column(app::Column::Id)
        .filter(app::Column::OrgId.eq(org_id));
    let keys = Entity::find()
        .filter(Column::AppId.in_subquery(apps.into_query()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Key);
    let mut by_app: HashMap<i64, Vec<String>> = HashMap::new();
    for key in keys.all(db).await? {
        by_app.entry(key.app_id).or_default().push(key.key);
    }
    Ok(by_app)
}

pub(crate) async fn add(
    db: &impl Connection,
    app: &app::Model,
    key: String,
    now: Timestamp,
) -> Result<()> {
    let key = ActiveModel {
        key: Set(key),
        app_id: Set(app.id),
        created_at: Set(now),
    };
    Entity::insert(key).exec_without_returning(db).await?;
    Ok(())
}
