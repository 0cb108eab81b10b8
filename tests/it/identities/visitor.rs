//! A browser: keeps cookies, and goes where it is sent.

use std::{collections::BTreeMap, sync::Mutex};

use domain::identities::Provider;
use harness::{Answer, Session, TestApp};
use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;

/// Somebody at a browser. Two of them know nothing of each other.
pub(crate) struct Visitor {
    http: Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
    /// As browsers say it; programs take JSON only.
    accept: &'static str,
}

impl Visitor {
    /// One that shows problems as they are.
    pub(crate) fn new(app: &TestApp) -> Self {
        Self::of(app, "application/json")
    }

    /// One that shows pages.
    pub(crate) fn with_pages(app: &TestApp) -> Self {
        Self::of(app, "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    fn of(app: &TestApp, accept: &'static str) -> Self {
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { http, base: app.base.clone(), cookies: Mutex::default(), accept }
    }

    /// The same browser, at another instance behind the same address.
    pub(crate) fn at(self, app: &TestApp) -> Self {
        Self { base: app.base.clone(), ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path).await
    }

    /// Where a page of another site sends the browser.
    pub(crate) async fn lured(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, "cross-site").await
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> Answer {
        self.ask(method, path, "same-origin").await
    }

    async fn ask(&self, method: Method, path: &str, site: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("accept", self.accept)
            .header("sec-fetch-site", site)
            .header("cookie", cookies.join("; "));
        let answer = Session::send(request).await;
        let mut kept = self.cookies.lock().unwrap();
        for cookie in answer.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match value {
                "" => kept.remove(name),
                value => kept.insert(name.to_owned(), value.to_owned()),
            };
        }
        drop(kept);
        answer
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn forget_cookie(&self, name: &str) {
        self.cookies.lock().unwrap().remove(name);
    }

    /// Begins at this path of ours, and says where at the platform it leads.
    pub(crate) async fn depart(&self, path: &str) -> Url {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 302, "{path}: {}", answer.text);
        Url::parse(answer.header("location")).unwrap()
    }

    /// The person says yes there under this name, and is sent back to this path of ours.
    pub(crate) async fn consent(&self, mut address: Url, login: &str) -> String {
        address.query_pairs_mut().append_pair("as", login);
        let answer = self.http.get(address).send().await.unwrap();
        assert_eq!(answer.status(), 302, "the platform does not take it: {}", answer.text().await.unwrap());
        let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }

    /// Goes there and comes back.
    pub(crate) async fn travel(&self, path: &str, login: &str) -> Answer {
        let address = self.depart(path).await;
        let back = self.consent(address, login).await;
        self.get(&back).await
    }

    /// Logs in under this name, which must succeed; whose session it is.
    pub(crate) async fn log_in(&self, provider: Provider, login: &str) -> Value {
        let answer = self.travel(&format!("/auth/{provider}?redirect_to=/panel%3Ftab=1"), login).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/panel?tab=1"), "{}", answer.text);
        self.me().await
    }

    /// Links the account with this name.
    pub(crate) async fn link(&self, provider: Provider, login: &str) -> Answer {
        self.travel(&format!("/auth/{provider}/link?redirect_to=/linked"), login).await
    }

    pub(crate) async fn me(&self) -> Value {
        self.get("/me").await.expect(200)
    }

    pub(crate) async fn accounts(&self) -> Vec<Value> {
        self.get("/auth/accounts").await.expect(200).as_array().unwrap().clone()
    }
}
