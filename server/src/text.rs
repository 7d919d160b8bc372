//! Texts that one person writes and another one reads: names, and the output in a terminal.
//!
//! A character that cannot be seen, or that changes how the text around it reads, makes two names
//! look like one, or one look like another.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier,
        ExtendedPictographic, GeneralCategory, JoiningType, NoncharacterCodePoint,
        PrependedConcatenationMark,
    },
};
use sha2::{Digest, Sha256};

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const TEXT_PRESENTATION: char = '\u{fe0e}';
const EMOJI_PRESENTATION: char = '\u{fe0f}';
/// Characters with an empty glyph that Unicode calls symbols, and the place of an embedded object.
const BLANKS: [char; 3] = ['\u{2800}', '\u{fffc}', '\u{1d159}'];
/// Maximum number of marks on one letter (UTS 39, 5.4); more of them cover the lines around it.
const MAX_MARKS: usize = 4;
/// Maximum length of the key of a name, in characters: the width of its column.
pub const MAX_KEY_LENGTH: usize = 255;

/// Reason why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("needs at least one character")]
    Empty,
    /// A character that cannot be seen or that changes how others read.
    #[error("has the character {0}, which cannot be seen or changes how the text around it reads")]
    Hidden(CodePoint),
    /// A mark with nothing below it, or too many on one letter.
    #[error(
        "has the combining mark {0} without a letter below it, or more than {MAX_MARKS} marks on \
         one letter"
    )]
    Mark(CodePoint),
}

/// A character, shown as its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePoint(char);

impl fmt::Display for CodePoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "U+{:04X}", u32::from(self.0))
    }
}

/// Checks a name, and returns it without the white space around it.
///
/// Joiners and presentation selectors are allowed where a script or an emoji needs them, as in
/// Persian and in the emoji of a family.
///
/// # Errors
///
/// The name is empty, or could mislead its readers.
pub fn check_name(name: &str) -> Result<&str, NameError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let mut marks_left = 0;
    for (index, character) in name.char_indices() {
        let before = &name[..index];
        let after = &name[index + character.len_utf8()..];
        if is_hidden(character) && !is_needed(before, character, after) {
            return Err(NameError::Hidden(CodePoint(character)));
        }
        if !is_mark(character) {
            marks_left = MAX_MARKS;
        } else if marks_left == 0 {
            return Err(NameError::Mark(CodePoint(character)));
        } else {
            marks_left -= 1;
        }
    }
    Ok(name)
}

/// Maximum length of a short name.
pub const MAX_SHORT_NAME: usize = 32;
/// First segments of paths of the service, or of one to come, that no organization is named.
const RESERVED: [&str; 16] = [
    "admin", "api", "assets", "auth", "console", "docs", "healthz", "livez", "login", "metrics",
    "openapi", "readyz", "static", "verify", "www", "org",
];

/// Makes a short name of the name of an organization, as SDKs do: in lower case, with `_` for
/// spaces, and of the other characters only those that a path needs not escape.
pub fn short_name(name: &str) -> String {
    let characters = name.trim().chars().filter_map(|it| match it {
        ' ' => Some('_'),
        'A'..='Z' => Some(it.to_ascii_lowercase()),
        'a'..='z' | '0'..='9' | '-' | '_' => Some(it),
        _ => None,
    });
    let short: String = characters.take(MAX_SHORT_NAME).collect();
    match short.trim_matches(['-', '_']) {
        "" => "org".to_owned(),
        short => short.to_owned(),
    }
}

/// Returns true if no organization may have a short name.
pub fn is_reserved(short_name: &str) -> bool {
    RESERVED.contains(&short_name)
}

/// Returns the key under which a name is unique: names have the same key if they differ only in
/// case, in composed or compatible forms of their letters, in spaces or in invisible characters.
///
/// It is made for a compatibility caseless match (Unicode, D147), in the composed form.
pub fn name_key(name: &str) -> String {
    let fold = CaseMapper::new();
    let canonical = DecomposingNormalizerBorrowed::new_nfd().normalize(name);
    let folded = fold.fold_string(&canonical);
    let compatible = DecomposingNormalizerBorrowed::new_nfkd().normalize(&folded);
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let visible: String = compatible
        .chars()
        .filter(|character| !ignorable.contains(*character))
        .collect();
    let folded = fold.fold_string(&visible);
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&folded);
    let key = composed.split_whitespace().collect::<Vec<_>>().join(" ");
    if key.chars().count() <= MAX_KEY_LENGTH {
        return key;
    }
    // One letter may stand for a whole sentence, such as U+FDFA.
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&key));
    let begin = key.chars().take(MAX_KEY_LENGTH - digest.len());
    begin.chain(digest.chars()).collect()
}

/// Makes a text of unknown origin safe to print in a terminal: on one line, with U+FFFD for
/// invisible characters.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        let after = &text[index + character.len_utf8()..];
        printable.push(match category(character) {
            GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => ' ',
            _ if is_hidden(character) && !is_needed(&text[..index], character, after) => {
                char::REPLACEMENT_CHARACTER
            }
            _ => character,
        });
    }
    printable
}

