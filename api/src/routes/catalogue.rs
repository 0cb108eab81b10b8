//! What viewers look through: lists, searches and tags of a channel.

use domain::{
    channels::Channel,
    memes::{self, Filter, Order, Place, Shown},
    promotions,
};
use poem::{Request, web::Data};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use queue::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Group,
    channels::{open_by_id, open_by_slug},
};
use crate::{
    app::App,
    auth::session,
    paging::{Leaf, Page, Paged},
    problem::{ErrorCode, Problem},
    views::memes::{MemeOrder, MemeType, MemeView, TagView},
};

pub(crate) struct Catalogue;

#[OpenApi(tag = "Group::Memes")]
impl Catalogue {
    /// A channel's memes
    ///
    /// What viewers can play. Pages go by `cursor`, or by `limit` and `offset`.
    #[oai(path = "/channels/:slug/memes", method = "get", operation_id = "listChannelMemes")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn of_channel(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The channel's slug.
        slug: Path<String>,
        /// Newest when absent.
        sort: Query<Option<MemeOrder>>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Coins, before promotions.
        #[oai(name = "minPrice")]
        min_price: Query<Option<i64>>,
        /// Coins, before promotions.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<i64>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let asked = Asked::new(sort.0, kind.0, tag.0, min_price.0, max_price.0)?.by(request, &app);
        let leaf = asked.leaf(limit.0, offset.0, cursor.0.as_deref())?;
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_slug(&mut conn, &slug).await?;
        asked.list(&mut conn, &channel, &leaf).await
    }

    /// A channel's memes, for everybody
    ///
    /// As `/channels/{slug}/memes`, and the same for everybody.
    #[oai(path = "/public/channels/:slug/memes", method = "get", operation_id = "listPublicMemes")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn public(
        &self,
        app: Data<&App>,
        /// The channel's slug.
        slug: Path<String>,
        /// Newest when absent.
        sort: Query<Option<MemeOrder>>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Coins, before promotions.
        #[oai(name = "minPrice")]
        min_price: Query<Option<i64>>,
        /// Coins, before promotions.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<i64>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let asked = Asked::new(sort.0, kind.0, tag.0, min_price.0, max_price.0)?;
        let leaf = asked.leaf(limit.0, offset.0, cursor.0.as_deref())?;
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_slug(&mut conn, &slug).await?;
        asked.list(&mut conn, &channel, &leaf).await
    }

    /// Search a channel's memes, for everybody
    ///
    /// As `/channels/memes/search`, and the same for everybody.
    #[oai(path = "/public/channels/:slug/memes/search", method = "get", operation_id = "searchPublicMemes")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn search_public(
        &self,
        app: Data<&App>,
        /// The channel's slug.
        slug: Path<String>,
        /// Words of the title or the tags, in Russian or English.
        q: Query<String>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Coins, before promotions.
        #[oai(name = "minPrice")]
        min_price: Query<Option<i64>>,
        /// Coins, before promotions.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<i64>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let asked = Asked::words(&q.0, kind.0, tag.0, min_price.0, max_price.0)?;
        let leaf = asked.leaf(limit.0, offset.0, cursor.0.as_deref())?;
        let mut tx = app.db.begin().await?;
        let channel = open_by_slug(&mut tx, &slug).await?;
        asked.search(&mut tx, &channel, &q, &leaf).await
    }

    /// Search a channel's memes
    ///
    /// Those whose title or tags have all the words, in any of their forms, or words that begin so; the best first. Where there
    /// are none, slips of the finger are forgiven. The channel is named by `channelSlug` or by `channelId`.
    #[oai(path = "/channels/memes/search", method = "get", operation_id = "searchMemes")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn search(
        &self,
        app: Data<&App>,
        request: &Request,
        #[oai(name = "channelSlug")] slug: Query<Option<String>>,
        #[oai(name = "channelId")] id: Query<Option<Uuid>>,
        /// Words of the title or the tags, in Russian or English.
        q: Query<String>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Coins, before promotions.
        #[oai(name = "minPrice")]
        min_price: Query<Option<i64>>,
        /// Coins, before promotions.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<i64>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let asked = Asked::words(&q.0, kind.0, tag.0, min_price.0, max_price.0)?.by(request, &app);
        let leaf = asked.leaf(limit.0, offset.0, cursor.0.as_deref())?;
        let mut tx = app.db.begin().await?;
        let channel = match (&slug.0, id.0) {
            (Some(slug), None) => open_by_slug(&mut tx, slug).await?,
            (None, Some(id)) => open_by_id(&mut tx, id).await?,
            _ => {
                let detail = "name the channel by channelSlug or by channelId";
                return Err(Problem::bad_request(ErrorCode::MissingChannelId, detail));
            }
        };
        asked.search(&mut tx, &channel, &q, &leaf).await
    }

    /// Memes of the channel with this id
    #[oai(path = "/memes", method = "get", operation_id = "listMemes")]
    #[allow(clippy::too_many_arguments, reason = "each is a condition")]
    async fn list(
        &self,
        app: Data<&App>,
        request: &Request,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
        /// Newest when absent.
        sort: Query<Option<MemeOrder>>,
        #[oai(name = "type")] kind: Query<Option<MemeType>>,
        /// It has this tag.
        tag: Query<Option<String>>,
        /// Coins, before promotions.
        #[oai(name = "minPrice")]
        min_price: Query<Option<i64>>,
        /// Coins, before promotions.
        #[oai(name = "maxPrice")]
        max_price: Query<Option<i64>>,
        /// `X-Next-Cursor` of the page before; without `offset`.
        cursor: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
        /// Items to pass over.
        offset: Query<Option<i64>>,
    ) -> Result<Paged<MemeView>, Problem> {
        let asked = Asked::new(sort.0, kind.0, tag.0, min_price.0, max_price.0)?.by(request, &app);
        let leaf = asked.leaf(limit.0, offset.0, cursor.0.as_deref())?;
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_id(&mut conn, channel_id.0).await?;
        asked.list(&mut conn, &channel, &leaf).await
    }

    /// A channel's tags
    ///
    /// Those of the most memes first.
    #[oai(path = "/channels/:slug/tags", method = "get", operation_id = "listChannelTags")]
    async fn tags_of_channel(
        &self,
        app: Data<&App>,
        /// The channel's slug.
        slug: Path<String>,
        /// They begin so.
        q: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Json<Vec<TagView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_slug(&mut conn, &slug).await?;
        tags(&mut conn, &channel, q.0, limit.0).await
    }

    /// Tags of the channel with this id
    #[oai(path = "/tags", method = "get", operation_id = "listTags")]
    async fn tags(
        &self,
        app: Data<&App>,
        /// The channel's id.
        #[oai(name = "channelId")]
        channel_id: Query<Uuid>,
        /// They begin so.
        q: Query<Option<String>>,
        /// 1 to 200, 50 when absent.
        limit: Query<Option<i64>>,
    ) -> Result<Json<Vec<TagView>>, Problem> {
        let mut conn = app.db.pool().acquire().await?;
        let channel = open_by_id(&mut conn, channel_id.0).await?;
        tags(&mut conn, &channel, q.0, limit.0).await
    }
}

