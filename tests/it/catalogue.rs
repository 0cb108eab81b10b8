//! A channel's memes as viewers look through them: orders, conditions, pages, words, tags.

use std::time::Duration;

use domain::{
    media::{self, MediaType, NewAsset, NewFile},
    memes::{self, NewMeme},
};
use harness::{Answer, Session};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    reviews::{decide, picture},
    stage::Stage,
};

/// A meme of this kind and length in seconds.
pub(crate) async fn meme(
    stage: &Stage,
    title: &str,
    tags: &[&str],
    price: Option<i64>,
    kind: MediaType,
    seconds: i32,
) -> Uuid {
    let hash = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let mut tx = stage.app.db.begin().await.unwrap();
    media::add_reference(&mut tx, NewFile { hash: &hash, size: 1, mime_type: "video/mp4" }).await.unwrap();
    let asset = NewAsset {
        kind,
        file_hash: &hash,
        source_hash: None,
        duration_ms: seconds * 1000,
        width: Some(16),
        height: Some(16),
        loudness: None,
    };
    let asset_id = media::create_asset(&mut tx, asset).await.unwrap().id;
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let created_by = stage.streamer.user_id.parse().unwrap();
    let new = NewMeme { channel_id: stage.channel_id, asset_id, title, price, created_by, tags: &tags };
    let id = memes::create(&mut tx, new).await.unwrap().id;
    tx.commit().await.unwrap();
    // Two memes are never of one moment.
    stage.app.advance(Duration::from_secs(1)).await;
    id
}

async fn titled(stage: &Stage, title: &str) -> Uuid {
    meme(stage, title, &[], None, MediaType::Video, 2).await
}

fn titles(page: &Value) -> Vec<String> {
    page.as_array().unwrap().iter().map(|meme| meme["title"].as_str().unwrap().to_owned()).collect()
}

async fn listed(who: &Session, path: &str) -> Vec<String> {
    titles(&who.get(path).await.expect(200))
}

