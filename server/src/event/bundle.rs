//! Bundles of events, as SDKs send them.

use std::borrow::Cow;

use cortex_report_api::server::types::InvalidMember;
use serde_json::value::RawValue;

use super::{
    field::Field,
    json::{Members, Other, Scalar},
};

/// Maximum number of events of a bundle.
pub(super) const MAX_EVENTS: usize = 100;

/// Path that a bundle is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/{org}/1/track`
    Track,
    /// `/{org}/1/app_log`
    AppLog,
}

/// A bundle of events.
pub(super) struct Bundle<'a> {
    pub(super) endpoint: Endpoint,
    /// The key of the application that sends it.
    pub(super) api_key: Cow<'a, str>,
    /// Members that hold for each event that does not have its own.
    pub(super) shared: Members<'a>,
    /// The text of the bundle.
    pub(super) written: &'a str,
}

/// Events of a bundle.
pub(super) struct Events<'a> {
    /// Each event, or the kind of value that is there instead of one.
    pub(super) list: Vec<Result<Members<'a>, Other>>,
    /// The text of them all, which a repetition of the bundle has too.
    pub(super) written: &'a str,
}

impl<'a> Bundle<'a> {
    /// Reads a bundle from the text of a body.
    ///
    /// # Errors
    ///
    /// It is not an object, or has no key.
    pub(super) fn read(text: &'a str, endpoint: Endpoint) -> Result<Self, InvalidMember> {
        let whole: &RawValue = serde_json::from_str(text)
            .map_err(|error| unusable("/body", format!("is not valid JSON: {error}")))?;
        let shared: Members<'_> =
            serde_json::from_str(whole.get()).map_err(|_| unusable("/body", "is not an object"))?;
        let api_key = match shared.get(Field::ApiKey).map(Scalar::of) {
            Some(Ok(Scalar::Text(key))) => key,
            Some(_) => return Err(unusable("/body/api_key", "is not a string")),
            None => return Err(unusable("/body/api_key", "is required")),
        };
        Ok(Self {
            endpoint,
            api_key,
            shared,
            written: whole.get(),
        })
    }

    /// Its events.
    ///
    /// # Errors
    ///
    /// There is no list of 1 to [`MAX_EVENTS`] events.
    pub(super) fn events(&self) -> Result<Events<'a>, InvalidMember> {
        let place = "/body/events";
        let Some(list) = self.shared.get(Field::Events) else {
            return match self.endpoint {
                // A single line of log, whose members are those of the bundle.
                Endpoint::AppLog => Ok(Events {
                    list: vec![Ok(Members::none())],
                    written: self.written,
                }),
                Endpoint::Track => Err(unusable(place, "is required")),
            };
        };
        let values: Vec<&RawValue> =
            serde_json::from_str(list.get()).map_err(|_| unusable(place, "is not a list"))?;
        match values.len() {
            0 => Err(unusable(place, "has no event")),
            count if count > MAX_EVENTS => {
                let detail = format!("has {count} events, more than {MAX_EVENTS}");
                Err(unusable(place, detail))
            }
            _ => Ok(Events {
                list: values.into_iter().map(event).collect(),
                written: list.get(),
            }),
        }
    }
}

fn event(value: &RawValue) -> Result<Members<'_>, Other> {
    match Scalar::of(value) {
        Ok(_) => Err("a single value"),
        Err(other) => serde_json::from_str(value.get()).map_err(|_| other),
    }
}

pub(super) fn unusable(pointer: &str, detail: impl Into<String>) -> InvalidMember {
    InvalidMember {
        pointer: pointer.to_owned(),
        detail: detail.into(),
    }
}
