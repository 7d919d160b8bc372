//! The verification page: whoever got the mail types the code that whoever logs in was shown.
//!
//! `GET` changes nothing, however often a mail scanner opens the link; `POST` with the code makes
//! the session active, once.

use askama::Template;
use icu_normalizer::ComposingNormalizerBorrowed;
use poem::{
    Body, IntoResponse, Request, Response,
    error::ReadBodyError,
    handler,
    http::{HeaderValue, StatusCode, header},
    web::{Data, Html, Path},
};
use url::form_urlencoded;

use crate::{
    address::EmailAddress,
    auth::known_key,
    clock::Timestamp,
    config::Registration,
    http::BODY_LIMIT,
    random::{CODE_LENGTH, CODE_LETTERS, shown_code},
    secret::Secret,
    service::{RETRY_AFTER, Service, client},
    store::{
        Result, StoreError, Writer, audit, code_failure, known_client,
        membership::{self, Role},
        org,
        session::{self, MAX_TRIES},
        user,
    },
};

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage<'a> {
    session: &'a session::Model,
    minutes_left: u64,
    /// Why the form is shown again, if it is.
    complaint: Option<String>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// The result of a submitted form.
enum Outcome {
    /// The login is verified, by this form or an earlier one.
    Verified,
    /// The code was a wrong one, and more can be tried.
    WrongCode(Box<session::Model>),
    /// There was no code in the form, so nothing was tried.
    NoCode(Box<session::Model>, FormError),
    /// The link is unknown, expired or invalidated.
    Dead,
}

/// Why a submitted form has no code in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormError {
    /// The body is larger than any form of this page.
    TooLarge,
    /// The body is not a form, or not all of it arrived.
    NotAForm,
    /// The field is not there once, or has no code in it.
    Malformed,
}

impl FormError {
    fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::TooLarge => "That is too long for a code.",
            Self::NotAForm => {
                "That did not arrive as this form sends it. Please type the code here."
            }
            Self::Malformed => {
                "That is not a code: a code has 8 letters, in two groups of four, without A, E, I, \
                 O, U or Y. It was not counted as a try."
            }
        }
    }
}

#[handler]
pub(crate) async fn show_verification(
    Path(token): Path<String>,
    Data(service): Data<&Service>,
) -> Response {
    let now = service.clock.now();
    match find(service, &token, now).await {
        Ok(Some(session)) if session.is_verified(now) => message(
            StatusCode::OK,
            "This login is verified",
            "You are logged in. Close this page and go back to where you logged in.",
        ),
        Ok(Some(session)) => form(&session, StatusCode::OK, None, now),
        Ok(None) => dead(),
        Err(error) => failed(error),
    }
}

#[handler]
pub(crate) async fn redeem_code(
    request: &Request,
    Path(token): Path<String>,
    body: Body,
    Data(service): Data<&Service>,
) -> Response {
    let now = service.clock.now();
    let code = read_code(request, body).await;
    if code.as_ref().err() == Some(&FormError::TooLarge) {
        let error = FormError::TooLarge;
        return message(error.status(), "That did not work", error.sentence());
    }
    match try_code(service, request, &token, code, now).await {
        Ok(Outcome::Verified) => see_again(&token),
        Ok(Outcome::WrongCode(session)) => {
            let left = MAX_TRIES - session.tries;
            let tries = if left == 1 { "try" } else { "tries" };
            let complaint = format!("That was not the code. {left} more {tries}.");
            form(&session, StatusCode::FORBIDDEN, Some(complaint), now)
        }
        Ok(Outcome::NoCode(session, error)) => {
            let complaint = Some(error.sentence().to_owned());
            form(&session, error.status(), complaint, now)
        }
        Ok(Outcome::Dead) => dead(),
        Err(error) => failed(error),
    }
}

/// The stylesheet of these pages.
#[handler]
pub(crate) fn style() -> Response {
    include_str!("../../templates/style.css")
        .with_content_type("text/css; charset=utf-8")
        .into_response()
}

/// The script of these pages, which only says times as the reader's clock does.
#[handler]
pub(crate) fn script() -> Response {
    include_str!("../../templates/verify.js")
        .with_content_type("text/javascript; charset=utf-8")
        .into_response()
}

/// The session of a link that works: it waits to be verified, or was verified a moment ago.
async fn find(service: &Service, token: &str, now: Timestamp) -> Result<Option<session::Model>> {
    let db = service.store.reader();
    let link_hash = Secret::new(token.to_owned()).digest().into();
    let Some(session) = session::find_by_link(db, link_hash).await? else {
        return Ok(None);
    };
    let works = session.is_verified(now)
        || session.can_be_verified(now) && code_failure::is_open(db, &session.email).await?;
    Ok(works.then_some(session))
}

/// The code in a submitted form.
async fn read_code(request: &Request, body: Body) -> Result<Secret, FormError> {
    let content_type = request.content_type().unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let body = body.into_bytes_limit(BODY_LIMIT).await;
    let body = body.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => FormError::TooLarge,
        _ => FormError::NotAForm,
    })?;
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::NotAForm);
    }
    let mut codes = form_urlencoded::parse(&body).filter(|(name, _)| name == "manual_code");
    match (codes.next(), codes.next()) {
        (Some((_, typed)), None) => parse_code(&typed).ok_or(FormError::Malformed),
        _ => Err(FormError::Malformed),
    }
}

