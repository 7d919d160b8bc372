//! Callers of operations, as far as their rights go.

use super::{OrgId, TokenId, UserId, membership::Role};

/// Caller of an operation: a user, or a service token of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The user, or the member who made the token.
    pub(crate) user_id: UserId,
    /// The token, if the caller is one.
    pub(crate) token: Option<Scope>,
}

impl Caller {
    /// Returns true if the caller may act in an organization of the user.
    pub(super) fn reaches(&self, org_id: OrgId) -> bool {
        self.token.is_none_or(|scope| scope.org_id == org_id)
    }

    /// Returns the role of the caller where the user has a role: at most that of the token.
    pub(super) fn capped(&self, role: Role) -> Role {
        match self.token {
            Some(scope) => scope.role.max(role),
            None => role,
        }
    }
}

/// Rights of a service token: a role in one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) token_id: TokenId,
    pub(crate) org_id: OrgId,
    pub(crate) role: Role,
}
