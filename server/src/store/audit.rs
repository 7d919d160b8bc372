//! Audit log: entries are appended, and never changed but for the address of a deleted user.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};

use super::{AppId, Connection, OrgId, Owner, Page, Result, Role, TokenId, UserId};
use crate::clock::Timestamp;

/// Kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Event {
    /// A login was verified.
    #[sea_orm(string_value = "login")]
    Login,
    /// A wrong code was tried.
    #[sea_orm(string_value = "failure")]
    Failure,
    /// A session was logged out.
    #[sea_orm(string_value = "logout")]
    Logout,
    /// Sessions were ended, by their user from another one or by the operator.
    #[sea_orm(string_value = "session_ended")]
    SessionEnded,
    /// An application was created.
    #[sea_orm(string_value = "app_created")]
    AppCreated,
    /// An application got another name.
    #[sea_orm(string_value = "app_renamed")]
    AppRenamed,
    /// An application was deleted.
    #[sea_orm(string_value = "app_deleted")]
    AppDeleted,
    /// An API key was added to an application.
    #[sea_orm(string_value = "key_created")]
    KeyCreated,
    /// The label or the end of an API key was changed.
    #[sea_orm(string_value = "key_changed")]
    KeyChanged,
    /// An API key was revoked.
    #[sea_orm(string_value = "key_revoked")]
    KeyRevoked,
    /// A service token was made.
    #[sea_orm(string_value = "token_created")]
    TokenCreated,
    /// A service token was revoked.
    #[sea_orm(string_value = "token_revoked")]
    TokenRevoked,
    /// An address was invited.
    #[sea_orm(string_value = "member_invited")]
    MemberInvited,
    /// An invitation was revoked.
    #[sea_orm(string_value = "invite_revoked")]
    InviteRevoked,
    /// An invitation was accepted.
    #[sea_orm(string_value = "invite_accepted")]
    InviteAccepted,
    /// A member got another role.
    #[sea_orm(string_value = "member_role")]
    MemberRole,
    /// A member was removed, or left.
    #[sea_orm(string_value = "member_removed")]
    MemberRemoved,
    /// A user was made a member, or given a role, by the operator.
    #[sea_orm(string_value = "member_added")]
    MemberAdded,
    /// A user was added.
    #[sea_orm(string_value = "user_added")]
    UserAdded,
    /// A user got another name.
    #[sea_orm(string_value = "user_renamed")]
    UserRenamed,
    /// A user got another address, which may have been that of another user.
    #[sea_orm(string_value = "user_changed")]
    UserChanged,
    /// A user was deleted.
    #[sea_orm(string_value = "user_deleted")]
    UserDeleted,
    /// The wrong codes of an address were forgotten.
    #[sea_orm(string_value = "user_unlocked")]
    UserUnlocked,
    /// An organization was created.
    #[sea_orm(string_value = "org_created")]
    OrgCreated,
    /// An organization got another name.
    #[sea_orm(string_value = "org_renamed")]
    OrgRenamed,
    /// An organization was deleted.
    #[sea_orm(string_value = "org_deleted")]
    OrgDeleted,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// The audit_id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Time of the action.
    pub at: Timestamp,
    /// Kind of the entry. A text, since later versions have more kinds.
    pub event: String,
    /// Canonical address of the user who did it; empty for the operator and for a deleted user.
    pub email: String,
    /// IP address that it was done from, `operator`, or `unknown`.
    pub client: String,
    /// Application that it was done to, if it was one.
    pub app_id: Option<AppId>,
    /// Organization in which it was done, if it was in one.
    pub org_id: Option<OrgId>,
    /// User who did it, if there was one.
    pub user_id: Option<UserId>,
    /// Service token with which it was done, if it was one.
    pub token_id: Option<TokenId>,
    /// Name, label or address of what it was done to.
    pub subject: Option<String>,
    /// Role that was given.
    pub role: Option<Role>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Author, origin and time of an entry.
#[derive(Clone, Debug)]
pub(crate) struct By {
    /// Canonical address of the user.
    pub(crate) email: String,
    /// The user; `None` before a login is verified.
    pub(crate) user_id: Option<UserId>,
    /// Service token that does it for the user, if it is one.
    pub(crate) token_id: Option<TokenId>,
    /// Client that the request comes from.
    pub(crate) client: String,
    pub(crate) at: Timestamp,
}

/// Object of an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Object<'a> {
    pub(crate) org_id: Option<OrgId>,
    pub(crate) app_id: Option<AppId>,
    pub(crate) subject: Option<&'a str>,
    /// Role that it gets.
    pub(crate) role: Option<Role>,
}

/// Client of entries whose client is not known.
pub(crate) const UNKNOWN_CLIENT: &str = "unknown";
/// Client of entries about commands of the operator.
const OPERATOR: &str = "operator";

impl By {
    /// Returns the operator.
    pub(crate) fn operator(now: Timestamp) -> Self {
        Self {
            email: String::new(),
            user_id: None,
            token_id: None,
            client: OPERATOR.to_owned(),
            at: now,
        }
    }
}

impl<'a> Object<'a> {
    /// Returns the object of an entry about something in an organization.
    pub(crate) fn of_org(org_id: OrgId, subject: &'a str) -> Self {
        Self {
            org_id: Some(org_id),
            subject: Some(subject),
            ..Self::default()
        }
    }

    /// Adds the role that a member, an invitation or a token gets.
    pub(crate) fn with_role(self, role: Role) -> Self {
        Self {
            role: Some(role),
            ..self
        }
    }

