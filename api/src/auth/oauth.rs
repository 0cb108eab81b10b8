//! Logins with other platforms: a browser goes there and comes back.
//!
//! What ties the two halves together: a state that is good once, the platform's own callback address, and a cookie of the
//! browser from which PKCE's verifier and OpenID's nonce are derived. A link is tied to its session as well.

use domain::{
    acts::{self, Act},
    bot_accounts, grants,
    identities::{self, BrowserSecret, Flow, LIFETIME, Provider, Seat, Wish},
    mails::Kind,
    sessions,
};
use identity::{IdentityError, Returned, Trip};
use poem::{Request, http::StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    Viewer,
    cookies::{self, WithCookies},
    csrf, proof, session,
};
use crate::{
    app::{App, AppState},
    problem::{ErrorCode, Problem},
    problems::identities::state_mismatch,
    routes::{acts::by_id, identities::Sent, mails::tell},
};

/// Longer ones are no part of a login.
const LONGEST: usize = 4096;

/// A browser on its way.
pub(crate) struct Departure<'a> {
    pub(crate) provider: Provider,
    /// As it was asked for.
    pub(crate) redirect_to: Option<&'a str>,
    /// Who links an account; nobody logs in.
    pub(crate) viewer: Option<Viewer>,
    /// Asked for beside the usual ones.
    pub(crate) scopes: &'a [&'a str],
    /// The account that is linked shall speak there.
    pub(crate) seat: Option<Seat>,
}

/// What a browser brings back.
pub(crate) struct Answer {
    state: String,
    code: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
    device: Option<String>,
}

impl Answer {
    pub(crate) fn new(
        state: Option<String>,
        code: Option<String>,
        error: Option<String>,
        issuer: Option<String>,
        device: Option<String>,
    ) -> Self {
        let given = |text: Option<String>| text.filter(|text| (1..=LONGEST).contains(&text.len()));
        let [code, error, issuer, device] = [code, error, issuer, device].map(given);
        Self { state: given(state).unwrap_or_default(), code, error, issuer, device }
    }
}

/// What shall be linked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'a> {
    pub(crate) provider: Provider,
    /// As it was asked for.
    pub(crate) redirect_to: Option<&'a str>,
    /// Asked for beside the usual ones.
    pub(crate) scopes: &'a [&'a str],
}

/// Sends the browser of whoever links an account to the platform; one of somebody who may not, or without a fresh proof, back,
/// to be told so on a page. `who`: who links, and where the account shall speak.
pub(crate) async fn begin_link(
    app: &App,
    request: &Request,
    link: &Link<'_>,
    who: Result<(Viewer, Option<Seat>), Problem>,
) -> Result<WithCookies<Sent>, Problem> {
    let Link { provider, redirect_to, scopes } = *link;
    csrf::refuse_foreign_links(request, app)?;
    let (viewer, seat) = match who {
        Ok(who) => who,
        Err(problem) => return not_begun(request, provider, redirect_to, problem),
    };
    if let Err(problem) = proof::lately(app, viewer.session).await {
        return not_begun(request, provider, redirect_to, problem);
    }
    depart(app, request, &Departure { provider, redirect_to, viewer: Some(viewer), scopes, seat }).await
}

/// Sends the browser to the platform; back, to be told why on a page, if that cannot be.
pub(crate) async fn depart(
    app: &App,
    request: &Request,
    departure: &Departure<'_>,
) -> Result<WithCookies<Sent>, Problem> {
    let Departure { provider, redirect_to, .. } = *departure;
    match set_out(app, request, departure).await {
        Err(problem) => not_begun(request, provider, redirect_to, problem),
        sent => sent,
    }
}

async fn set_out(app: &App, request: &Request, departure: &Departure<'_>) -> Result<WithCookies<Sent>, Problem> {
    let Departure { provider, viewer, .. } = *departure;
    app.settings.platforms.check(provider)?;
    let redirect_to = ours(departure.redirect_to)?;
    let environment = app.settings.environment;
    let browser = cookies::login(request, environment).and_then(BrowserSecret::parse);
    let browser = browser.unwrap_or_else(BrowserSecret::random);
    let wish = viewer.map_or(Wish::LogIn, |viewer| Wish::Link {
        user: viewer.id,
        session: viewer.session,
        seat: departure.seat,
    });
    let mut conn = app.db.pool().acquire().await?;
    let began = identities::begin(&mut conn, provider, &browser, wish, redirect_to).await?;
    drop(conn);
    let trip = Trip {
        state: &began.state,
        verifier: &browser.verifier(&began.state),
        nonce: &browser.nonce(&began.state),
        redirect_uri: &callback(app, provider, viewer.is_some()),
        scopes: departure.scopes,
    };
    let address = app.settings.platforms.address(provider, &trip).await?;
    let cookie = cookies::of_login(environment, &browser.text(), LIFETIME.as_secs().cast_signed());
    Ok(sent(address.into(), [cookie]))
}

