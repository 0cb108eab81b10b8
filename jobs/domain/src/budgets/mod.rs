//! Budgets of requests: how often somebody may do something in a time, whatever the number of processes that are asked.
//!
//! A window moves on by twelfths of its time ([`Window`]), so that nobody gets twice the budget across the border of two
//! windows. A process takes what it will need for a moment in advance ([`exchange`]: a lease) and gives back what is left
//! of it; uses are counted when they are taken, so all processes together never grant more than there is.

mod jobs;
mod model;
mod repo;

pub use jobs::ForgetBudgets;
pub use model::{Budget, Name, SLICES, Taken, Window};
pub use repo::{Ask, exchange, forget_ended};
