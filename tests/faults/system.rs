//! The operating system under the engine, in our hand: what every call that changes a disk, and every request, comes to.
//! The calls themselves are in `calls`.
//!
//! Every such call is a *point* with a number. A fault at point n is tried for n = 1, 2, … until a story ends without
//! meeting it: no point can be forgotten, because nobody lists them.

use std::cell::RefCell;
use std::ffi::c_int;
use std::path::{Path, PathBuf};

use crate::power::Recorder;

/// What a point does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Opens what is there, to read it.
    Open,
    /// Opens what is there, to change it.
    OpenToWrite,
    /// Makes a file.
    Create,
    Write,
    Truncate,
    Sync,
    /// Renames, links, unlinks, makes a folder.
    Name,
    /// A request to Tracker, before it leaves.
    Send,
    /// Its answer, before it is heard.
    Answer,
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is dead from here on: nothing of it reaches disk or network any more.
    Abort,
    /// The same, after half of a write.
    Tear,
    /// The call fails with an error number, once.
    Error(c_int),
    /// A write fails, and the system says that it went well: a mutation.
    Unheard,
    /// It and every later one of its kind fail, until the calm.
    ErrorsFrom(c_int),
    /// The machine stands still for so many milliseconds.
    Delay(i64),
    /// The wall clock jumps, forward or back.
    Jump(i64),
    /// Power fails: of what was not synced, any part may be there.
    Cut(u64),
}

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub at: u64,
    pub fault: Fault,
    pub of: fn(Kind) -> bool,
}

/// Mechanisms of the system that are switched off on purpose, to see a campaign go red.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lies {
    /// fsync of what the path contains says yes and does nothing.
    pub no_sync_of: Option<fn(&Path) -> bool>,
    /// Every lock is had at once.
    pub no_flock: bool,
    /// Every file has the same inode number.
    pub one_inode: bool,
    /// What the path contains stays open whoever closes it.
    pub left_open: Option<fn(&Path) -> bool>,
}

struct Watch {
    root: PathBuf,
    plan: Option<Plan>,
    count: u64,
    fired: Option<String>,
    dead: bool,
    lies: Lies,
    recorder: Option<Recorder>,
    delayed: i64,
    jumped: i64,
    failed: u64,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Watches this thread's calls below a folder, until [`unwatch`].
pub fn watch(root: &Path, plan: Option<Plan>, lies: Lies) {
    let recorder = matches!(plan, Some(Plan { fault: Fault::Cut(_), .. })).then(|| Recorder::new(root));
    let watch = Watch {
        root: root.to_owned(),
        plan,
        count: 0,
        fired: None,
        dead: false,
        lies,
        recorder,
        delayed: 0,
        jumped: 0,
        failed: 0,
    };
    WATCH.with_borrow_mut(|slot| *slot = Some(watch));
}

/// What was seen while watching.
#[derive(Debug, Default)]
pub struct Seen {
    /// Where the fault fired.
    pub fired: Option<String>,
    /// Calls that failed and were heard to.
    pub failed: u64,
    /// The disk after a power cut.
    pub image: Option<crate::power::Image>,
}

pub fn unwatch() -> Seen {
    let watch = WATCH.with_borrow_mut(Option::take);
    watch.map_or_else(Seen::default, |watch| Seen {
        fired: watch.fired,
        failed: watch.failed,
        image: watch.recorder.and_then(|recorder| recorder.image),
    })
}

/// Whether the process has "died".
pub fn is_dead() -> bool {
    WATCH.with_borrow(|slot| slot.as_ref().is_some_and(|watch| watch.dead))
}

/// Milliseconds for which the machine stood still, and by which its clock jumped, since the last question.
pub fn passed() -> (i64, i64) {
    WATCH.with_borrow_mut(|slot| {
        slot.as_mut().map_or((0, 0), |watch| (std::mem::take(&mut watch.delayed), std::mem::take(&mut watch.jumped)))
    })
}

/// What a caller does at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    Pass,
    Fail(c_int),
    /// Half of a write, then nothing more.
    Half,
    /// Nothing, and all is well.
    Unheard,
    /// The same, for a sync that does nothing on purpose.
    Lie,
}

