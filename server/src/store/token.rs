//! Service tokens, with which programs call the API for one organization.

use sea_orm::{
    ActiveValue::Set, Condition, FromQueryResult, JoinType, QueryOrder, QuerySelect,
    entity::prelude::*,
};

use super::{
    Connection, Member, OrgId, Page, Result, Role, TokenId, TokenMaker, Tokens, UserId, Writer,
    user,
};
use crate::clock::Timestamp;

/// A service token.
///
/// It belongs to a membership, without which it is deleted.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_token")]
pub struct Model {
    /// The token_id.
    #[sea_orm(primary_key)]
    pub id: TokenId,
    /// The SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Organization for which it can be used.
    pub org_id: OrgId,
    /// Member who made it.
    pub user_id: UserId,
    /// Name for people.
    pub label: String,
    /// Role of the token, which is never more than that of the member.
    pub role: Role,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last use, to the hour.
    pub used_at: Option<Timestamp>,
    /// Time at which it ends.
    pub ends_at: Option<Timestamp>,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// New token.
pub(crate) struct NewToken<'a> {
    pub(crate) token_hash: [u8; 32],
    pub(crate) label: &'a str,
    pub(crate) ends_at: Option<Timestamp>,
}

/// Adds a token. The organization has to be locked, so that the member who makes it stays one.
pub(crate) async fn add(
    db: &Writer,
    maker: TokenMaker,
    token: NewToken<'_>,
    now: Timestamp,
) -> Result<Model> {
    let token = ActiveModel {
        token_hash: Set(token.token_hash.into()),
        org_id: Set(maker.org_id),
        user_id: Set(maker.user_id),
        label: Set(token.label.to_owned()),
        role: Set(maker.role),
        created_at: Set(now),
        ends_at: Set(token.ends_at),
        ..Default::default()
    };
    Ok(token.insert(db).await?)
}

/// Selects the tokens of an organization that have not ended.
pub(super) fn working(org_id: OrgId, now: Timestamp) -> Select<Entity> {
    let has_not_ended = Condition::any()
        .add(Column::EndsAt.is_null())
        .add(Column::EndsAt.gt(now));
    Entity::find()
        .filter(Column::OrgId.eq(org_id))
        .filter(has_not_ended)
}

/// Selects those of them that a member sees and revokes.
fn of_member(member: Member, now: Timestamp) -> Select<Entity> {
    let tokens = working(member.org_id(), now);
    match member.tokens() {
        Tokens::All => tokens,
        Tokens::OfUser(user_id) => tokens.filter(Column::UserId.eq(user_id)),
        Tokens::One(id) => tokens.filter(Column::Id.eq(id)),
    }
}

/// A token in the list of an organization.
#[derive(FromQueryResult)]
pub(crate) struct Listed {
    pub(crate) id: TokenId,
    pub(crate) label: String,
    pub(crate) role: Role,
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    pub(crate) created_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    pub(crate) ends_at: Option<Timestamp>,
}

/// Lists a page of the tokens that a member may see.
pub(crate) async fn list_page(
    db: &impl Connection,
    member: Member,
    page: Page<TokenId>,
    now: Timestamp,
) -> Result<Vec<Listed>> {
    let maker = Entity::belongs_to(user::Entity)
        .from(Column::UserId)
        .to(user::Column::Id);
    let mut tokens = of_member(member, now)
        .select_only()
        .columns([
            Column::Id,
            Column::Label,
            Column::Role,
            Column::UserId,
            Column::CreatedAt,
            Column::UsedAt,
            Column::EndsAt,
        ])
        .column(user::Column::Email)
        .join(JoinType::InnerJoin, maker.into())
        .order_by_asc(Column::Id)
        .limit(page.limit);
    if let Some(after) = page.after {
        tokens = tokens.filter(Column::Id.gt(after));
    }
    Ok(tokens.into_model().all(db).await?)
}

/// Deletes a token that a member may revoke, and returns it; `None` if there is no such token.
pub(crate) async fn revoke(
    db: &Writer,
    member: Member,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<Model>> {
    let found = of_member(member, now).filter(Column::Id.eq(id));
    let Some(token) = found.one(db).await? else {
        return Ok(None);
    };
    let deleted = Entity::delete_by_id(id).exec(db).await?;
    Ok((deleted.rows_affected == 1).then_some(token))
}

/// Condition for tokens that ended before a time.
pub(crate) fn ended_before(time: Timestamp) -> Expr {
    Column::EndsAt.lt(time)
}
