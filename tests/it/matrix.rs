//! Who may do what, cell by cell: every operation of `openapi.yaml`, asked by everybody there is. The document says whom an
//! operation serves (`x-asker`); everybody else must be refused, and what belongs to somebody else must not be there.

use std::fmt::Write as _;

use domain::{
    identities::{Grant, Identity, Provider, Token},
    outbox as chat,
};
use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{channel_tokens::give, identities, messages, stage::Stage};

/// Whoever asks; a session of its own for each question, because some of them end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Actor {
    Nobody,
    /// Somebody whose session was signed by somebody else.
    Impostor,
    /// A screen that shows its token where a session belongs.
    Screen,
    /// A dock of demo's.
    Dock,
    /// A program of demo's with every scope that there is.
    Program,
    Viewer,
    /// Somebody without a channel who may look at the pages of ops.
    Observer,
    /// Somebody without a channel who looks after what is shown on all of them.
    HouseModerator,
    Streamer,
    Admin,
}

const ACTORS: [Actor; 10] = [
    Actor::Nobody,
    Actor::Impostor,
    Actor::Screen,
    Actor::Dock,
    Actor::Program,
    Actor::Viewer,
    Actor::Observer,
    Actor::HouseModerator,
    Actor::Streamer,
    Actor::Admin,
];

/// What a dock may do.
const OF_A_DOCK: [&str; 2] = ["queue:read", "queue:control"];

/// What demo has given away, once for all questions.
struct Given {
    source: String,
    dock: String,
    program: String,
}

impl Given {
    async fn by(streamer: &Session, document: &Value) -> Self {
        let scopes = document["components"]["schemas"]["TokenScope"]["enum"].as_array().expect("a list of scopes");
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        Self {
            source: give(streamer, "overlay", "OBS", &[]).await.secret,
            dock: give(streamer, "dock", "Dock", &[]).await.secret,
            program: give(streamer, "api", "Program", &scopes).await.secret,
        }
    }
}

impl Actor {
    async fn session(self, stage: &Stage, given: &Given) -> Session {
        let mut nobody = stage.app.anonymous();
        match self {
            Self::Nobody => {}
            Self::Impostor => nobody.token = Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIn0.".to_owned()),
            Self::Screen => nobody.token = Some(given.source.clone()),
            Self::Dock => nobody.token = Some(given.dock.clone()),
            Self::Program => nobody.token = Some(given.program.clone()),
            Self::Viewer => return stage.app.login("anna", "viewer").await,
            Self::Observer => {
                let otto = stage.app.login("otto", "viewer").await;
                let boss = stage.app.login("boss", "admin").await;
                boss.put(&format!("/owner/users/{}/observer", otto.user_id), &json!({})).await.expect(200);
                return otto;
            }
            Self::HouseModerator => {
                let hans = stage.app.login("hans", "viewer").await;
                let boss = stage.app.login("boss", "admin").await;
                boss.post(&format!("/owner/moderators/{}/grant", hans.user_id), &json!({})).await.expect(200);
                return hans;
            }
            Self::Streamer => return stage.app.login("demo", "streamer").await,
            Self::Admin => return stage.app.login("boss", "admin").await,
        }
        nobody
    }

    /// The status with which an operation for `asker` must refuse; none when it must not.
    fn refusal(self, operation: &Operation) -> Option<u16> {
        let least = match operation.asker.as_str() {
            "anybody" | "tokenHolder" => return None,
            // Those of the example are nobody's.
            "credentials" => return Some(401),
            "viewer" => Self::Viewer,
            // Without `?channel=` the own channel is meant, which takes a streamer.
            "moderator" | "editor" | "streamer" => Self::Streamer,
            "observer" if self == Self::Observer => Self::Observer,
            "houseModerator" if self == Self::HouseModerator => Self::HouseModerator,
            "observer" | "houseModerator" | "admin" => Self::Admin,
            other => panic!("x-asker {other}: who is that?"),
        };
        let opened = |with: &dyn Fn(&str) -> bool| operation.scopes.iter().any(|scope| with(scope));
        match self {
            Self::Dock => (!opened(&|scope| OF_A_DOCK.contains(&scope))).then_some(403),
            Self::Program => (!opened(&|_| true)).then_some(403),
            Self::Nobody | Self::Impostor | Self::Screen => Some(401),
            person if person < least => Some(403),
            _ => None,
        }
    }
}

