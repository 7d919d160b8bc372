//! Checks of settings: each tries one part of the service without changing anything.

use std::path::Path;

use futures_util::future::BoxFuture;

use super::{
    ServeSettings, SettingError, StoreSettings,
    error::unusable,
    mail::smtp,
    serve::{can_listen, public_url},
    store::{check_key, load_key},
    tls::acceptor,
};
use crate::{public_url::PublicUrl, store::Store};

/// A part of the service, tried without changing anything.
pub(crate) struct Check<'a> {
    pub(crate) what: &'static str,
    /// Settings that the check needs.
    pub(crate) settings: &'static [&'static str],
    pub(crate) result: BoxFuture<'a, Result<(), SettingError>>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(
        what: &'static str,
        settings: &'static [&'static str],
        result: impl Future<Output = Result<(), SettingError>> + Send + 'a,
    ) -> Self {
        Self {
            what,
            settings,
            result: Box::pin(result),
        }
    }
}

/// The checks of these settings.
pub(crate) fn checks<'a>(store: &'a StoreSettings, settings: &'a ServeSettings) -> Vec<Check<'a>> {
    let certificate: &[_] = &["tls_certificate_file", "tls_key_file"];
    let mail: &[_] = &["smtp_url", "smtp_password_file", "smtp_timeout", "mail_dir"];
    vec![
        Check::new("key", &["key_file"], async {
            let file = &store.key_file;
            match file.exists() {
                true => load_key(file).map(drop),
                false => is_in_folder("CORTEX_REPORT_KEY_FILE", file),
            }
        }),
        Check::new("database", &["database_url"], async {
            Store::check(&store.database_url).await?;
            let recorded = Store::find_key_fingerprint(&store.database_url).await?;
            match check_key(store, recorded) {
                // The key file has its own check.
                Err(SettingError::Unusable { .. }) => Ok(()),
                result => result,
            }
        }),
        Check::new("certificate", certificate, async {
            acceptor(&settings.tls).map(drop)
        }),
        Check::new("address to listen on", &["listen"], async {
            can_listen("CORTEX_REPORT_LISTEN", settings.listen).await
        }),
        Check::new("address of metrics", &["metrics_listen"], async {
            match settings.metrics_listen {
                Some(address) => can_listen("CORTEX_REPORT_METRICS_LISTEN", address).await,
                None => Ok(()),
            }
        }),
        Check::new("public URL", &["public_url", "listen"], async {
            public_url(settings, settings.listen).map(drop)
        }),
        #[cfg(feature = "events")]
        Check::new("lake", &["lake_dir"], async {
            is_folder("CORTEX_REPORT_LAKE_DIR", &settings.events.lake_dir)
        }),
        Check::new("mail", mail, async {
            // The public URL, whose host is sent to the mail server, has its own check.
            let public_url = public_url(settings, settings.listen);
            let address = PublicUrl::of_address(settings.listen, false);
            match smtp(&settings.mail, &public_url.unwrap_or(address))? {
                Some(smtp) => smtp.test().await.map_err(SettingError::Smtp),
                None => is_folder("CORTEX_REPORT_MAIL_DIR", &settings.mail.mail_dir),
            }
        }),
    ]
}

/// Checks that the folder exists in which a missing file is to be created.
fn is_in_folder(setting: &'static str, file: &Path) -> Result<(), SettingError> {
    match file.parent() {
        Some(folder) if folder != Path::new("") && !folder.is_dir() => {
            let reason = format!("the folder {} does not exist", folder.display());
            Err(unusable(setting, file)(reason))
        }
        _ => Ok(()),
    }
}

/// Checks that the path is a folder, or that its nearest existing ancestor is one to create it in.
fn is_folder(setting: &'static str, folder: &Path) -> Result<(), SettingError> {
    match folder.ancestors().find(|it| it.exists()) {
        Some(there) if !there.is_dir() => {
            let reason = format!("{} is not a folder", there.display());
            Err(unusable(setting, folder)(reason))
        }
        _ => Ok(()),
    }
}