/// Which memes of a channel are asked for.
pub(super) struct Asked {
    /// Whose favourites are marked.
    viewer: Option<Uuid>,
    /// None: in the order of how well they fit the words that are searched for.
    order: Option<Order>,
    filter: Filter,
}

impl Asked {
    pub(super) fn new(
        order: Option<MemeOrder>,
        kind: Option<MemeType>,
        tag: Option<String>,
        min_price: Option<i64>,
        max_price: Option<i64>,
    ) -> Result<Self, Problem> {
        let tag = tag.map(|tag| normal_tag("tag", tag)).transpose()?.filter(|tag| !tag.is_empty());
        let filter = Filter { kind: kind.map(Into::into), tag, min_price, max_price };
        Ok(Self { viewer: None, order: Some(order.map_or(Order::Newest, Into::into)), filter })
    }

    fn words(
        question: &str,
        kind: Option<MemeType>,
        tag: Option<String>,
        min_price: Option<i64>,
        max_price: Option<i64>,
    ) -> Result<Self, Problem> {
        check_question(question)?;
        Ok(Self { order: None, ..Self::new(None, kind, tag, min_price, max_price)? })
    }

    /// For whoever is logged in, if somebody is.
    fn by(self, request: &Request, app: &App) -> Self {
        Self { viewer: session::named(request, app).map(|named| named.user), ..self }
    }