/// Sends a browser on that has come back.
pub(crate) fn complete(redirect_to: Option<&str>) -> Result<WithCookies<Sent>, Problem> {
    Ok(sent(ours(redirect_to)?.to_owned(), []))
}

/// Ends a login: whoever came gets a session.
pub(crate) async fn log_in(
    app: &App,
    request: &Request,
    provider: Provider,
    answer: &Answer,
) -> Result<WithCookies<Sent>, Problem> {
    let (browser, flow) = match redeem(app, request, provider, answer, false).await {
        Ok(redeemed) => redeemed,
        Err(problem) => return not_begun(request, provider, None, problem),
    };
    let granted = async {
        let (identity, grant) = arrive(app, provider, &browser, answer, false).await?;
        let mut tx = app.db.begin().await?;
        let who = identities::log_in(&mut tx, &app.vault, &identity, &grant).await?;
        if let (true, _) = bot_accounts::seats_of(&mut tx, who.account).await? {
            // Many may know its password, and it was linked by an admin.
            return Err(Problem::forbidden("this account speaks in all channels, and nobody logs in with it"));
        }
        let granted = session::begin(app, &mut tx, request, who.user.id, &[provider.as_str()]).await?;
        // Nobody who is banned comes so far.
        grants::pay(&mut tx, who.user.id, &identity).await?;
        tx.commit().await?;
        // The browser's former session has ended by this.
        app.ended.catch_up().await;
        Ok::<_, Problem>(granted)
    };
    match granted.await {
        Ok(granted) => Ok(sent(flow.redirect_to, granted.cookies())),
        Err(problem) => failed(app, request, provider, flow, answer, problem),
    }
}

/// Ends a link: whoever began it gets the account, if the session still lives.
pub(crate) async fn link(
    app: &App,
    request: &Request,
    provider: Provider,
    answer: &Answer,
) -> Result<WithCookies<Sent>, Problem> {
    let (browser, flow) = match redeem(app, request, provider, answer, true).await {
        Ok(redeemed) => redeemed,
        Err(problem) => return not_begun(request, provider, None, problem),
    };
    let Wish::Link { user, session, seat } = flow.wish else { return Err(state_mismatch()) };
    // Somebody else has logged in here meanwhile. A token that is merely over proves nothing against it: the person may have
    // taken longer at the platform than a token lives.
    if session::named(request, app).is_some_and(|named| named.session != session) {
        return Err(state_mismatch());
    }
    let linked = async {
        let (identity, grant) = arrive(app, provider, &browser, answer, true).await?;
        let mut tx = app.db.begin().await?;
        let living = sessions::find(&mut tx, session).await?;
        if living.is_none_or(|living| living.user_id != user) {
            return Err(Problem::unauthorized("the session that began this has ended: log in again"));
        }
        let linked = identities::link(&mut tx, &app.vault, user, &identity, &grant).await?;
        let after = json!({ "provider": provider.as_str(), "login": linked.account.login });
        let act = Act::new("link_account").to(user).with(linked.account.id).changing(Value::Null, after);
        acts::note(&mut tx, &by_id(user), act).await?;
        if linked.is_new {
            let details = format!("{provider}: {}", linked.account.display_name);
            tell(app, &mut tx, request, user, Kind::AccountLinked, Some(&details)).await?;
        }
        if let Some(seat) = seat {
            let before = bot_accounts::seat(&mut tx, user, seat, provider, &linked).await?;
            let before = before.map_or(Value::Null, |before| json!({ provider.as_str(): before.login }));
            let after = json!({ provider.as_str(): linked.account.login });
            let act = match seat {
                Seat::Default => Act::new("link_default_bot"),
                Seat::Channel(channel) => Act::new("link_bot_account").on(channel),
            };
            let act = act.with(linked.account.id).changing(before, after);
            acts::note(&mut tx, &by_id(user), act).await?;
        }
        grants::pay(&mut tx, user, &identity).await?;
        tx.commit().await?;
        Ok::<_, Problem>(())
    };
    match linked.await {
        Ok(()) => Ok(sent(flow.redirect_to, [])),
        Err(problem) => failed(app, request, provider, flow, answer, problem),
    }
}

/// The login that the browser comes back from. It is good no more, whatever follows.
async fn redeem(
    app: &AppState,
    request: &Request,
    provider: Provider,
    answer: &Answer,
    linking: bool,
) -> Result<(BrowserSecret, Flow), Problem> {
    app.settings.platforms.check(provider)?;
    let browser = cookies::login(request, app.settings.environment).and_then(BrowserSecret::parse);
    let browser = browser.ok_or_else(state_mismatch)?;
    let mut tx = app.db.begin().await?;
    let flow = identities::redeem(&mut tx, provider, &browser, &answer.state, linking).await?;
    tx.commit().await?;
    Ok((browser, flow))
}

