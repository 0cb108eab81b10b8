//! Codes and refresh tokens for tokens, and tokens for who came.

use std::{collections::HashMap, pin::pin};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::identities::Provider;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Fault, Simulator,
    faults::Door,
    http::{Request, Response},
    openid,
    platforms::{Client, Platform, Refresh, subject},
    world::{Grant, State, World, random},
};

/// More than any client should read.
const HUGE: usize = 4 * 1024 * 1024;

pub(super) async fn answer(request: &Request, platform: &Platform, world: &World, path: &str) -> Option<Response> {
    let form = if platform.client == Client::Json { request.json() } else { request.form() };
    let grant = form.get("grant_type").cloned().unwrap_or_default();
    let renewal = grant == "refresh_token";
    // Whoever orders the answer once the fault was met must not be too early for it.
    let mut released = pin!(world.held.notified());
    released.as_mut().enable();
    let fault = {
        let mut state = world.state();
        let of_renewal = if renewal { state.take_fault(platform.provider, Door::Renewal) } else { None };
        of_renewal.or_else(|| state.take_fault(platform.provider, Door::Token))
    };
    if fault == Some(Fault::TokenHold) {
        released.await;
    }
    // Trouble with a code comes after it was used up, trouble with a renewal before: nobody could mend one that was lost.
    let (status, body) = match &fault {
        Some(fault) if fault.door() == Door::Renewal => (503, Value::Null),
        _ => respond(request, platform, world, path, &form),
    };
    let response = match fault {
        None | Some(Fault::TokenHold) => Some(Response::json(status, &body)),
        Some(fault) => spoilt(&fault, platform, status, body),
    };
    world.state().see(platform.provider, "token", &grant, if response.is_some() { status } else { 0 });
    response
}

fn spoilt(fault: &Fault, platform: &Platform, status: u16, mut body: Value) -> Option<Response> {
    let (refused, refusal) = platform.refuse(true);
    match fault {
        Fault::TokenStatus { status } | Fault::RenewalStatus { status } => {
            return Some(Response::json(*status, &json!({ "error": "broken", "status": status })));
        }
        Fault::TokenRefuse => return Some(Response::json(refused, &refusal)),
        Fault::RenewalRefuse => {
            let (status, refusal) = platform.refuse(false);
            return Some(Response::json(status, &refusal));
        }
        Fault::TokenRefuseClient | Fault::RenewalRefuseClient => {
            return Some(Response::json(401, &json!({ "error": "invalid_client" })));
        }
        Fault::TokenHtml | Fault::RenewalHtml => return Some(Response::html(200, "<h1>Maintenance</h1>")),
        Fault::TokenEmpty => return Some(Response::json(200, &json!({}))),
        Fault::TokenNull => body["access_token"] = Value::Null,
        Fault::TokenNumber => body["access_token"] = json!(42),
        Fault::TokenLineBreak => body["access_token"] = json!("a\r\nx-evil: 1"),
        Fault::TokenOfOtherType => body["token_type"] = json!("mac"),
        Fault::TokenHuge => return Some(Response::bytes(200, vec![b' '; HUGE])),
        Fault::TokenRedirect => return Some(Response::redirect("http://127.0.0.1:9/".to_owned())),
        Fault::TokenHangUp => return None,
        _ => {}
    }
    Some(Response::json(status, &body))
}

fn respond(
    request: &Request,
    platform: &Platform,
    world: &World,
    path: &str,
    form: &HashMap<String, String>,
) -> (u16, Value) {
    if !is_client(request, platform, form) {
        return (401, json!({ "error": "invalid_client" }));
    }
    match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") if path == platform.token => of_code(platform, world, form),
        Some("refresh_token") if path == platform.renew => of_refresh(platform, &mut world.state(), form),
        Some("client_credentials") if matches!(platform.provider, Provider::Twitch | Provider::VkVideo) => {
            of_app(platform, &mut world.state())
        }
        _ => (400, json!({ "error": "unsupported_grant_type" })),
    }
}

/// Each platform takes the proof in its own place only.
fn is_client(request: &Request, platform: &Platform, form: &HashMap<String, String>) -> bool {
    let (id, secret) = Simulator::client(platform.provider);
    let given = |name: &str| form.get(name).map_or("", String::as_str);
    match platform.client {
        Client::Form => given("client_id") == id && given("client_secret") == secret,
        Client::Basic => {
            request.header("authorization") == format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
                && !form.contains_key("client_secret")
        }
        Client::Json => request.header("client-id") == id && given("client_secret") == secret,
    }
}

