//! All kinds of jobs that there are, for whoever shows policies without running anything.

use queue::Kind;

use crate::{
    activations, adjustments, attempts, audit, automod, budgets, channels, chat, credits, events, identities, keys,
    mails, media, moderation, outbox, playback, privacy, requests, sessions, stats, submissions, subscriptions, timers,
    tokens, webhooks,
};

/// Every kind, by pool and name. A guard compares it with what the pools handle.
#[must_use]
pub fn all() -> Vec<Kind> {
    let mut kinds = vec![
        Kind::of::<activations::AdvancePlayback>(),
        Kind::of::<adjustments::ForgetPendingCoins>(),
        Kind::of::<attempts::ForgetAttempts>(),
        Kind::of::<audit::AuditMoney>(),
        Kind::of::<budgets::ForgetBudgets>(),
        Kind::of::<channels::AskStanding>(),
        Kind::of::<chat::IngestChatBatch>(),
        Kind::of::<chat::TrimChat>(),
        Kind::of::<credits::ForgetCreditsEvents>(),
        Kind::of::<credits::ForgetCreditsSession>(),
        Kind::of::<credits::PublishCredits>(),
        Kind::of::<credits::RelayChatter>(),
        Kind::of::<events::TrimEvents>(),
        Kind::of::<identities::RevokeGrant>(),
        Kind::of::<identities::ValidateGrant>(),
        Kind::of::<identities::ValidateGrants>(),
        Kind::of::<keys::RotateKeys>(),
        Kind::of::<mails::ForgetMails>(),
        Kind::of::<mails::SendMail>(),
        Kind::of::<media::CompleteAsset>(),
        Kind::of::<media::CompleteAssets>(),
        Kind::of::<media::DrawPreviews>(),
        Kind::of::<moderation::PurgeAsset>(),
        Kind::of::<automod::Moderate>(),
        Kind::of::<outbox::EndStaleMessages>(),
        Kind::of::<outbox::SendChatMessage>(),
        Kind::of::<outbox::TrimOutbox>(),
        Kind::of::<playback::AnnounceQueue>(),
        Kind::of::<playback::ExpirePlay>(),
        Kind::of::<playback::ExpireWaiting>(),
        Kind::of::<playback::SweepScreens>(),
        Kind::of::<playback::TakeDown>(),
        Kind::of::<privacy::ErasePerson>(),
        Kind::of::<privacy::ExportPerson>(),
        Kind::of::<privacy::SweepExports>(),
        Kind::of::<requests::ForgetRequests>(),
        Kind::of::<sessions::ForgetSessions>(),
        Kind::of::<stats::RollUpPlays>(),
        Kind::of::<submissions::FetchImport>(),
        Kind::of::<submissions::GiveBackFiles>(),
        Kind::of::<submissions::GiveBackShelved>(),
        Kind::of::<submissions::GiveUpUpload>(),
        Kind::of::<submissions::ProbeUpload>(),
        Kind::of::<submissions::RejectSubmissions>(),
        Kind::of::<submissions::ReturnSubmissions>(),
        Kind::of::<submissions::SweepBlobs>(),
        Kind::of::<submissions::TranscodeUpload>(),
        Kind::of::<submissions::ValidateUpload>(),
        Kind::of::<subscriptions::FindMissed>(),
        Kind::of::<subscriptions::PollStreams>(),
        Kind::of::<subscriptions::SyncSubscriptions>(),
        Kind::of::<timers::SayTimers>(),
        Kind::of::<tokens::ForgetTokens>(),
        Kind::of::<webhooks::UnderstandWebhook>(),
    ];
    kinds.sort_by_key(|kind| (kind.pool, kind.name));
    kinds
}
