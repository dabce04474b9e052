//! The operating system under the engine, in our hand: this test binary defines the C library's own names for every
//! call that changes a disk, so that SQLite and Rust's files both meet our faults. Calls of other threads and outside
//! the watched folder pass through untouched.
//!
//! Every such call is a *point* with a number. A fault at point n is tried for n = 1, 2, … until a story ends without
//! meeting it: no point can be forgotten, because nobody lists them.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::{Path, PathBuf};

use crate::power::Recorder;

/// What a point does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Opens what is there.
    Open,
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
    };
    WATCH.with_borrow_mut(|slot| *slot = Some(watch));
}

/// What was seen while watching.
#[derive(Debug, Default)]
pub struct Seen {
    /// Where the fault fired.
    pub fired: Option<String>,
    /// The disk after a power cut.
    pub image: Option<crate::power::Image>,
}

pub fn unwatch() -> Seen {
    let watch = WATCH.with_borrow_mut(Option::take);
    watch.map_or_else(Seen::default, |watch| Seen {
        fired: watch.fired,
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

impl Watch {
    fn step(&mut self, kind: Kind, path: &Path) -> Do {
        if self.dead {
            // Looking is free; whatever would change anything has no effect any more.
            return if kind == Kind::Open { Do::Pass } else { Do::Fail(libc::EIO) };
        }
        let Some(plan) = self.plan.filter(|plan| (plan.of)(kind)) else { return Do::Pass };
        self.count += 1;
        if let (Fault::ErrorsFrom(number), true) = (plan.fault, self.count > plan.at) {
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
            Fault::Error(number) | Fault::ErrorsFrom(number) => Do::Fail(number),
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

/// The path of an open file below the watched folder, `None` for any other.
fn path_of(fd: c_int, root: &Path) -> Option<PathBuf> {
    let mut buffer = [0_u8; 512];
    let link = format!("/proc/self/fd/{fd}\0");
    // SAFETY: both pointers are valid for the lengths given, and the link's name ends with a zero.
    let length = unsafe { libc::readlink(link.as_ptr().cast(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let bytes = &buffer[..usize::try_from(length).ok()?];
    let text = std::str::from_utf8(bytes).ok()?;
    let path = Path::new(text.strip_suffix(" (deleted)").unwrap_or(text));
    path.starts_with(root).then(|| path.to_owned())
}

/// SQLite's index of the WAL is memory in a file's clothes: it is made anew after every crash.
fn is_memory(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with("-shm"))
}

/// Asks what to do for a call, does it, and notes what became durable. `path` is asked only on the watched thread.
fn guarded(kind: impl Fn(&Path) -> Kind, path: impl Fn(&Path) -> Option<PathBuf>, call: impl Fn(bool) -> i64) -> i64 {
    let found = WATCH.try_with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        let watch = slot.as_mut()?;
        let path = path(&watch.root).filter(|path| !is_memory(path))?;
        let kind = kind(&path);
        let lied = kind == Kind::Sync && watch.lies.no_sync_of.is_some_and(|lie| lie(&path));
        Some((watch.step(kind, &path), kind, path, lied))
    });
    let Ok(Some((what, kind, path, lied))) = found else { return call(false) };
    let result = match what {
        Do::Fail(number) => {
            // SAFETY: the C library's own place for this thread's error number.
            unsafe { *libc::__errno_location() = number };
            return -1;
        }
        Do::Half => {
            call(true);
            // SAFETY: as above.
            unsafe { *libc::__errno_location() = libc::EIO };
            return -1;
        }
        Do::Pass if lied => 0,
        Do::Pass => call(false),
    };
    if result >= 0 {
        let _ = WATCH.try_with(|slot| {
            if let Ok(mut slot) = slot.try_borrow_mut()
                && let Some(watch) = slot.as_mut()
            {
                watch.after(kind, &path);
            }
        });
    }
    result
}

fn named(path: *const c_char) -> impl Fn(&Path) -> Option<PathBuf> {
    move |root| {
        // SAFETY: callers of the C library give a string that ends with a zero.
        let path = Path::new(unsafe { CStr::from_ptr(path) }.to_str().ok()?);
        path.starts_with(root).then(|| path.to_owned())
    }
}

fn opened(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let kind = |path: &Path| {
        if flags & libc::O_CREAT != 0 && std::fs::symlink_metadata(path).is_err() { Kind::Create } else { Kind::Open }
    };
    // SAFETY: the caller's own arguments, passed on.
    guarded(kind, named(path), |_| unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) })
        as c_int
}

macro_rules! on_file {
    ($($name:ident($fd:ident $(, $argument:ident: $kind:ty)*) -> $result:ty, $point:expr, $number:expr;)+) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($fd: c_int $(, $argument: $kind)*) -> $result {
            // SAFETY: the caller's own arguments, passed on.
            guarded(|_| $point, |root| path_of($fd, root), |_| unsafe { libc::syscall($number, $fd $(, $argument)*) }) as $result
        }
    )+};
}

on_file! {
    fsync(fd) -> c_int, Kind::Sync, libc::SYS_fsync;
    fdatasync(fd) -> c_int, Kind::Sync, libc::SYS_fdatasync;
    ftruncate(fd, length: i64) -> c_int, Kind::Truncate, libc::SYS_ftruncate;
    ftruncate64(fd, length: i64) -> c_int, Kind::Truncate, libc::SYS_ftruncate;
}

/// The number of bytes of a write, or half of them.
const fn part(count: usize, half: bool) -> usize {
    if half { count / 2 } else { count }
}

#[unsafe(no_mangle)]
extern "C" fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize {
    // SAFETY: the caller's own arguments, passed on, or a shorter count.
    let call = |half| unsafe { libc::syscall(libc::SYS_write, fd, bytes, part(count, half)) };
    guarded(|_| Kind::Write, |root| path_of(fd, root), call) as isize
}

#[unsafe(no_mangle)]
extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    // SAFETY: as above.
    let call = |half| unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, part(count, half), at) };
    guarded(|_| Kind::Write, |root| path_of(fd, root), call) as isize
}

