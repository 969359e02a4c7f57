//! The life of adapters beyond their folder: versions to go back to, holds, and candidates that run in the shadow.
//! It knows no exchange and no order; what an adapter answers it leaves to others.

mod command;
mod keeping;
pub mod versions;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alp_sandbox::{Adapter, AdapterFolder, Admission, FolderError, Hold, LoadError, Sandbox, Verdict, named};
use thiserror::Error;

pub use command::AdapterCommand;
use keeping::Keeping;
use versions::{HeldTo, Version, Versions, VersionsError, choose, write_whole};

use crate::app::HostClock;
use crate::shadow::{Shadow, Shadows};

/// How long a promoted candidate may take to serve: it is compiled already, and the folder is looked at within a
/// second of a change, or within half a minute where the system tells nothing of it.
const PROMOTED_WITHIN: Duration = Duration::from_secs(25);

/// Digits of a SHA-256 that are shown.
const SHOWN_DIGITS: usize = 12;

/// What keeps versions and runs candidates.
pub struct Lifecycle {
    sandbox: Sandbox,
    admission: Arc<Keeping>,
    versions: Versions,
    clock: HostClock,
    /// The candidates.
    pub shadows: Shadows,
    /// One order at a time, so that a hold on the disk and the one in force never differ.
    turn: tokio::sync::Mutex<()>,
}

