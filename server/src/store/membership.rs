//! Memberships of users in organizations, each with a role.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveValue::Set, Condition, ExprTrait, FromQueryResult, JoinType, QueryOrder, QuerySelect,
    entity::prelude::*, sea_query::OnConflict,
};

use super::{
    Caller, Connection, Member, OrgId, Owner, Page, Remover, Result, Role, UserId, Writer, org,
    user,
};

/// A membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "membership")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: OrgId,
    /// Role of the user in the organization.
    pub role: Role,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finds the membership of a caller in an organization.
pub(crate) async fn find(
    db: &impl Connection,
    caller: Caller,
    org_id: OrgId,
) -> Result<Option<Member>> {
    if !caller.reaches(org_id) {
        return Ok(None);
    }
    let membership = Entity::find_by_id((caller.user_id, org_id)).one(db).await?;
    Ok(membership.and_then(|found| Member::new(caller, org_id, found.role)))
}

/// Returns the rights that the operator has in an organization, whose people nobody else changes
/// until the transaction ends; `None` if there is no such organization.
pub(crate) async fn operator(db: &Writer, org_id: OrgId) -> Result<Option<Owner>> {
    org::lock(db, org_id).await?;
    let org = org::find_by_id(db, org_id).await?;
    Ok(org.map(|org| Owner(org.id)))
}

/// Returns the role of a user in an organization, if they are in it.
pub(crate) async fn role_of(
    db: &impl Connection,
    org_id: OrgId,
    user_id: UserId,
) -> Result<Option<Role>> {
    let membership = Entity::find_by_id((user_id, org_id)).one(db).await?;
    Ok(membership.map(|membership| membership.role))
}

/// Finds the membership of a caller in an organization whose people are to be changed. Nobody else
/// changes them until the transaction ends, so that the last owner cannot go in two requests at
/// once.
pub(crate) async fn find_locked(
    db: &Writer,
    caller: Caller,
    org_id: OrgId,
) -> Result<Option<Member>> {
    // Only members lock it.
    if find(db, caller, org_id).await?.is_none() {
        return Ok(None);
    }
    org::lock(db, org_id).await?;
    find(db, caller, org_id).await
}

/// Memberships of some callers.
#[derive(Default)]
pub(crate) struct Memberships(HashMap<(UserId, OrgId), Model>);

impl Memberships {
    /// Returns the membership of a caller in an organization, if it was looked up and there is one.
    pub(crate) fn get(&self, caller: Caller, org_id: OrgId) -> Option<Member> {
        let membership = self.0.get(&(caller.user_id, org_id))?;
        Member::new(caller, org_id, membership.role)
    }
}

/// Finds the memberships of callers in organizations.
pub(crate) async fn find_all(
    db: &impl Connection,
    callers: impl IntoIterator<Item = (Caller, OrgId)>,
) -> Result<Memberships> {
    let pairs = callers
        .into_iter()
        .map(|(caller, org_id)| (caller.user_id, org_id));
    let pairs: HashSet<_> = pairs.collect();
    if pairs.is_empty() {
        // Without a condition, the query would find all memberships.
        return Ok(Memberships::default());
    }
    let any = pairs
        .into_iter()
        .fold(Condition::any(), |any, (user_id, org_id)| {
            let one = Column::UserId.eq(user_id).and(Column::OrgId.eq(org_id));
            any.add(one)
        });
    let found = Entity::find().filter(any).all(db).await?;
    let members = found.into_iter().map(|it| ((it.user_id, it.org_id), it));
    Ok(Memberships(members.collect()))
}

/// A member in the list of an organization.
#[derive(FromQueryResult)]
pub(crate) struct Listed {
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    pub(crate) display_name: String,
    pub(crate) role: Role,
}

/// Lists a page of the members of an organization.
pub(crate) async fn list_page(
    db: &impl Connection,
    member: Member,
    page: Page<UserId>,
) -> Result<Vec<Listed>> {
    let mut members = listed(member.org_id())
        .order_by_asc(Column::UserId)
        .limit(page.limit);
    if let Some(after) = page.after {
        members = members.filter(Column::UserId.gt(after));
    }
    Ok(members.into_model().all(db).await?)
}

