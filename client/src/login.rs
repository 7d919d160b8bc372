//! Login: started by a call, and verified by a person.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    Client, Error, Secret,
    types::{LoginRequest, ProblemCode, User},
};

/// Pause before the first check whether a login is verified. It grows to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Started login, which waits for a person to verify it.
///
/// ```no_run
/// use cortex_report_client::{Client, Login};
///
/// # async fn run() -> Result<(), cortex_report_client::Error> {
/// let client = Client::builder("http://127.0.0.1:8080").build()?;
/// let login = client.start_login("ann@example.com").await?;
/// println!("Open the link that was mailed to you, and type {}", login.manual_code());
/// let (client, user) = login.wait(Login::LIFETIME).await?;
/// println!("Welcome, {}", user.display_name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Login {
    client: Client,
    manual_code: String,
}

impl Client {
    /// Starts a login: the service mails a verification URL to the address.
    ///
    /// # Errors
    ///
    /// The errors of a call; too many logins are [`Error::Refused`] with `retry_after`.
    pub async fn start_login(&self, email: &str) -> Result<Login, Error> {
        let request = LoginRequest {
            email: email.to_owned(),
        };
        let client = self.with_session_key(None);
        let reply = client.login().body(request).send().await?.into_inner();
        Ok(Login {
            client: client.with_session_key(Some(reply.session_key)),
            manual_code: reply.manual_code,
        })
    }
}

impl Login {
    /// Time that the service gives a person to verify a login.
    pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

    /// Code that the person types on the page of the URL that was mailed.
    pub fn manual_code(&self) -> &str {
        &self.manual_code
    }

    /// Key of the session, which is not valid before the login is verified.
    pub fn session_key(&self) -> Option<&Secret> {
        self.client.session_key()
    }

    /// Waits until the person has verified the login. Returns a client that is logged in, and its
    /// user.
    ///
    /// It polls the service, and tolerates a service that is unavailable for a while. `limit` is
    /// the time limit, at most [`LIFETIME`](Self::LIFETIME); the last poll is at its end. The
    /// future may be dropped at any time: the login remains, and can be waited for again.
    ///
    /// # Errors
    ///
    /// [`Error::NotVerified`] after `limit`, [`Error::Invalidated`] as soon as five wrong codes
    /// were typed. Also the errors of a call that a retry cannot resolve, and the error of the last
    /// poll.
    pub async fn wait(&self, limit: Duration) -> Result<(Client, User), Error> {
        let deadline = Instant::now() + limit.min(Self::LIFETIME);
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.client.get_user().send().await {
                Ok(user) => return Ok((self.client.clone(), user.into_inner())),
                Err(error) => Error::from(error),
            };
            let is_pending = match error.code() {
                Some(ProblemCode::NotLoggedIn) => true,
                // The service answers so only to the key of a login that was invalidated.
                Some(ProblemCode::NotAllowed) => return Err(Error::Invalidated),
                _ if error.is_transient() => false,
                _ => return Err(error),
            };
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(if is_pending {
                    Error::NotVerified
                } else {
                    error
                });
            }
            let told = match error {
                Error::Refused { retry_after, .. } => retry_after,
                _ => None,
            };
            let own = self.client.inner.vary(pause);
            sleep(own.max(told.unwrap_or_default()).min(rest)).await;
            pause = pause.mul_f64(1.5).min(LONGEST_PAUSE);
        }
    }
}
