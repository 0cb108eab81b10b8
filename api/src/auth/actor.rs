//! The people that operations serve, as extractors.

use std::ops::Deref;

use domain::{
    accounts::{self, Role, User},
    channels::{self, Channel},
    moderation, sessions,
    teams::{self, TeamRole},
    tokens::Program,
};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{access::Named, programs, session};
use crate::{
    app::App,
    problem::{ErrorCode, Problem},
    telemetry,
};

const COOKIE: &str = "session";
const BEARER: &str = "bearer";

/// Anybody who is logged in: the token is good, and its session lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Viewer {
    pub(crate) id: Uuid,
    pub(crate) session: Uuid,
}

/// Whoever sends a browser to an address of ours: who the operation serves, or why it is somebody else, which a browser is told on
/// a page.
#[derive(Debug, Clone)]
pub(crate) struct Visitor<Served = Viewer>(pub(crate) Result<Served, Problem>);

/// Somebody who acts on a channel, by default the own one, which takes the role for it. `?channel=<slug>` chooses another;
/// there the operation says what one must be: `Streamer` its owner, [`Editor`] and [`Moderator`] at least that in its team.
/// Looked up at each request, so that a change counts at once.
#[derive(Debug, Clone)]
pub(crate) struct Streamer {
    pub(crate) user: User,
    pub(crate) channel: Channel,
    /// Of the person, or the token of the program that acts in the person's name.
    pub(crate) session: Uuid,
    /// A dock or a program, not the person.
    pub(crate) by_token: bool,
    /// What the person is on the channel.
    pub(crate) role: TeamRole,
}

/// Who looks after what a channel plays.
#[derive(Debug, Clone)]
pub(crate) struct Editor(Streamer);

/// Who looks after a channel's queue.
#[derive(Debug, Clone)]
pub(crate) struct Moderator(Streamer);

impl Deref for Editor {
    type Target = Streamer;

    fn deref(&self) -> &Streamer {
        &self.0
    }
}

impl Deref for Moderator {
    type Target = Streamer;

    fn deref(&self) -> &Streamer {
        &self.0
    }
}

/// An admin; looked up at each request.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) user: User,
    pub(crate) session: Uuid,
}

/// Who may look at the pages of ops: an admin, or whom an admin lets. Looked up at each request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observer;

/// Who looks after what is shown on all channels: an admin, or whom an admin lets. Looked up at each request.
#[derive(Debug, Clone)]
pub(crate) struct HouseModerator {
    pub(crate) user: User,
}

/// How each kind of person is proven.
trait Actor: Sized + Send {
    fn prove(request: &Request, app: &App) -> impl Future<Output = Result<Self, Problem>> + Send;
}

/// Whoever a request proves: a person, or a dock or program that acts in the person's name on one channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proven {
    user: Uuid,
    /// Of the person, or the program's token.
    session: Uuid,
    /// The only one that the program may act on; none for the person.
    channel: Option<Uuid>,
}

impl Proven {
    /// The request is let in: from where a token is used is noted only then, so that whoever cannot use it raises no alarm.
    fn let_in(self, request: &Request, app: &App) -> Self {
        if self.channel.is_some() {
            app.sightings.note(self.session, request);
        }
        self
    }

    fn on(self, request: &Request, app: &App, user: User, channel: Channel, role: TeamRole) -> Streamer {
        let Self { session, channel: only, .. } = self.let_in(request, app);
        Streamer { user, channel, session, by_token: only.is_some(), role }
    }
}

/// Who asks, found out while something else is waited for: whoever sets it as the request's data saves the operation the look.
/// None for whom the operation refuses.
pub(crate) async fn look_ahead(request: &Request, app: &App) -> Option<Proven> {
    logged_in(request, app).await.ok()
}

