//! The front page, for whoever opens the bare address: where to go from here, and why a login brought them here that failed.

use std::{fmt::Write as _, sync::Arc};

use domain::{identities::Provider, mails::Language};
use poem::{Endpoint, IntoResponse, Request, Response, http::Method};
use serde::Deserialize;
use url::form_urlencoded;

use super::pages::front_page;
use crate::{
    app::{App, AppState},
    auth::{cookies, oauth::is_ours},
    language,
};

const PAGE: &str = include_str!("../../web/index.html");
/// Where in the page it is said.
const TOLD: &str = "<!-- told -->";
const LOGINS: &str = "<!-- logins -->";

/// What logins and links come back with. What is none of it says nothing.
#[derive(Debug, Default, Deserialize)]
struct Query {
    error: Option<String>,
    provider: Option<String>,
    redirect_to: Option<String>,
}

/// Around the routes and no route, for the operations are nested at `/` and take it.
pub(crate) async fn front<E: Endpoint>(inner: Arc<E>, request: Request) -> poem::Result<Response> {
    if request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
        let query = request.params::<Query>().unwrap_or_default();
        let app = request.data::<App>();
        let platforms = app.map(|app| offered(app)).unwrap_or_default();
        let why = app.and_then(|app| cookies::told(&request, app.settings.environment));
        return Ok(front_page(page(&query, why.as_deref(), &platforms, language::of(&request))).into_response());
    }
    inner.call(request).await.map(IntoResponse::into_response)
}

/// Platforms that are set up.
fn offered(app: &AppState) -> Vec<Provider> {
    Provider::ALL.into_iter().filter(|provider| app.settings.platforms.check(*provider).is_ok()).collect()
}

/// `why`: of a ban that somebody has given a reason for, in their words.
fn page(query: &Query, why: Option<&str>, platforms: &[Provider], language: Language) -> String {
    let provider = query.provider.as_deref().and_then(|provider| provider.parse::<Provider>().ok());
    let told = query.error.as_deref().map(|error| {
        // A proof is for the platform that is to be linked, and no login with that one.
        let about = provider.filter(|_| error != "step_up_required");
        let about = about.map(|provider| format!(" ({provider})")).unwrap_or_default();
        // The next failure at this browser has nothing to do with it.
        let why = why.filter(|_| error == "account_banned");
        let why = why.map(|why| format!(" {}", because(why, language))).unwrap_or_default();
        format!("<p role=\"alert\">{}{about}{why}</p>", words(error, language))
    });
    let back = query.redirect_to.as_deref().filter(|path| is_ours(path));
    let back =
        back.map(|path| form_urlencoded::Serializer::new(String::new()).append_pair("redirect_to", path).finish());
    let back = back.map(|query| format!("?{query}")).unwrap_or_default();
    let mut logins = String::new();
    for platform in platforms {
        let log_in = match language {
            Language::English => "Log in with",
            Language::Russian => "Войти через",
        };
        // What is percent-encoded has nothing in it that ends an attribute.
        _ = writeln!(logins, "<li><a href=\"/auth/{platform}{back}\">{log_in} {platform}</a></li>");
    }
    PAGE.replace(TOLD, &told.unwrap_or_default()).replace(LOGINS, logins.trim_end())
}

/// In somebody's words, with nothing in it that is markup.
fn because(why: &str, language: Language) -> String {
    let begin = match language {
        Language::English => "What was said of why:",
        Language::Russian => "Причина:",
    };
    let plain: String = why.chars().fold(String::new(), |mut plain, letter| {
        match letter {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '"' => plain.push_str("&quot;"),
            letter => plain.push(letter),
        }
        plain
    });
    format!("{begin} {plain}")
}

