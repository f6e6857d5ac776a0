//! The colours of charts and of the page, for light and for dark screens, and how charts use
//! them.

/// A colour: its name, and what it is on a light and on a dark screen. Text in `ink`, `mut`,
/// `blue`, `ok` and `warn` has a contrast of at least 4.5 on `bg` and `card`.
const COLOURS: &[(&str, &str, &str)] = &[
    ("bg", "#fbfbfa", "#15171a"),
    ("card", "#fff", "#1d2024"),
    ("ink", "#1b1e23", "#e9eaec"),
    ("mut", "#5c636d", "#a0a6af"),
    ("rule", "#e2e4e8", "#33373d"),
    ("blue", "#1f5fbf", "#84b0ff"),
    ("band", "#cfe0f8", "#27436e"),
    ("out", "#9aa0a8", "#6f757e"),
    ("ok", "#17703d", "#7dd3a0"),
    ("warn", "#8a4b00", "#f2b866"),
    ("warnbg", "#fff3e0", "#33291a"),
];

/// How charts look, in variables of the palette.
pub const STYLE: &str = include_str!("style.css");

/// The palette as variables of a page.
pub fn variables() -> String {
    let variables = COLOURS.iter().map(|(name, light, dark)| format!("--{name}:light-dark({light},{dark})"));
    format!(":root{{color-scheme:light dark;{}}}", variables.collect::<Vec<_>>().join(";"))
}

/// How a chart looks that is a file of its own: what shows it may know neither variables nor
/// `light-dark`, so each colour stands there, and those for dark screens behind them. `own` is
/// style of the drawing besides that of charts.
pub fn standalone_style(own: &str) -> String {
    let with = |of: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        let mut style = lines(STYLE) + own;
        for colour in COLOURS {
            style = style.replace(&format!("var(--{})", colour.0), of(colour));
        }
        style
    };
    format!("{}@media(prefers-color-scheme:dark){{{}}}", with(|colour| colour.1), with(|colour| colour.2))
}

/// A style sheet without its line breaks and what it is indented by.
pub fn lines(style: &str) -> String {
    style.lines().map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour, as WCAG 2 defines it.
    fn luminance(colour: &str) -> f64 {
        let digits: Vec<u32> = colour.chars().filter_map(|digit| digit.to_digit(16)).collect();
        let channels: Vec<u32> = match digits.as_slice() {
            [r, g, b] => vec![r * 17, g * 17, b * 17],
            _ => digits.chunks(2).map(|two| two.iter().fold(0, |sum, digit| sum * 16 + digit)).collect(),
        };
        let linear = channels.iter().map(|channel| {
            let part = f64::from(*channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        linear.zip([0.2126, 0.7152, 0.0722]).map(|(part, weight)| part * weight).sum()
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_what_it_stands_on() {
        assert!((contrast("#fff", "#000000") - 21.0).abs() < 1e-9);
        let colour = |name: &str| *COLOURS.iter().find(|colour| colour.0 == name).expect(name);
        let pairs = [
            ("ink", "bg"),
            ("ink", "card"),
            ("mut", "bg"),
            ("mut", "card"),
            ("blue", "bg"),
            ("blue", "card"),
            ("ok", "card"),
            ("ok", "bg"),
            ("warn", "card"),
            ("warn", "warnbg"),
            ("ink", "band"),
            ("ink", "rule"),
        ];
        for (text, behind) in pairs {
            let (text, behind) = (colour(text), colour(behind));
            assert!(contrast(text.1, behind.1) >= 4.5, "{} on {}, light", text.0, behind.0);
            assert!(contrast(text.2, behind.2) >= 4.5, "{} on {}, dark", text.0, behind.0);
        }
    }

    #[test]
    fn a_chart_of_its_own_needs_no_variables() {
        let style = standalone_style(".h{fill:var(--ink)}");
        assert!(!style.contains("var("), "{style}");
        assert!(style.contains("#1f5fbf") && style.contains("#84b0ff"));
    }
}
