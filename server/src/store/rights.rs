//! Rights: the caller of an operation, their role in an organization, and what it lets them do.
//!
//! A function that changes something takes the right to do so, which is only had by a lookup.

use sea_orm::{ActiveEnum, Iterable, entity::prelude::*};

use super::{OrgId, TokenId, UserId};

/// Role of a member, which determines what they may do. Ordered by rights: `Owner` has the most and
/// is the smallest value.
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

/// Membership of a caller in an organization. It can only be obtained by a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    caller: Caller,
    org_id: OrgId,
    role: Role,
}

impl Member {
    /// Returns the membership of a caller whose user has a role in an organization; `None` if the
    /// caller is a service token of another one.
    pub(super) fn new(caller: Caller, org_id: OrgId, role: Role) -> Option<Self> {
        caller.reaches(org_id).then(|| Self {
            caller,
            org_id,
            role: caller.capped(role),
        })
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

    /// Returns the right to remove a member: owners can remove anybody, others only themselves.
    pub(crate) fn remover(self, user_id: UserId) -> Option<Remover> {
        let is_self = self.caller.token.is_none() && self.caller.user_id == user_id;
        let remover = Remover {
            org_id: self.org_id,
            user_id,
        };
        (is_self || self.owner().is_some()).then_some(remover)
    }

    /// Returns the service tokens that the caller sees and revokes.
    pub(super) fn tokens(self) -> Tokens {
        match (self.owner(), self.caller.token) {
            (Some(_), _) => Tokens::All,
            (None, None) => Tokens::OfUser(self.caller.user_id),
            (None, Some(scope)) => Tokens::One(scope.token_id),
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

/// Service tokens of an organization that a caller sees and revokes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tokens {
    /// Every token.
    All,
    /// Tokens that a user made.
    OfUser(UserId),
    /// The token that is the caller itself.
    One(TokenId),
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
pub(crate) struct Owner(pub(super) OrgId);

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
    pub(super) org_id: OrgId,
    pub(super) user_id: UserId,
}

/// Right to make a service token of one role.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenMaker {
    pub(super) org_id: OrgId,
    pub(super) user_id: UserId,
    pub(super) role: Role,
}
