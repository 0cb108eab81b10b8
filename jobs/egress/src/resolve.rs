//! Names and where they lead.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::is_public;

/// Finds the addresses of a name. A port of 0 stands for the usual one.
pub trait Lookup: fmt::Debug + Send + Sync {
    fn look<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// As the machine finds them.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Lookup for System {
    fn look<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// The name leads to an address that is nobody's on the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name leads into a private network")]
pub struct Private;

/// Finds public addresses only. A name with any other is refused as a whole: the next look might pick that one.
#[derive(Debug, Clone)]
pub struct Guard {
    lookup: Arc<dyn Lookup>,
    /// Taken all the same: servers of a dev machine.
    exempt: Arc<[SocketAddr]>,
}

impl Guard {
    #[must_use]
    pub fn new(lookup: Arc<dyn Lookup>, exempt: &[SocketAddr]) -> Self {
        Self { lookup, exempt: exempt.into() }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::new(Arc::new(System), &[])
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.lookup.look(name.as_str()).await?;
            if !found.iter().all(|address| is_public(address.ip()) || guard.exempt.contains(address)) {
                return Err(Private.into());
            }
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name leads nowhere").into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Said(&'static [&'static str]);

    impl Lookup for Said {
        fn look<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
            let found = self.0.iter().map(|address| address.parse().unwrap()).collect();
            Box::pin(async move { Ok(found) })
        }
    }

    async fn led(to: &'static [&'static str], exempt: &[&str]) -> bool {
        let exempt: Vec<SocketAddr> = exempt.iter().map(|address| address.parse().unwrap()).collect();
        Guard::new(Arc::new(Said(to)), &exempt).resolve("media.test".parse().unwrap()).await.is_ok()
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_followed() {
        assert!(Guard::default().resolve("localhost".parse().unwrap()).await.is_err());
        assert!(led(&["1.1.1.1:0", "[2606:4700::1111]:0"], &[]).await);
        for home in [&["127.0.0.1:0"][..], &["1.1.1.1:0", "10.0.0.1:0"], &["[::ffff:1.1.1.1]:0"], &[]] {
            assert!(!led(home, &[]).await, "{home:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_exempt_is_so_at_its_port_only() {
        assert!(led(&["127.0.0.1:7"], &["127.0.0.1:7"]).await);
        assert!(!led(&["127.0.0.1:8"], &["127.0.0.1:7"]).await);
        assert!(!led(&["127.0.0.1:7", "127.0.0.1:8"], &["127.0.0.1:7"]).await);
    }
}
