//! Durable state behind one small trait: buckets with revisions and watch, queues, journals.
//!
//! Services hold an [`Arc<dyn Store>`](Store) and know nothing of what is behind it:
//!
//! - A **bucket** maps keys to values. Every value carries the [`Revision`] that wrote it, a write may carry a
//!   [`Condition`] on it, and several writes to any buckets, queues and journals are one [`Transaction`].
//! - A **queue** holds [`Job`]s until they are due, hands each to one taker, and takes it back when the taker dies.
//! - A **journal** only grows: records have a [`Position`] and are read forwards or backwards.
//!
//! Reads are synchronous, from the last committed state ([`Reader`]); writes are answered only when they survive
//! `kill -9` and power loss. The one exception says so in its name: [`Store::append_relaxed`].
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rolecall_store::{Condition, EmbeddedStore, Reader, ScanRange, Store, Transaction};
//!
//! let store = EmbeddedStore::in_memory()?;
//! let revision = store
//!     .commit(Transaction::new().put("roles", "order-intake", "{}", Condition::Absent))
//!     .await?;
//! let role = store.get("roles", b"order-intake")?.ok_or("no role")?;
//! assert_eq!(role.revision, revision);
//! assert_eq!(store.scan("roles", &ScanRange::all(), 100)?.len(), 1);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
//! ```

pub mod codec;
mod embedded;
mod entry;
mod error;
mod journal;
pub mod limits;
mod queue;
mod traits;
mod transaction;
mod watch;

pub use embedded::{EmbeddedStore, Options, segment_records};
pub use entry::{Entry, EntryRef, Revision, ScanRange};
pub use error::{CommitError, StoreError};
pub use journal::{Durability, Journal, JournalRecord, Position};
pub use queue::{Job, Receipt, UnixMillis};
pub use traits::{BoxFuture, Reader, Store};
pub use transaction::{Condition, Transaction};
pub use watch::{Change, WatchEvent, WatchReceiver};
