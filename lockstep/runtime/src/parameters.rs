//! Parameters: the texts of a request as JSON values.

use percent_encoding::{percent_decode, percent_decode_str};
use poem::{Request, http::header};
use serde_json::{Map, Value};

use crate::{
    InvalidMember,
    document::{members, resolve},
    path::PathParameters,
    problem::{invalid, join, quoted},
};

/// A parameter, and how it is written.
pub(crate) struct Parameter {
    name: String,
    pub(crate) place: Place,
    shape: Shape,
    style: Style,
    explode: bool,
    is_file: bool,
    /// Value of a missing parameter.
    default: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Values with commas between them, or in a query, the name before each.
    Plain,
    Space,
    Pipe,
    /// `name[member]=value`.
    Deep,
    /// `.value`, in a path.
    Label,
    /// `;name=value`, in a path.
    Matrix,
}

/// Structure of a value.
enum Shape {
    Scalar,
    List,
    /// The names of the members that are known.
    Object(Vec<String>),
}

impl Parameter {
    pub(crate) fn new(document: &Value, parameter: &Value) -> Option<Self> {
        let place = match parameter["in"].as_str()? {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            "cookie" => Place::Cookie,
            _ => return None,
        };
        let style = match parameter["style"].as_str() {
            Some("spaceDelimited") => Style::Space,
            Some("pipeDelimited") => Style::Pipe,
            Some("deepObject") => Style::Deep,
            Some("label") => Style::Label,
            Some("matrix") => Style::Matrix,
            _ => Style::Plain,
        };
        let is_exploded = matches!(place, Place::Query | Place::Cookie) && style == Style::Plain;
        Some(Self {
            name: parameter["name"].as_str()?.to_owned(),
            place,
            shape: Shape::of(document, &parameter["schema"], 0),
            style,
            explode: parameter["explode"].as_bool().unwrap_or(is_exploded),
            is_file: false,
            default: parameter["schema"].get("default").cloned(),
        })
    }

    /// The members of a form, which are written as those of a query.
    pub(crate) fn of_form(document: &Value, schema: &Value) -> Vec<Self> {
        let mut parameters = Vec::new();
        let mut open = vec![resolve(document, schema)];
        while let Some(schema) = open.pop() {
            for (name, schema) in members(&schema["properties"]) {
                let is_file = |schema: &Value| {
                    schema["format"] == "binary" || !schema["contentMediaType"].is_null()
                };
                let member = resolve(document, schema);
                parameters.push(Self {
                    name: name.clone(),
                    place: Place::Query,
                    shape: Shape::of(document, schema, 0),
                    style: Style::Plain,
                    explode: true,
                    is_file: is_file(member) || is_file(resolve(document, &member["items"])),
                    default: None,
                });
            }
            let parts = ["allOf", "anyOf", "oneOf"].into_iter();
            let parts = parts.flat_map(|it| schema[it].as_array().into_iter().flatten());
            open.extend(parts.map(|part| resolve(document, part)));
        }
        parameters
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some()
    }

