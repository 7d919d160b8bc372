//! Another address of a user, which may have become a user of its own.

use sea_orm::entity::prelude::*;

use super::{Result, Writer, membership, org, session, token, user};
use crate::address::EmailAddress;

/// Result of a change of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// The address had no user.
    Renamed,
    /// The address had a user, who is the same as the other one now.
    Merged,
}

/// Gives a user another address. If it has a user, their memberships, service tokens and sessions
/// become those of this one, with the higher role where both are members.
pub(crate) async fn change_address(
    db: &Writer,
    user: &user::Model,
    address: &EmailAddress,
) -> Result<Changed> {
    let other = user::find_by_email(db, address).await?;
    if let Some(other) = &other {
        merge(db, user, other).await?;
    }
    user::Entity::update_many()
        .col_expr(user::Column::Email, address.as_str().into())
        .filter(user::Column::Id.eq(user.id))
        .exec(db)
        .await?;
    session::Entity::update_many()
        .col_expr(session::Column::Email, address.as_str().into())
        .filter(session::Column::Email.eq(&user.email))
        .exec(db)
        .await?;
    Ok(match other {
        Some(_) => Changed::Merged,
        None => Changed::Renamed,
    })
}

/// Gives a user all that another one has, and deletes the other one.
async fn merge(db: &Writer, user: &user::Model, other: &user::Model) -> Result<()> {
    for theirs in membership::list_of_user(db, other.id).await? {
        let org_id = theirs.org_id;
        org::lock(db, org_id).await?;
        let own = membership::Entity::find_by_id((user.id, org_id))
            .one(db)
            .await?;
        // The role with the most rights is the least.
        let role = own.map_or(theirs.role, |own| own.role.min(theirs.role));
        membership::put(db, user.id, org_id, role).await?;
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
    user::Entity::delete_by_id(other.id).exec(db).await?;
    Ok(())
}
