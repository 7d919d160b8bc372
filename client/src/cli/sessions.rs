//! Session keys, stored in the configuration folder of the platform.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Failure, MAX_KEY_LENGTH, auth::Account, is_session_key};
use crate::Secret;

/// Maximum number of symbolic links followed in a row; the limit of Linux.
const MAX_LINKS: usize = 40;
/// Session keys of all services that the user is logged in to, in a file that only its owner can
/// read.
pub(super) struct Sessions {
    file: PathBuf,
    kept: Kept,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// URL of the service of the last login.
    last_url: Option<String>,
    /// Keys by the URL of their service, of the account that is used there. A key is never sent to
    /// another URL.
    session_keys: BTreeMap<String, Secret>,
    /// Keys by URL and address, of all accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    accounts: BTreeMap<String, BTreeMap<String, Secret>>,
    /// Organizations that are used where none is given, by URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    orgs: BTreeMap<String, i64>,
}

impl Kept {
    fn insert(&mut self, url: &str, email: &str, key: Secret) {
        self.last_url = Some(url.to_owned());
        self.session_keys.insert(url.to_owned(), key.clone());
        let accounts = self.accounts.entry(url.to_owned()).or_default();
        accounts.insert(email.to_owned(), key);
    }

    fn remove(&mut self, url: &str, key: &Secret) -> bool {
        let accounts = self.accounts.entry(url.to_owned()).or_default();
        let count = accounts.len();
        accounts.retain(|_, kept| kept != key);
        let is_kept = accounts.len() < count;
        if accounts.is_empty() {
            self.accounts.remove(url);
        }
        let is_current = self.session_keys.get(url) == Some(key);
        if is_current {
            self.session_keys.remove(url);
        }
        is_kept || is_current
    }
}

impl Sessions {
    pub(super) fn load() -> Result<Self, Failure> {
        let folder = etcetera::base_strategy::choose_native_strategy()
            .map_err(|error| {
                Failure::Failed(format!("cannot find the configuration folder: {error}"))
            })?
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

    /// Key of an account.
    pub(super) fn key_of(&self, url: &str, email: &str) -> Option<Secret> {
        self.kept.accounts.get(url)?.get(email).cloned()
    }

    /// All accounts that are logged in.
    pub(super) fn accounts(&self) -> Vec<Account> {
        let current = |url: &str, key: &Secret| self.kept.session_keys.get(url) == Some(key);
        let of_url = |(url, accounts): (&String, &BTreeMap<String, Secret>)| {
            let account = |(email, key): (&String, &Secret)| Account {
                url: url.clone(),
                email: Some(email.clone()),
                is_current: current(url, key),
            };
            accounts.iter().map(account).collect::<Vec<_>>()
        };
        let mut accounts: Vec<Account> = self.kept.accounts.iter().flat_map(of_url).collect();
        for (url, key) in &self.kept.session_keys {
            let named = self.kept.accounts.get(url);
            if !named.is_some_and(|named| named.values().any(|it| it == key)) {
                accounts.push(Account {
                    url: url.clone(),
                    email: None,
                    is_current: true,
                });
            }
        }
        accounts
    }

    /// Uses another account of a service. Returns false if it is not logged in.
    pub(super) fn switch(&self, url: &str, email: &str) -> Result<bool, Failure> {
        let Some(key) = self.key_of(url, email) else {
            return Ok(false);
        };
        self.change(|kept| {
            kept.last_url = Some(url.to_owned());
            kept.session_keys.insert(url.to_owned(), key);
        })?;
        Ok(true)
    }

    /// Organization that is used at a service where none is given.
    pub(super) fn org(&self, url: &str) -> Option<i64> {
        self.kept.orgs.get(url).copied()
    }

    pub(super) fn use_org(&self, url: &str, org_id: i64) -> Result<(), Failure> {
        self.change(|kept| {
            kept.orgs.insert(url.to_owned(), org_id);
        })
    }

    /// Checks that [`keep`](Self::keep) will succeed, by doing all but its last step. Leaves no
    /// file behind.
    pub(super) fn check_writable(&self, url: &str) -> Result<(), Failure> {
        let mut kept = self.kept.clone();
        let longest = "-".repeat(MAX_KEY_LENGTH);
        kept.insert(url, &longest, Secret::from(longest.as_str()));
        let written = self.write_beside(&kept);
        written.map(drop).map_err(|error| self.unwritable(&error))
    }

    pub(super) fn keep(&self, url: &str, email: &str, key: Secret) -> Result<(), Failure> {
        self.change(|kept| kept.insert(url, email, key))
    }

    /// Removes a key if it is the one stored for this URL. Returns true if it was.
    pub(super) fn forget(&self, url: &str, key: &Secret) -> Result<bool, Failure> {
        let mut is_kept = false;
        self.change(|kept| is_kept = kept.remove(url, key))?;
        Ok(is_kept)
    }

    /// Changes the current content of the file: another login may have finished while this one was
    /// waiting.
    fn change(&self, change: impl FnOnce(&mut Kept)) -> Result<(), Failure> {
        let mut kept = read(&self.file)?;
        change(&mut kept);
        let replace = || -> io::Result<()> {
            let (file, target) = self.write_beside(&kept)?;
            file.persist(target)?;
            Ok(())
        };
        replace().map_err(|error| self.unwritable(&error))
    }

    /// Writes a temporary file, which then replaces the sessions file atomically. If the sessions
    /// file is a symbolic link, its target is replaced: otherwise the old keys would stay there.
    fn write_beside(&self, kept: &Kept) -> io::Result<(NamedTempFile, PathBuf)> {
        let target = follow_links(&self.file)?;
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Made with mode 0600.
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, kept)?;
        file.as_file().sync_all()?;
        Ok((file, target))
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::Failed(format!(
            "{} cannot be written: {error}.\nThe session_key of a login is stored there: make it \
             writable, or choose another folder with HOME or XDG_CONFIG_HOME.",
            self.file.display()
        ))
    }
}

/// Resolves the symbolic links of a path, even if the final file does not exist yet.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let folder = path.parent().unwrap_or(Path::new("."));
                path = folder.join(fs::read_link(&path)?);
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

fn read(file: &Path) -> Result<Kept, Failure> {
    let spoilt = || {
        Failure::Failed(format!(
            "{} is not a valid file of cortex-report.\nDelete it and log in again.",
            file.display()
        ))
    };
    match fs::read(file) {
        Ok(text) => {
            let kept: Kept = serde_json::from_slice(&text).map_err(|_| spoilt())?;
            let accounts = kept.accounts.values().flat_map(BTreeMap::values);
            let mut keys = kept.session_keys.values().chain(accounts);
            match keys.all(|key| is_session_key(key.reveal())) {
                true => Ok(kept),
                false => Err(spoilt()),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(Failure::Failed(format!(
            "{} cannot be read: {error}",
            file.display()
        ))),
    }
}