fn of_code(platform: &Platform, world: &World, form: &HashMap<String, String>) -> (u16, Value) {
    let given = |name: &str| form.get(name).map_or("", String::as_str);
    let mut state = world.state();
    let Some(code) = state.codes.get(given("code")).cloned() else { return platform.refuse(true) };
    if code.used {
        // Shown twice: one of the two was a thief.
        state.over.insert(code.family);
        state.access.retain(|_, grant| grant.family != code.family);
        return platform.refuse(true);
    }
    let verified = !platform.pkce || URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier"))) == code.challenge;
    let same_device = platform.provider != Provider::Vk || given("device_id") == code.device;
    if code.provider != platform.provider || code.redirect_uri != given("redirect_uri") || !verified || !same_device {
        return platform.refuse(true);
    }
    if let Some(code) = state.codes.get_mut(given("code")) {
        code.used = true;
    }
    let grant = Grant {
        provider: code.provider,
        login: code.login.clone(),
        scopes: code.scopes.clone(),
        device: code.device.clone(),
        family: code.family,
        used: false,
    };
    let refresh = (platform.refresh != Refresh::Never).then(random);
    let mut body = given_out(platform, &mut state, &grant, refresh.as_deref());
    let fault = state.take_fault(platform.provider, Door::Proof);
    drop(state);
    if matches!(platform.provider, Provider::Google | Provider::Oidc)
        && let Some(proof) = openid::proof(platform, world, &code, fault.as_ref())
    {
        body["id_token"] = json!(proof);
    }
    (200, body)
}

fn of_refresh(platform: &Platform, state: &mut State, form: &HashMap<String, String>) -> (u16, Value) {
    let given = |name: &str| form.get(name).map_or("", String::as_str);
    let Some(grant) = state.refresh.get(given("refresh_token")).cloned() else { return platform.refuse(false) };
    if grant.used {
        state.over.insert(grant.family);
    }
    let same_device = platform.provider != Provider::Vk || given("device_id") == grant.device;
    if grant.provider != platform.provider || !same_device || state.over.contains(&grant.family) {
        return platform.refuse(false);
    }
    let refresh = match platform.refresh {
        Refresh::Never => return platform.refuse(false),
        Refresh::Stays => None,
        Refresh::Repeats => Some(given("refresh_token").to_owned()),
        Refresh::Rotates => {
            if let Some(old) = state.refresh.get_mut(given("refresh_token")) {
                old.used = true;
            }
            Some(random())
        }
    };
    (200, given_out(platform, state, &grant, refresh.as_deref()))
}

/// A token of the client itself: it is of nobody, and cannot be renewed.
fn of_app(platform: &Platform, state: &mut State) -> (u16, Value) {
    let family = state.new_family();
    let (provider, login, scopes, device) = (platform.provider, String::new(), Vec::new(), String::new());
    let grant = Grant { provider, login, scopes, device, family, used: false };
    (200, given_out(platform, state, &grant, None))
}

fn given_out(platform: &Platform, state: &mut State, grant: &Grant, refresh: Option<&str>) -> Value {
    let access = random();
    state.access.insert(access.clone(), grant.clone());
    if let Some(refresh) = refresh {
        state.refresh.insert(refresh.to_owned(), grant.clone());
    }
    platform.grant(&access, refresh, &grant.scopes)
}

/// Who the token is of.
pub(super) fn tell(request: &Request, platform: &Platform, world: &World) -> Option<Response> {
    let (scheme, bearer) = request.header("authorization").split_once(' ').unwrap_or_default();
    let form = request.form();
    let (client, _) = Simulator::client(platform.provider);
    let (token, shown_well) = match platform.provider {
        Provider::Twitch => (bearer, scheme == "Bearer" && request.header("client-id") == client),
        Provider::Trovo => (bearer, scheme == "OAuth" && request.header("client-id") == client),
        Provider::Vk => (form.get("access_token").map_or("", String::as_str), form.get("client_id") == Some(&client)),
        Provider::GitHub => (bearer, scheme == "Bearer" && !request.header("user-agent").is_empty()),
        _ => (bearer, scheme == "Bearer"),
    };
    let (grant, fault) = {
        let mut state = world.state();
        (state.access.get(token).cloned(), state.take_fault(platform.provider, Door::Profile))
    };
    let grant = grant.filter(|grant| shown_well && grant.provider == platform.provider);
    let (status, body) = match &grant {
        Some(grant) => (200, platform.tell(&grant.login)),
        None => (401, json!({ "status": 401, "error": "Unauthorized", "message": "invalid access token" })),
    };
    world.state().see(platform.provider, "profile", "", status);
    let strange = |login: &str| {
        let mut body = platform.tell(login);
        rename(&mut body, &|_| Some(json!("\u{202e}\u{0}<script>alert(1)</script>\r\n\u{200b}".repeat(2000))));
        body
    };
    Some(match fault {
        None => Response::json(status, &body),
        Some(Fault::ProfileStatus { status }) => Response::json(status, &json!({ "error": "broken" })),
        Some(Fault::ProfileHtml) => Response::html(200, "<h1>Maintenance</h1>"),
        Some(Fault::ProfileHuge) => Response::bytes(200, vec![b' '; HUGE]),
        Some(Fault::ProfileEmpty) => Response::json(200, &json!({})),
        Some(Fault::ProfileWithoutId) => Response::json(200, &reidentified(body, &Value::Null)),
        Some(Fault::ProfileEmptyId) => Response::json(200, &reidentified(body, &json!(""))),
        Some(Fault::ProfileOfTwo) => {
            let mut body = body;
            if let Some(people) = body["data"].as_array_mut() {
                people.extend(platform.tell("somebody_else")["data"].as_array().cloned().unwrap_or_default());
            }
            Response::json(200, &body)
        }
        Some(Fault::ProfileOfAnother) => Response::json(200, &platform.tell("somebody_else")),
        Some(Fault::ProfileHangUp) => return None,
        Some(_) => Response::json(200, &strange(grant.as_ref().map_or("nobody", |grant| &grant.login))),
    })
}

