//! The one end of an activation: capture or refund, status and news.

use queue::Tx;
use serde::Serialize;
use uuid::Uuid;

use super::{Activation, PlaceError, Reason, Status, repo};
use crate::{
    events::{Audience, NewEvent, Stream},
    wallets::{self, Account, Kind, Movement},
};

/// How an activation ends.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// It was shown: the coins are spent.
    Done,
    /// It was not: the coins go back. `detail` is what a screen said.
    Refund { reason: Reason, detail: Option<String> },
}

impl End {
    pub(crate) const fn refund(reason: Reason) -> Self {
        Self::Refund { reason, detail: None }
    }

    pub(crate) const fn status(&self) -> Status {
        match self {
            Self::Done => Status::Done,
            Self::Refund { reason, .. } => reason.status(),
        }
    }

    pub(crate) const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Done => None,
            Self::Refund { reason, .. } => Some(*reason),
        }
    }
}

/// Ends activations, all `queued` or `playing` and locked by the caller's transaction, and answers with the news to be
/// recorded as the transaction's last act; the given ones are then as they have ended. The ledger's key
/// `activation:<id>:settle` lets each end only once.
pub(crate) async fn settle(
    tx: &mut Tx,
    activations: &mut [Activation],
    end: &End,
    actor: Option<Uuid>,
) -> Result<Vec<NewEvent>, PlaceError> {
    if activations.is_empty() {
        return Ok(Vec::new());
    }
    let paid: Vec<&Activation> = activations.iter().filter(|activation| activation.final_price > 0).collect();
    let refunds = end.reason().is_some();
    let owners: Vec<_> = paid.iter().map(|activation| (activation.user_id, activation.channel_id)).collect();
    let mut locked = if refunds { wallets::lock_all(&mut *tx, &owners).await? } else { wallets::Locked::default() };
    let mut movements = Vec::with_capacity(paid.len());
    for activation in &paid {
        let to = match locked.of(activation.user_id, activation.channel_id) {
            Some(wallet) if refunds => Account::Wallet(wallet.id),
            // Who paid has a wallet, and wallets are never removed.
            None if refunds => return Err(wallets::WalletError::NotFound("wallet").into()),
            _ => Account::Sink,
        };
        movements.push(Movement {
            id: Uuid::now_v7(),
            kind: if refunds { Kind::Refund } else { Kind::Capture },
            key: format!("activation:{}:settle", activation.id),
            channel_id: activation.channel_id,
            actor_id: actor,
            reason: end.reason().map(|reason| reason.as_str().to_owned()),
            // The payment's operation has the activation's own id.
            reverses: refunds.then_some(activation.id),
            from: Account::Escrow,
            to,
            amount: activation.final_price,
        });
    }
    wallets::post(&mut *tx, &mut locked, &movements).await?;
    let ids: Vec<Uuid> = activations.iter().map(|activation| activation.id).collect();
    let detail = match end {
        End::Refund { detail, .. } => detail.as_deref(),
        End::Done => None,
    };
    let at = repo::end(&mut *tx, &ids, end.status(), end.reason(), detail).await?;

    let mut news: Vec<NewEvent> = activations
        .iter()
        .map(|activation| {
            let reason = end.reason().map(Reason::as_str);
            updated_event(activation, end.status(), reason)
        })
        .collect();
    if refunds {
        news.extend(paid.iter().filter_map(|activation| {
            let wallet = locked.of(activation.user_id, activation.channel_id)?;
            Some(wallets::updated_event(
                wallet,
                &activation.channel_slug,
                activation.final_price,
                end.reason().map_or("refund", Reason::as_str),
                "refund",
            ))
        }));
    }
    for activation in activations {
        activation.status = end.status();
        activation.reason = end.reason().map(|reason| reason.as_str().to_owned());
        activation.deadline = None;
        activation.ended_at = Some(at);
    }
    Ok(news)
}

/// `activation:updated`, for the viewer who placed it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivationUpdated<'a> {
    id: Uuid,
    channel_slug: &'a str,
    meme_id: Uuid,
    title: &'a str,
    status: &'static str,
    reason: Option<&'a str>,
}

/// Tells the viewer what has become of the activation.
#[must_use]
pub fn updated_event(activation: &Activation, status: Status, reason: Option<&str>) -> NewEvent {
    let data = ActivationUpdated {
        id: activation.id,
        channel_slug: &activation.channel_slug,
        meme_id: activation.meme_id,
        title: &activation.title,
        status: status.as_str(),
        reason,
    };
    NewEvent::new(Stream::User(activation.user_id), Audience::USER, "activation:updated", &data)
}
