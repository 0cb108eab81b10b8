//! Rules for coins.

use super::Reader;

#[derive(Debug, Clone)]
pub struct Coins {
    /// `COINS_APPROVAL_ABOVE`: coins that one admin may give or take within a day in one wallet, or let wait for one account,
    /// without another admin's agreement; 0: any number. Default 1000000.
    pub approval_above: Option<i64>,
}

impl Coins {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let above = reader.number("COINS_APPROVAL_ABOVE", 1_000_000, 0, 1_000_000_000_000);
        Self { approval_above: i64::try_from(above).ok().filter(|above| *above > 0) }
    }
}
