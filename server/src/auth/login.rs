//! `POST /api/1/login`.

use std::net::IpAddr;

use cortex_report_api::server::{
    self,
    auth::{Login, LoginFailure},
    types::{LoginReply, LoginRequest, LoginResult, ProblemCode},
};
use poem::Request;

use super::session::{cookie, refuse_cross_site};
use crate::{
    address::{EmailAddress, client_of, network_of},
    client::{Client, client, user_agent},
    config::MailLimits,
    secret::digest,
    service::{Service, invalid},
    store::{
        known_client, outbox,
        rate_limit::{self, RateLimit},
        session::{self, NewSession},
    },
};

impl Login for Service {
    /// Starts a login: adds a pending session, and queues a mail.
    ///
    /// The user of the address is looked up only when the mail is made, so that neither the reply
    /// nor the time that it takes depends on whether there is one.
    async fn login(
        &self,
        request: &Request,
        body: LoginRequest,
    ) -> Result<server::auth::LoginReply, LoginFailure> {
        // Otherwise another site could replace the session of its visitors.
        refuse_cross_site(request, &self.public_url)?;
        let email =
            EmailAddress::parse(&body.email).map_err(|error| invalid("/body/email", error))?;
        let client = client(request);
        let now = self.clock.now();
        let session_key = self.random.session_key();
        let manual_code = self.random.manual_code();
        let nonce = self.random.bytes::<16>().to_vec();
        let writer = self.store.begin().await?;
        let is_known = match client {
            Client::Known(address) => {
                known_client::is_known(&writer, known_key(&email, address)).await?
            }
            Client::Unknown => false,
        };
        let limits = limits(&self.mail_limits, &email, client, is_known);
        if let Some(wait) = rate_limit::take(&writer, &limits, now).await? {
            drop(writer);
            rate_limit::bring_back(self.store.reader(), &limits, now).await?;
            let seconds = wait.as_secs_f64().ceil() as i64;
            return Err(LoginFailure::too_many_requests(
                ProblemCode::TooManyRequests,
                format!("Too many logins were started. Try again in {seconds} seconds."),
                seconds,
            ));
        }
        let session = NewSession {
            key_hash: digest(session_key.reveal()).into(),
            link_hash: digest(self.key.link_token(&nonce).reveal()).into(),
            code_mac: self.key.code_mac(&nonce, &manual_code),
            nonce,
            email: email.to_string(),
            client: client.to_string(),
            user_agent: user_agent(request),
        };
        let session = session::add(&writer, session, now).await?;
        outbox::add_login(&writer, session.id, now).await?;
        writer.commit().await?;
        self.mail_is_due.notify_one();

        let cookie = cookie(&session_key, &self.public_url);
        let reply = LoginReply {
            result: LoginResult::NewBrowser,
            session_key,
            manual_code: manual_code.reveal().to_owned(),
        };
        Ok(server::auth::LoginReply {
            body: reply,
            set_cookie: Some(cookie),
        })
    }
}

/// The limits that a login takes from. Clients from which the mailbox has logged in before have
/// separate limits, which new clients cannot use up.
fn limits(
    limits: &MailLimits,
    email: &EmailAddress,
    client: Client,
    is_known: bool,
) -> [Vec<RateLimit>; 2] {
    let mailbox = email.mailbox();
    let (network, client) = match client {
        Client::Known(address) => (
            network_of(address).to_string(),
            client_of(address).to_string(),
        ),
        Client::Unknown => (client.to_string(), client.to_string()),
    };
    let of = |key: String, limit| RateLimit::new(&key, limit);
    // The order of the kinds is always the same.
    if is_known {
        return [
            vec![
                of(
                    format!("known {mailbox} from {client}"),
                    limits.address_client,
                ),
                of(format!("known {mailbox}"), limits.address),
            ],
            vec![
                of(format!("known from {client}"), limits.client),
                of("known".to_owned(), limits.total),
            ],
        ];
    }
    [
        vec![
            of(format!("{mailbox} from {network}"), limits.address_client),
            of(mailbox, limits.address),
        ],
        vec![
            of(format!("from {client}"), limits.client),
            of(format!("from network {network}"), limits.network),
            of(String::new(), limits.total),
        ],
    ]
}

/// The key of a client that a mailbox has logged in from.
pub(crate) fn known_key(email: &EmailAddress, client: IpAddr) -> Vec<u8> {
    let (mailbox, client) = (email.mailbox(), client_of(client));
    digest(&format!("{mailbox} from {client}")).into()
}
