//! How somebody likes the pages.

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    pub theme: Theme,
    /// Memes in lists move by themselves.
    pub autoplay_memes: bool,
    /// They do so without a sound when looked at closely.
    pub mute_memes: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: Theme::Light, autoplay_memes: true, mute_memes: false }
    }
}

/// New values for some; what is none stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct PreferencesChange {
    pub theme: Option<Theme>,
    pub autoplay_memes: Option<bool>,
    pub mute_memes: Option<bool>,
}
