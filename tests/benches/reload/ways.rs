//! The ways in which an operator replaces an adapter's file.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

/// How long a slow copy stops half way.
const HALF_WAY: Duration = Duration::from_secs(1);

/// How long a file is gone before its successor is written: well within the grace of five seconds.
const GONE: Duration = Duration::from_millis(700);

/// One of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Rename,
    SlowCopy,
    DeleteAndCreate,
    Symlink,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Rename, Self::SlowCopy, Self::DeleteAndCreate, Self::Symlink];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::SlowCopy => "copy in place",
            Self::DeleteAndCreate => "delete, create",
            Self::Symlink => "symlink",
        }
    }

    /// Replaces the file; it is complete when this returns.
    pub(crate) async fn replace(self, plugins: &Path, name: &str, bytes: &[u8], number: usize) {
        let file = plugins.join(name);
        match self {
            Self::Rename => {
                let part = plugins.join("next.part");
                std::fs::write(&part, bytes).unwrap();
                std::fs::rename(part, file).unwrap();
            }
            Self::SlowCopy => {
                if file.is_symlink() {
                    std::fs::remove_file(&file).unwrap();
                }
                let mut copy = std::fs::File::create(&file).unwrap();
                let (first, rest) = bytes.split_at(bytes.len() / 2);
                copy.write_all(first).unwrap();
                tokio::time::sleep(HALF_WAY).await;
                copy.write_all(rest).unwrap();
            }
            Self::DeleteAndCreate => {
                std::fs::remove_file(&file).unwrap();
                tokio::time::sleep(GONE).await;
                std::fs::write(&file, bytes).unwrap();
            }
            Self::Symlink => {
                let elsewhere = plugins.with_file_name(format!("build-{number}.wasm"));
                std::fs::write(&elsewhere, bytes).unwrap();
                let link = plugins.join("next.link");
                symlink(elsewhere, &link).unwrap();
                std::fs::rename(link, file).unwrap();
            }
        }
    }
}
