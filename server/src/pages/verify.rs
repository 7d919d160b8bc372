//! The verification page: the recipient of the mail types the code that is shown at the login.
//!
//! `GET` changes nothing, however often a mail scanner opens the link; `POST` with the code makes
//! the session active, once.

use askama::Template;
use poem::{
    Body, IntoResponse, Request, Response,
    error::ReadBodyError,
    handler,
    http::{HeaderValue, StatusCode, header},
    web::{Data, Html, Path},
};
use url::form_urlencoded;

use crate::{
    auth::verify::{self, Outcome},
    client::client,
    clock::Timestamp,
    http::BODY_LIMIT,
    secret::Secret,
    service::{RETRY_AFTER, Service},
    store::{StoreError, session},
};

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage<'a> {
    session: &'a session::Model,
    minutes_left: u64,
    /// Message above the form if a code was not accepted.
    complaint: Option<String>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
}

/// Error of a submitted form without a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormError {
    /// The body is larger than any form of this page.
    TooLarge,
    /// The body is not a form, or not all of it arrived.
    NotAForm,
    /// The field is missing, repeated, or not a code.
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
                "The form did not arrive as this page sends it. Please type the code here."
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
    match verify::find(service, &token, now).await {
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
    let outcome = match code {
        Ok(code) => verify::verify(service, &token, &code, client(request), now).await,
        Err(error) => {
            return match verify::find(service, &token, now).await {
                Ok(Some(session)) => {
                    let complaint = Some(error.sentence().to_owned());
                    form(&session, error.status(), complaint, now)
                }
                Ok(None) => dead(),
                Err(error) => failed(error),
            };
        }
    };
    match outcome {
        Ok(Outcome::Verified) => see_again(&token),
        Ok(Outcome::WrongCode(session, left)) => {
            let tries = if left == 1 { "try" } else { "tries" };
            let complaint = format!("Wrong code. {left} {tries} left.");
            form(&session, StatusCode::FORBIDDEN, Some(complaint), now)
        }
        Ok(Outcome::DeadLink) => dead(),
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

/// The script of these pages, which only shows times in the reader's time zone.
#[handler]
pub(crate) fn script() -> Response {
    include_str!("../../templates/verify.js")
        .with_content_type("text/javascript; charset=utf-8")
        .into_response()
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
        (Some((_, typed)), None) => verify::parse_code(&typed).ok_or(FormError::Malformed),
        _ => Err(FormError::Malformed),
    }
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

/// Redirects to the page of the same link, so that a reload does not send the form again.
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
        "It is older than 10 minutes, too many wrong codes were typed, or part of it is missing. \
         Log in again to get a new one.",
    )
}

fn failed(error: StoreError) -> Response {
    tracing::error!(%error, "a verification failed");
    unavailable()
}

/// The page shown when the service is temporarily unavailable.
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
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
