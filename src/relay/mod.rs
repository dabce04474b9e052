//! The delivery state machine: one run at a time claims submissions and walks their steps, so that each
//! reaches Tracker exactly once although Tracker knows no idempotency keys.
//!
//! An intent is written before each send. When the answer is lost, nothing is sent again until a look into
//! Tracker has proven that nothing was applied. The letters in comments and rules (A1 … D1) name the rows of
//! the table in `docs/delivery.md`.
//!
//! - [`account`]: for whom a run speaks. [`policy`]: every duration, in one value; [`rule`]: every rule, by name.
//!   [`pace`]: requests a minute.
//! - [`plan`]: from a submission to requests.
//! - [`run`]: one run from lock to [`report`]. `lane`: pauses. `deliver`: one submission. `find`: is the person there already? `send`: one step. `document`: its file.
//!   `settle`: one lost answer. `round`: when trying is over. `audit`: a lost answer, a day later. `sight`: whether Tracker can be looked into at all.
//!   `wait`: how long nobody sends after trouble.

pub mod account;
mod audit;
mod deliver;
mod document;
mod entered;
mod find;
mod lane;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod report;
mod round;
pub mod rule;
pub mod run;
mod send;
mod settle;
mod sight;
mod wait;

pub use policy::Policy;
pub use report::{Caller, Ended, Event, Outcome, Report};
pub use rule::Rule;
pub use run::{Surroundings, run};
