//! Organizations.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, UpdateMany, entity::prelude::*};

use super::{Connection, Member, OrgId, Owner, Result, Store, Writer};
use crate::{
    clock::Timestamp,
    text::{is_reserved, short_name},
};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "org")]
pub struct Model {
    /// The org_id.
    #[sea_orm(primary_key)]
    pub id: OrgId,
    /// Name, which several organizations may share.
    pub name: String,
    /// Unique name in the paths of events; `None` if an instance of an earlier version made it.
    pub short_name: Option<String>,
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

/// Adds an organization, with a short name that is made of its name.
pub(crate) async fn add(db: &Writer, name: &str, now: Timestamp) -> Result<Model> {
    let org = ActiveModel {
        name: Set(name.to_owned()),
        created_at: Set(now),
        ..Default::default()
    };
    let org = org.insert(db).await?;
    name_shortly(db, &org).await?;
    Ok(org)
}

/// Gives each organization that an instance of an earlier version made a short name.
pub(crate) async fn name_all(store: &Store) -> Result<()> {
    let unnamed = Entity::find().filter(Column::ShortName.is_null());
    for org in unnamed.all(store.reader()).await? {
        let writer = store.begin().await?;
        name_shortly(&writer, &org).await?;
        writer.commit().await?;
    }
    Ok(())
}

/// Gives an organization a short name that is made of its name, with its number if another one has
/// that.
async fn name_shortly(db: &Writer, org: &Model) -> Result<()> {
    let name = short_name(&org.name);
    let numbered = format!("{}_{}", name.get(..12).unwrap_or(&name), org.id);
    // Others can only have the last one on purpose.
    let names = [name, numbered, format!("org-{}", org.id)];
    for name in names.iter().filter(|name| !is_reserved(name)) {
        let named = update_short_name(org.id, name).filter(Column::ShortName.is_null());
        if db.update_unless_taken(named).await? {
            break;
        }
    }
    Ok(())
}

/// Gives an organization another short name. Returns false if another one has it.
pub(crate) async fn set_short_name(db: &Writer, id: OrgId, short_name: &str) -> Result<bool> {
    db.update_unless_taken(update_short_name(id, short_name))
        .await
}

fn update_short_name(id: OrgId, short_name: &str) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::ShortName, short_name.into())
        .filter(Column::Id.eq(id))
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
