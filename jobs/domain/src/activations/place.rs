//! A viewer plays a meme: price, payment, place in the queue and wake-up, in one transaction.
//!
//! Works on many wishes at once: what arrives while a commit is on its way is placed together by the next one, with the
//! same number of statements.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use queue::Tx;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    AdvancePlayback, PlaceError, Source,
    limits::Granted,
    repo::{self, NewActivation, Offer, Quote, Waiting},
};
use crate::{
    channels::Channel,
    events,
    promotions::final_price,
    unseen,
    wallets::{self, Account, Kind, Locked, Movement, Wallet},
};

/// A viewer's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wish {
    pub user_id: Uuid,
    pub meme_id: Uuid,
}

/// A granted wish.
#[derive(Debug, Clone)]
pub struct Placed {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub user_id: Uuid,
    pub meme_id: Uuid,
    /// Coins before and after the discount.
    pub price: i64,
    pub final_price: i64,
    /// The channel's owner plays for nothing.
    pub is_free: bool,
    pub created_at: OffsetDateTime,
    /// After the payment; none when there is no wallet (an owner needs none).
    pub wallet: Option<Wallet>,
}

/// Places the wishes in their order; each is granted or refused by itself. A refusal writes nothing.
///
/// # Errors
/// The outer error means that the transaction is lost; the inner ones are refusals.
pub async fn place(tx: &mut Tx, wishes: &[Wish]) -> Result<Vec<Result<Placed, PlaceError>>, PlaceError> {
    let quotes = quotes(tx, wishes).await?;
    let owners: BTreeSet<(Uuid, Uuid)> = quotes.values().map(|quote| (quote.user_id, quote.channel_id)).collect();
    let owners: Vec<_> = owners.into_iter().collect();
    let mut locked = wallets::lock_all(&mut *tx, &owners).await?;
    let mut waiting = waiting(tx, &quotes, &locked).await?;

    let mut batch = Batch::default();
    let mut answers = Vec::with_capacity(wishes.len());
    for index in 0..wishes.len() {
        answers.push(match quotes.get(&index) {
            None => Err(PlaceError::MemeNotFound),
            Some(quote) => batch.decide(quote, &locked, &mut waiting),
        });
    }
    batch.write(tx, &mut locked).await?;
    for placed in answers.iter_mut().flatten() {
        placed.wallet = locked.of(placed.user_id, placed.channel_id).cloned();
    }
    Ok(answers)
}

/// Characters of the name of whom a play is for.
pub const SENDER_LENGTH: usize = 80;

/// A play that moves no coins and counts in no statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreePlay {
    pub meme: Uuid,
    pub source: Source,
    /// For whom it is; none: who orders it.
    pub sender: Option<String>,
    /// What is larger plays first; none: as the source has it.
    pub priority: Option<i16>,
    /// The play that this one repeats.
    pub replay_of: Option<Uuid>,
}

impl FreePlay {
    /// The streamer's own.
    #[must_use]
    pub const fn new(source: Source, meme: Uuid) -> Self {
        Self { meme, source, sender: None, priority: None, replay_of: None }
    }
}

/// Places a play that nobody pays for, in the name of `user`.
///
/// # Errors
/// The database refused; [`PlaceError::MemeNotFound`] when the channel does not have the meme, [`PlaceError::Sender`] for a
/// name that shows nothing.
pub async fn place_free(tx: &mut Tx, channel: &Channel, user: Uuid, play: &FreePlay) -> Result<Uuid, PlaceError> {
    let quotes = repo::quotes(&mut *tx, &[Wish { user_id: user, meme_id: play.meme }]).await?;
    let quote = quotes.get(&0).filter(|quote| quote.channel_id == channel.id).ok_or(PlaceError::MemeNotFound)?;
    let mut quote = quote.clone();
    if let Some(sender) = &play.sender {
        quote.sender_name = unseen::plain(sender, SENDER_LENGTH);
        if quote.sender_name.is_empty() {
            return Err(PlaceError::Sender);
        }
    }
    let id = Uuid::now_v7();
    let row = NewActivation {
        id,
        source: play.source,
        promotion: None,
        discount_bp: 0,
        final_price: 0,
        is_counted: false,
        turn_at: quote.now,
        priority: play.priority.unwrap_or_else(|| play.source.priority(channel.queue_priorities)),
        replay_of: play.replay_of,
        quote,
    };
    repo::insert(&mut *tx, &[row]).await?;
    queue::enqueue(tx, &AdvancePlayback::of(channel.id)).await?;
    Ok(id)
}

