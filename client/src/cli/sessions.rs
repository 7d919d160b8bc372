//! The keys of sessions, kept in the configuration folder of the platform.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::Secret;

/// The key of each service that somebody is logged in to, in a file that only its owner reads.
pub(super) struct Sessions {
    file: PathBuf,
    kept: Kept,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// The service of the last login.
    last_url: Option<String>,
    /// The key by the URL of its service. A key is never sent anywhere else.
    session_keys: BTreeMap<String, Secret>,
}

impl Sessions {
    pub(super) fn load() -> Result<Self, Failure> {
        let folder = etcetera::base_strategy::choose_native_strategy()
            .map_err(|error| Failure::Failed(format!("no configuration folder: {error}")))?
            .config_dir();
        let file = folder.join("cortex-report").join("sessions.json");
        let kept = read(&file)?;
        Ok(Self { file, kept })
    }

    pub(super) fn last_url(&self) -> Option<&str> {
        self.kept.last_url.as_deref()
    }

    pub(super) fn key(&self, url: &str) -> Option<Secret> {
        self.kept.session_keys.get(url).cloned()
    }

    pub(super) fn keep(&self, url: &str, key: Secret) -> Result<(), Failure> {
        self.change(|kept| {
            kept.last_url = Some(url.to_owned());
            kept.session_keys.insert(url.to_owned(), key);
        })
    }

    /// Forgets a key, if it is the one that is kept for this URL.
    pub(super) fn forget(&self, url: &str, key: &Secret) -> Result<(), Failure> {
        self.change(|kept| {
            if kept.session_keys.get(url) == Some(key) {
                kept.session_keys.remove(url);
            }
        })
    }

    /// Changes the file as it is now: another login may have ended while this one was waited for.
    fn change(&self, change: impl FnOnce(&mut Kept)) -> Result<(), Failure> {
        let mut kept = read(&self.file)?;
        change(&mut kept);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            // Made with mode 0600, and put in place whole or not at all.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &kept)?;
            file.flush()?;
            file.persist(&self.file)?;
            Ok(())
        };
        write().map_err(|error| {
            Failure::Failed(format!(
                "{} cannot be written: {error}",
                self.file.display()
            ))
        })
    }
}

fn read(file: &Path) -> Result<Kept, Failure> {
    match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|_| {
            Failure::Failed(format!(
                "{} is not as cortex-report writes it.\nDelete it and log in again.",
                file.display()
            ))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(Failure::Failed(format!(
            "{} cannot be read: {error}",
            file.display()
        ))),
    }
}
