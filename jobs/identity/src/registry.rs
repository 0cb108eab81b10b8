//! One row a platform. Addresses and forms are the platform's own documentation (PLATFORMS); what differs between platforms
//! and is not data here is a mapper in [`crate::profiles`].

use domain::identities::Provider;

use crate::profiles::{self, Read};

/// All that is special about a platform.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) provider: Provider,
    /// Who vouches for ids of this platform, for ever: accounts are kept under it. Empty: the issuer that the setting names.
    pub(crate) issuer: &'static str,
    pub(crate) endpoints: Endpoints,
    /// What is asked for where the setting says nothing else; with spaces between.
    pub(crate) scopes: &'static str,
    /// What the platform wants between scopes.
    pub(crate) separator: char,
    /// Further parameters of the authorize address.
    pub(crate) extra: &'static [(&'static str, &'static str)],
    /// The platform checks a verifier (PKCE, S256).
    pub(crate) pkce: bool,
    pub(crate) exchange: Exchange,
    /// The callback brings a device, which exchange and renewal must show.
    pub(crate) device: bool,
    /// Where tokens are given back; none: the platform does not say.
    pub(crate) revoke: Option<Revoke>,
    /// Where the platform wants to be asked each hour whether its tokens are still good.
    pub(crate) validate: Option<&'static str>,
    /// Settings: client id, client secret, address, scopes.
    pub(crate) settings: [&'static str; 4],
    /// Settings that say where the API alone is; the first that is set counts.
    pub(crate) api_settings: &'static [&'static str],
}

/// Where its doors are.
#[derive(Debug)]
pub(crate) enum Endpoints {
    /// Written here; a setting may move them all to another host.
    Fixed { authorize: &'static str, token: &'static str, renew: &'static str, who: Who },
    /// OpenID Connect: the platform says where, at `<issuer>/.well-known/openid-configuration`, and proves who came by a
    /// signed token.
    Discovered,
}

/// How the platform is asked who came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub(crate) address: &'static str,
    pub(crate) call: Call,
    pub(crate) read: Read,
}

/// The form of that question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// GET with `Authorization: Bearer`.
    Bearer,
    /// The same with `Client-Id`.
    BearerAndClient,
    /// GET with `Authorization: OAuth` and `Client-ID`.
    OAuthAndClient,
    /// POST of a form with token and client id.
    Form,
}

/// How tokens are given back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revoke {
    pub(crate) address: &'static str,
    pub(crate) form: Return,
}

/// The form of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    /// A form with the access token and the client id.
    OfClient,
    /// A form with the refresh token, or the access token where there is no other; either ends the whole grant.
    Whole,
    /// A form for each token, with its kind; id and secret as `Authorization: Basic`.
    Each,
    /// The same in the address, without id and secret.
    EachInAddress,
    /// JSON with the access token, the id in the header `client-id`.
    Json,
}

/// How the platform is asked for tokens, and how we prove that we are we.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// A form with client id and secret in it.
    Form,
    /// A form, id and secret as `Authorization: Basic`.
    Basic,
    /// JSON with the secret in it, the id in the header `client-id`.
    Json,
}

pub(crate) fn row(provider: Provider) -> &'static Row {
    match provider {
        Provider::Twitch => &TWITCH,
        Provider::Google => &GOOGLE,
        Provider::YouTube => &YOUTUBE,
        Provider::GitHub => &GITHUB,
        Provider::Vk => &VK,
        Provider::VkVideo => &VKVIDEO,
        Provider::Kick => &KICK,
        Provider::Trovo => &TROVO,
        Provider::Discord => &DISCORD,
        Provider::Oidc => &OIDC,
    }
}

const TWITCH: Row = Row {
    provider: Provider::Twitch,
    issuer: Provider::Twitch.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://id.twitch.tv/oauth2/authorize",
        token: "https://id.twitch.tv/oauth2/token",
        renew: "https://id.twitch.tv/oauth2/token",
        who: Who { address: "https://api.twitch.tv/helix/users", call: Call::BearerAndClient, read: profiles::twitch },
    },
    scopes: "chat:read",
    separator: ' ',
    extra: &[],
    pkce: false,
    exchange: Exchange::Form,
    device: false,
    revoke: Some(Revoke { address: "https://id.twitch.tv/oauth2/revoke", form: Return::OfClient }),
    validate: Some("https://id.twitch.tv/oauth2/validate"),
    settings: ["TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET", "TWITCH_URL", "TWITCH_SCOPES"],
    api_settings: &[],
};

