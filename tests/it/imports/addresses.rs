//! Addresses that somebody might name to get at what only we can reach: not one of them leads to a connection.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use egress::{Client, GetError, Hosts, Lookup, Settings};
use futures_util::{FutureExt as _, future::BoxFuture};
use harness::TestApp;
use serde_json::json;

use super::{
    host::{Canary, Host, Reply},
    import, judged, refused,
};
use crate::stage::Stage;

/// What is nobody's on the internet, of the first family.
const V4: [[u8; 4]; 16] = [
    [127, 0, 0, 1],
    [127, 1, 2, 3],
    [127, 255, 255, 254],
    [0, 0, 0, 0],
    [10, 0, 0, 1],
    [100, 64, 0, 1],
    [169, 254, 169, 254],
    [172, 16, 0, 1],
    [172, 17, 0, 1],
    [192, 0, 0, 192],
    [192, 168, 0, 1],
    [192, 168, 1, 254],
    [198, 18, 0, 1],
    [224, 0, 0, 1],
    [240, 0, 0, 1],
    [255, 255, 255, 255],
];

/// The same of the second one.
const V6: [&str; 12] = [
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "3fff::1",
    "100::1",
    "5f00::1",
];

/// Ways to write an address of the first family that some parser or other understands.
fn written(ip: [u8; 4]) -> Vec<String> {
    let [a, b, c, d] = ip;
    let (n, v4) = (u32::from_be_bytes(ip), Ipv4Addr::from(ip));
    let (high, low) = (n >> 16, n & 0xffff);
    let swap = |digits: &str, zero: u32| -> String {
        let other = |digit: char| digit.to_digit(10).and_then(|digit| char::from_u32(zero + digit)).unwrap_or(digit);
        digits.chars().map(other).collect()
    };
    vec![
        v4.to_string(),
        format!("{v4}."),
        n.to_string(),
        format!("{n:#x}"),
        format!("0{n:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:04}.{b:04}.{c:04}.{d:04}"),
        format!("{a}.{}", n & 0x00ff_ffff),
        format!("{a}.{b}.{low}"),
        format!("{a:#x}.{b}.0{low:o}"),
        // Parsers with small numbers see the same in it.
        (u64::from(n) + (1 << 32)).to_string(),
        swap(&v4.to_string(), 0xff10),
        v4.to_string().replace('.', "\u{3002}"),
        v4.to_string().replace('.', "%2e"),
        format!("%{:02x}{}", v4.to_string().as_bytes()[0], &v4.to_string()[1..]),
        format!("[::ffff:{v4}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{v4}]"),
        format!("[::{v4}]"),
        format!("[::ffff:0:{v4}]"),
        format!("[64:ff9b::{v4}]"),
        format!("[64:ff9b:1::{v4}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::]"),
        format!("[fe80::5efe:{v4}]"),
        format!("{v4}.nip.io"),
    ]
}

/// More than 600, those at the canary's port among them.
fn corpus(port: u16) -> Vec<String> {
    let mut hosts: Vec<String> = V4.into_iter().flat_map(written).collect();
    hosts.extend(V6.iter().map(|ip| format!("[{ip}]")));
    hosts.extend(
        [
            "[::1%25lo]",
            "[::1%lo]",
            "[0:0:0:0:0:0:0:1]",
            "[::0001]",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "x.localhost",
            "localhost.localdomain",
            "ip6-localhost",
            "metadata.google.internal",
            "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
            "loc\u{ad}alhost",
            "l\u{f6}calhost",
            "media.test.",
            "media.test..",
            ".media.test",
            "media.test.localhost",
            "xmedia.test",
            "cdn.test",
            "media。test.evil.test",
            "mediа.test",
            "xn--medi-53d.test",
            "media.test%00.evil.test",
            "media.test%2f.evil.test",
            "media%2etest.evil.test",
            "0",
            "0x",
            "0.0",
            "00.0x0",
            "1",
            "::1",
            "fe80::1",
            "[",
            "]",
            "",
        ]
        .map(str::to_owned),
    );
    let mut urls: Vec<String> = Vec::new();
    for host in hosts {
        urls.extend([format!("https://{host}/a.mp4"), format!("https://{host}:{port}/a.mp4")]);
    }
    for at in ["127.0.0.1", "[::1]", "2130706433", "localhost"] {
        let here = format!("{at}:{port}");
        urls.extend([
            format!("https://media.test@{here}/"),
            format!("https://media.test:443@{here}/"),
            format!("https://media.test%40{here}/"),
            format!("https://{here}@media.test/"),
            format!("https://{here}#@media.test/"),
            format!("https://{here}?@media.test/"),
            format!("https://{here}\\@media.test/"),
            format!("https://media.test\\@{here}/"),
            format!("https://media.test#@{here}/"),
            format!("https://a:b@media.test:c@{here}/"),
            format!("https:\\\\{here}\\"),
            format!("https:/{here}/"),
            format!("https:{here}/"),
            format!("https:///{here}/"),
            format!("https://\t{here}/"),
            format!("ht\ntps://{here}/"),
            format!(" https://{here}/"),
            format!("https://media.test\r\nhost: {here}/"),
            format!("//{here}/"),
            format!("\\\\{here}\\a"),
        ]);
        for scheme in [
            "http",
            "HTTP",
            "ftp",
            "file",
            "gopher",
            "dict",
            "ldap",
            "tftp",
            "ws",
            "wss",
            "jar:https",
            "view-source:https",
            "blob:https",
            "unix",
            "smb",
            "sftp",
        ] {
            urls.push(format!("{scheme}://{here}/"));
        }
    }
    urls.extend(
        [
            "data:video/mp4;base64,AAAA",
            "javascript:alert(1)",
            "about:blank",
            "file:///etc/passwd",
            "file://localhost/etc/passwd",
            "/etc/passwd",
            "a",
            "https://",
            "https:",
            "https",
            "?",
            "#",
            "https://?",
            "https://#",
            "https://%",
        ]
        .map(str::to_owned),
    );
    urls
}

