//! Change of a user's address, and the merge with a user who has it already.

use sea_orm::entity::prelude::*;

use super::{OrgId, Result, Role, Writer, audit, membership, org, session, token, user};
use crate::address::EmailAddress;

/// Result of a change of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// The address had no user.
    Renamed,
    /// The address had a user, who was merged into this one.
    Merged,
}

/// Gives a user another address. If it has a user, their memberships, service tokens and sessions
/// become those of this one, with the higher role where both are members. Logins that wait to be
/// verified end, since their mails are in the mailbox of the old address.
///
/// The change is recorded under the old address, so that a deletion of the user finds it.
pub(crate) async fn change_address(
    db: &Writer,
    user: &user::Model,
    address: &EmailAddress,
    by: &audit::By,
) -> Result<Changed> {
    let other = user::find_by_email(db, address).await?;
    let mut users = vec![user.id];
    users.extend(other.as_ref().map(|other| other.id));
    users.sort();
    for id in users {
        user::lock(db, id).await?;
    }
    for email in [&user.email, address.as_str()] {
        session::disable_pending_of(db, email).await?;
    }
    let of_user = |org_id: Option<OrgId>| audit::Object {
        org_id,
        subject: Some(address.as_str()),
        ..audit::Object::default()
    };
    if let Some(other) = &other {
        for (org_id, role) in merge(db, user, other).await? {
            let object = of_user(Some(org_id)).with_role(role);
            audit::add(db, audit::Event::MemberAdded, by, object).await?;
        }
    }
    let by = audit::By {
        email: user.email.clone(),
        user_id: Some(user.id),
        ..by.clone()
    };
    audit::add(db, audit::Event::UserChanged, &by, of_user(None)).await?;
    user::Entity::update_many()
        .col_expr(user::Column::Email, address.as_str().into())
        .filter(user::Column::Id.eq(user.id))
        .exec(db)
        .await?;
    session::Entity::update_many()
        .col_expr(session::Column::Email, address.as_str().into())
        .filter(session::Column::Email.eq(&user.email))
        .filter(session::Column::UserId.eq(user.id))
        .exec(db)
        .await?;
    Ok(match other {
        Some(_) => Changed::Merged,
        None => Changed::Renamed,
    })
}

/// Gives a user all that another one has, and deletes the other one. Returns the organizations in
/// which the user has got another role.
async fn merge(db: &Writer, user: &user::Model, other: &user::Model) -> Result<Vec<(OrgId, Role)>> {
    let mut changed = Vec::new();
    for theirs in membership::list_of_user(db, other.id).await? {
        let org_id = theirs.org_id;
        org::lock(db, org_id).await?;
        // It may have changed before the organization was locked.
        let Some(role) = membership::role_of(db, org_id, other.id).await? else {
            continue;
        };
        let own = membership::role_of(db, org_id, user.id).await?;
        if own.is_none_or(|own| role < own) {
            membership::put(db, user.id, org_id, role).await?;
            changed.push((org_id, role));
        }
        token::Entity::update_many()
            .col_expr(token::Column::UserId, user.id.into())
            .filter(token::Column::UserId.eq(other.id))
            .filter(token::Column::OrgId.eq(org_id))
            .exec(db)
            .await?;
    }
    session::Entity::update_many()
        .col_expr(session::Column::UserId, user.id.into())
        .filter(session::Column::Email.eq(&other.email))
        .filter(session::Column::UserId.eq(other.id))
        .exec(db)
        .await?;
    audit::reassign(db, other.id, user.id).await?;
    user::Entity::delete_by_id(other.id).exec(db).await?;
    Ok(changed)
}
