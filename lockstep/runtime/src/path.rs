//! Path templates of a document, and the parameters of a request's path.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The parameters of a path by name, as they were sent.
pub(crate) type PathParameters<'a> = Vec<(&'a str, String)>;

/// A path whose parameters are in braces.
pub(crate) struct Template(Vec<Vec<Piece>>);

/// A part of a segment.
enum Piece {
    Literal(String),
    Parameter(String),
}

/// Rank of a segment by how much it matches: literal text comes before parameters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Openness {
    Literal,
    Mixed,
    Parameter,
}

impl Template {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.split('/').map(pieces).collect())
    }

    /// The path, if it has no parameters.
    pub(crate) fn literal(&self) -> Option<String> {
        let segments = self.0.iter().map(|segment| match segment.as_slice() {
            [] => Some(""),
            [Piece::Literal(literal)] => Some(literal.as_str()),
            _ => None,
        });
        let segments: Option<Vec<&str>> = segments.collect();
        Some(segments?.join("/"))
    }

    /// Its rank among paths that match the same request: the lower one is tried first.
    pub(crate) fn openness(&self) -> Vec<Openness> {
        let segments = self.0.iter().map(|segment| match segment.as_slice() {
            [] | [Piece::Literal(_)] => Openness::Literal,
            [Piece::Parameter(_)] => Openness::Parameter,
            _ => Openness::Mixed,
        });
        segments.collect()
    }

    /// The parameters of a path, if it matches this template.
    pub(crate) fn matches(&self, path: &str) -> Option<PathParameters<'_>> {
        let mut given = path.split('/');
        let mut parameters = Vec::new();
        for segment in &self.0 {
            take(segment, given.next()?, &mut parameters)?;
        }
        given.next().is_none().then_some(parameters)
    }
}

/// Takes the parameters of a segment out of what was given.
fn take<'a>(
    segment: &'a [Piece],
    mut given: &str,
    parameters: &mut PathParameters<'a>,
) -> Option<()> {
    for (index, piece) in segment.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => given = given.strip_prefix(literal.as_str())?,
            Piece::Parameter(name) => {
                let end = match segment.get(index + 1) {
                    // The last one that is written out ends the segment.
                    Some(Piece::Literal(literal)) if index + 2 == segment.len() => {
                        given.strip_suffix(literal.as_str())?.len()
                    }
                    Some(Piece::Literal(literal)) => given.find(literal.as_str())?,
                    _ => given.len(),
                };
                if end == 0 {
                    return None;
                }
                parameters.push((name.as_str(), given[..end].to_owned()));
                given = &given[end..];
            }
        }
    }
    given.is_empty().then_some(())
}

fn pieces(segment: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else {
            break;
        };
        if !before.is_empty() {
            pieces.push(Piece::Literal(encoded(before)));
        }
        pieces.push(Piece::Parameter(name.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(encoded(rest)));
    }
    pieces
}

/// A path as requests have it: characters that a URL path cannot have are percent-encoded.
fn encoded(path: &str) -> String {
    /// The path percent-encode set of the URL standard, except the braces of parameters.
    const NOT_IN_PATHS: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'^')
        .add(b'`');
    utf8_percent_encode(path, NOT_IN_PATHS).to_string()
}