/// Where names lead, each time to the next of their places; the last ones stay.
#[derive(Debug)]
struct Said(Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>);

impl Lookup for Said {
    fn look<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let mut names = self.0.lock().unwrap();
        let places = names.get_mut(name).expect("a name of the story");
        let found = if places.len() > 1 { places.remove(0) } else { places[0].clone() };
        async move { Ok(found) }.boxed()
    }
}

/// A client for which names lead there; two of them may be asked at the host in clear.
fn led(host: &Host, names: impl IntoIterator<Item = (String, Vec<Vec<SocketAddr>>)>) -> Client {
    let hosts: Hosts = "media.test,*.trap.test".parse().unwrap();
    let lookup = Arc::new(Said(Mutex::new(names.into_iter().collect())));
    let names = ["media.test", "a.trap.test"].map(|name| (name.to_owned(), host.address));
    let patience = Duration::from_secs(10);
    Client::new(Settings { lookup, exempt: names.into(), ..Settings::new(hosts, patience) }).unwrap()
}

/// Listeners at all addresses of this machine, each of which hears.
async fn canaries() -> Vec<Canary> {
    let everywhere = Canary::set();
    everywhere.is_heard(IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
    let usual = ["127.0.0.1:443", "[::1]:443", "127.0.0.1:80", "[::1]:80"].into_iter().filter_map(Canary::at);
    [everywhere].into_iter().chain(usual).collect()
}

fn nobody_came(canaries: &[Canary]) {
    for canary in canaries {
        assert_eq!(canary.came(), 0, "at port {}", canary.port);
    }
}

/// What parsers make of it is the host of the list all the same.
fn is_the_hosts(url: &str) -> bool {
    let parsed = reqwest::Url::parse(url).ok();
    parsed.is_some_and(|url| url.host_str() == Some("media.test") && url.port().is_none())
}

#[tokio::test]
async fn no_address_that_is_named_leads_into_our_own_network() {
    let canaries = canaries().await;
    let host = Host::open();
    let stage = Stage::on(host.known_to(TestApp::builder()).start().await).await;
    let urls = corpus(canaries[0].port);
    assert!(urls.len() > 600, "{}", urls.len());
    let mut fetched = 0;
    for url in &urls {
        let answer = import(&stage.streamer, &json!({ "url": url }), &[]).await;
        match answer.status.as_u16() {
            400 => {
                assert_eq!(answer.error_code(), if url.is_empty() { "VALIDATION_ERROR" } else { "INVALID_MEDIA_URL" })
            }
            202 => {
                assert!(is_the_hosts(url), "{url}");
                fetched += 1;
            }
            other => panic!("{url}: {other} {}", answer.text),
        }
    }
    assert!(fetched < 10, "{fetched}");
    stage.app.drain().await;
    nobody_came(&canaries);
}

#[tokio::test]
async fn no_redirect_leads_into_our_own_network() {
    let canaries = canaries().await;
    let host = Host::open();
    let client = led(&host, [("media.test".to_owned(), vec![vec![host.address]])]);
    let urls = corpus(canaries[0].port);
    for (number, to) in urls.iter().enumerate() {
        let path = format!("/{number}");
        let url = host.at(&path, &[Reply::Redirect(to.replace(['\r', '\n'], ""))]);
        match client.get(&url).await {
            // What is relative, and some odd words for the host itself, stay there.
            Ok(answer) => assert_eq!(answer.status(), 404, "{to}"),
            Err(GetError::Away(why)) => panic!("{to} was asked: {why}"),
            Err(_) => {}
        }
    }
    assert!(host.asked().iter().all(|line| line.ends_with(" media.test")), "{:?}", host.asked());
    assert!(host.asked().len() >= urls.len(), "each was tried");
    nobody_came(&canaries);
}

#[tokio::test]
async fn no_name_leads_into_our_own_network_whatever_it_led_to_before() {
    let canaries = canaries().await;
    let (host, port) = (Host::open(), canaries[0].port);
    let mut places: Vec<IpAddr> = V6.iter().map(|ip| ip.parse().unwrap()).collect();
    for ip in V4 {
        let v4 = Ipv4Addr::from(ip);
        let [a, b, c, d] = ip.map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        places.push(v4.into());
        places.push(v4.to_ipv6_mapped().into());
        for first in
            [[0x64, 0xff9b, 0, 0, 0, 0], [0x2002, high, low, 0, 0, 0], [0; 6], [0x2606, 0x4700, 0, 0, 0, 0x5efe]]
        {
            let [a, b, c, d, e, f] = first;
            places.push(Ipv6Addr::new(a, b, c, d, e, f, high, low).into());
        }
    }
    // Of this machine, whatever it is called in its network.
    let outward = std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    // One that stands in the internet itself is somebody there.
    places.extend(outward.ok().map(|own| own.ip()).filter(|own| !egress::is_public(*own)));
    let public = SocketAddr::from(([1, 1, 1, 1], 1));
    let traps: HashMap<String, Vec<Vec<SocketAddr>>> = places
        .iter()
        .map(|ip| SocketAddr::from((*ip, port)))
        .flat_map(|place| [vec![place], vec![public, place], vec![host.address, place]])
        .enumerate()
        .map(|(number, answer)| (format!("t{number}.trap.test"), vec![answer]))
        .collect();
    // The first answer is good, and each one after it leads home: each connection asks anew and none is made.
    let home = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let others = [
        ("a.trap.test".to_owned(), vec![vec![host.address], vec![home]]),
        ("b.trap.test".to_owned(), vec![vec![host.address]]),
    ];
    let client = led(&host, traps.clone().into_iter().chain(others));
    for (name, places) in traps {
        let found = client.get(&format!("https://{name}/a.mp4")).await;
        assert!(matches!(found, Err(GetError::Private(_))), "{places:?}: {found:?}");
    }
    host.at("/again", &[Reply::Redirect("/again".to_owned())]);
    let rebound = client.get("https://a.trap.test/again").await;
    assert!(matches!(rebound, Err(GetError::Private(_))), "{rebound:?}");
    assert_eq!(host.asked(), ["/again a.trap.test"]);
    // A name that may not be asked in clear is asked by TLS or not at all, also where it leads to a server that is known.
    let other = client.get("https://b.trap.test/again").await;
    assert!(matches!(other, Err(GetError::Away(_))), "{other:?}");
    assert_eq!(host.asked().len(), 1);
    nobody_came(&canaries);
}

#[tokio::test]
async fn a_sender_hears_that_the_name_leads_into_a_private_network() {
    let canaries = canaries().await;
    let (host, port) = (Host::open(), canaries[0].port);
    let traps = ["0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "10.0.0.1", "[fe80::1]"];
    let entries: Vec<String> =
        traps.iter().enumerate().map(|(number, ip)| format!("t{number}.cdn.test={ip}:{port}")).collect();
    let [(hosts, known), (resolve, led)] = host.env();
    let builder = TestApp::builder().env(hosts, &known).env(resolve, &format!("{led},{}", entries.join(",")));
    let stage = Stage::on(builder.start().await).await;
    for number in 0..traps.len() {
        let url = format!("https://t{number}.cdn.test/a.mp4");
        let answer = judged(&stage.streamer, &stage, &url).await;
        refused(&answer, 400, "INVALID_MEDIA_URL");
        assert!(answer.text.contains("private network"), "{}", answer.text);
        let back = host.at("/back", &[Reply::Redirect(url)]);
        refused(&judged(&stage.streamer, &stage, &back).await, 400, "INVALID_MEDIA_URL");
    }
    stage.app.drain().await;
    nobody_came(&canaries);
}
