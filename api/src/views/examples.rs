//! Examples for the document, written as clients see them.

use poem_openapi::types::{Example, ParseFromJSON};
use serde_json::json;

use super::{
    accounts, activations, acts, adjustments, automod, bans, bot_accounts, bots, channels, chat_commands, credits,
    entitlements, events, factors, grants, health, identities, jobs, mails, memes, messages, moderation, passwords,
    privacy, promotions, queues, rewards, sessions, stats, submissions, teams, timers, tokens, wallets,
};

/// `Example` from the JSON that a client would see.
macro_rules! example {
    ($view:ty, $json:tt) => {
        impl Example for $view {
            #[allow(clippy::expect_used, reason = "every test that makes the document runs it")]
            fn example() -> Self {
                Self::parse_from_json(Some(json!($json)))
                    .map_err(|error| error.into_message())
                    .expect("an example parses")
            }
        }
    };
}

example!(crate::sse::StreamEvent, {
    "id": "1-8", "event": "queue:state",
    "data": "{\"playing\":[],\"queuedCount\":0,\"playbackPaused\":false,\"intakePaused\":false,\"screens\":1}"
});
example!(health::HealthView, { "status": "ok", "build": "0.1.0+1a2b3c4d5e6f", "environment": "prod" });

example!(accounts::MeView, {
    "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna", "role": "viewer", "isVerified": false, "createdAt": "2026-11-21T05:17:56Z"
});

example!(accounts::UserView, {
    "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna", "role": "viewer", "createdAt": "2026-11-21T05:17:56Z",
    "observer": false
});
example!(accounts::UserPageView, {
    "users": [{
        "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna", "role": "viewer",
        "createdAt": "2026-11-21T05:17:56Z", "bannedAt": "2026-11-22T05:17:56Z", "observer": false
    }],
    "next": "anna"
});
example!(accounts::PreferencesView, { "theme": "dark", "autoplayMemesEnabled": true, "memeModalMuted": false });
example!(accounts::PreferencesPatch, { "theme": "dark" });
example!(accounts::NewRole, { "role": "streamer" });
example!(bans::BanWish, { "reason": "plays the same thing all day" });
example!(bans::BanView, {
    "userId": "01938c3e-5d10-7e2a-9b7c-0a4f6d1e2c3b",
    "login": "anna",
    "displayName": "Anna",
    "reason": "plays the same thing all day",
    "bannedAt": "2026-01-02T03:04:05Z",
});
example!(messages::MessageView, {
    "id": "00000000-0000-8000-8000-00000000002a", "platform": "twitch", "channel": "demo", "username": "Anna", "user_id": "44322889",
    "message": "what is this song?", "timestamp": "2026-11-21T05:17:56Z", "category": "question"
});
example!(messages::MessagePageView, {
    "messages": [{
        "id": "00000000-0000-8000-8000-00000000002a", "platform": "twitch", "channel": "demo", "username": "Anna", "user_id": "44322889",
        "message": "what is this song?", "timestamp": "2026-11-21T05:17:56Z", "category": "question"
    }],
    "pagination": { "page": 1, "limit": 50, "total": 1, "pages": 1 }
});
example!(accounts::Ban, { "reason": "sells coins elsewhere" });

example!(acts::AuditPageView, {
    "acts": [{
        "id": 17, "at": "2026-11-21T05:17:56Z", "actor": "user:boss", "act": "change_role", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15",
        "login": "anna", "before": { "role": "viewer" }, "after": { "role": "streamer" }, "requestId": "5f0c6ed2a1b84c1f"
    }],
    "next": 17
});

example!(sessions::TokensView, {
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZW1hbGVydHMifQ.c2ln",
    "refresh_token": "mr_01a1fc54f5a972828260d50a75c1381e_71d0...ad99", "token_type": "Bearer", "expires_in": 900
});
example!(sessions::Refresh, { "refresh_token": "mr_01a1fc54f5a972828260d50a75c1381e_71d0...ad99" });
example!(sessions::SessionView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "createdAt": "2026-11-21T05:17:56Z", "seenAt": "2026-11-21T05:32:56Z",
    "authenticatedAt": "2026-11-21T05:17:56Z", "expiresAt": "2026-12-21T05:32:56Z",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "address": "203.0.113.7",
    "methods": ["twitch"], "current": true
});
example!(sessions::SessionsEndedView, { "ended": 2 });
example!(identities::AccountView, {
    "id": "01a1fc55-f5a9-7282-8260-d50a75c1381e", "provider": "twitch", "providerAccountId": "44322889", "login": "anna",
    "displayName": "Anna", "avatarUrl": "https://static-cdn.example/anna.png", "scopes": ["chat:read"],
    "linkedAt": "2026-11-21T05:17:56Z", "needsRelink": false
});

