//! The AST as indented text: the printed form of this stage.

use super::*;
use std::fmt::{self, Display, Formatter, Write};

impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for item in &self.items {
            match item {
                Item::Segment(segment) => write!(f, "{segment}")?,
                Item::Definition(definition) => write!(f, "{definition}")?,
                Item::Rule(rule) => write!(f, "{rule}")?,
                Item::Precedence(order) => {
                    let names: Vec<String> = order.names.iter().map(|n| format!("{:?}", n.text)).collect();
                    writeln!(f, "prefer {}", names.join(", then "))?;
                }
                Item::Test(test) => write!(f, "{test}")?,
                Item::List(list) => writeln!(f, "list {:?} from {:?}", list.name.text, list.path.text)?,
                Item::Error { declares: Some(name), .. } => writeln!(f, "error, declares {name:?}")?,
                Item::Error { declares: None, .. } => writeln!(f, "error")?,
            }
        }
        Ok(())
    }
}

impl Display for Segment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = Indented::new();
        out.line(format_args!("segment {:?}", self.name.text));
        out.nest(|out| {
            header(out, &self.header);
            out.line(format_args!("include"));
            out.nest(|out| expr(out, &self.include));
            for exclude in &self.excludes {
                out.line(format_args!("exclude"));
                out.nest(|out| expr(out, exclude));
            }
        });
        f.write_str(&out.text)
    }
}

impl Display for Definition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = Indented::new();
        let parameters: Vec<&str> = self.parameters.iter().map(|p| p.text.as_str()).collect();
        let parameters = if parameters.is_empty() { String::new() } else { format!(" ({})", parameters.join(", ")) };
        out.line(format_args!("define {:?}{parameters}", self.name.text));
        out.nest(|out| expr(out, &self.body));
        f.write_str(&out.text)
    }
}

fn header(out: &mut Indented, header: &Header) {
    for used in &header.uses {
        let channels: Vec<&str> = used.channels.iter().map(|c| c.text.as_str()).collect();
        let over = if channels.is_empty() { String::new() } else { format!(" over {}", channels.join(", ")) };
        out.line(format_args!("used by {} {:?}{over}", used.kind, used.by.text));
    }
    let titles = [
        ("owned by", &header.owner),
        ("described as", &header.description),
        ("regardless of universal rules because", &header.regardless),
    ];
    for (word, title) in titles {
        if let Some(title) = title {
            out.line(format_args!("{word} {:?}", title.text));
        }
    }
    if header.archived.is_some() {
        out.line(format_args!("archived"));
    }
    if let Some(grace) = &header.grace {
        out.line(format_args!("grace period {grace}"));
    }
    if let Some(size) = &header.size {
        out.line(format_args!("expect {size} people"));
    }
    for overlap in &header.overlaps {
        out.line(format_args!("expect at most {}% in {:?} too", overlap.percent, overlap.other.text));
    }
    if let Some(change) = &header.change {
        out.line(format_args!("expect change of at most {}% per {}", change.percent, change.per));
    }
    for (word, date) in [("since", &header.frozen_since), ("until", &header.frozen_until)] {
        if let Some((date, _)) = date {
            out.line(format_args!("frozen {word} {date}"));
        }
    }
    for (code, why) in &header.allowed {
        out.line(format_args!("allow {code} because {:?}", why.text));
    }
    if let Some((zone, _)) = &header.zone {
        out.line(format_args!("zone {zone}"));
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = Indented::new();
        let on = self.channel.as_ref().map_or(String::new(), |c| format!(" on {:?}", c.text));
        out.line(format_args!("everyone{on} must"));
        out.nest(|out| expr(out, &self.body));
        f.write_str(&out.text)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = Indented::new();
        out.line(format_args!("test {:?}", self.name.text));
        out.nest(|out| {
            if let Some((at, _)) = &self.at {
                out.line(format_args!("at {at}"));
            }
            for profile in &self.profiles {
                out.line(format_args!("profile {:?}", profile.id.text));
                out.nest(|out| profile.facts.iter().for_each(|fact| out.line(format_args!("{fact}"))));
            }
            for expected in &self.expectations {
                let later = expected.later.map_or(String::new(), |d| format!("{d} later "));
                let what = match &expected.what {
                    Expected::In(title) => format!("in {:?}", title.text),
                    Expected::NotIn(title) => format!("not in {:?}", title.text),
                    Expected::Wins(Some(title)) => format!("wins {:?}", title.text),
                    Expected::Wins(None) => "wins nothing".to_owned(),
                };
                out.line(format_args!("{later}expect {:?} {what}", expected.id.text));
            }
        });
        f.write_str(&out.text)
    }
}

