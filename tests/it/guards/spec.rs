//! openapi.yaml is what is served.

use harness::TestApp;

use super::source;

#[tokio::test]
async fn openapi_yaml_is_what_is_served() {
    let app = TestApp::builder().pools(&[]).start().await;
    let served = app.anonymous().get("/openapi.yaml").await.text;
    let promised = source::read("openapi.yaml");
    let difference = promised.lines().zip(served.lines()).enumerate().find(|(_, (a, b))| a != b);
    assert!(
        promised == served,
        "openapi.yaml differs from what is served (`make openapi` adopts it), first here: {difference:?}"
    );
}
