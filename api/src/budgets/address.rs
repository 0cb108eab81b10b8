//! From which address a request comes, also through proxies: what these say counts only if the settings name them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use poem::{Addr, Request, http::HeaderMap};

/// The address of whoever asks, as far as we can know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// Whose budget it is: of IPv6, a household has a /64, and may take another address of it for each request.
    pub(super) fn holder(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            address => address,
        }
    }

    /// The network that the address is of, for whoever asks whether two are of one household: of IPv4 a /24, of IPv6 a /64.
    pub(crate) fn network(self) -> String {
        match self.holder() {
            IpAddr::V4(address) => format!("{}/24", Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
            IpAddr::V6(address) => format!("{address}/64"),
        }
    }
}

/// Addresses with the same first bits: `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| ())?;
        if bits > most { Err(()) } else { Ok(Self { address, bits }) }
    }
}

/// Who may say on whose behalf they ask.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<Network>,
    warned: AtomicBool,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>) -> Self {
        Self { trusted, warned: AtomicBool::new(false) }
    }

    /// The address that the request comes from; none if it did not come over a network.
    pub(super) fn client_of(&self, request: &Request) -> Option<ClientAddress> {
        let Addr::SocketAddr(peer) = &request.remote_addr().0 else { return None };
        Some(ClientAddress(self.client_behind(peer.ip().to_canonical(), request.headers())))
    }

    fn client_behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let list = |name: &str| -> Vec<&str> {
            let values = headers.get_all(name).iter();
            // What is no text says nothing, and nothing before it can be believed either.
            values.flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim).collect()
        };
        let (plain, standard) = (list("x-forwarded-for"), list("forwarded"));
        if !self.trusts(peer) {
            self.warn_once(peer, !plain.is_empty() || !standard.is_empty());
            return peer;
        }
        let plain: Vec<_> = plain.iter().map(|hop| address(hop)).collect();
        let standard: Vec<_> = standard.iter().map(|hop| address(forwarded_for(hop)?)).collect();
        // Proxies write one of them and hand on the other as it came, from whoever wrote it. If both are there and differ,
        // one of them is a lie.
        match (plain.is_empty(), standard.is_empty()) {
            (true, true) => peer,
            (false, true) => self.first_stranger(peer, &plain),
            (true, false) => self.first_stranger(peer, &standard),
            (false, false) => {
                let client = self.first_stranger(peer, &plain);
                if client == self.first_stranger(peer, &standard) { client } else { peer }
            }
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// The last hop that is no proxy of ours: what stands before it was written by strangers.
    fn first_stranger(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> IpAddr {
        let mut client = peer;
        for hop in hops.iter().rev() {
            // A hop without an address was hidden by the one behind it, who answers for it.
            let Some(hop) = *hop else { return client };
            client = hop;
            if !self.trusts(hop) {
                return client;
            }
        }
        client
    }

    /// A proxy on this machine or beside it that nobody trusts makes one client of all that stand behind it.
    fn warn_once(&self, peer: IpAddr, forwards: bool) {
        let near = match peer {
            IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
            IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
        };
        if forwards && near && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "requests are handed on by a proxy that TRUSTED_PROXIES does not name: all its clients share one rate limit"
            );
        }
    }
}

/// `for=` of one element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<&str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, value)| value.trim_matches('"'))
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if hop.matches(':').count() == 1 => hop.split_once(':')?.0,
        None => hop,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderName;

    use super::*;

    /// The client of a request from `peer` with these headers, where 10.0.0.0/8 and ::1 are proxies.
    fn client(peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let peer: IpAddr = peer.parse().unwrap();
        proxies.client_behind(peer.to_canonical(), &map).to_string()
    }

    #[test]
    fn only_proxies_that_are_named_speak_for_others() {
        let forged = [("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=1.1.1.1")];
        assert_eq!(client("203.0.113.5", &forged), "203.0.113.5");
        assert_eq!(client("10.1.2.3", &forged), "1.1.1.1");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(client("::ffff:10.1.2.3", &forged[..1]), "1.1.1.1");
        assert_eq!(client("::1", &forged[1..]), "1.1.1.1");
    }

    #[test]
    fn the_last_stranger_is_the_client_whatever_stands_before_him() {
        for (value, expected) in [
            ("6.6.6.6, 203.0.113.5", "203.0.113.5"),
            ("6.6.6.6, 203.0.113.5, 10.9.9.9", "203.0.113.5"),
            ("10.0.0.7", "10.0.0.7"),
            ("203.0.113.5:4711", "203.0.113.5"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            ("6.6.6.6, unknown", "10.1.2.3"),
            ("6.6.6.6, unknown, 10.9.9.9", "10.9.9.9"),
            ("", "10.1.2.3"),
            ("6.6.6.6,", "10.1.2.3"),
            ("1.2.3.4.5", "10.1.2.3"),
        ] {
            assert_eq!(client("10.1.2.3", &[("x-forwarded-for", value)]), expected, "{value}");
        }
        assert_eq!(
            client("10.1.2.3", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.5")]),
            "203.0.113.5",
            "several lines are one list"
        );
        for (value, expected) in [
            ("for=6.6.6.6, for=203.0.113.5;proto=https", "203.0.113.5"),
            ("proto=https; For=\"[2001:db8::7]:80\"", "2001:db8::7"),
            ("for=_hidden", "10.1.2.3"),
            ("by=203.0.113.5", "10.1.2.3"),
        ] {
            assert_eq!(client("10.1.2.3", &[("forwarded", value)]), expected, "{value}");
        }
    }

    #[test]
    fn of_two_headers_that_differ_neither_is_believed() {
        let both = |plain, standard| client("10.1.2.3", &[("x-forwarded-for", plain), ("forwarded", standard)]);
        assert_eq!(both("203.0.113.5", "for=203.0.113.5"), "203.0.113.5");
        assert_eq!(both("203.0.113.5", "for=6.6.6.6"), "10.1.2.3");
    }

    #[test]
    fn a_household_is_one_holder() {
        let holder = |text: &str| ClientAddress(text.parse().unwrap()).holder().to_string();
        assert_eq!(holder("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(holder("2001:db8:1:2:ffff::"), "2001:db8:1:2::");
        assert_eq!(holder("2001:db8:1:3::"), "2001:db8:1:3::");
        assert_eq!(holder("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn neighbours_are_of_one_network() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network();
        assert_eq!(network("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(network("::ffff:203.0.113.254"), "203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }

    #[test]
    fn networks_are_addresses_with_the_same_first_bits() {
        let contains =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
        ] {
            assert_eq!(contains(network, address), inside, "{address} in {network}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0/8", "proxy.example", "10.0.0.0/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
