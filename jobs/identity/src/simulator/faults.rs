//! What can go wrong on order, each with the next request that it fits.

use serde::{Deserialize, Serialize};

/// Where a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Authorize,
    /// Codes and refresh tokens for tokens.
    Token,
    /// Refresh tokens only.
    Renewal,
    Profile,
    Revoke,
    Validate,
    Proof,
    Discovery,
    Keys,
    /// Twitch's API.
    Helix,
    /// Its door for messages.
    Saying,
}

/// A misbehaviour, as `POST /faults` takes it: `{"provider":"twitch","fault":"token_status","status":500}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The person said no.
    Deny,
    /// The platform has a trouble of its own: `error=server_error`.
    AuthorizeError,
    DropState,
    ChangeState,
    DropCode,
    /// A code that the platform never gave.
    ForgeCode,
    /// It names another platform as the sender (RFC 9207).
    NameAnother,
    /// It names nobody, though it said it would.
    NameNobody,
    TokenStatus {
        status: u16,
    },
    /// `invalid_grant`
    TokenRefuse,
    /// `invalid_client`
    TokenRefuseClient,
    TokenHtml,
    TokenEmpty,
    TokenNull,
    TokenNumber,
    TokenLineBreak,
    TokenOfOtherType,
    TokenHuge,
    TokenRedirect,
    TokenHangUp,
    /// Answers once it is told to.
    TokenHold,
    RenewalStatus {
        status: u16,
    },
    RenewalRefuse,
    RenewalRefuseClient,
    RenewalHtml,
    RevokeStatus {
        status: u16,
    },
    ValidateStatus {
        status: u16,
    },
    ProfileStatus {
        status: u16,
    },
    ProfileHtml,
    ProfileHuge,
    ProfileEmpty,
    ProfileWithoutId,
    ProfileEmptyId,
    /// Two people at once.
    ProfileOfTwo,
    /// Somebody else than the token is of.
    ProfileOfAnother,
    /// Names that nobody should have to read.
    ProfileStrangeNames,
    ProfileHangUp,
    ProofMissing,
    ProofGarbage,
    ProofTruncated,
    ProofUnsigned,
    /// HS256 under the client's secret.
    ProofOfSecret,
    /// HS256 under the platform's public key.
    ProofOfPublicKey,
    /// Another key under the platform's key's name.
    ProofOfForeignKey,
    /// A key that is nowhere published.
    ProofOfUnknownKey,
    /// A key within the token itself, and an address of one.
    ProofWithOwnKey,
    ProofOtherNonce,
    ProofNoNonce,
    ProofOtherAudience,
    ProofManyAudiences,
    ProofOtherParty,
    ProofOtherIssuer,
    ProofOver,
    ProofWithoutEnd,
    ProofFromFuture,
    ProofNotYet,
    ProofNoSubject,
    ProofEmptySubject,
    ProofNumberSubject,
    /// As many do it who tell names elsewhere; no fault by itself.
    ProofWithoutNames,
    /// `sub` and `nonce` stand twice.
    ProofTwice,
    DiscoveryStatus {
        status: u16,
    },
    DiscoveryHtml,
    DiscoveryOtherIssuer,
    /// The token endpoint is said to be in a private network.
    DiscoveryPrivate,
    /// It is said to be without TLS elsewhere.
    DiscoveryPlain,
    KeysStatus {
        status: u16,
    },
    KeysEmpty,
    HelixStatus {
        status: u16,
    },
    /// 429; with the moment at which it is over, so many seconds from now, or without.
    HelixLimited {
        reset: Option<i64>,
    },
    /// No answer at all.
    HelixHang,
    /// Hangs up before anything is done.
    HelixHangUp,
    /// Does it, and hangs up instead of saying so.
    HelixLost,
    /// JSON that breaks off, with fields of other kinds.
    HelixJunk,
    HelixHuge,
    /// The token is over from now on.
    HelixExpired,
    /// The message is dropped with this code.
    HelixDrop {
        code: String,
    },
}

impl Fault {
    pub(super) fn door(&self) -> Door {
        use Fault as F;
        match self {
            F::Deny
            | F::AuthorizeError
            | F::DropState
            | F::ChangeState
            | F::DropCode
            | F::ForgeCode
            | F::NameAnother
            | F::NameNobody => Door::Authorize,
            F::TokenStatus { .. }
            | F::TokenRefuse
            | F::TokenRefuseClient
            | F::TokenHtml
            | F::TokenEmpty
            | F::TokenNull
            | F::TokenNumber
            | F::TokenLineBreak
            | F::TokenOfOtherType
            | F::TokenHuge
            | F::TokenRedirect
            | F::TokenHangUp
            | F::TokenHold => Door::Token,
            F::RenewalStatus { .. } | F::RenewalRefuse | F::RenewalRefuseClient | F::RenewalHtml => Door::Renewal,
            F::ProfileStatus { .. }
            | F::ProfileHtml
            | F::ProfileHuge
            | F::ProfileEmpty
            | F::ProfileWithoutId
            | F::ProfileEmptyId
            | F::ProfileOfTwo
            | F::ProfileOfAnother
            | F::ProfileStrangeNames
            | F::ProfileHangUp => Door::Profile,
            F::RevokeStatus { .. } => Door::Revoke,
            F::ValidateStatus { .. } => Door::Validate,
            F::DiscoveryStatus { .. }
            | F::DiscoveryHtml
            | F::DiscoveryOtherIssuer
            | F::DiscoveryPrivate
            | F::DiscoveryPlain => Door::Discovery,
            F::KeysStatus { .. } | F::KeysEmpty => Door::Keys,
            F::HelixStatus { .. }
            | F::HelixLimited { .. }
            | F::HelixHang
            | F::HelixHangUp
            | F::HelixJunk
            | F::HelixHuge
            | F::HelixExpired => Door::Helix,
            F::HelixLost | F::HelixDrop { .. } => Door::Saying,
            _ => Door::Proof,
        }
    }
}
