//! Sessions: pending from the login to its verification, then active, then disabled.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Connection, Result, SessionId, UserId};
use crate::clock::Timestamp;

/// Time limit for verifying a login.
pub const PENDING_FOR: Duration = Duration::from_secs(10 * 60);
/// Maximum lifetime of a session, from its verification.
pub const ACTIVE_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Time after which a session expires if it is not used.
pub const IDLE_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Number of wrong codes that invalidate a login.
pub const MAX_TRIES: i32 = 5;

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum State {
    /// Waits for the person to verify the login.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// Verified.
    #[sea_orm(string_value = "active")]
    Active,
    /// Logged out, or ended by the operator.
    #[sea_orm(string_value = "disabled")]
    Disabled,
    /// Expired. It stays so, whatever the clock says later.
    #[sea_orm(string_value = "expired")]
    Expired,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// The session_id.
    #[sea_orm(primary_key)]
    pub id: SessionId,
    /// The SHA-256 of the session_key.
    pub key_hash: Vec<u8>,
    /// The SHA-256 of the verification URL's token.
    pub link_hash: Vec<u8>,
    /// Random bytes from which, with the server's key, the token and the code's MAC are made.
    pub nonce: Vec<u8>,
    /// The MAC of the manual_code.
    pub code_mac: Vec<u8>,
    /// State of the session.
    pub state: State,
    /// Number of codes tried; a right one does not count.
    pub tries: i32,
    /// The canonical address that the login is for.
    pub email: String,
    /// IP address of the client that started the login.
    pub client: String,
    /// Browser or program that started the login, as described by this service.
    pub user_agent: String,
    /// The user, once verified.
    pub user_id: Option<UserId>,
    /// Time at which the login was started.
    pub created_at: Timestamp,
    /// Time of expiry.
    pub expires_at: Timestamp,
    /// Time of the last use, to the hour.
    pub used_at: Timestamp,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Returns true if the login still waits to be verified, and has tries left.
    pub fn is_pending(&self) -> bool {
        self.state == State::Pending && self.tries < MAX_TRIES
    }

    /// Returns true if the login can still be verified.
    pub fn can_be_verified(&self, now: Timestamp) -> bool {
        self.is_pending() && now < self.expires_at
    }

    /// Returns true if the login was verified, and its link still works and says so.
    pub fn is_verified(&self, now: Timestamp) -> bool {
        self.state == State::Active && now < self.link_ends_at()
    }

    /// Time at which the link stops working, used or not.
    pub fn link_ends_at(&self) -> Timestamp {
        Ord::min(self.expires_at, self.created_at.plus(PENDING_FOR))
    }
}

/// New login.
pub(crate) struct NewSession {
    pub(crate) key_hash: Vec<u8>,
    pub(crate) link_hash: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) code_mac: Vec<u8>,
    pub(crate) email: String,
    pub(crate) client: String,
    pub(crate) user_agent: String,
}

pub(crate) async fn add(
    db: &impl Connection,
    session: NewSession,
    now: Timestamp,
) -> Result<Model> {
    let session = ActiveModel {
        key_hash: Set(session.key_hash),
        link_hash: Set(session.link_hash),
        nonce: Set(session.nonce),
        code_mac: Set(session.code_mac),
        state: Set(State::Pending),
        tries: Set(0),
        email: Set(session.email),
        client: Set(session.client),
        user_agent: Set(session.user_agent),
        user_id: Set(None),
        created_at: Set(now),
        expires_at: Set(now.plus(PENDING_FOR)),
        used_at: Set(now),
        ..Default::default()
    };
    Ok(session.insert(db).await?)
}

pub(crate) async fn find(db: &impl Connection, id: SessionId) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub(crate) async fn find_by_link(
    db: &impl Connection,
    link_hash: Vec<u8>,
) -> Result<Option<Model>> {
    let session = Entity::find().filter(Column::LinkHash.eq(link_hash));
    Ok(session.one(db).await?)
}

/// Selects the active sessions that have not expired and were used within [`IDLE_FOR`].
fn active(now: Timestamp) -> Select<Entity> {
    of_state(State::Active, now).filter(Column::UsedAt.gt(now.minus(IDLE_FOR)))
}

