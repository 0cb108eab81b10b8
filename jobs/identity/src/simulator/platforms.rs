//! Each platform's side, written from its own documentation and not from our registry: what we send must be what it takes.

use domain::identities::Provider;
use serde_json::{Value, json};

/// How it wants to know who the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Form,
    Basic,
    Json,
}

/// What a renewal does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refresh {
    /// There is none.
    Never,
    /// It stays, and is not told again.
    Stays,
    /// It stays, and is told again.
    Repeats,
    /// A new one; the old one is over, and shown again ends them all.
    Rotates,
}

#[derive(Debug)]
pub(super) struct Platform {
    pub(super) provider: Provider,
    pub(super) authorize: &'static str,
    pub(super) token: &'static str,
    pub(super) renew: &'static str,
    /// Empty: an id token says who came.
    pub(super) profile: &'static str,
    /// Empty: it takes nothing back.
    pub(super) revoke: &'static str,
    pub(super) client: Client,
    pub(super) refresh: Refresh,
    /// It wants a challenge, and checks the verifier.
    pub(super) pkce: bool,
    pub(super) separator: char,
}

pub(super) const ALL: [Platform; 10] = [
    Platform {
        provider: Provider::Twitch,
        authorize: "/oauth2/authorize",
        token: "/oauth2/token",
        renew: "/oauth2/token",
        profile: "/helix/users",
        revoke: "/oauth2/revoke",
        client: Client::Form,
        refresh: Refresh::Repeats,
        pkce: false,
        separator: ' ',
    },
    Platform {
        provider: Provider::Google,
        authorize: "/o/oauth2/v2/auth",
        token: "/token",
        renew: "/token",
        profile: "",
        revoke: "/revoke",
        client: Client::Form,
        refresh: Refresh::Stays,
        pkce: true,
        separator: ' ',
    },
    Platform {
        provider: Provider::YouTube,
        authorize: "/o/oauth2/v2/auth",
        token: "/token",
        renew: "/token",
        profile: "/youtube/v3/channels",
        revoke: "/revoke",
        client: Client::Form,
        refresh: Refresh::Stays,
        pkce: true,
        separator: ' ',
    },
    Platform {
        provider: Provider::GitHub,
        authorize: "/login/oauth/authorize",
        token: "/login/oauth/access_token",
        renew: "/login/oauth/access_token",
        profile: "/user",
        revoke: "",
        client: Client::Form,
        refresh: Refresh::Never,
        pkce: true,
        separator: ' ',
    },
    Platform {
        provider: Provider::Vk,
        authorize: "/authorize",
        token: "/oauth2/auth",
        renew: "/oauth2/auth",
        profile: "/oauth2/user_info",
        revoke: "",
        client: Client::Form,
        refresh: Refresh::Rotates,
        pkce: true,
        separator: ' ',
    },
    Platform {
        provider: Provider::VkVideo,
        authorize: "/app/oauth2/authorize",
        token: "/oauth/server/token",
        renew: "/oauth/server/token",
        profile: "/v1/current_user",
        revoke: "/oauth/server/revoke",
        client: Client::Basic,
        refresh: Refresh::Rotates,
        pkce: false,
        separator: ',',
    },
    Platform {
        provider: Provider::Kick,
        authorize: "/oauth/authorize",
        token: "/oauth/token",
        renew: "/oauth/token",
        profile: "/public/v1/users",
        revoke: "/oauth/revoke",
        client: Client::Form,
        refresh: Refresh::Rotates,
        pkce: true,
        separator: ' ',
    },
    Platform {
        provider: Provider::Trovo,
        authorize: "/page/login.html",
        token: "/openplatform/exchangetoken",
        renew: "/openplatform/refreshtoken",
        profile: "/openplatform/getuserinfo",
        revoke: "/openplatform/revoke",
        client: Client::Json,
        refresh: Refresh::Rotates,
        pkce: false,
        separator: ' ',
    },
    Platform {
        provider: Provider::Discord,
        authorize: "/oauth2/authorize",
        token: "/api/oauth2/token",
        renew: "/api/oauth2/token",
        profile: "/api/v10/users/@me",
        revoke: "",
        client: Client::Form,
        refresh: Refresh::Rotates,
        pkce: true,
        separator: ' ',
    },
    Platform {
        provider: Provider::Oidc,
        authorize: "/authorize",
        token: "/token",
        renew: "/token",
        profile: "/userinfo",
        revoke: "",
        client: Client::Basic,
        refresh: Refresh::Rotates,
        pkce: true,
        separator: ' ',
    },
];

