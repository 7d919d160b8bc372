//! Copies of this workspace, to be changed and built.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Parts of the workspace that are copied; a build does not need the rest.
const PARTS: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "client",
    "deploy",
    "docs",
    "examples",
    "lake",
    "lockstep",
    "server",
    "src",
    "tests",
];

/// Copies the workspace, but for its document, into a folder. What is the same there already stays
/// as it is, so that cargo builds only what has changed.
///
/// # Errors
///
/// A file cannot be read or written.
pub fn copy(to: &Path) -> io::Result<()> {
    let original = original();
    fs::create_dir_all(to)?;
    for part in PARTS {
        copy_if_changed(&original.join(part), &to.join(part))?;
    }
    Ok(())
}

/// Path of the workspace itself.
pub fn original() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A command in a copy, as a person would call it there: with none of the variables that an outer
/// cargo sets.
pub fn command(program: &str, copy: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_") && shown != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    command.current_dir(copy);
    command
}

fn copy_if_changed(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy_if_changed(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    write_if_changed(to, &fs::read(from)?)
}

/// Writes a file, unless it says the same already.
///
/// # Errors
///
/// It cannot be written.
pub fn write_if_changed(file: &Path, content: &[u8]) -> io::Result<()> {
    match fs::read(file) {
        Ok(old) if old == content => Ok(()),
        _ => fs::write(file, content),
    }
}