/// What the wishes would cost and how often there may be more. Where uses are counted, nobody else counts them until the end
/// of this transaction.
async fn quotes(tx: &mut Tx, wishes: &[Wish]) -> Result<HashMap<usize, Quote>, sqlx::Error> {
    let quotes = repo::quotes(&mut *tx, wishes).await?;
    let paying = || quotes.values().filter(|quote| !quote.is_free());
    let offers = paying().flat_map(|quote| &quote.offers).filter(|offer| offer.is_limited());
    let promotions: BTreeSet<Uuid> = offers.map(|offer| offer.id).collect();
    let memes: BTreeSet<Uuid> = paying().filter(|quote| quote.limits.is_some()).map(|quote| quote.meme_id).collect();
    if promotions.is_empty() && memes.is_empty() {
        return Ok(quotes);
    }
    let (promotions, memes): (Vec<_>, Vec<_>) = (promotions.into_iter().collect(), memes.into_iter().collect());
    repo::lock_counted(&mut *tx, &promotions, &memes).await?;
    // What was counted before the locks may have grown while they were waited for.
    repo::quotes(&mut *tx, wishes).await
}

/// What the viewers have waiting, now that their wallets are locked: as the quotes say, but for those whose wallet has moved
/// since (a twin in another process has committed in between), who are asked for again. So are those who pay nothing, for
/// their twins move no wallet.
async fn waiting(
    tx: &mut Tx,
    quotes: &HashMap<usize, Quote>,
    locked: &Locked,
) -> Result<HashMap<(Uuid, Uuid), Waiting>, sqlx::Error> {
    let mut waiting = HashMap::new();
    let mut moved = BTreeSet::new();
    for quote in quotes.values() {
        let owner = (quote.user_id, quote.channel_id);
        waiting.insert(owner, quote.waiting);
        let wallet = locked.of(owner.0, owner.1);
        if quote.least() == 0 || wallet.map(|wallet| wallet.version) != quote.wallet_version {
            moved.insert(owner);
        }
    }
    if !moved.is_empty() {
        let moved: Vec<_> = moved.into_iter().collect();
        waiting.extend(repo::waiting(&mut *tx, &moved).await?);
    }
    Ok(waiting)
}

/// What one transaction writes.
#[derive(Default)]
struct Batch {
    rows: Vec<NewActivation>,
    movements: Vec<Movement>,
    /// Coins already promised by earlier wishes of this batch, by wallet.
    promised: HashMap<Uuid, i64>,
    granted: Granted,
    /// Promotions that earlier wishes use up, in all and by viewer.
    used: HashMap<Uuid, i64>,
    used_by_viewers: HashMap<(Uuid, Uuid), i64>,
}

impl Batch {
    fn decide(
        &mut self,
        quote: &Quote,
        locked: &Locked,
        waiting: &mut HashMap<(Uuid, Uuid), Waiting>,
    ) -> Result<Placed, PlaceError> {
        if quote.closed {
            return Err(PlaceError::Closed);
        }
        if quote.banned {
            return Err(PlaceError::Banned);
        }
        if quote.intake_paused {
            return Err(PlaceError::IntakePaused);
        }
        if quote.unseen {
            return Err(PlaceError::NoOverlay);
        }
        // The owner is free of the limits, too, and does not use them up.
        let limits = quote.limits.as_ref().filter(|_| !quote.is_free());
        if let Some(limits) = limits {
            self.granted.check(limits, quote.meme_id, quote.user_id, quote.now)?;
        }
        let offer = self.offer(quote).cloned();
        let discount_bp = quote.discount_bp(offer.as_ref());
        let owed = quote.owed(discount_bp);
        let wallet = locked.of(quote.user_id, quote.channel_id);
        let from = self.payer(wallet, owed)?;
        if let Some(limits) = limits {
            self.granted.note(limits, quote.meme_id, quote.user_id, quote.now);
        }
        if let Some(offer) = &offer {
            *self.used.entry(offer.id).or_default() += 1;
            *self.used_by_viewers.entry((offer.id, quote.user_id)).or_default() += 1;
        }

        let id = Uuid::now_v7();
        let state = waiting.entry((quote.user_id, quote.channel_id)).or_insert(Waiting::none(quote.now));
        let turn_at = state.next_turn(quote.fair_step_ms);
        self.movements.push(Movement {
            id,
            kind: if owed == 0 { Kind::Free } else { Kind::Place },
            key: format!("activation:{id}:place"),
            channel_id: quote.channel_id,
            actor_id: Some(quote.user_id),
            reason: None,
            reverses: None,
            from,
            to: Account::Escrow,
            amount: owed,
        });
        self.rows.push(NewActivation {
            id,
            quote: quote.clone(),
            source: Source::Meme,
            promotion: offer.map(|offer| offer.id),
            discount_bp,
            final_price: owed,
            is_counted: limits.is_some(),
            turn_at,
            priority: quote.coins_priority,
            replay_of: None,
        });
        Ok(Placed {
            id,
            channel_id: quote.channel_id,
            user_id: quote.user_id,
            meme_id: quote.meme_id,
            price: quote.price,
            final_price: owed,
            is_free: quote.is_free(),
            created_at: quote.now,
            wallet: None,
        })
    }

