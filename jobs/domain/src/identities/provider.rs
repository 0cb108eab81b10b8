//! The platforms that say who somebody is.

use std::{fmt, str::FromStr};

/// A platform with which people log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    Twitch,
    Google,
    YouTube,
    GitHub,
    Vk,
    VkVideo,
    Kick,
    Trovo,
    Discord,
    /// Any OpenID Connect provider, named by its issuer.
    Oidc,
}

impl Provider {
    pub const ALL: [Self; 10] = [
        Self::Twitch,
        Self::Google,
        Self::YouTube,
        Self::GitHub,
        Self::Vk,
        Self::VkVideo,
        Self::Kick,
        Self::Trovo,
        Self::Discord,
        Self::Oidc,
    ];

    /// As stored, in addresses and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twitch => "twitch",
            Self::Google => "google",
            Self::YouTube => "youtube",
            Self::GitHub => "github",
            Self::Vk => "vk",
            Self::VkVideo => "vkvideo",
            Self::Kick => "kick",
            Self::Trovo => "trovo",
            Self::Discord => "discord",
            Self::Oidc => "oidc",
        }
    }
}

impl Provider {
    /// Who vouches for ids of this platform, for ever: accounts are kept under it. Empty: the issuer that a setting names.
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            Self::Twitch => "https://id.twitch.tv",
            Self::Google => "https://accounts.google.com",
            Self::YouTube => "https://www.youtube.com",
            Self::GitHub => "https://github.com",
            Self::Vk => "https://id.vk.com",
            Self::VkVideo => "https://live.vkvideo.ru",
            Self::Kick => "https://kick.com",
            Self::Trovo => "https://trovo.live",
            Self::Discord => "https://discord.com",
            Self::Oidc => "",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text).ok_or(())
    }
}
