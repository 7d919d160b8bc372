//! Randomness, as a service that a test can seed.

use std::sync::{Mutex, PoisonError};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{
    Rng, RngExt, SeedableRng,
    rngs::{StdRng, SysError, SysRng},
};

use crate::secret::Secret;

/// The letters of a manual_code: no vowels, so that no words come out.
const CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const KEY_CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A cryptographic random number generator and what the service makes of it.
pub struct Random(Mutex<StdRng>);

impl Random {
    /// One that nobody can foresee.
    ///
    /// # Errors
    ///
    /// The operating system has no randomness.
    pub fn from_system() -> Result<Self, SysError> {
        Ok(Self(Mutex::new(StdRng::try_from_rng(&mut SysRng)?)))
    }

    /// One that gives the same for the same seed, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A new session_key: 256 bits in base64url.
    pub(crate) fn session_key(&self) -> Secret {
        Secret::new(BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<32>()))
    }

    /// A new manual_code: 8 letters, shown as `XXXX-XXXX`.
    pub(crate) fn manual_code(&self) -> Secret {
        let letters = self.characters(CODE_LETTERS, 8);
        Secret::new(format!("{}-{}", &letters[..4], &letters[4..]))
    }

    /// A new API key: 32 letters and digits.
    pub(crate) fn api_key(&self) -> String {
        self.characters(KEY_CHARACTERS, 32)
    }

    /// As many random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    fn characters(&self, alphabet: &[u8], length: usize) -> String {
        self.with(|rng| {
            (0..length)
                .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
                .collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut StdRng) -> T) -> T {
        // A generator is never left half changed, so a panic elsewhere does not spoil it.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
