//! Words between overlay and server.

use domain::playback::ScreenKind;
use poem_openapi::Enum;

/// What shows the overlay.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum ScreenView {
    Obs,
    Browser,
}

impl From<ScreenView> for ScreenKind {
    fn from(screen: ScreenView) -> Self {
        match screen {
            ScreenView::Obs => Self::Obs,
            ScreenView::Browser => Self::Browser,
        }
    }
}
