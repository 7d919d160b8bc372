//! Deletion of a user and of the personal data kept under their addresses.

use sea_orm::entity::prelude::*;

use super::{
    OrgId, Result, Writer, audit, dead_letter, invitation, known_client, lockout, membership, org,
    session, token, user,
};
/// Result of a deletion.
#[derive(Debug)]
pub(crate) enum Erasure {
    /// The user is deleted.
    Done(Erased),
    /// Organizations with other members would have no owner. Nothing may be committed.
    LastOwner(Vec<OrgId>),
}

/// Number of things that went with a user.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    pub(crate) sessions: u64,
    pub(crate) memberships: u64,
    pub(crate) tokens: u64,
    /// Open invitations of the address, or by it.
    pub(crate) invitations: u64,
    pub(crate) dead_letters: u64,
    /// Clients from which the address has logged in.
    pub(crate) known_clients: u64,
    /// Changes to the audit log that removed an address of the user.
    pub(crate) audit_entries: u64,
    /// Organizations in which nobody else was.
    pub(crate) orgs: Vec<OrgId>,
}

/// Deletes a user with their sessions, memberships, service tokens, and the organizations in which
/// nobody else is. Takes the address out of whatever stays. `known_key` makes the key of an address
/// and a known client.
pub(crate) async fn erase(
    db: &Writer,
    user: &user::Model,
    by: &audit::By,
    known_key: impl Fn(&str, &str) -> Option<Vec<u8>>,
) -> Result<Erasure> {
    // From now on nobody gives the user a membership.
    user::lock(db, user.id).await?;
    let mut erased = Erased::default();
    let mut without_owner = Vec::new();
    let mut orgs = Vec::new();
    for membership in membership::list_of_user(db, user.id).await? {
        let org_id = membership.org_id;
        org::lock(db, org_id).await?;
        // It may have changed before the organization was locked.
        let Some(role) = membership::role_of(db, org_id, user.id).await? else {
            continue;
        };
        erased.memberships += 1;
        orgs.push(org_id);
        if membership::is_last_owner(db, org_id, user.id, role).await? {
            match membership::has_others(db, org_id, user.id).await? {
                true => without_owner.push(org_id),
                false => erased.orgs.push(org_id),
            }
        }
    }
    if !without_owner.is_empty() {
        return Ok(Erasure::LastOwner(without_owner));
    }
    let subject = format!("user {}", user.id);
    for org_id in orgs {
        let event = match erased.orgs.contains(&org_id) {
            true => audit::Event::OrgDeleted,
            false => audit::Event::MemberRemoved,
        };
        audit::add(db, event, by, audit::Object::of_org(org_id, &subject)).await?;
    }
    let tokens = token::Entity::find().filter(token::Column::UserId.eq(user.id));
    erased.tokens = tokens.count(db).await?;
    for org_id in &erased.orgs {
        org::Entity::delete_by_id(*org_id).exec(db).await?;
    }
    // Addresses that the user had before have left traces too, but may be those of others by now.
    let mut addresses = audit::addresses_of(db, user.id).await?;
    addresses.insert(user.email.clone());
    for address in &addresses {
        let owner = user::find_by_text(db, address).await?;
        if owner.is_none_or(|owner| owner.id == user.id) {
            forget(db, address, &known_key, &mut erased).await?;
        }
    }
    erased.audit_entries += audit::forget_user(db, user.id).await?;
    user::Entity::delete_by_id(user.id).exec(db).await?;
    Ok(Erasure::Done(erased))
}

/// Deletes what is kept under an address, and takes it out of the audit log.
async fn forget(
    db: &Writer,
    address: &str,
    known_key: &impl Fn(&str, &str) -> Option<Vec<u8>>,
    erased: &mut Erased,
) -> Result<()> {
    let mut clients = audit::clients_of(db, address).await?;
    clients.extend(session::clients_of(db, address).await?);
    let keys: Vec<Vec<u8>> = clients
        .iter()
        .filter_map(|client| known_key(address, client))
        .collect();
    if !keys.is_empty() {
        let known = known_client::Entity::delete_many()
            .filter(known_client::Column::Key.is_in(keys))
            .exec(db);
        erased.known_clients += known.await?.rows_affected;
    }
    let sessions = session::Entity::delete_many()
        .filter(session::Column::Email.eq(address))
        .exec(db);
    erased.sessions += sessions.await?.rows_affected;
    for column in [invitation::Column::Email, invitation::Column::InvitedBy] {
        let invitations = invitation::Entity::delete_many().filter(column.eq(address));
        erased.invitations += invitations.exec(db).await?.rows_affected;
    }
    let dead_letters = dead_letter::Entity::delete_many()
        .filter(dead_letter::Column::Email.eq(address))
        .exec(db);
    erased.dead_letters += dead_letters.await?.rows_affected;
    lockout::reset(db, address).await?;
    erased.audit_entries += audit::forget(db, address).await?;
    Ok(())
}