/// Finds a member of an organization.
pub(crate) async fn find_listed(
    db: &impl Connection,
    member: Member,
    user_id: UserId,
) -> Result<Option<Listed>> {
    let one = listed(member.org_id()).filter(Column::UserId.eq(user_id));
    Ok(one.into_model().one(db).await?)
}

fn listed(org_id: OrgId) -> Select<Entity> {
    let user = Entity::belongs_to(user::Entity)
        .from(Column::UserId)
        .to(user::Column::Id);
    Entity::find()
        .select_only()
        .columns([Column::UserId, Column::Role])
        .columns([user::Column::Email, user::Column::DisplayName])
        .join(JoinType::InnerJoin, user.into())
        .filter(Column::OrgId.eq(org_id))
}

pub(crate) async fn list(db: &impl Connection) -> Result<Vec<Model>> {
    let memberships = Entity::find()
        .order_by_asc(Column::OrgId)
        .order_by_asc(Column::UserId);
    Ok(memberships.all(db).await?)
}

/// Returns true if an organization would have no owner without a user of this role. To be asked
/// before the user goes or gets another role, once the organization is locked.
pub(crate) async fn is_last_owner(
    db: &Writer,
    org_id: OrgId,
    user_id: UserId,
    role: Role,
) -> Result<bool> {
    if role != Role::Owner {
        return Ok(false);
    }
    let others = Entity::find()
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::Role.eq(Role::Owner))
        .filter(Column::UserId.ne(user_id));
    Ok(others.one(db).await?.is_none())
}

/// Returns true if an organization has members besides a user.
pub(super) async fn has_others(db: &Writer, org_id: OrgId, user_id: UserId) -> Result<bool> {
    let others = Entity::find()
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::UserId.ne(user_id));
    Ok(others.one(db).await?.is_some())
}

/// Counts the organizations of a user.
pub(crate) async fn count_of_user(db: &Writer, user_id: UserId) -> Result<u64> {
    let memberships = Entity::find().filter(Column::UserId.eq(user_id));
    Ok(memberships.count(db).await?)
}

/// Lists the memberships of a user, by organization.
pub(super) async fn list_of_user(db: &impl Connection, user_id: UserId) -> Result<Vec<Model>> {
    let memberships = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .order_by_asc(Column::OrgId);
    Ok(memberships.all(db).await?)
}

/// Makes a user a member, or gives a member another role.
pub(crate) async fn put(
    db: &impl Connection,
    user_id: UserId,
    org_id: OrgId,
    role: Role,
) -> Result<()> {
    let known = OnConflict::columns([Column::UserId, Column::OrgId])
        .update_column(Column::Role)
        .to_owned();
    let membership = membership(user_id, org_id, role);
    Entity::insert(membership)
        .on_conflict(known)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Makes a user a member, unless they are one. Returns true if they were not.
pub(super) async fn add(db: &Writer, user_id: UserId, org_id: OrgId, role: Role) -> Result<bool> {
    let added = db.insert_unless_taken(membership(user_id, org_id, role));
    Ok(added.await?.is_some())
}

fn membership(user_id: UserId, org_id: OrgId, role: Role) -> ActiveModel {
    ActiveModel {
        user_id: Set(user_id),
        org_id: Set(org_id),
        role: Set(role),
    }
}

/// Gives a member another role. Returns false if the user is not a member.
pub(crate) async fn update_role(
    db: &Writer,
    owner: Owner,
    user_id: UserId,
    role: Role,
) -> Result<bool> {
    let updated = Entity::update_many()
        .col_expr(Column::Role, Expr::value(role))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::OrgId.eq(owner.0))
        .exec(db)
        .await?;
    // MariaDB counts the rows that it finds, like the others, even if their role stays.
    Ok(updated.rows_affected == 1)
}

/// Removes a member, and with them their service tokens. Returns false if the user is not a member.
pub(crate) async fn remove(db: &Writer, remover: Remover) -> Result<bool> {
    let removed = Entity::delete_by_id((remover.user_id, remover.org_id)).exec(db);
    Ok(removed.await?.rows_affected == 1)
}
