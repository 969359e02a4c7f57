//! What an operator may order about one adapter of a running pool, as it goes over the control socket.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An order about one adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterCommand {
    /// List the versions that are kept.
    Versions {
        /// The exchange's id.
        name: String,
    },
    /// Go back to a version and hold the name to it.
    Rollback {
        /// The exchange's id.
        name: String,
        /// The beginning of the version's SHA-256; without it, the version before the one in service.
        to: Option<String>,
    },
    /// End a hold.
    Release {
        /// The exchange's id.
        name: String,
    },
    /// Run a candidate beside the adapter in service.
    Shadow {
        /// The exchange's id.
        name: String,
        /// The candidate's file, by its whole path.
        component: PathBuf,
    },
    /// Say how a candidate compares.
    ShowShadow {
        /// The exchange's id.
        name: String,
    },
    /// End a candidate.
    StopShadow {
        /// The exchange's id.
        name: String,
    },
    /// Put a candidate into service.
    Promote {
        /// The exchange's id.
        name: String,
    },
}
