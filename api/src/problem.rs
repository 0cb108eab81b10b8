//! The one error body: `application/problem+json` (RFC 9457) with a closed `errorCode`.

use std::{io::ErrorKind, time::Duration};

use poem::{
    Body, IntoResponse, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Enum, Object,
    registry::{MetaResponses, Registry},
    types::{ToJSON, Type},
};
use serde_json::{Map, Value};

use crate::{again::Sacrificed, telemetry};

/// Seconds after which what was unavailable is worth another try.
const RETRY_AFTER: u64 = 1;
/// The same where somebody has to make room first.
const FULL: u64 = 60;

/// Characters that are repeated of the path that was asked for.
const LONGEST_PATH: usize = 100;

/// What went wrong, from a closed list that clients may switch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ErrorCode {
    BadRequest,
    ValidationError,
    UriTooLong,
    Unauthorized,
    SessionExpired,
    AccountBanned,
    AccountDeleted,
    CredentialsInvalid,
    CodeRequired,
    CodeInvalid,
    CodesUnreadable,
    StepUpRequired,
    UsernameTaken,
    EmailTaken,
    Forbidden,
    CsrfInvalid,
    NotFound,
    MethodNotAllowed,
    LengthRequired,
    UnsupportedMediaType,
    Conflict,
    RateLimited,
    TooManyRequests,
    Timeout,
    InternalError,
    ServiceUnavailable,
    ChannelNotFound,
    MemeNotFound,
    ActivationNotFound,
    InsufficientCoins,
    MemeOnCooldown,
    MemePlayedOut,
    IntakePaused,
    ActivationNotQueued,
    StalePlay,
    IdempotencyKeyReused,
    RequestInFlight,
    FileTooLarge,
    ContentBlocked,
    BannedFromChannel,
    InvalidFileContent,
    InvalidFileType,
    InvalidMediaType,
    InvalidMediaUrl,
    InvalidTitle,
    VideoTooLong,
    UploadFailed,
    UploadTimeout,
    MissingChannelId,
    MemeAssetNotFound,
    AlreadyInChannel,
    AssetPurgedOrQuarantined,
    SubmissionNotFound,
    SubmissionNotPending,
    SubmissionsDisabled,
    SubmissionsOffline,
    BotDisabled,
    FeatureNotAvailable,
    TwitchChannelNotLinked,
    RangeNotSatisfiable,
    MediaNotAvailable,
    StorageFull,
    OauthStateMismatch,
    OauthFailed,
    OauthNotConfigured,
    OauthUnavailable,
    AccountAlreadyLinked,
    LastAccount,
    YoutubeChannelRequired,
    LinkInvalid,
    MailNotConfigured,
    SecondAdminRequired,
    EntitlementRequired,
    SubscriptionRequired,
    NoOverlay,
}

/// One thing that is wrong with a body.
#[derive(Debug, Clone, Object)]
pub(crate) struct Fault {
    /// Names and numbers that lead to it, e.g. `items[2].title`; `the body` for the whole.
    pub(crate) field: String,
    /// What is wrong there, and what is allowed.
    pub(crate) detail: String,
}

/// The body of every error.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ProblemBody {
    /// Always `about:blank`: the `errorCode` says what happened.
    #[oai(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong and where, for a person.
    detail: String,
    /// The path that was asked for, the first 100 characters of it.
    instance: String,
    // Described at the enum: a description here becomes an `allOf` that generators of clients cannot read.
    error_code: ErrorCode,
    /// The same as `detail`, for old clients.
    error: String,
    /// Names this request in our logs.
    request_id: String,
    /// Names the trace that this request belongs to.
    trace_id: String,
    /// Of a body that is not of the form that the operation takes: all that is wrong with it, at most 20; `detail` is the
    /// first.
    errors: Option<Vec<Fault>>,
}

