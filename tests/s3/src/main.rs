//! An S3 to try the system with: `cargo run -p test-s3 -- 9000` prints the settings that name it, and serves until it is
//! stopped. Its objects are gone with it.

use std::io::{self, Write as _};

use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or_default();
    let server = test_s3::Server::at(port);
    let settings: String = server.settings().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    io::stdout().write_all(settings.as_bytes())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
