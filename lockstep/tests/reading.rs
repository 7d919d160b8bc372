//! What a document may be written like, and is read as.

use openapi_lockstep::{Document, Refusal, read};
use serde_json::Value;

const NOTES: &str = include_str!("golden/notes.yaml");

/// notes.yaml with its first `from` replaced by `to`.
fn notes(from: &str, to: &str) -> Document {
    assert!(NOTES.contains(from), "notes.yaml lacks {from:?}");
    let text = NOTES.replacen(from, to, 1);
    read("notes.yaml", &text).unwrap_or_else(|refusals| panic!("{refusals:#?}"))
}

/// notes.yaml as JSON, with its title replaced by a JSON text.
fn with_title(title: &str) -> Result<Document, Vec<Refusal>> {
    let json = notes("title: Notes", "title: The title").json();
    read("notes.json", &json.replace("\"The title\"", title))
}

#[test]
fn numbers_are_kept_digit_by_digit() {
    for number in [
        "9007199254740993",
        "18446744073709551615",
        "123456789012345678901234567890",
        "-9223372036854775809",
        "1.10",
        "0.1000000000000000055511151231257827",
        "1E2",
    ] {
        let example = format!("weight: {{ type: number, example: {number} }}");
        let document = notes("weight: { type: number }", &example);
        let kept = format!("\"weight\":{{\"type\":\"number\",\"example\":{number}}}");
        assert!(
            document.json().contains(&kept),
            "{number} is not kept in {}",
            document.json()
        );
        assert!(
            serde_json::from_str::<Value>(&document.json()).is_ok(),
            "{number}"
        );
    }
}

/// As people write it, though YAML has a number there.
#[test]
fn a_status_need_not_be_quoted() {
    let document = notes("'200':", "200:");
    assert_eq!(document.json(), notes("'200':", "'200':").json());
}

#[test]
fn a_tag_of_the_core_schema_says_the_type() {
    let document = notes("title: Notes", "title: !!str 12");
    let json: Value = serde_json::from_str(&document.json()).unwrap();
    assert_eq!(json["info"]["title"], "12");
}

#[test]
fn a_character_of_two_halves_is_one() {
    for (written, meant) in [
        (r#""\ud83d\ude00 a \u00e9""#, "\u{1f600} a \u{e9}"),
        (r#""\\ud83d \" \\""#, r#"\ud83d " \"#),
        (r#""\\\ud83d\ude00""#, "\\\u{1f600}"),
    ] {
        let document = with_title(written).unwrap_or_else(|refusals| panic!("{refusals:#?}"));
        let json: Value = serde_json::from_str(&document.json()).unwrap();
        assert_eq!(json["info"]["title"], meant, "{written}");
    }
}

#[test]
fn half_a_character_is_refused_where_it_stands() {
    for half in [r#""\ud83d""#, r#""\ude00\ud83d""#, r#""\ud83d\u0041""#] {
        let refusals = with_title(half).err().expect(half);
        let [refusal] = refusals.as_slice() else {
            panic!("{half}: {refusals:#?}");
        };
        let column = with_title("\"\"")
            .unwrap()
            .json()
            .find("\"title\":\"")
            .unwrap()
            + 10;
        assert_eq!((refusal.line, refusal.column), (1, column), "{half}");
        assert!(refusal.reason.contains("half of a character"), "{half}");
    }
}

/// What says nothing is no reason to refuse.
#[test]
fn a_keyword_may_say_nothing() {
    for (from, to) in [
        (
            "description: When it is due, if ever.\n          type: [string, 'null']",
            "description: When it is due, if ever.\n          minLength: 0\n          type: [string, 'null']",
        ),
        (
            "moreText: { type: string }",
            "moreText: { type: string, description: '', deprecated: false }",
        ),
        (
            "          type: array\n          items: { $ref: '#/components/schemas/NoteId' }",
            "          type: array\n          uniqueItems: false\n          minItems: 0\n          items: { $ref: '#/components/schemas/NoteId' }",
        ),
        (
            "      properties:\n        mood",
            "      required: []\n      properties:\n        mood",
        ),
        (
            "summary: List notes",
            "summary: List notes\n      description: ''\n      deprecated: false",
        ),
    ] {
        let document = notes(from, to);
        let same = notes(from, from);
        let code = |document| openapi_lockstep::server(document);
        assert_eq!(code(&document), code(&same), "{to}");
    }
}

/// notes.yaml with each `from` replaced by `to`, as the check of requests reads it.
fn contract(changes: &[(&str, &str)]) -> Value {
    let text = changes.iter().fold(NOTES.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "notes.yaml lacks {from:?}");
        text.replacen(from, to, 1)
    });
    let document = read("notes.yaml", &text);
    let document = document.unwrap_or_else(|refusals| panic!("{refusals:#?}"));
    serde_json::from_str(&document.contract()).unwrap()
}

#[test]
fn what_may_be_written_in_several_ways_is_read_as_one() {
    for (name, to) in [
        (
            "a patch of the version",
            ("openapi: 3.1.0", "openapi: 3.1.2"),
        ),
        (
            "null before the type",
            ("type: [string, 'null']", "type: ['null', string]"),
        ),
        ("one type in a list", ("type: boolean", "type: [boolean]")),
        ("an optional parameter", ("          required: false\n", "")),
        (
            "a style that every query has",
            (
                "          required: false\n",
                "          required: false\n          style: form\n          explode: true\n",
            ),
        ),
        ("a scheme in capitals", ("scheme: bearer", "scheme: Bearer")),
        ("webhooks", ("tags:\n", "webhooks: { noted: {} }\ntags:\n")),
        (
            "callbacks",
            (
                "      summary: List notes\n",
                "      summary: List notes\n      callbacks: { noted: { '{$url}': {} } }\n",
            ),
        ),
        (
            "links",
            (
                "description: The status.\n",
                "description: The status.\n          links: { again: { operationId: listNotes } }\n",
            ),
        ),
    ] {
        assert_eq!(contract(&[to]), contract(&[]), "{name}");
    }
}

#[test]
fn a_document_of_3_0_means_what_one_of_3_1_does() {
    let limits = ("minimum: 1", "exclusiveMinimum: 0, maximum: 9");
    let old = [
        ("openapi: 3.1.0", "openapi: 3.0.3"),
        (
            "type: [string, 'null']",
            "type: string\n          nullable: true",
        ),
        ("type: boolean", "type: boolean\n          nullable: false"),
        (
            "minimum: 1",
            "minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false",
        ),
    ];
    assert_eq!(contract(&old), contract(&[limits]));
    let document = notes("openapi: 3.1.0", "openapi: 3.0.3");
    assert!(
        document.json().starts_with(r#"{"openapi":"3.0.3""#),
        "it is served as it was written"
    );
}

#[test]
fn what_is_deprecated_is_marked_whatever_it_is_called() {
    for (from, to, marked) in [
        (
            "operationId: listNotes",
            "operationId: List a Thing's Notes\n      deprecated: true",
            "pub fn list_a_things_notes",
        ),
        ("isDone:", "\"x'y\":", "pub xy:"),
        ("isDone:", "gen:", "pub gen_:"),
    ] {
        let code = openapi_lockstep::client(&notes(from, to));
        let code = code.unwrap_or_else(|refusal| panic!("{to}: {refusal}"));
        let (before, _) = code.split_once(marked).expect(marked);
        let item = before.rsplit("    pub ").next().unwrap_or_default();
        assert!(
            item.contains("#[deprecated]"),
            "{marked} is not marked: {item}"
        );
    }
}