impl Display for Fact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Did { event, time, properties } => {
                write!(f, "did {event} {time}")?;
                properties.iter().try_for_each(|(name, value)| write!(f, ", {name} {value}"))
            }
            Fact::Is { attribute, values, since } => {
                write!(f, "{attribute} is ")?;
                separated(f, values)?;
                since.iter().try_for_each(|since| write!(f, " since {since}"))
            }
            Fact::WasAt { attribute, time } => write!(f, "{attribute} is {time}"),
        }
    }
}

impl Display for FactValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FactValue::Literal(value) => write!(f, "{value}"),
            FactValue::Record(fields) => {
                f.write_str("(")?;
                for (idx, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name} {value}", if idx == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for FactTime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FactTime::Ago(length) => write!(f, "{length} ago"),
            FactTime::At(date, _) => write!(f, "at {date}"),
        }
    }
}

/// Lines with a depth.
struct Indented {
    text: String,
    depth: usize,
}

impl Indented {
    fn new() -> Indented {
        Indented { text: String::new(), depth: 0 }
    }

    fn line(&mut self, content: fmt::Arguments<'_>) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(content);
        self.text.push('\n');
    }

    fn nest(&mut self, body: impl FnOnce(&mut Indented)) {
        self.depth += 1;
        body(self);
        self.depth -= 1;
    }
}

fn expr(out: &mut Indented, e: &Expr) {
    match e {
        Expr::Everyone(_) => out.line(format_args!("everyone")),
        Expr::InSegment(title) => out.line(format_args!("in-segment {:?}", title.text)),
        Expr::Sample(s) => {
            let other = if s.is_other { "other " } else { "" };
            out.line(format_args!("sample {other}{}% by {:?}", s.percent, s.name.text));
        }
        Expr::Near(near) => out.line(format_args!("{near}")),
        Expr::Use(used) => {
            let values: Vec<String> = used.values.iter().map(LiteralAt::to_string).collect();
            out.line(format_args!("use {:?} ({})", used.name.text, values.join(", ")));
        }
        Expr::Error(_) => out.line(format_args!("error")),
        Expr::Not(inner, _) => {
            out.line(format_args!("not"));
            out.nest(|out| expr(out, inner));
        }
        Expr::Group(group) => {
            let shape = match group.form {
                GroupForm::Chain => "chain",
                GroupForm::List => "list",
                GroupForm::Compound => "compound",
                GroupForm::Verbs => "verbs",
                GroupForm::Carried => "carried",
            };
            out.line(format_args!("{} ({shape})", group.quantifier));
            out.nest(|out| group.members.iter().for_each(|m| expr(out, m)));
        }
        Expr::Condition(c) => {
            out.line(format_args!("condition{}", c.prefix));
            out.nest(|out| {
                if let Some(q) = &c.quantity {
                    out.line(format_args!("quantity {q}"));
                }
                operand(out, "subject", &c.subject);
                c.modifiers.iter().for_each(|t| modifier(out, t));
            });
        }
    }
}

fn operand(out: &mut Indented, role: &str, o: &Operand) {
    if let OperandKind::Bracketed(inner) = &o.kind {
        out.line(format_args!("{role} brackets"));
        out.nest(|out| expr(out, inner));
    } else {
        out.line(format_args!("{role} {o}"));
    }
}

