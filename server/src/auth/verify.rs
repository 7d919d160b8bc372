//! Verification of a login: the recipient of the link enters the manual_code that the login
//! returned.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::known_key;
use crate::{
    address::EmailAddress,
    client::Client,
    clock::Timestamp,
    config::Registration,
    random::{CODE_LENGTH, CODE_LETTERS, shown_code},
    secret::{Secret, digest},
    service::Service,
    store::{
        Connection, OrgId, Result, Role, UserId, Writer, audit,
        changes::Change,
        invitation, known_client, lockout, membership, org,
        session::{self, MAX_TRIES},
        user,
    },
};

/// The result of entering a code.
pub(crate) enum Outcome {
    /// The login is verified, by this code or an earlier one.
    Verified,
    /// The code was wrong; holds the number of tries left.
    WrongCode(Box<session::Model>, i32),
    /// The link is unknown or expired, or the login is invalidated.
    DeadLink,
}

/// Account of an address.
pub(crate) enum Account {
    /// The address logs in as this user.
    User(user::Model),
    /// The address has no user yet; verifying a login creates one with an organization of their own.
    Open,
    /// The address has no user yet; verifying a login creates one, since it is invited.
    Invited,
    /// The address has no user and does not get one, since registration is closed.
    Closed,
}

impl Account {
    /// Looks up the account of an address.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub(crate) async fn find(
        db: &impl Connection,
        registration: Registration,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Self> {
        if let Some(user) = user::find_by_email(db, email).await? {
            return Ok(Self::User(user));
        }
        Ok(match registration {
            Registration::Open => Self::Open,
            Registration::Closed if invitation::has_open(db, email, now).await? => Self::Invited,
            Registration::Closed => Self::Closed,
        })
    }

    /// Returns true if the address has no user and gets none. Asks the database only if that can be.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub(crate) async fn is_closed(
        db: &impl Connection,
        registration: Registration,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<bool> {
        Ok(match registration {
            Registration::Open => false,
            Registration::Closed => {
                let account = Self::find(db, registration, email, now).await?;
                matches!(account, Self::Closed)
            }
        })
    }
}

/// Finds the login of a valid link: one that can be verified, or was verified a moment ago.
///
/// # Errors
///
/// The database failed.
pub(crate) async fn find(
    service: &Service,
    link_token: &str,
    now: Timestamp,
) -> Result<Option<session::Model>> {
    let db = service.store.reader();
    let link_hash = digest(link_token).into();
    let Some(session) = session::find_by_link(db, link_hash).await? else {
        return Ok(None);
    };
    let works = session.is_verified(now)
        || session.can_be_verified(now) && lockout::is_open(db, &session.email).await?;
    Ok(works.then_some(session))
}

/// Extracts the code from typed or pasted text: in any case and width, with any separators or none,
/// ignoring words that cannot be part of a code.
pub(crate) fn parse_code(typed: &str) -> Option<Secret> {
    if typed.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    let typed = ComposingNormalizerBorrowed::new_nfkc().normalize(typed);
    let typed = typed.to_ascii_uppercase();
    let is_of_code = |word: &&str| word.bytes().all(|byte| CODE_LETTERS.contains(&byte));
    let letters: String = typed
        .split(|character: char| !character.is_alphanumeric())
        .filter(is_of_code)
        .collect();
    (letters.len() == CODE_LENGTH).then(|| shown_code(&letters))
}

/// Tries a code for the login of a link. The right one activates the session, once.
///
/// # Errors
///
/// The database failed.
pub(crate) async fn verify(
    service: &Service,
    link_token: &str,
    code: &Secret,
    client: Client,
    now: Timestamp,
) -> Result<Outcome> {
    let Some(mut session) = find(service, link_token, now).await? else {
        return Ok(Outcome::DeadLink);
    };
    let is_repeated = session.is_verified(now);

    // The try is committed before the code is compared, so that concurrent requests do not get
    // additional tries.
    let writer = service.store.begin().await?;
    if !session::count_try(&writer, &session, now).await? {
        return Ok(without_tries(&session, now));
    }
    if !is_repeated && !lockout::count(&writer, &session.email).await? {
        return Ok(Outcome::DeadLink);
    }
    writer.commit().await?;
    session.tries += 1;

    let writer = service.store.begin().await?;
    if !service.key.is_code(&session.nonce, code, &session.code_mac) {
        let by = by(&session, None, client, now);
        audit::add(
            &writer,
            audit::Event::Failure,
            &by,
            audit::Object::default(),
        )
        .await?;
        writer.commit().await?;
        let left = MAX_TRIES - session.tries;
        return Ok(match left {
            ..=0 => without_tries(&session, now),
            _ => Outcome::WrongCode(Box::new(session), left),
        });
    }
    session::return_try(&writer, &session).await?;
    if is_repeated {
        writer.commit().await?;
        return Ok(Outcome::Verified);
    }
    let Ok(email) = EmailAddress::parse(&session.email) else {
        return Ok(Outcome::DeadLink);
    };
    let Some((user_id, joined)) = user_of(service, &writer, &email, now).await? else {
        return Ok(Outcome::DeadLink);
    };
    let by = by(&session, Some(user_id), client, now);
    // The owner who invites a stranger does not learn from where they log in.
    let from_anywhere = audit::By {
        client: audit::UNKNOWN_CLIENT.to_owned(),
        ..by.clone()
    };
    for (org_id, role) in &joined {
        let object = audit::Object::of_org(*org_id, email.as_str()).with_role(*role);
        audit::add(
            &writer,
            audit::Event::InviteAccepted,
            &from_anywhere,
            object,
        )
        .await?;
    }
    if session::activate(&writer, &session, user_id, now).await? {
        user::note_login(&writer, user_id, now).await?;
        audit::add(&writer, audit::Event::Login, &by, audit::Object::default()).await?;
    } else {
        // The same code was sent twice at once, unless the login was invalidated in the meantime.
        let session = session::find(&writer, session.id).await?;
        if !session.is_some_and(|session| session.is_verified(now)) {
            return Ok(Outcome::DeadLink);
        }
    }
    lockout::reset(&writer, &session.email).await?;
    if let Ok(client) = session.client.parse() {
        known_client::add(&writer, known_key(&email, client), now).await?;
    }
    match joined.is_empty() {
        true => writer.commit().await?,
        // The user may have other sessions.
        false => service.commit_change(writer, &Change::All).await?,
    }
    Ok(Outcome::Verified)
}

