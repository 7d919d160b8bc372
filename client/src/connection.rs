//! Construction of a client from its settings.

use std::time::Duration;

use reqwest::{Url, redirect};

use crate::{Client, Error, Inner, Secret};

/// Settings of a [`Client`]. The defaults suit most programs.
///
/// ```
/// use std::time::Duration;
///
/// use cortex_report_client::Client;
///
/// let client = Client::builder("https://report.example.com")
///     .session_key("4ZQ3mX0u7dT1rN8kVb6sYpWc2fHgJ9LaEoUiKtRqMzA")
///     .timeout(Duration::from_secs(10))
///     .connection(|connection| connection.user_agent("nightly-report/1.0"))
///     .build()?;
/// # Ok::<(), cortex_report_client::Error>(())
/// ```
#[must_use = "a builder makes no client before `build` is called"]
pub struct Builder {
    url: String,
    timeout: Duration,
    connection: reqwest::ClientBuilder,
    session: Inner,
}

impl Client {
    /// Returns the default settings for a client of the service at `url`, which is the part of its
    /// URLs before `/api/1`.
    pub fn builder(url: &str) -> Builder {
        Builder {
            url: url.to_owned(),
            timeout: Duration::from_secs(30),
            connection: reqwest::Client::builder()
                .user_agent(concat!("cortex-report/", env!("CARGO_PKG_VERSION"))),
            session: Inner {
                key: None,
                retries: 2,
                max_retry_delay: Duration::from_secs(10),
                jitter: fastrand::f64,
            },
        }
    }

    /// Returns the session key that is sent with each call, if there is one.
    pub fn session_key(&self) -> Option<&Secret> {
        self.inner.key.as_ref()
    }

    /// Returns a client that shares the connections of this one and sends another key, or none.
    #[must_use]
    pub fn with_session_key(&self, key: Option<Secret>) -> Self {
        let mut client = self.clone();
        client.inner.key = key;
        client
    }
}

impl Builder {
    /// Sets the key of a session, which is sent with each call.
    pub fn session_key(mut self, key: impl Into<Secret>) -> Self {
        self.session.key = Some(key.into());
        self
    }

    /// Sets the time limit of an answer, from the connection to the last byte; 30 seconds by
    /// default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the maximum number of times that a call is sent again; 2 by default.
    ///
    /// Every call is sent again if no connection was made, or after the status 429. Only calls that
    /// are safe to repeat are also sent again after a lost connection or the status 408, 502, 503
    /// or 504. Nothing is sent again after a time-out.
    pub fn retries(mut self, retries: u32) -> Self {
        self.session.retries = retries;
        self
    }

    /// Sets the longest delay before a call is sent again; 10 seconds by default. If Retry-After
    /// asks for a longer one, the call fails at once, and its error has the time to wait.
    pub fn max_retry_delay(mut self, delay: Duration) -> Self {
        self.session.max_retry_delay = delay;
        self
    }

    /// Sets the source of random numbers from 0 to 1 that varies the delays, so that clients that
    /// failed together do not retry together.
    pub fn jitter(mut self, jitter: fn() -> f64) -> Self {
        self.session.jitter = jitter;
        self
    }

    /// Changes the connections: proxies, certificates, the user agent, and every other setting of
    /// [`reqwest::ClientBuilder`].
    pub fn connection(
        mut self,
        change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Self {
        self.connection = change(self.connection);
        self
    }

    /// Builds the client. Nothing is sent before its first call.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`]: the URL does not begin with `http://` or `https://`, or has parts
    /// other than a host, a port and a path.
    /// [`Error::InvalidRequest`]: the settings of the connections contradict each other, or the URL
    /// begins with `https://` and the platform has no certificates that it trusts.
    pub fn build(self) -> Result<Client, Error> {
        // The URL is not shown: an invalid one may contain a password.
        let wrong = |reason: &str| Error::InvalidUrl(reason.to_owned());
        let url = Url::parse(&self.url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it must begin with http:// or https://"));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong("it must have only a host, a port and a path"));
        }
        let connection = trust(self.connection, &url)
            .timeout(self.timeout)
            // The service sends no redirects. Following one could send the key to another host.
            .redirect(redirect::Policy::none())
            .build()?;
        let url = url.as_str().trim_end_matches('/');
        Ok(Client::new_with_client(url, connection, self.session))
    }
}

/// Trusts no certificates for a URL of http on a platform that has none: reqwest would otherwise
/// fail to build the client, although it needs no certificates.
fn trust(connection: reqwest::ClientBuilder, url: &Url) -> reqwest::ClientBuilder {
    #[cfg(feature = "tls")]
    if url.scheme() == "http" && reqwest::Client::builder().build().is_err() {
        return connection.tls_certs_only([]);
    }
    let _ = url;
    connection
}
