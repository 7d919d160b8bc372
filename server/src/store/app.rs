//! Applications.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, FromQueryResult, JoinType, QueryOrder, QuerySelect, entity::prelude::*,
};

use super::{Connection, Result, Writer, api_key, membership, membership::Role};
use crate::{clock::Timestamp, text::name_key};

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app")]
pub struct Model {
    /// The app_id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose it is.
    pub org_id: i64,
    /// The name as it was given.
    pub name: String,
    /// What makes the name unique within the organization.
    pub name_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// None is declared: the modules ask for what they need.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An application with the role that the user has in its organization; none if the application is
/// not there or the user is not in its organization.
pub(crate) async fn find_for_user(
    db: &impl Connection,
    user_id: i64,
    id: i64,
) -> Result<Option<(Model, Role)>> {
    let Some(app) = Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let role = membership::role(db, user_id, app.org_id).await?;
    Ok(role.map(|role| (app, role)))
}

/// An application as its organization's list has it.
pub(crate) struct Listed {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Its API keys, oldest first.
    pub(crate) keys: Vec<String>,
}

/// A member, an application of the organization if it has any, and a key of that if it has any.
#[derive(FromQueryResult)]
struct ListedRow {
    id: Option<i64>,
    name: Option<String>,
    name_key: Option<String>,
    key: Option<String>,
}

/// The applications of an organization by name; none at all if the user is not in it.
pub(crate) async fn list_for_user(
    db: &impl Connection,
    user_id: i64,
    org_id: i64,
) -> Result<Option<Vec<Listed>>> {
    let app = membership::Entity::belongs_to(Entity)
        .from(membership::Column::OrgId)
        .to(Column::OrgId);
    let key = Entity::belongs_to(api_key::Entity)
        .from(Column::Id)
        .to(api_key::Column::AppId);
    let rows = membership::Entity::find_by_id((user_id, org_id))
        .select_only()
        .columns([Column::Id, Column::Name, Column::NameKey])
        .column(api_key::Column::Key)
        .join(JoinType::LeftJoin, app.into())
        .join(JoinType::LeftJoin, key.into())
        .order_by_asc(api_key::Column::CreatedAt)
        .order_by_asc(api_key::Column::Key);
    let rows = rows.into_model::<ListedRow>().all(db).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    // Each kind of database has an order of texts of its own.
    let mut apps = BTreeMap::<String, Listed>::new();
    for row in rows {
        let Some(((id, name), name_key)) = row.id.zip(row.name).zip(row.name_key) else {
            continue;
        };
        let app = apps.entry(name_key).or_insert_with(|| Listed {
            id,
            name,
            keys: Vec::new(),
        });
        app.keys.extend(row.key);
    }
    Ok(Some(apps.into_values().collect()))
}

/// Adds an application; none if the organization has one of this name.
pub(crate) async fn add(
    db: &Writer,
    org_id: i64,
    name: &str,
    now: Timestamp,
) -> Result<Option<Model>> {
    let app = ActiveModel {
        org_id: Set(org_id),
        name: Set(name.to_owned()),
        name_key: Set(name_key(name)),
        created_at: Set(now),
        ..Default::default()
    };
    db.insert_unless_taken(app).await
}

/// Deletes an application with its API keys. Says whether it was there.
pub(crate) async fn delete(db: &impl Connection, app: &Model) -> Result<bool> {
    let deleted = Entity::delete_by_id(app.id).exec(db).await?;
    Ok(deleted.rows_affected == 1)
}
