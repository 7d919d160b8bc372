//! Memberships of users in organizations, each with a role.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveEnum, ActiveValue::Set, Condition, ExprTrait, Iterable, QueryOrder, entity::prelude::*,
    sea_query::OnConflict,
};

use super::{Connection, OrgId, Result, UserId};

/// Role of a member, which determines what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Role {
    /// Lists, creates and deletes applications.
    #[sea_orm(string_value = "owner")]
    Owner,
    /// Lists, creates and deletes applications.
    #[sea_orm(string_value = "member")]
    Member,
    /// Lists applications.
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

/// Membership of a user in an organization. It can only be obtained by a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member(Model);

impl Member {
    /// Returns the right to change what the organization has, if the role includes it.
    pub(crate) fn editor(self) -> Option<Editor> {
        match self.0.role {
            Role::Owner | Role::Member => Some(Editor(self.0.org_id)),
            Role::Viewer => None,
        }
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

/// Finds the membership of a user in an organization; `None` if the user is not in it or it does
/// not exist.
pub(crate) async fn find(
    db: &impl Connection,
    user_id: UserId,
    org_id: OrgId,
) -> Result<Option<Member>> {
    let membership = Entity::find_by_id((user_id, org_id)).one(db).await?;
    Ok(membership.map(Member))
}

/// Finds the memberships of users in organizations, by user and organization. Pairs without a
/// membership are absent.
pub(crate) async fn find_all(
    db: &impl Connection,
    pairs: impl IntoIterator<Item = (UserId, OrgId)>,
) -> Result<HashMap<(UserId, OrgId), Member>> {
    let pairs: HashSet<_> = pairs.into_iter().collect();
    if pairs.is_empty() {
        // Without a condition, the query would find all memberships.
        return Ok(HashMap::new());
    }
    let any = pairs
        .into_iter()
        .fold(Condition::any(), |any, (user_id, org_id)| {
            let one = Column::UserId.eq(user_id).and(Column::OrgId.eq(org_id));
            any.add(one)
        });
    let found = Entity::find().filter(any).all(db).await?;
    let members = found
        .into_iter()
        .map(|it| ((it.user_id, it.org_id), Member(it)));
    Ok(members.collect())
}

pub(crate) async fn list(db: &impl Connection) -> Result<Vec<Model>> {
    let memberships = Entity::find()
        .order_by_asc(Column::OrgId)
        .order_by_asc(Column::UserId);
    Ok(memberships.all(db).await?)
}

/// Makes a user a member, or gives a member another role.
pub(crate) async fn put(
    db: &impl Connection,
    user_id: UserId,
    org_id: OrgId,
    role: Role,
) -> Result<()> {
    let membership = ActiveModel {
        user_id: Set(user_id),
        org_id: Set(org_id),
        role: Set(role),
    };
    let known = OnConflict::columns([Column::UserId, Column::OrgId])
        .update_column(Column::Role)
        .to_owned();
    Entity::insert(membership)
        .on_conflict(known)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