/// The platform and the rest of the path: `/twitch/oauth2/token`.
pub(super) fn named(path: &str) -> Option<(&'static Platform, &str)> {
    let rest = path.strip_prefix('/')?;
    let (name, _) = rest.split_once('/')?;
    let platform = ALL.iter().find(|platform| platform.provider.as_str() == name)?;
    Some((platform, &rest[name.len()..]))
}

/// The id of the account with this name: always the same, and no two platforms share it.
pub(super) fn subject(provider: Provider, login: &str) -> String {
    let hash = format!("{provider}/{login}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let number = hash % 900_000_000 + 100_000_000;
    match provider {
        Provider::YouTube => format!("UC{number:022}"),
        Provider::Oidc => format!("person|{number}"),
        _ => number.to_string(),
    }
}

impl Platform {
    /// Who the account is, in the platform's own words.
    pub(super) fn tell(&self, login: &str) -> Value {
        let id = subject(self.provider, login);
        let number = id.parse::<u64>().unwrap_or_default();
        let name = capital(login);
        let picture = format!("https://img.example/{login}.png");
        match self.provider {
            Provider::Twitch => json!({ "data": [{
                "id": id, "login": login, "display_name": name, "type": "", "broadcaster_type": "", "description": "",
                "profile_image_url": picture, "offline_image_url": "", "created_at": "2020-01-01T00:00:00Z"
            }] }),
            // Accounts whose name says so have no channel.
            Provider::YouTube if login.starts_with("nochannel") => {
                json!({ "kind": "youtube#channelListResponse", "pageInfo": { "totalResults": 0, "resultsPerPage": 5 } })
            }
            Provider::YouTube => json!({ "kind": "youtube#channelListResponse", "items": [{
                "kind": "youtube#channel", "id": id,
                "snippet": { "title": name, "customUrl": format!("@{login}"), "thumbnails": { "default": { "url": picture } } }
            }] }),
            Provider::GitHub => json!({
                "login": login, "id": number, "node_id": "x", "avatar_url": picture, "type": "User", "name": name, "email": null
            }),
            Provider::Vk => json!({ "user": {
                "user_id": id, "first_name": name, "last_name": "", "avatar": picture, "sex": 1, "verified": false
            } }),
            Provider::VkVideo => json!({ "data": {
                "user": { "id": number, "nick": login, "nick_color": 0, "avatar_url": picture }, "channel": { "url": login }
            } }),
            Provider::Kick => json!({
                "data": [{ "user_id": number, "name": login, "email": "", "profile_picture": picture }], "message": "OK"
            }),
            Provider::Trovo => json!({
                "userId": id, "userName": login, "nickName": name, "email": "", "profilePic": picture, "info": "", "channelId": id
            }),
            Provider::Discord => json!({
                "id": id, "username": login, "discriminator": "0", "global_name": name, "avatar": "0123456789abcdef"
            }),
            Provider::Google | Provider::Oidc => json!({
                "sub": id, "preferred_username": login, "name": name, "picture": picture,
                "email": format!("{login}@mail.example"), "email_verified": true
            }),
        }
    }

    /// A token answer in the platform's own form.
    pub(super) fn grant(&self, access: &str, refresh: Option<&str>, scopes: &[String]) -> Value {
        let mut answer = json!({ "access_token": access, "token_type": "Bearer" });
        let together = |separator: &str| Value::from(scopes.join(separator));
        (answer["expires_in"], answer["scope"]) = match self.provider {
            Provider::Twitch => (json!(14_400), json!(scopes)),
            Provider::Trovo => (json!("14400"), Value::Null),
            Provider::GitHub => (Value::Null, together(",")),
            Provider::VkVideo => (json!(86_400), together(",")),
            _ => (json!(3600), together(" ")),
        };
        match self.provider {
            Provider::Twitch => answer["token_type"] = json!("bearer"),
            Provider::Trovo => answer["token_type"] = json!("OAuth"),
            _ => {}
        }
        if let Some(refresh) = refresh {
            answer["refresh_token"] = json!(refresh);
        }
        if let Some(members) = answer.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        answer
    }

    /// A refusal of a code or a refresh token in the platform's own form.
    pub(super) fn refuse(&self, of_code: bool) -> (u16, Value) {
        match self.provider {
            Provider::Twitch if of_code => (400, json!({ "status": 400, "message": "Invalid authorization code" })),
            Provider::Twitch => (400, json!({ "status": 400, "message": "Invalid refresh token" })),
            Provider::GitHub => (
                200,
                json!({
                    "error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."
                }),
            ),
            Provider::Trovo => {
                (401, json!({ "status": 11713, "error": "invalid", "message": "invalid refresh token" }))
            }
            _ => (400, json!({ "error": "invalid_grant" })),
        }
    }
}

fn capital(login: &str) -> String {
    let mut letters = login.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
