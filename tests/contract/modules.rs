//! Every file of tests is one: a file that is no module compiles to nothing, and nobody misses it.

use std::{fs, path::Path};

#[test]
fn every_file_of_tests_is_a_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        let parent = fs::read_to_string(folder.with_extension("rs"));
        let Some(parent) = parent.ok().filter(|_| folder.is_dir()) else {
            continue;
        };
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|it| it != "rs") {
                continue;
            }
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let is_module = parent.lines().any(|line| {
                let line = line.strip_prefix("pub ").unwrap_or(line);
                line == format!("mod {name};")
            });
            assert!(
                is_module,
                "{} is not run: write `mod {name};` into {}.rs",
                file.display(),
                folder.display()
            );
            files += 1;
        }
    }
    assert!(files > 40, "the tests are elsewhere: {files}");
}
