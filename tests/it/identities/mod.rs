//! Logins with other platforms, against simulated ones over real sockets.

mod grants;
mod links;
mod logins;
mod misbehaviour;
mod states;
mod stranger;
mod tokens;
mod visitor;

use std::net::{Ipv4Addr, SocketAddr};

use domain::identities::Provider;
use harness::{Builder, TestApp};
use identity::{Platforms, simulator::Simulator};
use tokio_util::sync::CancellationToken;

pub(crate) use visitor::Visitor;

pub(crate) async fn simulator() -> Simulator {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Simulator::start(address, CancellationToken::new()).await.unwrap()
}

/// What makes a process know all platforms as simulated ones.
pub(crate) fn env(simulator: &Simulator) -> Vec<(&'static str, String)> {
    let of = |provider| {
        let [id, secret, url, _] = Platforms::settings(provider);
        let (client_id, client_secret) = Simulator::client(provider);
        [(id, client_id), (secret, client_secret), (url, simulator.url(provider))]
    };
    Provider::ALL.into_iter().flat_map(of).collect()
}

/// The system with all platforms simulated.
pub(crate) fn knowing(simulator: &Simulator, builder: Builder) -> Builder {
    env(simulator).iter().fold(builder, |builder, (name, value)| builder.env(name, value))
}

/// The API alone, with all platforms simulated.
pub(crate) async fn system() -> (Simulator, TestApp) {
    let simulator = simulator().await;
    let app = knowing(&simulator, TestApp::builder().pools(&[])).start().await;
    (simulator, app)
}

/// Rows of people, of their accounts elsewhere and of sessions.
async fn counts(app: &TestApp) -> (i64, i64, i64) {
    sqlx::query_as(
        "select (select count(*) from users), (select count(*) from external_accounts),
                (select count(*) from sessions where ended_at is null)",
    )
    .fetch_one(app.pool())
    .await
    .unwrap()
}
