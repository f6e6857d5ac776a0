//! The calendar in whole numbers, where a database's own days end too early.
//!
//! Days since 1970 and year, month and day of the month, after Howard Hinnant, "chrono-Compatible
//! Low-Level Date Algorithms": years begin in March, so that a leap day is their last, and
//! repeat after 400 of them.

use super::Says;

/// The days of 400 years.
const DAYS_OF_CYCLE: i64 = 146_097;
/// From 1 March of the year 0 to 1970.
const FROM_MARCH: i64 = 719_468;
/// Cycles that are added so that no number is below zero, and their days and years.
const CYCLES: i64 = 100;

/// What of a day counts: the year that begins in March, with the cycles that were added, and
/// the day of that year.
fn from_day(says: &dyn Says, day: &str, body: &dyn Fn(&str, &str) -> String) -> String {
    let since = format!("({day} + {})", FROM_MARCH + CYCLES * DAYS_OF_CYCLE);
    says.bind(&[&since], &|named| {
        let [since] = named else { return String::new() };
        let cycle = says.quotient(since, &DAYS_OF_CYCLE.to_string());
        let of_cycle = format!("({since} % {DAYS_OF_CYCLE})");
        says.bind(&[&cycle, &of_cycle], &|named| {
            let [cycle, of_cycle] = named else { return String::new() };
            let div = |by: &str| says.quotient(of_cycle, by);
            let year =
                says.quotient(&format!("({of_cycle} - {} + {} - {})", div("1460"), div("36524"), div("146096")), "365");
            let year = format!("({year})");
            says.bind(&[cycle, of_cycle, &year], &|named| {
                let [cycle, of_cycle, year] = named else { return String::new() };
                let (fourths, hundredths) = (says.quotient(year, "4"), says.quotient(year, "100"));
                let of_year = format!("({of_cycle} - (365 * {year} + {fourths} - {hundredths}))");
                let year = format!("({cycle} * 400 + {year})");
                says.bind(&[&year, &of_year], &|named| {
                    let [year, of_year] = named else { return String::new() };
                    body(year, of_year)
                })
            })
        })
    })
}

/// The month of a day of a year that begins in March, from 0 for March.
fn month_from_march(says: &dyn Says, of_year: &str) -> String {
    says.quotient(&format!("(5 * {of_year} + 2)"), "153")
}

/// The year, month (from 1) or day of the month of a day.
pub fn part(says: &dyn Says, part: &str, day: &str) -> String {
    from_day(says, day, &|year, of_year| {
        let march = month_from_march(says, of_year);
        says.bind(&[year, of_year, &march], &|named| {
            let [year, of_year, march] = named else { return String::new() };
            let month = format!("(CASE WHEN {march} < 10 THEN {march} + 3 ELSE {march} - 9 END)");
            match part {
                "year" => {
                    format!("({year} - {} + CASE WHEN {march} < 10 THEN 0 ELSE 1 END)", CYCLES * 400)
                }
                "month" => month,
                _ => format!("({of_year} - {} + 1)", says.quotient(&format!("(153 * {march} + 2)"), "5")),
            }
        })
    })
}

/// A day from its year, month and day of the month.
pub fn make_day(says: &dyn Says, year: &str, month: &str, day: &str) -> String {
    let from_march = format!("({year} + {} - CASE WHEN {month} <= 2 THEN 1 ELSE 0 END)", CYCLES * 400);
    let march = format!("({month} + CASE WHEN {month} <= 2 THEN 9 ELSE -3 END)");
    says.bind(&[&from_march, &march, day], &|named| {
        let [year, march, day] = named else { return String::new() };
        let (fourths, hundredths) = (says.quotient(year, "4"), says.quotient(year, "100"));
        let cycles = says.quotient(year, "400");
        let of_year = says.quotient(&format!("(153 * {march} + 2)"), "5");
        format!(
            "(365 * {year} + {fourths} - {hundredths} + {cycles} + {of_year} + {day} - 1 - {})",
            FROM_MARCH + CYCLES * DAYS_OF_CYCLE
        )
    })
}

/// A day so many months later, or the last of that month where it has no such day.
pub fn plus_months(says: &dyn Says, day: &str, months: i64) -> String {
    from_day(says, day, &|year, of_year| {
        let march = month_from_march(says, of_year);
        says.bind(&[year, of_year, &march], &|named| {
            let [year, of_year, march] = named else { return String::new() };
            let of_month = format!("({of_year} - {} + 1)", says.quotient(&format!("(153 * {march} + 2)"), "5"));
            // Months since March of the first year, of which none is below zero.
            let later = format!("({year} * 12 + {march} + {months} + {})", CYCLES * 400 * 12);
            says.bind(&[&later, &of_month], &|named| {
                let [later, of_month] = named else { return String::new() };
                let first = |ahead: i64| {
                    let month = format!("({later} + {ahead})");
                    let year = says.quotient(&month, "12");
                    let (fourths, hundredths, cycles) =
                        (says.quotient(&year, "4"), says.quotient(&year, "100"), says.quotient(&year, "400"));
                    let of_year = says.quotient(&format!("(153 * ({month} % 12) + 2)"), "5");
                    format!("(365 * {year} + {fourths} - {hundredths} + {cycles} + {of_year})")
                };
                let (this, next) = (first(0), first(1));
                says.bind(&[&this, &next, of_month], &|named| {
                    let [this, next, of_month] = named else { return String::new() };
                    format!(
                        "({this} + least({of_month}, {next} - {this}) - 1 - {})",
                        FROM_MARCH + 2 * CYCLES * DAYS_OF_CYCLE
                    )
                })
            })
        })
    })
}
