//! What a run of checks amounted to.

use serde::Serialize;

/// Longest detail of a line, in characters. Two lines of a terminal.
const DETAIL_CHARS: usize = 240;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should.
    Ok,
    /// Not as it should: the adapter must not be trusted.
    Failed,
    /// There was nothing to check it with.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What was checked.
    pub check: String,
    /// How it ended.
    pub result: Verdict,
    /// What was seen; for a failure what should have been.
    pub detail: String,
}

/// All checks of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The exchange's id, if the component could be loaded.
    pub exchange: Option<String>,
    /// The adapter's own version, likewise.
    pub version: Option<String>,
    /// SHA-256 of the component's file, in lower-case hexadecimal.
    pub sha256: String,
    /// The size of the component's file in bytes.
    pub size_bytes: usize,
    /// The checks, in the order in which they ran.
    pub lines: Vec<Line>,
    /// How many cases of fixtures ended as they should.
    pub cases: usize,
    /// How many hostile replies ended as they should.
    pub hostile_replies: usize,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

impl Report {
    /// How many checks ended so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.lines.iter().filter(|line| line.result == verdict).count()
    }

    /// Whether nothing failed and something was checked.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.count(Verdict::Failed) == 0 && self.count(Verdict::Ok) > 0
    }
}

/// A report in the making: every line is told as soon as it is there, since some take seconds.
pub(crate) struct Reporting<'t> {
    pub(crate) report: Report,
    tell: Box<dyn FnMut(&Line) + Send + 't>,
}

impl<'t> Reporting<'t> {
    pub(crate) fn new(report: Report, tell: impl FnMut(&Line) + Send + 't) -> Self {
        Self { report, tell: Box::new(tell) }
    }

    /// Whether the check passed.
    pub(crate) fn add(&mut self, check: impl Into<String>, outcome: Result<String, String>) -> bool {
        let (result, detail) = match outcome {
            Ok(detail) => (Verdict::Ok, detail),
            Err(detail) => (Verdict::Failed, detail),
        };
        self.line(check.into(), result, &detail);
        result == Verdict::Ok
    }

    pub(crate) fn skip(&mut self, check: impl Into<String>, detail: &str) {
        self.line(check.into(), Verdict::Skipped, detail);
    }

    fn line(&mut self, check: String, result: Verdict, detail: &str) {
        let line = Line { check, result, detail: alp_sandbox::clean_text(detail, DETAIL_CHARS) };
        (self.tell)(&line);
        self.report.lines.push(line);
    }
}
