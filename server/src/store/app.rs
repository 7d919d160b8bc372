//! Applications.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Connection, Result, Writer, membership, membership::Role};
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

/// The applications of an organization by name; none at all if the user is not in it.
pub(crate) async fn list_for_user(
    db: &impl Connection,
    user_id: i64,
    org_id: i64,
) -> Result<Option<Vec<Model>>> {
    if membership::role(db, user_id, org_id).await?.is_none() {
        return Ok(None);
    }
    let apps = Entity::find().filter(Column::OrgId.eq(org_id));
    let mut apps = apps.all(db).await?;
    // Each kind of database has an order of texts of its own.
    apps.sort_by(|one, other| one.name_key.cmp(&other.name_key));
    Ok(Some(apps))
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
