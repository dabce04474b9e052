//! What a run tells its caller: how it ended, what it touched, what is left, and what to tell others.

use serde::Serialize;

use crate::codes::Code;
use crate::queue::state::{Pause, State};

/// Who asks for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Caller {
    /// WP-Cron.
    Cron,
    /// The Dashboard.
    Button,
    /// `wp halt-tracker run` or `work`.
    Cli,
    /// Right after a visitor's answer.
    After,
}

impl Caller {
    /// The name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::Button => "button",
            Self::Cli => "cli",
            Self::After => "after",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It worked through what was due, or through its budget.
    Ran,
    /// Nothing was due.
    Idle,
    /// Another run is in progress.
    Busy,
    /// The lane is paused.
    Paused,
    /// Nothing may be sent for a moment.
    Waiting,
    /// The site has to raise its counter first, then ask again.
    Raise,
    /// The counters do not agree: the site has to read its own once more, then ask again with the store's.
    Reread,
}

/// What happened to a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its id.
    pub id: String,
    /// Its state now.
    pub state: State,
    /// The code of its trouble.
    pub code: Option<String>,
    /// The form's id.
    pub form: String,
    /// What it became.
    pub record_type: String,
    /// Tracker's id.
    pub tracker_id: Option<i64>,
}

/// What the site may tell others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// `delivered`, `failed`, `attention`, `lane_paused` or `lane_resumed`.
    pub event: &'static str,
    /// The submission.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it became.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub record_type: String,
    /// Tracker's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracker_id: Option<i64>,
    /// The reason of a pause.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The report of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Ended,
    /// The counter that the site has to save before it asks again, when `outcome` is `raise`.
    pub counter: i64,
    /// The run's id.
    pub run_id: String,
    /// Every submission that it touched.
    pub items: Vec<Outcome>,
    /// How many still wait.
    pub left: i64,
    /// When the next one is due, milliseconds since 1970.
    pub next_due_at: Option<i64>,
    /// Before when nothing is sent.
    pub not_before: Option<i64>,
    /// Why the lane is paused.
    pub reasons: Vec<&'static str>,
    /// What to tell others.
    pub events: Vec<Event>,
}

/// An event of the lane.
pub(super) fn lane_event(event: &'static str, reason: Pause, code: Option<Code>) -> Event {
    Event {
        event,
        id: String::new(),
        code: code.map(|code| code.to_string()),
        record_type: String::new(),
        tracker_id: None,
        reason: reason.name().to_owned(),
    }
}

/// A report of nothing yet.
pub(super) fn empty(run_id: &str) -> Report {
    Report {
        outcome: Ended::Ran,
        counter: 0,
        run_id: run_id.to_owned(),
        items: Vec::new(),
        left: 0,
        next_due_at: None,
        not_before: None,
        reasons: Vec::new(),
        events: Vec::new(),
    }
}
