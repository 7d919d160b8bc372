//! Credentials of a request: where it carries them, and which ones an operation requires.

use std::{borrow::Cow, sync::Arc};

use poem::{
    Request,
    http::{HeaderValue, StatusCode, header},
    web::headers::{Authorization, HeaderMapExt, authorization::Basic},
};
use serde_json::{Map, Value};

use crate::{InvalidMember, Secret, document::members, problem::join};

/// The extension of a member of a body, `true`: it carries the key of the cookie of its name.
const BODY_MEMBER: &str = "x-body-member";

/// Security requirements of an operation.
pub(crate) struct Access {
    /// The schemes of its alternatives, each once.
    schemes: Vec<Scheme>,
    /// The schemes that are presented together, as places among `schemes`.
    alternatives: Vec<Vec<usize>>,
    /// The status for a missing credential; `None` if credentials are optional.
    pub(crate) missing: Option<StatusCode>,
    challenges: Vec<HeaderValue>,
}

/// A key in a request: its scheme, its place and member, and its value.
type Found<'a> = (&'a Scheme, (&'static str, &'a str), Cow<'a, str>);

struct Scheme {
    name: Arc<str>,
    carrier: Carrier,
}

/// The characters of a token of RFC 6750, section 2.1.
const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0;
    while byte < token.len() {
        let character = byte as u8;
        token[byte] = character.is_ascii_alphanumeric()
            || matches!(character, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        byte += 1;
    }
    token
};

/// Part of a request that carries a credential.
enum Carrier {
    Bearer,
    Basic,
    Header(String),
    Query(String),
    Cookie {
        name: String,
        /// True if the member of the body that has the cookie's name carries it too.
        in_body: bool,
    },
}

/// The credentials that a request presents, by the names of their schemes.
#[derive(Clone, Default)]
pub struct Presented(Vec<(Arc<str>, Proof)>);

#[derive(Clone)]
enum Proof {
    Key(Secret),
    Basic(String, Secret),
}

impl Presented {
    /// The key or token of a scheme.
    pub fn key(&self, scheme: &str) -> Option<Secret> {
        self.0.iter().find_map(|(name, proof)| match proof {
            Proof::Key(key) if **name == *scheme => Some(key.clone()),
            _ => None,
        })
    }

    /// User and password of a scheme.
    pub fn basic(&self, scheme: &str) -> Option<(String, Secret)> {
        self.0.iter().find_map(|(name, proof)| match proof {
            Proof::Basic(user, password) if **name == *scheme => {
                Some((user.clone(), password.clone()))
            }
            _ => None,
        })
    }

    fn has(&self, scheme: &str) -> bool {
        self.0.iter().any(|(name, _)| **name == *scheme)
    }
}

impl Access {
    /// The access to an operation whose body is of the schema `body`.
    pub(crate) fn new(document: &Value, operation: &Value, body: &Value) -> Self {
        let requirements = operation
            .get("security")
            .or_else(|| document.get("security"))
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut access = Self {
            schemes: Vec::new(),
            alternatives: Vec::new(),
            missing: None,
            challenges: Vec::new(),
        };
        let mut is_optional = requirements.is_empty();
        for requirement in requirements {
            let mut alternative = Vec::new();
            for (name, _) in members(requirement) {
                let known = access.schemes.iter().position(|it| *it.name == **name);
                let place = known.or_else(|| {
                    let scheme = &document["components"]["securitySchemes"][name];
                    access.schemes.push(Scheme {
                        name: name.as_str().into(),
                        carrier: Carrier::new(scheme, body)?,
                    });
                    Some(access.schemes.len() - 1)
                });
                alternative.extend(place);
            }
            match alternative.is_empty() {
                true => is_optional = true,
                false => access.alternatives.push(alternative),
            }
        }
        let documented = |status| operation["responses"].get(status).is_some();
        access.missing = match is_optional || access.alternatives.is_empty() {
            true => None,
            // A document may describe 403 only.
            false if documented("403") && !documented("401") => Some(StatusCode::FORBIDDEN),
            false => Some(StatusCode::UNAUTHORIZED),
        };
        for scheme in &access.schemes {
            let challenge = scheme.carrier.challenge();
            if !access.challenges.contains(&challenge) {
                access.challenges.push(challenge);
            }
        }
        access
    }

