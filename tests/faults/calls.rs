//! The C library's own names for every call that changes a disk, defined by this test binary, so that SQLite and Rust's
//! files both meet our faults. Calls of other threads and outside the watched folder pass through untouched.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::{Path, PathBuf};

use crate::system::{self, Do, Kind};

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

/// Asks what to do for a call, does it, and tells that it went through. `path` is asked only on the watched thread.
/// `all_of_it`: what the call answers when it went well and changed nothing.
fn guarded(
    kind: impl Fn(&Path) -> Kind,
    path: impl Fn(&Path) -> Option<PathBuf>,
    all_of_it: i64,
    call: impl Fn(bool) -> i64,
) -> i64 {
    let Some((wanted, kind, path)) = system::before(kind, path) else { return call(false) };
    let fail = |number: c_int| {
        // SAFETY: the C library's own place for this thread's error number.
        unsafe { *libc::__errno_location() = number };
        -1
    };
    let result = match wanted {
        Do::Fail(number) => return fail(number),
        Do::Half => {
            call(true);
            return fail(libc::EIO);
        }
        Do::Unheard => return all_of_it,
        Do::Lie => all_of_it,
        Do::Pass => call(false),
    };
    if result >= 0 {
        system::after(kind, &path);
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
        let is_new = flags & libc::O_CREAT != 0 && std::fs::symlink_metadata(path).is_err();
        // What empties a file changes it as much as what makes it.
        match flags & libc::O_ACCMODE {
            _ if is_new || flags & libc::O_TRUNC != 0 => Kind::Create,
            libc::O_RDONLY => Kind::Open,
            _ => Kind::OpenToWrite,
        }
    };
    // SAFETY: the caller's own arguments, passed on.
    guarded(kind, named(path), -1, |_| unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) })
        as c_int
}

macro_rules! on_file {
    ($($name:ident($fd:ident $(, $argument:ident: $kind:ty)*) -> $result:ty, $point:expr, $number:expr;)+) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($fd: c_int $(, $argument: $kind)*) -> $result {
            // SAFETY: the caller's own arguments, passed on.
            guarded(|_| $point, |root| path_of($fd, root), 0, |_| unsafe { libc::syscall($number, $fd $(, $argument)*) }) as $result
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
    guarded(|_| Kind::Write, |root| path_of(fd, root), count as i64, call) as isize
}

#[unsafe(no_mangle)]
extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    // SAFETY: as above.
    let call = |half| unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, part(count, half), at) };
    guarded(|_| Kind::Write, |root| path_of(fd, root), count as i64, call) as isize
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
    guarded(|_| Kind::Name, named(to), 0, call) as c_int
}

#[unsafe(no_mangle)]
extern "C" fn linkat(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    let call = |_| unsafe { libc::syscall(libc::SYS_linkat, from_dir, from, to_dir, to, flags) };
    guarded(|_| Kind::Name, named(to), 0, call) as c_int
}

#[unsafe(no_mangle)]
extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller's own argument, passed on.
    guarded(|_| Kind::Name, named(path), 0, |_| unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) })
        as c_int
}

#[unsafe(no_mangle)]
extern "C" fn mkdir(path: *const c_char, mode: c_uint) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    guarded(|_| Kind::Name, named(path), 0, |_| unsafe { libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode) })
        as c_int
}

#[unsafe(no_mangle)]
extern "C" fn flock(fd: c_int, operation: c_int) -> c_int {
    if system::lies().no_flock {
        return 0;
    }
    // SAFETY: the caller's own arguments, passed on.
    unsafe { libc::syscall(libc::SYS_flock, fd, operation) as c_int }
}

#[unsafe(no_mangle)]
extern "C" fn close(fd: c_int) -> c_int {
    if let Some(stays) = system::lies().left_open
        && path_of(fd, Path::new("/")).is_some_and(|path| stays(&path))
    {
        return 0;
    }
    // SAFETY: the caller's own argument, passed on.
    unsafe { libc::syscall(libc::SYS_close, fd) as c_int }
}

#[unsafe(no_mangle)]
extern "C" fn statx(dir: c_int, path: *const c_char, flags: c_int, mask: c_uint, out: *mut libc::statx) -> c_int {
    // SAFETY: the caller's own arguments, passed on.
    let result = unsafe { libc::syscall(libc::SYS_statx, dir, path, flags, mask, out) } as c_int;
    if result == 0 && system::lies().one_inode {
        // SAFETY: the call above has filled it.
        unsafe { (*out).stx_ino = 1 };
    }
    result
}
