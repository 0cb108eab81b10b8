//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Long enough for a loaded machine with two cores; a story that passes never waits that long.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Asks until there is an answer, and fails the test with `what` after [`DEADLINE`].
pub async fn wait_until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