/// Maximum number of sessions that their user lists.
const MAX_LISTED: u64 = 1000;

/// Lists the active sessions of an address, the newest first.
pub(crate) async fn list_active(
    db: &impl Connection,
    email: &str,
    now: Timestamp,
) -> Result<Vec<Model>> {
    let sessions = active(now)
        .filter(Column::Email.eq(email))
        .order_by_desc(Column::Id)
        .limit(MAX_LISTED);
    Ok(sessions.all(db).await?)
}

/// Returns the clients from which logins of an address were started.
pub(super) async fn clients_of(db: &impl Connection, email: &str) -> Result<Vec<String>> {
    let clients = Entity::find()
        .select_only()
        .column(Column::Client)
        .distinct()
        .filter(Column::Email.eq(email));
    Ok(clients.into_tuple().all(db).await?)
}

/// Finds an active session of an address.
pub(crate) async fn find_active(
    db: &impl Connection,
    email: &str,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<Model>> {
    let session = active(now)
        .filter(Column::Email.eq(email))
        .filter(Column::Id.eq(id));
    Ok(session.one(db).await?)
}

/// Selects the sessions of a state that have not expired.
fn of_state(state: State, now: Timestamp) -> Select<Entity> {
    Entity::find()
        .filter(Column::State.eq(state))
        .filter(Column::ExpiresAt.gt(now))
}

/// Counts a try before its code is compared, also of a verified login, whose code stays a secret.
/// Returns false if no try was left.
pub(crate) async fn count_try(
    db: &impl Connection,
    session: &Model,
    now: Timestamp,
) -> Result<bool> {
    let counted = Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(Column::Id.eq(session.id))
        .filter(Column::State.is_in(ENABLED))
        // Not by `expires_at`: MariaDB would lock its index before the row, while `activate` locks
        // them the other way round.
        .filter(Column::CreatedAt.gt(now.minus(PENDING_FOR)))
        .filter(Column::Tries.lt(MAX_TRIES))
        .exec(db)
        .await?;
    Ok(counted.rows_affected == 1)
}

/// Undoes the count of a try whose code was right, so that the code may be typed again.
pub(crate) async fn return_try(db: &impl Connection, session: &Model) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).sub(1))
        .filter(Column::Id.eq(session.id))
        .exec(db)
        .await?;
    Ok(())
}

/// Makes a pending session an active one of `user_id`. Returns true if it was still pending.
pub(crate) async fn activate(
    db: &impl Connection,
    session: &Model,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool> {
    let activated = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Active))
        .col_expr(Column::UserId, user_id.into())
        .col_expr(Column::ExpiresAt, now.plus(ACTIVE_FOR).0.into())
        .col_expr(Column::UsedAt, now.0.into())
        .filter(Column::Id.eq(session.id))
        .filter(Column::State.eq(State::Pending))
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(activated.rows_affected == 1)
}

/// Finds the session of a key, pending or active.
pub(crate) async fn find_enabled(db: &impl Connection, key_hash: &[u8]) -> Result<Option<Model>> {
    let session = Entity::find()
        .filter(Column::KeyHash.eq(key_hash))
        .filter(Column::State.is_in(ENABLED));
    Ok(session.one(db).await?)
}

/// States from which a session can be ended.
const ENABLED: [State; 2] = [State::Pending, State::Active];

