//! `/metrics` in the Prometheus text format, on a listener of its own that only this machine reaches.
//!
//! Plain HTTP/1.1 by hand: one path, one method, no body; the API's server and its limits stay out of it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// How many ports after `METRICS_PORT` are tried when it is taken.
const NEIGHBOURS: u16 = 31;

/// Bounds of all histograms, in seconds: from what a handed-over job waits to what the longest runs take.
const BUCKETS: [f64; 18] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0];

/// The recorder of this process.
#[derive(Debug, Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

/// Installs the recorder that all `metrics` macros write to.
///
/// # Errors
/// One is installed already.
pub fn install() -> anyhow::Result<Metrics> {
    let recorder =
        PrometheusBuilder::new().set_buckets(&BUCKETS).context("buckets of the histograms")?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| anyhow::anyhow!("a metrics recorder is installed already"))?;
    Ok(Metrics { handle })
}

impl Metrics {
    /// Listens on the port, or on the next free one, and serves for as long as the process lives.
    ///
    /// # Errors
    /// None of the ports is free.
    pub async fn serve(self, port: u16) -> anyhow::Result<SocketAddr> {
        let listener = bind(port).await.with_context(|| format!("listen for /metrics on port {port}"))?;
        let address = listener.local_addr()?;
        if port != 0 && address.port() != port {
            tracing::info!(wanted = port, used = address.port(), "METRICS_PORT is taken; using the next free one");
        }
        tracing::info!(%address, "metrics are served");
        tokio::spawn(self.accept(listener));
        Ok(address)
    }

    async fn accept(self, listener: TcpListener) {
        let mut upkeep = tokio::time::interval(Duration::from_secs(5));
        loop {
            tokio::select! {
                _ = upkeep.tick() => self.handle.run_upkeep(),
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let metrics = self.clone();
                        // A client that sends nothing must not hold a task for ever.
                        tokio::spawn(timeout(Duration::from_secs(5), async move { metrics.answer(stream).await }));
                    }
                    // Out of file descriptors: wait instead of spinning.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
            }
        }
    }

    async fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut head = Vec::with_capacity(1024);
        while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            if head.len() > 8192 || stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let request = String::from_utf8_lossy(&head);
        let (status, body) = match request.lines().next().unwrap_or_default() {
            line if line.starts_with("GET /metrics ") => ("200 OK", self.handle.render()),
            _ => ("404 Not Found", "only GET /metrics is here\n".to_owned()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await
    }
}

async fn bind(port: u16) -> io::Result<TcpListener> {
    let last = if port == 0 { 0 } else { port.saturating_add(NEIGHBOURS) };
    let mut result = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    for port in port.saturating_add(1)..=last {
        match &result {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                result = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
            }
            _ => break,
        }
    }
    result
}
