//! The system held to `openapi.yaml` by a fuzzer that is not ours; `make security` asks it for more.

use std::{path::Path, process::Stdio, time::Duration};

use domain::media::MediaType;
use harness::Rendition;
use tokio::process::Command;

use crate::{identities, sizes::size, stage::Stage};

#[tokio::test]
async fn no_request_that_a_fuzzer_makes_up_is_answered_otherwise_than_the_document_says() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    if !dir.join(".venv/installed").is_file() {
        assert!(
            std::env::var_os("CI").is_none(),
            "tests/conformance/install.sh was not run, and in CI nothing is skipped"
        );
        eprintln!("SKIPPED a fuzzer: tests/conformance/install.sh was not run");
        return;
    }
    let (_platforms, app) = identities::system().await;
    let mut stage = Stage::on(app).await;
    // With its file in the store: the fuzzer follows links.
    let rendition =
        Rendition { kind: MediaType::Video, mime_type: "video/mp4", duration_ms: 500, bytes: b"never looked at" };
    stage.app.meme(&stage.streamer, rendition).await;
    stage.viewer("fuzz", 100_000).await;
    let examples = size(1, 200).to_string();
    let output = Command::new("./run.sh")
        .args([stage.app.base.as_str(), "demo", &examples])
        .current_dir(dir)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("run the fuzzer");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // Jobs were given up, put off and paused by whoever could.
    stage.app.leaves_jobs_behind();
    stage.app.advance(Duration::from_secs(1)).await;
}