#[unsafe(no_mangle)]
extern "C" fn pwrite(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    pwrite64(fd, bytes, count, at)
}

#[unsafe(no_mangle)]
extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    opened(path, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    opened(path, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    let call = |_| unsafe { libc::syscall(libc::SYS_renameat, libc::AT_FDCWD, from, libc::AT_FDCWD, to) };
    guarded(|_| Kind::Name, named(to), call) as c_int
}

#[unsafe(no_mangle)]
extern "C" fn linkat(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    let call = |_| unsafe { libc::syscall(libc::SYS_linkat, from_dir, from, to_dir, to, flags) };
    guarded(|_| Kind::Name, named(to), call) as c_int
}

#[unsafe(no_mangle)]
extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller's own argument, passed on.
    guarded(|_| Kind::Name, named(path), |_| unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) })
        as c_int
}

#[unsafe(no_mangle)]
extern "C" fn mkdir(path: *const c_char, mode: c_uint) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    guarded(|_| Kind::Name, named(path), |_| unsafe { libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode) })
        as c_int
}

#[unsafe(no_mangle)]
extern "C" fn flock(fd: c_int, operation: c_int) -> c_int {
    let lie = WATCH.try_with(|slot| slot.try_borrow().is_ok_and(|slot| slot.as_ref().is_some_and(|w| w.lies.no_flock)));
    if lie.unwrap_or(false) {
        return 0;
    }
    // SAFETY: the caller's own arguments, passed on.
    unsafe { libc::syscall(libc::SYS_flock, fd, operation) as c_int }
}

#[unsafe(no_mangle)]
extern "C" fn statx(dir: c_int, path: *const c_char, flags: c_int, mask: c_uint, out: *mut libc::statx) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    let result = unsafe { libc::syscall(libc::SYS_statx, dir, path, flags, mask, out) } as c_int;
    let lie =
        WATCH.try_with(|slot| slot.try_borrow().is_ok_and(|slot| slot.as_ref().is_some_and(|w| w.lies.one_inode)));
    if result == 0 && lie.unwrap_or(false) {
        // SAFETY: the call above has filled it.
        unsafe { (*out).stx_ino = 1 };
    }
    result
}
