//! The types of `shapes.yaml`, at work: what goes in comes out equal, and what is no value of a schema
//! is told.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[deny(warnings)]
#[allow(dead_code, missing_docs)]
mod types {
    include!("../../tests/golden/shapes.rs");
}

use types::*;

/// The value as its type writes it, after it has read it.
fn again<T: Serialize + DeserializeOwned>(value: &Value) -> Result<Value, String> {
    let read: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(read).map_err(|error| error.to_string())
}

#[track_caller]
fn comes_back<T: Serialize + DeserializeOwned>(values: impl IntoIterator<Item = Value>) {
    for value in values {
        assert_eq!(again::<T>(&value).as_ref(), Ok(&value), "{value}");
    }
}

#[track_caller]
fn is_refused<T: Serialize + DeserializeOwned>(value: Value) {
    let read = again::<T>(&value);
    assert!(read.is_err(), "{value} is taken as {read:?}");
}

const ID: &str = "5f1c2a52-7f6e-4d0e-9b1c-2d8f1a3b4c5d";

#[test]
fn null_is_told_from_nothing() {
    comes_back::<Closed>([
        json!({ "id": ID, "nothing": null }),
        json!({ "id": ID, "nothing": "text", "perhaps": null, "whatever": null }),
        json!({ "id": ID, "nothing": null, "perhaps": 0, "whatever": [1, { "a": null }] }),
    ]);
    is_refused::<Closed>(json!({ "id": ID }));
}

#[test]
fn formats_are_types() {
    comes_back::<Closed>([json!({
        "id": ID,
        "at": "2026-01-31T12:00:00.250Z",
        "day": "2026-01-31",
        "count": -7,
        "nothing": null,
        "pair": ["a", 1],
    })]);
    is_refused::<Closed>(json!({ "id": "5f1c", "nothing": null }));
    is_refused::<Closed>(json!({ "id": ID, "nothing": null, "at": "yesterday" }));
    is_refused::<Closed>(json!({ "id": ID, "nothing": null, "count": 3_000_000_000_u32 }));
}

#[test]
fn members_that_the_document_speaks_of_are_kept() {
    is_refused::<Closed>(json!({ "id": ID, "nothing": null, "other": 1 }));
    comes_back::<Open>([
        json!({}),
        json!({ "additional properties": "text", "a": 1, "b/c": 2 }),
    ]);
    is_refused::<Open>(json!({ "a": "text" }));
    let ignored = again::<Ignoring>(&json!({ "size": 1.5, "other": 1 }));
    assert_eq!(ignored, Ok(json!({ "size": 1.5 })));
    comes_back::<Labels>([json!({ "": "x", "a b": "y" })]);
}

#[test]
fn a_type_may_contain_itself() {
    let leaf = json!({ "name": "leaf" });
    comes_back::<Tree>([json!({
        "name": "root",
        "parent": { "name": "above", "parent": leaf },
        "next": null,
        "children": [leaf, { "name": "branch", "children": [leaf] }],
        "place": { "street": "Main Street" },
    })]);
}

#[test]
fn every_value_of_an_enum_has_a_name() {
    // Values that are described one by one are an enum too.
    comes_back::<Sky>([json!("clear"), json!("rain"), json!("snow")]);
    is_refused::<Sky>(json!("No cloud"));
    let values = [
        "created", "-created", "MB", "Mb", "", "<=", "2d", "self", "Self", "crate", "null", "x'y",
        "xy",
    ];
    comes_back::<Sort>(values.map(Value::from));
    is_refused::<Sort>(json!("mb"));
    comes_back::<Option<Maybe>>([json!("yes"), json!(null)]);
    comes_back::<Only>([json!("this")]);
    comes_back::<Sizes>([json!(1), json!(4)]);
}

#[test]
fn combined_objects_are_one() {
    comes_back::<Both>([json!({ "kind": "cat", "lives": 9, "price": 1.5 })]);
    is_refused::<Both>(json!({ "kind": "cat", "lives": 9 }));
    comes_back::<Named>([json!({ "cat": { "kind": "cat", "lives": 9 } })]);
}

#[test]
fn alternatives_are_told_apart() {
    comes_back::<Pet>([
        json!({ "kind": "cat", "lives": 9 }),
        json!({ "kind": "hound", "barks": true }),
        json!({ "kind": "kitty", "lives": 9 }),
    ]);
    let dog: Pet = serde_json::from_value(json!({ "kind": "dog" })).unwrap();
    assert!(matches!(dog, Pet::Dog(_)), "{dog:?}");
    is_refused::<Pet>(json!({ "kind": "fish", "lives": 9 }));
    is_refused::<Pet>(json!({ "lives": 9 }));
    comes_back::<Either>([json!(7), json!(["a"]), json!({ "x": 1 })]);
    is_refused::<Either>(json!("text"));
    comes_back::<Several>([json!("text"), json!(false)]);
    comes_back::<Conditions>([json!({ "a": "x" }), json!({ "b": "y" })]);
}

#[test]
fn a_document_may_call_a_thing_whatever_it_likes() {
    comes_back::<Option2>([json!({ "some": "text" })]);
    comes_back::<Result2>([json!({ "Ok": "text" })]);
    let text = include_str!("../../tests/golden/shapes.yaml");
    let words = text.split("    Words:\n").nth(1).unwrap();
    let words: Vec<&str> = words.split('"').skip(1).step_by(2).collect();
    assert!(
        words.contains(&"gen") && words.contains(&"x'y"),
        "{words:?}"
    );
    let all = words.iter().map(|word| (word.to_string(), json!(word)));
    comes_back::<Words>([Value::Object(all.collect())]);
}
