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
    /// Whether more is in it than any private network has (10.0.0.0/8, fc00::/7).
    #[must_use]
    pub const fn is_too_wide(self) -> bool {
        self.bits < 7
    }

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

/// The header in which proxies say for whom they ask. They write one of the two, and hand the other on as it came, from
/// whoever wrote it: it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedBy {
    #[default]
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl ForwardedBy {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The hops that it names, the nearest last; none for one that has no address.
    fn hops(self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let values = headers.get_all(self.as_str()).iter();
        // What is no text says nothing, and nothing before it can be believed either.
        let hops = values.flat_map(|value| value.to_str().unwrap_or_default().split(',')).map(str::trim);
        match self {
            Self::XForwardedFor => hops.map(address).collect(),
            Self::Forwarded => hops.map(|hop| address(forwarded_for(hop)?)).collect(),
        }
    }
}

impl FromStr for ForwardedBy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let known = [Self::XForwardedFor, Self::Forwarded];
        known.into_iter().find(|header| text.eq_ignore_ascii_case(header.as_str())).ok_or(())
    }
}

/// Who may say on whose behalf they ask, and in which header.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<Network>,
    header: ForwardedBy,
    /// Of a proxy beside us.
    warned: AtomicBool,
    /// Of one that is further away, which may be a stranger's word, too: it must not use up the other warning.
    warned_of_far: AtomicBool,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<Network>, header: ForwardedBy) -> Self {
        Self { trusted, header, warned: AtomicBool::new(false), warned_of_far: AtomicBool::new(false) }
    }

    /// The address that the request comes from; none if it did not come over a network.
    pub(super) fn client_of(&self, request: &Request) -> Option<ClientAddress> {
        let Addr::SocketAddr(peer) = &request.remote_addr().0 else { return None };
        Some(ClientAddress(self.client_behind(peer.ip().to_canonical(), request.headers())))
    }

    fn client_behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            if let Some(warning) = self.warning_once(peer, headers) {
                tracing::warn!(%peer, "{warning}");
            }
            return peer;
        }
        self.first_stranger(peer, &self.header.hops(headers))
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

    /// A proxy that nobody trusts makes one client of all that stand behind it. What is said of that, once of those beside us and
    /// once of others.
    fn warning_once(&self, peer: IpAddr, headers: &HeaderMap) -> Option<&'static str> {
        let forwards = [ForwardedBy::XForwardedFor, ForwardedBy::Forwarded];
        if !forwards.iter().any(|header| headers.contains_key(header.as_str())) {
            return None;
        }
        let (warned, warning) = if is_near(peer) {
            let warning = "requests are handed on by a proxy that TRUSTED_PROXIES does not name: all its clients share one rate limit, and \
                           count as one in sessions and logs";
            (&self.warned, warning)
        } else {
            let warning = "a request says for whom it is handed on, and comes from an address that TRUSTED_PROXIES does not name: if that is \
                           a proxy of yours, name it, for all its clients share one rate limit; else somebody has made it up, and it counts \
                           for nothing";
            (&self.warned_of_far, warning)
        };
        (!warned.swap(true, Ordering::Relaxed)).then_some(warning)
    }
}

