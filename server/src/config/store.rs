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

/// Settings of the database and of the server's key, which every command needs.
#[derive(Args, Clone, Debug)]
pub struct StoreSettings {
    /// Database: sqlite://FILE, which is created if it does not exist,
    /// postgres://USER:PASSWORD@HOST/DATABASE, or mariadb://USER:PASSWORD@HOST/DATABASE.
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

    /// Maximum number of connections to the database (3 to 1000). Two are reserved for reads.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "8",
        value_parser = clap::value_parser!(u32).range(3..=1000),
        global = true
    )]
    pub database_connections: u32,

    /// File of the server's key, on which secrets in the database depend; created if it does not
    /// exist. Keep it apart from backups of the database.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "cortex-report.key",
        global = true
    )]
    pub key_file: PathBuf,
}

/// Opens the database, brings its schema up to date, and loads the key that belongs to it.
///
/// # Errors
///
/// A setting cannot be used.
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
    tracing::info!(file = %file.display(), "created a new key");
    Ok(())
}

/// Makes the database use the key of the key file, which is created if it does not exist. Ends the
/// logins in progress, whose codes and links depend on the old key, and returns their number.
///
/// # Errors
///
/// A setting cannot be used.
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