fn modifier(out: &mut Indented, t: &Modifier) {
    match &t.kind {
        ModifierKind::Comparison(c) => out.line(format_args!("comparison {c}")),
        ModifierKind::Window(w) => out.line(format_args!("window {w}")),
        ModifierKind::NotWindow(w) => out.line(format_args!("window not {w}")),
        ModifierKind::Count(q) => out.line(format_args!("count {q}")),
        ModifierKind::DifferentPeriods(q, unit) => out.line(format_args!("different {unit}s {q}")),
        ModifierKind::FirstTime => out.line(format_args!("first-time")),
        ModifierKind::Then(event) => out.line(format_args!("then {event}")),
        ModifierKind::Followed(followed) => {
            let not = if followed.not { "not " } else { "" };
            let word = if followed.is_before { "preceded" } else { "followed" };
            out.line(format_args!("{not}{word} by {}", followed.event));
        }
        ModifierKind::NoneBetween(between) => {
            out.line(format_args!("none between {}", between.event));
            out.nest(|out| between.filter.iter().for_each(|filter| modifier(out, filter)));
        }
        ModifierKind::Past(past) => out.line(format_args!("{past}")),
        ModifierKind::AnyOrder => out.line(format_args!("any order")),
        ModifierKind::Within(within) => {
            let of = match within.of {
                WithinOf::Step => "",
                WithinOf::Each => "each ",
                WithinOf::All => "all ",
                WithinOf::Any => "any ",
            };
            out.line(format_args!("{of}within {}", within.length));
        }
        ModifierKind::AllIn(window) => out.line(format_args!("window of all {window}")),
        ModifierKind::Same(name) => out.line(format_args!("same {name}")),
        ModifierKind::Limit(Some(length)) => out.line(format_args!("limit {length} over")),
        ModifierKind::Limit(None) => out.line(format_args!("limit may run")),
        ModifierKind::Recurring(recurring) => out.line(format_args!("recurring {recurring}")),
        ModifierKind::NotRecurring(recurring) => out.line(format_args!("recurring not {recurring}")),
        ModifierKind::Regular(quantity, periods) => {
            let quantity = quantity.map_or("each".to_owned(), |q| q.to_string());
            let kind = match periods.calendar {
                None => "",
                Some(false) => "calendar ",
                Some(true) => "full ",
            };
            let length = if periods.length == 1 { String::new() } else { format!("periods of {} ", periods.length) };
            out.line(format_args!("in {quantity} of past {} {length}{kind}{}", periods.count, periods.unit));
        }
        ModifierKind::CountPer(q, unit) => out.line(format_args!("count {q} per {unit}")),
        ModifierKind::Zone(zone) => out.line(format_args!("zone {zone}")),
        ModifierKind::Where(e) => {
            out.line(format_args!("where"));
            out.nest(|out| expr(out, e));
        }
        ModifierKind::Had(e) => {
            out.line(format_args!("had"));
            out.nest(|out| expr(out, e));
        }
    }
}

impl Display for Prefix {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some((negative, _)) = self.negative {
            write!(f, " {negative}")?;
        }
        if self.did.is_some() {
            write!(f, " did")?;
        }
        if self.copula.is_some() {
            write!(f, " is")?;
        }
        if self.their {
            write!(f, " their")?;
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            OperandKind::Name(name) => write!(f, "{name}"),
            OperandKind::Literal(literal) => write!(f, "{literal}"),
            OperandKind::Arithmetic(op, l, r) => write!(f, "({l} {op} {r})"),
            OperandKind::Aggregate(a) => {
                write!(f, "{} ", a.function)?;
                if let Some(measure) = &a.measure {
                    write!(f, "{measure} ")?;
                }
                write!(f, "of {}", a.event)?;
                if a.modifiers.is_empty() { Ok(()) } else { write!(f, " (with {} modifiers)", a.modifiers.len()) }
            }
            OperandKind::FirstOrLastN(few) => write!(f, "{} {} {}", few.end, few.n, few.event),
            OperandKind::Events(names) => {
                write!(f, "any of (")?;
                separated(f, names)?;
                write!(f, ")")
            }
            OperandKind::Anything => write!(f, "anything"),
            OperandKind::Items(quantifier, name) => write!(f, "{quantifier} of {name}"),
            OperandKind::UsualGap(Some(event)) => write!(f, "usual gap of {event}"),
            OperandKind::UsualGap(None) => write!(f, "usual gap"),
            OperandKind::Elapsed(name) => write!(f, "time since {name}"),
            OperandKind::Anniversary(name) => write!(f, "anniversary of {name}"),
            OperandKind::Bracketed(_) => write!(f, "(…)"),
            OperandKind::Error => write!(f, "error"),
        }
    }
}

