//! Looks of an overlay that its streamer changes between.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{ChannelError, model::check_style, repo};
use crate::unseen::{is_blank, is_unruly};

/// Presets that every channel may have.
pub const MAX_PRESETS: usize = 30;
/// Presets of a channel that may have more, at most.
pub const MORE_PRESETS: usize = 100;

/// A look with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// 1 to 50 characters.
    pub name: String,
    /// As `overlay_style_json` of a channel.
    pub style_json: String,
}

/// Puts these in the place of all that the channel had. The caller has asked whether it may have more than [`MAX_PRESETS`].
///
/// # Errors
/// [`ChannelError::Invalid`] names the first that is wrong; [`ChannelError::SameName`]: two of them have one name.
pub async fn put_presets(conn: &mut PgConnection, channel_id: Uuid, presets: &[Preset]) -> Result<(), ChannelError> {
    let invalid = |problem: String| ChannelError::Invalid { field: "presets", problem };
    if presets.len() > MORE_PRESETS {
        return Err(invalid(format!("at most {MORE_PRESETS}")));
    }
    for (place, preset) in presets.iter().enumerate() {
        let name = &preset.name;
        if is_blank(name) || name.chars().count() > 50 || name.chars().any(is_unruly) {
            return Err(invalid(format!(
                "[{place}].name: 1 to 50 characters, not all of them blank, and none that control or turn the text around"
            )));
        }
        if presets[..place].iter().any(|before| before.name.trim() == name.trim()) {
            return Err(ChannelError::SameName(name.clone()));
        }
        check_style(&preset.style_json).map_err(|problem| invalid(format!("[{place}].styleJson: {problem}")))?;
    }
    Ok(repo::put_presets(conn, channel_id, presets).await?)
}