/// Marks the sessions that have expired, so that no step of a clock makes them valid again.
pub(crate) async fn mark_expired(db: &impl Connection, now: Timestamp) -> Result<()> {
    let idle = Column::UsedAt
        .lte(now.minus(IDLE_FOR))
        .and(Column::State.eq(State::Active));
    let expired = Column::ExpiresAt.lte(now).and(Column::State.is_in(ENABLED));
    // Two statements, since each has an index of its own.
    for which in [idle, expired] {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(State::Expired))
            .filter(which)
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Shortens the sessions that would last longer than they can, because they began while a clock was
/// ahead.
pub(crate) async fn shorten(
    db: &impl Connection,
    now: Timestamp,
    tolerance: Duration,
) -> Result<()> {
    for (state, lasts) in [(State::Pending, PENDING_FOR), (State::Active, ACTIVE_FOR)] {
        let latest = now.plus(lasts);
        Entity::update_many()
            .col_expr(Column::ExpiresAt, latest.0.into())
            .col_expr(Column::UsedAt, now.0.into())
            .filter(Column::State.eq(state))
            .filter(Column::ExpiresAt.gt(latest.plus(tolerance)))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Counts the active sessions that have not expired and were used within [`IDLE_FOR`].
pub(crate) async fn count_active(db: &impl Connection, now: Timestamp) -> Result<u64> {
    Ok(active(now).count(db).await?)
}

/// Counts the logins that wait to be verified, including those without tries left.
pub(crate) async fn count_pending(db: &impl Connection, now: Timestamp) -> Result<u64> {
    Ok(of_state(State::Pending, now).count(db).await?)
}

/// Condition for sessions that expired before a time.
pub(crate) fn expired_before(time: Timestamp) -> Expr {
    Column::ExpiresAt.lt(time)
}

/// Ends all logins that wait to be verified. Returns their number.
pub(crate) async fn disable_pending(db: &impl Connection) -> Result<u64> {
    disable_where(db, Column::State.eq(State::Pending)).await
}

/// Ends the logins of an address that wait to be verified.
pub(crate) async fn disable_pending_of(db: &impl Connection, email: &str) -> Result<u64> {
    let pending = Column::State.eq(State::Pending);
    disable_where(db, Column::Email.eq(email).and(pending)).await
}

/// Disables a session. Returns true if it was pending or active.
pub(crate) async fn disable(db: &impl Connection, session: &Model) -> Result<bool> {
    let disabled = disable_where(db, Column::Id.eq(session.id)).await?;
    Ok(disabled == 1)
}

/// Ends all sessions of an address, pending or active. Returns their number.
pub(crate) async fn disable_all(db: &impl Connection, email: &str) -> Result<u64> {
    disable_where(db, Column::Email.eq(email)).await
}

/// Ends all other sessions of the address of a session, pending or active. Returns their number.
pub(crate) async fn disable_others(
    db: &impl Connection,
    email: &str,
    id: SessionId,
) -> Result<u64> {
    disable_where(db, Column::Email.eq(email).and(Column::Id.ne(id))).await
}

async fn disable_where(db: &impl Connection, which: sea_orm::sea_query::SimpleExpr) -> Result<u64> {
    let disabled = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Disabled))
        .filter(which)
        .filter(Column::State.is_in(ENABLED))
        .exec(db)
        .await?;
    Ok(disabled.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(state: State, tries: i32) -> Model {
        let now = Timestamp(0);
        Model {
            id: SessionId(1),
            key_hash: Vec::new(),
            link_hash: Vec::new(),
            nonce: Vec::new(),
            code_mac: Vec::new(),
            state,
            tries,
            email: "ann@example.com".to_owned(),
            client: "127.0.0.1".to_owned(),
            user_agent: "curl".to_owned(),
            user_id: None,
            created_at: now,
            expires_at: now.plus(PENDING_FOR),
            used_at: now,
        }
    }

    #[test]
    fn a_login_can_be_verified_while_it_has_tries_and_time() {
        let (last, over) = (Timestamp(599_999), Timestamp(600_000));
        assert!(login(State::Pending, MAX_TRIES - 1).can_be_verified(last));
        assert!(!login(State::Pending, MAX_TRIES - 1).can_be_verified(over));
        assert!(!login(State::Pending, MAX_TRIES).can_be_verified(last));
        for state in [State::Active, State::Disabled, State::Expired] {
            assert!(!login(state, 0).can_be_verified(last), "{state:?}");
        }
    }

    #[test]
    fn a_link_says_so_for_as_long_as_it_could_be_used() {
        let mut session = login(State::Active, MAX_TRIES);
        session.expires_at = Timestamp(0).plus(ACTIVE_FOR);
        assert!(session.is_verified(Timestamp(599_999)));
        assert!(!session.is_verified(Timestamp(600_000)));
        session.expires_at = Timestamp(1);
        assert!(!session.is_verified(Timestamp(1)), "it has ended before");
    }
}
