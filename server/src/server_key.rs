//! Key of the server, with which codes and links are authenticated.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{random::Random, secret::Secret};

/// Secret key of the server. Codes, which are short, and links, which have to be made again for
/// each mail, depend on it, so that the database alone reveals neither.
#[derive(Clone)]
pub struct ServerKey(Vec<u8>);

impl ServerKey {
    /// Reads the key from a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has fewer than 32 characters.
    pub fn load(path: &Path) -> io::Result<Self> {
        let key = fs::read_to_string(path)?.trim().as_bytes().to_vec();
        if key.len() < 32 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it has fewer than 32 characters",
            ));
        }
        Ok(Self(key))
    }

    /// Creates a file with a new key, complete or not at all, since another instance may do the
    /// same at the same moment: then the key of that instance is used.
    ///
    /// # Errors
    ///
    /// The file cannot be created.
    pub fn create(path: &Path, random: &Random) -> io::Result<()> {
        let encode = |bytes: [u8; 32]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".{}", encode(random.bytes())));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(encode(random.bytes()).as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&unfinished, path);
        fs::remove_file(&unfinished)?;
        match linked {
            // The other instance was first, so its key is used.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    }

    /// Returns a text that distinguishes this key from others, and reveals nothing of it.
    pub(crate) fn fingerprint(&self) -> String {
        let fingerprint = self.mac("fingerprint", b"", b"").finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(fingerprint)
    }

    /// Returns the token of the verification URL for a session's nonce.
    pub(crate) fn link_token(&self, nonce: &[u8]) -> Secret {
        let token = self.mac("link", nonce, b"").finalize().into_bytes();
        Secret::from(BASE64_URL_SAFE_NO_PAD.encode(token))
    }

    /// Returns the MAC of a manual_code, which is stored in its place: the code is too short for an
    /// unkeyed hash.
    pub(crate) fn code_mac(&self, nonce: &[u8], code: &Secret) -> Vec<u8> {
        let code = code.reveal().as_bytes();
        self.mac("code", nonce, code)
            .finalize()
            .into_bytes()
            .to_vec()
    }

    /// Returns true if `mac` was made from this code. Compares in constant time.
    pub(crate) fn is_code(&self, nonce: &[u8], code: &Secret, mac: &[u8]) -> bool {
        let code = code.reveal().as_bytes();
        self.mac("code", nonce, code).verify_slice(mac).is_ok()
    }

    fn mac(&self, purpose: &str, nonce: &[u8], value: &[u8]) -> Hmac<Sha256> {
        // HMAC takes a key of any length; the fallback is never reached.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in [purpose.as_bytes(), nonce, value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}
