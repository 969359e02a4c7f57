//! Preloaded into a server that keeps its database in SQLite: notes each write to the database's files and each time
//! they are made durable, and ends the server by SIGKILL half-way through one of them. SQLite calls the system through the C
//! library, whose functions these stand in front of.
//!
//! `ALP_TORN_WRITES` names the file for the notes, and `ALP_TORN_AT` the number, from 0, of the write or sync that the
//! server does not survive; without it, it survives all of them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;

/// The next library in the order of look-ups, which is the C library.
const RTLD_NEXT: *mut c_void = -1_isize as *mut c_void;

/// The number of that signal.
const SIGKILL: c_int = 9;

/// How many writes and syncs there have been. It is held while one is done, so that none comes after the last.
static COUNT: Mutex<usize> = Mutex::new(0);

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn kill(process: c_int, signal: c_int) -> c_int;
}

type Pwrite = unsafe extern "C" fn(c_int, *const c_void, usize, i64) -> isize;
type Fsync = unsafe extern "C" fn(c_int) -> c_int;

/// Writes, or writes one half and ends the process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: usize, offset: i64) -> isize {
    // SAFETY: the C library's function has this signature, and takes what this one was given.
    let write: Pwrite = unsafe { std::mem::transmute(next(c"pwrite64")) };
    let Some(notes) = notes_on(file) else { return unsafe { write(file, bytes, length, offset) } };
    counted(&notes, "write", |torn| {
        let length = if torn { length / 2 } else { length };
        unsafe { write(file, bytes, length, offset) }
    })
}

/// Makes what was written durable, or ends the process before that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(file: c_int) -> c_int {
    // SAFETY: as above.
    let sync: Fsync = unsafe { std::mem::transmute(next(c"fsync")) };
    let Some(notes) = notes_on(file) else { return unsafe { sync(file) } };
    counted(&notes, "sync", |torn| if torn { 0 } else { unsafe { sync(file) } })
}

/// Notes one, does it, and ends the process if it is the one that is torn.
fn counted<T>(notes: &str, kind: &str, done: impl FnOnce(bool) -> T) -> T {
    let mut count = COUNT.lock().unwrap();
    let torn_at = std::env::var("ALP_TORN_AT").ok().map(|number| number.parse::<usize>().unwrap());
    let torn = torn_at == Some(*count);
    *count += 1;
    let mut notes = OpenOptions::new().create(true).append(true).open(notes).unwrap();
    notes.write_all(format!("{kind}\n").as_bytes()).unwrap();
    let done = done(torn);
    if torn {
        let own = c_int::try_from(std::process::id()).unwrap();
        // SAFETY: a system call with two numbers.
        unsafe { kill(own, SIGKILL) };
        loop {
            std::thread::park();
        }
    }
    done
}

/// Where to note what is done to this file, if it is one of the database's.
fn notes_on(file: c_int) -> Option<String> {
    let notes = std::env::var("ALP_TORN_WRITES").ok()?;
    let path = std::fs::read_link(format!("/proc/self/fd/{file}")).ok()?;
    let name = path.file_name()?.to_str()?;
    matches!(name, "alp.db" | "alp.db-wal" | "alp.db-journal").then_some(notes)
}

fn next(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero, and every system that this is preloaded on has the function.
    let found = unsafe { dlsym(RTLD_NEXT, name.as_ptr()) };
    assert!(!found.is_null(), "the C library has no {name:?}");
    found
}
