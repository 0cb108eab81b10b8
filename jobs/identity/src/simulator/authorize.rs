//! Where a person says yes or no.

use std::collections::HashMap;

use domain::identities::Provider;
use url::{Url, form_urlencoded};

use super::{
    Fault, Simulator,
    faults::Door,
    http::{Request, Response},
    platforms::Platform,
    world::{Code, World, random},
};

pub(super) fn answer(request: &Request, platform: &Platform, world: &World) -> Response {
    let query = &request.query;
    let response = match complaint(query, platform) {
        Some(what) => Response::html(400, format!("<p>{}: {what}</p>", platform.provider)),
        None if query.contains_key("as") || query.contains_key("deny") => back(query, platform, world),
        None => Response::html(200, page(query, platform.provider)),
    };
    world.state().see(platform.provider, "authorize", "", 0);
    response
}

/// What a real one would tell the person instead of asking.
fn complaint(query: &HashMap<String, String>, platform: &Platform) -> Option<&'static str> {
    let given = |name: &str| query.get(name).map_or("", String::as_str);
    let (client, _) = Simulator::client(platform.provider);
    let openid = matches!(platform.provider, Provider::Google | Provider::Oidc);
    let checks = [
        (given("client_id") != client, "an unknown client"),
        (given("response_type") != "code", "response_type is not code"),
        (given("state").len() < 32, "state is too short to be secret"),
        (Url::parse(given("redirect_uri")).is_err(), "redirect_uri is no address"),
        (platform.pkce && given("code_challenge_method") != "S256", "code_challenge_method is not S256"),
        (platform.pkce && given("code_challenge").len() != 43, "code_challenge is not of S256"),
        (openid && !given("scope").split(' ').any(|scope| scope == "openid"), "scope is without openid"),
        (openid && given("nonce").len() < 32, "nonce is too short to be secret"),
        (platform.provider == Provider::YouTube && given("access_type") != "offline", "no refresh token is asked for"),
    ];
    checks.into_iter().find(|(wrong, _)| *wrong).map(|(_, what)| what)
}

/// Sends the browser back with what the person said.
fn back(query: &HashMap<String, String>, platform: &Platform, world: &World) -> Response {
    let given = |name: &str| query.get(name).cloned().unwrap_or_default();
    let mut state = world.state();
    let fault = state.take_fault(platform.provider, Door::Authorize);
    let mut answer = vec![("state", given("state"))];
    let issuer = world.url(platform.provider);
    if platform.provider == Provider::Oidc {
        answer.push(("iss", issuer));
    }
    let denied = query.contains_key("deny") || fault == Some(Fault::Deny);
    if denied || fault == Some(Fault::AuthorizeError) {
        let error = if denied { "access_denied" } else { "server_error" };
        answer.extend([("error", error.to_owned()), ("error_description", "<b>The user denied access</b>".to_owned())]);
    } else {
        let code = random();
        let device = if platform.provider == Provider::Vk { random() } else { String::new() };
        if !device.is_empty() {
            answer.push(("device_id", device.clone()));
        }
        let family = state.new_family();
        let scopes =
            given("scope").split(platform.separator).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        state.codes.insert(
            code.clone(),
            Code {
                provider: platform.provider,
                login: given("as").to_lowercase(),
                redirect_uri: given("redirect_uri"),
                challenge: given("code_challenge"),
                nonce: given("nonce"),
                device,
                scopes,
                family,
                used: false,
            },
        );
        answer.push(("code", code));
    }
    drop(state);
    let mut put = |name: &'static str, value: Option<String>| {
        answer.retain(|(known, _)| *known != name);
        answer.extend(value.map(|value| (name, value)));
    };
    match fault {
        Some(Fault::DropState) => put("state", None),
        Some(Fault::ChangeState) => put("state", Some(random())),
        Some(Fault::DropCode) => put("code", None),
        Some(Fault::ForgeCode) => put("code", Some(random())),
        Some(Fault::NameAnother) => put("iss", Some("https://evil.example".to_owned())),
        Some(Fault::NameNobody) => put("iss", None),
        _ => {}
    }
    let mut to = given("redirect_uri");
    to.push(if to.contains('?') { '&' } else { '?' });
    to.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish());
    Response::redirect(to)
}

/// The person picks a name.
fn page(query: &HashMap<String, String>, provider: Provider) -> String {
    let hidden: String = query
        .iter()
        .map(|(name, value)| format!("<input type=hidden name=\"{}\" value=\"{}\">", escaped(name), escaped(value)))
        .collect();
    format!(
        "<!doctype html><meta charset=utf-8><title>{provider}, simulated</title>\
         <body style=\"font:16px sans-serif;max-width:24em;margin:4em auto\"><h1>{provider}, simulated</h1>\
         <p>An application wants to know who you are.</p><form>{hidden}\
         <label>Your name there <input name=as value=anna pattern=\"[a-z0-9_]+\" required autofocus></label> \
         <button>Allow</button> <button name=deny value=1>Deny</button></form>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
