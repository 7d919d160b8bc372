//! API keys: what applications send events with.

use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

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

/// The keys of some applications, oldest first.
pub(crate) async fn list_of_apps(db: &impl Connection, apps: &[app::Model]) -> Result<Vec<Model>> {
    let keys = Entity::find()
        .filter(Column::AppId.is_in(apps.iter().map(|app| app.id)))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Key);
    Ok(keys.all(db).await?)
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