    /// Returns true if it is a file of a multipart body.
    pub(crate) fn is_file(&self) -> bool {
        self.is_file
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List)
    }

    /// The text without the prefix of its style; `None` if the prefix is missing.
    fn without_prefix<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.style {
            Style::Label => text.strip_prefix('.'),
            Style::Matrix => {
                let text = text.strip_prefix(';')?;
                let is_one = !self.explode || matches!(self.shape, Shape::Scalar);
                match is_one {
                    true => text.strip_prefix(self.name.as_str())?.strip_prefix('='),
                    false => Some(text),
                }
            }
            _ => Some(text),
        }
    }

    /// Parses a value; null if the text does not follow the style.
    fn value(&self, text: &str) -> Value {
        let Some(text) = self.without_prefix(text) else {
            return Value::Null;
        };
        let separator = match self.style {
            Style::Space => ' ',
            Style::Pipe => '|',
            Style::Label if self.explode => '.',
            Style::Matrix if self.explode => ';',
            _ => ',',
        };
        let named = format!("{}=", self.name);
        let is_named = self.style == Style::Matrix && self.explode;
        let mut parts = text.split(separator).map(|part| {
            let part = part
                .strip_prefix(&named)
                .filter(|_| is_named)
                .unwrap_or(part);
            part.to_owned()
        });
        match &self.shape {
            Shape::Scalar => Value::String(text.to_owned()),
            Shape::List if text.is_empty() => Value::Array(Vec::new()),
            Shape::List => parts.map(Value::String).collect(),
            Shape::Object(_) if self.explode => {
                let members = parts.filter_map(|part| {
                    let (name, value) = part.split_once('=')?;
                    Some((name.to_owned(), Value::String(value.to_owned())))
                });
                Value::Object(members.collect())
            }
            Shape::Object(_) => {
                let mut members = Map::new();
                while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                    members.insert(name, Value::String(value));
                }
                Value::Object(members)
            }
        }
    }
}

impl Shape {
    fn of(document: &Value, schema: &Value, depth: usize) -> Self {
        /// Depth limit, for schemas that refer to themselves.
        const DEEPEST: usize = 16;
        if depth > DEEPEST {
            return Self::Scalar;
        }
        let schema = resolve(document, schema);
        let is = |kind: &str| match &schema["type"] {
            Value::Array(kinds) => kinds.iter().any(|it| it == kind),
            said => said == kind,
        };
        if is("array") || schema["type"].is_null() && !schema["items"].is_null() {
            return Self::List;
        }
        if is("object") || schema["type"].is_null() && !schema["properties"].is_null() {
            let names = members(&schema["properties"]).map(|(name, _)| name.clone());
            return Self::Object(names.collect());
        }
        let parts = ["allOf", "anyOf", "oneOf"].into_iter();
        let parts = parts.flat_map(|keyword| schema[keyword].as_array().into_iter().flatten());
        let mut shapes = parts.map(|part| Self::of(document, part, depth + 1));
        let composed = shapes.find(|shape| !matches!(shape, Self::Scalar));
        composed.unwrap_or(Self::Scalar)
    }
}

/// Sets missing parameters to their documented defaults.
pub(crate) fn with_defaults(parameters: &[Parameter], given: &mut Map<String, Value>) {
    for parameter in parameters {
        let of_place = given.get_mut(parameter.place.name());
        if let (Some(Value::Object(of_place)), Some(default)) = (of_place, &parameter.default) {
            of_place
                .entry(&parameter.name)
                .or_insert_with(|| default.clone());
        }
    }
}

/// The path's parameters, decoded.
pub(crate) fn of_path(
    parameters: &[Parameter],
    given: &PathParameters<'_>,
    errors: &mut Vec<InvalidMember>,
) -> Map<String, Value> {
    let mut decoded = Map::new();
    for (name, text) in given {
        let known = parameters
            .iter()
            .find(|it| it.place == Place::Path && it.name == *name);
        match percent_decode_str(text).decode_utf8() {
            Ok(text) => {
                let value = known.map_or_else(|| Value::from(&*text), |it| it.value(&text));
                decoded.insert(name.to_string(), value);
            }
            Err(_) => errors.push(invalid(&join("/path", name), "is not UTF-8")),
        }
    }
    decoded
}