/// One operation of the document.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) asker: String,
    /// What the token of a program needs, of which one is enough; none where no token opens it.
    scopes: Vec<String>,
    /// An example of the body.
    pub(crate) body: Option<Value>,
    /// The name of its schema.
    pub(crate) schema: Option<String>,
}

/// Every operation, with those that end something last: what they end is of no use to the others.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("operations") {
            let content = &operation["requestBody"]["content"]["application/json; charset=utf-8"]["schema"]["$ref"];
            let schema = content.as_str().and_then(|reference| reference.rsplit('/').next());
            operations.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                name: operation["operationId"].as_str().expect("operationId").to_owned(),
                asker: operation["x-asker"].as_str().unwrap_or_default().to_owned(),
                scopes: operation["x-scopes"]
                    .as_array()
                    .map(|scopes| scopes.iter().filter_map(|scope| Some(scope.as_str()?.to_owned())).collect())
                    .unwrap_or_default(),
                body: schema.map(|schema| document["components"]["schemas"][schema]["example"].clone()),
                schema: schema.map(str::to_owned),
            });
        }
    }
    // Whoever was forgotten asks for nothing more.
    operations.sort_by_key(|operation| (operation.name == "forgetMe", operation.method == Method::DELETE));
    operations
}

/// Whether it takes more than to be who one is: an entitlement, or a platform that is set up. It has a story of its own.
fn of_few(operation: &Operation) -> bool {
    ["startMyBotLink", "startDefaultBotLink"].contains(&operation.name.as_str())
}

/// Asks, and says the status; the body of an endless answer is not waited for.
pub(crate) async fn ask(session: &Session, operation: &Operation, path: &str) -> u16 {
    let mut request = session.request(operation.method.clone(), path);
    if let Some(body) = &operation.body {
        request = request.json(body);
    }
    request.send().await.expect("an answer").status().as_u16()
}

/// What an operation's path names, once of those who ask and once of somebody else.
pub(crate) struct Belongings {
    pub(crate) mine: String,
    foreign: String,
}

/// Makes what the operation's path names: by `demo` and `anna`, and by `other` and `bert`. None for a path that names
/// nothing that belongs to anybody.
pub(crate) async fn belongings(stage: &Stage, other: &Stage, operation: &Operation) -> Option<Belongings> {
    let (mine, foreign) = match operation.name.as_str() {
        "changeMeme" | "deleteMeme" => (stage.meme(1000).await.to_string(), other.meme(1000).await.to_string()),
        "restoreMeme" => (deleted(stage).await, deleted(other).await),
        "unblock" => (blocked(stage).await, blocked(other).await),
        "changeCommand" | "deleteCommand" => (command(stage).await, command(other).await),
        "changeRewardRule" | "deleteRewardRule" => (reward_rule(stage).await, reward_rule(other).await),
        "changeTimer" | "deleteTimer" => (timer(stage).await, timer(other).await),
        "deletePermit" => (permit(stage).await, permit(other).await),
        "changePromotion" | "deletePromotion" => (promotion(stage).await, promotion(other).await),
        "getMyActivation" | "withdrawMyActivation" => {
            (waiting(stage, "anna").await.to_string(), waiting(stage, "bert").await.to_string())
        }
        "getSubmission" => (submission(stage).await, submission(other).await),
        "approveSubmission" | "rejectSubmission" | "askForChanges" => {
            (stage.submission("pending").await, other.submission("pending").await)
        }
        "getMessage" => (message(stage).await, message(other).await),
        "getOutboxMessage" => (said(&stage.streamer).await, said(&other.streamer).await),
        "endMySession" => (logged_in(stage, "anna").await, logged_in(other, "bert").await),
        "unlinkAccount" => (linked(stage, "anna").await.to_string(), linked(stage, "bert").await.to_string()),
        "changeToken" | "revokeToken" => {
            (give(&stage.streamer, "overlay", "a", &[]).await.id, give(&other.streamer, "overlay", "a", &[]).await.id)
        }
        "getMyExport" | "downloadMyExport" => (exported(stage, "anna").await, exported(other, "bert").await),
        "removeQueued" | "moveToFront" => {
            (waiting(stage, "anna").await.to_string(), waiting(other, "bert").await.to_string())
        }
        "replayPlayed" => (ended(stage, "anna").await, ended(other, "bert").await),
        "acknowledgePlay" => (waiting(stage, "anna").await.to_string(), waiting(other, "bert").await.to_string()),
        _ => return None,
    };
    let fill = |id: String| {
        let path = operation.path.replace("{id}", &id).replace("{token}", &stage.token);
        path.replace("{provider}", "twitch")
    };
    Some(Belongings { mine: fill(mine), foreign: fill(foreign) })
}