const GOOGLE: Row = Row {
    provider: Provider::Google,
    issuer: Provider::Google.issuer(),
    endpoints: Endpoints::Discovered,
    scopes: "openid profile",
    separator: ' ',
    extra: &[],
    pkce: true,
    exchange: Exchange::Form,
    device: false,
    revoke: Some(Revoke { address: "https://oauth2.googleapis.com/revoke", form: Return::Whole }),
    validate: None,
    settings: ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GOOGLE_URL", "GOOGLE_SCOPES"],
    api_settings: &[],
};

/// The same doors as Google's, but a channel instead of a person.
const YOUTUBE: Row = Row {
    provider: Provider::YouTube,
    issuer: Provider::YouTube.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://accounts.google.com/o/oauth2/v2/auth",
        token: "https://oauth2.googleapis.com/token",
        renew: "https://oauth2.googleapis.com/token",
        who: Who {
            address: "https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true",
            call: Call::Bearer,
            read: profiles::youtube,
        },
    },
    scopes: "https://www.googleapis.com/auth/youtube.readonly",
    separator: ' ',
    // Without both a second consent brings no refresh token.
    extra: &[("access_type", "offline"), ("prompt", "consent"), ("include_granted_scopes", "true")],
    pkce: true,
    exchange: Exchange::Form,
    device: false,
    revoke: Some(Revoke { address: "https://oauth2.googleapis.com/revoke", form: Return::Whole }),
    validate: None,
    settings: ["YOUTUBE_CLIENT_ID", "YOUTUBE_CLIENT_SECRET", "YOUTUBE_URL", "YOUTUBE_SCOPES"],
    api_settings: &[],
};

const GITHUB: Row = Row {
    provider: Provider::GitHub,
    issuer: Provider::GitHub.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://github.com/login/oauth/authorize",
        token: "https://github.com/login/oauth/access_token",
        renew: "https://github.com/login/oauth/access_token",
        who: Who { address: "https://api.github.com/user", call: Call::Bearer, read: profiles::github },
    },
    scopes: "read:user",
    separator: ' ',
    extra: &[],
    pkce: true,
    exchange: Exchange::Form,
    device: false,
    revoke: None,
    validate: None,
    settings: ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "GITHUB_URL", "GITHUB_SCOPES"],
    api_settings: &[],
};

const VK: Row = Row {
    provider: Provider::Vk,
    issuer: Provider::Vk.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://id.vk.com/authorize",
        token: "https://id.vk.com/oauth2/auth",
        renew: "https://id.vk.com/oauth2/auth",
        who: Who { address: "https://id.vk.com/oauth2/user_info", call: Call::Form, read: profiles::vk },
    },
    scopes: "vkid.personal_info",
    separator: ' ',
    extra: &[],
    pkce: true,
    exchange: Exchange::Form,
    device: true,
    revoke: None,
    validate: None,
    settings: ["VK_CLIENT_ID", "VK_CLIENT_SECRET", "VK_URL", "VK_SCOPES"],
    api_settings: &[],
};

const VKVIDEO: Row = Row {
    provider: Provider::VkVideo,
    issuer: Provider::VkVideo.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://auth.live.vkvideo.ru/app/oauth2/authorize",
        token: "https://api.live.vkvideo.ru/oauth/server/token",
        renew: "https://api.live.vkvideo.ru/oauth/server/token",
        who: Who {
            address: "https://apidev.live.vkvideo.ru/v1/current_user",
            call: Call::Bearer,
            read: profiles::vkvideo,
        },
    },
    // Who somebody is needs none.
    scopes: "",
    separator: ',',
    extra: &[],
    pkce: false,
    exchange: Exchange::Basic,
    device: false,
    revoke: Some(Revoke { address: "https://api.live.vkvideo.ru/oauth/server/revoke", form: Return::Each }),
    validate: None,
    settings: ["VKVIDEO_CLIENT_ID", "VKVIDEO_CLIENT_SECRET", "VKVIDEO_URL", "VKVIDEO_SCOPES"],
    api_settings: &["VKVIDEO_API_BASE_URL", "VKVIDEO_USERINFO_URL"],
};

