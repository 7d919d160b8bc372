//! The active session of a key, or the service token, with its user and their organizations.

use std::{sync::Arc, time::Duration};

use sea_orm::{FromQueryResult, JoinType, QueryOrder, QuerySelect, entity::prelude::*};

use super::{
    Caller, Connection, OrgId, Result, Role, Scope, SessionId, TokenId, UserId, membership, org,
    session::{Column, Entity, IDLE_FOR, MAX_TRIES, State},
    token, user,
};
use crate::clock::Timestamp;

/// Precision of the time when a session was used last. A write for every request would cost too
/// much.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

/// Kind of a key that a caller sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// A session_key.
    Session,
    /// A service token.
    Token,
}

/// Result of a lookup by session_key or service token.
pub(crate) enum Found {
    /// An active session or token, which may have expired.
    Active(Arc<Active>),
    /// A login that too many wrong codes have invalidated.
    Invalidated,
    /// A login that waits to be verified, a session that has ended, or none at all.
    Worthless,
}

/// An active session or service token with its user, and the organizations that it reaches.
#[derive(Clone, Debug)]
pub struct Active {
    origin: Origin,
    /// The user, or the member who made the token.
    pub user_id: UserId,
    /// The user's canonical address.
    pub email: String,
    /// Display name of the user.
    pub display_name: String,
    /// The organizations, sorted by name.
    pub orgs: Vec<OrgOfUser>,
}

/// Organization in which a user has a role.
#[derive(Clone, Debug)]
pub struct OrgOfUser {
    /// The org_id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// Its name in the paths of events.
    pub short_name: Option<String>,
    /// Role of the user, or of the token.
    pub role: Role,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    Session {
        id: SessionId,
        expires_at: Timestamp,
        used_at: Timestamp,
    },
    Token {
        scope: Scope,
        ends_at: Option<Timestamp>,
        used_at: Option<Timestamp>,
    },
}

impl Active {
    /// Returns true if the session or token has reached its end, or the session was not used for
    /// too long.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        match self.origin {
            Origin::Session {
                expires_at,
                used_at,
                ..
            } => expires_at <= now || used_at <= now.minus(IDLE_FOR),
            Origin::Token { ends_at, .. } => ends_at.is_some_and(|ends_at| ends_at <= now),
        }
    }

    /// Returns true if the recorded last use is too old.
    pub fn use_is_stale(&self, now: Timestamp) -> bool {
        let used_at = match self.origin {
            Origin::Session { used_at, .. } => Some(used_at),
            Origin::Token { used_at, .. } => used_at,
        };
        used_at.is_none_or(|used_at| now.since(used_at) >= USE_NOTED_EVERY)
    }

    /// The caller, as far as rights go.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            user_id: self.user_id,
            token: match self.origin {
                Origin::Session { .. } => None,
                Origin::Token { scope, .. } => Some(scope),
            },
        }
    }

    /// Id of the session; `None` if the caller is a service token.
    pub(crate) fn session_id(&self) -> Option<SessionId> {
        match self.origin {
            Origin::Session { id, .. } => Some(id),
            Origin::Token { .. } => None,
        }
    }
}

/// A session with its user and one of the user's organizations.
#[derive(FromQueryResult)]
struct SessionRow {
    id: SessionId,
    state: State,
    tries: i32,
    expires_at: Timestamp,
    used_at: Timestamp,
    user_id: Option<UserId>,
    email: Option<String>,
    display_name: Option<String>,
    org_id: Option<OrgId>,
    org_name: Option<String>,
    org_short_name: Option<String>,
    role: Option<Role>,
}

impl SessionRow {
    fn org(self) -> Option<OrgOfUser> {
        Some(OrgOfUser {
            id: self.org_id?,
            name: self.org_name?,
            short_name: self.org_short_name,
            role: self.role?,
        })
    }
}

