//! Applications.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{
    Condition, ExprTrait, FromQueryResult, JoinType, Order, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
};

use super::{Connection, Result, api_key, membership, membership::Role};
use crate::clock::Timestamp;

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

/// A part of an organization's applications, in the order of their ids.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    /// The most of them.
    pub(crate) limit: Option<u64>,
    /// The id that theirs are greater than.
    pub(crate) after: Option<i64>,
}

/// A member, an application of the organization if it has any, and a key of that if it has any.
#[derive(FromQueryResult)]
struct ListedRow {
    id: Option<i64>,
    name: Option<String>,
    name_key: Option<String>,
    key: Option<String>,
}

/// The applications of an organization, all by name or one page; none at all if the user is not in it.
pub(crate) async fn list_for_user(
    db: &impl Connection,
    user_id: i64,
    org_id: i64,
    page: Option<Page>,
) -> Result<Option<Vec<Listed>>> {
    let mut apps = Entity::find().filter(Column::OrgId.eq(org_id));
    if let Some(Page { limit, after }) = page {
        apps = apps
            .filter(Column::Id.gt(after.unwrap_or_default()))
            .order_by_asc(Column::Id)
            .limit(limit);
    }
    let app_is_listed = Expr::col(("listed", Column::OrgId))
        .equals((membership::Entity, membership::Column::OrgId));
    let key_is_of_app =
        Expr::col((api_key::Entity, api_key::Column::AppId)).equals(("listed", Column::Id));
    let mut rows = membership::Entity::find_by_id((user_id, org_id)).select_only();
    for column in [Column::Id, Column::Name, Column::NameKey] {
        rows = rows.expr(Expr::col(("listed", column)));
    }
    rows = rows.column(api_key::Column::Key);
    QuerySelect::query(&mut rows)
        .join_subquery(
            JoinType::LeftJoin,
            apps.into_query(),
            "listed",
            app_is_listed,
        )
        .join(JoinType::LeftJoin, api_key::Entity, key_is_of_app)
        .order_by(("listed", Column::Id), Order::Asc)
        .order_by((api_key::Entity, api_key::Column::CreatedAt), Order::Asc)
        .order_by((api_key::Entity, api_key::Column::Key), Order::Asc);
    let rows = rows.into_model::<ListedRow>().all(db).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut apps = Vec::<(String, Listed)>::new();
    for row in rows {
        let Some(((id, name), name_key)) = row.id.zip(row.name).zip(row.name_key) else {
            continue;
        };
        match apps.last_mut() {
            Some((_, app)) if app.id == id => app.keys.extend(row.key),
            _ => {
                let keys = row.key.into_iter().collect();
                apps.push((name_key, Listed { id, name, keys }));
            }
        }
    }
    if page.is_none() {
        // Each kind of database has an order of texts of its own.
        apps.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    Ok(Some(apps.into_iter().map(|(_, app)| app).collect()))
}

/// The ids of applications by organization and name key, where there are such.
pub(crate) async fn find_ids(
    db: &impl Connection,
    names: &HashSet<(i64, String)>,
) -> Result<HashMap<(i64, String), i64>> {
    let mut of_orgs = BTreeMap::<i64, Vec<&str>>::new();
    for (org_id, name_key) in names {
        of_orgs.entry(*org_id).or_default().push(name_key);
    }
    let any = of_orgs
        .into_iter()
        .fold(Condition::any(), |any, (org_id, names)| {
            any.add(Column::OrgId.eq(org_id).and(Column::NameKey.is_in(names)))
        });
    let found = Entity::find()
        .select_only()
        .columns([Column::OrgId, Column::NameKey, Column::Id])
        .filter(any)
        .into_tuple::<(i64, String, i64)>();
    let found = found.all(db).await?.into_iter();
    Ok(found
        .map(|(org_id, name, id)| ((org_id, name), id))
        .collect())
}

/// Deletes an application with its API keys. Says whether it was there.
pub(crate) async fn delete(db: &impl Connection, app: &Model) -> Result<bool> {
    let deleted = Entity::delete_by_id(app.id).exec(db).await?;
    Ok(deleted.rows_affected == 1)
}
