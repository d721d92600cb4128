//! What runs without a request: jobs by the clock and handlers of what a transaction told.

use super::{Code, EntityId};
use formwork_model::values::Type;
use formwork_syntax::Span;
use std::sync::Arc;

/// A standing step.
#[derive(Clone, Debug)]
pub struct Job {
    /// The component and the number of its standing step: `Sweeper/1`.
    pub name: Arc<str>,
    /// The component.
    pub component: Arc<str>,
    /// When it runs.
    pub schedule: Schedule,
    /// What it does. `caller.id` is `system`.
    pub code: Code,
    /// Where it is declared.
    pub span: Span,
}

/// What runs after the commit of what it is told of, once, in a transaction of its own.
#[derive(Clone, Debug)]
pub struct Handler {
    /// The component and the number of its standing step, `Mailer/1`; the operation's name for what is scheduled.
    pub name: Arc<str>,
    /// The component; empty for what is scheduled.
    pub component: Arc<str>,
    /// What it is told of.
    pub trigger: Trigger,
    /// The members of `event.data`, or the fields of the row, with their types.
    pub members: Vec<Told>,
    /// What it does. `caller.id` is `system`; see [`slots::EVENT`](super::slots::EVENT).
    pub code: Code,
    /// Where it is declared.
    pub span: Span,
}

/// A member of what a handler is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be absent.
    pub optional: bool,
}

/// What a handler is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// ``When `event` is emitted:``; an index into [`Program::events`](super::Program::events).
    Event(u16),
    /// ``When a `E` is created / updated / deleted:``
    Change(Change, EntityId),
    /// Something scheduled.
    Scheduled,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is created.
    Created,
    /// It is updated.
    Updated,
    /// It is deleted.
    Deleted,
}

/// When a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At multiples of an interval since 1970-01-01T00:00:00Z, shifted by `offset`. Both in microseconds.
    Interval {
        /// How often.
        every: i64,
        /// `starting at`
        offset: i64,
    },
    /// By the calendar.
    Calendar {
        /// Which days.
        days: CalendarDays,
        /// Time of day in microseconds since midnight.
        at: i64,
        /// IANA zone; `UTC` when none is named.
        zone: Arc<str>,
    },
    /// Once, when the system starts.
    StartUp,
}

/// The days of a [`Schedule::Calendar`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarDays {
    /// Every day.
    Every,
    /// Monday is 1, Sunday 7.
    Weekday(u8),
    /// The day of the month; a month without it is skipped.
    DayOfMonth(u8),
}
