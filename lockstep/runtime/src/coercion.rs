//! Coercion of values before they are checked.

use std::collections::HashMap;

use serde_json::{Number, Value};

use crate::{
    InvalidMember,
    document::{members, resolve},
    problem::{invalid, join},
};

/// The coercions of a schema and its parts, collected once: searching the schema takes more time
/// than the rest of a check.
pub(crate) struct Coercions(Vec<Coercion>);

/// Notation of values, by which they are coerced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// As texts: those of a path, a query, a header, a cookie or a form.
    Texts,
    /// As JSON where a form may say the same, so that an integer may be a decimal string.
    Loosely,
    /// As JSON.
    Exactly,
}

/// The coercion of the values of one schema.
#[derive(Default)]
struct Coercion {
    kind: Option<Kind>,
    /// The coercions of an object's members, as places in the list of all.
    members: HashMap<String, usize>,
    /// The coercion of the members without a name.
    others: Option<usize>,
    /// The coercion of a list's items.
    items: Option<usize>,
}

#[derive(Clone)]
enum Kind {
    /// White space around an e-mail address is removed, as in a browser's own field: a user does
    /// not see it.
    Address,
    /// A decimal string, and a number without a fraction, becomes an integer between these.
    Integer(i128, i128),
    Number,
    Boolean,
    /// The first of these as which a string can be parsed.
    First(Vec<Kind>),
}

