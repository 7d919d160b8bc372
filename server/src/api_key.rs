//! The tag `api_key`: the API keys of an application, one by one.

mod create_api_key;
mod list_api_keys;
mod revoke_api_key;
mod update_api_key;

use cortex_report_api::server::{
    Failure,
    types::{ApiKey, ApiKeyState},
};

use crate::{
    clock::Timestamp,
    service::{checked_name, not_allowed_since},
    store::api_key::{self, MAX_WORKING},
};

/// Checks the label of a key, if a request has one.
fn checked_label(label: Option<&str>) -> Result<Option<&str>, Failure> {
    let label = label.map(|label| checked_name(label, "/body/label"));
    label.transpose()
}

/// Returns the error for a request that would let too many keys work.
fn no_room() -> Failure {
    not_allowed_since(format!(
        "The application has {MAX_WORKING} API keys that work. Revoke one of them first."
    ))
}

/// An API key as a reply has it.
fn reply(key: api_key::Model, now: Timestamp) -> ApiKey {
    let state = match key.state(now) {
        api_key::State::Active => ApiKeyState::Active,
        api_key::State::Ended => ApiKeyState::Ended,
        api_key::State::Revoked => ApiKeyState::Revoked,
    };
    ApiKey {
        api_key_id: key.id.0,
        api_key: key.key,
        label: key.label,
        state,
        created_at: key.created_at.into(),
        used_at: key.used_at.map(Into::into),
        ends_at: key.ends_at.map(Into::into),
    }
}
