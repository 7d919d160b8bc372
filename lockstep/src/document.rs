use serde_json::Value;
use utoipa::openapi::OpenApi;

use crate::{Refusal, extensions, normal::normalise, pointers::join, rules::Rules, source::Source};

/// An OpenAPI document that the generators can write out whole.
pub struct Document {
    pub(crate) file: String,
    /// As it was read, in JSON.
    written: String,
    /// With its extensions written out.
    pub(crate) source: Source,
    pub(crate) model: OpenApi,
}

impl Document {
    /// The document as JSON, members in their order and numbers digit by digit, for whoever calls
    /// the service.
    pub fn json(&self) -> String {
        self.written.clone()
    }

    /// The same with the extensions of lockstep written out in plain OpenAPI, for a server that
    /// checks requests against it, and for comparisons.
    pub fn contract(&self) -> String {
        self.source.value.to_string()
    }

    /// The version of what the document describes, `info.version`.
    pub fn version(&self) -> &str {
        &self.model.info.version
    }
}

/// Reads an OpenAPI document, 3.0 or 3.1, from its YAML or JSON text. `file` names it in refusals.
///
/// # Errors
///
/// Every place of the document that is wrong, that the model would lose, or that the generated
/// code could not say, in the order of the text.
pub fn read(file: &str, text: &str) -> Result<Document, Vec<Refusal>> {
    let mut source = Source::parse(file, text)?;
    let written = source.json();
    normalise(&mut source.value);
    let mut refusals = extensions::write_out(&mut source);
    refusals.extend(Rules::check(&source));
    let model = serde_json::from_value::<OpenApi>(source.value.clone());
    match &model {
        Ok(model) => {
            let kept = serde_json::to_value(model).unwrap_or_default();
            for (pointer, reason) in losses(&source.value, &kept) {
                if !refusals.iter().any(|refusal| refusal.pointer == pointer) {
                    refusals.push(source.refusal(&pointer, reason));
                }
            }
        }
        Err(error) if refusals.is_empty() => {
            refusals.push(source.refusal("", format!("is not an OpenAPI document: {error}")));
        }
        Err(_) => {}
    }
    refusals.sort();
    // What several operations refer to is looked at for each of them.
    refusals.dedup();
    match model {
        Ok(model) if refusals.is_empty() => Ok(Document {
            file: file.to_owned(),
            written,
            source,
            model,
        }),
        _ => Err(refusals),
    }
}

/// What `read` says and `kept`, the model written back, does not.
fn losses(read: &Value, kept: &Value) -> Vec<(String, String)> {
    fn compare(read: &Value, kept: &Value, pointer: String, losses: &mut Vec<(String, String)>) {
        match (read, kept) {
            (Value::Object(read), Value::Object(kept)) => {
                for (name, value) in read {
                    let inner = join(&pointer, name);
                    match kept.get(name) {
                        Some(kept) => compare(value, kept, inner, losses),
                        None if says_nothing(name, value) => {}
                        None => losses.push((inner, "is lost by utoipa's model".to_owned())),
                    }
                }
            }
            (Value::Array(read), Value::Array(kept)) if read.len() == kept.len() => {
                for (index, (read, kept)) in read.iter().zip(kept).enumerate() {
                    compare(read, kept, format!("{pointer}/{index}"), losses);
                }
            }
            (Value::Number(read), Value::Number(kept)) if read.as_f64() == kept.as_f64() => {}
            _ if read == kept => {}
            _ => losses.push((
                pointer,
                format!("comes back from utoipa's model as {kept} instead of {read}"),
            )),
        }
    }
    let mut losses = Vec::new();
    compare(read, kept, String::new(), &mut losses);
    losses
}

/// Tells whether the code is the same without a member of this value.
fn says_nothing(name: &str, value: &Value) -> bool {
    match (name, value) {
        _ if name.starts_with("x-") => true,
        ("description" | "summary" | "title", Value::String(text)) => text.is_empty(),
        ("required" | "deprecated" | "uniqueItems", Value::Bool(value)) => !value,
        ("required" | "tags" | "parameters" | "examples", Value::Array(items)) => items.is_empty(),
        ("minLength" | "minItems" | "minProperties", Value::Number(least)) => {
            least.as_f64() == Some(0.0)
        }
        _ => false,
    }
}
