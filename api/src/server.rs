//! Serving on a socket, and ending well.

use std::{io, net::TcpListener, time::Duration};

use poem::{Server, listener::TcpAcceptor};
use tokio_util::sync::CancellationToken;

use crate::{app::App, patience::PatientAcceptor, service};

/// Serves `app` on `listener` until `draining` is cancelled, then takes no new connection and lets open requests end
/// within `grace`. Endless answers (event streams) must end on the same token, or they use up the grace.
///
/// # Errors
/// The socket cannot be used.
pub async fn serve(app: App, listener: TcpListener, draining: CancellationToken, grace: Duration) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let acceptor = PatientAcceptor(TcpAcceptor::from_std(listener)?);
    Server::new_with_acceptor(acceptor)
        .run_with_graceful_shutdown(service::endpoint(app), draining.cancelled_owned(), Some(grace))
        .await
}