    pub(super) fn leaf(
        &self,
        limit: Option<i64>,
        offset: Option<i64>,
        cursor: Option<&str>,
    ) -> Result<Leaf<Place>, Problem> {
        Leaf::new(limit, offset, cursor, |place: &Place| place.is_in(self.order))
    }

    pub(super) async fn list(
        &self,
        conn: &mut PgConnection,
        channel: &Channel,
        leaf: &Leaf<Place>,
    ) -> Result<Paged<MemeView>, Problem> {
        let (order, after) = (self.order.unwrap_or(Order::Newest), leaf.after.as_ref());
        let found =
            memes::list(&mut *conn, channel, order, &self.filter, after, leaf.asked(), leaf.page.offset).await?;
        let total = memes::count(&mut *conn, channel, &self.filter).await?;
        self.show(conn, channel, leaf, found, total).await
    }

    async fn search(
        &self,
        tx: &mut Tx,
        channel: &Channel,
        question: &str,
        leaf: &Leaf<Place>,
    ) -> Result<Paged<MemeView>, Problem> {
        let (after, offset) = (leaf.after.as_ref(), leaf.page.offset);
        let found = memes::search(tx, channel, question, &self.filter, after, leaf.asked(), offset).await?;
        self.show(tx, channel, leaf, found.shown, found.total).await
    }

    async fn show(
        &self,
        conn: &mut PgConnection,
        channel: &Channel,
        leaf: &Leaf<Place>,
        found: Vec<Shown>,
        total: i64,
    ) -> Result<Paged<MemeView>, Problem> {
        let discount = promotions::best_running(&mut *conn, channel.id, self.viewer).await?;
        let ids: Vec<Uuid> = found.iter().map(|shown| shown.meme.id).collect();
        let kept = match self.viewer {
            Some(viewer) => Some(memes::favourites_among(conn, viewer, &ids).await?),
            None => None,
        };
        let view = |shown: Shown| {
            let id = shown.meme.id;
            let view = MemeView::new(shown.meme, channel, discount);
            if let Some(kept) = &kept { view.liked(kept.contains(&id)) } else { view }
        };
        leaf.show(found, total, |shown| shown.place.clone(), view)
    }
}

/// Whether there may be a search for it.
pub(super) fn check_question(question: &str) -> Result<(), Problem> {
    if question.chars().count() > memes::MAX_QUERY || question.contains('\0') {
        let detail = format!("q: at most {} characters, and no NUL among them", memes::MAX_QUERY);
        return Err(Problem::bad_request(ErrorCode::ValidationError, detail));
    }
    Ok(())
}

/// As tags are kept.
fn normal_tag(field: &str, tag: String) -> Result<String, Problem> {
    if tag.is_empty() {
        return Ok(tag);
    }
    let wrong = |error| Problem::bad_request(ErrorCode::ValidationError, format!("{field}: {error}"));
    Ok(memes::normal_tags(&[tag]).map_err(wrong)?.remove(0))
}

async fn tags(
    conn: &mut PgConnection,
    channel: &Channel,
    beginning: Option<String>,
    limit: Option<i64>,
) -> Result<Json<Vec<TagView>>, Problem> {
    let page = Page::new(limit, None)?;
    let beginning = normal_tag("q", beginning.unwrap_or_default())?;
    let tags = memes::tags(conn, channel, &beginning, page.limit).await?;
    Ok(Json(tags.into_iter().map(Into::into).collect()))
}
