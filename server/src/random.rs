//! Random number generator of the service, which tests can seed.

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

/// Letters of a manual_code: no vowels, so that they form no words.
pub(crate) const CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Number of letters in a manual_code.
pub(crate) const CODE_LENGTH: usize = 8;
const KEY_CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Number of characters of an API key.
pub(crate) const API_KEY_LENGTH: usize = 32;
/// Prefix of a service token, by which secret scanners find it. A random session_key begins with it
/// with negligible probability.
pub(crate) const TOKEN_PREFIX: &str = "cortexreport_";
/// Number of characters of a service token after its beginning: 256 bits.
const TOKEN_LENGTH: usize = 43;
/// Characters of the id of a request, of five bits each.
const ID_CHARACTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Cryptographic random number generator, and the values that the service makes with it.
pub struct Random {
    secrets: Mutex<StdRng>,
    ids: Ids,
}

/// Source of the ids of requests. It is a separate one, so that no secret depends on the number of
/// requests.
enum Ids {
    /// Generator of each thread: a shared one would take a twentieth of the time of a request.
    System,
    Seeded(Box<Mutex<StdRng>>),
}

impl Random {
    /// Creates a generator that cannot be predicted.
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

    /// Creates a generator that gives the same values for the same seed, for tests.
    pub fn seeded(seed: u64) -> Self {
        let rng = || Mutex::new(StdRng::seed_from_u64(seed));
        Self {
            secrets: rng(),
            ids: Ids::Seeded(Box::new(rng())),
        }
    }

    /// Returns a new session_key: 256 bits in base64url.
    pub(crate) fn session_key(&self) -> Secret {
        Secret::from(BASE64_URL_SAFE_NO_PAD.encode(self.bytes::<32>()))
    }

    /// Returns a new manual_code: 8 letters, shown as `XXXX-XXXX`.
    pub(crate) fn manual_code(&self) -> Secret {
        let letters = characters(&self.secrets, CODE_LETTERS, CODE_LENGTH);
        shown_code(&letters)
    }

    /// Returns a new API key: 32 letters and digits.
    pub(crate) fn api_key(&self) -> String {
        characters(&self.secrets, KEY_CHARACTERS, API_KEY_LENGTH)
    }

    /// Returns a new service token: [`TOKEN_PREFIX`], then letters and digits.
    pub(crate) fn service_token(&self) -> Secret {
        let rest = characters(&self.secrets, KEY_CHARACTERS, TOKEN_LENGTH);
        Secret::from(format!("{TOKEN_PREFIX}{rest}"))
    }

    /// Returns a new id of a request: 16 letters and digits.
    pub(crate) fn id(&self) -> [u8; 16] {
        let bits: u128 = match &self.ids {
            Ids::System => rand::random(),
            Ids::Seeded(rng) => lock(rng).random(),
        };
        array::from_fn(|at| ID_CHARACTERS[(bits >> (5 * at)) as usize % 32])
    }

    /// Returns `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        lock(&self.secrets).fill_bytes(&mut bytes);
        bytes
    }
}

/// Returns the manual_code of the letters, in the form in which it is shown and compared.
pub(crate) fn shown_code(letters: &str) -> Secret {
    Secret::from(match letters.split_at_checked(CODE_LENGTH / 2) {
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
