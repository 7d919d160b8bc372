//! Descriptions of types, with the limits that a Rust type does not express.

use serde_json::Value;

/// The description of a schema and the limits of its values, which the Rust type does not express.
pub(crate) fn described(schema: &Value) -> String {
    let mut paragraphs = vec![text(schema, "description").trim_end().to_owned()];
    for (schema, of) in [(schema, "Limits"), (&schema["items"], "Limits of each")] {
        let limits = limits(schema);
        if !limits.is_empty() {
            paragraphs.push(format!("{of}: {}", limits.join(", ")));
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// The keywords of a schema that limit a value and do not change its type.
fn limits(schema: &Value) -> Vec<String> {
    const LIMITS: [&str; 14] = [
        "format",
        "minimum",
        "exclusiveMinimum",
        "maximum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "pattern",
    ];
    /// The formats that determine the type.
    const TYPES: [&str; 16] = [
        "binary",
        "date",
        "date-time",
        "double",
        "float",
        "int16",
        "int32",
        "int64",
        "int8",
        "password",
        "uint",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
        "uuid",
    ];
    let limit = |keyword: &&str| match schema.get(keyword)? {
        // A limit that no value exceeds.
        Value::Bool(false) => None,
        Value::Number(least)
            if keyword.starts_with("min") && *keyword != "minimum" && least.as_u64() == Some(0) =>
        {
            None
        }
        Value::String(text) if TYPES.contains(&text.as_str()) => None,
        Value::String(text) => Some(format!("`{keyword}: {text}`")),
        value => Some(format!("`{keyword}: {value}`")),
    };
    LIMITS.iter().filter_map(limit).collect()
}

fn text(schema: &Value, keyword: &str) -> String {
    schema[keyword].as_str().unwrap_or_default().to_owned()
}
