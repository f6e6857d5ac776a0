//! `[report]`: what people are hoped to do once they are in a segment.

use serde::Deserialize;

/// The goal of a project's segments, for `seg conversion` and the report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportGoal {
    /// What they are hoped to do, and within which time: `Purchase within 14 days`.
    pub goal: Option<String>,
    /// What each such event brings: a property of it, or `quantity times unit_price`.
    pub revenue: Option<String>,
}
