//! Settings of the database and the key.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;

use super::{Redacted, SettingError, error::unusable};
use crate::{
    random::Random,
    server_key::ServerKey,
    store::{DatabaseUrl, Store},
};

/// Where the database and the server's key are: what every command needs.
#[derive(Args, Clone, Debug)]
pub struct StoreSettings {
    /// The database: sqlite://FILE, which is made if it is not there, or
    /// postgres://USER:PASSWORD@HOST/DATABASE, or mariadb:// and the same.
    #[arg(
        long,
        // It may hold a password.
        hide_env_values = true,
        value_name = "URL",
        value_parser = Redacted(DatabaseUrl::from_str),
        default_value = "sqlite://cortex-report.db",
        global = true
    )]
    pub database_url: DatabaseUrl,

    /// How many connections to the database are held at most. Two are left to those who only read.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "8",
        value_parser = clap::value_parser!(u32).range(3..=1000),
        global = true
    )]
    pub database_connections: u32,

    /// The file of the server's key, which secrets in the database depend on; made if it is not
    /// there. Keep it apart from the database's backups.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "cortex-report.key",
        global = true
    )]
    pub key_file: PathBuf,
}

/// The database, brought up to date, and the key that belongs to it.
///
/// # Errors
///
/// A setting that does not work.
pub(crate) async fn open(
    settings: &StoreSettings,
    random: &Random,
) -> Result<(Store, ServerKey), SettingError> {
    let (url, file) = (&settings.database_url, &settings.key_file);
    if !file.exists() {
        let recorded = Store::find_key_fingerprint(url).await?;
        check_key(settings, recorded)?;
        create_key(file, random)?;
    }
    let key = load_key(file)?;
    let store = Store::open(url, settings.database_connections, file).await?;
    if store.claim_key_fingerprint(&key.fingerprint()).await? {
        Ok((store, key))
    } else {
        store.close().await;
        Err(SettingError::KeyDiffers { file: file.clone() })
    }
}

/// Checks that the key file matches the fingerprint that the database has recorded, if any.
pub(super) fn check_key(
    settings: &StoreSettings,
    recorded: Option<String>,
) -> Result<(), SettingError> {
    let file = settings.key_file.clone();
    let is_there = file.exists();
    let key = is_there.then(|| load_key(&file)).transpose()?;
    match (key, recorded) {
        (None, Some(_)) => Err(SettingError::KeyLost { file }),
        (Some(key), Some(recorded)) if key.fingerprint() != recorded => {
            Err(SettingError::KeyDiffers { file })
        }
        _ => Ok(()),
    }
}

pub(super) fn load_key(file: &Path) -> Result<ServerKey, SettingError> {
    ServerKey::load(file).map_err(unusable("CORTEX_REPORT_KEY_FILE", file))
}

fn create_key(file: &Path, random: &Random) -> Result<(), SettingError> {
    ServerKey::create(file, random).map_err(unusable("CORTEX_REPORT_KEY_FILE", file))?;
    tracing::info!(file = %file.display(), "made a new key");
    Ok(())
}

/// Makes the key that the key file holds the database's; the file is made if it is not there. Ends
/// the logins under way, whose codes and links depend on the key before. Answers how many.
///
/// # Errors
///
/// A setting that does not work.
pub(crate) async fn replace_key(
    settings: &StoreSettings,
    random: &Random,
) -> Result<u64, SettingError> {
    let (url, file) = (&settings.database_url, &settings.key_file);
    let store = Store::open_ready(url, settings.database_connections).await?;
    if !file.exists() {
        create_key(file, random)?;
    }
    let key = load_key(file)?;
    let ended = store.replace_key_fingerprint(&key.fingerprint()).await?;
    store.close().await;
    Ok(ended)
}
