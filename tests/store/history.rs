//! The store against its model: any history of accepting, repeating, claiming, intending, outcomes, letting go,
//! actions by hand, retention, erasure, crashes and reopening leaves both in the same state. `PROPTEST_CASES` sets how
//! many histories.

use std::cell::Cell;

use halt_tracker::clock::Moment;
use halt_tracker::queue::Store;
use halt_tracker::queue::accept::{NewSubmission, REPLAY_MS};
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{State, StepState};
use halt_tracker::queue::work::{NewPlan, Settled, StepOutcome};
use halt_tracker::tracker::plan::StepKind;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;

use crate::model::{KEEP_DAYS, Model, person};
use crate::{Place, code, submission};

const DAY: i64 = 24 * 3_600_000;
const WINDOW: i64 = 600_000;

/// What can happen. Numbers name submissions, keys and steps out of a handful, so that they meet often.
#[derive(Debug, Clone)]
enum Step {
    /// `late`: it was received long ago and lay elsewhere, as an adopted form did.
    Accept {
        id: u32,
        mac: Option<u8>,
        body: Option<u8>,
        late: bool,
    },
    Claim(u32),
    Intend(u32, usize),
    Outcome(u32, usize, StepState),
    Settle(u32, State, bool),
    /// Writes under the id of a run that holds nothing.
    Stranger(u32),
    Act(u32, Action),
    /// The run before died; the next one begins.
    NewRun,
    Wait(i64),
    Tidy,
    FinishErasures,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0..8_u32;
    let key = || prop::option::of(0..3_u8);
    let action = prop::sample::select(vec![
        Action::Retry,
        Action::Discard,
        Action::Spam,
        Action::Release,
        Action::Erase,
        Action::Exists(7),
        Action::Absent,
    ]);
    let ended = prop::sample::select(vec![
        StepState::Done,
        StepState::Unknown,
        StepState::Applied,
        StepState::Todo,
        StepState::Rejected,
    ]);
    let let_go = prop::sample::select(vec![
        State::Done,
        State::Retry,
        State::Checking,
        State::Attention,
        State::Failed,
        State::Queued,
    ]);
    let one = prop_oneof![
        5 => (id.clone(), key(), key(), prop::bool::weighted(0.2)).prop_map(|(id, mac, body, late)| Step::Accept { id, mac, body, late }),
        6 => id.clone().prop_map(Step::Claim),
        5 => (id.clone(), 0..2_usize).prop_map(|(id, at)| Step::Intend(id, at)),
        5 => (id.clone(), 0..2_usize, ended).prop_map(|(id, at, to)| Step::Outcome(id, at, to)),
        4 => (id.clone(), let_go, any::<bool>()).prop_map(|(id, to, spent)| Step::Settle(id, to, spent)),
        1 => id.clone().prop_map(Step::Stranger),
        6 => (id, action).prop_map(|(id, action)| Step::Act(id, action)),
        2 => Just(Step::NewRun),
        1 => prop::sample::select(vec![WINDOW / 2, WINDOW + 1, KEEP_DAYS * DAY, 91 * DAY]).prop_map(Step::Wait),
        2 => Just(Step::Tidy),
        1 => Just(Step::FinishErasures),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(one, 10..60)
}

/// Both, and what they are asked with.
struct Pair {
    place: Place,
    store: Store,
    model: Model,
    now: i64,
    run: u32,
}

impl Pair {
    fn new() -> Self {
        let mut place = Place::in_memory();
        let mut store = place.opened();
        store.begin_run("run 0", "cron", &moment(0)).expect("begun");
        Self { place, store, model: Model::default(), now: 1_800_000_000_000, run: 0 }
    }

    fn run_id(&self) -> String {
        format!("run {}", self.run)
    }

    fn job(&self, id: u32) -> halt_tracker::queue::job::Job {
        let seq = self.store.seq_of(&submission(id, &json!({})).id).expect("there");
        self.store.job(seq).expect("read")
    }

    fn is_held(&self, id: u32) -> bool {
        self.model.ones.get(&id).is_some_and(|one| one.state == State::Sending)
    }