    /// The values of `WWW-Authenticate` in a 401.
    pub(crate) fn challenges(&self) -> &[HeaderValue] {
        &self.challenges
    }

    /// The names of the members of a query that carry keys.
    pub(crate) fn query_keys(&self) -> impl Iterator<Item = &str> {
        self.schemes
            .iter()
            .filter_map(|scheme| match &scheme.carrier {
                Carrier::Query(name) => Some(name.as_str()),
                _ => None,
            })
    }

    /// Returns true if a request presents what one of the alternatives needs.
    pub(crate) fn is_satisfied(&self, presented: &Presented) -> bool {
        self.alternatives.iter().any(|alternative| {
            let mut schemes = alternative.iter().filter_map(|it| self.schemes.get(*it));
            schemes.all(|scheme| presented.has(&scheme.name))
        })
    }

    /// Removes the credentials from a request, so that handlers cannot read another one.
    ///
    /// # Errors
    ///
    /// Two different keys, each of which would be sufficient.
    pub(crate) fn extract(
        &self,
        request: &mut Request,
        query: Option<&mut Map<String, Value>>,
        body: Option<&mut Map<String, Value>>,
    ) -> Result<Presented, Vec<InvalidMember>> {
        if self.schemes.is_empty() {
            return Ok(Presented::default());
        }
        let mut found: Vec<Found<'_>> = Vec::new();
        let mut presented = Presented::default();
        let mut of_body = body;
        let mut of_query = query;
        let headers = request.headers();
        for scheme in &self.schemes {
            match &scheme.carrier {
                Carrier::Bearer => {
                    let keys = bearer_keys(request);
                    found.extend(keys.map(|key| (scheme, ("/header", "Authorization"), key)));
                }
                Carrier::Basic => {
                    if let Some(Authorization(basic)) = headers.typed_get::<Authorization<Basic>>()
                    {
                        let password = Secret::from(basic.password());
                        let proof = Proof::Basic(basic.username().to_owned(), password);
                        presented.0.push((scheme.name.clone(), proof));
                    }
                }
                Carrier::Header(name) => {
                    let values = headers.get_all(name).iter();
                    let keys = values.map(|value| text(value.as_bytes()));
                    found.extend(keys.map(|key| (scheme, ("/header", name.as_str()), key)));
                }
                Carrier::Query(name) => {
                    let key = of_query.as_mut().and_then(|query| query.remove(name));
                    if let Some(Value::String(key)) = key {
                        found.push((scheme, ("/query", name.as_str()), Cow::Owned(key)));
                    }
                }
                Carrier::Cookie { name, in_body } => {
                    let keys = cookie_keys(request, name);
                    found.extend(keys.map(|key| (scheme, ("/cookie", name.as_str()), key)));
                    if let (true, Some(body)) = (in_body, &mut of_body)
                        && let Some(Value::String(key)) = body.remove(name)
                    {
                        // Another site can make a browser send a cookie, but cannot read it to put
                        // it into a body: the key is as trustworthy here as in a header.
                        let bearer = |it: &&Scheme| matches!(it.carrier, Carrier::Bearer);
                        let scheme = self.schemes.iter().find(bearer).unwrap_or(scheme);
                        found.push((scheme, ("/body", name.as_str()), Cow::Owned(key)));
                    }
                }
            }
        }
        self.refuse_different(&found)?;
        for (scheme, _, key) in found {
            // Keys with other characters are ignored.
            if scheme.carrier.can_carry(&key) && !presented.has(&scheme.name) {
                let key = Secret::from(key.into_owned());
                presented.0.push((scheme.name.clone(), Proof::Key(key)));
            }
        }
        let headers = request.headers_mut();
        headers.remove(header::AUTHORIZATION);
        headers.remove(header::COOKIE);
        Ok(presented)
    }

