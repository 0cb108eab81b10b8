//! Once more, from the beginning: for what came out wrong though every request was answered.

use std::{io, time::Duration};

use futures_util::future::BoxFuture;

/// Tries in all.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs `work` until it comes out right, three times at most.
///
/// # Errors
/// That of the last try, or one that no further try mends.
pub(super) async fn again<'a, T>(
    what: &str,
    mut work: impl FnMut() -> BoxFuture<'a, io::Result<T>> + Send,
) -> io::Result<T> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < TRIES && is_passing(&error) => {
                tracing::warn!(%error, what, "the bucket is asked once more");
                // Nobody is in step with anybody.
                let part = rand::random_range(0.5..1.5);
                tokio::time::sleep((PAUSE * 2u32.pow(tries)).mul_f64(part)).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Neither rights nor this machine's disk come back within seconds.
fn is_passing(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge
    )
}
