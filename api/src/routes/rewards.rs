//! Coins for what viewers do on platforms.

use std::time::Duration;

use domain::{
    channels::{self, AskStanding},
    identities::Provider,
    rewards,
};
use poem::{http::StatusCode, web::Data};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Group, acts::on_thing};
use crate::{
    app::App,
    auth::{Editor, Moderator},
    paging::{Leaf, Leafed},
    problem::{ErrorCode, Problem},
    views::rewards::{EligibilityView, HappeningView, NewRewardRule, RewardRulePatch, RewardRuleView},
};

pub(crate) struct Rewards;

/// Seconds for which Twitch is not asked again how far a channel has come.
const STANDING_KNOWN: i32 = 60;
/// How long a request waits for Twitch's answer, and how often it looks.
const STANDING_PATIENCE: Duration = Duration::from_secs(5);
const STANDING_LOOK: Duration = Duration::from_millis(50);

/// The answer to a removal.
#[derive(ApiResponse)]
pub(crate) enum RuleEnded {
    /// It gives nothing any more; what it gave stays given.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Streamer")]
impl Rewards {
    /// May my channel have rewards for channel points?
    ///
    /// Twitch lets affiliates and partners have them. It is asked now, or was within the last minute; while it does not answer,
    /// 503.
    #[oai(path = "/streamer/twitch/reward/eligibility", method = "get", operation_id = "rewardEligibility")]
    async fn eligibility(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<EligibilityView>, Problem> {
        let channel = streamer.channel.id;
        let mut conn = app.db.pool().acquire().await?;
        let Some((account, _)) = channels::own_account(&mut conn, channel, Provider::Twitch).await? else {
            return Ok(Json(EligibilityView::of(None)));
        };
        if let Some(standing) = channels::standing(&mut conn, channel, &account, STANDING_KNOWN).await? {
            return Ok(Json(EligibilityView::of(Some(standing))));
        }
        drop(conn);
        let mut tx = app.db.begin().await?;
        queue::enqueue(&mut tx, &AskStanding { channel_id: channel, account: account.clone() }).await?;
        tx.commit().await?;
        let deadline = Instant::now() + STANDING_PATIENCE;
        while Instant::now() < deadline {
            sleep(STANDING_LOOK).await;
            let mut conn = app.db.pool().acquire().await?;
            if let Some(standing) = channels::standing(&mut conn, channel, &account, STANDING_KNOWN).await? {
                return Ok(Json(EligibilityView::of(Some(standing))));
            }
        }
        let detail = "Twitch has not answered yet, try again in a moment";
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ServiceUnavailable, detail))
    }

    /// What earns coins
    ///
    /// The rules of my channel, by what they are for.
    #[oai(path = "/streamer/rewards", method = "get", operation_id = "listRewardRules")]
    async fn list(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<Vec<RewardRuleView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let rules = rewards::list(&mut conn, streamer.channel.id).await?;
        Ok(Json(rules.into_iter().map(Into::into).collect()))
    }

    /// Let something earn coins
    ///
    /// From now on, whoever does it on the platform gets coins, once for each time; people who have never been here get them at
    /// their first login with that account. 409 when there is a rule for it already; a channel has at most a hundred.
    #[oai(path = "/streamer/rewards", method = "post", operation_id = "createRewardRule")]
    async fn create(
        &self,
        app: Data<&App>,
        streamer: Editor,
        wish: Json<NewRewardRule>,
    ) -> Result<Json<RewardRuleView>, Problem> {
        let mut tx = app.db.begin().await?;
        let rule = rewards::create(&mut tx, streamer.channel.id, &wish.0.into()).await?;
        on_thing(&mut tx, &streamer, "create_reward_rule", rule.id, None, Some(RewardRuleView::from(rule.clone())))
            .await?;
        tx.commit().await?;
        Ok(Json(rule.into()))
    }

    /// Change what something earns
    ///
    /// For what happens from now on.
    #[oai(path = "/streamer/rewards/:id", method = "patch", operation_id = "changeRewardRule")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The rule's id.
        id: Path<Uuid>,
        patch: Json<RewardRulePatch>,
    ) -> Result<Json<RewardRuleView>, Problem> {
        let mut tx = app.db.begin().await?;
        let (before, after) = rewards::change(&mut tx, streamer.channel.id, id.0, patch.0.into()).await?;
        let (old, new) = (RewardRuleView::from(before), RewardRuleView::from(after.clone()));
        on_thing(&mut tx, &streamer, "change_reward_rule", after.id, Some(old), Some(new)).await?;
        tx.commit().await?;
        Ok(Json(after.into()))
    }

    /// Let something earn nothing any more
    #[oai(path = "/streamer/rewards/:id", method = "delete", operation_id = "deleteRewardRule")]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Editor,
        /// The rule's id.
        id: Path<Uuid>,
    ) -> Result<RuleEnded, Problem> {
        let mut tx = app.db.begin().await?;
        let before = rewards::delete(&mut tx, streamer.channel.id, id.0).await?;
        on_thing(&mut tx, &streamer, "delete_reward_rule", before.id, Some(RewardRuleView::from(before)), None).await?;
        tx.commit().await?;
        Ok(RuleEnded::Done)
    }

    /// What has earned coins
    ///
    /// What platforms told of my channel and what came of it, the newest first.
    #[oai(path = "/streamer/reward-events", method = "get", operation_id = "listRewardEvents")]
    async fn events(
        &self,
        app: Data<&App>,
        streamer: Moderator,
        /// `X-Next-Cursor` of the page before.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Leafed<HappeningView>, Problem> {
        let leaf = Leaf::new(limit.0, None, cursor.0.as_deref(), |_: &Uuid| true)?;
        let mut conn = app.db.pool().acquire().await?;
        let found = rewards::happenings(&mut conn, streamer.channel.id, leaf.after, leaf.asked()).await?;
        leaf.turn(found, |happening| happening.id, HappeningView::from)
    }
}