example!(teams::NewMember, { "role": "moderator" });
example!(teams::MemberView, {
    "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna", "role": "moderator",
    "addedAt": "2026-11-21T05:17:56Z"
});
example!(teams::MyChannelView, { "slug": "demo", "name": "Demo", "role": "moderator", "closed": false });

example!(passwords::Register, { "username": "berta", "email": "berta@example.org", "password": "correct horse battery" });
example!(passwords::RegisteredView, {
    "user_id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "username": "berta", "email": "berta@example.org", "is_verified": false,
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJtZW1hbGVydHMifQ.c2ln",
    "refresh_token": "mr_01a1fc54f5a972828260d50a75c1381e_71d0...ad99", "token_type": "Bearer", "expires_in": 900
});
example!(passwords::Login, { "username": "nobody_yet", "password": "correct horse battery" });
example!(passwords::StepUp, { "password": "correct horse battery" });
example!(passwords::NewPassword, { "current_password": "correct horse battery", "password": "staple, battery, correct horse" });

example!(mails::Address, { "email": "berta@example.org" });
example!(mails::LinkToken, { "token": "c3VwZXJjYWxpZnJhZ2lsaXN0aWNleHBpYWxpZG9j1ac" });
example!(mails::Reset, { "token": "c3VwZXJjYWxpZnJhZ2lsaXN0aWNleHBpYWxpZG9j1ac", "password": "staple, battery, correct horse" });

example!(factors::SeedView, {
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "uri": "otpauth://totp/MemAlerts:berta?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=MemAlerts&algorithm=SHA1&digits=6&period=30"
});
example!(factors::FactorView, { "enabled": true, "since": "2026-11-21T05:17:56Z", "recoveryCodesLeft": 9 });
example!(factors::Code, { "code": "287082" });
example!(factors::RecoveryCodesView, { "recoveryCodes": ["7hq2-kx4n-wb3z-c6ta-q2md-yx5s", "m5rd-2pyf-e7ou-lvg3-t4kb-z6wa"] });

example!(privacy::ExportView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "status": "ready", "createdAt": "2026-11-21T05:17:56Z",
    "expiresAt": "2026-11-28T05:18:01Z", "size": 1048576,
    "download": "/users/me/exports/01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee/file"
});

example!(channels::ChannelView, {
    "id": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "slug": "demo", "name": "Demo", "description": "", "defaultPrice": 100, "pricePerSecond": 0, "acceptsActivations": true, "acceptsSubmissions": true,
    "submissionRewardCoins": 0, "subscriberDiscountPercent": 20,
    "createdAt": "2026-11-21T05:17:56Z"
});
example!(channels::ChannelSettingsView, {
    "id": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "slug": "demo", "name": "Demo", "description": "", "defaultPrice": 100, "pricePerSecond": 0, "overlayMode": "queue",
    "overlayShowSender": true, "overlayMaxConcurrent": 3, "overlayMaxOverlapping": 3, "fairStepSeconds": 20,
    "subscriberDiscountPercent": 20, "subscriberTurnWeight": 2, "twitchLogin": "demo",
    "submissionsEnabled": true, "submissionsOnlyWhenLive": false, "reviewMode": "all", "submissionRewardCoins": 0,
    "queuePriorities": { "donation": 20, "redeem": 10, "chat": 0, "coins": 0 }, "whenNoOverlay": "wait", "sharesMemes": true
});
example!(channels::NewChannel, { "slug": "demo", "name": "Demo" });
example!(channels::QueuePrioritiesView, { "donation": 20, "redeem": 10, "chat": 0, "coins": 0 });
example!(channels::QueuePrioritiesPatch, { "donation": 50 });
example!(channels::SettingsPatch, { "overlayMode": "simultaneous", "overlayMaxConcurrent": 2, "defaultPrice": 50 });
example!(channels::PresetView, { "name": "Neon", "styleJson": "{\"color\":\"#0f0\"}" });
example!(channels::PresetsView, { "presets": [{ "name": "Neon", "styleJson": "{\"color\":\"#0f0\"}" }] });
example!(channels::LiveWish, { "live": true });
example!(channels::SubmissionsStatusView, { "enabled": true, "onlyWhenLive": false, "live": true });
example!(channels::SubmissionsLinkView, {
    "token": "st_01a1fc54f5a972828260d50a75c1381e_71d0...ad99",
    "statusUrl": "https://memes.example/public/submissions/status?token=st_01a1fc54f5a972828260d50a75c1381e_71d0...ad99",
    "enableUrl": "https://memes.example/public/submissions/enable?token=st_01a1fc54f5a972828260d50a75c1381e_71d0...ad99",
    "disableUrl": "https://memes.example/public/submissions/disable?token=st_01a1fc54f5a972828260d50a75c1381e_71d0...ad99",
    "toggleUrl": "https://memes.example/public/submissions/toggle?token=st_01a1fc54f5a972828260d50a75c1381e_71d0...ad99"
});
example!(channels::OverlayTokenView, {
    "token": "ot_01a1fc54f5a972828260d50a75c1381e_71d0...ad99",
    "url": "https://memes.example/overlay/t/ot_01a1fc54f5a972828260d50a75c1381e_71d0...ad99"
});

