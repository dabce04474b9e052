//! One site of a campaign, with its applicants, its accounts at Tracker, and what it is meant to go through.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::crowd::News;
use crate::features::Features;
use crate::model::Tracker;
use crate::promises::Spoil;
use crate::world::{Dice, World};

pub struct Sent {
    pub id: String,
    pub name: String,
    pub email: String,
    /// What the store gave it when it was accepted.
    pub marker: String,
}

/// What one seed is made of.
pub struct Case {
    pub world: World,
    pub features: Features,
    pub record_type: &'static str,
    pub sent: Vec<Sent>,
    /// Accepted after the backup that was put back: no store knows them any more.
    pub forgotten: BTreeSet<String>,
    pub accounts: Vec<Rc<RefCell<Tracker>>>,
    /// Tracker's ids of steps, once seen.
    pub ids: BTreeMap<(i64, i64), i64>,
    pub existing: usize,
    /// Whether an accept dies, and when.
    pub arrivals: Dice,
    pub deaths: u64,
    /// A promise that is broken on purpose.
    pub spoilt: Option<Spoil>,
    /// Whether, and how often by now, every byte is looked at.
    pub is_sample: bool,
    pub searched: u64,
}

impl Case {
    /// A site to which nothing happens but what the network does.
    pub fn of(world: World, record_type: &'static str) -> Self {
        let accounts = vec![Rc::clone(&world.wire.tracker), Rc::new(RefCell::new(Tracker::new()))];
        Self {
            arrivals: Dice::new(world.dice.clone().next()),
            world,
            features: Features::default(),
            record_type,
            sent: Vec::new(),
            forgotten: BTreeSet::new(),
            accounts,
            ids: BTreeMap::new(),
            existing: 0,
            deaths: 0,
            spoilt: None,
            is_sample: false,
            searched: 0,
        }
    }

    /// Whether something happens that only a person can decide, and not just bad weather.
    pub fn must_ask(&self) -> bool {
        let f = self.features;
        f.swap || f.restore || f.settings || f.blocked || f.unfiltered || f.wrong_id || f.poison
    }

    /// Takes note of whoever came by while a run was in progress.
    pub fn meet(&mut self) -> Result<(), String> {
        let person = |news: News| Sent {
            id: news.id,
            name: format!("Person Number{}", news.person),
            email: format!("p{}@example.org", news.person),
            marker: news.marker,
        };
        self.sent.extend(std::mem::take(&mut self.world.others.news).into_iter().map(person));
        self.world.others.wrong.pop().map_or(Ok(()), Err)
    }

    pub fn is_searched(&self) -> bool {
        self.is_sample || self.spoilt.is_some()
    }
}