/// The code in what was typed or pasted: in any case and width, with any separators or none, beside
/// words that no code could be.
fn parse_code(typed: &str) -> Option<Secret> {
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

async fn try_code(
    service: &Service,
    request: &Request,
    token: &str,
    code: Result<Secret, FormError>,
    now: Timestamp,
) -> Result<Outcome> {
    let Some(mut session) = find(service, token, now).await? else {
        return Ok(Outcome::Dead);
    };
    let code = match code {
        Ok(code) => code,
        Err(error) => return Ok(Outcome::NoCode(Box::new(session), error)),
    };
    let is_repeated = session.is_verified(now);

    // The try is counted for good before the code is looked at: no number of requests at once gets
    // more tries than there are.
    let writer = service.store.begin().await?;
    if !session::count_try(&writer, &session, now).await? {
        return Ok(state_of(session, now));
    }
    if !is_repeated && !code_failure::count(&writer, &session.email).await? {
        return Ok(Outcome::Dead);
    }
    writer.commit().await?;
    session.tries += 1;

    let writer = service.store.begin().await?;
    if !service
        .key
        .is_code(&session.nonce, &code, &session.code_mac)
    {
        let event = audit::Event::Failure;
        audit::add(&writer, event, &session.email, client(request), None, now).await?;
        writer.commit().await?;
        return Ok(match session.tries {
            MAX_TRIES.. => state_of(session, now),
            _ => Outcome::WrongCode(Box::new(session)),
        });
    }
    session::return_try(&writer, &session).await?;
    if is_repeated {
        writer.commit().await?;
        return Ok(Outcome::Verified);
    }
    let Some(user_id) = user_of(service, &writer, &session, now).await? else {
        return Ok(Outcome::Dead);
    };
    if session::activate(&writer, &session, user_id, now).await? {
        let event = audit::Event::Login;
        audit::add(&writer, event, &session.email, client(request), None, now).await?;
    } else {
        // The same form was sent twice at once, unless it was invalidated meanwhile.
        let session = session::find(&writer, session.id).await?;
        if !session.is_some_and(|session| session.is_verified(now)) {
            return Ok(Outcome::Dead);
        }
    }
    code_failure::reset(&writer, &session.email).await?;
    if let (Ok(email), Ok(client)) = (EmailAddress::parse(&session.email), session.client.parse()) {
        known_client::add(&writer, known_key(&email, client), now).await?;
    }
    writer.commit().await?;
    Ok(Outcome::Verified)
}

/// The outcome for a link whose tries are used up: a verified login stays verified.
fn state_of(session: session::Model, now: Timestamp) -> Outcome {
    if session.is_verified(now) {
        Outcome::Verified
    } else {
        Outcome::Dead
    }
}

/// The user of the session's address; with open registration made with an organization of their
/// own, if there is none.
async fn user_of(
    service: &Service,
    db: &Writer,
    session: &session::Model,
    now: Timestamp,
) -> Result<Option<i64>> {
    let Ok(email) = EmailAddress::parse(&session.email) else {
        return Ok(None);
    };
    if let Some(user) = user::find_by_email(db, &email).await? {
        return Ok(Some(user.id));
    }
    if service.registration == Registration::Closed {
        return Ok(None);
    }
    let name = email.local_part();
    let Some(user) = user::add(db, &email, name, now).await? else {
        // Another login of theirs was verified in the same moment.
        let user = user::find_by_email(db, &email).await?;
        return Ok(user.map(|user| user.id));
    };
    let org = org::add(db, name, now).await?;
    membership::put(db, user.id, org.id, Role::Owner).await?;
    Ok(Some(user.id))
}

fn form(
    session: &session::Model,
    status: StatusCode,
    complaint: Option<String>,
    now: Timestamp,
) -> Response {
    let page = VerifyPage {
        session,
        minutes_left: session.link_ends_at().since(now).as_secs().div_ceil(60),
        complaint,
    };
    render(status, &page)
}

/// Leads to the page of the same link, so that a reload sends no form again.
fn see_again(token: &str) -> Response {
    // Relative, since a proxy may serve this under another path.
    match HeaderValue::try_from(format!("./{token}")) {
        Ok(location) => StatusCode::SEE_OTHER
            .with_header(header::LOCATION, location)
            .into_response(),
        Err(_) => dead(),
    }
}

fn dead() -> Response {
    message(
        StatusCode::NOT_FOUND,
        "This link does not work",
        "It is older than 10 minutes, too many wrong codes were typed, or it was not copied whole. \
         Log in anew to get another.",
    )
}

fn failed(error: StoreError) -> Response {
    tracing::error!(%error, "a verification failed");
    unavailable()
}

/// The page for a person whom the service cannot serve for the moment.
pub(crate) fn unavailable() -> Response {
    let mut response = message(
        StatusCode::SERVICE_UNAVAILABLE,
        "That did not work",
        "The service has a problem. Try again in a few seconds.",
    );
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
    response
}

fn message(status: StatusCode, title: &str, text: &str) -> Response {
    render(status, &MessagePage { title, text })
}

fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => Html(page).with_status(status).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
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
