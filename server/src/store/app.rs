//! Applications.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    ActiveValue::Set, Condition, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::OnConflict,
};

use super::{
    AppId, Caller, Connection, Editor, Member, OrgId, Page, Result, Writer, audit, membership,
};
use crate::clock::Timestamp;

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app")]
pub struct Model {
    /// The app_id.
    #[sea_orm(primary_key)]
    pub id: AppId,
    /// Organization that the application belongs to.
    pub org_id: OrgId,
    /// The name as it was given.
    pub name: String,
    /// Key that makes the name unique within the organization, made by `text::name_key`.
    pub name_key: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finds an application of an organization that the caller is in.
pub(crate) async fn find(
    db: &impl Connection,
    caller: Caller,
    id: AppId,
) -> Result<Option<(Model, Member)>> {
    let Some(app) = Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let member = membership::find(db, caller, app.org_id).await?;
    Ok(member.map(|member| (app, member)))
}

/// Finds an application, whoever asks.
pub(crate) async fn find_by_id(db: &impl Connection, id: AppId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Returns those of some applications that an organization has.
#[cfg(feature = "events")]
pub(crate) async fn list_ids(
    db: &impl Connection,
    org_id: OrgId,
    ids: BTreeSet<AppId>,
) -> Result<BTreeSet<AppId>> {
    let there = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::Id.is_in(ids));
    let there: Vec<AppId> = there.into_tuple().all(db).await?;
    Ok(there.into_iter().collect())
}

/// Lists a page of all applications, or those of one organization, for the operator.
pub(crate) async fn list_all(
    db: &impl Connection,
    org_id: Option<OrgId>,
    page: Page<AppId>,
) -> Result<Vec<Model>> {
    let mut apps = Entity::find()
        .filter(Column::Id.gt(page.after.unwrap_or(AppId(0))))
        .order_by_asc(Column::Id)
        .limit(page.limit);
    if let Some(org_id) = org_id {
        apps = apps.filter(Column::OrgId.eq(org_id));
    }
    Ok(apps.all(db).await?)
}

/// An application that the caller may change. It can only be obtained by a lookup.
pub(crate) struct Owned {
    pub(crate) model: Model,
    editor: Editor,
}

impl Owned {
    /// The application as the object of an entry in the audit log.
    pub(crate) fn audited<'a>(&self, subject: Option<&'a str>) -> audit::Object<'a> {
        audit::Object::of_app(self.editor.org_id(), self.model.id, subject)
    }
}

/// Finds an application that the caller may change. Nobody else changes it until the transaction
/// ends.
pub(crate) async fn find_locked(db: &Writer, caller: Caller, id: AppId) -> Result<Option<Owned>> {
    let found = find(db, caller, id).await?;
    let Some(editor) = found.and_then(|(_, member)| member.editor()) else {
        return Ok(None);
    };
    // SQLite has one writer at a time, and no locks of rows.
    let app = Entity::find_by_id(id).lock_exclusive();
    let app = app.one(db).await?;
    Ok(app.map(|model| Owned { model, editor }))
}

/// Names of applications: organization and name key.
type Names<'a> = BTreeSet<(OrgId, &'a str)>;
/// Ids of applications by their names.
type Ids = HashMap<(OrgId, String), AppId>;

/// Adds the applications whose names are not taken in their organizations. Returns the ids of the
/// new ones.
pub(super) async fn add_unless_taken(db: &Writer, apps: Vec<NamedApp<'_>>) -> Result<Ids> {
    let row = |app: &NamedApp<'_>| ActiveModel {
        org_id: Set(app.editor.org_id()),
        name: Set(app.name.to_owned()),
        name_key: Set(app.name_key.to_owned()),
        created_at: Set(app.now),
        ..Default::default()
    };
    if db.support_returning() {
        let taken = OnConflict::columns([Column::OrgId, Column::NameKey])
            .do_nothing()
            .to_owned();
        let added = Entity::insert_many(apps.iter().map(row)).on_conflict(taken);
        let added = added.exec_with_returning(db).await?.into_iter();
        return Ok(added.map(|it| ((it.org_id, it.name_key), it.id)).collect());
    }
    let names = apps
        .iter()
        .map(|it| (it.editor.org_id(), it.name_key))
        .collect();
    let taken = find_ids(db, &names).await?;
    let is_new =
        |it: &&NamedApp<'_>| !taken.contains_key(&(it.editor.org_id(), it.name_key.to_owned()));
    let new: Vec<_> = apps.iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(Ids::new());
    }
    let names = new
        .iter()
        .map(|it| (it.editor.org_id(), it.name_key))
        .collect();
    let new = Entity::insert_many(new.into_iter().map(row));
    new.exec_without_returning(db).await?;
    find_ids(db, &names).await
}

/// An application to be added.
pub(super) struct NamedApp<'a> {
    pub(super) editor: Editor,
    pub(super) name: &'a str,
    pub(super) name_key: &'a str,
    pub(super) now: Timestamp,
}

async fn find_ids(db: &impl Connection, names: &Names<'_>) -> Result<Ids> {
    let mut of_orgs = BTreeMap::<OrgId, Vec<&str>>::new();
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
        .into_tuple::<(OrgId, String, AppId)>();
    let found = found.all(db).await?.into_iter();
    Ok(found
        .map(|(org_id, name, id)| ((org_id, name), id))
        .collect())
}

/// Gives an application another name. Returns false if the organization has one of this name.
pub(crate) async fn rename(db: &Writer, app: &Owned, name: &str, name_key: &str) -> Result<bool> {
    let org_id = app.editor.org_id();
    let taken = find_ids(db, &Names::from([(org_id, name_key)])).await?;
    if taken.values().any(|id| *id != app.model.id) {
        return Ok(false);
    }
    let renamed = Entity::update_many()
        .col_expr(Column::Name, name.into())
        .col_expr(Column::NameKey, name_key.into())
        .filter(Column::Id.eq(app.model.id))
        .filter(Column::OrgId.eq(org_id));
    db.update_unless_taken(renamed).await
}

/// Deletes an application with its API keys.
pub(crate) async fn delete(db: &Writer, app: &Owned) -> Result<()> {
    Entity::delete_by_id(app.model.id)
        .filter(Column::OrgId.eq(app.editor.org_id()))
        .exec(db)
        .await?;
    Ok(())
}
