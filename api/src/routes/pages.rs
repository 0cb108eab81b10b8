//! The pages that OBS shows, with what they load. Everything is in the binary; nothing comes from elsewhere.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use domain::{access::Purpose, channels::ChannelError, tokens};
use poem::{Endpoint, IntoResponse, Request, Response, Route, endpoint::make_sync, get, http::StatusCode};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};
use sha2::{Digest, Sha256};

use super::{door::ELSEWHERE, uploads::names};
use crate::{app::AppState, problem::Problem};

/// An HTML page with its policy.
pub(crate) struct Page {
    status: StatusCode,
    html: Cow<'static, str>,
    /// Where the files of memes come from, if not from here.
    media_origin: Option<String>,
}

/// Scripts, styles and events from here and nowhere else, files from here or from the one place where they are; no frames
/// but our own; no forms.
fn policy(media_origin: Option<&str>) -> String {
    let files = media_origin.map(|origin| format!(" {origin}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{files}; media-src 'self'{files}; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        Response::builder()
            .status(self.status)
            .content_type("text/html; charset=utf-8")
            .header("content-security-policy", policy(self.media_origin.as_deref()))
            // OBS asks at each refresh.
            .header("cache-control", "no-cache")
            .body(self.html.into_owned())
    }
}

impl ApiResponse for Page {
    fn meta() -> MetaResponses {
        let page = |status, description| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "text/html", schema: String::schema_ref() }],
            headers: vec![],
        };
        MetaResponses {
            responses: vec![
                page(200, "The page. It loads nothing from elsewhere."),
                page(401, "An empty transparent page: the token is no good."),
            ],
        }
    }

    fn register(_registry: &mut Registry) {}
}

/// The page that the token opens; an empty transparent one when it opens none, for it may be on stream.
pub(super) async fn behind_token(
    app: &AppState,
    request: &Request,
    purpose: Purpose,
    token: &str,
) -> Result<Page, Problem> {
    let html = match purpose {
        Purpose::Overlay => include_str!("../../web/overlay.html"),
        Purpose::Credits => include_str!("../../web/credits.html"),
    };
    let page = Page { status: StatusCode::OK, html: html.into(), media_origin: app.settings.media_origin.clone() };
    // Only the browser knows it: the page's first question shows whether it is good.
    if token == ELSEWHERE {
        return Ok(page);
    }
    let mut conn = app.db.pool().acquire().await?;
    match tokens::open_door(&mut conn, &app.keys, purpose, token).await {
        Ok(opened) => {
            app.sightings.note(opened.token, request);
            Ok(page)
        }
        Err(ChannelError::TokenRefused) => {
            let html = include_str!("../../web/refused.html");
            Ok(Page { status: StatusCode::UNAUTHORIZED, html: html.into(), media_origin: None })
        }
        Err(error) => Err(error.into()),
    }
}

/// The front page with what it says to this visitor.
pub(super) fn front_page(html: String) -> Page {
    Page { status: StatusCode::OK, html: html.into(), media_origin: None }
}

/// The page that shows the document. It has its scripts in it: these run, and nothing else does.
pub(crate) fn document(html: &str) -> impl Endpoint + use<> {
    let scripts: Vec<String> = scripts(html).iter().map(|script| format!(" 'sha256-{script}'")).collect();
    let policy = format!(
        "default-src 'none'; script-src{}; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        scripts.concat()
    );
    let html = html.to_owned();
    make_sync(move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header("content-security-policy", &policy)
            .header("cache-control", "no-cache")
            .body(html.clone())
    })
}

/// The hashes of a page's scripts, as browsers count them: of the text between the tags, with each line ended by LF.
fn scripts(html: &str) -> Vec<String> {
    // One after the other: a script may hold the words of a tag.
    let texts = std::iter::successors(script(html), |(_, rest)| script(rest)).map(|(text, _)| text);
    texts.map(|text| BASE64.encode(Sha256::digest(text.replace("\r\n", "\n").replace('\r', "\n")))).collect()
}

/// The text of the first script, and what follows it.
fn script(html: &str) -> Option<(&str, &str)> {
    let (_, tagged) = html.split_once("<script")?;
    tagged.split_once('>')?.1.split_once("</script>")
}

/// No icon, and no 404 in the console of every browser.
fn no_icon() -> impl Endpoint {
    make_sync(|_| {
        Response::builder().status(StatusCode::NO_CONTENT).header("cache-control", "public, max-age=86400").finish()
    })
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// What the pages load, beside the documented operations.
pub(super) fn assets(route: Route) -> Route {
    let route = route
        .at("/favicon.ico", get(no_icon()))
        .at("/verify-email", get(page(include_str!("../../web/verify-email.html"))))
        .at("/reset-password", get(page(include_str!("../../web/reset-password.html"))));
    [
        ("overlay.js", SCRIPT, include_str!("../../web/overlay.js")),
        ("stage.js", SCRIPT, include_str!("../../web/stage.js")),
        ("sound.js", SCRIPT, include_str!("../../web/sound.js")),
        ("answers.js", SCRIPT, include_str!("../../web/answers.js")),
        ("connection.js", SCRIPT, include_str!("../../web/connection.js")),
        ("credits.js", SCRIPT, include_str!("../../web/credits.js")),
        ("links.js", SCRIPT, include_str!("../../web/links.js")),
        ("links.css", STYLE, include_str!("../../web/links.css")),
        ("overlay.css", STYLE, include_str!("../../web/overlay.css")),
        ("credits.css", STYLE, include_str!("../../web/credits.css")),
    ]
    .into_iter()
    .fold(route, |route, (name, kind, text)| route.at(format!("/overlay/assets/{name}"), get(asset(kind, text))))
}

/// A page for anybody: what it is about stands behind the `#` of its address.
fn page(html: &'static str) -> impl Endpoint {
    make_sync(move |_| Page { status: StatusCode::OK, html: html.into(), media_origin: None })
}

/// Asked for at each load, sent again only after a change: a new build must not meet an old script.
pub(crate) fn asset(kind: &'static str, text: impl Into<Bytes>) -> impl Endpoint {
    let text: Bytes = text.into();
    let etag = format!("\"{}\"", &hex::encode(Sha256::digest(&text))[..16]);
    make_sync(move |request: Request| {
        let response = Response::builder().header("etag", &etag).header("cache-control", "no-cache");
        if request.header("if-none-match").is_some_and(|known| names(known, &etag)) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response.content_type(kind).body(text.clone())
    })
}