    /// Returns the object of an entry about an application, or something that it has.
    pub(crate) fn of_app(org_id: OrgId, app_id: AppId, subject: Option<&'a str>) -> Self {
        Self {
            org_id: Some(org_id),
            app_id: Some(app_id),
            subject,
            ..Self::default()
        }
    }
}

pub(crate) async fn add(
    db: &impl Connection,
    event: Event,
    by: &By,
    object: Object<'_>,
) -> Result<()> {
    let entry = entry(event, by, object);
    Entity::insert(entry).exec_without_returning(db).await?;
    Ok(())
}

pub(super) fn entry(event: Event, by: &By, object: Object<'_>) -> ActiveModel {
    ActiveModel {
        at: Set(by.at),
        event: Set(sea_orm::ActiveEnum::to_value(&event)),
        email: Set(by.email.clone()),
        client: Set(by.client.clone()),
        app_id: Set(object.app_id),
        org_id: Set(object.org_id),
        user_id: Set(by.user_id),
        token_id: Set(by.token_id),
        subject: Set(object.subject.map(str::to_owned)),
        role: Set(object.role),
        ..Default::default()
    }
}

/// Lists a page of the entries of an organization, of one kind or all, the newest first.
pub(crate) async fn list_page(
    db: &impl Connection,
    owner: Owner,
    kind: Option<&str>,
    page: Page<i64>,
) -> Result<Vec<Model>> {
    let mut entries = Entity::find()
        .filter(Column::OrgId.eq(owner.org_id()))
        .order_by_desc(Column::Id)
        .limit(page.limit);
    if let Some(before) = page.after {
        entries = entries.filter(Column::Id.lt(before));
    }
    if let Some(kind) = kind {
        entries = entries.filter(Column::Event.eq(kind));
    }
    Ok(entries.all(db).await?)
}

/// Number of entries that are looked through by one statement.
const BATCH: i64 = 10_000;

/// Returns ranges of ids that cover all entries, each of [`BATCH`] ids.
async fn batches(db: &impl Connection) -> Result<impl Iterator<Item = Expr>> {
    let last = Entity::find().order_by_desc(Column::Id).one(db).await?;
    let last = last.map_or(0, |entry| entry.id);
    Ok((0..=last / BATCH).map(|batch| {
        let first = batch * BATCH;
        Column::Id.between(first, first + BATCH - 1)
    }))
}

/// Gives the entries of a user to another one, who is the same person.
pub(super) async fn reassign(db: &impl Connection, from: UserId, to: UserId) -> Result<()> {
    for batch in batches(db).await? {
        Entity::update_many()
            .col_expr(Column::UserId, to.into())
            .filter(batch)
            .filter(Column::UserId.eq(from))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Takes the address and the client out of the entries of a user. Returns their number.
pub(super) async fn forget_user(db: &impl Connection, user_id: UserId) -> Result<u64> {
    let mut changed = 0;
    for batch in batches(db).await? {
        let entries = Entity::update_many()
            .col_expr(Column::Email, "".into())
            .col_expr(Column::Client, UNKNOWN_CLIENT.into())
            .filter(batch)
            .filter(Column::UserId.eq(user_id))
            .exec(db);
        changed += entries.await?.rows_affected;
    }
    Ok(changed)
}

/// Returns the addresses with which a user has done something.
pub(super) async fn addresses_of(
    db: &impl Connection,
    user_id: UserId,
) -> Result<BTreeSet<String>> {
    let mut addresses = BTreeSet::new();
    for batch in batches(db).await? {
        let found = Entity::find()
            .select_only()
            .column(Column::Email)
            .distinct()
            .filter(batch)
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Email.ne(""));
        addresses.extend(found.into_tuple::<String>().all(db).await?);
    }
    Ok(addresses)
}

/// Returns the clients from which an address has done something.
pub(super) async fn clients_of(db: &impl Connection, email: &str) -> Result<BTreeSet<String>> {
    let mut clients = BTreeSet::new();
    for batch in batches(db).await? {
        let found = Entity::find()
            .select_only()
            .column(Column::Client)
            .distinct()
            .filter(batch)
            .filter(Column::Email.eq(email));
        clients.extend(found.into_tuple::<String>().all(db).await?);
    }
    Ok(clients)
}

/// Removes an address from all entries, and the clients of the entries by it. Returns the number of
/// changes. The entries stay.
pub(super) async fn forget(db: &impl Connection, email: &str) -> Result<u64> {
    let mut changed = 0;
    for batch in batches(db).await? {
        let by = Entity::update_many()
            .col_expr(Column::Email, "".into())
            .col_expr(Column::Client, UNKNOWN_CLIENT.into())
            .filter(batch.clone())
            .filter(Column::Email.eq(email));
        let about = Entity::update_many()
            .col_expr(Column::Subject, Expr::value(None::<String>))
            .filter(batch)
            .filter(Column::Subject.eq(email));
        changed += by.exec(db).await?.rows_affected + about.exec(db).await?.rows_affected;
    }
    Ok(changed)
}

/// Lists a page of all entries, the oldest first, for the operator.
pub(crate) async fn list_all(
    db: &impl Connection,
    org_id: Option<OrgId>,
    kind: Option<&str>,
    page: Page<i64>,
) -> Result<Vec<Model>> {
    let mut entries = Entity::find()
        .filter(Column::Id.gt(page.after.unwrap_or(0)))
        .order_by_asc(Column::Id)
        .limit(page.limit);
    if let Some(org_id) = org_id {
        entries = entries.filter(Column::OrgId.eq(org_id));
    }
    if let Some(kind) = kind {
        entries = entries.filter(Column::Event.eq(kind));
    }
    Ok(entries.all(db).await?)
}