/// A meme that the stage's channel has deleted.
async fn deleted(stage: &Stage) -> String {
    let meme = stage.meme(1000).await.to_string();
    stage.streamer.delete(&format!("/streamer/memes/{meme}")).await.expect(204);
    meme
}

/// Something that the stage's channel does not take any more.
async fn blocked(stage: &Stage) -> String {
    let wish = json!({ "memeId": stage.meme(1000).await });
    stage.streamer.post("/streamer/blocklist", &wish).await.expect(200)["id"].as_str().expect("an id").to_owned()
}

/// A rule of the channel's for what earns coins; its id. Another reward's each time.
async fn reward_rule(stage: &Stage) -> String {
    let trigger = "twitch_channel_points_redemption";
    let rule = json!({ "trigger": trigger, "rewardId": Uuid::now_v7().to_string(), "coins": 5 });
    let made = stage.streamer.post("/streamer/rewards", &rule).await.expect(200);
    made["id"].as_str().unwrap().to_owned()
}

/// Somebody who may post links in the channel's chat.
async fn permit(stage: &Stage) -> String {
    let wish = json!({ "login": "anna", "seconds": 3600 });
    let made = stage.streamer.post("/streamer/bot/automod/permits", &wish).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// A promotion of the stage's channel.
async fn promotion(stage: &Stage) -> String {
    let wish = json!({
        "name": "Friday", "discountPercent": 10, "startDate": "2020-01-01T00:00:00Z", "endDate": "2090-01-01T00:00:00Z",
    });
    stage.streamer.post("/streamer/promotions", &wish).await.expect(200)["id"].as_str().expect("an id").to_owned()
}

/// A command of the stage's channel, by a word of its own.
async fn command(stage: &Stage) -> String {
    let wish = json!({ "trigger": Uuid::now_v7(), "response": "hi" });
    stage.streamer.post("/streamer/bot/commands", &wish).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

/// A timer of the stage's channel.
async fn message(stage: &Stage) -> String {
    messages::heard(&stage.app, stage.channel_id, chat::Provider::Twitch, "anna", "hi").await;
    let shown = stage.streamer.get("/api/v1/messages").await.expect(200);
    shown["messages"][0]["id"].as_str().expect("an id").to_owned()
}

async fn timer(stage: &Stage) -> String {
    let wish = json!({ "name": "Discord", "messages": ["hi"], "intervalSeconds": 600 });
    stage.streamer.post("/streamer/bot/timers", &wish).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

/// An activation of this person's on the stage's channel.
async fn waiting(stage: &Stage, login: &str) -> Uuid {
    let viewer = stage.viewer(login, 1000).await;
    let meme = stage.meme(1000).await;
    stage.activate(&viewer, meme).await.parse().expect("an id")
}

/// The same, taken back.
async fn ended(stage: &Stage, login: &str) -> String {
    let id = waiting(stage, login).await.to_string();
    stage.app.login(login, "viewer").await.delete(&format!("/me/activations/{id}")).await.expect(200);
    id
}

/// A session of this person's.
async fn logged_in(stage: &Stage, login: &str) -> String {
    let sessions = stage.app.login(login, "viewer").await.get("/auth/sessions").await.expect(200);
    sessions[0]["id"].as_str().expect("an id").to_owned()
}

/// A copy of everything about this person.
async fn exported(stage: &Stage, login: &str) -> String {
    let export = stage.app.login(login, "viewer").await.post("/users/me/export", &json!({})).await.expect(202);
    export["id"].as_str().expect("an id").to_owned()
}

/// An account elsewhere of this person, who has another one, too.
async fn linked(stage: &Stage, login: &str) -> Uuid {
    let user = stage.app.login(login, "viewer").await.user_id.parse().expect("an id");
    let mut ids = Vec::new();
    for provider in [Provider::Kick, Provider::Trovo] {
        let identity = Identity {
            provider,
            issuer: "https://platform.example".to_owned(),
            subject: format!("{login}-there"),
            login: login.to_owned(),
            display_name: login.to_owned(),
            avatar_url: None,
        };
        let access = Token::new("a-token");
        let grant = Grant { access, refresh: None, lifetime: None, scopes: Vec::new(), device: None };
        let mut tx = stage.app.db.begin().await.expect("a transaction");
        let vault = &stage.app.process.vault;
        ids.push(
            domain::identities::link(&mut tx, vault, user, &identity, &grant).await.expect("it is free").account.id,
        );
        tx.commit().await.expect("commit");
    }
    ids[0]
}

/// A submission of the stage's streamer; its file is none, and its jobs will say so.
async fn submission(stage: &Stage) -> String {
    let file = reqwest::multipart::Part::bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2".to_vec());
    let form = reqwest::multipart::Form::new()
        .text("title", "A meme")
        .text("type", "video")
        .text("channelId", stage.channel_id.to_string())
        .part("file", file.file_name("a.mp4").mime_str("video/mp4").expect("a type"));
    let answer = Session::send(stage.streamer.request(Method::POST, "/submissions").multipart(form)).await;
    answer.expect(202)["id"].as_str().expect("an id").to_owned()
}

/// A message that the bot of this streamer's channel is to say.
async fn said(streamer: &Session) -> String {
    let body = streamer.post("/streamer/bot/say", &json!({ "message": "hello", "provider": "twitch" })).await;
    body.expect(200)["outbox"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn every_operation_serves_whom_the_document_says_and_refuses_everybody_else() {
    let platforms = identities::simulator().await;
    let builder = identities::knowing(&platforms, TestApp::builder().pools(&[]));
    let mut stage = Stage::on(builder.start().await).await;
    stage.app.leaves_jobs_behind();
    let document = stage.app.anonymous().get("/openapi.json").await.expect(200);
    let operations = operations(&document);
    assert!(operations.len() > 60, "only {} operations", operations.len());
    let given = Given::by(&stage.streamer, &document).await;
    let credits = stage.streamer.get("/streamer/credits/token").await.expect(200)["token"].as_str().unwrap().to_owned();
    let mut wrong = String::new();
    for operation in &operations {
        // What the path names need not be there to be refused, and where it is, is the next test's matter.
        let mut path = operation.path.replace("{slug}", "demo");
        path = path
            .replace("{pool}", "dispatch")
            .replace("{login}", "anna")
            .replace("{name}", "deaths")
            .replace("{provider}", "twitch")
            .replace("{hash}", &"0".repeat(64));
        for name in ["{userId}", "{channelId}"] {
            path = path.replace(name, &Uuid::now_v7().to_string());
        }
        let number = operation.path.starts_with("/admin/");
        path = path.replace("{id}", &if number { "9".to_owned() } else { Uuid::now_v7().to_string() });
        if path.contains("{token}") {
            let (token, other_doors) =
                if path.starts_with("/overlay/credits/") { (&credits, &stage.token) } else { (&stage.token, &credits) };
            let status = ask(&stage.app.anonymous(), operation, &path.replace("{token}", other_doors)).await;
            if status != 401 {
                writeln!(wrong, "{} {path} with the token of another door: {status}", operation.method)
                    .expect("a string takes words");
            }
            path = path.replace("{token}", token);
        }
        assert!(!path.contains('{'), "{path}: say what this parameter is");
        for actor in ACTORS {
            let status = ask(&actor.session(&stage, &given).await, operation, &path).await;
            let right = match actor.refusal(operation) {
                Some(refusal) => status == refusal,
                None => of_few(operation) || (!matches!(status, 401 | 403) && status < 500),
            };
            if !right {
                writeln!(wrong, "{} {path} is for {}, {actor:?} got {status}", operation.method, operation.asker)
                    .expect("a string takes words");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_not_there() {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    let mut other = Stage::of(stage.app.beside().pools(&[]).start().await, "other").await;
    stage.app.leaves_jobs_behind();
    other.app.leaves_jobs_behind();
    for stage in [&stage, &other] {
        let body = json!({ "enabled": true });
        stage.streamer.patch("/streamer/bots/twitch", &body).await.expect(200);
    }
    let document = stage.app.anonymous().get("/openapi.json").await.expect(200);
    let mut wrong = String::new();
    for operation in &operations(&document) {
        let named = operation.path.contains("{id}")
            && !matches!(operation.asker.as_str(), "observer" | "houseModerator" | "admin" | "anybody");
        let Some(Belongings { mine, foreign }) = belongings(&stage, &other, operation).await else {
            // Those without a form have not come so far that it matters; and memes are for everybody.
            let open = ["activateMeme", "resubmitMeme", "addMyFavourite", "removeMyFavourite"];
            assert!(!named || open.contains(&operation.name.as_str()), "{}: say whose {{id}} is", operation.name);
            continue;
        };
        // This one is the streamer's.
        let streams = matches!(operation.asker.as_str(), "moderator" | "editor" | "streamer")
            || operation.name == "getSubmission";
        let (login, role) = if streams { ("demo", "streamer") } else { ("anna", "viewer") };
        for (path, there) in [(foreign, false), (mine, true)] {
            let status = ask(&stage.app.login(login, role).await, operation, &path).await;
            if (status == 404) == there || status >= 500 {
                writeln!(wrong, "{} {path} ({}): {status}", operation.method, if there { "mine" } else { "foreign" })
                    .expect("a string takes words");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn in_a_team_everybody_may_do_as_much_as_the_document_says_and_outside_of_it_there_is_no_channel() {
    let mut stage = Stage::on(TestApp::builder().pools(&[]).start().await).await;
    stage.app.leaves_jobs_behind();
    for (login, role) in [("mona", "moderator"), ("edda", "editor")] {
        stage.app.login(login, "viewer").await;
        stage.streamer.put(&format!("/streamer/team/{login}"), &json!({ "role": role })).await.expect(200);
    }
    stage.app.login("rival", "streamer").await;
    let document = stage.app.anonymous().get("/openapi.json").await.expect(200);
    let mut wrong = String::new();
    let mut asked = 0;
    for operation in operations(&document) {
        let Some(needs) = ["moderator", "editor", "streamer"].iter().position(|asker| *asker == operation.asker) else {
            continue;
        };
        let path = operation.path.replace("{id}", &Uuid::now_v7().to_string()).replace("{provider}", "twitch");
        let path = format!("{}?channel=demo", path.replace("{login}", "mona").replace("{name}", "deaths"));
        for (is, (login, role)) in
            [("rival", "streamer"), ("mona", "viewer"), ("edda", "viewer"), ("demo", "streamer")].iter().enumerate()
        {
            let status = ask(&stage.app.login(login, role).await, &operation, &path).await;
            let right = match is.checked_sub(1) {
                None => status == 404,
                Some(is) if is < needs => status == 403,
                Some(_) => of_few(&operation) || (!matches!(status, 401 | 403) && status < 500),
            };
            asked += 1;
            if !right {
                writeln!(wrong, "{} {path} is for {}, {login} got {status}", operation.method, operation.asker)
                    .expect("a string takes words");
            }
        }
        // What the owner did to the team is undone.
        stage.streamer.put("/streamer/team/mona", &json!({ "role": "moderator" })).await.expect(200);
    }
    assert!(asked > 100, "only {asked} questions");
    assert!(wrong.is_empty(), "{wrong}");
}