example!(memes::MemeView, {
    "id": "01a1fc8a-2c93-763d-8b41-1f75376728a3", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "title": "Test pattern", "type": "video",
    "fileUrl": "/uploads/c1fa1b16fea8cd289bb93156a6c3899c4efea66e0642634298dfc1bce81f8f1c",
    "durationMs": 2000, "width": 640, "height": 360, "volume": 100, "overlaps": false, "gainDb": -4.5, "price": 100, "finalPrice": 80, "hasDefaultPrice": true,
    "cooldownSeconds": 0, "viewerCooldownSeconds": 60, "maxPerViewer": 3, "tags": ["test", "loud"], "createdAt": "2026-11-21T05:17:56Z"
});
example!(memes::MemePatch, { "title": "A better name", "price": 250, "tags": ["loud"] });
example!(memes::TagView, { "tag": "loud", "count": 17 });

example!(stats::DayView, { "day": "2026-11-21", "plays": 120, "coins": 9500, "viewers": 37 });
example!(stats::ViewerSumView, {
    "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna", "plays": 12, "coins": 900
});
example!(stats::MemeSumView, {
    "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3", "title": "Test pattern", "plays": 40, "coins": 3200
});

example!(moderation::AssetView, {
    "id": "01a1fc8a-2c93-763d-8b41-1f75376728a4", "type": "video",
    "fileUrl": "/uploads/c1fa1b16fea8cd289bb93156a6c3899c4efea66e0642634298dfc1bce81f8f1c", "durationMs": 2000,
    "createdAt": "2026-11-21T05:17:56Z", "hiddenAt": "2026-11-22T05:17:56Z", "title": "Test pattern", "channelSlug": "demo"
});
example!(moderation::AssetDecision, { "reason": "somebody else's work" });
example!(moderation::ResolvedChannelView, {
    "id": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "slug": "demo", "name": "Demo", "ownerId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15"
});
example!(moderation::HouseModeratorView, {
    "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna",
    "grantedAt": "2026-11-21T05:17:56Z"
});
example!(wallets::OwnedWalletView, {
    "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna",
    "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "channelSlug": "demo", "balance": 250
});
example!(wallets::WalletOptionsView, {
    "users": [{ "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "name": "anna" }],
    "channels": [{ "id": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "name": "demo" }]
});

example!(bot_accounts::BotAccountView, {
    "enabled": true, "externalAccountId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "demo_bot", "displayName": "Demo_Bot",
    "updatedAt": "2026-11-21T05:17:56Z", "lockedBySubscription": false, "needsRelink": false
});
example!(bot_accounts::CustomBotView, { "entitled": true });
example!(rewards::RewardRuleView, {
    "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "trigger": "twitch_cheer", "coins": 5, "per": 100, "least": 100, "enabled": true,
    "createdAt": "2026-11-21T05:17:56Z", "updatedAt": "2026-11-21T05:17:56Z"
});
example!(rewards::NewRewardRule, { "trigger": "twitch_cheer", "coins": 5, "per": 100, "least": 100 });
example!(rewards::RewardRulePatch, { "coins": 10 });
example!(rewards::HappeningView, {
    "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "trigger": "twitch_cheer", "providerUserId": "1234", "login": "anna",
    "displayName": "Anna", "amount": 250, "status": "claimed", "coins": 10, "happenedAt": "2026-11-21T05:17:56Z"
});
example!(promotions::PromotionView, {
    "id": "01a1fc9b-60ab-7d4e-9a3c-0c7d2f8e5b11", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "name": "Friday night",
    "discountPercent": 20.0, "startDate": "2026-11-20T18:00:00Z", "endDate": "2026-11-20T23:00:00Z", "isActive": true,
    "isRunning": true, "maxUses": 100, "maxUsesPerViewer": 2, "uses": 17, "createdAt": "2026-11-19T05:17:56Z"
});
example!(promotions::NewPromotionView, {
    "name": "Friday night", "discountPercent": 20.0, "startDate": "2026-11-20T18:00:00Z", "endDate": "2026-11-20T23:00:00Z",
    "maxUses": 100, "maxUsesPerViewer": 2
});
example!(promotions::PromotionPatch, { "discountPercent": 35.5, "endDate": "2026-11-21T02:00:00Z" });

example!(activations::PlacedView, {
    "activation": {
        "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3",
        "coinsSpent": 50, "status": "queued", "createdAt": "2026-11-21T05:17:56Z"
    },
    "wallet": { "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "balance": 200 },
    "originalPrice": 100, "finalPrice": 50, "discountApplied": 50, "isFree": false
});
example!(activations::ActivationView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3",
        "source": "meme", "title": "Test pattern", "senderDisplayName": "Anna", "status": "queued", "coinsSpent": 100, "refundedCoins": 0, "durationMs": 2000,
        "overlaps": false, "playEpoch": 0, "createdAt": "2026-11-21T05:17:56Z"
});
example!(activations::MyActivationView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3",
        "source": "meme", "title": "Test pattern", "senderDisplayName": "Anna", "status": "queued", "coinsSpent": 100, "refundedCoins": 0, "durationMs": 2000,
        "overlaps": false, "playEpoch": 0, "createdAt": "2026-11-21T05:17:56Z",
    "position": 2, "etaMs": 4000, "refunded": false
});
example!(activations::WithdrawnView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3",
        "source": "meme", "title": "Test pattern", "senderDisplayName": "Anna", "status": "cancelled", "reason": "withdrawn", "coinsSpent": 100,
        "refundedCoins": 100, "durationMs": 2000, "overlaps": false, "playEpoch": 0, "endedAt": "2026-11-21T05:18:10Z", "createdAt": "2026-11-21T05:17:56Z",
    "wallet": { "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "balance": 300 }
});
example!(activations::EndedView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3",
        "source": "meme", "title": "Test pattern", "senderDisplayName": "Anna", "status": "failed", "reason": "screen_failed", "coinsSpent": 100,
        "refundedCoins": 100, "durationMs": 2000, "overlaps": false, "playEpoch": 17, "endedAt": "2026-11-21T05:18:10Z", "createdAt": "2026-11-21T05:17:56Z",
    "detail": "the file cannot be decoded"
});
example!(activations::QueueView, {
    "playing": [], "items": [{ "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3",
        "source": "meme", "title": "Test pattern", "senderDisplayName": "Anna", "status": "queued", "coinsSpent": 100, "refundedCoins": 0, "durationMs": 2000,
        "overlaps": false, "playEpoch": 0, "createdAt": "2026-11-21T05:17:56Z", "position": 1, "etaSeconds": 1.5, "priority": 0 }],
    "queuedCount": 1, "playbackPaused": false, "intakePaused": false, "screens": 1
});
example!(activations::QueueEvent, {
    "kind": "donation", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3", "senderDisplayName": "Anna"
});
example!(activations::ClearedView, { "cleared": 3, "refunded": 300 });
example!(activations::Ack, { "state": "started", "playEpoch": 17, "screenId": "5f0c8f9e-6f2f-4a53-9d0e-2b1f6f3d5a11" });
example!(activations::ChannelStatsView, {
    "activationsTotal": 12, "activationsQueued": 1, "activationsPlaying": 1, "activationsDone": 9, "activationsFailed": 0,
    "activationsCancelled": 1, "coinsSpent": 900, "coinsRefunded": 100, "viewers": 4
});

