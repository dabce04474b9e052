//! Processes of our own beside the engine: they work, stop on the way, and end without any clean-up.

use std::path::Path;

use halt_tracker::engine::handles;

/// What is said of a child that did not end by itself.
pub const OUT_OF_TIME: &str = "a process did not end in time";

/// A process of its own.
pub struct Child(libc::pid_t);

impl Child {
    /// Forks; the child does its work and ends without any clean-up.
    pub fn of(work: impl FnOnce()) -> Self {
        Self::within(240, work)
    }
    /// The same; after so many seconds it is ended.
    pub fn within(seconds: u32, work: impl FnOnce()) -> Self {
        handles::close_all();
        // SAFETY: nobody else in this process is within SQLite or holds a lock that the child needs; the child runs on
        // this thread alone and leaves by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: whatever happens, it does not outlive its test.
            unsafe { libc::alarm(seconds) };
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: ends this process.
            unsafe { libc::_exit(i32::from(done.is_err())) };
        }
        assert!(pid > 0, "no process");
        Self(pid)
    }
    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: a child of ours that was not waited for.
        assert_eq!(unsafe { libc::kill(self.0, signal) }, 0);
    }
    /// Waits until it has stopped itself.
    pub fn stopped(&self) {
        let mut status = 0;
        // SAFETY: our child, and a place for its status.
        unsafe { libc::waitpid(self.0, &raw mut status, libc::WUNTRACED) };
        assert!(libc::WIFSTOPPED(status), "it ended instead: {status}");
    }
    /// Waits for its end, which is to be a good one.
    pub fn end(self) -> Result<(), String> {
        let mut status = 0;
        // SAFETY: as above.
        unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        match (libc::WIFEXITED(status), libc::WEXITSTATUS(status)) {
            (true, 0) => Ok(()),
            (true, code) => Err(format!("a process ended with {code}")),
            (false, _) if libc::WTERMSIG(status) == libc::SIGALRM => Err(OUT_OF_TIME.to_owned()),
            (false, _) => Err(format!("a process died of signal {}", libc::WTERMSIG(status))),
        }
    }
}

/// Called by a child: it stands still until somebody continues it.
pub fn stop_myself() {
    // SAFETY: stops this process until somebody continues it.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// Copies the whole folder, as a hoster's backup does.
pub fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let done = std::process::Command::new("cp").args(["-a"]).arg(from).arg(to).status().expect("cp");
    assert!(done.success());
}