    fn play(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now += 1;
        let now = moment(self.now);
        match step {
            Step::Accept { id, mac, body, late } => self.accept(*id, *mac, *body, *late)?,
            Step::Claim(id) => {
                let Some(one) = self.model.ones.get_mut(id) else { return Ok(()) };
                if !matches!(one.state, State::Queued | State::Retry | State::Checking) {
                    return Ok(());
                }
                let settles = one.steps.iter().any(|step| matches!(step, StepState::Unknown | StepState::Applied));
                let expected = !one.erase || settles;
                if expected {
                    (one.state, one.touched) = (State::Sending, now.wall);
                    one.crashes += 1;
                    if !one.fixed {
                        one.steps = vec![StepState::Todo; 2];
                    }
                }
                let (job, run) = (self.job(*id), self.run_id());
                prop_assert_eq!(
                    self.store.claim(&job, &run, (!job.plan_fixed).then(plan).as_ref(), &now).expect("claims"),
                    expected
                );
            }
            Step::Intend(id, at) => {
                if !self.model.ones.contains_key(id) {
                    return Ok(());
                }
                let (job, run) = (self.job(*id), self.run_id());
                let one = self.model.ones.get_mut(id).expect("there");
                let expected =
                    one.state == State::Sending && !one.erase && one.steps.get(*at) == Some(&StepState::Todo);
                if expected {
                    one.steps[*at] = StepState::Intent;
                }
                let written = self.store.intend(job.seq, *at as i64, &run, b"hash", 1, &now).expect("intends");
                prop_assert_eq!(written, expected);
            }
            Step::Outcome(id, at, to) => {
                let run = self.run_id();
                let open = self.is_held(*id) && self.model.ones[id].steps.get(*at).is_some_and(|step| step.is_open());
                if !open {
                    return Ok(());
                }
                let job = self.job(*id);
                let fixes = matches!(to, StepState::Unknown | StepState::Applied | StepState::Done);
                let outcome = StepOutcome { state: Some(*to), event: "test", fixes_plan: fixes, ..Default::default() };
                self.store.outcome(&job, &job.steps[*at], &run, &outcome, &now).expect("written");
                let one = self.model.ones.get_mut(id).expect("there");
                (one.steps[*at], one.crashes, one.touched) = (*to, 0, now.wall);
                one.fixed |= fixes;
            }
            Step::Settle(id, to, spent) => {
                if !self.is_held(*id) {
                    return Ok(());
                }
                let (job, run) = (self.job(*id), self.run_id());
                self.store.settle(&job, &run, &settled(*to, *spent), &now).expect("settled");
                let one = self.model.ones.get_mut(id).expect("there");
                (one.state, one.crashes, one.touched) = (*to, 0, now.wall);
                one.attempts += i64::from(*spent);
                one.ended = if to.is_end() { now.wall } else { 0 };
            }
            Step::Stranger(id) => {
                if !self.model.ones.contains_key(id) {
                    return Ok(());
                }
                let job = self.job(*id);
                prop_assert!(!self.store.intend(job.seq, 0, "a dead run", b"hash", 1, &now).expect("asked"));
                prop_assert!(self.store.settle(&job, "a dead run", &settled(State::Done, true), &now).is_err());
                if let Some(step) = job.steps.first() {
                    let done = StepOutcome { state: Some(StepState::Done), event: "test", ..Default::default() };
                    prop_assert!(self.store.outcome(&job, step, "a dead run", &done, &now).is_err());
                }
            }
            Step::Act(id, action) => {
                let expected = self.model.act(*id, *action, name(*action), now.wall);
                let seen = code(self.store.act(&submission(*id, &json!({})).id, *action, &now));
                prop_assert_eq!(seen, expected);
            }
            Step::NewRun => {
                self.run += 1;
                self.model.new_run(now.wall);
                let run = self.run_id();
                self.store.begin_run(&run, "cron", &now).expect("begun");
            }
            Step::Wait(ms) => self.now += ms,
            Step::Tidy => {
                let expected = self.model.tidy(now.wall);
                prop_assert_eq!(self.store.tidy(KEEP_DAYS, now.wall).expect("tidied"), expected);
            }
            Step::FinishErasures => {
                let expected = self.model.finish_erasures(now.wall);
                prop_assert_eq!(self.store.finish_erasures(now.wall).expect("erased"), expected);
            }
            Step::Reopen => self.store = self.place.open().expect("opens"),
        }
        Ok(())
    }

