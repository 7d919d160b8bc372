//! Secrets: read from files, and stored as digests.

use std::{fs, io, path::Path};

pub(crate) use openapi_lockstep_runtime::Secret;
use sha2::{Digest, Sha256};

/// Reads the secret that a file holds, without the white space around it.
///
/// # Errors
///
/// The file cannot be read, or is empty.
pub(crate) fn read(file: &Path) -> io::Result<Secret> {
    let value = fs::read_to_string(file)?.trim().to_owned();
    if value.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
    }
    Ok(value.into())
}

/// Returns the SHA-256 of a text. It is stored in place of a secret with 128 random bits or more.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