/// Looks a session_key up, by a single query.
pub(crate) async fn find_by_key(db: &impl Connection, key_hash: &[u8]) -> Result<Found> {
    let user = Entity::belongs_to(user::Entity)
        .from(Column::UserId)
        .to(user::Column::Id);
    let membership = user::Entity::belongs_to(membership::Entity)
        .from(user::Column::Id)
        .to(membership::Column::UserId);
    let org = membership::Entity::belongs_to(org::Entity)
        .from(membership::Column::OrgId)
        .to(org::Column::Id);
    let rows = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::State,
            Column::Tries,
            Column::ExpiresAt,
            Column::UsedAt,
        ])
        .column_as(user::Column::Id, "user_id")
        .columns([user::Column::Email, user::Column::DisplayName])
        .column_as(org::Column::Id, "org_id")
        .column_as(org::Column::Name, "org_name")
        .column_as(org::Column::ShortName, "org_short_name")
        .column(membership::Column::Role)
        .join(JoinType::LeftJoin, user.into())
        .join(JoinType::LeftJoin, membership.into())
        .join(JoinType::LeftJoin, org.into())
        .filter(Column::KeyHash.eq(key_hash))
        .order_by_asc(org::Column::Id);
    let mut rows = rows.into_model::<SessionRow>().all(db).await?.into_iter();
    let Some(mut first) = rows.next() else {
        return Ok(Found::Worthless);
    };
    if first.state == State::Pending && first.tries >= MAX_TRIES {
        return Ok(Found::Invalidated);
    }
    let user = first.user_id.zip(first.email.take());
    let user = user.zip(first.display_name.take());
    let Some(((user_id, email), display_name)) = user.filter(|_| first.state == State::Active)
    else {
        return Ok(Found::Worthless);
    };
    let origin = Origin::Session {
        id: first.id,
        expires_at: first.expires_at,
        used_at: first.used_at,
    };
    let mut orgs: Vec<_> = first.org().into_iter().collect();
    orgs.extend(rows.filter_map(SessionRow::org));
    // Each kind of database orders texts in its own way.
    orgs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Found::Active(Arc::new(Active {
        origin,
        user_id,
        email,
        display_name,
        orgs,
    })))
}

/// A service token with its maker and their role in its organization.
#[derive(FromQueryResult)]
struct TokenRow {
    id: TokenId,
    role: Role,
    ends_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
    user_id: UserId,
    email: String,
    display_name: String,
    org_id: OrgId,
    org_name: String,
    org_short_name: Option<String>,
    maker_role: Role,
}

/// Looks a service token up, by a single query.
pub(crate) async fn find_by_token(db: &impl Connection, token_hash: &[u8]) -> Result<Found> {
    use token::{Column, Entity};
    let user = Entity::belongs_to(user::Entity)
        .from(Column::UserId)
        .to(user::Column::Id);
    let membership = Entity::belongs_to(membership::Entity)
        .from((Column::UserId, Column::OrgId))
        .to((membership::Column::UserId, membership::Column::OrgId));
    let org = Entity::belongs_to(org::Entity)
        .from(Column::OrgId)
        .to(org::Column::Id);
    let row = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Role, Column::EndsAt, Column::UsedAt])
        .columns([Column::UserId, Column::OrgId])
        .columns([user::Column::Email, user::Column::DisplayName])
        .column_as(org::Column::Name, "org_name")
        .column_as(org::Column::ShortName, "org_short_name")
        .column_as(membership::Column::Role, "maker_role")
        .join(JoinType::InnerJoin, user.into())
        .join(JoinType::InnerJoin, membership.into())
        .join(JoinType::InnerJoin, org.into())
        .filter(Column::TokenHash.eq(token_hash));
    let Some(row) = row.into_model::<TokenRow>().one(db).await? else {
        return Ok(Found::Worthless);
    };
    let scope = Scope {
        token_id: row.id,
        org_id: row.org_id,
        role: row.role,
    };
    let active = Active {
        origin: Origin::Token {
            scope,
            ends_at: row.ends_at,
            used_at: row.used_at,
        },
        user_id: row.user_id,
        email: row.email,
        display_name: row.display_name,
        orgs: Vec::new(),
    };
    let org = OrgOfUser {
        id: row.org_id,
        name: row.org_name,
        short_name: row.org_short_name,
        role: active.caller().capped(row.maker_role),
    };
    Ok(Found::Active(Arc::new(Active {
        orgs: vec![org],
        ..active
    })))
}

/// Records the use of a session or service token.
pub(crate) async fn note_use(db: &impl Connection, active: &Active, now: Timestamp) -> Result<()> {
    match active.origin {
        Origin::Session { id, .. } => {
            Entity::update_many()
                .col_expr(Column::UsedAt, now.0.into())
                .filter(Column::Id.eq(id))
                .exec(db)
                .await?;
        }
        Origin::Token { scope, .. } => {
            token::Entity::update_many()
                .col_expr(token::Column::UsedAt, now.0.into())
                .filter(token::Column::Id.eq(scope.token_id))
                .exec(db)
                .await?;
        }
    }
    Ok(())
}
