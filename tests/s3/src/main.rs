//! An S3 to try the system with: `cargo run -p test-s3 -- 9000` prints the settings that name it, and serves until it is
//! stopped. Its objects are gone with it.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or_default();
    let server = test_s3::Server::at(port);
    let mut out = std::io::stdout().lock();
    for (name, value) in server.settings() {
        writeln!(out, "{name}={value}")?;
    }
    out.flush()?;
    loop {
        std::thread::park();
    }
}
