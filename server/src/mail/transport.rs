//! Ways to send a mail.

use std::{
    fs,
    io::Write,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
    pin::Pin,
    time::Duration,
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::{MailError, SmtpTls, SmtpUrl};
use crate::secret::Secret;

/// Transport of mails.
pub trait Transport: Send + Sync + 'static {
    /// Time limit for sending one mail.
    fn deadline(&self) -> Duration;

    /// Sends a mail. `id` is the same if the same mail is sent again.
    fn send<'a>(
        &'a self,
        id: &'a str,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;
}

/// Number of a server's answers to one mail that may each take the whole timeout. The greeting and
/// the answers to EHLO, STARTTLS, EHLO, AUTH, MAIL, RCPT and DATA come at once or not at all.
const SLOW_ANSWERS: u32 = 3;

/// Sends each mail by an SMTP server, over a connection of its own.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    deadline: Duration,
}

impl Smtp {
    /// Creates the transport, without a connection to the server. `name` is the name of this host
    /// in EHLO.
    ///
    /// # Errors
    ///
    /// The system has no certificates to trust.
    pub fn new(
        url: &SmtpUrl,
        password: Option<&Secret>,
        timeout: Duration,
        name: &str,
    ) -> Result<Self, lettre::transport::smtp::Error> {
        let tls = || TlsParameters::new(url.host.clone());
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&url.host)
            .port(url.port)
            .timeout(Some(timeout))
            .hello_name(match name.trim_matches(['[', ']']).parse() {
                Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
                Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
                Err(_) => ClientId::Domain(name.to_owned()),
            })
            .tls(match url.tls {
                SmtpTls::Wrapped => Tls::Wrapper(tls()?),
                SmtpTls::Starttls => Tls::Required(tls()?),
                SmtpTls::Off => Tls::None,
            });
        if let (Some(user), Some(password)) = (&url.user, password) {
            let password = password.reveal().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            deadline: timeout * SLOW_ANSWERS,
        })
    }

    /// Checks that the server can be reached, is trusted, and accepts the user.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, is not trusted, or refuses the user.
    pub async fn test(&self) -> Result<(), MailError> {
        self.in_time(self.transport.test_connection()).await?;
        Ok(())
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
    ) -> Result<T, MailError> {
        let answered = tokio::time::timeout(self.deadline, asked).await;
        Ok(answered.map_err(|_| MailError::Timeout(self.deadline.as_secs()))??)
    }
}

impl Transport for Smtp {
    fn deadline(&self) -> Duration {
        self.deadline
    }

    fn send<'a>(
        &'a self,
        _id: &'a str,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        Box::pin(async move {
            self.in_time(self.transport.send(message)).await?;
            tracing::info!("sent a mail");
            Ok(())
        })
    }
}

/// Writes each mail as an .eml file into a folder, and logs the name of the file.
#[derive(Clone, Debug)]
pub struct MailDir(PathBuf);

impl MailDir {
    /// Opens the folder. A missing folder is created, for its owner alone; an existing one keeps
    /// its mode.
    ///
    /// # Errors
    ///
    /// The folder cannot be created.
    pub fn open(folder: PathBuf) -> std::io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    fn write(&self, id: &str, message: &Message) -> std::io::Result<PathBuf> {
        let file = self.0.join(format!("{id}.eml"));
        // Under another name until it is complete, so that a program that watches the folder sees
        // no half mail.
        let unfinished = self.0.join(format!(".{id}.tmp"));
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            // It contains the link of a login.
            .mode(0o600)
            .open(&unfinished)?
            .write_all(&message.formatted())?;
        fs::rename(&unfinished, &file)?;
        Ok(file)
    }
}

impl Transport for MailDir {
    fn deadline(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn send<'a>(
        &'a self,
        id: &'a str,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        let folder = self.clone();
        let id = id.to_owned();
        Box::pin(async move {
            let file = tokio::task::spawn_blocking(move || folder.write(&id, &message))
                .await
                .map_err(std::io::Error::other)??;
            tracing::info!(file = %file.display(), "wrote a mail");
            Ok(())
        })
    }
}
