//! A channel's team.

use domain::{
    accounts,
    channels::{self, Channel},
    mails::Kind,
    teams::{self, Place, TeamRole},
};
use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};

use super::{Group, acts::by, mails::inform};
use crate::{
    app::App,
    auth::{Moderator, Streamer, Viewer, proof},
    problem::Problem,
    views::teams::{MemberView, MyChannelView, NewMember},
};

pub(crate) struct Teams;

/// The answer to an end of a membership.
#[derive(ApiResponse)]
pub(crate) enum Gone {
    /// No longer in the team.
    #[oai(status = 204)]
    Done,
}

#[OpenApi]
impl Teams {
    /// The team
    ///
    /// Who besides the owner may act on the channel, by login.
    #[oai(path = "/streamer/team", method = "get", operation_id = "listTeam", tag = "Group::Streamer")]
    async fn list(&self, app: Data<&App>, streamer: Moderator) -> Result<Json<Vec<MemberView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let team = teams::list(&mut conn, streamer.channel.id).await?;
        Ok(Json(team.into_iter().map(Into::into).collect()))
    }

    /// Take somebody into the team
    ///
    /// Or give somebody in it another role; the person is told by mail. At most 100 people. Whoever is in it acts on the channel:
    /// that needs a fresh proof.
    #[oai(path = "/streamer/team/:login", method = "put", operation_id = "putTeamMember", tag = "Group::Streamer")]
    async fn put(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The person's login.
        login: Path<String>,
        wish: Json<NewMember>,
    ) -> Result<Json<MemberView>, Problem> {
        proof::lately(&app, streamer.session).await?;
        let mut tx = app.db.begin().await?;
        let by = by(&streamer.user);
        let role = TeamRole::from(wish.role);
        let (member, is_news) = teams::put(&mut tx, &by, &streamer.user, &streamer.channel, &login.0, role).await?;
        if is_news {
            let details = format!("{}, {}", streamer.channel.slug, role.as_str());
            inform(&app, &mut tx, member.user_id, Kind::TeamRoleGiven, Some(&details)).await?;
        }
        tx.commit().await?;
        Ok(Json(member.into()))
    }

    /// Take somebody out of the team
    ///
    /// From the next request on; an open event stream of theirs ends within seconds. The person is told by mail.
    #[oai(
        path = "/streamer/team/:login",
        method = "delete",
        operation_id = "removeTeamMember",
        tag = "Group::Streamer"
    )]
    async fn remove(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The person's login.
        login: Path<String>,
    ) -> Result<Gone, Problem> {
        let mut tx = app.db.begin().await?;
        let gone = teams::remove(&mut tx, &by(&streamer.user), &streamer.channel, &login.0).await?;
        inform(&app, &mut tx, gone.id, Kind::TeamRoleTaken, Some(&streamer.channel.slug)).await?;
        tx.commit().await?;
        Ok(Gone::Done)
    }

    /// Channels that I may act on
    ///
    /// My own first, then those in whose teams I am, by slug. `?channel=<slug>` chooses one at the operations of a streamer.
    #[oai(path = "/me/channels", method = "get", operation_id = "listMyChannels", tag = "Group::Accounts")]
    async fn mine(&self, app: Data<&App>, viewer: Viewer) -> Result<Json<Vec<MyChannelView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let own = channels::find_of_owner(&mut conn, viewer.id).await?;
        let own = own.map(|Channel { slug, name, closed, .. }| Place { slug, name, role: TeamRole::Owner, closed });
        let teams = teams::channels_of(&mut conn, viewer.id).await?;
        Ok(Json(own.into_iter().chain(teams).map(Into::into).collect()))
    }

    /// Leave a team
    #[oai(path = "/me/channels/:slug", method = "delete", operation_id = "leaveTeam", tag = "Group::Accounts")]
    async fn leave(
        &self,
        app: Data<&App>,
        viewer: Viewer,
        /// The channel's slug, in any case.
        slug: Path<String>,
    ) -> Result<Gone, Problem> {
        let mut tx = app.db.begin().await?;
        let user = accounts::find(&mut tx, viewer.id).await?;
        let user = user.ok_or_else(|| Problem::unauthorized("the session's account is gone"))?;
        teams::leave(&mut tx, &by(&user), &user, &slug.0).await?;
        tx.commit().await?;
        Ok(Gone::Done)
    }
}
