//! What stands behind an error: YouTube refuses very different things with the same status.

use webapi::ApiError;

/// What is to be done about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The stream is over, and its chat with it: look for the next one.
    Ended,
    /// The streamer has turned the chat off: look again in some minutes.
    Disabled,
    /// There is no such chat: forget its id and look for it anew.
    NotFound,
    /// What a day allows is used up: nothing more before the next one ([`crate::quota::until_next_day`]).
    Quota,
    /// It was not granted: the account must be linked again, or is no moderator there.
    Scope,
    /// The token names no page any more: begin again without one.
    PageToken,
    /// The text is not taken, now or later.
    Text,
    /// Nothing of these: the error says it all.
    Other,
}

impl Why {
    #[must_use]
    pub fn of(error: &ApiError) -> Self {
        match error {
            ApiError::Forbidden(_) => Self::Scope,
            ApiError::Refused { code: Some(code), .. } => Self::of_reason(code),
            _ => Self::Other,
        }
    }

    fn of_reason(reason: &str) -> Self {
        match reason {
            "liveChatEnded" => Self::Ended,
            "liveChatDisabled" => Self::Disabled,
            "liveChatNotFound" => Self::NotFound,
            "quotaExceeded" | "dailyLimitExceeded" => Self::Quota,
            "pageTokenInvalid" => Self::PageToken,
            _ if reason.starts_with("messageText") => Self::Text,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_alike_is_told_apart() {
        let refused = |status, code: Option<&str>| {
            Why::of(&ApiError::Refused { status, code: code.map(str::to_owned), why: "because".to_owned() })
        };
        for (status, reason, why) in [
            (403, "liveChatEnded", Why::Ended),
            (403, "liveChatDisabled", Why::Disabled),
            (404, "liveChatNotFound", Why::NotFound),
            (403, "quotaExceeded", Why::Quota),
            (403, "dailyLimitExceeded", Why::Quota),
            (400, "pageTokenInvalid", Why::PageToken),
            (400, "messageTextInvalid", Why::Text),
            (400, "messageTextRequired", Why::Text),
            (403, "liveStreamingNotEnabled", Why::Other),
        ] {
            assert_eq!(refused(status, Some(reason)), why, "{reason}");
        }
        assert_eq!(refused(404, None), Why::Other);
        assert_eq!(Why::of(&ApiError::Forbidden("because".to_owned())), Why::Scope);
        assert_eq!(Why::of(&ApiError::Limited(None)), Why::Other);
    }
}
