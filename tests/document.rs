//! The document says of itself what is true.

use serde_json::{Map, Value, json};

use crate::conformance::ORACLE;

/// Every example of the document that its schema does not allow: where it is, and why.
fn wrong_examples(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    walk(document, String::new(), &mut wrong);
    wrong
}

fn walk(value: &Value, pointer: String, wrong: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (place, example) in examples(object) {
                // A schema shows its own example, everything else that of its schema.
                let schema = object.get("schema").unwrap_or(value);
                for error in ORACLE.validator(schema).unwrap().iter_errors(example) {
                    wrong.push(format!("{pointer}/{place}: {error}"));
                }
            }
            for (name, inner) in object {
                if !matches!(name.as_str(), "example" | "examples") {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(inner, format!("{pointer}/{name}"), wrong);
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, format!("{pointer}/{index}"), wrong);
            }
        }
        _ => {}
    }
}

/// The examples that stand in an object, with their places in it.
fn examples(object: &Map<String, Value>) -> Vec<(String, &Value)> {
    let one = object.get("example").map(|it| ("example".to_owned(), it));
    let several = object.get("examples").and_then(Value::as_object);
    let several = several.into_iter().flatten();
    let several = several.map(|(name, it)| (format!("examples/{name}/value"), &it["value"]));
    one.into_iter().chain(several).collect()
}

#[test]
fn every_example_is_as_its_schema_says() {
    let mut document = ORACLE.document().clone();
    assert_eq!(wrong_examples(&document), [""; 0]);

    let login = "/paths/~1api~11~1login/post/requestBody/content/application~1json/example/email";
    *document.pointer_mut(login).unwrap() = json!("nobody");
    let problem = "/components/responses/Conflict/content/application~1problem+json/example/code";
    *document.pointer_mut(problem).unwrap() = json!("name_is_taken");
    let key = "/components/requestBodies/SessionKey/content/application~1json/examples/here/value";
    *document.pointer_mut(key).unwrap() = json!({"session_key": ""});
    let wrong = wrong_examples(&document);
    assert_eq!(wrong.len(), 3, "three are planted: {wrong:#?}");
}
