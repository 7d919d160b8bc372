//! The active session of a key, with its user and the user's organizations.

use std::{sync::Arc, time::Duration};

use sea_orm::{FromQueryResult, JoinType, QueryOrder, QuerySelect, entity::prelude::*};

use super::{
    Connection, OrgId, Result, UserId, membership, org,
    session::{Column, Entity, IDLE_FOR, MAX_TRIES, State},
    user,
};
use crate::clock::Timestamp;

/// Precision of the time when a session was used last. A write for every request would cost too
/// much.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

/// Result of a lookup by session_key.
pub(crate) enum Found {
    /// An active session, which may have expired.
    Active(Arc<Active>),
    /// A login that too many wrong codes have invalidated.
    Invalidated,
    /// A login that waits to be verified, a session that has ended, or none at all.
    Worthless,
}

/// An active session with its user, and the organizations that the user is in.
#[derive(Clone, Debug)]
pub struct Active {
    pub(super) id: i64,
    expires_at: Timestamp,
    used_at: Timestamp,
    /// The user.
    pub user_id: UserId,
    /// The user's canonical address.
    pub email: String,
    /// Display name of the user.
    pub display_name: String,
    /// Id and name of each organization, sorted by name.
    pub orgs: Vec<(OrgId, String)>,
}

impl Active {
    /// Returns true if the session has reached its end, or was not used for too long.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now || self.used_at <= now.minus(IDLE_FOR)
    }

    /// Returns true if the recorded last use is too old.
    pub fn use_is_stale(&self, now: Timestamp) -> bool {
        now.since(self.used_at) >= USE_NOTED_EVERY
    }
}

/// A session with its user and one of the user's organizations.
#[derive(FromQueryResult)]
struct FoundRow {
    id: i64,
    state: State,
    tries: i32,
    expires_at: Timestamp,
    used_at: Timestamp,
    user_id: Option<UserId>,
    email: Option<String>,
    display_name: Option<String>,
    org_id: Option<OrgId>,
    org_name: Option<String>,
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
        .join(JoinType::LeftJoin, user.into())
        .join(JoinType::LeftJoin, membership.into())
        .join(JoinType::LeftJoin, org.into())
        .filter(Column::KeyHash.eq(key_hash))
        .order_by_asc(org::Column::Id);
    let mut rows = rows.into_model::<FoundRow>().all(db).await?.into_iter();
    let Some(first) = rows.next() else {
        return Ok(Found::Worthless);
    };
    if first.state == State::Pending && first.tries >= MAX_TRIES {
        return Ok(Found::Invalidated);
    }
    let user = first.user_id.zip(first.email).zip(first.display_name);
    let Some(((user_id, email), display_name)) = user.filter(|_| first.state == State::Active)
    else {
        return Ok(Found::Worthless);
    };
    let mut orgs: Vec<_> = first.org_id.zip(first.org_name).into_iter().collect();
    orgs.extend(rows.filter_map(|row| row.org_id.zip(row.org_name)));
    // Each kind of database orders texts in its own way.
    orgs.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(Found::Active(Arc::new(Active {
        id: first.id,
        expires_at: first.expires_at,
        used_at: first.used_at,
        user_id,
        email,
        display_name,
        orgs,
    })))
}

pub(crate) async fn note_use(db: &impl Connection, session: &Active, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::UsedAt, now.0.into())
        .filter(Column::Id.eq(session.id))
        .exec(db)
        .await?;
    Ok(())
}
