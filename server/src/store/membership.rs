//! Memberships of users in organizations, each with a role.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ActiveValue::Set, Condition, ExprTrait, QueryOrder, entity::prelude::*, sea_query::OnConflict,
};

use super::{Connection, Result};

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, clap::ValueEnum)]
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
    /// Returns true if the role may create and delete applications.
    pub fn may_change(self) -> bool {
        match self {
            Self::Owner | Self::Member => true,
            Self::Viewer => false,
        }
    }
}

/// A membership.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "membership")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: i64,
    /// Role of the user in the organization.
    pub role: Role,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The role of a user in an organization; none if the user is not in it or it does not exist.
pub(crate) async fn role(db: &impl Connection, user_id: i64, org_id: i64) -> Result<Option<Role>> {
    let membership = Entity::find_by_id((user_id, org_id)).one(db).await?;
    Ok(membership.map(|membership| membership.role))
}

/// The roles of users in organizations, by user and organization; none where a user is not in one.
pub(crate) async fn roles(
    db: &impl Connection,
    pairs: impl IntoIterator<Item = (i64, i64)>,
) -> Result<HashMap<(i64, i64), Role>> {
    let pairs: HashSet<_> = pairs.into_iter().collect();
    if pairs.is_empty() {
        // No condition would mean all of them.
        return Ok(HashMap::new());
    }
    let any = pairs
        .into_iter()
        .fold(Condition::any(), |any, (user_id, org_id)| {
            let one = Column::UserId.eq(user_id).and(Column::OrgId.eq(org_id));
            any.add(one)
        });
    let found = Entity::find().filter(any).all(db).await?;
    let roles = found
        .into_iter()
        .map(|it| ((it.user_id, it.org_id), it.role));
    Ok(roles.collect())
}

pub(crate) async fn list(db: &impl Connection) -> Result<Vec<Model>> {
    let memberships = Entity::find()
        .order_by_asc(Column::OrgId)
        .order_by_asc(Column::UserId);
    Ok(memberships.all(db).await?)
}

/// Makes a user a member, or gives a member another role.
pub(crate) async fn put(db: &impl Connection, user_id: i64, org_id: i64, role: Role) -> Result<()> {
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
