//! What this process has in use: memory, open files, children. It knows nothing of who uses it.

use std::path::Path;

/// Memory in bytes and counts, at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) memory: u64,
    /// Open descriptors.
    pub(crate) descriptors: usize,
    /// Child processes, ended ones that nobody has waited for among them.
    pub(crate) children: usize,
}

/// What is in use now.
pub(crate) fn usage() -> Usage {
    Usage { memory: status("VmRSS:"), descriptors: descriptors(), children: children() }
}

/// The most memory that was in use since [`forget_peak`].
pub(crate) fn peak() -> u64 {
    status("VmHWM:")
}

/// From here on the peak is counted anew.
pub(crate) fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// The files in the folder of compiled adapters that are still in the making.
pub(crate) fn unfinished(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with("tmp-")).count()
}

fn descriptors() -> usize {
    // One of them is the open folder itself, each time.
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A line of `/proc/self/status` in bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn children() -> usize {
    let own = std::process::id().to_string();
    let is_child = |stat: &str| {
        // The name in brackets may hold anything; after it come the state and the parent.
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(own.as_str())
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .filter(|stat| is_child(stat))
        .count()
}
