//! Outbox: queued mails, each added in the transaction of its login or invitation.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Connection, InvitationId, Result, SessionId, invitation, session};
use crate::clock::Timestamp;

/// A mail with the verification URL of a session, or with an invitation.
///
/// It holds neither the URL nor the address: both are made from its subject when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Session that the mail is for, if it is a login.
    pub session_id: Option<SessionId>,
    /// Invitation that the mail is for, if it is one.
    pub invitation_id: Option<InvitationId>,
    /// Number of failed attempts to send it.
    pub attempts: i32,
    /// Time of the next attempt.
    pub due_at: Timestamp,
    /// Error of the last failed attempt.
    pub error: Option<String>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Subject of a mail.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A login that has to be verified.
    Login(session::Model),
    /// An invitation into an organization.
    Invitation(invitation::Model),
}

impl Subject {
    /// Canonical address that the mail is for.
    pub(crate) fn email(&self) -> &str {
        match self {
            Self::Login(session) => &session.email,
            Self::Invitation(invitation) => &invitation.email,
        }
    }

    /// Time at which somebody asked for the mail.
    pub(crate) fn asked_at(&self) -> Timestamp {
        match self {
            Self::Login(session) => session.created_at,
            Self::Invitation(invitation) => invitation.created_at,
        }
    }
}

/// Queues the mail of a login.
pub(crate) async fn add_login(db: &impl Connection, id: SessionId, now: Timestamp) -> Result<()> {
    add(db, Some(id), None, now).await
}

/// Queues the mail of an invitation.
pub(crate) async fn add_invitation(
    db: &impl Connection,
    id: InvitationId,
    now: Timestamp,
) -> Result<()> {
    add(db, None, Some(id), now).await
}

async fn add(
    db: &impl Connection,
    session_id: Option<SessionId>,
    invitation_id: Option<InvitationId>,
    now: Timestamp,
) -> Result<()> {
    let mail = ActiveModel {
        session_id: Set(session_id),
        invitation_id: Set(invitation_id),
        attempts: Set(0),
        due_at: Set(now),
        ..Default::default()
    };
    Entity::insert(mail).exec_without_returning(db).await?;
    Ok(())
}

/// Finds the subject of a mail, unless it was deleted meanwhile.
pub(crate) async fn find_subject(db: &impl Connection, mail: &Model) -> Result<Option<Subject>> {
    if let Some(id) = mail.session_id {
        return Ok(session::find(db, id).await?.map(Subject::Login));
    }
    match mail.invitation_id {
        Some(id) => Ok(invitation::find(db, id).await?.map(Subject::Invitation)),
        None => Ok(None),
    }
}

/// Lists the mails of logins that are due, or else some of invitations, the longest due first.
/// Somebody waits for a login, and mail servers that are slow to take invitations may be many.
pub(crate) async fn list_due(db: &impl Connection, now: Timestamp) -> Result<Vec<Model>> {
    let due = |limit| {
        Entity::find()
            .filter(Column::DueAt.lte(now))
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::Id)
            .limit(limit)
    };
    let logins = due(MAX_LOGINS).filter(Column::SessionId.is_not_null());
    let logins = logins.all(db).await?;
    if !logins.is_empty() {
        return Ok(logins);
    }
    let invitations = due(MAX_INVITATIONS).filter(Column::SessionId.is_null());
    Ok(invitations.all(db).await?)
}

/// Maximum number of logins that a worker sends in one go.
const MAX_LOGINS: u64 = 100;
/// Maximum number of invitations that a worker sends before it looks for logins again.
const MAX_INVITATIONS: u64 = 4;

/// Makes mails due now that would wait until after `latest`, because a clock was ahead.
pub(crate) async fn bring_forward(
    db: &impl Connection,
    now: Timestamp,
    latest: Timestamp,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::DueAt, now.0.into())
        .filter(Column::DueAt.gt(latest))
        .exec(db)
        .await?;
    Ok(())
}

/// Postpones a mail while it is sent, so that no other instance sends it. Returns false if another
/// instance was first.
pub(crate) async fn claim(db: &impl Connection, mail: &Model, until: Timestamp) -> Result<bool> {
    let claimed = Entity::update_many()
        .col_expr(Column::DueAt, until.0.into())
        .filter(Column::Id.eq(mail.id))
        .filter(Column::DueAt.eq(mail.due_at))
        .exec(db)
        .await?;
    Ok(claimed.rows_affected == 1)
}

/// Removes a mail that was sent or is no longer wanted.
pub(crate) async fn remove(db: &impl Connection, mail: &Model) -> Result<()> {
    Entity::delete_by_id(mail.id).exec(db).await?;
    Ok(())
}

pub(crate) async fn count(db: &impl Connection) -> Result<u64> {
    Ok(Entity::find().count(db).await?)
}

/// Lists all queued mails, the next one first, each with its subject.
pub(crate) async fn list(db: &impl Connection) -> Result<Vec<(Model, Option<Subject>)>> {
    let mails = Entity::find().order_by_asc(Column::DueAt).all(db).await?;
    let mut queued = Vec::new();
    for mail in mails {
        let subject = find_subject(db, &mail).await?;
        queued.push((mail, subject));
    }
    Ok(queued)
}

/// Postpones a mail that could not be sent, and records the error.
pub(crate) async fn postpone(
    db: &impl Connection,
    mail: &Model,
    due_at: Timestamp,
    error: &str,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Attempts, (mail.attempts + 1).into())
        .col_expr(Column::DueAt, due_at.0.into())
        .col_expr(Column::Error, error.into())
        .filter(Column::Id.eq(mail.id))
        .exec(db)
        .await?;
    Ok(())
}
