//! Settings of mails.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use clap::Args;
use lettre::message::Mailbox;

use super::{Redacted, SettingError, error::unusable};
use crate::{
    mail::{MailDir, Smtp, SmtpUrl, Transport},
    public_url::PublicUrl,
    secret,
    store::rate_limit::Limit,
};

/// Settings for the delivery of mails.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailSettings {
    /// SMTP server for mails: smtp://USER@HOST:587, with STARTTLS unless ?tls=off is added,
    /// or smtps://USER@HOST:465. If not set, mails are written to the folder of --mail-dir.
    #[arg(
        long,
        // It may hold a password.
        hide_env_values = true,
        value_name = "URL",
        value_parser = Redacted(SmtpUrl::from_str)
    )]
    pub smtp_url: Option<SmtpUrl>,

    /// File with the SMTP password, if the URL has a user but no password.
    #[arg(long, value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,

    /// Time limit for each answer of the SMTP server, in seconds (1 to 60).
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "10",
        value_parser = clap::value_parser!(u16).range(1..=60)
    )]
    pub smtp_timeout: u16,

    /// Sender of mails: an address, or a name and an address.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "Data Cortex <noreply@localhost>"
    )]
    pub mail_from: Mailbox,

    /// Folder for mails if no SMTP server is set; created if it does not exist.
    #[arg(long, value_name = "FOLDER", default_value = "mail")]
    pub mail_dir: PathBuf,
}

impl fmt::Display for MailSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.smtp_url {
            Some(url) => write!(formatter, "via {}:{}", url.host, url.port),
            None => write!(formatter, "into folder {}", self.mail_dir.display()),
        }
    }
}

/// Limits of mails: `20/5m` is 20 at once, then one every 5 minutes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail limits (20/5m: 20 at once, then one every 5 minutes)")]
pub struct MailLimits {
    /// Mails to one address requested from one network, an IPv4 /24 or an IPv6 /48.
    #[arg(
        long = "mail-limit-address-client",
        value_name = "LIMIT",
        default_value = "5/10m"
    )]
    pub address_client: Limit,

    /// Mails to one address requested by new clients. Clients from which the address has logged in
    /// before have a separate limit of the same size. Addresses of one mailbox, such as ann+a@ and
    /// a.nn@, count as one.
    #[arg(
        long = "mail-limit-address",
        value_name = "LIMIT",
        default_value = "10/1h"
    )]
    pub address: Limit,

    /// Mails to any address requested by one client; an IPv6 client is its /64. A client that has
    /// used part of this limit must leave an equal part of the network limit and of the total limit
    /// to others.
    #[arg(
        long = "mail-limit-client",
        value_name = "LIMIT",
        default_value = "20/30s"
    )]
    pub client: Limit,

    /// Mails to any address requested from one network, an IPv4 /24 or an IPv6 /48.
    #[arg(
        long = "mail-limit-network",
        value_name = "LIMIT",
        default_value = "60/10s"
    )]
    pub network: Limit,

    /// Invitations sent by one user, in all organizations together.
    #[arg(
        long = "mail-limit-user",
        value_name = "LIMIT",
        default_value = "50/10m"
    )]
    pub user: Limit,

    /// Mails requested by all new clients together. Clients from which the address has logged in
    /// before have a separate limit of the same size.
    #[arg(
        long = "mail-limit-total",
        value_name = "LIMIT",
        default_value = "1000/1s"
    )]
    pub total: Limit,
}

/// The transport for mails: the SMTP server if one is set, otherwise the mail folder.
pub(crate) fn transport(
    settings: &MailSettings,
    public_url: &PublicUrl,
) -> Result<Arc<dyn Transport>, SettingError> {
    if let Some(smtp) = smtp(settings, public_url)? {
        return Ok(Arc::new(smtp));
    }
    let folder = &settings.mail_dir;
    let mail_dir =
        MailDir::open(folder.clone()).map_err(unusable("CORTEX_REPORT_MAIL_DIR", folder))?;
    Ok(Arc::new(mail_dir))
}

/// The SMTP server that sends mails, if one is set.
pub(super) fn smtp(
    settings: &MailSettings,
    public_url: &PublicUrl,
) -> Result<Option<Smtp>, SettingError> {
    let read = |file: &PathBuf| {
        secret::read(file).map_err(unusable("CORTEX_REPORT_SMTP_PASSWORD_FILE", file))
    };
    let password = settings.smtp_password_file.as_ref().map(read).transpose()?;
    let Some(url) = &settings.smtp_url else {
        return match password {
            Some(_) => Err(SettingError::SmtpCredentials),
            None => Ok(None),
        };
    };
    let password = password.or_else(|| url.password.clone());
    if url.user.is_some() != password.is_some() {
        return Err(SettingError::SmtpCredentials);
    }
    let timeout = Duration::from_secs(settings.smtp_timeout.into());
    let smtp = Smtp::new(url, password.as_ref(), timeout, public_url.host())
        .map_err(|error| SettingError::Smtp(error.into()))?;
    Ok(Some(smtp))
}
