//! Randomness, as a service that a test can seed.

use std::{
    array,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{
    Rng, RngExt, SeedableRng,
    rngs::{StdRng, SysError, SysRng},
};

use crate::secret::Secret;

/// The letters of a manual_code: no vowels, so that no words come out.
pub(crate) const CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Number of letters in a manual_code.
pub(crate) const CODE_LENGTH: usize = 8;
const KEY_CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Five bits each.
const ID_CHARACTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A cryptographic random number generator and what the service makes of it.
pub struct Random {
    secrets: Mutex<StdRng>,
    ids: Ids,
}

/// The source of the ids of requests, apart, so that no secret depends on how many there were.
enum Ids {
    /// The generator of each thread: one that all share takes a twentieth of the time of a request.
    System,
    Seeded(Box<Mutex<StdRng>>),
}

impl Random {
    /// One that nobody can foresee.
    ///
    /// # Errors
    ///
    /// The operating system has no randomness.
    pub fn from_system() -> Result<Self, SysError> {
        Ok(Self {
            secrets: Mutex::new(StdRng::try_from_rng(&mut SysRng)?),
            ids: Ids::System,
        })
    }

    /// One that gives the same for the same seed, for tests.
    pub fn seeded(seed: u64) -> Self {
        let rng = || Mutex::new(StdRng::seed_from_u64(seed));
        Self {
            secrets: rng(),
            ids: Ids::Seeded(Box::new(rng())),
        }
    }

    /// A new session_key: 256 bits in base64url.
    pub(crate) fn session_key(&self) -> Secret {
        Secret::new(BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<32>()))
    }

    /// A new manual_code: 8 letters, shown as `XXXX-XXXX`.
    pub(crate) fn manual_code(&self) -> Secret {
        let letters = characters(&self.secrets, CODE_LETTERS, CODE_LENGTH);
        shown_code(&letters)
    }

    /// A new API key: 32 letters and digits.
    pub(crate) fn api_key(&self) -> String {
        characters(&self.secrets, KEY_CHARACTERS, 32)
    }

    /// A new id of a request: 16 letters and digits.
    pub(crate) fn id(&self) -> [u8; 16] {
        let bits: u128 = match &self.ids {
            Ids::System => rand::random(),
            Ids::Seeded(rng) => lock(rng).random(),
        };
        array::from_fn(|at| ID_CHARACTERS[(bits >> (5 * at)) as usize % 32])
    }

    /// As many random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        lock(&self.secrets).fill_bytes(&mut bytes);
        bytes
    }
}

/// A manual_code as it is shown and compared, of its letters.
pub(crate) fn shown_code(letters: &str) -> Secret {
    Secret::new(match letters.split_at_checked(CODE_LENGTH / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters.to_owned(),
    })
}

fn characters(rng: &Mutex<StdRng>, alphabet: &[u8], length: usize) -> String {
    let mut rng = lock(rng);
    (0..length)
        .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
        .collect()
}

fn lock(rng: &Mutex<StdRng>) -> MutexGuard<'_, StdRng> {
    // A generator is never left half changed, so a panic elsewhere does not spoil it.
    rng.lock().unwrap_or_else(PoisonError::into_inner)
}