/// An error on its way to the client. Further members (`balance`, `enabledProviders`, ...) stand beside the fixed ones.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: ErrorCode,
    detail: String,
    faults: Option<Vec<Fault>>,
    extra: Map<String, Value>,
    sacrificed: bool,
    /// Seconds after which it is worth another try, where that is known.
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            faults: None,
            extra: Map::new(),
            sacrificed: false,
            retry_after: None,
        }
    }

    /// Adds a member to the body.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// A member of the body that was added, if it is text.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        self.extra.get(name)?.as_str()
    }

    pub(crate) fn is(&self, code: ErrorCode) -> bool {
        self.code == code
    }

    /// All that is wrong with a body, at least one thing; `detail` is the first of it.
    pub(crate) fn of_faults(faults: Vec<Fault>) -> Self {
        let detail = faults.first().map(|Fault { field, detail }| format!("{field}: {detail}")).unwrap_or_default();
        Self { faults: Some(faults), ..Self::bad_request(ErrorCode::ValidationError, detail) }
    }

    pub(crate) fn bad_request(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, detail)
    }

    /// Not before this long.
    pub(crate) fn too_often(wait: Duration, detail: &str) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            format!("{detail}, come again in {seconds} s"),
        );
        Self { retry_after: Some(seconds), ..problem }
    }

    /// It is worth another try after these seconds.
    pub(crate) fn again_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn not_found(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub(crate) fn conflict(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// Our own fault: the cause goes to the log, once, here; the client gets the request's id to ask with.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        let ids = telemetry::current();
        tracing::error!(requestId = ids.request_id, traceId = ids.trace_id, cause = %cause, "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::InternalError, "something broke on our side")
    }

    /// The store of files refused: it is full, or away. Somebody must look, and the client may come again.
    pub(crate) fn storage(error: &std::io::Error) -> Self {
        let ids = telemetry::current();
        tracing::error!(requestId = ids.request_id, traceId = ids.trace_id, cause = %error, "the store of files refused");
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                let detail = "there is no room for files right now, try again later";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::StorageFull, detail).again_after(FULL)
            }
            _ => {
                let detail = "files cannot be kept or read right now, try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail)
            }
        }
    }

    /// A row says that there is a file, and the store has none. Somebody must look; the client finds it gone.
    pub(crate) fn missing_file(hash: impl std::fmt::Display) -> Self {
        let ids = telemetry::current();
        tracing::error!(requestId = ids.request_id, traceId = ids.trace_id, file = %hash, "a file is missing in the store");
        Self::not_found(ErrorCode::MediaNotAvailable, "the file is not available any more")
    }

    /// The `errorCode` in lower case, for addresses.
    pub(crate) fn word(&self) -> String {
        self.code.to_json_string().trim_matches('"').to_lowercase()
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// PostgreSQL ended the transaction in favour of others: it is worth another try at once.
    pub(crate) fn is_sacrificed(&self) -> bool {
        self.sacrificed
    }

    /// The body as it goes over the wire.
    pub(crate) fn body(&self) -> String {
        let mut json = ProblemBody::from(self).to_json().unwrap_or_default();
        if let Value::Object(members) = &mut json {
            members.extend(self.extra.clone());
        }
        json.to_string()
    }

    /// The answer that an error makes, be it a problem already or the framework's.
    pub(crate) fn answer_to(error: poem::Error) -> Response {
        if error.is_from_response() { error.into_response() } else { Self::from_framework(&error).into_response() }
    }

    /// The problem that an error of the framework stands for (path unknown, body not JSON, parameter out of range, ...).
    pub(crate) fn from_framework(error: &poem::Error) -> Self {
        let status = error.status();
        let code = match status {
            StatusCode::NOT_FOUND => ErrorCode::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
            StatusCode::UNAUTHORIZED => ErrorCode::Unauthorized,
            StatusCode::FORBIDDEN => ErrorCode::Forbidden,
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::FileTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
            status if status.is_server_error() => return Self::internal(error),
            _ => ErrorCode::ValidationError,
        };
        Self::new(status, code, error.to_string())
    }
}

