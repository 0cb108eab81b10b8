//! What each operation may fail with, as `openapi.yaml` promises it. The harness of the stories fails a story in which an
//! operation fails with anything else.
//!
//! An operation is one line in [`OPERATIONS`]: who may ask, and what its own errors are. What follows from its form
//! (parameters, a body, a method that changes something) is added by [`of`].

use crate::problem::ErrorCode::{self, *};

/// Whom an operation serves; each kind is refused in its own ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Anybody,
    /// Whoever has the token in the address.
    TokenHolder,
    /// Whoever shows in the body who they are: a refresh token, a password.
    Credentials,
    Viewer,
    /// In a channel's team, or its owner.
    Moderator,
    /// The same, with the right to change what it plays.
    Editor,
    /// The owner of a channel.
    Streamer,
    /// An admin, or whom an admin lets look.
    Observer,
    /// An admin, or whom an admin lets moderate all channels.
    HouseModerator,
    Admin,
}

impl Asker {
    /// As `x-asker` says it in the document.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::TokenHolder => "tokenHolder",
            Self::Credentials => "credentials",
            Self::Viewer => "viewer",
            Self::Moderator => "moderator",
            Self::Editor => "editor",
            Self::Streamer => "streamer",
            Self::Observer => "observer",
            Self::HouseModerator => "houseModerator",
            Self::Admin => "admin",
        }
    }

    /// The operation acts on a channel, which the request may choose.
    pub(crate) const fn acts_on_a_channel(self) -> bool {
        matches!(self, Self::Moderator | Self::Editor | Self::Streamer)
    }

    /// How somebody else is refused.
    const fn refusals(self) -> &'static [ErrorCode] {
        match self {
            Self::Anybody => &[],
            Self::TokenHolder | Self::Credentials => &[Unauthorized],
            Self::Moderator | Self::Editor | Self::Streamer => &[Unauthorized, Forbidden, ChannelNotFound],
            // What a program has no scope for is forbidden to it.
            Self::Viewer | Self::Observer | Self::HouseModerator | Self::Admin => &[Unauthorized, Forbidden],
        }
    }
}

/// What an operation takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) parameters: bool,
    /// A body that is read into memory: JSON.
    pub(crate) body: bool,
    /// A method that changes something.
    pub(crate) changes: bool,
    /// It has a budget of its own.
    pub(crate) budgeted: bool,
}

type Promise = (&'static str, Asker, &'static [ErrorCode]);