    /// The best promotion that is not used up, counting the wishes before this one. None where a subscriber pays no more without
    /// it: its uses are for others then.
    fn offer<'a>(&self, quote: &'a Quote) -> Option<&'a Offer> {
        let used = |offer: &Offer| self.used.get(&offer.id).copied().unwrap_or(0);
        let used_by_viewer = |offer: &Offer| self.used_by_viewers.get(&(offer.id, quote.user_id)).copied().unwrap_or(0);
        let better = |offer: &&Offer| !quote.is_free() && offer.discount_bp > quote.subscriber_discount_bp;
        let mut offers = quote.offers.iter().filter(better);
        offers.find(|offer| {
            offer.left.is_none_or(|left| left > used(offer))
                && offer.left_of_viewer.is_none_or(|left| left > used_by_viewer(offer))
        })
    }

    /// The account that pays, if it can.
    fn payer(&mut self, wallet: Option<&Wallet>, owed: i64) -> Result<Account, PlaceError> {
        if owed == 0 {
            return Ok(Account::Escrow);
        }
        let Some(wallet) = wallet else { return Err(PlaceError::Insufficient { balance: 0, needed: owed }) };
        let promised = self.promised.entry(wallet.id).or_default();
        let balance = wallet.balance - *promised;
        if balance < owed {
            return Err(PlaceError::Insufficient { balance, needed: owed });
        }
        *promised += owed;
        Ok(Account::Wallet(wallet.id))
    }

    async fn write(&self, tx: &mut Tx, locked: &mut Locked) -> Result<(), PlaceError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        wallets::post(&mut *tx, locked, &self.movements).await?;
        repo::insert(&mut *tx, &self.rows).await?;
        let channels: BTreeSet<Uuid> = self.rows.iter().map(|row| row.quote.channel_id).collect();
        queue::enqueue(tx, &AdvancePlayback { channels: channels.into_iter().collect() }).await?;
        // Last: streams are locked after everything else. The channel hears of it when the queue is looked at.
        let news = self.rows.iter().filter(|row| row.final_price > 0).filter_map(|row| {
            let wallet = locked.of(row.quote.user_id, row.quote.channel_id)?;
            Some(wallets::updated_event(wallet, &row.quote.channel_slug, -row.final_price, "activation", "activation"))
        });
        events::record(tx, news.collect()).await?;
        Ok(())
    }
}

impl Quote {
    /// The channel's owner plays for nothing.
    fn is_free(&self) -> bool {
        self.owner_id == self.user_id
    }

    /// Basis points: a promotion's, or a subscriber's without one. They are not added up.
    fn discount_bp(&self, offer: Option<&Offer>) -> i32 {
        if self.is_free() { 0 } else { offer.map_or(self.subscriber_discount_bp, |offer| offer.discount_bp) }
    }

    /// Coins.
    fn owed(&self, discount_bp: i32) -> i64 {
        if self.is_free() { 0 } else { final_price(self.price, discount_bp) }
    }

    /// Coins, if none of the promotions were used up.
    fn least(&self) -> i64 {
        let best = self.offers.first().map_or(0, |offer| offer.discount_bp);
        self.owed(best.max(self.subscriber_discount_bp))
    }
}

impl Waiting {
    const fn none(now: OffsetDateTime) -> Self {
        Self { count: 0, last_turn: None, now }
    }

    /// `greatest(now + waiting x step, last turn + 1 µs)`: distinct viewers stay first come, a viewer's further items
    /// stand back, and nobody is overtaken for ever.
    fn next_turn(&mut self, step_ms: i32) -> OffsetDateTime {
        let step = Duration::from_millis(u64::from(step_ms.unsigned_abs()));
        let behind = self.now + step.saturating_mul(u32::try_from(self.count).unwrap_or(u32::MAX));
        let turn = match self.last_turn {
            Some(last) => behind.max(last + Duration::from_micros(1)),
            None => behind,
        };
        self.count += 1;
        self.last_turn = Some(turn);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_item_of_the_same_viewer_stands_back_by_the_fair_step() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let mut waiting = Waiting::none(now);
        assert_eq!(waiting.next_turn(20_000), now);
        assert_eq!(waiting.next_turn(20_000), now + Duration::from_secs(20));
        assert_eq!(waiting.next_turn(20_000), now + Duration::from_secs(40));
    }

    #[test]
    fn without_a_fair_step_a_viewers_own_order_is_kept() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let mut waiting = Waiting::none(now);
        assert_eq!(waiting.next_turn(0), now);
        assert_eq!(waiting.next_turn(0), now + Duration::from_micros(1));
    }

    #[test]
    fn a_turn_never_goes_back_behind_the_last_one() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let last = now + Duration::from_secs(300);
        let mut waiting = Waiting { count: 1, last_turn: Some(last), now };
        assert_eq!(waiting.next_turn(20_000), last + Duration::from_micros(1));
    }
}
