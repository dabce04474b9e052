//! (k) of the campaign, below PHP: a call of the engine that never comes back, in a thread that lives on. That is what PHP's
//! way out of a fatal error would be if one struck within a run: a jump over our frames, none of whose destructors runs.
//! `tests/hazards/fatal.rs` says why today no such error can; the lock of a run is found and freed all the same.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::path::Path;

use crate::judge::{Counts, judge};
use crate::points::templates;
use crate::site::{Meanwhile, Site, Template};
use crate::story::{calm, together};
use crate::system::{self, Lies};

thread_local! {
    static BACK: Cell<*const libc::ucontext_t> = const { Cell::new(std::ptr::null()) };
    static WORK: Cell<*mut c_void> = const { Cell::new(std::ptr::null_mut()) };
    static JUMPED: Cell<bool> = const { Cell::new(false) };
}

/// Bytes of a stack for one call.
const STACK: usize = 8 << 20;

/// Does work on a stack of its own; whether it was left by [`jump`] and not by its end. What lies on that stack then is
/// never dropped and never freed, as after a longjmp.
fn is_left(work: &mut dyn FnMut()) -> bool {
    let stack = Vec::leak(vec![0_u8; STACK]);
    let mut work = work;
    WORK.set((&raw mut work).cast());
    JUMPED.set(false);
    // SAFETY: plain data of the C library, filled by the calls below.
    let (mut here, mut there): (libc::ucontext_t, libc::ucontext_t) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: both contexts live on this frame, which stays until the work has ended or jumped; the stack lives for ever.
    unsafe {
        assert_eq!(libc::getcontext(&raw mut there), 0);
        there.uc_stack.ss_sp = stack.as_mut_ptr().cast();
        there.uc_stack.ss_size = STACK;
        there.uc_link = &raw mut here;
        BACK.set(&raw const here);
        libc::makecontext(&raw mut there, begin, 0);
        assert_eq!(libc::swapcontext(&raw mut here, &raw const there), 0);
    }
    JUMPED.get()
}

extern "C" fn begin() {
    // SAFETY: `is_left` has put it there and waits for us. Nothing may unwind beyond this stack: a panic aborts here.
    let work = unsafe { &mut *WORK.get().cast::<&mut dyn FnMut()>() };
    work();
}

/// Leaves the work for good.
fn jump() -> ! {
    JUMPED.set(true);
    // SAFETY: the context of an `is_left` that is still waiting.
    unsafe { libc::setcontext(BACK.get()) };
    unreachable!("setcontext does not return");
}

/// Jumps out of the run at its n-th request.
fn at_request(n: u32) -> Meanwhile {
    Box::new(move |site: &Site| {
        if n == 1 {
            jump();
        }
        site.meanwhile.replace(Some(at_request(n - 1)));
    })
}

/// A run is left at its n-th request; the next call of the same worker accepts a form, and the one after it is a run.
/// `None`: the run had fewer requests.
fn left_at(template: &Template, n: u32, lies: Lies) -> Option<Result<Counts, String>> {
    let mut site = Site::of(template);
    let ada = site.form("ada", true);
    site.submit(ada).expect("accepted");
    site.meanwhile.replace(Some(at_request(n)));
    let said = RefCell::new(None);
    if !is_left(&mut || drop(said.replace(Some(site.run())))) {
        said.take().expect("asked").expect("a run like any other");
        return None;
    }
    assert!(said.take().is_none());
    Some(lives_on(&mut site, lies))
}

fn lives_on(site: &mut Site, lies: Lies) -> Result<Counts, String> {
    site.meanwhile.take();
    system::watch(&site.root(), None, lies);
    let bea = site.form("bea", false);
    let taken = site.submit(bea);
    system::unwatch();
    taken?;
    let outcome = site.run()?["outcome"].clone();
    if outcome == "busy" {
        return Err("the run after it finds the lock of nobody, and is busy".into());
    }
    calm(site)?;
    judge(site)
}

#[test]
fn a_run_that_php_would_jump_out_of_is_found_by_the_next_call_and_closed() {
    let _together = together();
    let mut counts = Counts::default();
    for (api, template) in &templates() {
        for n in 1.. {
            let Some(one) = left_at(template, n, Lies::default()) else {
                assert!(n > 2, "{api}: hardly a request");
                break;
            };
            counts.add(&one.unwrap_or_else(|why| panic!("{api}, left at request {n}: {why}")));
        }
    }
    println!(
        "campaign k, below PHP: real files: a run left at each of its requests without any destructor, {} times, in a thread that lived on; {}",
        counts.trials,
        counts.words()
    );
    let left_open: fn(&Path) -> bool = |path| path.ends_with("run.lock");
    let lies = Lies { left_open: Some(left_open), ..Lies::default() };
    let why = left_at(&templates()[1].1, 2, lies).expect("left").expect_err("nobody noticed");
    println!("mutation the next call closes the run that a fatal error left behind: red ({why})");
}
