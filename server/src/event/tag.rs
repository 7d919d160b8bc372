//! Tags of users and devices.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::{
    field::Field,
    json::{Members, Scalar},
};

/// Maximum length of a tag, in characters.
const MAX_LENGTH: usize = 64;
/// Number of characters that are kept of a longer tag, before its digest.
const KEPT: usize = 38;
/// Number of digits of a digest of 128 bits in base 36.
const DIGITS: usize = 25;

/// Prefix of the user_map_tag of a device of which nothing else is known.
const DEVICE: &str = "dt";

/// The members that say who a user is, the first that is sent decides, each with the prefix of its
/// user_map_tag.
const USERS: [(Field, &str); 5] = [
    (Field::UserTag, "ut"),
    (Field::FacebookTag, "fb"),
    (Field::GoogleTag, "gg"),
    (Field::GameCenterTag, "gc"),
    (Field::TwitterTag, "tw"),
];

/// The user_map_tag of the user that an event or its bundle names, if they name one.
pub(super) fn of_user(of: [&Members<'_>; 2]) -> Option<String> {
    USERS.into_iter().find_map(|(field, prefix)| {
        let value = of.into_iter().find_map(|members| members.get(field))?;
        let tag = Scalar::of(value).ok()?.into_text();
        (!tag.is_empty()).then(|| with_prefix(prefix, &tag))
    })
}

/// The user_map_tag of a device of which nothing else is known.
pub(crate) fn of_device(device_tag: &str) -> String {
    with_prefix(DEVICE, device_tag)
}

/// The user_map_tag of a user_tag.
pub(crate) fn of_user_tag(user_tag: &str) -> String {
    with_prefix(USERS[0].1, user_tag)
}

fn with_prefix(prefix: &str, tag: &str) -> String {
    shortened(Cow::Owned(format!("{prefix}{tag}"))).into_owned()
}

/// A tag of at most 64 characters, which every database takes. A longer one keeps its beginning, and
/// gets a digest of all of it, so that two people never become one.
pub(super) fn shortened(tag: Cow<'_, str>) -> Cow<'_, str> {
    // PostgreSQL takes no text with this character.
    let tag = match tag.contains('\0') {
        true => Cow::Owned(tag.replace('\0', "\u{fffd}")),
        false => tag,
    };
    if tag.len() <= MAX_LENGTH || tag.chars().count() <= MAX_LENGTH {
        return tag;
    }
    let kept: String = tag.chars().take(KEPT).collect();
    let digest: [u8; 32] = Sha256::digest(tag.as_bytes()).into();
    let mut left = digest[..16]
        .iter()
        .fold(0, |number, byte| number << 8 | u128::from(*byte));
    let mut digits = [0; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(left % 36) as usize];
        left /= 36;
    }
    let digits: String = digits.into_iter().map(char::from).collect();
    Cow::Owned(format!("{kept}.{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tags_that_begin_alike_stay_apart() {
        let long = |end: char| format!("{}{end}", "ä".repeat(64));
        let (first, second) = (shortened(long('1').into()), shortened(long('2').into()));
        assert_eq!(first.chars().count(), MAX_LENGTH);
        assert_ne!(first, second);
        assert_eq!(first, shortened(long('1').into()));
        let fits = "ä".repeat(64);
        assert_eq!(shortened(fits.as_str().into()), fits);
        // With its prefix it is too long.
        assert_eq!(of_device(&fits).chars().count(), MAX_LENGTH);
        assert_eq!(of_device("d1"), "dtd1");
        assert_eq!(of_user_tag("7"), "ut7");
    }

    #[test]
    fn the_first_tag_of_a_user_decides() {
        let read = |json| serde_json::from_str::<Members<'_>>(json).unwrap();
        let bundle = read(r#"{"user_tag": "ann", "twitter_tag": "t"}"#);
        assert_eq!(of_user([&read("{}"), &bundle]).as_deref(), Some("utann"));
        let event = read(r#"{"user_tag": 7}"#);
        assert_eq!(of_user([&event, &bundle]).as_deref(), Some("ut7"));
        let social = read(r#"{"user_tag": "", "google_tag": "g", "game_center_tag": "c"}"#);
        assert_eq!(of_user([&social, &read("{}")]).as_deref(), Some("ggg"));
        assert_eq!(of_user([&read(r#"{"user_tag": null}"#), &read("{}")]), None);
    }
}
