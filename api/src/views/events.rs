//! Words of events, for clients that poll.

use poem_openapi::{Object, types::Any};

use crate::hub::Frame;

/// Events after a cursor.
#[derive(Debug, Object)]
#[oai(example, rename_all = "camelCase")]
pub(crate) struct EventPageView {
    /// Give this back as `cursor` to go on.
    pub(crate) cursor: String,
    /// In order.
    pub(crate) events: Vec<EventView>,
}

/// An event, the same as on the event stream.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct EventView {
    /// `<epoch>-<seq>`; absent on `overlay:config` at the beginning, which is not from the log.
    #[oai(skip_serializing_if_is_none)]
    pub(crate) id: Option<String>,
    /// The name, e.g. `activation:new`.
    pub(crate) event: String,
    /// What the event says.
    pub(crate) data: Any<serde_json::Value>,
}

impl EventView {
    /// An event that is not from the log.
    pub(crate) fn made(id: Option<String>, event: &str, data: serde_json::Value) -> Self {
        Self { id, event: event.to_owned(), data: Any(data) }
    }
}

impl From<&Frame> for EventView {
    fn from(frame: &Frame) -> Self {
        let data = serde_json::from_str(frame.data()).unwrap_or_default();
        Self::made(Some(frame.cursor.to_string()), frame.name(), data)
    }
}
