//! `memalerts`: see `memalerts --help`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Before threads exist: this process may only be a step on the way to a PostgreSQL server.
    embedded::launcher::intercept();
    let cli = runtime::Cli::parse();
    // One TLS backend for all sockets; a second one would make connections panic.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(tokio) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else { return ExitCode::FAILURE };
    let code = tokio.block_on(runtime::run(cli));
    // What still blocks a thread now (a file being read) is of no use to anybody.
    tokio.shutdown_background();
    code
}