async fn logged_in(request: &Request, app: &App) -> Result<Proven, Problem> {
    if let Some(proven) = request.data::<Proven>() {
        return Ok(*proven);
    }
    if let Some(program) = programs::named(request, app).await? {
        telemetry::asked_by(program.owner);
        programs::admit(&program, request)?;
        programs::still_good(request, app).await?;
        return Ok(Proven { user: program.owner, session: program.token, channel: Some(program.channel) });
    }
    let named = session::named(request, app);
    let Named { user, session } =
        named.ok_or_else(|| Problem::unauthorized("log in first: no session, or one that is no longer good"))?;
    telemetry::asked_by(user);
    still_lives(app, user, session).await?;
    Ok(Proven { user, session, channel: None })
}

/// Each request asks the database: an end that was answered at another process may not have been heard of here. So do those of
/// programs ([`programs::still_good`]).
async fn still_lives(app: &App, user: Uuid, session: Uuid) -> Result<(), Problem> {
    let mut conn = app.db.pool().acquire().await?;
    match sessions::find(&mut conn, session).await? {
        Some(session) if session.user_id == user => Ok(()),
        _ => Err(Problem::unauthorized("log in first: the session is over")),
    }
}

/// Whose budgets a request uses up: the person's, or those of the program's token, so that a program that runs wild takes
/// nothing from its owner. None for nobody.
pub(crate) async fn spender(request: &Request, app: &App) -> Option<Uuid> {
    whoever(request, app, |program| program.token).await
}

/// Under whose name answers to the request are kept: the person's, or the one's in whose name a program acts.
pub(crate) async fn keeper(request: &Request, app: &App) -> Option<Uuid> {
    whoever(request, app, |program| program.owner).await
}

/// The person, or who stands for a program.
async fn whoever(request: &Request, app: &App, of_program: fn(&Program) -> Uuid) -> Option<Uuid> {
    match programs::named(request, app).await {
        Ok(Some(program)) => Some(of_program(&program)),
        Ok(None) => session::named(request, app).map(|named| named.user),
        // The operation says so.
        Err(_) => None,
    }
}

async fn with_role(request: &Request, app: &App, role: Role) -> Result<(User, Proven), Problem> {
    let proven = logged_in(request, app).await?;
    let id = proven.user;
    let mut conn = app.db.pool().acquire().await?;
    let user = accounts::find(&mut conn, id).await?;
    let user = user.ok_or_else(|| Problem::unauthorized("the session's account is gone"))?;
    if user.banned_at.is_some() {
        return Err(Problem::unauthorized("the account is banned"));
    }
    if user.role < role {
        return Err(Problem::forbidden(format!(
            "this needs the role {}, yours is {}",
            role.as_str(),
            user.role.as_str()
        )));
    }
    Ok((user, proven))
}

impl Actor for Viewer {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        let Proven { user, session, .. } = logged_in(request, app).await?.let_in(request, app);
        Ok(Self { id: user, session })
    }
}

impl<Served: Actor> Actor for Visitor<Served> {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        Ok(Self(Served::prove(request, app).await))
    }
}

/// The channel that the request chooses.
#[derive(Deserialize)]
struct Chosen {
    channel: Option<String>,
}

/// Whoever asks, if they may act on the channel at least as `least` does.
async fn acting(request: &Request, app: &App, least: TeamRole) -> Result<Streamer, Problem> {
    let chosen = request.params::<Chosen>();
    let chosen =
        chosen.map_err(|_| Problem::bad_request(ErrorCode::ValidationError, "channel: one slug is expected"))?;
    let Some(slug) = chosen.channel else {
        let own = if least == TeamRole::Owner { Role::Streamer } else { Role::Viewer };
        let (user, proven) = with_role(request, app, own).await?;
        if user.role < Role::Streamer {
            return Err(Problem::forbidden(format!(
                "name the channel by ?channel=, if you are in its team; your own takes the role streamer, yours is {}",
                user.role.as_str()
            )));
        }
        let mut conn = app.db.pool().acquire().await?;
        let channel = channels::find_of_owner(&mut conn, user.id).await?;
        let channel = channel.ok_or_else(|| {
            let detail =
                "you have no channel yet: POST /channels opens one, ?channel= chooses one whose team you are in";
            Problem::not_found(ErrorCode::ChannelNotFound, detail)
        })?;
        return Ok(proven.on(request, app, user, channel, TeamRole::Owner));
    };
    let (user, proven) = with_role(request, app, Role::Viewer).await?;
    let mut conn = app.db.pool().acquire().await?;
    let found = match channels::find_by_slug(&mut conn, &slug).await? {
        // A token is of one channel, wherever else its owner may act.
        Some(channel) if proven.channel.is_some_and(|only| only != channel.id) => None,
        Some(channel) if channel.owner_id == user.id => Some((channel, TeamRole::Owner)),
        Some(channel) => teams::role_of(&mut conn, channel.id, user.id).await?.map(|role| (channel, role)),
        None => None,
    };
    let (channel, role) = found.ok_or_else(|| {
        let detail = "there is no such channel, or you are not in its team";
        Problem::not_found(ErrorCode::ChannelNotFound, detail)
    })?;
    let channel = channel.if_open()?;
    if role < least {
        let detail = format!("on this channel, this is for its {}; you are {}", least.as_str(), role.as_str());
        return Err(Problem::forbidden(detail));
    }
    Ok(proven.on(request, app, user, channel, role))
}