/// Returns true if the character is invisible, or may look different to each reader.
fn is_hidden(character: char) -> bool {
    match category(character) {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse => true,
        GeneralCategory::Format => {
            !CodePointSetData::new::<PrependedConcatenationMark>().contains(character)
        }
        _ => {
            CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
                || CodePointSetData::new::<BidiControl>().contains(character)
                || CodePointSetData::new::<NoncharacterCodePoint>().contains(character)
                || BLANKS.contains(&character)
        }
    }
}

/// Returns true if a script or an emoji needs the hidden character in this place.
fn is_needed(before: &str, character: char, after: &str) -> bool {
    let Some(previous) = before.chars().next_back() else {
        return false;
    };
    match character {
        // RFC 5892, A.1 and A.2.
        ZERO_WIDTH_NON_JOINER => {
            is_virama(previous)
                || joins(
                    before.chars().rev(),
                    [JoiningType::LeftJoining, JoiningType::DualJoining],
                ) && joins(
                    after.chars(),
                    [JoiningType::RightJoining, JoiningType::DualJoining],
                )
        }
        ZERO_WIDTH_JOINER => is_virama(previous) || is_emoji_sequence(before, after),
        TEXT_PRESENTATION | EMOJI_PRESENTATION => {
            CodePointSetData::new::<Emoji>().contains(previous)
        }
        _ => false,
    }
}

fn is_virama(character: char) -> bool {
    let class = CodePointMapData::<CanonicalCombiningClass>::new().get(character);
    class == CanonicalCombiningClass::Virama
}

/// Returns true if the first character that is not transparent has one of two joining types.
fn joins(mut characters: impl Iterator<Item = char>, ways: [JoiningType; 2]) -> bool {
    let types = CodePointMapData::<JoiningType>::new();
    let first = characters
        .by_ref()
        .map(|character| types.get(character))
        .find(|way| *way != JoiningType::Transparent);
    first.is_some_and(|way| ways.contains(&way))
}

/// Returns true if a joiner between the two texts makes one emoji of them.
fn is_emoji_sequence(before: &str, after: &str) -> bool {
    let pictographic = CodePointSetData::new::<ExtendedPictographic>();
    let modifier = CodePointSetData::new::<EmojiModifier>();
    let base = before
        .chars()
        .rev()
        .find(|it| *it != EMOJI_PRESENTATION && !modifier.contains(*it));
    let is_pictographic = |it: Option<char>| it.is_some_and(|it| pictographic.contains(it));
    is_pictographic(base) && is_pictographic(after.chars().next())
}

/// Returns true if the character is a visible mark on, below or around the one before it.
fn is_mark(character: char) -> bool {
    let kind = category(character);
    matches!(
        kind,
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
    ) && !is_hidden(character)
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_are_taken() {
        for name in [
            "Space Miner",
            "Straße",
            "e\u{301}te\u{301}",
            "名前",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👨\u{200d}👩\u{200d}👧",
            "🧑🏽\u{200d}🚀",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🏴",
            "שָׁלוֹם",
            "สวัสดี",
            "؀123",
        ] {
            assert_eq!(check_name(&format!(" {name}\u{3000}")), Ok(name));
            assert_eq!(printable(name), name);
        }
    }

    #[test]
    fn names_that_mislead_are_refused() {
        for name in [
            "",
            " \u{3000}",
            "\u{200b}",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{202e}b",
            "a\u{2066}b",
            "\u{61c}a",
            "a\u{ad}b",
            "a\u{e0041}",
            "🏴\u{e0067}\u{e007f}",
            "\u{3164}",
            "\u{115f}a",
            "\u{ffa0}",
            "\u{2800}",
            "a\u{180e}b",
            "a\u{34f}b",
            "a\u{2062}b",
            "a\u{fff9}b",
            "a\u{200d}b",
            "a\u{200c}b",
            "\u{200d}",
            "می\u{200c}",
            "a\u{fe0f}",
            "a\u{e0101}",
            "a\u{2028}b",
            "a\u{1d173}b",
            "\u{e000}",
            "a\u{ffff}",
            "a\u{85}b",
            "\u{301}",
            "a\u{301}\u{301}\u{301}\u{301}\u{301}",
        ] {
            assert!(check_name(name).is_err(), "{name:?} must be refused");
        }
    }

    #[test]
    fn what_looks_the_same_has_one_key() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("Straße", "STRAẞE"),
            ("ΟΔΟΣ", "οδος"),
            ("caf\u{e9}", "CAFE\u{301}"),
            ("\u{212b}", "å"),
            ("ﬁn", "FIN"),
            ("Ｓｐａｃｅ", "space"),
            ("a \u{a0} b", "a b"),
            ("a\u{200b}b", "ab"),
            ("ᾳ", "ΑΙ"),
        ] {
            assert_eq!(name_key(one), name_key(other), "{one:?} is {other:?}");
        }
        assert_ne!(name_key("resume"), name_key("résumé"));
    }

    #[test]
    fn a_key_is_never_longer_than_its_column() {
        let long = |last: &str| name_key(&("\u{fdfa}".repeat(63) + last));
        assert_eq!(long("a").chars().count(), 255);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn a_terminal_gets_neither_controls_nor_marks_of_direction() {
        assert_eq!(printable("a\u{1b}[31m\tb\n"), "a [31m b ");
        assert_eq!(printable("a\u{202e}b\u{e0041}"), "a\u{fffd}b\u{fffd}");
    }
}
