//! The verification page: whoever got the mail types the code that whoever logs in was shown.
//!
//! `GET` changes nothing, however often a mail scanner opens the link; `POST` with the code makes
//! the session active, once.

use askama::Template;
use poem::{
    IntoResponse, Request, Response, handler,
    http::{StatusCode, header},
    web::{Data, Form, Html, Path},
};
use serde::Deserialize;

use crate::{
    address::EmailAddress,
    auth::known_key,
    clock::Timestamp,
    config::Registration,
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
    email: &'a str,
    client: &'a str,
    user_agent: &'a str,
    asked_at: String,
    /// How many codes can still be tried, if a wrong one was.
    tries_left: Option<i32>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// What became of a code.
enum Outcome {
    /// The session is active.
    LoggedIn,
    /// It was a wrong one.
    WrongCode(Box<session::Model>),
    /// The link is unknown, used, expired or burnt.
    Dead,
}

#[derive(Deserialize)]
struct Code {
    manual_code: String,
}

#[handler]
pub(crate) async fn show_verification(
    Path(token): Path<String>,
    Data(service): Data<&Service>,
) -> Response {
    match find(service, token, service.clock.now()).await {
        Ok(Some(session)) => form(&session, StatusCode::OK),
        Ok(None) => dead(),
        Err(error) => failed(error),
    }
}

#[handler]
pub(crate) async fn redeem_code(
    request: &Request,
    Path(token): Path<String>,
    Form(code): Form<Code>,
    Data(service): Data<&Service>,
) -> Response {
    match try_code(service, request, token, &code.manual_code).await {
        Ok(Outcome::LoggedIn) => message(
            StatusCode::OK,
            "You are logged in",
            "You can close this page and go back to where you logged in.",
        ),
        Ok(Outcome::WrongCode(session)) if session.tries < MAX_TRIES => {
            form(&session, StatusCode::FORBIDDEN)
        }
        Ok(Outcome::WrongCode(_) | Outcome::Dead) => dead(),
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

/// The session that waits for the link to be used.
async fn find(service: &Service, token: String, now: Timestamp) -> Result<Option<session::Model>> {
    let db = service.store.reader();
    let session = session::find_by_link(db, Secret::new(token).digest()).await?;
    let Some(session) = session.filter(|session| session.can_be_verified(now)) else {
        return Ok(None);
    };
    let is_open = code_failure::is_open(db, &session.email).await?;
    Ok(is_open.then_some(session))
}

async fn try_code(
    service: &Service,
    request: &Request,
    token: String,
    code: &str,
) -> Result<Outcome> {
    let now = service.clock.now();
    let Some(mut session) = find(service, token, now).await? else {
        return Ok(Outcome::Dead);
    };

    // The try is counted for good before the code is looked at: no number of requests at once gets
    // more tries than there are.
    let writer = service.store.begin().await?;
    if !session::count_try(&writer, &session, now).await?
        || !code_failure::count(&writer, &session.email).await?
    {
        return Ok(Outcome::Dead);
    }
    writer.commit().await?;
    session.tries += 1;

    let code = normalize(code);
    let writer = service.store.begin().await?;
    if !service
        .key
        .is_code(&session.nonce, &code, &session.code_mac)
    {
        let event = audit::Event::Failure;
        audit::add(&writer, event, &session.email, client(request), None, now).await?;
        writer.commit().await?;
        return Ok(Outcome::WrongCode(Box::new(session)));
    }
    let Some(user_id) = user_of(service, &writer, &session, now).await? else {
        return Ok(Outcome::Dead);
    };
    if !session::activate(&writer, &session, user_id, now).await? {
        return Ok(Outcome::Dead);
    }
    code_failure::reset(&writer, &session.email).await?;
    if let (Ok(email), Ok(client)) = (EmailAddress::parse(&session.email), session.client.parse()) {
        known_client::add(&writer, known_key(&email, client), now).await?;
    }
    let event = audit::Event::Login;
    audit::add(&writer, event, &session.email, client(request), None, now).await?;
    writer.commit().await?;
    Ok(Outcome::LoggedIn)
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

/// The code as it was shown, however it was typed: in any case, with or without the dash.
fn normalize(typed: &str) -> Secret {
    let letters: String = typed
        .chars()
        .filter(|letter| letter.is_ascii_alphabetic())
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    Secret::new(match letters.split_at_checked(4) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters,
    })
}

fn form(session: &session::Model, status: StatusCode) -> Response {
    let page = VerifyPage {
        email: &session.email,
        client: &session.client,
        user_agent: &session.user_agent,
        asked_at: httpdate::fmt_http_date(session.created_at.to_system_time()),
        tries_left: (status != StatusCode::OK).then_some(MAX_TRIES - session.tries),
    };
    render(status, &page)
}

fn dead() -> Response {
    message(
        StatusCode::NOT_FOUND,
        "This link does not work",
        "It was used already, it is older than 10 minutes, or too many wrong codes were typed. \
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
    headers.insert(header::RETRY_AFTER, header::HeaderValue::from(RETRY_AFTER));
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

    #[test]
    fn a_code_may_be_typed_in_many_ways() {
        for typed in [
            "KRTW-BXQP",
            "krtw-bxqp",
            " KRTWBXQP ",
            "krtw bxqp",
            "KRTW–BXQP",
        ] {
            assert_eq!(normalize(typed).reveal(), "KRTW-BXQP");
        }
        for typed in ["", "KRTW", "KRTW-BXQ", "KRTW-BXQPP"] {
            assert_ne!(normalize(typed).reveal(), "KRTW-BXQP");
        }
    }
}
