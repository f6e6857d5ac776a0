//! What people are told beside results, on the standard error.
//!
//! That nobody reads it, as behind a pipe that was closed, changes neither a result nor an exit
//! code, where the macros of the standard library would panic.

/// Writes to the standard error.
macro_rules! tell {
    ($($said:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!($($said)*));
    }};
}

/// Writes a line to the standard error.
macro_rules! tell_line {
    ($($said:tt)*) => { tell!("{}\n", format_args!($($said)*)) };
}
