//! `POST /api/1/login`.

use cortex_report_api::server::{
    Failure, LoginReply, LoginRequest, LoginResponse, LoginResult, ProblemCode,
};
use poem::Request;
use poem_openapi::payload::Json;

use super::session::{cookie, refuse_cross_site};
use crate::{
    address::EmailAddress,
    config::Limit,
    secret::Secret,
    service::{Client, Service, client, invalid, user_agent},
    store::{
        mail, quota,
        session::{self, NewSession},
    },
};

/// Starts a login: a pending session, and a mail that is owed.
///
/// Whether the address is known is not looked up here, but when the mail is made: the reply and
/// the time that it takes cannot depend on it.
pub(super) async fn login(
    service: &Service,
    request: &Request,
    body: LoginRequest,
) -> Result<LoginResponse, Failure> {
    // Another site could else replace the session of whoever visits it.
    refuse_cross_site(request, &service.public_url)?;
    let email = EmailAddress::parse(&body.email).map_err(|error| invalid("/body/email", error))?;
    let client = client(request);
    let now = service.clock.now();
    let session_key = service.random.session_key();
    let manual_code = service.random.manual_code();
    let nonce = service.random.bytes::<16>().to_vec();
    let limits = limits(service, &email, client);

    let writer = service.store.begin().await?;
    if let Some(wait) = quota::take(&writer, &limits, now).await? {
        drop(writer);
        quota::shorten(service.store.reader(), &limits, now).await?;
        let seconds = wait.as_secs_f64().ceil() as i64;
        return Ok(LoginResponse::too_many_requests(
            ProblemCode::TooManyRequests,
            format!("Too many logins were started. Try again in {seconds} seconds."),
            seconds,
        ));
    }
    let session = NewSession {
        key_hash: session_key.digest(),
        link_hash: service.key.link_token(&nonce).digest(),
        code_mac: service.key.code_mac(&nonce, &manual_code),
        nonce,
        email: email.to_string(),
        client: client.to_string(),
        user_agent: user_agent(request),
    };
    let session = session::add(&writer, session, now).await?;
    mail::add(&writer, session.id, now).await?;
    writer.commit().await?;
    service.mail_is_due.notify_one();

    let cookie = cookie(&session_key, &service.public_url);
    let reply = LoginReply {
        result: LoginResult::NewBrowser,
        session_key: session_key.reveal().to_owned(),
        manual_code: manual_code.reveal().to_owned(),
    };
    Ok(LoginResponse::Ok(Json(reply), Some(cookie)))
}

/// What a login uses up.
fn limits(service: &Service, email: &EmailAddress, client: Client) -> [(Vec<u8>, Limit); 4] {
    let client = client.network();
    let limits = &service.mail_limits;
    [
        (format!("{email} from {client}"), limits.address_client),
        (format!("{email}"), limits.address),
        (format!("from {client}"), limits.client),
        (String::new(), limits.total),
    ]
    .map(|(key, limit)| (Secret::new(key).digest(), limit))
}