/// All pages of two, one after the other.
async fn leafed(who: &Session, path: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: Answer = who.get(&format!("{path}&limit=2{cursor}")).await;
        seen.extend(titles(&page.json));
        assert!(seen.len() < 100, "the pages go round: {seen:?}");
        assert_eq!(
            page.header("x-has-more"),
            if page.headers.contains_key("x-next-cursor") { "true" } else { "false" }
        );
        match page.headers.get("x-next-cursor") {
            Some(next) => cursor = format!("&cursor={}", next.to_str().unwrap()),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn the_catalogue_has_an_order_for_each_wish_and_its_pages_leave_nothing_out() {
    let stage = Stage::open().await;
    stage
        .streamer
        .patch("/streamer/channel/settings", &json!({ "defaultPrice": 10, "pricePerSecond": 5 }))
        .await
        .expect(200);
    // In the order in which they come to be; what they cost beside it.
    meme(&stage, "Ёж", &["a"], Some(30), MediaType::Gif, 1).await; // 30
    meme(&stage, "арбуз", &["a", "b"], None, MediaType::Video, 4).await; // 30
    meme(&stage, "Zebra", &["b"], None, MediaType::Video, 1).await; // 15
    meme(&stage, "apple", &[], Some(15), MediaType::Audio, 9).await; // 15
    meme(&stage, "Дом", &["a"], None, MediaType::Image, 4).await; // 30
    meme(&stage, "banana", &["a"], Some(0), MediaType::Video, 3).await; // 0
    let nobody = stage.app.anonymous();
    for (query, expected) in [
        ("?sort=newest", vec!["banana", "Дом", "apple", "Zebra", "арбуз", "Ёж"]),
        ("?sort=title", vec!["apple", "banana", "Zebra", "арбуз", "Дом", "Ёж"]),
        ("?sort=price", vec!["banana", "apple", "Zebra", "Ёж", "арбуз", "Дом"]),
        ("?tag=a", vec!["banana", "Дом", "арбуз", "Ёж"]),
        ("?tag=A&sort=title", vec!["banana", "арбуз", "Дом", "Ёж"]),
        ("?tag=a&sort=price", vec!["banana", "Ёж", "арбуз", "Дом"]),
        ("?type=video", vec!["banana", "Zebra", "арбуз"]),
        ("?type=video&tag=b&sort=title", vec!["Zebra", "арбуз"]),
        ("?minPrice=15&maxPrice=29", vec!["apple", "Zebra"]),
        ("?minPrice=16&sort=price", vec!["Ёж", "арбуз", "Дом"]),
        ("?tag=none", vec![]),
    ] {
        for path in ["/channels/demo/memes", "/public/channels/Demo/memes"] {
            let path = format!("{path}{query}");
            assert_eq!(listed(&nobody, &path).await, expected, "{path}");
            assert_eq!(leafed(&nobody, &path).await, expected, "{path}, leaf by leaf");
        }
        let page = stage.streamer.get(&format!("/streamer/memes{query}&limit=1&offset=1")).await;
        assert_eq!(titles(&page.json), expected.iter().skip(1).take(1).copied().collect::<Vec<_>>(), "{query}");
        assert_eq!(page.header("x-total-count"), expected.len().to_string(), "{query}");
        assert_eq!(leafed(&nobody, &format!("/memes?channelId={}&{}", stage.channel_id, &query[1..])).await, expected);
    }
}

#[tokio::test]
async fn pages_repeat_nothing_while_memes_come_and_go() {
    let stage = Stage::open().await;
    for number in 0..5 {
        titled(&stage, &format!("meme {number}")).await;
    }
    let page = stage.streamer.get("/channels/demo/memes?limit=2").await;
    assert_eq!(titles(&page.json), ["meme 4", "meme 3"]);
    titled(&stage, "another").await;
    let gone = page.json[1]["id"].as_str().unwrap().to_owned();
    stage.streamer.delete(&format!("/streamer/memes/{gone}")).await.expect(204);
    let next = page.header("x-next-cursor").to_owned();
    let rest = stage.streamer.get(&format!("/channels/demo/memes?cursor={next}")).await;
    assert_eq!(titles(&rest.json), ["meme 2", "meme 1", "meme 0"]);
    for wrong in [
        format!("/channels/demo/memes?sort=title&cursor={next}"),
        format!("/channels/demo/memes?offset=2&cursor={next}"),
        format!("/public/channels/demo/memes/search?q=meme&cursor={next}"),
        "/channels/demo/memes?cursor=x".to_owned(),
        "/channels/demo/memes?sort=best".to_owned(),
        format!("/public/channels/demo/memes/search?q={}", "x".repeat(201)),
        "/public/channels/demo/memes/search?q=%00".to_owned(),
        "/public/channels/demo/memes/search".to_owned(),
        "/channels/demo/memes?tag=%00".to_owned(),
    ] {
        let answer = stage.streamer.get(&wrong).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    let unnamed = stage.streamer.get("/channels/memes/search?q=meme").await;
    assert_eq!((unnamed.status.as_u16(), unnamed.error_code()), (400, "MISSING_CHANNEL_ID"));
}

#[tokio::test]
async fn a_search_knows_the_forms_of_words_in_two_languages_and_forgives_a_slip() {
    let stage = Stage::open().await;
    meme(&stage, "Смешной котик танцует", &["Коты"], Some(5), MediaType::Video, 3).await;
    meme(&stage, "Ёлка упала", &["новый год"], None, MediaType::Gif, 2).await;
    meme(&stage, "Funny explosions", &["boom"], Some(50), MediaType::Video, 2).await;
    meme(&stage, "Кто там?", &[], None, MediaType::Audio, 1).await;
    meme(&stage, "100% o'clock; drop table", &[], None, MediaType::Image, 1).await;
    let nobody = stage.app.anonymous();
    let found = async |query: &str| listed(&nobody, &format!("/public/channels/demo/memes/search?{query}")).await;
    for (query, expected) in [
        ("q=котик", vec!["Смешной котик танцует"]),
        ("q=КОТИКАМИ", vec!["Смешной котик танцует"]),
        ("q=смешные+танцующие+коты", vec!["Смешной котик танцует"]),
        ("q=смешные+спящие+коты", vec![]),
        ("q=смешные+коты", vec!["Смешной котик танцует"]),
        ("q=танц", vec!["Смешной котик танцует"]),
        ("q=елки", vec!["Ёлка упала"]),
        ("q=новым+годом", vec!["Ёлка упала"]),
        ("q=explosion", vec!["Funny explosions"]),
        ("q=exploding+funny", vec![]),
        ("q=explosoin", vec!["Funny explosions"]),
        ("q=коитк", vec!["Смешной котик танцует"]),
        ("q=funny+explsions", vec!["Funny explosions"]),
        ("q=кто+там", vec!["Кто там?"]),
        ("q=o'clock", vec!["100% o'clock; drop table"]),
        ("q='+|+!+:*", vec![]),
        ("q=собака", vec![]),
        ("q=", vec![]),
        ("q=котик&tag=коты&type=video&maxPrice=5", vec!["Смешной котик танцует"]),
        ("q=котик&minPrice=6", vec![]),
        ("q=котик&type=gif", vec![]),
        ("q=котик&tag=boom", vec![]),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    let same = format!("/channels/memes/search?channelId={}&q=boom", stage.channel_id);
    assert_eq!(listed(&nobody, &same).await, ["Funny explosions"]);
    assert_eq!(listed(&nobody, "/channels/memes/search?channelSlug=DEMO&q=boom").await, ["Funny explosions"]);
}

#[tokio::test]
async fn the_best_are_found_first_page_by_page_and_in_their_own_channel_only() {
    let stage = Stage::open().await;
    meme(&stage, "A quiet evening", &["cats"], None, MediaType::Video, 2).await;
    for number in 0..3 {
        titled(&stage, &format!("cats {number}")).await;
    }
    let rival = stage.app.login("rival", "streamer").await;
    let elsewhere = "/public/channels/rival/memes/search?q=cat";
    assert_eq!(listed(&rival, elsewhere).await, [""; 0]);
    let path = "/public/channels/demo/memes/search?q=cats";
    let expected = ["cats 2", "cats 1", "cats 0", "A quiet evening"];
    assert_eq!(listed(&rival, path).await, expected);
    assert_eq!(leafed(&rival, path).await, expected);
    let page = rival.get(&format!("{path}&limit=1&offset=3")).await;
    assert_eq!((titles(&page.json), page.header("x-total-count")), (vec!["A quiet evening".to_owned()], "4"));
    assert_eq!(rival.get(&format!("{path}&offset=9")).await.header("x-total-count"), "4");
    // What is gone, or called something else, is not found any more.
    let all = rival.get("/channels/demo/memes").await.expect(200);
    let id = |at: usize| all[at]["id"].as_str().unwrap().to_owned();
    stage.streamer.delete(&format!("/streamer/memes/{}", id(0))).await.expect(204);
    stage.streamer.patch(&format!("/streamer/memes/{}", id(1)), &json!({ "title": "dogs" })).await.expect(200);
    assert_eq!(listed(&rival, path).await, ["cats 0", "A quiet evening"]);
}

#[tokio::test]
async fn tags_are_kept_small_counted_and_carried_over_from_what_was_sent_in() {
    let stage = Stage::open().await;
    let anna = stage.app.login("anna", "viewer").await;
    let sent = picture(&stage).await.with("tags", r#"["Cats", "so  Cute"]"#).judged(&anna).await.expect(202);
    decide(&stage.streamer, sent["id"].as_str().unwrap(), "approve", &json!({})).await.expect(200);
    let first = stage.streamer.get("/channels/demo/memes").await.expect(200)[0].clone();
    assert_eq!(first["tags"], json!(["cats", "so cute"]));
    meme(&stage, "other", &["cats"], None, MediaType::Video, 1).await;
    let count = |tag: &str, count: i64| json!({ "tag": tag, "count": count });
    let nobody = stage.app.anonymous();
    for path in ["/channels/demo/tags?".to_owned(), format!("/tags?channelId={}", stage.channel_id)] {
        assert_eq!(nobody.get(&path).await.expect(200), json!([count("cats", 2), count("so cute", 1)]), "{path}");
        assert_eq!(nobody.get(&format!("{path}&q=SO")).await.expect(200), json!([count("so cute", 1)]), "{path}");
        assert_eq!(nobody.get(&format!("{path}&limit=1")).await.expect(200), json!([count("cats", 2)]), "{path}");
    }
    let path = format!("/streamer/memes/{}", first["id"].as_str().unwrap());
    let changed = stage.streamer.patch(&path, &json!({ "tags": ["Dogs", "dogs "] })).await.expect(200);
    assert_eq!(changed["tags"], json!(["dogs"]));
    assert_eq!(listed(&nobody, "/channels/demo/memes?tag=cats").await, ["other"]);
    assert_eq!(stage.streamer.patch(&path, &json!({ "title": "A dog" })).await.expect(200)["tags"], json!(["dogs"]));
    let many: Vec<String> = (0..21).map(|number| number.to_string()).collect();
    for wrong in [json!([""]), json!(["x".repeat(51)]), json!(many), json!(["a\u{0}b"])] {
        let answer = stage.streamer.patch(&path, &json!({ "tags": wrong })).await;
        assert_eq!((answer.status.as_u16(), answer.error_code()), (400, "VALIDATION_ERROR"), "{wrong}");
    }
    stage.streamer.delete(&path).await.expect(204);
    assert_eq!(nobody.get("/channels/demo/tags").await.expect(200), json!([count("cats", 1)]));
    stage.app.drain().await;
}

#[tokio::test]
async fn a_closed_channel_shows_nothing_and_a_forgotten_one_leaves_no_words() {
    let stage = Stage::open().await;
    meme(&stage, "Secret words", &["secret"], None, MediaType::Video, 1).await;
    let nobody = stage.app.anonymous();
    let shown = nobody.get("/public/channels/DEMO").await.expect(200);
    assert_eq!(shown, nobody.get("/channels/demo").await.expect(200));
    stage.streamer.delete("/users/me").await.expect(202);
    for path in [
        "/public/channels/demo",
        "/public/channels/demo/memes",
        "/public/channels/demo/memes/search?q=secret",
        "/channels/memes/search?channelSlug=demo&q=secret",
        "/channels/demo/tags",
    ] {
        assert_eq!(nobody.get(path).await.error_code(), "CHANNEL_NOT_FOUND", "{path}");
    }
    stage.app.drain().await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from meme_words) + (select count(*) from meme_tags)
              + (select count(*) from memes where tags <> '{}' or search @@ 'secret')",
    )
    .fetch_one(stage.app.pool())
    .await
    .unwrap();
    assert_eq!(left, 0);
}
