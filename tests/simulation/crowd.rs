//! Who comes by while a run is in progress, by chance: a second runner, somebody who sends a form, a person at the screens,
//! an administrator. They are truthful: whoever says that a record is there, or is not, has looked into Tracker.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use halt_tracker::codes::{Code, Coded};
use halt_tracker::queue::act::Action;
use halt_tracker::queue::state::{Pause, State};
use halt_tracker::relay::{Caller, Ended};
use serde_json::{Value, json};

use crate::features::Features;
use crate::ledgers::list;
use crate::meanwhile::{At, Reach};
use crate::meetings::{Doing, Meetings};
use crate::model::Tracker;

use crate::world::{Dice, SECRET, merge};

/// Called at every moment of a run at which somebody may come by.
pub type Script = Box<dyn FnMut(&mut Reach<'_>, At, &str)>;

/// A submission that came in while a run was in progress.
pub struct News {
    pub id: String,
    pub person: u64,
    pub marker: String,
}

/// Who comes by in one world. Nobody, unless a seed or a script says so.
pub struct Others {
    pub dice: Dice,
    pub script: Option<Script>,
    features: Features,
    accounts: Vec<Rc<RefCell<Tracker>>>,
    /// Out of a thousand moments at a request, and how many more at most.
    per_mille: u64,
    pub left: u64,
    only_people: bool,
    is_paused: bool,
    /// Creates of records that Tracker refuses for good, so that somebody has to send them again.
    pub refused: u64,
    people: u64,
    pub news: Vec<News>,
    pub discarded: BTreeSet<String>,
    pub erased: BTreeSet<String>,
    pub meetings: Meetings,
    /// What was seen of the store when a second run had gone on in the place of the first.
    pub overrun: Option<i64>,
    /// A second runner was killed: what it held is put back by the next run.
    pub left_over: bool,
    pub wrong: Vec<String>,
}

impl Default for Others {
    fn default() -> Self {
        Self::new(0, Features::default(), Vec::new(), 0)
    }
}

impl Others {
    /// By chance, at a few moments of the runs of a seed, or at none.
    pub fn of(seed: u64, features: Features, accounts: Vec<Rc<RefCell<Tracker>>>) -> Self {
        let mut dice = Dice::new(seed ^ 0xc0d0);
        let most = if dice.chance(60) { 1 + dice.below(6) } else { 0 };
        let refused = if most > 0 && dice.chance(15) { 1 + dice.below(2) } else { 0 };
        Self { refused, ..Self::new(seed, features, accounts, most) }
    }

    fn new(seed: u64, features: Features, accounts: Vec<Rc<RefCell<Tracker>>>, most: u64) -> Self {
        Self {
            dice: Dice::new(seed ^ 0x0c0d),
            script: None,
            features,
            accounts,
            per_mille: 60,
            left: most,
            only_people: false,
            is_paused: false,
            refused: 0,
            people: 100,
            news: Vec::new(),
            discarded: BTreeSet::new(),
            erased: BTreeSet::new(),
            meetings: Meetings::default(),
            overrun: None,
            left_over: false,
            wrong: Vec::new(),
        }
    }

    /// From here on only those come who have something to decide, and they are quick.
    pub fn only_people(&mut self, most: u64) {
        (self.only_people, self.per_mille, self.left) = (true, 3_000, most);
    }

    fn choose(&mut self) -> Doing {
        // Whoever paused sending comes back before long.
        if self.is_paused && self.dice.chance(40) {
            return Doing::Resume;
        }
        let mut at = self.dice.below(Doing::WEIGHTS.iter().sum());
        for (doing, weight) in Doing::ALL.iter().zip(Doing::WEIGHTS) {
            if at < *weight {
                return *doing;
            }
            at -= weight;
        }
        Doing::Runner
    }
}

/// A submission as a person sees it.
struct Seen {
    id: String,
    state: State,
    code: i64,
    record_type: String,
    open: bool,
}

/// Codes that tell of a second record, or of one of another type: only a person can decide on those, and here nobody does.
const TOLD: [i64; 3] = [1602, 1612, 1616];

impl Reach<'_> {
    /// A moment at which somebody may come by.
    pub fn come_by(&mut self, at: At, url: &str) {
        if let Some(mut script) = self.others.script.take() {
            script(self, at, url);
            self.others.script.get_or_insert(script);
        }
        if self.others.left == 0 {
            return;
        }
        let moments = if at == At::Looking && !self.others.is_paused { 10_000 } else { 1_000 };
        if self.others.dice.below(moments) >= self.others.per_mille {
            return;
        }
        // Not everything fits at every moment.
        for _ in 0..8 {
            let doing = self.others.choose();
            if (!self.others.only_people || doing.is_a_decision()) && self.does(doing, at) {
                self.others.left -= 1;
                self.others.meetings.done[doing as usize] += 1;
                return;
            }
        }
    }

    /// Does something, if there is anything to do it with.
    fn does(&mut self, doing: Doing, at: At) -> bool {
        let f = self.others.features;
        match doing {
            Doing::Runner => self.second_runner(),
            Doing::Accept => self.somebody_sends(),
            Doing::Retry => self.with_one(|seen| !TOLD.contains(&seen.code), Action::Retry),
            Doing::Replay => self.replays(),
            Doing::Release => self.with_one(|seen| seen.state == State::Held, Action::Release),
            Doing::Discard => self.discards(),
            // Whoever is erased is not known here any more, and Tracker's search may not know them yet.
            Doing::Erase => !f.same_person && !f.restore && self.erases(),
            Doing::Exists | Doing::Absent => !(f.swap || f.restore || f.blocked) && self.answers(doing),
            Doing::Settings => f.settings && self.changes_settings(),
            Doing::Credentials => self.pastes(),
            Doing::Secret => self.saves_secret(),
            Doing::Pause => self.pauses(),
            Doing::Resume => self.resumes(),
            Doing::Stall => self.stalls(),
            Doing::Overrun => at != At::Looking && self.is_locked() && self.overruns(),
        }
    }

    fn caller(&mut self) -> Caller {
        [Caller::Cron, Caller::Button, Caller::Cli, Caller::After][self.others.dice.below(4) as usize]
    }

    /// Where the lock is held it hears so and sends nothing.
    fn second_runner(&mut self) -> bool {
        let (locked, sent, caller) = (self.is_locked(), self.wire.sent, self.caller());
        let Some(report) = self.run_beside(caller, None) else {
            self.is_killed();
            return true;
        };
        if locked {
            self.others.meetings.turned_away += 1;
            if report.outcome != Ended::Busy || self.wire.sent != sent {
                self.others.wrong.push(format!("a second runner was told {:?}", report.outcome));
            }
        }
        true
    }

    /// The lock is lost while the run stands still, and another one goes on in its place, or is killed there.
    fn overruns(&mut self) -> bool {
        self.replace_lock();
        self.stalls();
        let killed_at = if self.others.dice.chance(40) { Some(self.others.dice.below(80)) } else { None };
        let caller = self.caller();
        if self.run_beside(caller, killed_at).is_some() {
            self.others.overrun = Some(self.version());
        } else {
            self.is_killed();
        }
        true
    }

    fn is_killed(&mut self) {
        self.others.meetings.killed += 1;
        self.others.left_over = true;
    }

    fn stalls(&mut self) -> bool {
        let most = if self.others.dice.chance(20) { 30 * 60_000 } else { 20_000 };
        self.clock.advance(self.others.dice.below(most) as i64);
        self.wire.arrive();
        true
    }

    fn somebody_sends(&mut self) -> bool {
        let again = self.others.features.same_person && self.others.dice.chance(60);
        let person = if again { 0 } else { self.others.people };
        self.others.people += u64::from(!again);
        let fields = json!({
            "name": format!("Person Number{person}"), "email": format!("p{person}@example.org"), "message": "Hi"
        });
        let state = if self.others.dice.chance(30) { State::Held } else { State::Queued };
        let id = self.accept(&fields, state);
        let sql = "SELECT marker FROM submission WHERE id = ?1";
        let marker = self.store.connection().query_row(sql, [&id], |row| row.get(0)).expect("a marker");
        self.others.news.push(News { id, person, marker });
        true
    }

    /// One submission by chance, of those that fit.
    fn seen(&mut self, fits: impl Fn(&Seen) -> bool) -> Option<Seen> {
        let sql = "SELECT id, state, code, record_type, EXISTS (SELECT 1 FROM step WHERE step.seq = submission.seq
                   AND step.state IN ('intent','unknown','applied')) FROM submission ORDER BY seq";
        let mut statement = self.store.connection().prepare_cached(sql).expect("a statement");
        let read = |row: &rusqlite::Row<'_>| {
            let state: String = row.get(1)?;
            let state = State::from_name(&state).unwrap_or(State::Sending);
            Ok(Seen { id: row.get(0)?, state, code: row.get(2)?, record_type: row.get(3)?, open: row.get(4)? })
        };
        let mut all: Vec<Seen> =
            statement.query_map([], read).expect("rows").collect::<Result<_, _>>().expect("submissions");
        all.retain(fits);
        if all.is_empty() { None } else { Some(all.swap_remove(self.others.dice.below(all.len() as u64) as usize)) }
    }

    fn with_one(&mut self, fits: impl Fn(&Seen) -> bool, action: Action) -> bool {
        self.seen(fits).is_some_and(|seen| self.act(&seen.id, action))
    }

    /// All that failed, as with the one button.
    fn replays(&mut self) -> bool {
        let sql = "SELECT id FROM submission WHERE state = 'failed'";
        let ids: Vec<String> = {
            let mut statement = self.store.connection().prepare_cached(sql).expect("a statement");
            statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("ids")
        };
        ids.iter().filter(|id| self.act(id, Action::Retry)).count() > 0
    }

    fn discards(&mut self) -> bool {
        let Some(seen) = self.seen(|seen| !seen.open && !TOLD.contains(&seen.code)) else { return false };
        let done = self.act(&seen.id, Action::Discard);
        if done {
            self.others.discarded.insert(seen.id);
        }
        done
    }

    fn erases(&mut self) -> bool {
        let Some(seen) = self.seen(|seen| seen.state != State::Erased) else { return false };
        let done = self.act(&seen.id, Action::Erase);
        if done {
            self.others.erased.insert(seen.id);
        }
        done
    }

    /// A person looks into Tracker for one that asks, and says what is there.
    fn answers(&mut self, doing: Doing) -> bool {
        let asks = |seen: &Seen| seen.state == State::Attention && seen.open && !TOLD.contains(&seen.code);
        let Some(seen) = self.seen(asks) else { return false };
        let lists = [("Resource", "resources"), ("Contact", "contacts")];
        let Some((_, name)) = lists.iter().find(|(kind, _)| *kind == seen.record_type) else { return false };
        let seq = self.store.seq_of(&seen.id).expect("there");
        let Some(submission) = self.store.job(seq).expect("read").submission else { return false };
        let email = submission.fields["email"].as_str().unwrap_or_default();
        let ids = people(&self.wire.tracker.borrow(), name, email);
        match (doing, ids.as_slice()) {
            // Where each submission makes a record of its own, an e-mail does not tell which one it is.
            (Doing::Exists, [id]) if !self.others.features.create_always => self.act(&seen.id, Action::Exists(*id)),
            (Doing::Absent, []) => self.act(&seen.id, Action::Absent),
            _ => false,
        }
    }

    fn changes_settings(&mut self) -> bool {
        let record_type = ["Resource", "Contact"][self.others.dice.below(2) as usize];
        let api = ["widget", "rest"][self.others.dice.below(2) as usize];
        let api = if self.others.features.blocked { "widget" } else { api };
        merge(self.settings, &json!({ "record_type": record_type, "api": api }));
        true
    }

    fn pastes(&mut self) -> bool {
        if self.others.features.out && self.others.dice.chance(30) {
            self.enter("a wrong client secret", "sim-refresh-token-0123456789");
            return true;
        }
        if self.others.features.swap && self.others.dice.chance(60) {
            let now = self.wire.next.as_ref().unwrap_or(&self.wire.tracker);
            self.wire.next = self.others.accounts.iter().find(|account| !Rc::ptr_eq(account, now)).cloned();
        }
        let fresh = self.wire.fresh_credentials();
        self.enter(SECRET, &fresh);
        true
    }

    fn saves_secret(&mut self) -> bool {
        let now = self.clock.wall();
        match self.store.save_secret("shared_secret", "a webhook secret of forty characters, new", false, now) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.code(), Code::SecretCount, "{error}");
                let slot = self.store.secrets("shared_secret").expect("opened").last().map_or(0, |(slot, _)| *slot);
                self.store.retire_secret("shared_secret", slot).expect("retired")
            }
        }
    }

    fn pauses(&mut self) -> bool {
        let now = self.clock.wall();
        self.store.pause(Pause::ByHand, Code::RelayPaused, "", now, 0).expect("paused");
        self.others.is_paused = true;
        true
    }

    fn resumes(&mut self) -> bool {
        self.others.is_paused = false;
        self.store.lift(Pause::ByHand).expect("lifted")
    }
}

/// The ids of everybody with an e-mail whom an account holds as one type of record.
fn people(tracker: &Tracker, name: &str, email: &str) -> Vec<i64> {
    let ledger: Value = tracker.ledger();
    list(&ledger, name).filter(|one| one["email"] == *email).filter_map(|one| one["id"].as_i64()).collect()
}