impl Actor for Streamer {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        acting(request, app, TeamRole::Owner).await
    }
}

impl Actor for Editor {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        Ok(Self(acting(request, app, TeamRole::Editor).await?))
    }
}

impl Actor for Moderator {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        Ok(Self(acting(request, app, TeamRole::Moderator).await?))
    }
}

impl Actor for Admin {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        let (user, proven) = with_role(request, app, Role::Admin).await?;
        Ok(Self { user, session: proven.session })
    }
}

impl Actor for Observer {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        let (user, _) = with_role(request, app, Role::Viewer).await?;
        if user.role == Role::Admin || user.observer {
            return Ok(Self);
        }
        Err(Problem::forbidden("this needs the role admin, or an admin's leave to look (observer)"))
    }
}

impl Actor for HouseModerator {
    async fn prove(request: &Request, app: &App) -> Result<Self, Problem> {
        let (user, _) = with_role(request, app, Role::Viewer).await?;
        let mut conn = app.db.pool().acquire().await?;
        if user.role == Role::Admin || moderation::is_moderator(&mut conn, user.id).await? {
            return Ok(Self { user });
        }
        Err(Problem::forbidden("this needs the role admin, or an admin's leave to moderate all channels"))
    }
}

/// Both ways of carrying a session, for the document.
fn register_schemes(registry: &mut Registry) {
    let scheme = |ty, description, name, key_in, scheme| MetaSecurityScheme {
        ty,
        description: Some(description),
        name,
        key_in,
        scheme,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    let cookie = "The cookie with the access token; `__Host-token_beta` on beta, `token_dev` on a dev machine. It lives for 15 \
                  minutes, then `POST /auth/refresh` gives another.";
    registry.create_security_scheme(COOKIE, scheme("apiKey", cookie, Some("__Host-token"), Some("cookie"), None));
    let bearer = "The same token, for programs; or a token that a streamer made for a dock or a program (`POST /streamer/tokens`), which \
                  opens the operations whose `x-scopes` it has, on its own channel.";
    registry.create_security_scheme(BEARER, scheme("http", bearer, None, None, Some("bearer")));
}

/// `ApiExtractor` for each actor: the trait cannot be implemented for "all that are actors" from here.
macro_rules! extractor {
    ($actor:ty) => {
        impl<'a> ApiExtractor<'a> for $actor {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                register_schemes(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![COOKIE, BEARER]
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let Some(app) = request.data::<App>() else {
                    return Err(Problem::internal("the service was built without its state").into());
                };
                Ok(<$actor as Actor>::prove(request, app).await?)
            }
        }
    };
}

extractor!(Viewer);
extractor!(Visitor<Viewer>);
extractor!(Visitor<Streamer>);
extractor!(Visitor<Admin>);
extractor!(Streamer);
extractor!(Editor);
extractor!(Moderator);
extractor!(Observer);
extractor!(HouseModerator);
extractor!(Admin);
