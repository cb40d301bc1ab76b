//! Calls under way, which outlive the connection they came over.
//!
//! A client that closes its connection in the middle of a call must not stop it between the change and its event: calls
//! run in tasks of their own, and the server waits for them when it stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls under way at once, those of abandoned connections included.
const MAX_CALLS: usize = 65_536;

/// How often the end of all calls is looked for.
const STEP: Duration = Duration::from_millis(10);

/// The calls under way.
pub(crate) struct Calls(Arc<Semaphore>);

impl Default for Calls {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_CALLS)))
    }
}

/// A call's place; free again when dropped.
pub(crate) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Calls {
    /// Waits for a place.
    pub(crate) async fn place(&self) -> Place {
        Place {
            // The semaphore is never closed.
            _permit: Arc::clone(&self.0).acquire_owned().await.ok(),
        }
    }

    /// Waits until no call is under way. Calls that others wait for, such as a function's own, still get their places.
    pub(crate) async fn ended(&self) {
        while self.0.available_permits() < MAX_CALLS {
            tokio::time::sleep(STEP).await;
        }
    }
}