/// Who came, as the platform says.
async fn arrive(
    app: &AppState,
    provider: Provider,
    browser: &BrowserSecret,
    answer: &Answer,
    linking: bool,
) -> Result<(identities::Identity, identities::Grant), IdentityError> {
    match answer.error.as_deref() {
        Some("access_denied") => return Err(IdentityError::Denied),
        Some("server_error" | "temporarily_unavailable") => {
            return Err(IdentityError::Unavailable("the platform has a trouble of its own".to_owned()));
        }
        Some(_) => return Err(IdentityError::Refused("the platform sent the browser back with an error".to_owned())),
        None => {}
    }
    let code = answer.code.as_deref();
    let code = code.ok_or_else(|| IdentityError::Refused("the browser brought no code".to_owned()))?;
    let trip = Trip {
        state: &answer.state,
        verifier: &browser.verifier(&answer.state),
        nonce: &browser.nonce(&answer.state),
        redirect_uri: &callback(app, provider, linking),
        scopes: &[],
    };
    let returned = Returned { code, issuer: answer.issuer.as_deref(), device: answer.device.as_deref() };
    app.settings.platforms.redeem(provider, &trip, &returned).await
}

/// Back to where the login was begun with a word of why it failed, for a browser; the problem itself for a program.
fn failed(
    app: &AppState,
    request: &Request,
    provider: Provider,
    flow: Flow,
    answer: &Answer,
    problem: Problem,
) -> Result<WithCookies<Sent>, Problem> {
    if let Some(why) = problem.member("reason") {
        // Whoever is banned has no page but the front one, and it tells why.
        let told = cookies::of_told(app.settings.environment, why);
        return Ok(turned_back(request, provider, "/", None, problem)?.and(told));
    }
    let denied = answer.error.as_deref() == Some("access_denied");
    let back = turned_back(request, provider, &flow.redirect_to, denied.then_some("access_denied"), problem)?;
    Ok(back.and(cookies::of_nothing_told(app.settings.environment)))
}

/// A link that does not begin: as one that failed. Who is not logged in gets to the front page, which says to log in first and
/// where to go on from there.
fn not_begun(
    request: &Request,
    provider: Provider,
    redirect_to: Option<&str>,
    problem: Problem,
) -> Result<WithCookies<Sent>, Problem> {
    let asked = ours(redirect_to)?;
    if problem.status() != StatusCode::UNAUTHORIZED {
        return turned_back(request, provider, asked, None, problem);
    }
    turned_back(request, provider, &front(redirect_to), None, problem)
}

/// The front page, which goes on to this path.
fn front(redirect_to: Option<&str>) -> String {
    let query = redirect_to
        .map(|path| form_urlencoded::Serializer::new(String::new()).append_pair("redirect_to", path).finish());
    query.map_or_else(|| "/".to_owned(), |query| format!("/?{query}"))
}

fn turned_back(
    request: &Request,
    provider: Provider,
    redirect_to: &str,
    word: Option<&str>,
    problem: Problem,
) -> Result<WithCookies<Sent>, Problem> {
    let shows_pages = request.header("accept").is_some_and(|kinds| kinds.contains("text/html"));
    if !shows_pages {
        return Err(problem);
    }
    let word = word.map_or_else(|| problem.word(), str::to_owned);
    // The page of the document shows no words of ours.
    let front = redirect_to.starts_with("/docs").then(|| front(Some(redirect_to)));
    let redirect_to = front.as_deref().unwrap_or(redirect_to);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("error", &word)
        .append_pair("provider", provider.as_str())
        .finish();
    let (place, fragment) = redirect_to.split_once('#').unwrap_or((redirect_to, ""));
    let joint = if place.contains('?') { '&' } else { '?' };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    Ok(sent(format!("{place}{joint}{query}{fragment}"), []))
}

fn sent(to: String, cookies: impl IntoIterator<Item = String>) -> WithCookies<Sent> {
    WithCookies::new(Sent::To(to), cookies)
}

/// The platform's own address for the way back: no platform can send its answer in another's name.
fn callback(app: &AppState, provider: Provider, linking: bool) -> String {
    let link = if linking { "/link" } else { "" };
    format!("{}/auth/{provider}{link}/callback", app.settings.public_url)
}

/// A path of ours, as it was asked for.
fn ours(redirect_to: Option<&str>) -> Result<&str, Problem> {
    let path = redirect_to.unwrap_or("/");
    let detail = "redirect_to: a path of this site, at most 2048 characters: /like/this";
    if is_ours(path) { Ok(path) } else { Err(Problem::bad_request(ErrorCode::ValidationError, detail)) }
}

/// Whether a browser stays with us when it is sent there. Browsers take a backslash for a slash, and drop line breaks and
/// tabs.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 2048
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !path.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_paths_of_ours_only() {
        for good in ["/", "/panel", "/panel?tab=accounts#x", "/a//b", "/a/../b", "/?next=https://evil.example"] {
            assert!(is_ours(good), "{good}");
        }
        for bad in [
            "",
            "panel",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nset-cookie: a=b",
            " /",
            "/ x",
            "/\0",
            "https://evil.example",
            "javascript:alert(1)",
            "/путь",
            "\u{feff}/",
            &format!("/{}", "x".repeat(2048)),
        ] {
            assert!(!is_ours(bad), "{bad:?}");
        }
    }
}
