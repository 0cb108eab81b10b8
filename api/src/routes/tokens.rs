//! The tokens of a channel: one for each source, dock and program.

use domain::{
    mails,
    tokens::{self, Kind, NewToken},
};
use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{Group, acts::by, mails::tell};
use crate::{
    app::App,
    auth::{Streamer, proof},
    problem::Problem,
    views::tokens::{MadeTokenView, TokenPatch, TokenView, TokenWish},
};

pub(crate) struct Tokens;

/// The answer to a wish for a token.
#[derive(ApiResponse)]
pub(crate) enum Made {
    /// The token; what proves it is shown this once.
    #[oai(status = 201)]
    Made(Json<MadeTokenView>),
}

/// The answer to a revocation.
#[derive(ApiResponse)]
pub(crate) enum Revoked {
    /// It opens nothing any more.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Streamer")]
impl Tokens {
    /// My tokens
    ///
    /// The channel's own links first, to the overlay and to the credits, then the others, the oldest first: for whom each
    /// is, what it may do, when and from where it was used last, and whether it was used from two addresses at the same
    /// time.
    #[oai(path = "/streamer/tokens", method = "get", operation_id = "listTokens")]
    async fn list(&self, app: Data<&App>, streamer: Streamer) -> Result<Json<Vec<TokenView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let all = tokens::list(&mut conn, &streamer.channel).await?;
        Ok(Json(all.into_iter().map(Into::into).collect()))
    }

    /// Make a token
    ///
    /// For one source in OBS, one dock or one program, so that each can be revoked without the others; at most 50 that are
    /// not expired. A dock or a program acts in your name on this channel: that needs a fresh proof that it is you.
    #[oai(path = "/streamer/tokens", method = "post", operation_id = "createToken")]
    async fn create(
        &self,
        app: Data<&App>,
        request: &Request,
        streamer: Streamer,
        wish: Json<TokenWish>,
    ) -> Result<Made, Problem> {
        let wish = NewToken::from(wish.0);
        if wish.kind != Kind::Overlay {
            proof::lately(&app, streamer.session).await?;
        }
        let mut tx = app.db.begin().await?;
        let (token, secret) = tokens::create(&mut tx, &by(&streamer.user), &streamer.channel, &wish).await?;
        if token.kind != Kind::Overlay {
            tell(&app, &mut tx, request, streamer.user.id, mails::Kind::TokenMade, Some(&token.name)).await?;
        }
        tx.commit().await?;
        let secret = secret.expose().to_owned();
        let url = (token.kind == Kind::Overlay).then(|| format!("{}/overlay/t/{secret}", app.settings.public_url));
        Ok(Made::Made(Json(MadeTokenView { token: token.into(), secret, url })))
    }

    /// Change a token
    ///
    /// Its name; or say that an alarm was none.
    #[oai(path = "/streamer/tokens/:id", method = "patch", operation_id = "changeToken")]
    async fn change(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The token's id.
        id: Path<Uuid>,
        patch: Json<TokenPatch>,
    ) -> Result<Json<TokenView>, Problem> {
        let mut tx = app.db.begin().await?;
        let token = tokens::change(&mut tx, &by(&streamer.user), &streamer.channel, id.0, &patch.0.into()).await?;
        tx.commit().await?;
        Ok(Json(token.into()))
    }

    /// Revoke a token
    ///
    /// It opens nothing any more, and its open streams end within a second. All other tokens go on.
    #[oai(path = "/streamer/tokens/:id", method = "delete", operation_id = "revokeToken")]
    async fn revoke(
        &self,
        app: Data<&App>,
        streamer: Streamer,
        /// The token's id.
        id: Path<Uuid>,
    ) -> Result<Revoked, Problem> {
        let mut tx = app.db.begin().await?;
        tokens::revoke(&mut tx, &by(&streamer.user), &streamer.channel, id.0).await?;
        tx.commit().await?;
        app.ended.catch_up().await;
        Ok(Revoked::Done)
    }
}
