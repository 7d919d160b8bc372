//! Invitations of addresses into organizations, accepted by logging in.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::{
    Connection, InvitationId, Member, OrgId, Owner, Page, Result, Role, UserId, Writer, membership,
    org,
};
use crate::{address::EmailAddress, clock::Timestamp};

/// Time for which an invitation can be accepted.
pub const OPEN_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// An invitation that is neither accepted nor revoked. An organization has at most one for an
/// address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// The invitation_id.
    #[sea_orm(primary_key)]
    pub id: InvitationId,
    /// Organization into which the address is invited.
    pub org_id: OrgId,
    /// Canonical address that is invited.
    pub email: String,
    /// Role that the address gets.
    pub role: Role,
    /// Canonical address of the member who invites.
    pub invited_by: String,
    /// Time of the invitation.
    pub created_at: Timestamp,
    /// Time of expiry.
    pub ends_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Invites an address, in the place of its earlier invitation, if it has one. The organization has
/// to be locked.
pub(crate) async fn add(
    db: &Writer,
    owner: Owner,
    email: &EmailAddress,
    role: Role,
    invited_by: &str,
    now: Timestamp,
) -> Result<Model> {
    // Its mail goes too, if it is not sent yet.
    Entity::delete_many()
        .filter(Column::OrgId.eq(owner.org_id()))
        .filter(Column::Email.eq(email.as_str()))
        .exec(db)
        .await?;
    let invitation = ActiveModel {
        org_id: Set(owner.org_id()),
        email: Set(email.as_str().to_owned()),
        role: Set(role),
        invited_by: Set(invited_by.to_owned()),
        created_at: Set(now),
        ends_at: Set(now.plus(OPEN_FOR)),
        ..Default::default()
    };
    Ok(invitation.insert(db).await?)
}

pub(crate) async fn find(db: &impl Connection, id: InvitationId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Selects the invitations of an organization that can be accepted.
pub(super) fn open(org_id: OrgId, now: Timestamp) -> Select<Entity> {
    Entity::find()
        .filter(Column::OrgId.eq(org_id))
        .filter(Column::EndsAt.gt(now))
}

/// Lists a page of the open invitations of an organization.
pub(crate) async fn list_page(
    db: &impl Connection,
    member: Member,
    page: Page<InvitationId>,
    now: Timestamp,
) -> Result<Vec<Model>> {
    let mut invitations = open(member.org_id(), now)
        .order_by_asc(Column::Id)
        .limit(page.limit);
    if let Some(after) = page.after {
        invitations = invitations.filter(Column::Id.gt(after));
    }
    Ok(invitations.all(db).await?)
}

/// Revokes an invitation of an organization. Returns it, or `None` if there is no such invitation,
/// or it is accepted at this moment.
pub(crate) async fn revoke(
    db: &Writer,
    owner: Owner,
    id: InvitationId,
    now: Timestamp,
) -> Result<Option<Model>> {
    let found = open(owner.org_id(), now).filter(Column::Id.eq(id));
    let Some(invitation) = found.one(db).await? else {
        return Ok(None);
    };
    Ok(delete(db, &invitation).await?.then_some(invitation))
}

/// Returns true if an address has an invitation that it can accept.
pub(crate) async fn has_open(
    db: &impl Connection,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<bool> {
    Ok(open_of(email, now).one(db).await?.is_some())
}

/// Selects the invitations of an address that it can accept.
fn open_of(email: &EmailAddress, now: Timestamp) -> Select<Entity> {
    Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::EndsAt.gt(now))
}

/// Accepts all invitations of the address of a user, and returns the organizations that the user
/// was not in, with the new roles. Where the user is a member, they keep their role.
pub(crate) async fn accept_all(
    db: &Writer,
    email: &EmailAddress,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<(OrgId, Role)>> {
    let found = open_of(email, now).order_by_asc(Column::OrgId);
    let mut joined = Vec::new();
    for invitation in found.all(db).await? {
        org::lock(db, invitation.org_id).await?;
        // It may have been taken back or replaced before the organization was locked.
        if delete(db, &invitation).await?
            && membership::add(db, user_id, invitation.org_id, invitation.role).await?
        {
            joined.push((invitation.org_id, invitation.role));
        }
    }
    Ok(joined)
}

/// Deletes an invitation. Returns false if it is gone already.
async fn delete(db: &Writer, invitation: &Model) -> Result<bool> {
    let deleted = Entity::delete_by_id(invitation.id).exec(db).await?;
    Ok(deleted.rows_affected == 1)
}

/// Condition for invitations that expired before a time.
pub(crate) fn expired_before(time: Timestamp) -> Expr {
    Column::EndsAt.lt(time)
}