/// The person of a login, for the audit log.
pub(super) fn by(
    session: &session::Model,
    user_id: Option<UserId>,
    client: Client,
    now: Timestamp,
) -> audit::By {
    audit::By {
        email: session.email.clone(),
        user_id,
        token_id: None,
        client: client.to_string(),
        at: now,
    }
}

/// The outcome for a login whose tries are used up: a verified one stays verified.
fn without_tries(session: &session::Model, now: Timestamp) -> Outcome {
    match session.is_verified(now) {
        true => Outcome::Verified,
        false => Outcome::DeadLink,
    }
}

/// Returns the user that a login is for, and the organizations that they join by it with their
/// roles; `None` if the address has no user and gets none. A user is created if registration is
/// open, with an organization of their own, or if the address is invited.
async fn user_of(
    service: &Service,
    db: &Writer,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<Option<(UserId, Vec<(OrgId, Role)>)>> {
    let account = Account::find(db, service.registration, email, now).await?;
    let user_id = match &account {
        Account::User(user) if user::lock(db, user.id).await? => user.id,
        // The operator has deleted the user at this moment.
        Account::User(_) => return Ok(None),
        Account::Closed => return Ok(None),
        Account::Open | Account::Invited => {
            let Some(user) = user::add(db, email, email.local_part(), now).await? else {
                // Another login of the same user was verified at the same moment, and has accepted
                // the invitations.
                let user = user::find_by_email(db, email).await?;
                return Ok(user.map(|user| (user.id, Vec::new())));
            };
            user.id
        }
    };
    if matches!(account, Account::Open) {
        let org = org::add(db, email.local_part(), now).await?;
        membership::put(db, user_id, org.id, Role::Owner).await?;
    }
    let joined = invitation::accept_all(db, email, user_id, now).await?;
    // The invitation may have been taken back at this moment.
    let is_nobody = matches!(account, Account::Invited) && joined.is_empty();
    Ok((!is_nobody).then_some((user_id, joined)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &str) -> Option<String> {
        parse_code(typed).map(|code| code.reveal().to_owned())
    }

    #[test]
    fn a_code_may_be_typed_in_many_ways() {
        for typed in [
            "KRTW-BXQP",
            "krtw-bxqp",
            " KRTWBXQP ",
            "krtw bxqp",
            "KRTW–BXQP",
            "KRTW—BXQP",
            "KRTW−BXQP",
            "KRTW\u{2011}BXQP",
            "KRTW\u{ad}BXQP",
            "K R T W B X Q P",
            "KRTW_BXQP.",
            "ＫＲＴＷ－ＢＸＱＰ",
            "ｋｒｔｗ\u{3000}ｂｘｑｐ",
            "\u{feff}KRTW\u{200b}-BXQP\u{a0}",
            "Code: KRTW-BXQP",
            "Code：KRTW-BXQP",
            "Your code is KRTW-BXQP.",
            "\"manual_code\": \"KRTW-BXQP\"",
            "Код: KRTW-BXQP",
        ] {
            assert_eq!(parsed(typed).as_deref(), Some("KRTW-BXQP"), "{typed:?}");
        }
    }

    #[test]
    fn what_is_not_a_code_is_not_one() {
        for typed in [
            "",
            " ",
            "-",
            "KRTW",
            "KRTW-BXQ",
            "KRTW-BXQPP",
            "KRAW-BXQP",
            "KRTW-BXQ1",
            "KRTW-BXQP-KRTW",
            "12345678",
            "КРТW-BXQP",
            "KRTW\u{fffd}BXQP",
        ] {
            assert_eq!(parsed(typed), None, "{typed:?}");
        }
    }
}
