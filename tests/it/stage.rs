//! What most stories begin with: a channel with memes, viewers with coins, a screen.

use std::time::Duration;

use domain::{
    media::{self, MediaType, NewAsset, NewFile},
    memes::{self, NewMeme},
};
use harness::{Answer, Events, ServerEvent, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A running system with one streamer.
pub(crate) struct Stage {
    pub(crate) app: TestApp,
    pub(crate) streamer: Session,
    pub(crate) admin: Session,
    pub(crate) channel_id: Uuid,
    pub(crate) token: String,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::on(TestApp::start().await).await
    }

    pub(crate) async fn on(app: TestApp) -> Self {
        Self::of(app, "demo").await
    }

    /// With the streamer of this login, whose channel has the same name.
    pub(crate) async fn of(app: TestApp, slug: &str) -> Self {
        let streamer = app.login(slug, "streamer").await;
        let admin = app.login("boss", "admin").await;
        let me = streamer.get("/me").await.expect(200);
        let token = streamer.get("/streamer/overlay/token").await.expect(200)["token"].as_str().unwrap().to_owned();
        let channel_id = me["channelId"].as_str().unwrap().parse().unwrap();
        Self { app, streamer, admin, channel_id, token }
    }

    /// A video meme of this length. Its file is not in the store: these stories are about the queue.
    pub(crate) async fn meme(&self, duration_ms: i32) -> Uuid {
        let hash = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut tx = self.app.db.begin().await.unwrap();
        media::add_reference(&mut tx, NewFile { hash: &hash, size: 1, mime_type: "video/mp4" }).await.unwrap();
        let asset = NewAsset {
            kind: MediaType::Video,
            file_hash: &hash,
            source_hash: None,
            duration_ms,
            width: Some(16),
            height: Some(16),
            loudness: None,
        };
        let asset = media::create_asset(&mut tx, asset).await.unwrap();
        let meme = NewMeme {
            channel_id: self.channel_id,
            asset_id: asset.id,
            title: "A meme",
            price: None,
            created_by: self.streamer.user_id.parse().unwrap(),
            tags: &[],
        };
        let meme = memes::create(&mut tx, meme).await.unwrap();
        tx.commit().await.unwrap();
        meme.id
    }

    /// A submission of the streamer's in this state, whose file is ready but, as with memes, not in the store; its id.
    pub(crate) async fn submission(&self, status: &str) -> String {
        let meme = self.meme(1000).await;
        let id = Uuid::now_v7();
        sqlx::query(
            "insert into meme_submissions (id, channel_id, submitter_id, type, title, status, upload_state, asset_id, source_hash,
                                           source_size, source_mime_type)
             select $1, m.channel_id, m.created_by, a.type, 'A meme', $3, 'ready', a.id, a.file_hash, 1, 'video/mp4'
             from memes m join meme_assets a on a.id = m.asset_id where m.id = $2",
        )
        .bind(id)
        .bind(meme)
        .bind(status)
        .execute(self.app.pool())
        .await
        .unwrap();
        id.to_string()
    }

    /// A viewer with this many coins.
    pub(crate) async fn viewer(&self, login: &str, coins: i64) -> Session {
        let viewer = self.app.login(login, "viewer").await;
        if coins > 0 {
            let path = format!("/owner/wallets/{}/{}/adjust", viewer.user_id, self.channel_id);
            self.admin.post(&path, &json!({ "delta": coins, "reason": "for the story" })).await.expect(200);
        }
        viewer
    }

    pub(crate) async fn balance(&self, viewer: &Session) -> i64 {
        viewer.get("/channels/demo/wallet").await.expect(200)["balance"].as_i64().unwrap()
    }

    /// Activates the meme; the activation's id.
    pub(crate) async fn activate(&self, viewer: &Session, meme: Uuid) -> String {
        let body = viewer.post(&format!("/memes/{meme}/activate"), &json!({})).await.expect(200);
        body["activation"]["id"].as_str().unwrap().to_owned()
    }

    /// Activates under a key.
    pub(crate) async fn activate_as(&self, viewer: &Session, meme: Uuid, key: &str) -> Answer {
        let request = viewer.request(Method::POST, &format!("/memes/{meme}/activate")).header("idempotency-key", key);
        Session::send(request).await
    }

    /// The viewer's activation, as the viewer sees it.
    pub(crate) async fn state_of(&self, viewer: &Session, activation: &str) -> Value {
        viewer.get(&format!("/me/activations/{activation}")).await.expect(200)
    }

    /// An OBS screen that has connected and knows the present state.
    pub(crate) async fn screen(&self) -> Screen {
        Screen::connect(&self.app, &self.token, "obs", Uuid::new_v4()).await
    }
}

/// A screen with an open stream.
pub(crate) struct Screen {
    pub(crate) events: Events,
    pub(crate) id: Uuid,
    /// What `overlay:state` said on connecting.
    pub(crate) state: Value,
    nobody: Session,
    token: String,
}

impl Screen {
    pub(crate) async fn connect(app: &TestApp, token: &str, kind: &str, id: Uuid) -> Self {
        let nobody = app.anonymous();
        let mut events = nobody.events(&format!("/overlay/t/{token}/events?screen={kind}&screenId={id}")).await;
        assert_eq!(events.next().await.name, "overlay:config", "the first word is the configuration");
        let state = events.wait_for("overlay:state").await.data;
        Self { events, id, state, nobody, token: token.to_owned() }
    }

    /// The next item that shall be shown.
    pub(crate) async fn next_item(&mut self) -> ServerEvent {
        self.events.wait_for("activation:new").await
    }

    /// Says something about a play.
    pub(crate) async fn ack(&self, item: &Value, state: &str) -> Answer {
        let path = format!("/overlay/t/{}/activations/{}/ack", self.token, item["id"].as_str().unwrap());
        let word = json!({ "state": state, "playEpoch": item["playEpoch"], "screenId": self.id });
        self.nobody.post(&path, &word).await
    }

    /// Shows an item from its beginning to its end.
    pub(crate) async fn play(&self, item: &Value) {
        self.ack(item, "started").await.expect(200);
        self.ack(item, "done").await.expect(200);
    }

    /// True when no further item comes for a moment.
    pub(crate) async fn shows_nothing_new(&mut self) -> bool {
        let wait = tokio::time::timeout(Duration::from_millis(400), async {
            loop {
                if self.events.next().await.name == "activation:new" {
                    return;
                }
            }
        });
        wait.await.is_err()
    }
}
