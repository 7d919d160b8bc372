//! The document says of itself what is true.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::harness::conformance::ORACLE;

/// The names of the objects under `components/schemas` that are as open as this.
fn objects(document: &Value, open: bool) -> Vec<&String> {
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let objects = schemas.iter().filter(|(_, it)| it["type"] == "object");
    let chosen = objects.filter(|(_, it)| it["additionalProperties"] == open);
    chosen.map(|(name, _)| name).collect()
}

#[test]
fn replies_are_open_and_requests_are_closed() {
    // Strict clients of a closed reply end at the first member that a later version adds.
    for (names, is_request) in [(false, true), (true, false)]
        .map(|(open, is_request)| (objects(ORACLE.written(), open), is_request))
    {
        for name in names {
            assert_eq!(
                name.ends_with("Request"),
                is_request,
                "a reply has `additionalProperties: true`, a request `false`: {name}"
            );
        }
    }
    let mut open = objects(ORACLE.document(), true);
    // SDKs of every version send events.
    open.retain(|name| !["Bundle", "Event"].iter().any(|end| name.ends_with(end)));
    assert!(
        open.is_empty(),
        "the tests take members nobody documented: {open:?}"
    );
}

#[test]
fn the_operations_list_only_what_every_generator_reads() {
    for (path, item) in ORACLE.written()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"];
            assert!(
                body.is_null() || matches!(method.as_str(), "post" | "put" | "patch"),
                "{method} {path} has a body, which browsers and proxies do not send: see x-body-member"
            );
            let content = body["content"].as_object().into_iter().flatten();
            let media_types: Vec<&String> = content.map(|(name, _)| name).collect();
            assert!(
                body.is_null() || media_types == ["application/json"],
                "{method} {path} lists {media_types:?}: see x-form-bodies"
            );
        }
    }
}

/// Go's generators name a constant by its value alone.
#[test]
fn no_word_is_of_two_enums() {
    let schemas = ORACLE.written()["components"]["schemas"]
        .as_object()
        .unwrap();
    let mut of = HashMap::new();
    for (name, schema) in schemas {
        for word in schema["enum"].as_array().into_iter().flatten() {
            let word = word.as_str().unwrap();
            if let Some(other) = of.insert(word, name) {
                panic!("{name} and {other} have the same word {word}: choose another one");
            }
        }
    }
}

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
    let mut document = ORACLE.written().clone();
    assert_eq!(wrong_examples(&document), [""; 0]);

    let login = "/paths/~1api~11~1login/post/requestBody/content/application~1json/example/email";
    *document.pointer_mut(login).unwrap() = json!("nobody");
    let problem = "/components/responses/Conflict/content/application~1problem+json/example/code";
    *document.pointer_mut(problem).unwrap() = json!("name_is_taken");
    let member = "/paths/~1api~11~1user/get/responses/200/content/application~1json/example/added";
    let (example, _) = member.rsplit_once('/').unwrap();
    document.pointer_mut(example).unwrap()["added"] = json!(1);
    let wrong = wrong_examples(&document);
    assert_eq!(wrong.len(), 3, "three are planted: {wrong:#?}");
}
