//! Notations that a document may use, and how they are read.

use openapi_lockstep::{Answers, Diagnostic, Document, Options, read, read_with};
use serde_json::Value;

const NOTES: &str = include_str!("golden/notes.yaml");

/// notes.yaml with its first `from` replaced by `to`.
fn notes(from: &str, to: &str) -> Document {
    assert!(NOTES.contains(from), "notes.yaml lacks {from:?}");
    let text = NOTES.replacen(from, to, 1);
    read("notes.yaml", &text).unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"))
}

/// notes.yaml as JSON, with its title replaced by a JSON text.
fn with_title(title: &str) -> Result<Document, Vec<Diagnostic>> {
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
        let document = with_title(written).unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"));
        let json: Value = serde_json::from_str(&document.json()).unwrap();
        assert_eq!(json["info"]["title"], meant, "{written}");
    }
}

#[test]
fn half_a_character_is_refused_where_it_stands() {
    for half in [r#""\ud83d""#, r#""\ude00\ud83d""#, r#""\ud83d\u0041""#] {
        let diagnostics = with_title(half).err().expect(half);
        let [diagnostic] = diagnostics.as_slice() else {
            panic!("{half}: {diagnostics:#?}");
        };
        let column = with_title("\"\"")
            .unwrap()
            .json()
            .find("\"title\":\"")
            .unwrap()
            + 10;
        assert_eq!((diagnostic.line, diagnostic.column), (1, column), "{half}");
        assert!(
            diagnostic.reason.contains("half of a surrogate pair"),
            "{half}"
        );
    }
}

/// A keyword without effect is not a reason to refuse a document.
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
/// The contract of notes.yaml with these changes, without the components that stand in place there.
fn contract(changes: &[(&str, &str)]) -> Value {
    let text = changes.iter().fold(NOTES.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "notes.yaml lacks {from:?}");
        text.replacen(from, to, 1)
    });
    contract_of(&text)
}

fn contract_of(text: &str) -> Value {
    let document = read("notes.yaml", text);
    let document = document.unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"));
    let mut contract: Value = serde_json::from_str(&document.contract()).unwrap();
    if let Some(Value::Object(components)) = contract.get_mut("components") {
        let in_place = ["examples", "headers", "parameters", "pathItems"];
        components.retain(|kind, _| !in_place.contains(&kind.as_str()));
    }
    contract
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
        ("a second tag", ("tags: [status]", "tags: [status, note]")),
        ("a tag that is not declared", ("  - name: status\n", "")),
        (
            "what a path says",
            ("  /notes:\n", "  /notes:\n    summary: All notes\n"),
        ),
    ] {
        assert_eq!(contract(&[to]), contract(&[]), "{name}");
    }
}

/// A comment in Rust has no other.
#[test]
fn a_line_ends_with_a_line_feed() {
    let text = |text: &str| {
        let described = format!("description: \"{text}\"");
        contract(&[("description: How many at most.", &described)])
    };
    assert_eq!(
        text("One.\\rTwo.\\r\\nThree."),
        text("One.\\nTwo.\\nThree.")
    );
}

#[test]
fn a_reference_means_what_it_refers_to() {
    let parameter = "name: max-count\n          in: query\n          required: false\n          deprecated: true\n          description: How many at most.\n          schema: { type: integer, format: int32, minimum: 1 }\n";
    let component = parameter.replace("\n          ", "\n      ");
    let component = format!("components:\n  parameters:\n    Count:\n      {component}");
    let same = contract(&[]);
    let by_reference = [
        (parameter, "$ref: '#/components/parameters/Count'\n"),
        ("components:\n", component.as_str()),
    ];
    assert_eq!(contract(&by_reference), same, "a parameter");
    let item = format!(
        "    parameters:\n      - {}",
        parameter.replace("\n          ", "\n        ")
    );
    let of_path = [
        (&*format!("      parameters:\n        - {parameter}"), ""),
        ("  /notes:\n", &*format!("  /notes:\n{item}")),
    ];
    assert_eq!(contract(&of_path), same, "a parameter of the path");
    let of_operation = [(
        "  /notes:\n",
        &*format!("  /notes:\n{}", item.replace("most", "least")),
    )];
    assert_eq!(
        contract(&of_operation),
        same,
        "the operation has the last word"
    );
    let path = [
        (
            "  /status:\n",
            "  /status: { $ref: '#/components/pathItems/Status' }\n",
        ),
        ("components:\n", "components:\n  pathItems:\n    Status:\n"),
    ];
    let text = path.iter().fold(NOTES.to_owned(), |text, (from, to)| {
        text.replacen(from, to, 1)
    });
    let begin = text
        .find("    post:\n      operationId: setStatus")
        .unwrap();
    let end = text.find("components:\n").unwrap();
    let item = text[begin..end]
        .replace("\n    ", "\n      ")
        .replacen("    post", "      post", 1);
    let text = text.replace(&text[begin..end], "");
    let text = text.replace(
        "    Status:\n  securitySchemes",
        &format!("    Status:\n{item}  securitySchemes"),
    );
    assert_eq!(contract_of(&text), same, "a path");
}

#[test]
fn an_operation_without_a_name_is_called_after_its_path() {
    for (from, to, method) in [
        ("      operationId: listNotes\n", "", "fn get_notes("),
        (
            "      operationId: putNote\n",
            "",
            "fn put_folders_folder_notes_note_id(",
        ),
    ] {
        let code = openapi_lockstep::server(&notes(from, to));
        assert!(code.contains(method), "{method} is not in {code}");
    }
    let code = openapi_lockstep::server(&notes("      tags: [status]\n", ""));
    assert!(code.contains("pub trait DefaultApi"), "{code}");
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
        ("isDone:", "gen:", "pub r#gen:"),
    ] {
        let code = openapi_lockstep::client(&notes(from, to));
        let code = code.unwrap_or_else(|diagnostic| panic!("{to}: {diagnostic}"));
        let (before, _) = code.split_once(marked).expect(marked);
        let item = before.rsplit("    pub ").next().unwrap_or_default();
        assert!(
            item.contains("#[deprecated]"),
            "{marked} is not marked: {item}"
        );
    }
}

/// The served document has each answer that is given before a method is called.
#[test]
fn the_served_document_says_the_answers_that_are_added() {
    let text = NOTES.replacen(
        "        '413': { $ref: '#/components/responses/TooLarge' }\n        '415': { $ref: '#/components/responses/OtherMediaType' }\n        '429':",
        "        '429':",
        1,
    );
    let served = |text: &str, answers| {
        let options = Options {
            answers,
            ..Options::default()
        };
        let document = read_with("notes.yaml", text, &options);
        let document = document.unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"));
        serde_json::from_str::<Value>(&document.json()).unwrap()
    };
    let whole = served(NOTES, Answers::Documented);
    assert_eq!(served(NOTES, Answers::Added), whole, "nothing is added");
    let added = served(&text, Answers::Added);
    let responses = &added["paths"]["/folders/{folder}/notes/{note_id}"]["put"]["responses"];
    for status in ["413", "415"] {
        let description = responses[status]["description"].as_str().unwrap();
        assert!(
            description.ends_with("Added by openapi-lockstep."),
            "{status}: {description}"
        );
        let schema = &responses[status]["content"]["application/problem+json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/LockstepProblem");
    }
    assert!(added["components"]["schemas"]["LockstepProblem"].is_object());
    assert_eq!(
        responses["400"],
        whole["paths"]["/folders/{folder}/notes/{note_id}"]["put"]["responses"]["400"]
    );
}