    /// Refuses different keys if each of them would be sufficient.
    fn refuse_different(&self, found: &[Found<'_>]) -> Result<(), Vec<InvalidMember>> {
        if found.len() < 2 {
            return Ok(());
        }
        let is_alone = |scheme: &Scheme| {
            let mut alternatives = self.alternatives.iter();
            alternatives.any(|alternative| match alternative.as_slice() {
                [only] => self.schemes[*only].name == scheme.name,
                _ => false,
            })
        };
        let alone: Vec<_> = found
            .iter()
            .filter(|(scheme, ..)| is_alone(scheme))
            .collect();
        if alone.iter().all(|(_, _, key)| *key == alone[0].2) {
            return Ok(());
        }
        let errors = alone
            .into_iter()
            .map(|(_, (place, name), _)| InvalidMember {
                pointer: join(place, name),
                detail: "differs from another key in the request: send only one".to_owned(),
            });
        Err(errors.collect())
    }
}

impl Carrier {
    fn new(scheme: &Value, body: &Value) -> Option<Self> {
        let name = scheme["name"].as_str().unwrap_or_default().to_owned();
        Some(match (scheme["type"].as_str()?, scheme["in"].as_str()) {
            ("apiKey", Some("header")) => Self::Header(name),
            ("apiKey", Some("query")) => Self::Query(name),
            ("apiKey", Some("cookie")) => Self::Cookie {
                in_body: body["properties"][&name][BODY_MEMBER] == true,
                name,
            },
            ("http", _) if scheme["scheme"] == "basic" => Self::Basic,
            ("http" | "oauth2" | "openIdConnect", _) => Self::Bearer,
            _ => return None,
        })
    }

    /// Returns true if a key has only the characters of a token, or of an API key: any visible
    /// ones.
    fn can_carry(&self, key: &str) -> bool {
        match self {
            Self::Header(_) | Self::Query(_) => key.bytes().all(|byte| byte.is_ascii_graphic()),
            _ => key.bytes().all(|byte| TOKEN[usize::from(byte)]),
        }
    }

    /// The challenge of RFC 9110 that asks for it.
    fn challenge(&self) -> HeaderValue {
        let text = match self {
            Self::Basic => "Basic realm=\"api\", charset=\"UTF-8\"".to_owned(),
            Self::Bearer | Self::Cookie { .. } => "Bearer".to_owned(),
            Self::Header(name) | Self::Query(name) => format!("ApiKey name={name:?}"),
        };
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

/// Bearer tokens, even with invalid bytes: one invalid header does not invalidate the others.
fn bearer_keys(request: &Request) -> impl Iterator<Item = Cow<'_, str>> {
    let values = request.headers().get_all(header::AUTHORIZATION).iter();
    values.filter_map(|value| {
        let (scheme, key) = split_once(value.as_bytes(), b' ')?;
        let key = key.trim_ascii();
        let is_bearer = scheme.eq_ignore_ascii_case(b"bearer") && !key.is_empty();
        is_bearer.then(|| text(key))
    })
}

fn cookie_keys<'a>(request: &'a Request, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    let values = request.headers().get_all(header::COOKIE).iter();
    let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let (cookie, key) = split_once(pair.trim_ascii(), b'=')?;
        let is_named = cookie == name.as_bytes() && !key.is_empty();
        is_named.then(|| text(key))
    })
}

fn text(key: &[u8]) -> Cow<'_, str> {
    // A shortcut for nearly all keys, which are valid UTF-8.
    str::from_utf8(key).map_or_else(|_| String::from_utf8_lossy(key), Cow::Borrowed)
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}
