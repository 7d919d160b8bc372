//! Lists of the applications of an organization, with the API keys that work.

use sea_orm::{
    ExprTrait, FromQueryResult, JoinType, Order, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
};

use super::{AppId, Caller, Connection, OrgId, Page, Result, Store, api_key, app, membership};
use crate::clock::Timestamp;

/// Application in the list of its organization.
pub(crate) struct Listed {
    pub(crate) id: AppId,
    pub(crate) name: String,
    name_key: String,
    /// Its API keys, oldest first.
    pub(crate) keys: Vec<String>,
}

/// Row for a member: an application of the organization, if it has any, and a key of that
/// application, if it has any.
#[derive(FromQueryResult)]
struct ListedRow {
    id: Option<AppId>,
    name: Option<String>,
    name_key: Option<String>,
    key: Option<String>,
}

/// Lists all applications of an organization by name; `None` if the caller is not in it.
///
/// They are read page by page, so that another request need not wait for all of them.
pub(crate) async fn list(
    store: &Store,
    caller: Caller,
    org_id: OrgId,
    now: Timestamp,
) -> Result<Option<Vec<Listed>>> {
    let mut apps = Vec::new();
    let mut page = Page::new(None, None);
    let mut long_read = None;
    loop {
        let some = list_page(store.reader(), caller, org_id, page, now).await?;
        let Some(some) = some else {
            return Ok(None);
        };
        let next = page.next(&some, |app| app.id);
        apps.extend(some);
        match next {
            Some(next) => page = next,
            None => break,
        }
        if long_read.is_none() {
            long_read = Some(store.begin_long_read().await);
        }
    }
    // Each kind of database orders texts in its own way.
    apps.sort_by(|one, other| one.name_key.cmp(&other.name_key));
    Ok(Some(apps))
}

/// Lists a page of the applications of an organization, with the keys that work; `None` if the
/// caller is not in it.
pub(crate) async fn list_page(
    db: &impl Connection,
    caller: Caller,
    org_id: OrgId,
    page: Page<AppId>,
    now: Timestamp,
) -> Result<Option<Vec<Listed>>> {
    if !caller.reaches(org_id) {
        return Ok(None);
    }
    let columns = [app::Column::Id, app::Column::Name, app::Column::NameKey];
    let mut page_of_apps = app::Entity::find()
        .select_only()
        .columns(columns)
        .filter(app::Column::OrgId.eq(org_id))
        .order_by_asc(app::Column::Id)
        .limit(page.limit);
    if let Some(after) = page.after {
        page_of_apps = page_of_apps.filter(app::Column::Id.gt(after));
    }
    // A member of an organization without applications gets a row too.
    let whatever = Expr::cust("TRUE");
    let key_is_of_app =
        Expr::col((api_key::Entity, api_key::Column::AppId)).equals(("page", app::Column::Id));
    let key_works = api_key::works(now).add(key_is_of_app);
    let mut rows = membership::Entity::find_by_id((caller.user_id, org_id)).select_only();
    for column in columns {
        rows = rows.expr(Expr::col(("page", column)));
    }
    rows = rows.column(api_key::Column::Key);
    QuerySelect::query(&mut rows)
        .join_subquery(
            JoinType::LeftJoin,
            page_of_apps.into_query(),
            "page",
            whatever,
        )
        .join(JoinType::LeftJoin, api_key::Entity, key_works)
        .order_by(("page", app::Column::Id), Order::Asc)
        .order_by((api_key::Entity, api_key::Column::Id), Order::Asc);
    let rows = rows.into_model::<ListedRow>().all(db).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut apps = Vec::<Listed>::new();
    for row in rows {
        let Some(((id, name), name_key)) = row.id.zip(row.name).zip(row.name_key) else {
            continue;
        };
        match apps.last_mut() {
            Some(app) if app.id == id => app.keys.extend(row.key),
            _ => apps.push(Listed {
                id,
                name,
                name_key,
                keys: row.key.into_iter().collect(),
            }),
        }
    }
    Ok(Some(apps))
}