/// A place in a request.
#[derive(Clone, Copy)]
enum Place<'a> {
    Request,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(self) -> String {
        match self {
            Self::Request => String::new(),
            Self::Member(parent, name) => join(&parent.pointer(), name),
            Self::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

impl Coercions {
    /// The coercions of a schema whose references point into itself.
    pub(crate) fn new(schema: &Value) -> Self {
        let mut coercions = Self(Vec::new());
        coercions.add(schema, schema, &mut HashMap::new());
        coercions
    }

    /// Adds the coercions of a part of a schema. Returns its place in the list.
    fn add(
        &mut self,
        whole: &Value,
        schema: &Value,
        referenced: &mut HashMap<String, usize>,
    ) -> usize {
        let place = self.0.len();
        if let Some(reference) = schema["$ref"].as_str() {
            if let Some(place) = referenced.get(reference) {
                return *place;
            }
            // Before its parts, which may refer to it.
            referenced.insert(reference.to_owned(), place);
        }
        self.0.push(Coercion::default());
        let schema = resolve(whole, schema);
        let mut coercion = Coercion {
            kind: Kind::of(whole, schema, 0),
            members: members(&schema["properties"])
                .map(|(name, schema)| (name.clone(), self.add(whole, schema, referenced)))
                .collect(),
            others: schema["additionalProperties"]
                .is_object()
                .then(|| self.add(whole, &schema["additionalProperties"], referenced)),
            items: schema
                .get("items")
                .map(|items| self.add(whole, items, referenced)),
        };
        let parts = ["allOf", "oneOf", "anyOf"].into_iter();
        let parts = parts.flat_map(|keyword| schema[keyword].as_array().into_iter().flatten());
        for part in parts {
            let part = self.add(whole, part, referenced);
            // One that is being added is not there yet.
            let Coercion {
                members,
                items,
                others,
                ..
            } = &self.0[part];
            let (inner, items, others) = (members.clone(), *items, *others);
            for (name, member) in inner {
                coercion.members.entry(name).or_insert(member);
            }
            coercion.items = coercion.items.or(items);
            coercion.others = coercion.others.or(others);
        }
        self.0[place] = coercion;
        place
    }

    /// Coerces the members of a value of the whole schema, each as it is written, and adds what is
    /// wrong with them.
    pub(crate) fn apply(
        &self,
        value: &mut Value,
        written: impl Fn(&str) -> Written,
        errors: &mut Vec<InvalidMember>,
    ) {
        if let Value::Object(members) = value {
            for (name, member) in members {
                if let Some(number) = self.0[0].members.get(name) {
                    let place = Place::Member(&Place::Request, name);
                    self.apply_at(*number, member, place, written(name), errors);
                }
            }
        }
    }

    fn apply_at(
        &self,
        number: usize,
        value: &mut Value,
        place: Place<'_>,
        written: Written,
        errors: &mut Vec<InvalidMember>,
    ) {
        let coercion = &self.0[number];
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let Some(number) = coercion.members.get(name).or(coercion.others.as_ref()) {
                        let place = Place::Member(&place, name);
                        self.apply_at(*number, member, place, written, errors);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(number) = coercion.items {
                    for (index, item) in items.iter_mut().enumerate() {
                        let place = Place::Item(&place, index);
                        self.apply_at(number, item, place, written, errors);
                    }
                }
            }
            Value::String(_) | Value::Number(_) => {
                if let Some(kind) = &coercion.kind {
                    kind.apply(value, place, written, errors);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

impl Kind {
    fn of(whole: &Value, schema: &Value, depth: usize) -> Option<Self> {
        /// Depth limit, for schemas that refer to themselves.
        const DEEPEST: usize = 8;
        let schema = resolve(whole, schema);
        let format = schema["format"].as_str();
        let of_type = |kind: &Value| {
            Some(match (kind.as_str()?, format) {
                ("integer", format) => {
                    let (least, most) = limits(format);
                    Self::Integer(least, most)
                }
                ("number", _) => Self::Number,
                ("boolean", _) => Self::Boolean,
                (_, Some("email" | "idn-email")) => Self::Address,
                _ => return None,
            })
        };
        match &schema["type"] {
            Value::Array(kinds) if kinds.iter().any(|kind| kind == "string") => {
                of_type(&Value::from("string"))
            }
            Value::Array(kinds) => Self::first(kinds.iter().filter_map(of_type).collect()),
            kind @ Value::String(_) => of_type(kind),
            _ if depth > DEEPEST => None,
            _ => {
                let parts = ["allOf", "oneOf", "anyOf"].into_iter();
                let parts = parts.flat_map(|it| schema[it].as_array().into_iter().flatten());
                let is_text = |part: &Value| resolve(whole, part)["type"] == "string";
                let parts: Vec<&Value> = parts.collect();
                // A string stays a string if the schema allows it.
                if parts.iter().any(|part| is_text(part)) {
                    return None;
                }
                let kinds = parts
                    .into_iter()
                    .filter_map(|it| Self::of(whole, it, depth + 1));
                Self::first(kinds.collect())
            }
        }
    }

    fn first(mut kinds: Vec<Self>) -> Option<Self> {
        match kinds.len() {
            0 => None,
            1 => kinds.pop(),
            _ => Some(Self::First(kinds)),
        }
    }

    fn apply(
        &self,
        value: &mut Value,
        place: Place<'_>,
        written: Written,
        errors: &mut Vec<InvalidMember>,
    ) {
        match self {
            Self::Address => {
                if let Value::String(text) = value
                    && text.trim().len() < text.len()
                {
                    *text = text.trim().to_owned();
                }
            }
            Self::Integer(least, most) => {
                if written != Written::Exactly || value.is_number() {
                    if let Some(integer) = integer(value) {
                        *value = integer;
                    }
                    if !fits(value, *least, *most) {
                        errors.push(invalid(&place.pointer(), "is too large an integer"));
                    }
                }
            }
            Self::Number if written == Written::Texts => {
                let number = value.as_str().and_then(|text| text.parse().ok());
                let number = number.filter(|_| value.as_str().is_some_and(is_plain_number));
                if let Some(number) = number.and_then(Number::from_f64) {
                    *value = Value::Number(number);
                }
            }
            Self::Boolean if written == Written::Texts => match value.as_str() {
                Some("true") => *value = Value::Bool(true),
                Some("false") => *value = Value::Bool(false),
                _ => {}
            },
            Self::Number | Self::Boolean => {}
            Self::First(kinds) => {
                for kind in kinds {
                    let mut tried = value.clone();
                    kind.apply(&mut tried, place, written, &mut Vec::new());
                    if tried != *value {
                        *value = tried;
                        return;
                    }
                }
            }
        }
    }
}

/// The minimum and maximum of an integer format.
fn limits(format: Option<&str>) -> (i128, i128) {
    match format {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

/// Returns true unless a value is an integer that is too large. Numbers with a fraction are left to
/// the check of the schema's type.
fn fits(value: &Value, least: i128, most: i128) -> bool {
    let integer = value.as_i64().map(i128::from);
    match integer.or_else(|| value.as_u64().map(i128::from)) {
        Some(integer) => (least..=most).contains(&integer),
        None => value.as_f64().is_none_or(|float| float.fract() != 0.0),
    }
}

/// Parses an integer from a decimal string or a number without a fraction.
fn integer(value: &Value) -> Option<Value> {
    // The integers that a double holds exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) => {
            let signed = text.parse::<i64>().ok().map(Number::from);
            let integer = signed.or_else(|| text.parse::<u64>().ok().map(Number::from))?;
            // Only the canonical notation.
            let written = integer.to_string();
            (written == *text).then_some(Value::Number(integer))
        }
        Value::Number(number) => {
            let float = number.as_f64()?;
            let is_exact = number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT;
            is_exact.then_some(Value::from(float as i64))
        }
        _ => None,
    }
}

/// Returns true if a text is a number as JSON writes one.
fn is_plain_number(text: &str) -> bool {
    serde_json::from_str::<Number>(text).is_ok()
}
