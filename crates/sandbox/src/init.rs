//! Process 1 of a sandbox: reaps what is orphaned, reports how the runtime ended, and ends with the server.
//!
//! It is this very executable, executed again under the name [`NAME`], so that no copy of the server's memory stays
//! behind in the sandbox. A constructor notices the name before `main` runs; a program that links this crate needs to do
//! nothing for it.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::RawFd;

use crate::sys;

/// Zeroth argument of the init process.
pub(crate) const NAME: &CStr = c"rolecall-sandbox-init";

/// Descriptor of the control socket in the init process.
pub(crate) const CONTROL: RawFd = 3;

/// The runtime is the first process that process 1 starts.
pub(crate) const RUNTIME_PROCESS: libc::pid_t = 2;

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn(c_int, *const *const c_char, *const *const c_char) = notice;

/// Runs before `main` in every process of this executable; goes on to `main` unless it is the init process.
extern "C" fn notice(count: c_int, arguments: *const *const c_char, _environment: *const *const c_char) {
    // Under a C library that hands constructors no arguments this reads what the registers held, so the process id,
    // which only an init process has, is asked first.
    if std::process::id() != 1 || count < 1 || arguments.is_null() {
        return;
    }
    // SAFETY: the C library hands constructors the arguments of `main`: `count` pointers to C strings.
    let name = unsafe {
        if (*arguments).is_null() {
            return;
        }
        CStr::from_ptr(*arguments)
    };
    if name == NAME {
        // Failing would leave the memory of an init that holds nothing secret readable; go on.
        let _ = sys::forbid_inspection();
        run(CONTROL);
    }
}

/// Serves as process 1 until the runtime has ended or the server is gone. Allocates nothing.
pub(crate) fn run(control: RawFd) -> ! {
    let Ok(signals) = sys::child_signal_descriptor() else {
        sys::exit_now(1)
    };
    loop {
        while let Some((pid, status)) = sys::reap() {
            if pid == RUNTIME_PROCESS {
                // If the server is gone nobody wants to know.
                let _ = sys::write_all(control, &status.to_ne_bytes());
                sys::exit_now(0);
            }
        }
        if sys::wait_for_either(control, signals) {
            sys::exit_now(1);
        }
        let mut information = [0u8; 128];
        let _ = sys::read(signals, &mut information);
    }
}
