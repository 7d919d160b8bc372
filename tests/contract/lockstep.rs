//! A change of openapi.yaml alone changes the service and the client, or breaks their build.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use cortex_report_tests::{oracle::Oracle, workspace};
use serde_json::json;

use crate::harness::{binary::serve, conformance::Caller};

const SERVER: &str = "cortex-reportd-changed";
const CLIENT: &str = "cortex-report-changed";

/// A copy of the workspace, whose document can be changed.
struct Copy(PathBuf);

impl Copy {
    fn make() -> Self {
        // Always the same folder, so that the next run builds only what has changed.
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("changed-document");
        workspace::copy(&copy).unwrap();
        rewrite(&copy.join("Cargo.toml"), |text| {
            // Cargo takes two workspaces of the same versions for one. Their members ask for 0.1.
            text.replace(
                "version = \"0.1.0\"\nedition",
                "version = \"0.1.99\"\nedition",
            )
        });
        // Under names of their own, the binaries do not take the place of the real ones.
        for (part, binary) in [("server", "cortex-reportd"), ("client", "cortex-report")] {
            rewrite(&copy.join(part).join("Cargo.toml"), |text| {
                text.replace(&format!("\"{binary}\""), &format!("\"{binary}-changed\""))
            });
        }
        Self(copy)
    }

    /// Builds a binary with the document changed in one place.
    fn build(&self, binary: &str, from: &str, to: &str) -> Output {
        let document = cortex_report_api::DOCUMENT_YAML;
        assert!(
            document.contains(from),
            "the document lacks {from:?}: change this test with it"
        );
        fs::write(self.0.join("openapi.yaml"), document.replace(from, to)).unwrap();
        workspace::command("cargo", &self.0)
            // The features of the whole workspace, so that no dependency is built anew.
            .args(["build", "--offline", "--workspace", "--bin", binary])
            .env("CARGO_TARGET_DIR", target())
            .output()
            .unwrap()
    }

    /// Says what the compiler has against a change.
    fn refused(&self, binary: &str, from: &str, to: &str) -> String {
        let built = self.build(binary, from, to);
        assert!(
            !built.status.success(),
            "{from:?} became {to:?}, and {binary} still builds"
        );
        String::from_utf8_lossy(&built.stderr).into_owned()
    }
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

fn rewrite(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, change(text)).unwrap();
}

#[tokio::test]
async fn a_change_of_the_document_changes_the_service_or_breaks_its_build() {
    let copy = Copy::make();

    let said = copy.refused(SERVER, "app_name: { $ref", "title: { $ref");
    assert!(
        said.contains("openapi.yaml:") && said.contains("is not a property of this object"),
        "{said}"
    );
    let said = copy.refused(SERVER, "display_name", "full_name");
    assert!(said.contains("no field named `display_name`"), "{said}");
    let said = copy.refused(SERVER, "'409': { $ref", "'412': { $ref");
    assert!(
        said.contains("item named `conflict` found for enum"),
        "{said}"
    );

    // What the command line uses of the client is held to the document in the same way.
    let said = copy.refused(CLIENT, "operationId: getUser", "operationId: whoAmI");
    assert!(said.contains("no method named `get_user`"), "{said}");
    let said = copy.refused(CLIENT, "display_name", "full_name");
    assert!(said.contains("no field `display_name`"), "{said}");

    // Another limit and another path, with not a line of Rust changed.
    let document = cortex_report_api::DOCUMENT_YAML;
    let changed = document
        .replace(
            "format: idn-email\n      maxLength: 254",
            "format: idn-email\n      maxLength: 15",
        )
        .replace("/api/1/login:", "/api/1/log-in:");
    for binary in [SERVER, CLIENT] {
        let built = copy.build(binary, document, &changed);
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}");
    }

    let folder = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(target().join("debug").join(SERVER));
    command
        .current_dir(folder.path())
        .env("CORTEX_REPORT_LISTEN", "127.0.0.1:0");
    let served = serve(command).await;
    let read = openapi_lockstep::read("openapi.yaml", &changed)
        .ok()
        .unwrap();
    let oracle = Oracle::new(&read.json()).unwrap();
    let api = Caller::held_against(Box::leak(Box::new(oracle)), &served.url);
    let status = async |path: &str, email: &str| {
        let request = api.post(path).json(&json!({ "email": email }));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        status("/api/1/log-in", "ann@example.com").await,
        200,
        "15 characters"
    );
    assert_eq!(
        status("/api/1/log-in", "anna@example.com").await,
        400,
        "16 characters"
    );
    assert_eq!(status("/api/1/login", "ann@example.com").await, 404);

    let login = tokio::process::Command::new(target().join("debug").join(CLIENT))
        .args([
            "login",
            "ann@example.com",
            "--wait",
            "0",
            "--url",
            &served.url,
        ])
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&login.stderr);
    assert!(
        said.contains("type this code there"),
        "the client calls the new path: {said}"
    );
}