    fn accept(&mut self, id: u32, mac: Option<u8>, body: Option<u8>, late: bool) -> Result<(), TestCaseError> {
        let at = if late { 1_000 } else { self.now };
        let mut one = submission(id, &json!({ "email": format!("p{}@example.org", person(id)) }));
        one.received_at = at;
        let (replay, content) = (mac.map(|mac| [mac; 32]), body.map(|body| [100 + body; 32]));
        let keys: Vec<([u8; 32], i64)> =
            replay.map(|key| (key, REPLAY_MS)).into_iter().chain(content.map(|key| (key, WINDOW))).collect();
        let new = NewSubmission {
            submission: &one,
            files: &[],
            state: State::Queued,
            replay,
            duplicate: content.map(|key| (vec![key], WINDOW)),
            marker: "ht-marker",
            now: self.now.max(at),
        };
        let accepted = self.store.accept(&new).expect("accepted");
        let (known, state, duplicate) = self.model.accept(id, &keys, at);
        prop_assert_eq!(accepted.id, submission(known, &json!({})).id);
        prop_assert_eq!((accepted.state, accepted.duplicate), (state, duplicate));
        Ok(())
    }

    /// Everything that was ever accepted is there, as the model has it, and nothing else.
    fn compare(&self) -> Result<u64, TestCaseError> {
        for (id, one) in &self.model.ones {
            let job = self.job(*id);
            let steps: Vec<StepState> = job.steps.iter().map(|step| step.state).collect();
            prop_assert_eq!(
                (job.state, job.submission.is_some(), &steps),
                (one.state, one.payload, &one.steps),
                "{}",
                id
            );
            if one.state != State::Erased {
                prop_assert_eq!(
                    (job.attempts, job.crashes, job.plan_fixed),
                    (one.attempts, one.crashes, one.fixed),
                    "{}",
                    id
                );
            }
        }
        let stored: i64 = self
            .store
            .connection()
            .query_row("SELECT count(*) FROM submission", [], |row| row.get(0))
            .expect("counted");
        prop_assert_eq!(stored, self.model.ones.len() as i64);
        Ok(stored.unsigned_abs())
    }
}

fn moment(wall: i64) -> Moment {
    Moment { wall, boot: wall, boot_id: "boot".into() }
}

pub fn plan() -> NewPlan {
    NewPlan {
        requests: b"[]".to_vec(),
        steps: vec![(StepKind::Record, None, false), (StepKind::Activity, None, false)],
        person: None,
        record_type: "Resource",
        api: "rest",
        tenant: "tenant".into(),
        generation: 1,
    }
}

pub fn settled(state: State, spent: bool) -> Settled {
    Settled { state, reason: "", code: None, message: String::new(), due_in: 0, spent }
}

const fn name(action: Action) -> &'static str {
    match action {
        Action::Retry => "retry",
        Action::Discard => "discard",
        Action::Spam => "spam",
        Action::Release => "release",
        Action::Erase => "erase",
        Action::Exists(_) => "exists",
        Action::Absent => "absent",
    }
}

#[test]
fn any_history_leaves_the_store_as_its_model() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(96);
    let [histories, operations, kept, stored] = [(); 4].map(|()| Cell::new(0_u64));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let result = TestRunner::new(config).run(&steps(), |steps| {
        let mut pair = Pair::new();
        let mut rows = 0;
        for step in &steps {
            pair.play(step)?;
            rows = pair.compare()?;
        }
        let said: String =
            pair.store.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
        prop_assert_eq!(said, "ok");
        histories.set(histories.get() + 1);
        operations.set(operations.get() + steps.len() as u64);
        kept.set(kept.get() + pair.model.ones.len() as u64);
        stored.set(stored.get() + rows);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(kept.get() > histories.get(), "the histories hold next to nothing");
    println!(
        "campaign b: real files: {} histories, {} operations, {} submissions, each one where the model has it, in {} rows: lost {}, doubled {}",
        histories.get(),
        operations.get(),
        kept.get(),
        stored.get(),
        kept.get().saturating_sub(stored.get()),
        stored.get().saturating_sub(kept.get())
    );
}
