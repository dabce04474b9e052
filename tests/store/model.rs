//! What the store should do, on a page: states, keys of repetition, retention and erasure, without SQL, files or keys.

use std::collections::BTreeMap;

use halt_tracker::codes::Code;
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{State, StepState};

const DAY: i64 = 24 * 3_600_000;
/// How long what has ended is kept.
pub const KEEP_DAYS: i64 = 30;

/// What the store should say of a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct One {
    pub state: State,
    pub attempts: i64,
    pub crashes: i64,
    pub fixed: bool,
    pub steps: Vec<StepState>,
    pub payload: bool,
    pub erase: bool,
    pub audit: bool,
    pub touched: i64,
    pub ended: i64,
}

impl One {
    fn is_open(&self) -> bool {
        self.steps.iter().any(|step| step.is_open())
    }
}

#[derive(Default)]
pub struct Model {
    pub ones: BTreeMap<u32, One>,
    pub keys: BTreeMap<[u8; 32], (u32, i64)>,
    pub erased: BTreeMap<u32, i64>,
}

impl Model {
    pub fn accept(&mut self, id: u32, keys: &[([u8; 32], i64)], at: i64) -> (u32, State, bool) {
        if let Some(one) = self.ones.get(&id) {
            return (id, one.state, true);
        }
        for (key, _) in keys {
            let Some((known, until)) = self.keys.get(key).copied() else { continue };
            let one = self.ones.get_mut(&known).expect("keys name what is there");
            match one.state {
                _ if until <= at => {}
                // Its content may come again, the very same signed request never makes a second one.
                State::Discarded | State::Erased if !is_request(key) => drop(self.keys.remove(key)),
                State::Failed => {
                    again(one, at);
                    return (known, State::Queued, true);
                }
                state => return (known, state, true),
            }
        }
        let one = One {
            state: State::Queued,
            attempts: 0,
            crashes: 0,
            fixed: false,
            steps: Vec::new(),
            payload: true,
            erase: false,
            audit: false,
            touched: at,
            ended: 0,
        };
        self.ones.insert(id, one);
        for (key, window) in keys {
            self.keys.insert(*key, (id, at + window));
        }
        if self.erased.get(&person(id)).is_some_and(|erased| *erased > at) {
            self.erase(id, at);
        }
        (id, self.ones[&id].state, false)
    }

    fn erase(&mut self, id: u32, now: i64) {
        self.keys.retain(|key, (known, _)| *known != id || is_request(key));
        let one = self.ones.get_mut(&id).expect("there");
        if one.payload {
            let at = self.erased.entry(person(id)).or_insert(now);
            *at = now.max(*at);
        }
        (one.state, one.payload, one.audit, one.ended, one.touched) = (State::Erased, false, false, now, now);
        one.steps.clear();
    }

    pub fn act(&mut self, id: u32, action: Action, name: &str, now: i64) -> Option<Code> {
        let Some(one) = self.ones.get_mut(&id) else { return Some(Code::ActUnknown) };
        let open_record = one.steps.first().is_some_and(|step| step.is_open());
        let open = one.is_open();
        if !Action::fitting(one.state, "", open_record, one.payload).contains(&name) {
            return Some(Code::ActState);
        }
        match action {
            Action::Retry | Action::Release => again(one, now),
            Action::Discard | Action::Spam => {
                (one.state, one.ended, one.touched) = (State::Discarded, now, now);
                self.keys.retain(|key, (known, _)| *known != id || is_request(key));
            }
            Action::Exists(_) => {
                if let Some(step) = one.steps.iter_mut().find(|step| step.is_open()) {
                    *step = StepState::Done;
                    one.fixed = true;
                }
                again(one, now);
            }
            Action::Absent => {
                for step in one.steps.iter_mut().filter(|step| **step == StepState::Applied) {
                    *step = StepState::Unknown;
                }
                (one.state, one.crashes, one.attempts, one.touched) = (State::Checking, 0, 0, now);
            }
            Action::Erase => {
                (one.erase, one.touched) = (true, now);
                if !(one.state == State::Sending || (open && one.state == State::Checking)) {
                    self.erase(id, now);
                }
            }
        }
        None
    }

    pub fn new_run(&mut self, now: i64) {
        for one in self.ones.values_mut().filter(|one| one.state == State::Sending) {
            // The first step is the record, which alone is looked for once more.
            let record = one.steps.first() == Some(&StepState::Intent);
            let mut lost = false;
            for step in one.steps.iter_mut().filter(|step| **step == StepState::Intent) {
                (*step, lost) = (StepState::Unknown, true);
            }
            one.state = if one.is_open() { State::Checking } else { State::Queued };
            (one.fixed, one.audit, one.touched) = (one.fixed || lost, one.audit || record, now);
        }
    }

    pub fn tidy(&mut self, now: i64) -> usize {
        // A form that was kept elsewhere comes in later than it was received.
        self.keys.retain(|_, (_, until)| *until > now - 30 * DAY);
        let due = |one: &One| match one.state {
            State::Done | State::Discarded => one.ended <= now - KEEP_DAYS * DAY,
            State::Failed => one.ended <= now - 90 * DAY,
            State::Attention => one.touched <= now - 90 * DAY,
            _ => false,
        };
        let gone: Vec<&mut One> = self.ones.values_mut().filter(|one| one.payload && !one.audit && due(one)).collect();
        let count = gone.len();
        gone.into_iter().for_each(|one| (one.payload, one.touched) = (false, now));
        count
    }

    pub fn finish_erasures(&mut self, now: i64) -> usize {
        let waits = |one: &One| one.steps.iter().any(|step| matches!(step, StepState::Intent | StepState::Unknown));
        let due = |one: &One| {
            one.erase
                && !matches!(one.state, State::Erased | State::Sending)
                && (one.state == State::Attention || !waits(one))
        };
        let ids: Vec<u32> = self.ones.iter().filter(|(_, one)| due(one)).map(|(id, _)| *id).collect();
        ids.iter().for_each(|id| self.erase(*id, now));
        ids.len()
    }
}

/// Keys of signed requests are told from those of contents by their number.
const fn is_request(key: &[u8; 32]) -> bool {
    key[0] < 100
}

/// Some submissions are of the same person.
pub const fn person(id: u32) -> u32 {
    id % 4
}

fn again(one: &mut One, now: i64) {
    one.state = if one.is_open() { State::Checking } else { State::Queued };
    one.steps.iter_mut().filter(|step| **step == StepState::Rejected).for_each(|step| *step = StepState::Todo);
    (one.attempts, one.crashes, one.ended, one.touched) = (0, 0, 0, now);
}
