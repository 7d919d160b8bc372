//! `lockstep corpus`.

use std::fs;

use crate::{notes, run};

#[test]
fn what_is_taken_is_counted_and_written_as_packages() {
    let folder = notes("", "");
    let text = fs::read_to_string(folder.path().join("notes.yaml")).unwrap();
    // One operation of three is refused.
    let wrong = text.replacen("in: query", "in: body", 1);
    fs::write(folder.path().join("wrong.yaml"), wrong).unwrap();
    fs::write(folder.path().join("broken.json"), "[").unwrap();
    fs::write(folder.path().join("README.md"), "no document").unwrap();
    let lockstep = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let said = run(
        folder.path(),
        &["corpus", ".", "--package", "code", "--lockstep", lockstep],
    );
    assert_eq!((said.code, said.error.as_str()), (0, ""));
    let rows: Vec<&str> = said
        .lines
        .iter()
        .map(|line| {
            line.rsplit_once(" | ")
                .map_or(line.as_str(), |(row, _)| row)
        })
        .collect();
    assert_eq!(
        rows,
        [
            "| document | operations | supported",
            "|---|---|---|---|",
            "| broken | 0 | 0",
            "| notes | 3 | 3",
            "| wrong | 3 | 2",
            "| 1 of 3 documents | 6 | 5",
            "",
            "1 times: has to be in path, query, header or cookie",
            "1 times: is not YAML: while parsing a node, did not find expected node content",
        ]
    );
    let code = folder.path().join("code");
    for file in [
        "Cargo.toml",
        "of-notes/src/server.rs",
        "of-wrong/src/client.rs",
        "of-notes/src/values.json",
    ] {
        assert!(code.join(file).exists(), "{file}");
    }
    let wrong = fs::read_to_string(code.join("of-wrong/src/server.rs")).unwrap();
    assert!(
        !wrong.contains("trait ListNotes"),
        "what is refused is left out"
    );
    let values = fs::read_to_string(code.join("of-notes/src/values.json")).unwrap();
    assert!(values.contains(r#""due":null"#), "{values}");
}
