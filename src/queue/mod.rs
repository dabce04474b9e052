//! The durable store on SQLite: the only place with SQL, with locks, and with the rules of whose store it is.
//! It decides nothing about delivery; `relay` does, through the statements here.
//!
//! - [`open`]: whose store it is, and opening it; [`Store::write`] is the only way to change anything.
//! - [`accept`]: a submission enters. [`job`]: a run reads it; [`work`]: claims it and records every step of its
//!   delivery. `fixed`: what may still change about a plan that is fixed. [`looks`]: what look-ups into Tracker need.
//! - [`lane`]: pauses, pace and other facts about the one outgoing line. [`secrets`]: credentials and tokens.
//! - [`view`] and `history`: what screens show. [`act`]: what people do by hand. [`tidy`]: retention and erasure;
//!   `addresses`: by what a person is found; [`erasure`]: who was erased, so that nobody comes back. `backup`: copies. `keys`: new, old and lost keys.

pub mod accept;
pub mod act;
mod addresses;
mod backup;
mod disk;
pub mod erasure;
mod error;
mod fixed;
mod history;
pub mod job;
mod keys;
pub mod lane;
pub mod lock;
pub mod looks;
pub mod open;
pub mod runs;
pub mod secrets;
mod site;
pub mod state;
pub mod tidy;
pub mod view;
pub mod work;

pub use error::QueueError;
pub use open::Store;
pub use site::Site;