/// A point that is no system call: a request to Tracker.
pub fn point(kind: Kind, what: &str) -> Do {
    WATCH.with_borrow_mut(|slot| {
        let Some(watch) = slot.as_mut() else { return Do::Pass };
        let path = Path::new(what);
        let wanted = watch.step(kind, path);
        watch.after(kind, path);
        // Power fails before the request leaves, or before its answer is heard.
        if wanted == Do::Pass && watch.dead { Do::Fail(libc::EIO) } else { wanted }
    })
}

/// Before a call: what is to be done, its kind and path; nothing outside the watched thread and folder. Called from
/// within the C library, where a thread may be at its end: nothing here may panic.
pub fn before(kind: impl Fn(&Path) -> Kind, path: impl Fn(&Path) -> Option<PathBuf>) -> Option<(Do, Kind, PathBuf)> {
    let found = WATCH.try_with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        let watch = slot.as_mut()?;
        // SQLite's index of the WAL is memory in a file's clothes: it is made anew after every crash.
        let path = path(&watch.root).filter(|path| path.to_str().is_none_or(|path| !path.ends_with("-shm")))?;
        let kind = kind(&path);
        let lied = kind == Kind::Sync && watch.lies.no_sync_of.is_some_and(|lie| lie(&path));
        let wanted = watch.step(kind, &path);
        Some((if lied && wanted == Do::Pass { Do::Lie } else { wanted }, kind, path))
    });
    found.ok().flatten()
}

/// After a call that went through.
pub fn after(kind: Kind, path: &Path) {
    let _ = WATCH.try_with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut()
            && let Some(watch) = slot.as_mut()
        {
            watch.after(kind, path);
        }
    });
}

/// What is switched off on this thread.
pub fn lies() -> Lies {
    let lies = WATCH.try_with(|slot| slot.try_borrow().ok().and_then(|slot| slot.as_ref().map(|watch| watch.lies)));
    lies.ok().flatten().unwrap_or_default()
}

impl Watch {
    fn step(&mut self, kind: Kind, path: &Path) -> Do {
        if self.dead {
            // Looking is free; whatever would change anything has no effect any more.
            return if matches!(kind, Kind::Open | Kind::OpenToWrite) { Do::Pass } else { Do::Fail(libc::EIO) };
        }
        let Some(plan) = self.plan.filter(|plan| (plan.of)(kind)) else { return Do::Pass };
        self.count += 1;
        if let (Fault::ErrorsFrom(number), true) = (plan.fault, self.count > plan.at) {
            self.failed += 1;
            return Do::Fail(number);
        }
        if self.count != plan.at {
            return Do::Pass;
        }
        self.fired = Some(format!("{kind:?} {} at point {}", path.display(), plan.at));
        match plan.fault {
            Fault::Abort => {
                self.dead = true;
                Do::Fail(libc::EIO)
            }
            Fault::Tear if kind == Kind::Write => {
                self.dead = true;
                Do::Half
            }
            Fault::Tear => {
                self.dead = true;
                Do::Fail(libc::EIO)
            }
            Fault::Error(number) | Fault::ErrorsFrom(number) => {
                self.failed += 1;
                Do::Fail(number)
            }
            Fault::Unheard => Do::Unheard,
            Fault::Delay(ms) => {
                self.delayed += ms;
                Do::Pass
            }
            Fault::Jump(ms) => {
                self.jumped += ms;
                Do::Pass
            }
            // Taken after the call, see `after`.
            Fault::Cut(_) => Do::Pass,
        }
    }

    /// After a call that went through: what is durable now, and the cut if it is due.
    fn after(&mut self, kind: Kind, path: &Path) {
        if self.dead {
            return;
        }
        let lied = self.lies.no_sync_of.is_some_and(|lie| lie(path));
        let Some(recorder) = &mut self.recorder else { return };
        if kind == Kind::Sync && !lied {
            recorder.synced(path);
        }
        let due = self.plan.is_some_and(|plan| (plan.of)(kind) && self.count == plan.at);
        if due && let Some(Plan { fault: Fault::Cut(seed), .. }) = self.plan {
            recorder.cut(seed);
            self.dead = true;
        }
    }
}
