//! Looking through a channel of 100,000 memes: pages of the catalogue in all orders, and searches.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::ensure;
use rand::{RngExt as _, seq::IndexedRandom as _};
use tokio::task::JoinSet;

use crate::{
    Bench,
    cluster::Cluster,
    http::Connection,
    report::{Section, Target},
    samples::{Samples, Summary},
    seed,
};

const DATABASE: &str = "catalogue";
/// People who look at once; the server, its database and they share two cores.
const VISITORS: usize = 2;
const PAGE_P99_MS: f64 = 20.0;
const SEARCH_P95_MS: f64 = 50.0;

/// Titles and tags are made of these and of numbers.
pub(crate) const WORDS: [&str; 24] = [
    "кот",
    "собака",
    "танец",
    "взрыв",
    "победа",
    "поражение",
    "машина",
    "медведь",
    "лягушка",
    "стример",
    "громкий",
    "смешной",
    "cat",
    "dance",
    "explosion",
    "victory",
    "laughing",
    "dramatic",
    "moment",
    "frog",
    "summer",
    "loud",
    "happy",
    "epic",
];
/// What people type for some of them.
const TYPED: [&str; 12] = [
    "котами",
    "собаки",
    "танцы",
    "взрывы",
    "стримера",
    "громкая",
    "cats",
    "explosions",
    "explosoin",
    "лягушак",
    "happyy",
    "медве",
];
const PAGES: [&str; 8] = [
    "sort=newest",
    "sort=popular",
    "sort=price",
    "sort=title",
    "type=video",
    "tag=cat",
    "tag=epic&sort=price",
    "minPrice=50",
];

pub(crate) async fn measure(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Section> {
    let memes = bench.plan.memes;
    seed::catalogue(bench, cluster, DATABASE, memes).await?;
    let server = seed::start_ours(bench, cluster, DATABASE, "catalogue").await?;
    server.says("Try it").await?;
    let mut figures = Vec::new();
    for ask in [page, question] {
        look(server.address, bench.plan.warm_up, ask).await?;
        figures.push(look(server.address, bench.plan.round, ask).await?.summary());
    }
    server.stop().await?;
    cluster.drop(DATABASE).await?;

    let [pages, searches] = &figures[..] else { unreachable!("two kinds were asked for") };
    let mut section =
        Section::new(format!("A channel of {memes} memes: {VISITORS} people look, each as fast as it answers"));
    section.columns(&["", "p50 ms", "p95 ms", "p99 ms", "answers"]);
    let row = |name: &str, of: &Summary| {
        let figure = |figure: f64| format!("{figure:.1}");
        vec![name.to_owned(), figure(of.p50_ms), figure(of.p95_ms), figure(of.p99_ms), of.count.to_string()]
    };
    section.row(row("a page of the catalogue, 50 memes in any order", pages));
    section.row(row("a search of one to three words, some with a slip", searches));
    section.target(Target::at_most("page of the catalogue, p99", pages.p99_ms, PAGE_P99_MS, "ms"));
    section.target(Target::at_most("search, p95", searches.p95_ms, SEARCH_P95_MS, "ms"));
    section.detail(&figures);
    Ok(section)
}

fn page(drawn: &mut impl rand::Rng) -> String {
    let which = PAGES.choose(drawn).copied().unwrap_or_default();
    format!("/channels/bench_catalogue/memes?{which}&offset={}", drawn.random_range(0..4) * 50)
}

fn question(drawn: &mut impl rand::Rng) -> String {
    let mut words = Vec::new();
    for _ in 0..drawn.random_range(1..=3) {
        let of: &[&str] = if drawn.random_range(0..4) == 0 { &TYPED } else { &WORDS };
        words.extend(of.choose(drawn).copied());
    }
    let mut query = String::new();
    for byte in words.join(" ").bytes() {
        query.push_str(&format!("%{byte:02x}"));
    }
    format!("/public/channels/bench_catalogue/memes/search?q={query}")
}

async fn look(
    address: SocketAddr,
    time: Duration,
    ask: impl Fn(&mut rand::rngs::ThreadRng) -> String + Copy + Send + 'static,
) -> anyhow::Result<Samples> {
    let until = Instant::now() + time;
    let mut visitors = JoinSet::new();
    for _ in 0..VISITORS {
        visitors.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut samples = Samples::default();
            while Instant::now() < until {
                let path = ask(&mut rand::rng());
                let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n");
                let begun = Instant::now();
                let (status, _) = connection.exchange(request.as_bytes()).await?;
                samples.add(begun.elapsed());
                ensure!(status == 200, "{path} got {status}");
            }
            Ok::<_, anyhow::Error>(samples)
        });
    }
    let mut all = Samples::default();
    while let Some(samples) = visitors.join_next().await {
        all.append(samples??);
    }
    Ok(all)
}