/// The members of a query or form.
pub(crate) fn of_pairs(
    parameters: &[Parameter],
    place: &str,
    text: &[u8],
    errors: &mut Vec<InvalidMember>,
) -> Map<String, Value> {
    let mut given = Map::new();
    if percent_decode(text).decode_utf8().is_err() {
        errors.push(invalid(place, "is not UTF-8"));
        return given;
    }
    let of_query = || parameters.iter().filter(|it| it.place == Place::Query);
    for (name, text) in form_urlencoded::parse(text) {
        let composed = of_query().find(|it| it.name == name);
        let (name, value) = match composed {
            Some(Parameter {
                shape: Shape::List,
                explode: true,
                ..
            }) => {
                let list = given
                    .entry(name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(Value::String(text.into_owned()));
                }
                continue;
            }
            Some(parameter) => (name.into_owned(), parameter.value(&text)),
            None => match of_query().find_map(|it| it.member(&name)) {
                Some((parameter, member)) => {
                    let object = given
                        .entry(parameter)
                        .or_insert_with(|| Value::Object(Map::new()));
                    let Value::Object(members) = object else {
                        continue;
                    };
                    let value = Value::String(text.into_owned());
                    if members.insert(member, value).is_some() {
                        let detail = format!("has the member {:?} twice", quoted(&name));
                        errors.push(invalid(place, detail));
                    }
                    continue;
                }
                None => (name.into_owned(), Value::String(text.into_owned())),
            },
        };
        if given.insert(name.clone(), value).is_some() {
            let detail = format!("has the member {:?} twice", quoted(&name));
            errors.push(invalid(place, detail));
        }
    }
    given
}

impl Parameter {
    /// The parameter and its member that a name in a query means, if it means one of this object.
    fn member(&self, name: &str) -> Option<(String, String)> {
        let Shape::Object(known) = &self.shape else {
            return None;
        };
        let member = match self.style {
            Style::Deep => {
                let rest = name.strip_prefix(self.name.as_str())?;
                rest.strip_prefix('[')?.strip_suffix(']')?.to_owned()
            }
            _ if self.explode && known.iter().any(|it| it == name) => name.to_owned(),
            _ => return None,
        };
        Some((self.name.clone(), member))
    }
}

/// The headers that are parameters.
pub(crate) fn of_headers(
    parameters: &[Parameter],
    request: &Request,
    errors: &mut Vec<InvalidMember>,
) -> Map<String, Value> {
    let mut given = Map::new();
    for parameter in parameters.iter().filter(|it| it.place == Place::Header) {
        let values = request.headers().get_all(&parameter.name).iter();
        let texts: Vec<_> = values
            .map(|value| str::from_utf8(value.as_bytes()))
            .collect();
        let texts: Result<Vec<&str>, _> = texts.into_iter().collect();
        let place = || join("/header", &parameter.name);
        match (texts, &parameter.shape) {
            (Err(_), _) => errors.push(invalid(&place(), "is not UTF-8")),
            (Ok(texts), _) if texts.is_empty() => {}
            (Ok(texts), Shape::Scalar) if texts.len() > 1 => {
                errors.push(invalid(&place(), "is sent more than once"));
            }
            (Ok(texts), shape) => {
                // RFC 9110, 5.3: several lines mean the same as one with commas.
                let text = texts.join(",");
                let mut value = parameter.value(&text);
                if let (Value::Array(items), Shape::List) = (&mut value, shape) {
                    for item in items {
                        *item = item.as_str().unwrap_or_default().trim().into();
                    }
                }
                given.insert(parameter.name.clone(), value);
            }
        }
    }
    given
}

/// The cookies that are parameters.
pub(crate) fn of_cookies(
    parameters: &[Parameter],
    request: &Request,
    errors: &mut Vec<InvalidMember>,
) -> Map<String, Value> {
    let mut given = Map::new();
    for value in request.headers().get_all(header::COOKIE) {
        let Ok(text) = str::from_utf8(value.as_bytes()) else {
            errors.push(invalid("/cookie", "is not UTF-8"));
            continue;
        };
        for (name, value) in text
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
        {
            let mut known = parameters.iter().filter(|it| it.place == Place::Cookie);
            if let Some(parameter) = known.find(|it| it.name == name) {
                let decoded = percent_decode_str(value).decode_utf8_lossy();
                given.insert(name.to_owned(), parameter.value(&decoded));
            }
        }
    }
    given
}