/// What an `error` of an address means. Only words of ours go into the page.
fn words(error: &str, language: Language) -> &'static str {
    let (english, russian) = match error {
        "unauthorized" | "session_expired" => (
            "You are not logged in. Log in first, then try again.",
            "Вы не вошли. Сначала войдите, затем попробуйте ещё раз.",
        ),
        "access_denied" => {
            ("You did not let the platform tell who you are.", "Вы не разрешили платформе сообщить, кто вы.")
        }
        "step_up_required" => (
            "For this, prove that it is you: log in again with an account that is linked already, then try again.",
            "Для этого подтвердите, что это вы: войдите ещё раз через уже связанный аккаунт и повторите попытку.",
        ),
        "account_already_linked" => {
            ("This account belongs to somebody else here.", "Этот аккаунт здесь уже принадлежит другому человеку.")
        }
        "forbidden" => ("Your account may not do this.", "Вашей учётной записи это не разрешено."),
        "subscription_required" => (
            "A bot account of your own takes the entitlement custom_bot.",
            "Собственному аккаунту бота нужно право custom_bot.",
        ),
        "last_account" => (
            "Nobody logs in with the bot account for all channels, and this is your only way in. Link another account first.",
            "С общим аккаунтом бота никто не входит, а это ваш единственный способ входа. Сначала свяжите другой аккаунт.",
        ),
        "account_banned" => ("Your account is banned.", "Ваша учётная запись заблокирована."),
        "account_deleted" => ("Your account is being deleted.", "Ваша учётная запись удаляется."),
        "youtube_channel_required" => (
            "This account has no YouTube channel: make one first.",
            "У этого аккаунта нет канала YouTube: сначала создайте его.",
        ),
        "oauth_not_configured" => ("This platform is not set up here.", "Эта платформа здесь не настроена."),
        "oauth_unavailable" | "service_unavailable" => (
            "The platform does not answer as it should. Try again in a while.",
            "Платформа не отвечает как следует. Попробуйте позже.",
        ),
        "oauth_failed" | "oauth_state_mismatch" => {
            ("The platform did not confirm the login. Begin anew.", "Платформа не подтвердила вход. Начните заново.")
        }
        _ => ("This did not work. Try again.", "Не получилось. Попробуйте ещё раз."),
    };
    match language {
        Language::English => english,
        Language::Russian => russian,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: &str, provider: &str, redirect_to: &str, language: Language) -> String {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let query = Query { error: given(error), provider: given(provider), redirect_to: given(redirect_to) };
        page(&query, None, &[Provider::Kick, Provider::Twitch], language)
    }

    #[test]
    fn the_page_says_why_a_login_failed_and_where_to_log_in() {
        let plain = shown("", "", "", Language::English);
        assert!(!plain.contains("role=\"alert\"") && !plain.contains("<!--"), "{plain}");
        assert!(plain.contains("<a href=\"/auth/kick\">Log in with kick</a>"), "{plain}");
        let told = shown("unauthorized", "kick", "/panel?tab=a&b=\"c", Language::English);
        assert!(
            told.contains("<p role=\"alert\">You are not logged in. Log in first, then try again. (kick)</p>"),
            "{told}"
        );
        assert!(
            told.contains("href=\"/auth/twitch?redirect_to=%2Fpanel%3Ftab%3Da%26b%3D%22c\""),
            "a quote ends no attribute: {told}"
        );
        let told = shown("access_denied", "kick", "/panel?tab=a&b=c", Language::Russian);
        assert!(told.contains("Вы не разрешили платформе") && told.contains("Войти через twitch"), "{told}");
        assert!(told.contains("href=\"/auth/twitch?redirect_to=%2Fpanel%3Ftab%3Da%26b%3Dc\""), "{told}");
    }

    #[test]
    fn a_reason_is_told_in_the_words_of_whoever_gave_it_and_is_no_markup() {
        let query = Query { error: Some("account_banned".to_owned()), ..Query::default() };
        let told = page(&query, Some("<b>\"spam\"</b> & more"), &[], Language::English);
        let words = "Your account is banned. What was said of why: &lt;b&gt;&quot;spam&quot;&lt;/b&gt; &amp; more</p>";
        assert!(told.contains(words), "{told}");
        // Without a failure there is nothing to give a reason for, and of another one it says nothing.
        let denied = Query { error: Some("access_denied".to_owned()), ..Query::default() };
        for query in [Query::default(), denied] {
            assert!(!page(&query, Some("spam"), &[], Language::English).contains("spam"));
        }
    }

    #[test]
    fn nothing_of_an_address_becomes_markup_and_nobody_is_led_away() {
        let evil = shown("<script>alert(1)</script>", "\"><script>", "//evil.example", Language::English);
        assert!(evil.contains("This did not work. Try again.</p>"), "{evil}");
        assert!(!evil.contains("script>") && !evil.contains("evil"), "{evil}");
    }
}
