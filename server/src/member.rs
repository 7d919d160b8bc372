//! The tag `member`: the people of an organization, and those who are invited.

mod create_invitation;
mod list_invitations;
mod list_members;
mod remove_member;
mod revoke_invitation;
mod update_member;

use cortex_report_api::server::types;

use crate::{
    service::not_allowed_since,
    store::{Role, invitation, membership},
};

impl From<Role> for types::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Member => Self::Member,
            Role::Viewer => Self::Viewer,
        }
    }
}

impl From<types::Role> for Role {
    fn from(role: types::Role) -> Self {
        match role {
            types::Role::Owner => Self::Owner,
            types::Role::Member => Self::Member,
            types::Role::Viewer => Self::Viewer,
        }
    }
}

impl From<membership::Listed> for types::Member {
    fn from(member: membership::Listed) -> Self {
        Self {
            user_id: member.user_id.0,
            email: member.email,
            display_name: member.display_name,
            role: member.role.into(),
        }
    }
}

impl From<invitation::Model> for types::Invitation {
    fn from(invitation: invitation::Model) -> Self {
        Self {
            invitation_id: invitation.id.0,
            email: invitation.email,
            role: invitation.role.into(),
            created_at: invitation.created_at.into(),
            ends_at: invitation.ends_at.into(),
        }
    }
}

/// Returns the error for a request that would leave an organization without an owner.
fn last_owner() -> cortex_report_api::server::Failure {
    not_allowed_since(
        "This is the last owner of the organization. Make another member an owner first, or delete \
         the organization.",
    )
}