/// Takes a token back, and with it the grant that it is of.
pub(super) fn take_back(request: &Request, platform: &Platform, world: &World) -> Response {
    let (form, json) = (request.form(), request.json());
    let of = |members: &HashMap<String, String>, name: &str| members.get(name).cloned().unwrap_or_default();
    let (client, _) = Simulator::client(platform.provider);
    let (token, shown_well) = match platform.provider {
        Provider::Twitch => (of(&form, "token"), of(&form, "client_id") == client),
        Provider::Trovo => (of(&json, "access_token"), request.header("client-id") == client),
        Provider::Kick => (of(&request.query, "token"), !of(&request.query, "token_hint_type").is_empty()),
        Provider::VkVideo => {
            (of(&form, "token"), is_client(request, platform, &form) && !of(&form, "token_type_hint").is_empty())
        }
        _ => (of(&form, "token"), true),
    };
    let mut state = world.state();
    let grant = state.access.get(&token).or_else(|| state.refresh.get(&token)).cloned();
    let status = match (state.take_fault(platform.provider, Door::Revoke), grant) {
        (Some(Fault::RevokeStatus { status }), _) => status,
        (_, Some(grant)) if shown_well && grant.provider == platform.provider => {
            state.over.insert(grant.family);
            state.access.retain(|_, other| other.family != grant.family);
            200
        }
        _ => 400,
    };
    state.see(platform.provider, "revoke", "", status);
    Response::json(status, &json!({}))
}

/// Whether the token is good, in Twitch's words.
pub(super) fn validate(request: &Request, platform: &Platform, world: &World) -> Response {
    let token = request.header("authorization").strip_prefix("OAuth ").unwrap_or_default().to_owned();
    let (client, _) = Simulator::client(platform.provider);
    let mut state = world.state();
    let grant = state.access.get(&token).filter(|grant| grant.provider == platform.provider).cloned();
    let (status, body) = match (state.take_fault(platform.provider, Door::Validate), grant) {
        (Some(Fault::ValidateStatus { status }), _) => (status, json!({ "status": status, "message": "broken" })),
        (_, Some(grant)) => {
            let id = subject(platform.provider, &grant.login);
            let body = json!({
                "client_id": client, "login": grant.login, "scopes": grant.scopes, "user_id": id, "expires_in": 5000
            });
            (200, body)
        }
        _ => (401, json!({ "status": 401, "message": "invalid access token" })),
    };
    state.see(platform.provider, "validate", "", status);
    Response::json(status, &body)
}

const IDS: [&str; 4] = ["id", "user_id", "userId", "sub"];
const NAMES: [&str; 9] =
    ["login", "display_name", "name", "nick", "nickName", "username", "global_name", "first_name", "title"];

fn reidentified(mut body: Value, id: &Value) -> Value {
    each(&mut body, &|name, value| {
        if IDS.contains(&name) {
            *value = id.clone();
        }
    });
    body
}

fn rename(body: &mut Value, to: &dyn Fn(&str) -> Option<Value>) {
    each(body, &|name, value| {
        if NAMES.contains(&name)
            && let Some(other) = to(name)
        {
            *value = other;
        }
    });
}

/// Each member of each object in it.
fn each(body: &mut Value, act: &dyn Fn(&str, &mut Value)) {
    match body {
        Value::Object(members) => {
            for (name, value) in members {
                act(name, value);
                each(value, act);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| each(value, act)),
        _ => {}
    }
}