/// The fixed members, with the ids of the request that is being served.
impl From<&Problem> for ProblemBody {
    fn from(problem: &Problem) -> Self {
        let ids = telemetry::current();
        Self {
            kind: "about:blank".to_owned(),
            title: problem.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: problem.status.as_u16(),
            detail: problem.detail.clone(),
            instance: shortened(ids.path),
            error_code: problem.code,
            error: problem.detail.clone(),
            request_id: ids.request_id,
            trace_id: ids.trace_id,
            errors: problem.faults.clone(),
        }
    }
}

/// The path, of which nobody needs more to know it again.
fn shortened(mut path: String) -> String {
    if let Some((end, _)) = path.char_indices().nth(LONGEST_PATH) {
        path.truncate(end);
        path.push('…');
    }
    path
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status).content_type("application/problem+json");
        // What an operator has to mend is not mended by asking again.
        let passes = self.status == StatusCode::SERVICE_UNAVAILABLE
            && !matches!(self.code, ErrorCode::OauthNotConfigured | ErrorCode::MailNotConfigured);
        let retry_after = self.retry_after.or(passes.then_some(RETRY_AFTER));
        if let Some(seconds) = retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        let mut response = response.body(Body::from_string(self.body()));
        // For the log of what concerns security.
        response.set_data(self.code);
        response
    }
}

impl From<Problem> for poem::Error {
    fn from(problem: Problem) -> Self {
        let (sacrificed, code) = (problem.sacrificed, problem.code);
        let mut error = Self::from_response(problem.into_response());
        // An error has data of its own, in the place of its answer's.
        error.set_data(code);
        if sacrificed {
            error.set_data(Sacrificed);
        }
        error
    }
}

/// The database is the usual suspect: no connection in time is "come again", the rest is our fault, but for what PostgreSQL
/// names by its SQLSTATE.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let unavailable = |detail| Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail);
        if matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed) {
            return absent(&error);
        }
        let state = error.as_database_error().and_then(|error| error.code());
        match state.as_deref().unwrap_or_default() {
            // It is being stopped, has crashed, or has no room for us.
            state if state.starts_with("57P") || state == "53300" => absent(&error),
            // A deadlock, or a conflict of serializable transactions, of which this one was the victim.
            "40P01" | "40001" => Self { sacrificed: true, ..unavailable("too many at once want the same, try again") },
            // The transaction waited for a lock for as long as it may.
            "55P03" => unavailable("somebody else works on the same for too long, try again"),
            // A row of somebody who has asked to be forgotten meanwhile: the tables refuse it (`refuse_forgotten`).
            "MAF01" => Self::unauthorized("the account, or the channel's, is being deleted"),
            // The tables of bots are not there yet: this build runs before its migrations (seed 001, "P2021").
            "42P01" if telemetry::current().path.starts_with("/streamer/bot") => {
                tracing::error!(cause = %error, "the database is behind this build: memalerts migrate");
                Self::not_found(ErrorCode::FeatureNotAvailable, "bots are not available here yet")
            }
            // PostgreSQL's text and JSON hold every character but NUL.
            "22021" | "22P05" => {
                Self::bad_request(ErrorCode::ValidationError, "a text has a NUL character in it, which cannot be kept")
            }
            _ => Self::internal(format!("database: {error}")),
        }
    }
}

/// No connection could be had, or it went away.
fn absent(cause: &sqlx::Error) -> Problem {
    let ids = telemetry::current();
    tracing::warn!(requestId = ids.request_id, traceId = ids.trace_id, %cause, "the database cannot be reached");
    let detail = "the database cannot be reached right now, try again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail)
}

impl From<queue::EnqueueError> for Problem {
    fn from(error: queue::EnqueueError) -> Self {
        match error {
            queue::EnqueueError::Database(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

/// What an operation may fail with depends on the operation: `problems/promised.rs` says it, and `spec.rs` writes it down.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![] }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}
