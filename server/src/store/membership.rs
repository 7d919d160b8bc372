//! Memberships of users in organizations, each with a role.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveEnum, ActiveValue::Set, Condition, ExprTrait, FromQueryResult, Iterable, JoinType,
    QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict,
};

use super::{Caller, Connection, OrgId, Page, Result, UserId, Writer, org, user};

/// Role of a member, which determines what they may do. The one with the most rights is first, and
/// the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Role {
    /// Manages the organization and its people, and does all that a member does.
    #[sea_orm(string_value = "owner")]
    Owner,
    /// Lists, creates, changes and deletes applications and their API keys.
    #[sea_orm(string_value = "member")]
    Member,
    /// Only reads.
    #[sea_orm(string_value = "viewer")]
    Viewer,
}

impl Role {
    /// Returns the name of every role.
    pub fn names() -> impl Iterator<Item = String> {
        Self::iter().map(Self::name)
    }

    /// Returns the name of the role, as in commands and in the database.
    pub fn name(self) -> String {
        self.to_value()
    }

    /// Returns the role with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::try_from_value(&name.to_owned()).ok()
    }
}

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

/// Membership of a caller in an organization. It can only be obtained by a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    caller: Caller,
    org_id: OrgId,
    role: Role,
}

impl Member {
    fn new(caller: Caller, membership: Model) -> Self {
        Self {
            caller,
            org_id: membership.org_id,
            role: caller.capped(membership.role),
        }
    }

    /// The organization.
    pub(crate) fn org_id(self) -> OrgId {
        self.org_id
    }

    /// Role of the caller.
    pub(crate) fn role(self) -> Role {
        self.role
    }

    /// Returns the right to change what the organization has, if the role includes it.
    pub(crate) fn editor(self) -> Option<Editor> {
        match self.role {
            Role::Owner | Role::Member => Some(Editor(self.org_id)),
            Role::Viewer => None,
        }
    }

    /// Returns the right to manage the organization and its people, if the role includes it.
    pub(crate) fn owner(self) -> Option<Owner> {
        (self.role == Role::Owner).then_some(Owner(self.org_id))
    }

    /// Returns the right to remove a member: owners remove everybody, and everybody leaves.
    pub(crate) fn remover(self, user_id: UserId) -> Option<Remover> {
        let is_self = self.caller.token.is_none() && self.caller.user_id == user_id;
        let remover = Remover {
            org_id: self.org_id,
            user_id,
        };
        (is_self || self.owner().is_some()).then_some(remover)
    }

    /// Returns whose service tokens the caller sees and revokes: those of everybody if `None`.
    pub(super) fn tokens_of(self) -> Option<UserId> {
        match self.owner() {
            Some(_) => None,
            None => Some(self.caller.user_id),
        }
    }

    /// Returns the right to make a service token of a role, which is not above the caller's. A
    /// token makes none.
    pub(crate) fn token_maker(self, role: Role) -> Option<TokenMaker> {
        let maker = TokenMaker {
            org_id: self.org_id,
            user_id: self.caller.user_id,
            role,
        };
        (self.caller.token.is_none() && role >= self.role).then_some(maker)
    }
}

/// Right to change what an organization has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Editor(OrgId);

impl Editor {
    /// The organization.
    pub(crate) fn org_id(self) -> OrgId {
        self.0
    }
}

/// Right to manage an organization and its people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(OrgId);

impl Owner {
    /// The organization.
    pub(crate) fn org_id(self) -> OrgId {
        self.0
    }

    /// Returns the right to remove a member.
    pub(crate) fn remover(self, user_id: UserId) -> Remover {
        Remover {
            org_id: self.0,
            user_id,
        }
    }
}

/// Right to remove one member of an organization.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remover {
    org_id: OrgId,
    user_id: UserId,
}

/// Right to make a service token of one role.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenMaker {
    pub(super) org_id: OrgId,
    pub(super) user_id: UserId,
    pub(super) role: Role,
}

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
    Ok(membership.map(|membership| Member::new(caller, membership)))
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
    if !caller.reaches(org_id) {
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
        caller
            .reaches(org_id)
            .then(|| Member::new(caller, *membership))
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
    let mut members = listed(member.org_id)
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
    let one = listed(member.org_id).filter(Column::UserId.eq(user_id));
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

/// Returns true if an organization has an owner besides a user. To be asked before an owner goes,
/// once the organization is locked.
pub(crate) async fn has_other_owner(db: &Writer, org_id: OrgId, user_id: UserId) -> Result<bool> {
    let others = Entity::find()
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::Role.eq(Role::Owner))
        .filter(Column::UserId.ne(user_id));
    Ok(others.one(db).await?.is_some())
}

/// Returns true if an organization has members besides a user.
pub(super) async fn has_others(db: &Writer, org_id: OrgId, user_id: UserId) -> Result<bool> {
    let others = Entity::find()
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::UserId.ne(user_id));
    Ok(others.one(db).await?.is_some())
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
