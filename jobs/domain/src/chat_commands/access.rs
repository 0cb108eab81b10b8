//! Whom a command answers.

use super::Role;
use crate::{chat::ChatMessage, outbox::Provider};

/// What a command says about who may call it.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    pub(super) users: Vec<String>,
    pub(super) roles: Vec<Role>,
    pub(super) vkvideo_roles: Vec<String>,
}

/// What a platform's chat says about people, so that it can be asked for.
fn tells_roles(platform: Provider) -> bool {
    match platform {
        Provider::Twitch => true,
        // Trovo and Kick know other roles; YouTube's are no promise.
        Provider::YouTube | Provider::VkVideo | Provider::Trovo | Provider::Kick => false,
    }
}

impl Access {
    /// Whether the author of the message may call the command. Lists that the platform knows nothing about do not count; the
    /// broadcaster always may.
    pub(super) fn admits(&self, platform: Provider, message: &ChatMessage) -> bool {
        let roles: &[Role] = if tells_roles(platform) { &self.roles } else { &[] };
        let vkvideo: &[String] = if platform == Provider::VkVideo { &self.vkvideo_roles } else { &[] };
        if self.users.is_empty() && roles.is_empty() && vkvideo.is_empty() {
            return true;
        }
        let is = message.roles;
        let has = |role: &Role| match role {
            Role::Vip => is.vip,
            Role::Moderator => is.moderator,
            Role::Subscriber => is.subscriber,
            Role::Follower => false,
        };
        is.broadcaster
            || self.users.contains(&message.author_login)
            || roles.iter().any(has)
            || vkvideo.iter().any(|role| message.role_ids.contains(role))
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::chat::Roles;

    fn by(login: &str, roles: Roles) -> ChatMessage {
        ChatMessage {
            channel_id: Uuid::nil(),
            content_id: String::new(),
            author_id: "1".to_owned(),
            author_login: login.to_owned(),
            author_name: login.to_owned(),
            roles,
            text: String::new(),
            sent_at: OffsetDateTime::UNIX_EPOCH,
            foreign: false,
            late: false,
            role_ids: Vec::new(),
        }
    }

    #[test]
    fn without_lists_everybody_may() {
        assert!(Access::default().admits(Provider::Twitch, &by("anna", Roles::default())));
    }

    #[test]
    fn a_login_or_a_role_lets_in_and_the_broadcaster_always_may() {
        let access =
            Access { users: vec!["lotas".to_owned()], roles: vec![Role::Vip, Role::Follower], ..Access::default() };
        let nobody = Roles::default();
        for (login, roles, may) in [
            ("lotas", nobody, true),
            ("anna", nobody, false),
            ("anna", Roles { vip: true, ..nobody }, true),
            ("anna", Roles { moderator: true, ..nobody }, false),
            ("demo", Roles { broadcaster: true, ..nobody }, true),
        ] {
            assert_eq!(access.admits(Provider::Twitch, &by(login, roles)), may, "{login} {roles:?}");
        }
    }

    #[test]
    fn roles_do_not_count_where_the_chat_does_not_tell_them() {
        let access = Access { roles: vec![Role::Vip], ..Access::default() };
        assert!(!access.admits(Provider::Twitch, &by("anna", Roles::default())));
        assert!(access.admits(Provider::Kick, &by("anna", Roles::default())));
        let both = Access { users: vec!["lotas".to_owned()], ..access };
        assert!(!both.admits(Provider::Kick, &by("anna", Roles::default())));
        let vkvideo = Access { vkvideo_roles: vec!["role:vip".to_owned()], ..Access::default() };
        assert!(vkvideo.admits(Provider::Twitch, &by("anna", Roles::default())));
        assert!(!vkvideo.admits(Provider::VkVideo, &by("anna", Roles::default())));
        let role_ids = vec!["role:moderator".to_owned(), "role:vip".to_owned()];
        let vip = ChatMessage { role_ids, ..by("anna", Roles::default()) };
        assert!(vkvideo.admits(Provider::VkVideo, &vip));
    }
}
