//! What people may ask of the queue and tell it: find, show, retry, discard and reschedule jobs, one or all that match;
//! list, pause and resume pools and the processes that serve them. Whoever acts is written down ([`acts`]) in the same
//! transaction.
//!
//! Times are UTC and written as RFC 3339; durations are seconds.

mod audit;
mod bulk;
mod find;
mod order;
mod queues;

pub use audit::{ActPage, ActView, By, acts, note};
pub use bulk::{Bulk, BulkError, all};
pub use find::{Counts, Filter, JobDetail, JobView, Origin, Page, Paging, RunView, counts, list, show};
pub use order::{Act, Ordered, RunAtError, now, one, run_at_within_reason};
pub use queues::{
    KindView, LimitView, QueueView, WorkerView, limit, pause, pause_worker, paused, queues, resume, resume_worker,
    serving,
};
