//! The conformance run: one component against folders of fixtures and against what is made of them.

mod calls;
mod cases;
mod hostile;
mod judge;
mod loading;
mod replies;
mod report;
mod self_check;
mod spans;

use std::path::PathBuf;
use std::sync::Arc;

use alp_adapter::testing::Folder;
use alp_sandbox::Sandbox;
use tokio::runtime::Handle;

use crate::driver::{ANY_ORIGIN, ComponentDriver};
use crate::wire::Wire;

pub(crate) use loading::sha256_hex;
pub use report::{Line, Report, Verdict};
pub use self_check::{SelfChecked, self_check};

use report::Reporting;

/// Checks a component against folders of fixtures, under the limits of `sandbox`. Where a folder lacks `markets.json`
/// or `look_up.json`, the first folder that has one of them stands in for it. Every line is told as soon as it is
/// there.
pub async fn check(
    sandbox: &Sandbox,
    wire: Arc<dyn Wire>,
    component: Vec<u8>,
    folders: &[PathBuf],
    tell: impl FnMut(&Line) + Send + 'static,
) -> Report {
    let report = Report { sha256: sha256_hex(&component), size_bytes: component.len(), ..Report::default() };
    let mut reporting = Reporting::new(report, tell);
    let Some(adapter) = loading::check(sandbox, component, &mut reporting).await else {
        return reporting.report;
    };
    let driver = ComponentDriver::new(adapter, wire, Handle::current());
    let folders = folders.to_vec();
    let fallback = reporting.report.clone();
    let checked = tokio::task::spawn_blocking(move || {
        check_folders(&driver, &folders, &mut reporting);
        reporting.report
    });
    // The task ends early only with the whole program; then nobody reads the report.
    checked.await.unwrap_or(fallback)
}

fn check_folders(driver: &ComponentDriver, paths: &[PathBuf], reporting: &mut Reporting<'_>) {
    if paths.is_empty() {
        reporting
            .skip("fixtures", "no folder was given: --cases DIR checks what the adapter reads and sends");
        return;
    }
    let mut folders = Vec::new();
    for path in paths {
        match Folder::read(path) {
            Ok(mut folder) => {
                for (_, call) in &mut folder.calls {
                    call.http.url = with_any_origin(&call.http.url);
                }
                folders.push(folder);
            }
            Err(why) => {
                reporting.add(path.display().to_string(), Err(why));
            }
        }
    }
    let has_extras = |folder: &&Folder| {
        ["markets.json", "look_up.json"].iter().any(|file| folder.path.join(file).exists())
    };
    let labels = labels(&folders);
    for (folder, label) in folders.iter().zip(labels) {
        let own = Some(folder).filter(has_extras).or_else(|| folders.iter().find(has_extras));
        let scene = Scene { driver, folder, own: own.unwrap_or(folder), label };
        calls::check(&scene, reporting);
        let good = cases::check(&scene, reporting);
        replies::check(&scene, &good, reporting);
    }
}

/// Recorded calls of software that many run say `https://<host>`: then any origin is as good.
fn with_any_origin(url: &str) -> String {
    match url.split_once('>') {
        Some((host, rest)) if host.contains("://<") => format!("{ANY_ORIGIN}{rest}"),
        Some(_) | None => url.to_owned(),
    }
}

/// What the checks of each folder begin with: nothing for a single one, else enough to tell them apart.
fn labels(folders: &[Folder]) -> Vec<String> {
    if folders.len() < 2 {
        return vec![String::new(); folders.len()];
    }
    let name = |folder: &Folder| {
        let names: Vec<_> = folder.path.iter().rev().map(|name| name.to_string_lossy()).collect();
        // Most folders are called so; then the one above tells more.
        let name = names.iter().find(|name| *name != "fixtures");
        name.map(ToString::to_string).unwrap_or_default()
    };
    let names: Vec<String> = folders.iter().map(name).collect();
    let is_unique = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let labels = folders.iter().zip(&names).map(|(folder, name)| {
        if is_unique(name) { format!("{name}: ") } else { format!("{}: ", folder.path.display()) }
    });
    labels.collect()
}

/// One folder under check.
struct Scene<'f> {
    driver: &'f ComponentDriver,
    folder: &'f Folder,
    /// Where markets and look-ups are written down.
    own: &'f Folder,
    /// What the names of its checks begin with.
    label: String,
}

impl Scene<'_> {
    /// The name of a check on this folder.
    fn named(&self, what: &str) -> String {
        format!("{}{what}", self.label)
    }
}