const KICK: Row = Row {
    provider: Provider::Kick,
    issuer: Provider::Kick.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://id.kick.com/oauth/authorize",
        token: "https://id.kick.com/oauth/token",
        renew: "https://id.kick.com/oauth/token",
        who: Who { address: "https://api.kick.com/public/v1/users", call: Call::Bearer, read: profiles::kick },
    },
    scopes: "user:read",
    separator: ' ',
    extra: &[],
    pkce: true,
    exchange: Exchange::Form,
    device: false,
    revoke: Some(Revoke { address: "https://id.kick.com/oauth/revoke", form: Return::EachInAddress }),
    validate: None,
    settings: ["KICK_CLIENT_ID", "KICK_CLIENT_SECRET", "KICK_URL", "KICK_SCOPES"],
    api_settings: &[],
};

const TROVO: Row = Row {
    provider: Provider::Trovo,
    issuer: Provider::Trovo.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://open.trovo.live/page/login.html",
        token: "https://open-api.trovo.live/openplatform/exchangetoken",
        renew: "https://open-api.trovo.live/openplatform/refreshtoken",
        who: Who {
            address: "https://open-api.trovo.live/openplatform/getuserinfo",
            call: Call::OAuthAndClient,
            read: profiles::trovo,
        },
    },
    scopes: "user_details_self",
    // In a query, a space is written as the plus sign that the platform asks for.
    separator: ' ',
    extra: &[],
    pkce: false,
    exchange: Exchange::Json,
    device: false,
    revoke: Some(Revoke { address: "https://open-api.trovo.live/openplatform/revoke", form: Return::Json }),
    validate: None,
    settings: ["TROVO_CLIENT_ID", "TROVO_CLIENT_SECRET", "TROVO_URL", "TROVO_SCOPES"],
    api_settings: &[],
};

const DISCORD: Row = Row {
    provider: Provider::Discord,
    issuer: Provider::Discord.issuer(),
    endpoints: Endpoints::Fixed {
        authorize: "https://discord.com/oauth2/authorize",
        token: "https://discord.com/api/oauth2/token",
        renew: "https://discord.com/api/oauth2/token",
        who: Who { address: "https://discord.com/api/v10/users/@me", call: Call::Bearer, read: profiles::discord },
    },
    scopes: "identify",
    separator: ' ',
    extra: &[],
    pkce: true,
    exchange: Exchange::Form,
    device: false,
    revoke: None,
    validate: None,
    settings: ["DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET", "DISCORD_URL", "DISCORD_SCOPES"],
    api_settings: &[],
};

/// Whichever provider the setting names.
const OIDC: Row = Row {
    provider: Provider::Oidc,
    issuer: Provider::Oidc.issuer(),
    endpoints: Endpoints::Discovered,
    scopes: "openid profile",
    separator: ' ',
    extra: &[],
    pkce: true,
    exchange: Exchange::Form,
    device: false,
    revoke: None,
    validate: None,
    settings: ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_URL", "OIDC_SCOPES"],
    api_settings: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_has_its_row_and_no_two_vouch_for_the_same_ids() {
        let mut issuers = Vec::new();
        for provider in Provider::ALL {
            let row = row(provider);
            assert_eq!(row.provider, provider);
            assert!(!issuers.contains(&row.issuer), "{provider}");
            issuers.push(row.issuer);
            for name in row.settings.iter().chain(row.api_settings) {
                assert!(name.starts_with(&provider.as_str().to_uppercase()), "{name}");
            }
            if let Endpoints::Fixed { authorize, token, renew, who } = &row.endpoints {
                for address in [authorize, token, renew, &who.address] {
                    assert!(address.starts_with("https://"), "{address}");
                }
            }
            for address in row.revoke.map(|revoke| revoke.address).into_iter().chain(row.validate) {
                assert!(address.starts_with("https://"), "{address}");
            }
        }
    }
}
