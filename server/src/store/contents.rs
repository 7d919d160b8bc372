//! Contents of an organization, which go when it is deleted.

use sea_orm::{JoinType, QuerySelect, entity::prelude::*};

use super::{Connection, Member, Result, api_key, app, invitation, membership, token};
use crate::clock::Timestamp;

/// Number of things that an organization has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents {
    pub(crate) members: u64,
    pub(crate) invitations: u64,
    pub(crate) apps: u64,
    pub(crate) api_keys: u64,
    pub(crate) tokens: u64,
}

/// Counts what an organization has.
pub(crate) async fn count(
    db: &impl Connection,
    member: Member,
    now: Timestamp,
) -> Result<Contents> {
    let id = member.org_id();
    let members = membership::Entity::find().filter(membership::Column::OrgId.eq(id));
    let apps = app::Entity::find().filter(app::Column::OrgId.eq(id));
    let app = api_key::Entity::belongs_to(app::Entity)
        .from(api_key::Column::AppId)
        .to(app::Column::Id);
    let api_keys = api_key::Entity::find()
        .join(JoinType::InnerJoin, app.into())
        .filter(app::Column::OrgId.eq(id));
    Ok(Contents {
        members: members.count(db).await?,
        invitations: invitation::open(id, now).count(db).await?,
        apps: apps.count(db).await?,
        api_keys: api_keys.count(db).await?,
        tokens: token::working(id, now).count(db).await?,
    })
}
