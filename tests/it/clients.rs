//! `openapi.yaml` in the hands of others: valid by its standard, and good for the clients that public generators make of it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use domain::media::MediaType;
use harness::{Rendition, TestApp};
use tokio::process::Command;

/// The folder with what `install.sh` installs. None, with the story's name on stderr, when it was not run.
#[expect(clippy::print_stderr, reason = "so a story says that it was skipped")]
fn installed(story: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    if dir.join("typescript/node_modules").is_dir() && dir.join("python/.venv/installed").is_file() {
        return Some(dir);
    }
    assert!(std::env::var_os("CI").is_none(), "tests/clients/install.sh was not run, and in CI nothing is skipped");
    eprintln!("SKIPPED {story}: tests/clients/install.sh was not run");
    None
}

#[tokio::test]
async fn openapi_yaml_is_valid_by_its_standard() {
    let Some(dir) = installed("openapi_yaml_is_valid_by_its_standard") else { return };
    let output = Command::new("python/.venv/bin/openapi-spec-validator")
        .args(["--validation-errors", "all", "../../openapi.yaml"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("run the validator");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn generated_clients_compile_and_run_the_demo() {
    let Some(dir) = installed("generated_clients_compile_and_run_the_demo") else { return };
    let app = TestApp::start().await;
    let demo = app.login("demo", "streamer").await;
    let image = Rendition { kind: MediaType::Image, mime_type: "image/png", duration_ms: 3000, bytes: b"never shown" };
    app.meme(&demo, image).await;
    let output = Command::new("./run.sh")
        .args([app.base.as_str(), "demo"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("run the demos");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("was shown for").count(), 2, "{said}");
    // The last news of the queue is told with a delay.
    app.advance(Duration::from_secs(1)).await;
    app.drain().await;
}
