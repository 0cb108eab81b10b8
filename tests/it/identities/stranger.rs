//! A login with an identity server that is not ours.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use harness::TestApp;
use reqwest::{Client, Method, Response, Url, redirect};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use super::Visitor;

/// The folder with the server. None, with the story's name on stderr, when it was not installed.
#[expect(clippy::print_stderr, reason = "so a story says that it was skipped")]
fn installed(story: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("idp");
    if dir.join("node_modules").is_dir() {
        return Some(dir);
    }
    assert!(std::env::var_os("CI").is_none(), "`npm ci` was not run in tests/idp, and in CI nothing is skipped");
    eprintln!("SKIPPED {story}: `npm ci` was not run in tests/idp");
    None
}

/// A browser at the server, which asks for a name and for consent on pages of its own.
struct Guest {
    http: Client,
    cookies: BTreeMap<String, String>,
}

impl Guest {
    fn new() -> Self {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    async fn ask(&mut self, method: Method, url: Url, form: &[(&str, &str)]) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.http.request(method, url).header("cookie", cookies.join("; "));
        let request = if form.is_empty() { request } else { request.form(form) };
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        answer
    }

    /// Logs in there, consents, and is sent back to this path of ours.
    async fn consent(&mut self, address: Url, login: &str) -> String {
        let (issuer, mut at) = (address.origin(), address);
        let mut method = Method::GET;
        let mut form: Vec<(&str, &str)> = Vec::new();
        for _ in 0..12 {
            let answer = self.ask(method, at.clone(), &form).await;
            (method, form) = (Method::GET, Vec::new());
            if let Some(to) = answer.headers().get("location") {
                at = at.join(to.to_str().unwrap()).unwrap();
                if at.origin() != issuer {
                    return format!("{}?{}", at.path(), at.query().unwrap_or_default());
                }
                continue;
            }
            let page = answer.text().await.unwrap();
            method = Method::POST;
            form = if page.contains("name=\"login\"") {
                vec![("prompt", "login"), ("login", login), ("password", "any")]
            } else {
                assert!(page.contains("consent"), "neither a login nor a consent: {page}");
                vec![("prompt", "consent")]
            };
        }
        panic!("it asks for ever");
    }
}

#[tokio::test]
async fn who_comes_with_an_identity_server_of_others_is_let_in() {
    let Some(dir) = installed("who_comes_with_an_identity_server_of_others_is_let_in") else { return };
    let mut server = Command::new("node")
        .args(["provider.mjs", "memalerts", "a-secret", "http://memes.example/auth/oidc/callback"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("start the identity server");
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    let issuer = said.next_line().await.unwrap().expect("it says its issuer");
    let app = TestApp::builder()
        .pools(&[])
        .env("PUBLIC_BASE_URL", "http://memes.example")
        .env("OIDC_CLIENT_ID", "memalerts")
        .env("OIDC_CLIENT_SECRET", "a-secret")
        .env("OIDC_URL", &issuer)
        .start()
        .await;
    let mut ids = Vec::new();
    for login in ["anna", "anna", "bert"] {
        let visitor = Visitor::new(&app);
        let address = visitor.depart("/auth/oidc?redirect_to=/in").await;
        let back = Guest::new().consent(address, login).await;
        let answer = visitor.get(&back).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/in"), "{}", answer.text);
        let me = visitor.me().await;
        assert_eq!((me["login"].as_str(), me["displayName"].as_str()), (Some(login), Some(&*format!("The {login}"))));
        assert_eq!(visitor.accounts().await[0]["providerAccountId"], login);
        ids.push(me["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}
