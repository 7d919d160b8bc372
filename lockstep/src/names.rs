//! Identifiers of the generated code for the names in a document.
//!
//! Names in a document are arbitrary, and Rust's identifiers are not. Within a scope, identifiers
//! are unique. The first use of a name gets the plain identifier, so that later additions rename
//! nothing.

use std::collections::HashSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};

/// The keywords of edition 2024, strict and reserved. `syn` does not know `gen`.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
/// The keywords that cannot be written as raw identifiers.
const NEVER_RAW: [&str; 4] = ["crate", "self", "Self", "super"];

/// The text of an identifier, without the `r#` of a raw one.
pub(crate) fn unraw(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// The identifiers of one scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope(HashSet<String>);

impl Scope {
    /// A scope in which these identifiers are in use.
    pub(crate) fn new<'a>(taken: impl IntoIterator<Item = &'a str>) -> Self {
        Self(taken.into_iter().map(str::to_owned).collect())
    }

    /// The identifier of a type or variant.
    pub(crate) fn upper(&mut self, name: &str) -> Ident {
        self.choose(name, |words| words.to_upper_camel_case())
    }

    /// The identifier of a function, field or argument.
    pub(crate) fn lower(&mut self, name: &str) -> Ident {
        self.choose(name, |words| words.to_snake_case())
    }

    /// The first free candidate: the plain one, the one with its signs spelled out, or a numbered
    /// one.
    fn choose(&mut self, name: &str, case: impl Fn(&str) -> String) -> Ident {
        let words = [plain_words(name), spelled_words(name)];
        let mut candidates = words.iter().filter_map(|words| identifier(&case(words)));
        let free = candidates.find(|candidate| !self.0.contains(candidate));
        let chosen = free.unwrap_or_else(|| {
            let mut number = 2;
            loop {
                let numbered = case(&format!("{} {number}", words[1]));
                match identifier(&numbered) {
                    Some(numbered) if !self.0.contains(&numbered) => break numbered,
                    _ => number += 1,
                }
            }
        });
        self.0.insert(chosen.clone());
        ident(&chosen)
    }
}

/// The words of a name, separated by everything but letters, digits and apostrophes, which are
/// dropped.
fn plain_words(name: &str) -> String {
    let letters = name
        .chars()
        .filter(|letter| !matches!(letter, '\'' | '\u{2019}'));
    letters.map(or_space).collect()
}

/// The words of a name with its signs spelled out, which distinguishes `a+` from `a` and `<` from
/// `>`.
fn spelled_words(name: &str) -> String {
    if name.is_empty() {
        return "empty".to_owned();
    }
    let mut words = String::new();
    for letter in name.chars() {
        match sign(letter) {
            Some(word) => words.extend([" ", word, " "]),
            None => words.push(or_space(letter)),
        }
    }
    match words.trim() {
        "" => "unnamed".to_owned(),
        _ => words,
    }
}

fn or_space(letter: char) -> char {
    if letter.is_alphanumeric() {
        letter
    } else {
        ' '
    }
}

fn sign(letter: char) -> Option<&'static str> {
    Some(match letter {
        '+' => "plus",
        '-' => "minus",
        '*' => "star",
        '/' => "slash",
        '\\' => "backslash",
        '<' => "less",
        '>' => "greater",
        '=' => "equal",
        '!' => "not",
        '~' => "tilde",
        '&' => "and",
        '|' => "or",
        '^' => "caret",
        '%' => "percent",
        '#' => "hash",
        '@' => "at",
        '$' => "dollar",
        '?' => "question",
        '.' => "dot",
        ',' => "comma",
        ':' => "colon",
        ';' => "semicolon",
        '_' => "underscore",
        '\'' | '\u{2019}' => "quote",
        '"' => "double quote",
        '(' => "open",
        ')' => "close",
        '[' => "open bracket",
        ']' => "close bracket",
        '{' => "open brace",
        '}' => "close brace",
        ' ' => "space",
        _ => return None,
    })
}

/// Makes a text an identifier: drops the characters that none may have, and puts an underscore
/// before a digit at the start and behind a keyword that cannot be raw. Returns `None` if nothing
/// but underscores is left.
fn identifier(text: &str) -> Option<String> {
    let allowed = |letter: &char| unicode_ident::is_xid_continue(*letter);
    let text: String = text.chars().filter(allowed).collect();
    let first = text.chars().next()?;
    let begins = unicode_ident::is_xid_start(first);
    let text = if begins { text } else { format!("_{text}") };
    let is_anonymous = text.chars().all(|letter| letter == '_');
    match NEVER_RAW.contains(&text.as_str()) {
        true => Some(format!("{text}_")),
        false => (!is_anonymous).then_some(text),
    }
}

/// Returns true if the text is a keyword, strict or reserved.
pub(crate) fn is_keyword(text: &str) -> bool {
    KEYWORDS.contains(&text)
}

/// An identifier as Rust has to write it.
pub(crate) fn ident(text: &str) -> Ident {
    let span = Span::call_site();
    match is_keyword(text) {
        true => Ident::new_raw(text, span),
        false => Ident::new(text, span),
    }
}