/// On this machine or in its private network, also one that carriers and clusters share (100.64.0.0/10).
fn is_near(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(peer) => {
            let shared = u32::from_be_bytes([100, 64, 0, 0]);
            peer.is_loopback() || peer.is_private() || peer.is_link_local() || peer.to_bits() >> 22 == shared >> 22
        }
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local(),
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

    /// The client of a request from `peer` with these headers, where 10.0.0.0/8 and ::1 are proxies that write `header`.
    fn client_by(header: ForwardedBy, peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()], header);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let peer: IpAddr = peer.parse().unwrap();
        proxies.client_behind(peer.to_canonical(), &map).to_string()
    }

    fn client(peer: &str, headers: &[(&str, &str)]) -> String {
        client_by(ForwardedBy::XForwardedFor, peer, headers)
    }

    #[test]
    fn only_proxies_that_are_named_speak_for_others() {
        let forged = [("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=1.1.1.1")];
        for header in [ForwardedBy::XForwardedFor, ForwardedBy::Forwarded] {
            assert_eq!(client_by(header, "203.0.113.5", &forged), "203.0.113.5");
            assert_eq!(client_by(header, "10.1.2.3", &forged), "1.1.1.1");
            assert_eq!(client_by(header, "10.1.2.3", &[]), "10.1.2.3");
            assert_eq!(client_by(header, "::ffff:10.1.2.3", &forged), "1.1.1.1");
            assert_eq!(client_by(header, "::1", &forged), "1.1.1.1");
        }
    }

    #[test]
    fn a_proxy_that_nobody_trusts_is_warned_of_once_near_and_far() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()], ForwardedBy::XForwardedFor);
        let warned = |peer: &str, header: &str| {
            let mut map = HeaderMap::new();
            map.append(header.parse::<HeaderName>().unwrap(), "for=1.1.1.1".parse().unwrap());
            proxies.warning_once(peer.parse().unwrap(), &map)
        };
        assert_eq!(warned("203.0.113.5", "user-agent"), None);
        assert!(warned("203.0.113.5", "x-forwarded-for").unwrap().contains("if that is a proxy of yours"));
        assert_eq!(warned("203.0.113.6", "x-forwarded-for"), None, "once");
        // A stranger has not used it up; and the header that is not the set one tells of a proxy as well.
        assert!(warned("100.64.3.2", "forwarded").unwrap().starts_with("requests are handed on by a proxy"));
        assert_eq!(warned("127.0.0.1", "x-forwarded-for"), None, "once");
    }

    #[test]
    fn the_last_stranger_is_the_client_whatever_stands_before_him() {
        for (value, expected) in [
            ("6.6.6.6, 203.0.113.5", "203.0.113.5"),
            ("6.6.6.6, 203.0.113.5, 10.9.9.9", "203.0.113.5"),
            ("10.6.6.6, 203.0.113.5, 10.7.7.7, ::1, 10.9.9.9", "203.0.113.5"),
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
            ("for=6.6.6.6", "10.1.2.3"),
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
            ("for=6.6.6.6, for=203.0.113.5, for=10.7.7.7;by=10.9.9.9, For=\"10.9.9.9:80\"", "203.0.113.5"),
            ("proto=https; For=\"[2001:db8::7]:80\"", "2001:db8::7"),
            ("for=6.6.6.6, for=_hidden, for=10.9.9.9", "10.9.9.9"),
            ("for=_hidden", "10.1.2.3"),
            ("by=203.0.113.5", "10.1.2.3"),
            ("203.0.113.5", "10.1.2.3"),
            ("for=6.6.6.6, ;;=,", "10.1.2.3"),
        ] {
            let said = [("forwarded", value)];
            assert_eq!(client_by(ForwardedBy::Forwarded, "10.1.2.3", &said), expected, "{value}");
        }
    }

    #[test]
    fn what_the_proxy_does_not_write_says_nothing_whether_it_agrees_or_not() {
        for other in ["for=6.6.6.6", "for=203.0.113.5", "for=_x", "=;,", "", "for=10.9.9.9, for=6.6.6.6"] {
            let both = [("forwarded", other), ("x-forwarded-for", "203.0.113.5")];
            assert_eq!(client("10.1.2.3", &both), "203.0.113.5", "{other}");
            assert_eq!(client("10.1.2.3", &both[..1]), "10.1.2.3", "{other}");
        }
        let both = [("x-forwarded-for", "6.6.6.6"), ("forwarded", "for=203.0.113.5")];
        assert_eq!(client_by(ForwardedBy::Forwarded, "10.1.2.3", &both), "203.0.113.5");
        assert_eq!(client_by(ForwardedBy::Forwarded, "10.1.2.3", &both[..1]), "10.1.2.3");
    }

    #[test]
    fn a_header_is_one_of_two() {
        assert_eq!("X-Forwarded-For".parse(), Ok(ForwardedBy::XForwardedFor));
        assert_eq!("forwarded".parse(), Ok(ForwardedBy::Forwarded));
        for wrong in ["", "x-real-ip", "forwarded, x-forwarded-for"] {
            assert_eq!(wrong.parse::<ForwardedBy>(), Err(()), "{wrong}");
        }
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
