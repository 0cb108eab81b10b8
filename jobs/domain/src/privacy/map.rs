//! Where something about a person is.

/// What becomes of rows when their person is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// Those for which this holds are removed.
    Delete(&'static str),
    /// Those for which `which` holds get other values, after which it holds no more.
    Set { to: &'static str, which: &'static str },
    /// They stay, because.
    Keep(&'static str),
    /// The last transaction sees to them.
    Finish(&'static str),
}

/// What a table has about a person. Conditions are SQL, in which `(select id from person)` is the person.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    pub table: &'static str,
    /// Which rows are the person's.
    pub whose: &'static str,
    /// Columns that an export shows.
    pub shown: &'static [&'static str],
    /// Columns that it does not: secrets, what says something about others, and what says nothing.
    pub withheld: &'static [&'static str],
    pub erase: Erase,
}

use Erase::{Delete, Finish, Keep, Set};

/// In the order in which they are erased.
pub const HOLDINGS: &[Holding] = &[
    Holding {
        table: "sessions",
        whose: "user_id = (select id from person)",
        shown: &[
            "id", "created_at", "seen_at", "authenticated_at", "expires_at", "ended_at", "end_reason", "user_agent",
            "address", "methods", "rotated_at",
        ],
        withheld: &["user_id", "token_hash", "spent_hash"],
        // Processes read again and again which have ended; the rows go a month after that.
        erase: Set {
            to: "user_agent = '', address = ''",
            which: "user_id = (select id from person) and (user_agent <> '' or address <> '')",
        },
    },
    Holding {
        table: "attempts",
        whose: "subject like '%:' || (select id from person)",
        shown: &["subject", "count", "since"],
        withheld: &[],
        erase: Delete("subject like '%:' || (select id from person)"),
    },
    Holding {
        table: "recovery_codes",
        whose: "user_id = (select id from person)",
        shown: &["used_at"],
        withheld: &["user_id", "hash"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "second_factors",
        whose: "user_id = (select id from person)",
        shown: &["confirmed_at", "created_at"],
        withheld: &["user_id", "secret", "last_step"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "oauth_states",
        whose: "user_id = (select id from person)",
        shown: &["provider", "redirect_to", "created_at"],
        withheld: &["hash", "browser", "user_id", "session_id", "bot", "channel_id"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "idempotency_keys",
        whose: "actor = (select id from person)",
        shown: &["operation", "key", "status", "body", "created_at"],
        withheld: &["actor", "fingerprint"],
        // What others were answered may name the person too: `requests::forget_person` turns it into a refusal.
        erase: Delete("actor = (select id from person)"),
    },
    Holding {
        table: "channel_members",
        whose: "user_id = (select id from person)",
        shown: &["channel_id", "role", "added_at"],
        withheld: &["user_id", "added_by"],
        erase: Delete(
            "user_id = (select id from person) or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "trusted_uploaders",
        whose: "user_id = (select id from person)",
        shown: &["channel_id", "added_at"],
        withheld: &["user_id", "added_by"],
        erase: Delete(
            "user_id = (select id from person) or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "channel_bans",
        whose: "user_id = (select id from person)",
        shown: &["channel_id", "reason", "banned_at"],
        withheld: &["user_id", "banned_by"],
        erase: Delete(
            "user_id = (select id from person) or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "channel_accounts",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "platform", "account", "login"],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "blocks",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["id", "channel_id", "type", "source_hash", "file_hash", "created_at"],
        withheld: &["frames"],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "wallets",
        whose: "user_id = (select id from person)",
        shown: &["id", "channel_id", "balance", "version", "created_at"],
        withheld: &["user_id"],
        erase: Keep("all coins add up; the wallet is that of a person without a name"),
    },
    Holding {
        table: "ledger_operations",
        whose: "actor_id = (select id from person)",
        shown: &["id", "kind", "channel_id", "reason", "reverses", "created_at"],
        withheld: &["idempotency_key", "actor_id"],
        // Why coins were given by hand stands in `people_acts`.
        erase: Keep("all coins add up, and nothing of it is ever changed; its reasons are fixed words"),
    },
    Holding {
        table: "ledger_entries",
        whose: "wallet_id in (select id from wallets where user_id = (select id from person))",
        shown: &["operation_id", "account", "wallet_id", "amount", "balance_after", "version"],
        withheld: &[],
        erase: Keep("all coins add up, and nothing of it is ever changed"),
    },
    Holding {
        table: "pending_grants",
        whose: "user_id = (select id from person)
                or (provider, provider_user_id) in
                   (select provider, provider_user_id from external_accounts where user_id = (select id from person))
                or (provider, login) in
                   (select provider, lower(login) from external_accounts where user_id = (select id from person))",
        shown: &[
            "id", "channel_id", "provider", "provider_user_id", "login", "amount", "reason", "status", "created_at",
            "expires_at", "paid_at",
        ],
        withheld: &["user_id", "created_by", "approved_by", "approval_above"],
        // What is about somebody who never comes goes with its time (`forget-pending-coins`).
        erase: Delete(
            "user_id = (select id from person)
             or (provider, provider_user_id) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))
             or (provider, login) in
                (select provider, lower(login) from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "pending_adjustments",
        whose: "user_id = (select id from person)",
        shown: &["id", "channel_id", "delta", "reason", "status", "asked_at", "expires_at", "decided_at"],
        withheld: &["user_id", "asked_by", "decided_by"],
        // The coins stand in the ledger.
        erase: Delete(
            "user_id = (select id from person)
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "token_sightings",
        whose: "token_id in (select t.id from tokens t join channels c on c.id = t.channel_id
                             where c.owner_id = (select id from person))",
        shown: &["token_id", "network", "first_seen_at", "last_seen_at", "known"],
        withheld: &[],
        erase: Delete(
            "token_id in (select t.id from tokens t join channels c on c.id = t.channel_id
                          where c.owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "tokens",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "id", "channel_id", "kind", "name", "scopes", "created_at", "expires_at", "revoked_at", "seen_at", "seen_network",
            "alarm_at", "alarm_network", "alarm_other",
        ],
        withheld: &["hash"],
        // Processes read again and again which were revoked; the rows go when the channel makes no others, so without words.
        erase: Set {
            to: "name = 'deleted', seen_at = null, seen_network = null, alarm_at = null, alarm_network = null, alarm_other = null",
            which: "channel_id in (select id from channels where owner_id = (select id from person))
                    and (name <> 'deleted' or seen_at is not null or alarm_at is not null)",
        },
    },
    Holding {
        table: "mail_links",
        whose: "user_id = (select id from person)",
        shown: &["kind", "email", "expires_at"],
        withheld: &["hash", "mail_id", "user_id"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "mails",
        whose: "user_id = (select id from person) or recipient = (select email from users where id = (select id from person))",
        shown: &["kind", "recipient", "language", "details", "created_at", "ended_at", "outcome"],
        withheld: &["id", "user_id"],
        erase: Delete(
            "user_id = (select id from person) or recipient = (select email from users where id = (select id from person))",
        ),
    },
    Holding {
        table: "promotions",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "id", "channel_id", "name", "discount_bp", "starts_at", "ends_at", "active", "max_uses", "max_uses_per_viewer",
            "created_at", "deleted_at",
        ],
        withheld: &[],
        erase: Set {
            to: "name = '', active = false",
            which: "name <> '' and channel_id in (select id from channels where owner_id = (select id from person))",
        },
    },
    Holding {
        table: "memes",
        whose: "created_by = (select id from person)
                or channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "id", "channel_id", "asset_id", "title", "price", "status", "volume", "is_overlapping", "cooldown_seconds", "viewer_cooldown_seconds",
            "max_per_stream", "max_per_viewer", "tags", "created_at", "deleted_at",
        ],
        withheld: &["created_by", "is_limited", "type", "seconds", "search"],
        // A meme in somebody else's channel is that channel's.
        erase: Set {
            to: "title = '', tags = '{}', price = null, status = 'deleted', deleted_at = coalesce(deleted_at, app_now())",
            which: "(title <> '' or tags <> '{}' or price is not null or status <> 'deleted')
                    and channel_id in (select id from channels where owner_id = (select id from person))",
        },
    },
    Holding {
        table: "meme_tags",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "tag", "meme_id", "created_at"],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "meme_words",
        whose: "channel_id in (select id from channels where owner_id = (select id from person)) and trigram like '  %'",
        // Of each word one row.
        shown: &["channel_id", "word"],
        withheld: &["trigram"],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "twitch_standings",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "account", "standing", "asked_at"],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "global_moderators",
        whose: "user_id = (select id from person)",
        shown: &["granted_at"],
        withheld: &["user_id", "granted_by"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "favourites",
        whose: "user_id = (select id from person)",
        shown: &["channel_id", "meme_id", "added_at"],
        withheld: &["user_id"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "user_preferences",
        whose: "user_id = (select id from person)",
        shown: &["theme", "autoplay_memes", "mute_memes", "updated_at"],
        withheld: &["user_id"],
        erase: Delete("user_id = (select id from person)"),
    },
    Holding {
        table: "entitlements",
        whose: "user_id = (select id from person)
                or channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["id", "key", "channel_id", "granted_at", "expires_at"],
        withheld: &["user_id", "granted_by"],
        erase: Delete(
            "user_id = (select id from person)
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "overlay_presets",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "place", "name", "style_json"],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "channel_viewer_days",
        whose: "user_id = (select id from person)",
        shown: &["channel_id", "day", "plays", "coins"],
        withheld: &["user_id"],
        erase: Keep("sums of activations, which stay: of a person without a name"),
    },
    Holding {
        table: "meme_submissions",
        whose: "submitter_id = (select id from person)",
        shown: &[
            "id", "channel_id", "type", "title", "notes", "tags", "claimed_duration_ms", "status", "upload_state", "progress",
            "error_code", "error_detail", "source_url", "source_hash", "source_size", "source_mime_type", "probe", "asset_id", "meme_id",
            "revision", "moderator_note", "decided_at", "reward_coins", "from_pool", "flags", "created_at", "updated_at",
        ],
        withheld: &["submitter_id", "moderator_id", "similar_meme_id", "shelved_asset_id", "shelved_status", "shelved_at"],
        // What was said of it by whoever decided goes with each of those whom it may name.
        erase: Set {
            to: "title = case when submitter_id = (select id from person) then '' else title end,
                 notes = case when submitter_id <> (select id from person) then notes end,
                 tags = case when submitter_id = (select id from person) then '[]' else tags end,
                 probe = case when submitter_id <> (select id from person) then probe end,
                 error_detail = case when submitter_id <> (select id from person) then error_detail end,
                 source_url = case when submitter_id <> (select id from person) then source_url end,
                 moderator_note = null",
            which: "submitter_id = (select id from person)
                    and (title <> '' or notes is not null or tags <> '[]' or probe is not null or error_detail is not null
                         or source_url is not null)
                    or moderator_note is not null
                    and (submitter_id = (select id from person) or moderator_id = (select id from person)
                         or channel_id in (select id from channels where owner_id = (select id from person)))",
        },
    },
    Holding {
        table: "activations",
        whose: "user_id = (select id from person)",
        shown: &[
            "id", "channel_id", "meme_id", "source", "status", "reason", "price", "discount_bp", "promotion_id",
            "final_price", "sender_name", "title", "type", "file_hash", "duration_ms", "volume", "is_overlapping", "gain_db", "started_at", "ended_at", "created_at",
        ],
        withheld: &[
            "user_id", "detail", "rule_version", "priority", "replay_of", "is_counted", "is_rolled_up", "turn_at", "waits_from", "play_epoch", "dispatched_at", "deadline",
        ],
        // Coins were paid for it, and the channel has played it; whose wish and whose meme it was, nobody knows any more.
        erase: Set {
            to: "sender_name = case when user_id = (select id from person) then 'deleted' else sender_name end,
                 title = case when channel_id in (select id from channels where owner_id = (select id from person))
                              then '' else title end",
            which: "user_id = (select id from person) and sender_name <> 'deleted'
                    or title <> '' and channel_id in (select id from channels where owner_id = (select id from person))",
        },
    },
    Holding {
        table: "chat_commands",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "id", "channel_id", "trigger", "aliases", "response", "matching", "enabled", "only_when_live", "allowed_users",
            "allowed_roles", "vkvideo_allowed_role_ids", "cooldown_seconds", "user_cooldown_seconds", "uses", "last_used_at",
            "created_at", "updated_at",
        ],
        withheld: &["trigger_normalized", "aliases_normalized"],
        // With the words that call them.
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "chat_command_uses",
        whose: "(platform, author_id) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        shown: &["command_id", "platform", "used_at"],
        withheld: &["author_id"],
        erase: Delete(
            "(platform, author_id) in
             (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        ),
    },
    Holding {
        table: "chat_counters",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "name", "value", "updated_at"],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "chat_timers",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "id", "channel_id", "name", "messages", "interval_seconds", "min_lines", "only_when_live", "enabled", "last_said_at",
            "created_at", "updated_at",
        ],
        withheld: &["next_at", "place", "after_line"],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "bot_settings",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "channel_id", "duration_enabled", "duration_trigger", "duration_response", "duration_only_when_live",
            "duration_updated_at", "greetings_enabled", "greetings_template", "greetings_updated_at",
        ],
        withheld: &["duration_trigger_normalized"],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "bot_integrations",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "provider", "enabled", "updated_at"],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "channel_bots",
        whose: "account_id in (select id from external_accounts where user_id = (select id from person))
                or channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "provider", "account_id", "updated_at"],
        withheld: &[],
        erase: Delete(
            "account_id in (select id from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "default_bots",
        whose: "account_id in (select id from external_accounts where user_id = (select id from person))",
        shown: &["provider", "account_id", "updated_at"],
        withheld: &[],
        erase: Delete("account_id in (select id from external_accounts where user_id = (select id from person))"),
    },
    Holding {
        table: "reward_rules",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "id", "channel_id", "trigger", "reward_id", "coins", "per", "least", "enabled", "created_at", "updated_at",
        ],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "external_reward_events",
        whose: "user_id = (select id from person)
                or (provider, account_id) in
                   (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        shown: &[
            "id", "channel_id", "provider", "trigger", "account_id", "login", "display_name", "amount", "reward_id",
            "reward_title", "status", "reason", "coins", "happened_at",
        ],
        withheld: &["provider_event_id", "twin_event_id", "told_by", "user_id", "created_at"],
        // The coins stand in the ledger.
        erase: Delete(
            "user_id = (select id from person)
             or (provider, account_id) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "outbox_messages",
        whose: "source = 'say' and channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["id", "channel_id", "provider", "source", "message", "status", "created_at", "sent_at", "failed_at"],
        withheld: &[
            "attempts", "account", "last_error", "provider_message_id", "expires_at", "processing_at", "read_back_at",
            "updated_at", "dedupe_key",
        ],
        // What other channels' bots said to the person goes with `trim-outbox`.
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "chat_messages",
        whose: "(platform, author_id) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        shown: &["platform", "channel_id", "author_login", "author_name", "roles", "text", "sent_at", "category"],
        withheld: &["id", "content_id", "author_id", "received_at"],
        erase: Delete(
            "(platform, author_id) in
             (select provider, provider_user_id from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "automod_settings",
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &[
            "channel_id", "enabled", "links_action", "allowed_hosts", "caps_action", "caps_percent", "caps_letters",
            "repeats_action", "repeats_most", "zalgo_action", "zalgo_marks", "exempt", "timeout_seconds", "escalate_after",
            "escalate_minutes", "permit_seconds", "updated_at",
        ],
        withheld: &[],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "automod_permits",
        // Names in a chat that nobody has proven to be theirs, for minutes: they are the channel's.
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["id", "channel_id", "platform", "created_at", "expires_at"],
        withheld: &["login"],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "automod_acts",
        whose: "(platform, author_id) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        shown: &[
            "channel_id", "platform", "author_login", "author_name", "text", "rule", "action", "seconds", "status",
            "decided_at", "done_at",
        ],
        withheld: &["id", "content_id", "author_id", "error", "done_by"],
        erase: Delete(
            "(platform, author_id) in
             (select provider, provider_user_id from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "chat_removals",
        whose: "scope = 'author' and (platform, subject) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        shown: &["channel_id", "platform", "until", "banned"],
        withheld: &["scope", "subject", "received_at"],
        erase: Delete(
            "scope = 'author' and (platform, subject) in
             (select provider, provider_user_id from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "credits_sightings",
        whose: "(platform, user_id) in
                (select provider, provider_user_id from external_accounts where user_id = (select id from person))",
        shown: &["channel_id", "platform", "display_name", "avatar_url", "seen_at"],
        withheld: &["id", "session_id", "user_id"],
        erase: Delete(
            "(platform, user_id) in
             (select provider, provider_user_id from external_accounts where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "credits_chatters",
        whose: "user_id in (select provider || ':' || provider_user_id from external_accounts
                            where user_id = (select id from person))",
        shown: &["channel_id", "name", "avatar_url", "seen_at"],
        withheld: &["session_id", "user_id"],
        erase: Delete(
            "user_id in (select provider || ':' || provider_user_id from external_accounts
                         where user_id = (select id from person))
             or channel_id in (select id from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "credits_donors",
        // Names that nobody has proven to be theirs: they are the channel's.
        whose: "channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["channel_id", "currency", "amount_hundredths", "seen_at"],
        withheld: &["session_id", "name", "avatar_url"],
        erase: Delete("channel_id in (select id from channels where owner_id = (select id from person))"),
    },
    Holding {
        table: "events",
        whose: "stream = 'user:' || (select id from person)",
        shown: &["name", "data", "created_at"],
        withheld: &["stream", "epoch", "seq", "audience"],
        // Those of other channels, in which the person's name may be, go within a day (`trim-events`).
        erase: Delete(
            "stream = 'user:' || (select id from person)
             or stream in (select 'channel:' || slug from channels where owner_id = (select id from person))
             or stream in (select 'chat:' || slug from channels where owner_id = (select id from person))",
        ),
    },
    Holding {
        table: "event_streams",
        whose: "key = 'user:' || (select id from person)",
        shown: &["key", "epoch", "seq"],
        withheld: &[],
        erase: Delete("key = 'user:' || (select id from person)"),
    },
    Holding {
        table: "people_acts",
        whose: "actor_id = (select id from person) or user_id = (select id from person)
                or channel_id in (select id from channels where owner_id = (select id from person))",
        shown: &["at", "act", "user_id", "channel_id", "thing", "before", "after", "reason"],
        withheld: &["id", "actor_id", "system", "request"],
        // That it was done stays; the words of it go. Of what was done to somebody else on the person's channel only the
        // reason goes, which may name the person: what it changed tells of that other one.
        erase: Set {
            to: "before = case when user_id <> (select id from person) then before end,
                 after = case when user_id <> (select id from person) then after end, reason = null",
            which: "(reason is not null or (before is not null or after is not null)
                                           and coalesce(user_id, (select id from person)) = (select id from person))
                    and (user_id = (select id from person)
                         or channel_id in (select id from channels where owner_id = (select id from person)))",
        },
    },
    Holding {
        table: "exports",
        whose: "user_id = (select id from person)",
        shown: &["id", "status", "size", "created_at", "expires_at", "downloaded_at"],
        withheld: &["user_id", "file_hash"],
        erase: Finish("the archives expire"),
    },
    Holding {
        table: "external_accounts",
        whose: "user_id = (select id from person)",
        shown: &[
            "id", "provider", "issuer", "provider_user_id", "login", "display_name", "avatar_url", "scopes",
            "token_expires_at", "linked_at", "refreshed_at", "relink_reason",
        ],
        withheld: &["user_id", "access_token", "refresh_token", "device_id"],
        erase: Finish("removed, when what is found by them is gone"),
    },
    Holding {
        table: "channels",
        whose: "owner_id = (select id from person)",
        shown: &[
            "id", "slug", "name", "description", "default_price", "price_per_second", "overlay_mode", "overlay_show_sender",
            "overlay_max_concurrent", "overlay_max_overlapping", "overlay_style_json", "credits_style_json", "fair_step_seconds",
            "subscriber_discount_bp", "subscriber_turn_weight", "shares_memes", "playback_paused_at",
            "intake_paused_at", "submissions_enabled", "submissions_only_when_live",
            "live_since", "review_mode", "submission_reward_coins", "donation_priority",
            "redeem_priority", "chat_priority", "coins_priority", "when_no_overlay", "break_credit_minutes", "stream_began_at",
            "stream_stopped_at", "created_at",
        ],
        withheld: &[
            "owner_id", "overlay_token_version", "credits_token_version", "credits_token_id", "submissions_token_version",
            // As in channel_accounts.
            "twitch_login", "twitch_channel_id",
        ],
        erase: Finish("nameless and closed, when what is found by it is gone"),
    },
    Holding {
        table: "users",
        whose: "id = (select id from person)",
        shown: &[
            "id", "login", "display_name", "avatar_url", "role", "email", "is_verified", "banned_at", "observer", "created_at",
            "erased_at",
        ],
        withheld: &["password_hash"],
        erase: Finish("nameless: what must stay refers to it"),
    },
];

/// All other tables, and why they are not in the map.
pub const IMPERSONAL: &[(&str, &str)] = &[
    ("account_budgets", "accounts of our bots"),
    ("block_parts", "what files look like that nobody has any more"),
    ("budgets", "keyed hashes that live for minutes"),
    ("chat_batches", "lines as they came, until the job that reads them is done; seconds"),
    ("chat_command_words", "words of commands, which are removed with them"),
    ("chat_dead_letters", "lines that nobody could read; gone with `trim-chat`"),
    ("chat_sessions", "who reads which chat"),
    ("channel_budgets", "accounts of our bots"),
    ("channel_days", "sums of what channels have shown"),
    ("channel_meme_days", "sums of what channels have shown"),
    ("chat_workers", "processes"),
    ("channel_polls", "until when what platforms tell of channels was compared"),
    ("channel_streams", "when channels were live"),
    ("event_subscriptions", "what platforms are asked to tell of channels"),
    ("webhook_deliveries", "what platforms told, until the job that reads it is done; ids for a month"),
    ("credits_events", "ids of events"),
    ("credits_sessions", "when a channel's credits began"),
    ("file_hashes", "files, by their content; whose they are say the tables that refer to them"),
    ("instance", "the database itself"),
    ("job_acts", "the log of who did what to jobs by hand: an admin's login stays, which is what it is for"),
    ("job_attempts", "why runs failed; gone after two weeks"),
    ("job_gates", "limits of jobs"),
    ("job_gates_freed", "limits of jobs"),
    ("job_limits", "limits of jobs"),
    ("job_pauses", "pauses of pools"),
    ("job_schedules", "when periodic jobs are due"),
    ("job_workers", "processes"),
    ("jobs", "orders hold ids, not copies"),
    ("jobs_done", "orders hold ids, not copies; gone after two weeks"),
    ("key_holders", "processes, the id of the key that each seals under, and of the secret that it has"),
    ("lanes", "whose turn it is on a channel"),
    ("look_parts", "what files look like, by their content"),
    ("looks", "what files look like, by their content"),
    ("meme_assets", "files, by their content"),
    ("meme_plays", "how often memes were shown"),
    ("revoked_grants", "sealed tokens on their way back to a platform, of an account that is nobody's any more; days"),
    ("screen_reports", "what screens said about plays"),
    ("screens", "screens that show a channel now"),
];