fn separated<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (idx, item) in items.iter().enumerate() {
        let comma = if idx == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let their = if self.their { "their " } else { "" };
        write!(f, "{their}`{}`", self.text)
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Text(text) => write!(f, "{text:?}"),
            Literal::Number(digits) => write!(f, "{digits}"),
            Literal::Amount { digits, currency } => write!(f, "{digits} {currency}"),
            Literal::Percent(digits) => write!(f, "{digits}%"),
            Literal::Boolean(value) => write!(f, "{value}"),
            Literal::Date(date) => write!(f, "{date}"),
            Literal::Duration(length) => write!(f, "{length}"),
        }
    }
}

impl Display for LiteralAt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.literal)
    }
}

impl Display for DateLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.clock {
            Some(clock) => write!(f, "{} {clock}", self.day),
            None => write!(f, "{}", self.day),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.copula.iter().try_for_each(|copula| write!(f, "{copula}"))?;
        if self.not.is_some() {
            write!(f, "not ")?;
        }
        write!(f, "{}", self.relation)?;
        if self.ignoring_case.is_some() {
            write!(f, ", ignoring case")?;
        }
        if self.or_unknown.is_some() {
            write!(f, ", or unknown")?;
        }
        Ok(())
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Relation::Known => write!(f, "known"),
            Relation::Missing => write!(f, "missing"),
            Relation::Empty(Emptiness::Empty) => write!(f, "empty"),
            Relation::Empty(Emptiness::MissingOrEmpty) => write!(f, "missing or empty"),
            Relation::Empty(Emptiness::SetAndNotEmpty) => write!(f, "set and not empty"),
            Relation::KnownButNot(inner) => write!(f, "known but not {inner}"),
            Relation::Order(op, right) => write!(f, "{op} {right}"),
            Relation::Between(low, high) => write!(f, "between {low} and {high}"),
            Relation::OneOf(list) => {
                write!(f, "one of ")?;
                separated(f, list)
            }
            Relation::NoneOf(list) => {
                write!(f, "none of ")?;
                separated(f, list)
            }
            Relation::Text(op, text) => write!(f, "{op} {text}"),
            Relation::Includes(quantifier, list) => {
                write!(f, "includes {quantifier} of ")?;
                separated(f, list)
            }
            Relation::Window(window) => write!(f, "{window}"),
            Relation::Recurring(recurring) => write!(f, "{recurring}"),
            Relation::InList(list) => write!(f, "in list {:?}", list.text),
            Relation::Near(near) => write!(f, "{near}"),
        }
    }
}

impl Display for Near {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            DistanceUnit::Kilometers => "km",
            DistanceUnit::Miles => "miles",
            DistanceUnit::Meters => "m",
        };
        write!(f, "within {} {unit} of ({}, {})", self.distance, self.latitude, self.longitude)
    }
}

impl Display for Recurring {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let named = |names: &[&str], bits: u16| -> String {
            let set = names.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1);
            set.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
        };
        match self {
            Recurring::Days(bits) => write!(f, "on {}", named(&DAYS, u16::from(*bits))),
            Recurring::Months(bits) => {
                const MONTHS: [&str; 12] =
                    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
                write!(f, "in {}", named(&MONTHS, *bits))
            }
            Recurring::Hours(from, to) => {
                let clock = |s: u32| format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
                write!(f, "{} to {}", clock(*from), clock(*to))
            }
        }
    }
}

