//! When: windows, moments of somebody's own past, and the calendar.

mod ahead;
mod calendar;
mod moment;
mod recurring;
mod window;