/// Why an order was not carried out. The operator's.
#[derive(Debug, Error)]
pub enum LifecycleError {
    /// The folder of versions.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The order makes no sense as things are.
    #[error("{0}")]
    Refused(String),
    /// A component does not load.
    #[error("the component cannot be loaded: {0}")]
    Load(#[from] LoadError),
    /// The folder of adapters.
    #[error("the adapter did not come into service: {0}")]
    Folder(#[from] FolderError),
}

impl Lifecycle {
    /// Opens the folder of versions. `within` decides who may serve.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn open(
        sandbox: Sandbox,
        within: Arc<dyn Admission>,
        folder: &Path,
        clock: HostClock,
    ) -> Result<Self, VersionsError> {
        let versions = Versions::open(folder, sandbox.limits().file_bytes)?;
        let admission = Keeping { within, versions: versions.clone(), clock: Arc::clone(&clock) };
        let (shadows, turn) = (Shadows::default(), tokio::sync::Mutex::default());
        Ok(Self { sandbox, admission: Arc::new(admission), versions, clock, shadows, turn })
    }

    /// What decides about adapters and keeps those that serve.
    #[must_use]
    pub fn admission(&self) -> Arc<dyn Admission> {
        Arc::<Keeping>::clone(&self.admission)
    }

    /// The holds that were in force when the pool ended. One whose version cannot be loaded any more holds all the
    /// same: the operator took the file in the folder out of service, and has to say so if it shall serve again.
    ///
    /// # Errors
    /// [`VersionsError`] if the folder cannot be read.
    pub async fn holds(&self) -> Result<Vec<(String, Hold)>, VersionsError> {
        let mut holds = Vec::new();
        for (name, held) in self.versions.holds()? {
            let hold = match held {
                Ok(held) => {
                    let adapter = self.kept(&name, &held.version).await.map_err(|error| error.to_string());
                    hold_to(&name, &held.version, adapter)
                }
                Err(error) => Hold {
                    sha256: String::new(),
                    adapter: Err(error.to_string()),
                    reason: format!("held by the operator, but to what cannot be read: {}", ends_by(&name)),
                },
            };
            holds.push((name, hold));
        }
        Ok(holds)
    }

    /// Carries out an order. Answers with what to show the operator.
    ///
    /// # Errors
    /// [`LifecycleError`]; then everything serves as before.
    pub async fn obey(
        &self,
        adapters: &AdapterFolder,
        plugins: &Path,
        command: AdapterCommand,
    ) -> Result<String, LifecycleError> {
        let _turn = self.turn.lock().await;
        match command {
            AdapterCommand::Versions { name } => self.list(adapters, &name),
            AdapterCommand::Rollback { name, to } => self.roll_back(adapters, &name, to.as_deref()).await,
            AdapterCommand::Release { name } => self.release(adapters, &name).await,
            AdapterCommand::Shadow { name, component } => self.shadow(adapters, &name, &component).await,
            AdapterCommand::ShowShadow { name } => Ok(self.shadow_of(&name)?.report()),
            AdapterCommand::StopShadow { name } => {
                let report = self.shadow_of(&name)?.report();
                self.shadows.stop(&name);
                Ok(format!("{report}ended"))
            }
            AdapterCommand::Promote { name } => self.promote(adapters, plugins, &name).await,
        }
    }

    fn list(&self, adapters: &AdapterFolder, name: &str) -> Result<String, LifecycleError> {
        let versions = self.versions.kept(name)?;
        if versions.is_empty() {
            return Err(LifecycleError::Refused(format!("no version of {name} has served yet")));
        }
        let snapshot = adapters.snapshot();
        let serving = snapshot.get(name).map(|adapter| adapter.sha256().to_owned());
        let held = self.versions.held(name)?.map(|held| held.version.sha256);
        let mut text = String::from(
            "version   SHA-256                                                           serves since, Unix ms\n",
        );
        for version in versions {
            let mut notes = String::new();
            if serving.as_deref() == Some(&version.sha256) {
                notes.push_str("  serving");
            }
            if held.as_deref() == Some(&version.sha256) {
                notes.push_str("  held");
            }
            let Version { sha256, version, served_from_ms } = version;
            text.push_str(&format!("{version:<9} {sha256}  {served_from_ms}{notes}\n"));
        }
        Ok(text)
    }

    async fn roll_back(
        &self,
        adapters: &AdapterFolder,
        name: &str,
        to: Option<&str>,
    ) -> Result<String, LifecycleError> {
        let versions = self.versions.kept(name)?;
        let serving = adapters.snapshot().get(name);
        let serving = serving.as_ref().map(|adapter| adapter.sha256());
        let version = choose(&versions, serving, to).map_err(LifecycleError::Refused)?;
        let adapter = self.kept(name, version).await?;
        if let Verdict::Wait(reason) | Verdict::Refuse(reason) = self.admission.judge(&adapter).await {
            return Err(LifecycleError::Refused(format!("that version may not serve: {reason}")));
        }
        // On the disk first: a rollback that was answered survives a crash.
        self.versions.hold(name, &HeldTo { version: version.clone(), since_ms: (self.clock)() })?;
        adapters.hold(name, hold_to(name, version, Ok(adapter))).await?;
        Ok(format!("{name} serves version {} again; {}", shown(version), ends_by(name)))
    }

    async fn release(&self, adapters: &AdapterFolder, name: &str) -> Result<String, LifecycleError> {
        let was_held = self.versions.release(name)?;
        let in_force = adapters.release(name).await?;
        if !was_held && !in_force {
            return Err(LifecycleError::Refused(format!("{name} is not held to any version")));
        }
        Ok(format!("{name} follows its file in the plugins folder again"))
    }

    async fn shadow(
        &self,
        adapters: &AdapterFolder,
        name: &str,
        file: &Path,
    ) -> Result<String, LifecycleError> {
        if adapters.snapshot().get(name).is_none() {
            return Err(LifecycleError::Refused(format!(
                "no adapter of {name} serves: there is nothing to compare with"
            )));
        }
        let (path, limit) = (file.to_owned(), self.sandbox.limits().file_bytes);
        let read = tokio::task::spawn_blocking(move || versions::read_component(&path, limit)).await;
        let component: Arc<[u8]> = match read {
            Ok(bytes) => bytes?.into(),
            Err(error) => return Err(LoadError::Unreadable(std::io::Error::other(error)).into()),
        };
        let adapter = named(self.sandbox.load(Arc::clone(&component)).await?, name)?;
        // One that waits for the operator may run here all the same: nothing that it asks for is sent.
        if let Verdict::Refuse(reason) = self.admission.judge(&adapter).await {
            return Err(LifecycleError::Refused(format!("the candidate is refused: {reason}")));
        }
        let version = adapter.description().version.clone();
        let shadow = Shadow::start(adapter, component, (self.clock)());
        self.shadows.put(name, shadow).map_err(LifecycleError::Refused)?;
        Ok(format!(
            "version {version} runs beside the adapter of {name}; `alp adapter shadow {name}` shows how it compares"
        ))
    }

    async fn promote(
        &self,
        adapters: &AdapterFolder,
        plugins: &Path,
        name: &str,
    ) -> Result<String, LifecycleError> {
        let shadow = self.shadow_of(name)?;
        if self.versions.held(name)?.is_some() {
            return Err(LifecycleError::Refused(format!(
                "{name} is held to a version: {} first",
                ends_by(name)
            )));
        }
        if let Verdict::Wait(reason) | Verdict::Refuse(reason) = self.admission.judge(shadow.adapter()).await
        {
            return Err(LifecycleError::Refused(format!("the candidate may not serve: {reason}")));
        }
        let (file, component) = (plugins.join(format!("{name}.wasm")), Arc::clone(shadow.component()));
        let written = tokio::task::spawn_blocking(move || write_whole(&file, &component)).await;
        written.unwrap_or_else(|error| {
            let source = std::io::Error::other(error);
            Err(VersionsError::Io { path: plugins.to_owned(), source })
        })?;
        let wanted = shadow.adapter().sha256();
        let serves = |snapshot: &alp_sandbox::Snapshot| {
            snapshot.get(name).is_some_and(|adapter| adapter.sha256() == wanted)
        };
        adapters.wait_for(PROMOTED_WITHIN, serves).await?;
        self.shadows.stop(name);
        Ok(format!(
            "version {} of {name} serves; its file is in the plugins folder",
            shadow.adapter().description().version
        ))
    }

    fn shadow_of(&self, name: &str) -> Result<Arc<Shadow>, LifecycleError> {
        let shadow = self.shadows.of(name);
        shadow
            .ok_or_else(|| LifecycleError::Refused(format!("no candidate runs beside the adapter of {name}")))
    }

    /// A version that was kept, through every check of a file.
    async fn kept(&self, name: &str, version: &Version) -> Result<Arc<Adapter>, LifecycleError> {
        let (versions, of, sha256) = (self.versions.clone(), name.to_owned(), version.sha256.clone());
        let read = tokio::task::spawn_blocking(move || versions.component(&of, &sha256)).await;
        let bytes = match read {
            Ok(bytes) => bytes?,
            Err(error) => return Err(LoadError::Unreadable(std::io::Error::other(error)).into()),
        };
        Ok(named(self.sandbox.load(bytes).await?, name)?)
    }
}

fn hold_to(name: &str, version: &Version, adapter: Result<Arc<Adapter>, String>) -> Hold {
    let reason = format!("held to version {} by the operator; {}", shown(version), ends_by(name));
    Hold { sha256: version.sha256.clone(), adapter, reason }
}

fn ends_by(name: &str) -> String {
    format!("`alp adapter release {name}` ends the hold")
}

fn shown(version: &Version) -> String {
    let digits: String = version.sha256.chars().take(SHOWN_DIGITS).collect();
    format!("{} ({digits})", version.version)
}
