//! Faults on purpose, for the tests that must find them. Not part of any build but theirs.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// What is taken is acknowledged before it is on disk.
    AcknowledgedFirst,
    /// People are judged again a microsecond after their memberships may change.
    TimersLate,
    /// Nobody is judged again when time alone has passed.
    TimersDropped,
    /// What is told of ids that are one person by now judges nobody.
    MergesForgotten,
}

impl Fault {
    /// All of them.
    pub const ALL: &'static [Fault] =
        &[Fault::AcknowledgedFirst, Fault::TimersLate, Fault::TimersDropped, Fault::MergesForgotten];
}