example!(wallets::WalletView, { "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "balance": 250 });
example!(wallets::ReceiptsView, {
    "receipts": [{
        "operationId": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e",
        "channelSlug": "demo", "kind": "refund", "amount": 80, "balance": 420,
        "reason": "no_screen_started", "createdAt": "2026-11-21T05:17:56Z",
        "activation": {
            "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3", "title": "Test pattern",
            "originalPrice": 100, "discountPercent": 20.0
        }
    }],
    "next": 12
});
example!(adjustments::PendingAdjustmentView, {
    "id": "01a1fc8a-2c93-763d-8b41-1f75376728a7", "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna",
    "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "channelSlug": "demo", "delta": 5000000, "reason": "won the tournament",
    "status": "pending", "askedBy": "01a1fc54-e97f-7272-9a0b-3ed5ef258b16", "askerLogin": "boss",
    "askedAt": "2026-11-21T05:17:56Z", "expiresAt": "2026-11-28T05:17:56Z"
});
example!(grants::NewGrantView, {
    "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "provider": "twitch", "login": "anna", "amount": 500,
    "reason": "won the raffle"
});
example!(grants::GrantView, {
    "id": "01a1fc8a-2c93-763d-8b41-1f75376728a8", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "channelSlug": "demo",
    "provider": "twitch", "login": "anna", "amount": 500, "reason": "won the raffle", "status": "waiting",
    "createdBy": "01a1fc54-e97f-7272-9a0b-3ed5ef258b16", "createdAt": "2026-11-21T05:17:56Z",
    "expiresAt": "2027-05-20T05:17:56Z"
});
example!(entitlements::EntitlementWish, {
    "key": "more_presets", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "expiresAt": "2090-01-01T00:00:00Z"
});
example!(entitlements::Taking, { "key": "more_presets", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e" });
example!(entitlements::EntitlementView, {
    "id": "01a1fc8a-2c93-763d-8b41-1f75376728a9", "key": "more_presets", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e",
    "channelSlug": "demo", "grantedBy": "01a1fc54-e97f-7272-9a0b-3ed5ef258b16", "grantedAt": "2026-11-21T05:17:56Z",
    "expiresAt": "2090-01-01T00:00:00Z", "active": true
});
example!(entitlements::CustomBotOfView, {
    "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "entitled": false, "items": []
});
example!(entitlements::CustomBotWish, {
    "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "expiresAt": "2027-01-01T00:00:00Z"
});
example!(entitlements::CustomBotTaking, { "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e" });
example!(entitlements::CustomBotByProvider, { "provider": "twitch", "externalId": "1337" });
example!(entitlements::MyEntitlementView, {
    "key": "more_presets", "channelSlug": "demo", "grantedAt": "2026-11-21T05:17:56Z"
});
example!(wallets::AdjustmentWish, { "delta": 250, "reason": "won the raffle" });
example!(wallets::AdjustedView, {
    "wallet": { "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "balance": 250 },
    "operationId": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee"
});

example!(submissions::BlockWish, { "memeId": "01a1fc8a-2c93-763d-8b41-1f75376728a3" });
example!(submissions::BlockView, {
    "id": "01a1fc8a-2c93-763d-8b41-1f75376728a4", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "type": "video",
    "fileHash": "c1fa1b16fea8cd289bb93156a6c3899c4efea66e0642634298dfc1bce81f8f1c", "createdAt": "2026-11-21T05:17:56Z"
});
example!(submissions::SubmissionView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "submitterId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "title": "Test pattern", "type": "video", "notes": null,
    "tags": ["test"], "status": "pending", "uploadState": "transcoding", "progress": 40, "errorCode": null,
    "errorDetail": null, "memeId": null,
    "fileHash": "c1fa1b16fea8cd289bb93156a6c3899c4efea66e0642634298dfc1bce81f8f1c",
    "fromPool": false, "fileSize": 1048576, "revision": 1, "createdAt": "2026-11-21T05:17:56Z", "updatedAt": "2026-11-21T05:17:58Z"
});
example!(submissions::ImportWish, {
    "channelId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b16", "url": "https://cdn.example.org/clips/cat.mp4", "title": "A cat",
    "notes": "For Friday.", "tags": ["cats"]
});
example!(submissions::TakeWish, {
    "channelId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b16", "memeAssetId": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "title": "A cat",
    "tags": ["cats"]
});
example!(memes::PooledView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "type": "image", "title": "A cat", "tags": ["cats"],
    "fileUrl": "/uploads/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "durationMs": 5000, "width": 640, "height": 360,
    "createdAt": "2026-11-21T05:17:56Z"
});
example!(submissions::ApprovalWish, { "title": "A better name", "price": 250, "tags": ["cats"] });
example!(submissions::Rejection, { "note": "We have this one already." });
example!(submissions::DecisionsWish, { "ids": ["01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee"], "action": "reject", "note": "Seen before." });
example!(submissions::DecisionsView, {
    "results": [
        { "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "ok": true, "status": "rejected" },
        { "id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "ok": false, "errorCode": "SUBMISSION_NOT_PENDING",
          "detail": "it is decided already: the submission is approved" }
    ]
});
example!(submissions::TrustedView, {
    "userId": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15", "login": "anna", "displayName": "Anna", "addedAt": "2026-11-21T05:17:56Z"
});
example!(submissions::ChangesWish, { "note": "Cut the first two seconds, please." });

example!(bots::BotView, { "provider": "twitch", "enabled": true, "updatedAt": "2026-11-21T05:17:56Z" });
example!(bots::BotPatch, { "enabled": true });
example!(bots::VkvideoCandidate, { "url": "demo", "vkvideoChannelId": "4242" });
example!(bots::VkvideoCandidatesView, { "items": [{ "url": "demo", "vkvideoChannelId": "4242" }] });
example!(bots::Okay, { "ok": true });
example!(bots::FollowGreetingsView, {
    "followGreetingsEnabled": true, "followGreetingTemplate": "Welcome, {user}!", "updatedAt": "2026-11-21T05:17:56Z"
});
example!(bots::FollowGreetingsPatch, { "followGreetingTemplate": "Welcome, {user}!" });
example!(chat_commands::CommandView, {
    "id": "01a1fca4-0a3e-7c55-8d0b-6b0f0cc1a6d2", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "trigger": "!hug",
    "aliases": ["!cuddle"], "response": "{user} hugs {touser}, hug number {count}", "matching": "command", "enabled": true,
    "onlyWhenLive": false, "allowedUsers": ["lotas"], "allowedRoles": ["vip", "subscriber"], "vkvideoAllowedRoleIds": [],
    "cooldownSeconds": 5, "userCooldownSeconds": 30, "uses": 17, "lastUsedAt": "2026-11-21T05:17:56Z", "notes": [],
    "createdAt": "2026-11-19T05:17:56Z", "updatedAt": "2026-11-19T05:17:56Z"
});
example!(chat_commands::NewCommandView, {
    "trigger": "!hug", "response": "{user} hugs {touser}, hug number {count}", "aliases": ["!cuddle"], "allowedUsers": ["@Lotas"],
    "allowedRoles": ["vip", "subscriber"], "cooldownSeconds": 5, "userCooldownSeconds": 30
});
example!(chat_commands::CommandPatch, { "response": "{user} hugs {touser} again", "onlyWhenLive": true });
example!(timers::TimerView, {
    "id": "01a1fca4-0a3e-7c55-8d0b-6b0f0cc1a6d2", "channelId": "01a1fc54-f5a9-7282-8260-d50a75c1381e", "name": "Discord",
    "messages": ["All memes are at {channelUrl}", "We are on Discord, too"], "intervalSeconds": 900, "minLines": 10,
    "onlyWhenLive": true, "enabled": true, "nextAt": "2026-11-21T05:32:56Z", "lastSaidAt": "2026-11-21T05:17:56Z",
    "createdAt": "2026-11-19T05:17:56Z", "updatedAt": "2026-11-19T05:17:56Z"
});
example!(timers::NewTimerView, {
    "name": "Discord", "messages": ["All memes are at {channelUrl}", "We are on Discord, too"], "intervalSeconds": 900, "minLines": 10
});
example!(timers::TimerPatch, { "minLines": 20 });
example!(automod::AutomodView, {
    "enabled": true, "linksAction": "delete", "allowedHosts": ["clips.twitch.tv", "youtube.com"], "capsAction": "off",
    "capsPercent": 70, "capsLetters": 15, "repeatsAction": "warn", "repeatsMost": 4, "zalgoAction": "delete", "zalgoMarks": 4,
    "exempt": ["vip"], "timeoutSeconds": 600, "escalateAfter": 3, "escalateWithinMinutes": 60, "permitSeconds": 60,
    "updatedAt": "2026-11-21T05:17:56Z"
});
example!(automod::AutomodPatch, { "enabled": true, "linksAction": "delete", "allowedHosts": ["youtube.com"] });
example!(automod::PermitView, {
    "id": "01a1fca4-0a3e-7c55-8d0b-6b0f0cc1a6d2", "provider": "twitch", "login": "anna", "createdAt": "2026-11-21T05:17:56Z",
    "expiresAt": "2026-11-21T05:18:56Z"
});
example!(automod::NewPermitView, { "login": "@Anna", "seconds": 120 });
example!(automod::AutomodActView, {
    "id": "01a1fca4-0a3e-7c55-8d0b-6b0f0cc1a6d2", "provider": "twitch", "login": "anna", "displayName": "Anna",
    "message": "come to example.com", "rule": "links", "action": "timeout", "seconds": 600, "status": "done",
    "doneBy": "memalerts_bot", "decidedAt": "2026-11-21T05:17:56Z", "doneAt": "2026-11-21T05:17:57Z"
});
example!(bots::DiagnosticsView, {
    "provider": "twitch", "ok": false, "enabled": true, "channelLogin": "demo", "readers": 1, "account": "memalerts_bot",
    "readsSince": "2026-11-21T05:17:56Z", "senders": 0, "waiting": 3, "oldestWaitingAt": "2026-11-21T05:17:56Z",
    "lastFailure": {
        "id": "01a1fca4-0a3e-7c55-8d0b-6b0f0cc1a6d2", "status": "failed", "lastError": "msg_banned", "at": "2026-11-20T05:17:56Z"
    },
    "customBot": false,
    "checks": [{ "name": "sender", "ok": false, "detail": "no process sends messages: start memalerts work outbox" }]
});
example!(chat_commands::CounterView, { "name": "deaths", "value": 7, "updatedAt": "2026-11-21T05:17:56Z" });
example!(chat_commands::CounterWish, { "value": 7 });
example!(chat_commands::StreamDurationView, {
    "enabled": true, "trigger": "!time", "responseTemplate": "Stream time: {hours}h {minutes}m ({totalMinutes}m)",
    "breakCreditMinutes": 60, "onlyWhenLive": true
});
example!(chat_commands::StreamDurationPatch, { "trigger": "!uptime", "breakCreditMinutes": 30 });
example!(bots::SaidView, {
    "ok": true,
    "outbox": { "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "provider": "twitch", "status": "pending", "createdAt": "2026-11-21T05:17:56Z" }
});
example!(bots::OutboxView, {
    "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "provider": "twitch", "status": "sent", "createdAt": "2026-11-21T05:17:56Z",
    "updatedAt": "2026-11-21T05:17:57Z"
});

example!(credits::CreditsSettings, { "creditsStyleJson": "{\"speed\":60,\"titleChatters\":\"Thank you\"}" });
example!(credits::CreditsStateView, {
    "chatters": [{ "name": "Anna" }],
    "donors": [{ "name": "Bert", "amount": 99.5, "currency": "RUB" }]
});

example!(events::EventPageView, {
    "cursor": "1-42",
    "events": [{ "id": "1-42", "event": "activation:stop", "data": { "id": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "playEpoch": 17, "reason": "skipped" } }]
});

example!(queues::JobQueueView, {
    "pool": "dispatch", "ready": 0, "scheduled": 3, "running": 1, "dead": 0, "workers": 1, "silent": 0,
    "processes": [{
        "id": 7, "name": "box/8a2f/4711/00c0ffee00c0ffee", "startedAt": "2026-11-21T05:17:56Z", "silent": false, "slots": 32, "running": 1,
        "paused": false
    }],
    "kinds": [{
        "name": "advance-playback", "pool": "dispatch", "version": 1, "maxAttempts": 5, "backoffBaseSeconds": 1.0, "backoffCapSeconds": 10.0,
        "jitterPercent": 20, "timeoutSeconds": 10.0, "priority": 10
    }]
});
example!(queues::LimitQueue, { "running": 2, "starts": 20, "perSeconds": 30.0, "reason": "the provider is slow today" });
example!(queues::PauseQueue, { "reason": "the disk is full" });
example!(queues::PauseWorker, { "pool": "media", "reason": "its disk is full" });
example!(queues::ResumeWorker, { "pool": "media" });
example!(queues::PausedPoolsView, { "id": 7, "pausedPools": ["media"] });

example!(jobs::JobView, {
    "id": 4711, "kind": "probe-upload", "version": 1, "pool": "media", "state": "dead", "priority": 0, "attempts": 3, "crashes": 0,
    "createdAt": "2026-11-21T05:17:56Z", "runAt": "2026-11-21T05:18:56Z", "finishedAt": "2026-11-21T05:19:02Z",
    "trace": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "reason": "ffprobe did not answer", "payload": { "submission_id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15" }
});
example!(jobs::JobPageView, { "jobs": [], "counts": { "ready": 0, "scheduled": 4, "running": 1, "dead": 0 } });
example!(jobs::JobDetailView, {
    "job": {
        "id": 4711, "kind": "probe-upload", "version": 1, "pool": "media", "state": "done", "priority": 0, "attempts": 2, "crashes": 0,
        "createdAt": "2026-11-21T05:17:56Z", "finishedAt": "2026-11-21T05:18:31Z", "trace": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee",
        "payload": { "submission_id": "01a1fc55-e97f-7272-9a0b-3ed5ef258b15" }
    },
    "runs": [{
        "attempt": 1, "startedAt": "2026-11-21T05:17:56Z", "endedAt": "2026-11-21T05:18:01Z", "verdict": "failed",
        "error": "ffprobe did not answer", "worker": 7
    }],
    "requestedBy": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee", "follows": []
});
example!(jobs::DiscardJob, { "reason": "the file is gone" });
example!(jobs::RescheduleJob, { "runAt": "2026-11-22T05:00:00Z" });
example!(jobs::RetryJobs, { "filter": { "state": "dead", "kind": "probe-upload" }, "dryRun": true });
example!(jobs::DiscardJobs, { "filter": { "state": "dead", "pool": "outbox" }, "reason": "too old to be said", "dryRun": false });
example!(jobs::RescheduleJobs, {
    "filter": { "state": "scheduled", "payload": { "channel_id": "01a1fc54-f5a9-7282-8260-d50a75c1381e" } },
    "runAt": "2026-11-22T05:00:00Z", "dryRun": false
});
example!(jobs::BulkView, { "matched": 10000, "done": 10000 });
example!(jobs::ActPageView, {
    "acts": [{
        "id": 12, "at": "2026-11-21T05:20:00Z", "actor": "user:boss", "act": "retry",
        "target": { "filter": { "state": "dead", "kind": "probe-upload" } }, "jobs": 17, "requestId": "01a1fc55-eb7a-7394-9c5d-7f4c26c1d2ee"
    }]
});

example!(tokens::TokenView, {
    "id": "01a1fc55-f5a9-7282-8260-d50a75c1381e", "kind": "overlay", "name": "Starting soon", "scopes": [], "own": false, "credits": false,
    "expired": false, "createdAt": "2026-11-21T05:17:56Z", "lastSeenAt": "2026-11-21T18:03:00Z", "lastAddress": "203.0.113.0/24"
});
example!(tokens::TokenAlarmView, {
    "at": "2026-11-21T18:03:00Z", "address": "198.51.100.0/24", "otherAddress": "203.0.113.0/24"
});
example!(tokens::TokenWish, { "kind": "overlay", "name": "Starting soon" });
example!(tokens::TokenPatch, { "name": "Just chatting", "acknowledgeAlarm": true });
example!(tokens::MadeTokenView, {
    "token": {
        "id": "01a1fc55-f5a9-7282-8260-d50a75c1381e", "kind": "api", "name": "Stream Deck", "scopes": ["queue:read", "queue:control"],
        "own": false, "credits": false, "expired": false, "createdAt": "2026-11-21T05:17:56Z", "expiresAt": "2027-11-21T00:00:00Z"
    },
    "secret": "ma_api_3f1c...9a02"
});