/// Every operation by its `operationId`, in the order of `routes::all`.
const OPERATIONS: &[Promise] = &[
    ("getHealth", Asker::Anybody, &[]),
    ("getMe", Asker::Viewer, &[]),
    ("getMyPreferences", Asker::Viewer, &[]),
    ("changeMyPreferences", Asker::Viewer, &[]),
    ("refreshSession", Asker::Credentials, &[SessionExpired, Conflict]),
    ("logOut", Asker::Anybody, &[]),
    ("listMySessions", Asker::Viewer, &[]),
    ("endMySession", Asker::Viewer, &[NotFound]),
    ("endMyOtherSessions", Asker::Viewer, &[]),
    ("register", Asker::Anybody, &[UsernameTaken, EmailTaken]),
    (
        "logIn",
        Asker::Credentials,
        &[CredentialsInvalid, CodeRequired, CodeInvalid, CodesUnreadable, AccountBanned, AccountDeleted, RateLimited],
    ),
    ("stepUp", Asker::Viewer, &[CredentialsInvalid, CodeRequired, CodeInvalid, CodesUnreadable, Conflict, RateLimited]),
    (
        "changePassword",
        Asker::Viewer,
        &[CredentialsInvalid, CodeRequired, CodeInvalid, CodesUnreadable, Conflict, RateLimited],
    ),
    ("beginTotp", Asker::Viewer, &[StepUpRequired, Conflict]),
    ("confirmTotp", Asker::Viewer, &[CodeInvalid, Conflict, RateLimited]),
    ("removeTotp", Asker::Viewer, &[StepUpRequired, NotFound]),
    ("getTotp", Asker::Viewer, &[]),
    ("replaceRecoveryCodes", Asker::Viewer, &[StepUpRequired, NotFound]),
    ("verifyEmail", Asker::Anybody, &[LinkInvalid, EmailTaken]),
    (
        "sendVerification",
        Asker::Viewer,
        &[Conflict, RequestInFlight, IdempotencyKeyReused, RateLimited, MailNotConfigured],
    ),
    ("changeEmail", Asker::Viewer, &[StepUpRequired, Conflict, EmailTaken, RateLimited, MailNotConfigured]),
    ("forgetPassword", Asker::Anybody, &[MailNotConfigured]),
    ("resetPassword", Asker::Anybody, &[LinkInvalid]),
    ("listUsers", Asker::Admin, &[]),
    ("changeUserRole", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("banUser", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("unbanUser", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("letUserObserve", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("letUserObserveNoMore", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("switchUserTotpOff", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("exportMe", Asker::Viewer, &[StepUpRequired, Conflict]),
    ("getMyExport", Asker::Viewer, &[NotFound]),
    ("downloadMyExport", Asker::Viewer, &[StepUpRequired, NotFound, MediaNotAvailable, Conflict]),
    ("forgetMe", Asker::Viewer, &[StepUpRequired, Conflict]),
    ("listActs", Asker::Admin, &[ChannelNotFound]),
    ("listChannelActs", Asker::Streamer, &[]),
    ("startLogin", Asker::Anybody, &[OauthNotConfigured, OauthUnavailable]),
    (
        "finishLogin",
        Asker::Anybody,
        &[
            OauthStateMismatch,
            OauthFailed,
            YoutubeChannelRequired,
            AccountBanned,
            AccountDeleted,
            Forbidden,
            OauthNotConfigured,
            OauthUnavailable,
        ],
    ),
    ("completeTwitchLogin", Asker::Viewer, &[]),
    ("startLink", Asker::Viewer, &[CsrfInvalid, StepUpRequired, OauthNotConfigured, OauthUnavailable]),
    ("startYouTubeForceSslLink", Asker::Viewer, &[CsrfInvalid, StepUpRequired, OauthNotConfigured, OauthUnavailable]),
    // Who took longer than a token lives comes without one: the session is asked instead.
    (
        "finishLink",
        Asker::Anybody,
        &[
            SubscriptionRequired,
            Forbidden,
            OauthStateMismatch,
            OauthFailed,
            YoutubeChannelRequired,
            Unauthorized,
            AccountAlreadyLinked,
            LastAccount,
            OauthNotConfigured,
            OauthUnavailable,
        ],
    ),
    ("listMyAccounts", Asker::Viewer, &[]),
    ("unlinkAccount", Asker::Viewer, &[StepUpRequired, NotFound, LastAccount, Conflict]),
    ("getChannel", Asker::Anybody, &[ChannelNotFound]),
    ("getPublicChannel", Asker::Anybody, &[ChannelNotFound]),
    ("openChannel", Asker::Viewer, &[Conflict]),
    ("getChannelSettings", Asker::Moderator, &[]),
    ("listMessages", Asker::Moderator, &[]),
    ("getMessage", Asker::Moderator, &[NotFound]),
    ("changeChannelSettings", Asker::Editor, &[]),
    ("setLive", Asker::Editor, &[]),
    ("listTeam", Asker::Moderator, &[]),
    ("putTeamMember", Asker::Streamer, &[StepUpRequired, NotFound, Conflict]),
    ("removeTeamMember", Asker::Streamer, &[NotFound]),
    ("listMyChannels", Asker::Viewer, &[]),
    ("leaveTeam", Asker::Viewer, &[ChannelNotFound, Conflict]),
    ("listChannelMemes", Asker::Anybody, &[ChannelNotFound]),
    ("listPublicMemes", Asker::Anybody, &[ChannelNotFound]),
    ("searchPublicMemes", Asker::Anybody, &[ChannelNotFound]),
    ("searchMemes", Asker::Anybody, &[ChannelNotFound, MissingChannelId]),
    ("listMemes", Asker::Anybody, &[ChannelNotFound]),
    ("listChannelTags", Asker::Anybody, &[ChannelNotFound]),
    ("listTags", Asker::Anybody, &[ChannelNotFound]),
    ("listMyMemes", Asker::Moderator, &[]),
    ("changeMeme", Asker::Editor, &[MemeNotFound, InvalidTitle]),
    ("deleteMeme", Asker::Editor, &[MemeNotFound]),
    ("restoreMeme", Asker::Editor, &[MemeNotFound]),
    ("listMyFavourites", Asker::Viewer, &[ChannelNotFound]),
    ("addMyFavourite", Asker::Viewer, &[MemeNotFound, Conflict]),
    ("removeMyFavourite", Asker::Viewer, &[]),
    ("listStatsByDay", Asker::Moderator, &[]),
    ("listStatsByViewer", Asker::Moderator, &[]),
    ("listStatsByMeme", Asker::Moderator, &[]),
    ("listMemeStats", Asker::Anybody, &[ChannelNotFound]),
    ("rewardEligibility", Asker::Moderator, &[]),
    ("listRewardRules", Asker::Moderator, &[]),
    ("createRewardRule", Asker::Editor, &[Conflict]),
    ("changeRewardRule", Asker::Editor, &[NotFound]),
    ("deleteRewardRule", Asker::Editor, &[NotFound]),
    ("listRewardEvents", Asker::Moderator, &[]),
    ("listPromotions", Asker::Moderator, &[]),
    ("createPromotion", Asker::Editor, &[Conflict, RequestInFlight, IdempotencyKeyReused]),
    ("changePromotion", Asker::Editor, &[NotFound]),
    ("deletePromotion", Asker::Editor, &[NotFound]),
    (
        "submitMeme",
        Asker::Viewer,
        &[
            BadRequest,
            UnsupportedMediaType,
            InvalidFileType,
            InvalidMediaType,
            InvalidFileContent,
            ContentBlocked,
            InvalidTitle,
            MissingChannelId,
            SubmissionsDisabled,
            SubmissionsOffline,
            BannedFromChannel,
            ChannelNotFound,
            Timeout,
            RequestInFlight,
            FileTooLarge,
            VideoTooLong,
            IdempotencyKeyReused,
            UploadFailed,
            UploadTimeout,
            StorageFull,
        ],
    ),
    (
        "importMeme",
        Asker::Viewer,
        &[
            InvalidMediaUrl,
            InvalidFileContent,
            ContentBlocked,
            InvalidTitle,
            MissingChannelId,
            SubmissionsDisabled,
            SubmissionsOffline,
            BannedFromChannel,
            ChannelNotFound,
            FeatureNotAvailable,
            MediaNotAvailable,
            RequestInFlight,
            FileTooLarge,
            VideoTooLong,
            IdempotencyKeyReused,
            UploadFailed,
            UploadTimeout,
        ],
    ),
    ("listPool", Asker::Anybody, &[]),
    (
        "takeFromPool",
        Asker::Viewer,
        &[
            ContentBlocked,
            InvalidTitle,
            MissingChannelId,
            SubmissionsDisabled,
            SubmissionsOffline,
            BannedFromChannel,
            ChannelNotFound,
            MemeNotFound,
            MemeAssetNotFound,
            AlreadyInChannel,
            AssetPurgedOrQuarantined,
            Conflict,
            RequestInFlight,
            IdempotencyKeyReused,
        ],
    ),
    ("listSubmissions", Asker::Viewer, &[]),
    ("listMySubmissions", Asker::Viewer, &[]),
    ("getSubmission", Asker::Viewer, &[SubmissionNotFound]),
    (
        "resubmitMeme",
        Asker::Viewer,
        &[
            BadRequest,
            UnsupportedMediaType,
            InvalidFileType,
            InvalidMediaType,
            InvalidFileContent,
            ContentBlocked,
            BannedFromChannel,
            InvalidTitle,
            ChannelNotFound,
            SubmissionNotFound,
            Timeout,
            Conflict,
            RequestInFlight,
            FileTooLarge,
            IdempotencyKeyReused,
            StorageFull,
        ],
    ),
    ("listChannelSubmissions", Asker::Moderator, &[]),
    (
        "approveSubmission",
        Asker::Moderator,
        &[
            SubmissionNotFound,
            InvalidTitle,
            SubmissionNotPending,
            AssetPurgedOrQuarantined,
            Conflict,
            RequestInFlight,
            IdempotencyKeyReused,
        ],
    ),
    (
        "rejectSubmission",
        Asker::Moderator,
        &[SubmissionNotFound, SubmissionNotPending, Conflict, RequestInFlight, IdempotencyKeyReused],
    ),
    (
        "askForChanges",
        Asker::Moderator,
        &[SubmissionNotFound, SubmissionNotPending, Conflict, RequestInFlight, IdempotencyKeyReused],
    ),
    ("decideSubmissions", Asker::Moderator, &[RequestInFlight, IdempotencyKeyReused]),
    ("listTrustedUploaders", Asker::Moderator, &[]),
    ("trustUploader", Asker::Editor, &[NotFound, Conflict]),
    ("trustUploaderNoMore", Asker::Editor, &[NotFound]),
    ("listChannelBans", Asker::Moderator, &[]),
    ("banFromChannel", Asker::Moderator, &[NotFound, Conflict]),
    ("unbanFromChannel", Asker::Moderator, &[NotFound]),
    ("listBlocklist", Asker::Moderator, &[]),
    ("block", Asker::Moderator, &[MemeNotFound, SubmissionNotFound, Conflict]),
    ("unblock", Asker::Moderator, &[NotFound]),
    ("listGlobalBlocklist", Asker::HouseModerator, &[]),
    ("blockEverywhere", Asker::HouseModerator, &[MemeNotFound, SubmissionNotFound, Conflict]),
    ("unblockEverywhere", Asker::HouseModerator, &[NotFound]),
    ("getSubmissionsLink", Asker::Streamer, &[]),
    ("rotateSubmissionsLink", Asker::Streamer, &[]),
    ("getSubmissionsStatus", Asker::TokenHolder, &[]),
    ("enableSubmissions", Asker::TokenHolder, &[]),
    ("disableSubmissions", Asker::TokenHolder, &[]),
    ("toggleSubmissions", Asker::TokenHolder, &[]),
    ("getFile", Asker::Anybody, &[NotFound, MediaNotAvailable, RangeNotSatisfiable]),
    (
        "activateMeme",
        Asker::Viewer,
        &[
            InsufficientCoins,
            ChannelNotFound,
            MemeNotFound,
            BannedFromChannel,
            IntakePaused,
            NoOverlay,
            MemeOnCooldown,
            MemePlayedOut,
            RequestInFlight,
            IdempotencyKeyReused,
        ],
    ),
    ("getMyActivation", Asker::Viewer, &[ActivationNotFound]),
    (
        "withdrawMyActivation",
        Asker::Viewer,
        &[RequestInFlight, IdempotencyKeyReused, ActivationNotFound, ActivationNotQueued],
    ),
    ("getWallet", Asker::Viewer, &[ChannelNotFound]),
    ("getChannelWallet", Asker::Viewer, &[ChannelNotFound]),
    ("listMyReceipts", Asker::Viewer, &[ChannelNotFound]),
    ("listAllMyReceipts", Asker::Viewer, &[]),
    (
        "adjustWallet",
        Asker::Admin,
        &[StepUpRequired, InsufficientCoins, NotFound, RequestInFlight, IdempotencyKeyReused],
    ),
    ("listWallets", Asker::Admin, &[]),
    ("listWalletOptions", Asker::Admin, &[]),
    ("listAdjustments", Asker::Admin, &[]),
    ("approveAdjustment", Asker::Admin, &[StepUpRequired, InsufficientCoins, SecondAdminRequired, NotFound, Conflict]),
    ("refuseAdjustment", Asker::Admin, &[NotFound, Conflict]),
    ("listGrants", Asker::Admin, &[]),
    ("createGrant", Asker::Admin, &[StepUpRequired, ChannelNotFound, RequestInFlight, IdempotencyKeyReused]),
    ("approveGrant", Asker::Admin, &[StepUpRequired, SecondAdminRequired, NotFound, Conflict]),
    ("revokeGrant", Asker::Admin, &[StepUpRequired, NotFound, Conflict]),
    ("listMyEntitlements", Asker::Viewer, &[]),
    ("listEntitlements", Asker::Admin, &[]),
    ("grantEntitlement", Asker::Admin, &[StepUpRequired, NotFound]),
    ("revokeEntitlement", Asker::Admin, &[StepUpRequired, NotFound]),
    ("getCustomBotEntitlement", Asker::Admin, &[ChannelNotFound]),
    ("grantCustomBot", Asker::Admin, &[StepUpRequired, NotFound]),
    ("grantCustomBotByProvider", Asker::Admin, &[StepUpRequired, NotFound, ChannelNotFound]),
    ("revokeCustomBot", Asker::Admin, &[StepUpRequired, NotFound]),
    ("listMemeAssets", Asker::HouseModerator, &[]),
    ("hideMemeAsset", Asker::HouseModerator, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("unhideMemeAsset", Asker::HouseModerator, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("deleteMemeAsset", Asker::HouseModerator, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("listHouseModerators", Asker::Admin, &[]),
    ("grantHouseModerator", Asker::Admin, &[StepUpRequired, NotFound]),
    ("revokeHouseModerator", Asker::Admin, &[StepUpRequired, NotFound]),
    ("listOwnerMemeAssets", Asker::Admin, &[]),
    ("hideOwnerMemeAsset", Asker::Admin, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("unhideOwnerMemeAsset", Asker::Admin, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("restoreOwnerMemeAsset", Asker::Admin, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("purgeOwnerMemeAsset", Asker::Admin, &[MemeAssetNotFound, AssetPurgedOrQuarantined]),
    ("resolveChannel", Asker::Admin, &[ChannelNotFound]),
    ("listJobQueues", Asker::Observer, &[]),
    ("pauseJobQueue", Asker::Admin, &[NotFound]),
    ("resumeJobQueue", Asker::Admin, &[NotFound]),
    ("limitJobQueue", Asker::Admin, &[NotFound]),
    ("unlimitJobQueue", Asker::Admin, &[NotFound]),
    ("pauseWorker", Asker::Admin, &[NotFound]),
    ("resumeWorker", Asker::Admin, &[NotFound]),
    ("listJobKinds", Asker::Observer, &[]),
    ("listJobs", Asker::Observer, &[]),
    ("getJob", Asker::Observer, &[NotFound]),
    ("retryJob", Asker::Admin, &[NotFound, Conflict]),
    ("discardJob", Asker::Admin, &[NotFound, Conflict]),
    ("rescheduleJob", Asker::Admin, &[NotFound, Conflict]),
    ("retryJobs", Asker::Admin, &[]),
    ("discardJobs", Asker::Admin, &[]),
    ("rescheduleJobs", Asker::Admin, &[]),
    ("listAdminActs", Asker::Observer, &[]),
    ("getQueue", Asker::Moderator, &[]),
    ("listQueueHistory", Asker::Moderator, &[]),
    ("skipPlaying", Asker::Moderator, &[Conflict, RequestInFlight, IdempotencyKeyReused]),
    (
        "removeQueued",
        Asker::Moderator,
        &[ActivationNotFound, ActivationNotQueued, RequestInFlight, IdempotencyKeyReused],
    ),
    ("moveToFront", Asker::Moderator, &[ActivationNotFound, ActivationNotQueued]),
    (
        "replayPlayed",
        Asker::Moderator,
        &[ActivationNotFound, MemeNotFound, Conflict, RequestInFlight, IdempotencyKeyReused],
    ),
    ("queueEvent", Asker::Editor, &[MemeNotFound, RequestInFlight, IdempotencyKeyReused]),
    ("clearQueue", Asker::Moderator, &[RequestInFlight, IdempotencyKeyReused]),
    ("pausePlayback", Asker::Moderator, &[]),
    ("resumePlayback", Asker::Moderator, &[]),
    ("pauseIntake", Asker::Moderator, &[]),
    ("resumeIntake", Asker::Moderator, &[]),
    ("getDockQueueState", Asker::Moderator, &[]),
    ("dockSkip", Asker::Moderator, &[Conflict, RequestInFlight, IdempotencyKeyReused]),
    ("dockClear", Asker::Moderator, &[RequestInFlight, IdempotencyKeyReused]),
    ("dockPauseIntake", Asker::Moderator, &[]),
    ("dockResumeIntake", Asker::Moderator, &[]),
    ("dockPausePlayback", Asker::Moderator, &[]),
    ("dockResumePlayback", Asker::Moderator, &[]),
    ("playTestEvent", Asker::Editor, &[MemeNotFound, RequestInFlight, IdempotencyKeyReused]),
    ("getChannelStats", Asker::Moderator, &[]),
    ("acknowledgePlay", Asker::TokenHolder, &[ActivationNotFound, StalePlay]),
    ("getOverlayToken", Asker::Streamer, &[]),
    ("rotateOverlayToken", Asker::Streamer, &[]),
    ("getPreviewMeme", Asker::Moderator, &[MemeNotFound]),
    ("listPreviewMemes", Asker::Moderator, &[]),
    ("getOverlayPresets", Asker::Moderator, &[]),
    ("putOverlayPresets", Asker::Editor, &[EntitlementRequired, Conflict]),
    ("listTokens", Asker::Streamer, &[]),
    ("createToken", Asker::Streamer, &[StepUpRequired, Conflict]),
    ("changeToken", Asker::Streamer, &[NotFound]),
    ("revokeToken", Asker::Streamer, &[NotFound, Conflict]),
    // The pages: a bad token gets a page, too.
    ("getOverlayPage", Asker::Anybody, &[]),
    ("streamOverlayEvents", Asker::TokenHolder, &[]),
    ("pollOverlayEvents", Asker::TokenHolder, &[]),
    ("getCreditsPage", Asker::Anybody, &[]),
    ("streamCreditsEvents", Asker::TokenHolder, &[]),
    ("pollCreditsEvents", Asker::TokenHolder, &[]),
    ("getCreditsToken", Asker::Streamer, &[]),
    ("rotateCreditsToken", Asker::Streamer, &[]),
    ("getCreditsState", Asker::Moderator, &[]),
    ("getCreditsSettings", Asker::Moderator, &[]),
    ("changeCreditsSettings", Asker::Editor, &[]),
    ("resetCredits", Asker::Editor, &[]),
    ("listBots", Asker::Moderator, &[FeatureNotAvailable]),
    ("getMyBotAccount", Asker::Moderator, &[FeatureNotAvailable]),
    (
        "startMyBotLink",
        Asker::Streamer,
        &[CsrfInvalid, StepUpRequired, OauthNotConfigured, OauthUnavailable, SubscriptionRequired, FeatureNotAvailable],
    ),
    ("removeMyBotAccount", Asker::Streamer, &[NotFound, FeatureNotAvailable]),
    ("getMyCustomBotEntitlement", Asker::Moderator, &[]),
    ("getDefaultBot", Asker::Admin, &[FeatureNotAvailable]),
    (
        "startDefaultBotLink",
        Asker::Admin,
        &[CsrfInvalid, StepUpRequired, OauthNotConfigured, OauthUnavailable, FeatureNotAvailable],
    ),
    ("removeDefaultBot", Asker::Admin, &[NotFound, FeatureNotAvailable]),
    (
        "switchBot",
        Asker::Streamer,
        &[TwitchChannelNotLinked, FeatureNotAvailable, OauthFailed, OauthNotConfigured, OauthUnavailable],
    ),
    ("listVkvideoCandidates", Asker::Streamer, &[OauthFailed, OauthNotConfigured, OauthUnavailable]),
    ("diagnoseBot", Asker::Moderator, &[FeatureNotAvailable]),
    ("say", Asker::Editor, &[BadRequest, BotDisabled, RequestInFlight, IdempotencyKeyReused, FeatureNotAvailable]),
    ("getOutboxMessage", Asker::Moderator, &[NotFound, FeatureNotAvailable]),
    ("listCommands", Asker::Moderator, &[FeatureNotAvailable]),
    ("createCommand", Asker::Editor, &[Conflict, RequestInFlight, IdempotencyKeyReused, FeatureNotAvailable]),
    ("changeCommand", Asker::Editor, &[NotFound, Conflict, FeatureNotAvailable]),
    ("deleteCommand", Asker::Editor, &[NotFound, FeatureNotAvailable]),
    ("listCounters", Asker::Moderator, &[FeatureNotAvailable]),
    ("setCounter", Asker::Editor, &[Conflict, FeatureNotAvailable]),
    ("deleteCounter", Asker::Editor, &[NotFound, FeatureNotAvailable]),
    ("getStreamDuration", Asker::Moderator, &[FeatureNotAvailable]),
    ("changeStreamDuration", Asker::Editor, &[Conflict, FeatureNotAvailable]),
    ("getBotSubscription", Asker::Moderator, &[FeatureNotAvailable]),
    ("enableBot", Asker::Streamer, &[TwitchChannelNotLinked, FeatureNotAvailable]),
    ("disableBot", Asker::Streamer, &[FeatureNotAvailable]),
    ("getFollowGreetings", Asker::Moderator, &[FeatureNotAvailable]),
    ("changeFollowGreetings", Asker::Editor, &[FeatureNotAvailable]),
    ("enableFollowGreetings", Asker::Editor, &[FeatureNotAvailable]),
    ("disableFollowGreetings", Asker::Editor, &[FeatureNotAvailable]),
    ("getAutomod", Asker::Moderator, &[FeatureNotAvailable]),
    ("changeAutomod", Asker::Editor, &[FeatureNotAvailable]),
    ("listAutomodActs", Asker::Moderator, &[FeatureNotAvailable]),
    ("listPermits", Asker::Moderator, &[FeatureNotAvailable]),
    ("createPermit", Asker::Editor, &[Conflict, RequestInFlight, IdempotencyKeyReused, FeatureNotAvailable]),
    ("deletePermit", Asker::Editor, &[NotFound, FeatureNotAvailable]),
    ("listTimers", Asker::Moderator, &[FeatureNotAvailable]),
    ("createTimer", Asker::Editor, &[Conflict, RequestInFlight, IdempotencyKeyReused, FeatureNotAvailable]),
    ("changeTimer", Asker::Editor, &[NotFound, FeatureNotAvailable]),
    ("deleteTimer", Asker::Editor, &[NotFound, FeatureNotAvailable]),
    ("streamChannelEvents", Asker::Anybody, &[ChannelNotFound]),
    ("streamStreamerEvents", Asker::Moderator, &[]),
    ("streamMessages", Asker::Moderator, &[]),
    ("streamMyEvents", Asker::Viewer, &[]),
];

/// Whom the operation serves; none for an operation that has no line here.
pub(crate) fn asker(operation: &str) -> Option<Asker> {
    OPERATIONS.iter().find(|(name, ..)| *name == operation).map(|(_, asker, _)| *asker)
}

/// All that the operation may fail with; none for an operation that has no line here.
pub(crate) fn of(operation: &str, form: Form) -> Option<Vec<ErrorCode>> {
    let (_, asker, own) = OPERATIONS.iter().find(|(name, ..)| *name == operation)?;
    let mut codes = Vec::new();
    // What changes something takes no parameters that it does not know.
    if form.parameters || form.body || form.changes {
        codes.push(ValidationError);
    }
    if form.parameters {
        codes.push(UriTooLong);
    }
    codes.extend_from_slice(asker.refusals());
    if form.changes {
        codes.push(CsrfInvalid);
    }
    if form.body {
        codes.extend([Timeout, LengthRequired, FileTooLarge, UnsupportedMediaType]);
    }
    codes.extend_from_slice(own);
    if form.budgeted {
        codes.push(TooManyRequests);
    }
    codes.extend([RateLimited, InternalError, ServiceUnavailable]);
    let mut seen = Vec::with_capacity(codes.len());
    codes.retain(|code| {
        !seen.contains(code) && {
            seen.push(*code);
            true
        }
    });
    Some(codes)
}

/// The status that a code comes with, and what `detail` may say.
pub(crate) const fn meaning(code: ErrorCode) -> (u16, &'static str) {
    match code {
        BadRequest => (400, "the form cannot be read: it ends halfway"),
        ValidationError => (400, "limit: 1 to 200"),
        InvalidFileContent => (400, "file: the file's content is not what its content type says"),
        ContentBlocked => (403, "file: the same is blocked here"),
        InvalidFileType => (400, "file: files of this content type are not taken"),
        InvalidMediaUrl => (400, "url: it does not begin with https://"),
        InvalidMediaType => (400, "file: a file of this content type cannot be a meme of this type"),
        InvalidTitle => (400, "title: a title has at most 200 characters"),
        MissingChannelId => (400, "channelId: it is missing, and you have no channel"),
        BotDisabled => (400, "the bot of twitch is not enabled"),
        TwitchChannelNotLinked => (400, "link the channel to a Twitch account first"),
        Unauthorized => (401, "log in first: no session, or one that is no longer good"),
        CredentialsInvalid => (401, "the name or the password is wrong"),
        CodeRequired => (401, "the account asks for a code, too"),
        CodeInvalid => (401, "the code is wrong or was used before"),
        StepUpRequired => (403, "prove that it is you: POST /auth/step-up, or log in again"),
        CodesUnreadable => (
            409,
            "codes of the app cannot be checked here any more: use a recovery code, or ask an admin to switch the codes off",
        ),
        UsernameTaken => (409, "the username is taken"),
        EmailTaken => (409, "the e-mail address is taken"),
        SessionExpired => (401, "the session is over, log in again"),
        InsufficientCoins => (402, "the wallet holds 40 coins, 100 are needed"),
        Forbidden => (403, "this needs the role streamer, yours is viewer"),
        SecondAdminRequired => (403, "another admin must agree, not the one who asked"),
        EntitlementRequired => (403, "this needs the entitlement more_presets"),
        SubscriptionRequired => (403, "this needs the entitlement custom_bot"),
        AccountBanned => (403, "the account is banned"),
        AccountDeleted => (403, "the account is being deleted"),
        CsrfInvalid => (403, "the request comes from another site"),
        SubmissionsDisabled => (403, "the channel takes no submissions right now"),
        BannedFromChannel => (403, "the channel's team has banned you from its memes"),
        SubmissionsOffline => (403, "the channel takes submissions only while its streamer is live"),
        NotFound => (404, "there is no such thing"),
        ChannelNotFound => (404, "there is no such channel"),
        MemeAssetNotFound => (404, "there is no such asset"),
        MemeNotFound => (404, "there is no such meme"),
        ActivationNotFound => (404, "there is no such activation"),
        SubmissionNotFound => (404, "you have no such submission"),
        MediaNotAvailable => (404, "the file is not available any more"),
        FeatureNotAvailable => (404, "the bot of this platform is not available yet"),
        MethodNotAllowed => (405, "method not allowed"),
        Timeout => (408, "the body comes too slowly: it is awaited for 15 s, and an upload comes with 1 KiB a second"),
        AlreadyInChannel => (409, "the channel shows it already"),
        Conflict => (409, "what is there now does not allow it"),
        AssetPurgedOrQuarantined => (409, "the house has taken this file out of sight"),
        IntakePaused => (409, "the streamer takes no activations right now"),
        NoOverlay => (409, "no overlay is connected, and the channel takes nothing that nobody would see"),
        SubmissionNotPending => (409, "it is decided already: the submission is approved"),
        MemeOnCooldown => (409, "it was played a moment ago, it may be played again in 27 s"),
        MemePlayedOut => (409, "it is played at most 3 times in one stream"),
        ActivationNotQueued => (409, "the activation is playing, only a waiting one can be taken back"),
        StalePlay => (409, "the play 17 is over or another one: the activation is done"),
        RequestInFlight => (409, "a request with this Idempotency-Key is still being worked on, ask again"),
        LengthRequired => (411, "say the body's length: Content-Length"),
        UriTooLong => (414, "an address has at most 8192 bytes"),
        FileTooLarge => (413, "a body has at most 1048576 bytes here"),
        VideoTooLong => (413, "the file plays for longer than 15000 ms"),
        UnsupportedMediaType => (415, "Content-Type: application/json is taken, not \"text/plain\""),
        LinkInvalid => (400, "the link is unknown, used or too old: ask for a new one"),
        OauthStateMismatch => (400, "no login is under way with this state in this browser: begin anew"),
        OauthFailed => (400, "the platform does not confirm this login: begin anew"),
        YoutubeChannelRequired => (400, "this account has no YouTube channel: make one first"),
        AccountAlreadyLinked => (409, "this account belongs to somebody else here"),
        LastAccount => (409, "without this account you could never log in again: link another one first"),
        OauthNotConfigured => (503, "this platform is not set up here: TWITCH_CLIENT_ID is not set"),
        MailNotConfigured => (503, "no mails are sent from here: SMTP_URL is not set"),
        OauthUnavailable => (503, "the platform does not answer as it should: begin anew in a while"),
        RangeNotSatisfiable => (416, "Range: the file has 1048576 bytes"),
        IdempotencyKeyReused => (422, "Idempotency-Key: it was used for another request before"),
        RateLimited => (429, "too many requests: 100 in 60 s are allowed, come again in 17 s"),
        TooManyRequests => (429, "too many requests: 1 in 3 s are allowed, come again in 2 s"),
        InternalError => (500, "something broke on our side"),
        ServiceUnavailable => (503, "the database cannot be reached right now, try again"),
        UploadFailed => (503, "the file could not be worked on, try again"),
        UploadTimeout => (503, "working on the file took too long, try again"),
        StorageFull => (507, "there is no room for files right now, try again later"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_yaml_ng::Value;

    use super::*;
    use crate::spec;

    /// Of the document: each operation with whether it asks for a session.
    fn operations() -> BTreeMap<String, bool> {
        let document: Value = serde_yaml_ng::from_str(&spec::spec_yaml()).unwrap();
        let paths = document["paths"].as_mapping().unwrap();
        let operations = paths.values().flat_map(|path| path.as_mapping().unwrap().values());
        operations
            .map(|operation| {
                (
                    operation["operationId"].as_str().unwrap().to_owned(),
                    !operation["security"].as_sequence().is_none_or(Vec::is_empty),
                )
            })
            .collect()
    }

    #[test]
    fn each_operation_has_its_line_and_no_line_is_of_nothing() {
        let lines: BTreeMap<String, bool> = OPERATIONS
            .iter()
            .map(|(name, asker, _)| {
                let session = !matches!(asker, Asker::Anybody | Asker::TokenHolder | Asker::Credentials);
                (name.to_string(), session)
            })
            .collect();
        assert_eq!(
            lines,
            operations(),
            "left: lines, and whether they are for people with a session; right: operations"
        );
        assert_eq!(lines.len(), OPERATIONS.len(), "a line stands twice");
    }
}
