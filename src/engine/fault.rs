//! A fault of our own: no panic crosses into PHP, and none says a value. What a panic message quotes may be a name or a
//! secret, so that only its place is kept and written.

use std::cell::RefCell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use super::EngineError;
use crate::codes::Code;

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs an action; a panic becomes an error with the place where it happened.
///
/// # Errors
/// The action's own; `HT-1004` for a panic.
pub fn guarded<T>(action: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    static ONCE: Once = Once::new();
    // At the first call of a process and not when PHP starts: the hook is of this library alone.
    ONCE.call_once(|| std::panic::set_hook(Box::new(note)));
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|_| {
        let place = PLACE.with_borrow_mut(std::mem::take);
        Err(EngineError::new(Code::EngineFault, place))
    })
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
    // One line, and no second panic where nobody listens any more.
    let _ = writeln!(std::io::stderr(), "halt-tracker {} at {place}", Code::EngineFault);
    PLACE.with(|kept| {
        if let Ok(mut kept) = kept.try_borrow_mut() {
            *kept = place;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_names_its_place_and_no_value() {
        let error = guarded::<()>(|| panic!("canary {}", "ada@example.org")).expect_err("a panic");
        assert_eq!(error.code, Code::EngineFault);
        assert!(error.words.starts_with("src/engine/fault.rs:"), "{}", error.words);
        assert!(!error.to_string().contains("canary"), "{error}");
        assert_eq!(guarded(|| Ok(7)), Ok(7), "and the next call is a call like any other");
    }
}
