//! Authentication: the session of a credential, its cookie, and the guard against cross-site calls.

use std::sync::Arc;

use cortex_report_api::server::{Authenticate, Credential, Failure, types::ProblemCode};
use poem::{
    Request,
    http::{Method, header},
};

use crate::{
    client::client,
    clock::Timestamp,
    public_url::PublicUrl,
    random::TOKEN_PREFIX,
    secret::{Secret, digest},
    service::{Service, not_allowed_since},
    store::{
        Active, Caller, Found, KeyKind, SessionId, UserId, audit, changes::Change, note_use,
        session,
    },
};

/// The caller of an operation: a user with an active session, or a service token.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session or token, and its user.
    pub active: Arc<Active>,
    /// Hash of the key.
    key_hash: [u8; 32],
    /// True if only the cookie identifies the caller. A browser sends the cookie by itself.
    pub by_cookie: bool,
}

impl Session {
    /// The caller, as far as rights go.
    pub(crate) fn caller(&self) -> Caller {
        self.active.caller()
    }

    /// The caller and the request, for the audit log.
    pub(crate) fn by(&self, request: &Request, now: Timestamp) -> audit::By {
        audit::By {
            user_id: Some(self.active.user_id),
            email: self.active.email.clone(),
            token_id: self.caller().token.map(|scope| scope.token_id),
            client: client(request).to_string(),
            at: now,
        }
    }

    /// The change of this session alone. The other sessions of the user, and those of other members,
    /// are read again within a second, and rights are looked up for each request.
    pub(crate) fn change(&self) -> Change {
        Change::Session(self.key_hash)
    }

    /// The user, for what concerns the person and not an organization.
    ///
    /// # Errors
    ///
    /// 403 if the caller is a service token.
    pub(crate) fn user_id(&self) -> Result<UserId, Failure> {
        self.session_id().map(|_| self.active.user_id)
    }

    /// The session.
    ///
    /// # Errors
    ///
    /// 403 if the caller is a service token.
    pub(crate) fn session_id(&self) -> Result<SessionId, Failure> {
        self.active.session_id().ok_or_else(|| {
            not_allowed_since("A service token cannot do this. Log in with POST /api/1/login.")
        })
    }
}

impl Authenticate<Credential> for Service {
    type Principal = Session;

    /// The session or service token of a credential, if it is active.
    ///
    /// # Errors
    ///
    /// 403 if the session is pending, expired, disabled or unknown, all with the same text; if
    /// wrong codes have invalidated the login; and if another site makes a call that changes
    /// something.
    async fn authenticate(
        &self,
        request: &Request,
        credential: Credential,
    ) -> Result<Session, Failure> {
        let (key, by_cookie) = key(credential);
        if by_cookie && *request.method() != Method::GET {
            refuse_cross_site(request, &self.public_url)?;
        }
        let key_hash = digest(key.reveal());
        let now = self.clock.now();
        let active = match self.sessions.recall(&key_hash, now) {
            Some(active) => active,
            // Boxed, like the future below: it is far larger than what most requests need.
            None => Box::pin(read(self, kind(&key), &key_hash, now)).await?,
        };
        if active.has_expired(now) {
            // A token has a fixed end, and stays in memory for a second like others.
            if active.session_id().is_some() {
                self.sessions.forget(&Change::Session(key_hash));
                // The clean-up marks it too, but only once a minute.
                let marked = Box::pin(session::mark_expired(self.store.reader(), now));
                if let Err(error) = marked.await {
                    tracing::warn!(%error, "an expired session could not be marked");
                }
            }
            return Err(not_logged_in());
        }
        Ok(Session {
            active,
            key_hash,
            by_cookie,
        })
    }
}

/// Returns the kind of a key. A service token has a prefix that no session_key has.
fn kind(key: &Secret) -> KeyKind {
    match key.reveal().starts_with(TOKEN_PREFIX) {
        true => KeyKind::Token,
        false => KeyKind::Session,
    }
}

/// The active session or token of a key as the database has it.
async fn read(
    service: &Service,
    kind: KeyKind,
    key_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Arc<Active>, Failure> {
    let db = service.store.reader();
    let active = match service.sessions.read(db, kind, key_hash, now).await? {
        Found::Active(active) => active,
        Found::Invalidated => return Err(invalidated()),
        Found::Worthless => return Err(not_logged_in()),
    };
    if active.use_is_stale(now)
        && !active.has_expired(now)
        && let Err(error) = note_use(db, &active, now).await
    {
        // Reads still work while the database cannot be written to.
        tracing::warn!(%error, "the use of a session could not be recorded");
    }
    Ok(active)
}

/// Returns the session_key of a credential, and true if it came from the cookie.
pub(super) fn key(credential: Credential) -> (Secret, bool) {
    match credential {
        Credential::SessionBearer(bearer) => (bearer.0, false),
        Credential::SessionCookie(cookie) => (cookie.0, true),
    }
}

fn not_logged_in() -> Failure {
    Failure::forbidden(
        ProblemCode::NotLoggedIn,
        "Not logged in. Log in with POST /api/1/login and verify the login first.",
    )
}

/// The error for a login that can no longer be verified.
fn invalidated() -> Failure {
    Failure::forbidden(
        ProblemCode::NotAllowed,
        "Five wrong codes have invalidated this login. Start another with POST /api/1/login.",
    )
}

/// Rejects a call that a page of another site made the browser send.
///
/// # Errors
///
/// 403 if the headers of the browser name another site.
pub(crate) fn refuse_cross_site(request: &Request, public_url: &PublicUrl) -> Result<(), Failure> {
    let site = request.headers().get("sec-fetch-site");
    let origin = request.headers().get(header::ORIGIN);
    let site_is_ours =
        site.is_none_or(|site| [&b"same-origin"[..], b"none"].contains(&site.as_bytes()));
    let origin_is_ours = origin.is_none_or(|origin| public_url.is_origin(origin.as_bytes()));
    if site_is_ours && origin_is_ours {
        return Ok(());
    }
    Err(Failure::forbidden(
        ProblemCode::CrossSite,
        format!("The call comes from another site. In a browser, open {public_url} instead."),
    ))
}

/// The cookie that carries a session_key.
pub(super) fn cookie(key: &Secret, public_url: &PublicUrl) -> String {
    let seconds = session::ACTIVE_FOR.as_secs();
    format!(
        "session_key={}; Max-Age={seconds}; {}",
        key.reveal(),
        attributes(public_url)
    )
}

/// The cookie that deletes the session_key.
pub(super) fn clearing_cookie(public_url: &PublicUrl) -> String {
    format!("session_key=; Max-Age=0; {}", attributes(public_url))
}

fn attributes(public_url: &PublicUrl) -> String {
    let path = match public_url.path() {
        "" => "/",
        path => path,
    };
    let secure = match public_url.is_https() {
        true => "; Secure",
        false => "",
    };
    format!("Path={path}; HttpOnly; SameSite=Strict{secure}")
}