impl Display for Quantity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) if max == self.min => write!(f, "{max}"),
            Some(max) => write!(f, "{}..{max}", self.min),
            None => write!(f, "{}..", self.min),
        }
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.unit)
    }
}

impl Display for FromNow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FromNow::Now => write!(f, "now"),
            FromNow::Ago(d) => write!(f, "{d} ago"),
            FromNow::Ahead(d) => write!(f, "{d} from now"),
            FromNow::Period(unit, at) => write!(f, "{unit} {at:+}"),
        }
    }
}

impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Window::Past(d) => write!(f, "past {d}"),
            Window::PastNamed(name) => write!(f, "past {name}"),
            Window::Anchored(d, op, anchor) => write!(f, "{d} {op} {anchor}"),
            Window::Next(d) => write!(f, "next {d}"),
            Window::Ago(age) => write!(f, "{age} ago"),
            Window::Ahead(age) => write!(f, "{age} from now"),
            Window::Between(a, b) => write!(f, "between {a} and {b}"),
            Window::Beside(op, moment) => write!(f, "{op} {moment}"),
            Window::Dates(a, b) => write!(f, "between {a} and {b}"),
            Window::Dated(op, when) => write!(f, "{op} {when}"),
            Window::Calendar { unit, from, to } => {
                let unit = match unit {
                    CalendarUnit::Day => "days",
                    CalendarUnit::Week => "weeks",
                    CalendarUnit::Month => "months",
                    CalendarUnit::Quarter => "quarters",
                    CalendarUnit::Year => "years",
                };
                write!(f, "calendar {unit} {from}..{to}")
            }
            Window::Ever => write!(f, "ever"),
        }
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Age::MoreThan(d) => write!(f, "more than {d}"),
            Age::AtLeast(d) => write!(f, "at least {d}"),
            Age::LessThan(d) => write!(f, "less than {d}"),
            Age::AtMost(d) => write!(f, "at most {d}"),
            Age::Between(a, b) => write!(f, "{a} to {b}"),
            Age::Exactly(d) => write!(f, "{d}"),
        }
    }
}

/// Enums whose variants are printed as fixed words.
macro_rules! words {
    ($($ty:ident { $($variant:ident => $word:literal),* $(,)? })*) => {
        $(impl Display for $ty {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($ty::$variant => $word,)* })
            }
        })*
    };
}

impl Display for Quantifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Quantifier::All => f.write_str("all"),
            Quantifier::Any => f.write_str("any"),
            Quantifier::None => f.write_str("none"),
            Quantifier::Cardinality { min, max: Some(max) } => write!(f, "{min} to {max}"),
            Quantifier::Cardinality { min, max: None } => write!(f, "at least {min}"),
        }
    }
}

words! {
    Negative { Not => "not", Never => "never", No => "no" }
    ArithmeticOp { Plus => "plus", Minus => "minus", Times => "times", DividedBy => "divided by" }
    AggregateFunction {
        Count => "count", CountDifferent => "count different", Total => "total",
        Average => "average", Smallest => "smallest", Largest => "largest", MostFrequent => "most frequent",
    }
    End { First => "first", Last => "last" }
    OrderOp {
        Is => "is", IsNot => "is not", LessThan => "less than", AtMost => "at most",
        MoreThan => "more than", AtLeast => "at least",
    }
    TextOp { Contains => "contains", StartsWith => "starts with", EndsWith => "ends with", Matches => "matches" }
    Unit {
        Second => "second", Minute => "minute", Hour => "hour", Day => "day",
        Week => "week", Month => "month", Year => "year",
    }
    CalendarUnit { Day => "day", Week => "week", Month => "month", Quarter => "quarter", Year => "year" }
    DatedOp {
        Before => "before", After => "after", Since => "since", Until => "until", On => "on",
        OnOrBefore => "on or before", OnOrAfter => "on or after",
    }
}
