//! Secrets: values that no log shows.

use std::{fmt, fs, io, path::Path};

use sha2::{Digest, Sha256};

/// A value that is shown to the one whom it is for, and to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a value from being shown by accident.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value that a file holds, without the white space around it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds nothing.
    pub fn read(file: &Path) -> io::Result<Self> {
        let value = fs::read_to_string(file)?.trim().to_owned();
        if value.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
        }
        Ok(Self(value))
    }

    /// The value, to be sent to the one whom it is for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the value, which is stored in its place if it has 128 random bits or more.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
