//! Tell one instance about one chatter.
//!
//! The other side applies an event once by its id (the sighting's), so a request whose answer was lost is simply sent
//! again.

use std::{sync::Arc, time::Duration};

use domain::credits::{
    self, RelayChatter, Sighting,
    signature::{
        self, EVENT_HEADER, INTERNAL_HEADER, INTERNAL_VALUE, InternalSecret, SIGNATURE_HEADER, TIMESTAMP_HEADER,
    },
};
use metrics::counter;
use queue::{Ctx, JobError, Outcome, Verdict};
use reqwest::{Client, Response, StatusCode, header::RETRY_AFTER, redirect};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::telemetry;

/// The request's way to an instance.
pub(crate) struct Relay {
    client: Client,
    secret: InternalSecret,
}

/// The wire's body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    channel_slug: &'a str,
    user_id: &'a str,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar_url: Option<&'a str>,
}

/// What we read of a problem.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    error_code: String,
}

impl Relay {
    pub(crate) fn new(secret: InternalSecret) -> reqwest::Result<Self> {
        // Targets are instances on this machine: no proxy, and nobody sends us elsewhere.
        let client =
            Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(Duration::from_secs(10)).build()?;
        Ok(Self { client, secret })
    }

    async fn post(&self, target: &str, sighting: &Sighting) -> Result<Response, JobError> {
        let body = Body {
            channel_slug: &sighting.channel_slug,
            user_id: &sighting.user_id,
            display_name: &sighting.display_name,
            avatar_url: sighting.avatar_url.as_deref(),
        };
        let body = serde_json::to_vec(&body).map_err(JobError::discard)?;
        let event = sighting.id.to_string();
        let timestamp = OffsetDateTime::now_utc().unix_timestamp();
        self.client
            .post(format!("{}/internal/credits/chatter", target.trim_end_matches('/')))
            .header("content-type", "application/json")
            .header(INTERNAL_HEADER, INTERNAL_VALUE)
            .header(EVENT_HEADER, &event)
            .header(TIMESTAMP_HEADER, timestamp)
            .header(SIGNATURE_HEADER, signature::sign(&self.secret, timestamp, &event, &body))
            .body(body)
            .send()
            .await
            .map_err(|error| JobError::retry(error.without_url()))
    }
}

pub(crate) async fn handle(ctx: Ctx, job: RelayChatter, relay: Arc<Relay>) -> Outcome {
    let mut conn = ctx.db().pool().acquire().await?;
    let Some(sighting) = credits::sighting(&mut conn, job.sighting_id).await? else {
        return Ok(Verdict::Cancel("the sighting is gone".into()));
    };
    // The other side may take seconds; the connection is for others meanwhile.
    drop(conn);
    let outcome = match relay.post(&job.target, &sighting).await {
        Ok(response) => judge(response).await,
        Err(error) => Err(error),
    };
    fail::fail_point!("credits::relay::after");
    let result = match &outcome {
        Ok(Verdict::Done) => "delivered",
        Ok(_) => "unknown_channel",
        Err(_) => "failed",
    };
    counter!(telemetry::RELAYS, "result" => result).increment(1);
    outcome
}

async fn judge(response: Response) -> Outcome {
    let status = response.status();
    if status.is_success() {
        return Ok(Verdict::Done);
    }
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let code = response.json::<Problem>().await.map_or_else(|_| String::new(), |problem| problem.error_code);
    let reason = format!("the instance answered {status} {code}");
    match (status, code.as_str(), after) {
        // It knows us, and not the channel: the streamer is not there.
        (StatusCode::NOT_FOUND, "CHANNEL_NOT_FOUND", _) => Ok(Verdict::Cancel("no such channel there".into())),
        (_, _, Some(seconds)) => Err(JobError::RetryAfter(Duration::from_secs(seconds.min(3600)), reason)),
        // Also 404: that is how it answers a secret that is not its own, which somebody will mend.
        _ => Err(JobError::Retry(reason)),
    }
}
