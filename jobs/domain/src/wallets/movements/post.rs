//! The one function that posts.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Account, Kind, Locked, Movement};
use crate::wallets::{
    WalletError,
    repo::{self, Entries},
};

/// The most that one operation moves.
const LIMIT: i64 = 1_000_000_000_000;

/// Posts the movements, in order, in one statement. The wallets among the accounts must be in `locked`.
///
/// # Errors
/// [`WalletError::Insufficient`] when a wallet would fall below zero: nothing is written then, but `locked` holds the
/// balances of the movements before, so the caller checks balances first when it wants to go on.
/// [`WalletError::AlreadyPosted`] aborts the caller's transaction.
pub async fn post(conn: &mut PgConnection, locked: &mut Locked, movements: &[Movement]) -> Result<(), WalletError> {
    if movements.is_empty() {
        return Ok(());
    }
    let mut entries = Entries::default();
    for movement in movements {
        if !(0..=LIMIT).contains(&movement.amount) || (movement.amount == 0) != (movement.kind == Kind::Free) {
            return Err(WalletError::Amount(movement.amount));
        }
        if movement.amount > 0 {
            push(&mut entries, locked, movement.id, movement.from, -movement.amount)?;
            push(&mut entries, locked, movement.id, movement.to, movement.amount)?;
        }
    }
    let operations: Vec<_> = movements.iter().map(|movement| (movement, movement.kind.as_str())).collect();
    repo::append(conn, &operations, &entries).await?;
    fail::fail_point!("wallets::post::after");
    Ok(())
}

fn push(
    entries: &mut Entries,
    locked: &mut Locked,
    operation: Uuid,
    account: Account,
    amount: i64,
) -> Result<(), WalletError> {
    let after = account.wallet().map(|id| locked.apply(id, amount)).transpose()?;
    entries.operation.push(operation);
    entries.account.push(account.as_str().to_owned());
    entries.wallet.push(account.wallet());
    entries.amount.push(amount);
    entries.balance_after.push(after.map(|(balance, _)| balance));
    entries.version.push(after.map(|(_, version)| version));
    Ok(())
}
