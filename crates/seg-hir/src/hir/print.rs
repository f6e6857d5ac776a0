//! The HIR as indented text: the printed form of this stage.

use super::*;
use seg_data::Schema;
use std::fmt::Write;

/// A condition of a module's segments with the schema's names, on one line. Equal texts mean
/// the same in two modules of schemas that name the same things so.
pub fn print_cond(module: &Module, schema: &Schema, cond: &Cond) -> String {
    Printer { module, schema, out: String::new() }.leaf(cond)
}

/// Prints a module with the schema's names.
pub fn print(module: &Module, schema: &Schema) -> String {
    let mut printer = Printer { module, schema, out: String::new() };
    for segment in &module.segments {
        printer.line(0, &format!("segment {:?}", segment.name));
        printer.line(1, "include");
        printer.cond(2, &segment.include);
        for exclude in &segment.excludes {
            printer.line(1, "exclude");
            printer.cond(2, exclude);
        }
        for rule in &segment.rules {
            printer.line(1, "rule");
            printer.cond(2, rule);
        }
    }
    printer.out
}

struct Printer<'a> {
    module: &'a Module,
    schema: &'a Schema,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.out, "{:width$}{text}", "", width = depth * 2);
    }

    fn cond(&mut self, depth: usize, cond: &Cond) {
        match cond {
            Cond::All(members) => self.members(depth, "all", members),
            Cond::Any(members) => self.members(depth, "any", members),
            Cond::Cardinality { min, max, members } => self.members(depth, &cardinality(*min, *max), members),
            Cond::Not(inner) => self.members(depth, "not", std::slice::from_ref(inner)),
            leaf => {
                let text = self.leaf(leaf);
                self.line(depth, &text);
            }
        }
    }

    fn members(&mut self, depth: usize, word: &str, members: &[Cond]) {
        self.line(depth, word);
        members.iter().for_each(|m| self.cond(depth + 1, m));
    }

    /// A condition on one line.
    fn leaf(&self, cond: &Cond) -> String {
        match cond {
            Cond::Const(value) => value.to_string(),
            Cond::All(members) => self.joined("all", members),
            Cond::Any(members) => self.joined("any", members),
            Cond::Cardinality { min, max, members } => self.joined(&cardinality(*min, *max), members),
            Cond::Not(inner) => format!("not({})", self.leaf(inner)),
            Cond::InSegment(id) => {
                let name = self.module.segments.get(id.idx()).map_or("?", |s| &s.name);
                format!("in segment {name:?}")
            }
            Cond::Known(expr) => format!("known({})", self.expr(expr)),
            Cond::Compare(op, left, right) => format!("{} {} {}", self.expr(left), op.symbol(), self.expr(right)),
            Cond::OneOf(expr, values) => format!("{} in [{}]", self.expr(expr), list(values)),
            Cond::Text(op, expr, text) => format!("{}({}, {text:?})", op.word(), self.expr(expr)),
            Cond::Has(expr, value) => format!("has({}, {value})", self.expr(expr)),
            Cond::FirstOrLastN { end, n, query, filter } => {
                format!("{} {n} of {}: {}", end.word(), self.query(query), self.leaf(filter))
            }
            Cond::Chain(chain) => self.chain(chain),
            Cond::Items { is_all, list, filter } => {
                format!("{} of {}({})", if *is_all { "all" } else { "any" }, self.property(list), self.leaf(filter))
            }
            Cond::Sample { name, below, is_complement } => {
                format!("sample({name:?} {} {below})", if *is_complement { ">=" } else { "<" })
            }
            Cond::Profile(test) => describe_id_test(test),
            Cond::Elements { is_all, list, filter } => {
                let quantifier = if *is_all { "all" } else { "any" };
                format!("{quantifier} of {} has {}", self.attribute(*list), self.leaf(filter))
            }
            Cond::InList(expr, list) => format!("{} in list {:?}", self.expr(expr), list.0.name),
        }
    }

    fn joined(&self, word: &str, members: &[Cond]) -> String {
        let members: Vec<String> = members.iter().map(|m| self.leaf(m)).collect();
        format!("{word}({})", members.join(", "))
    }

    fn expr(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Literal(value) => value.to_string(),
            ExprKind::Attribute(id) => self.attribute(*id),
            ExprKind::Property(ids) => self.property(ids),
            ExprKind::Time => ".time".to_owned(),
            ExprKind::Element { field: None, .. } => "item".to_owned(),
            ExprKind::Element { list, field: Some(field) } => {
                let ty = self.schema.attribute(*list).map(|a| &a.ty);
                let field = match ty {
                    Some(Type::Records(fields)) => fields.get(*field as usize).map(|(name, _)| name.as_str()),
                    _ => None,
                };
                format!("item.{}", field.unwrap_or("?"))
            }
            ExprKind::History { attribute, filter, of } => {
                let interval = of.interval().map_or(String::new(), |interval| interval.to_string());
                let filter = self.leaf(filter);
                format!("{}({}{interval}, {filter})", of.word(), self.attribute(*attribute))
            }
            ExprKind::HeldValue { is_before, .. } => if *is_before { "before" } else { "held" }.to_owned(),
            ExprKind::Field { list, field } => {
                let first = list.first().and_then(|(e, p)| self.schema.event(*e)?.properties.get(p.idx()));
                let field = match first.map(|p| &p.ty) {
                    Some(Type::Records(fields)) => fields.get(*field as usize).map(|(name, _)| name.as_str()),
                    _ => None,
                };
                format!("..{}", name(field.unwrap_or("?")))
            }
            ExprKind::Shift { of, by, is_back } => {
                format!("({} {} {by})", self.expr(of), if *is_back { "-" } else { "+" })
            }
            ExprKind::DayOf(inner, zone) => format!("day({}, {})", self.expr(inner), zone.name()),
            ExprKind::Part(part, inner, zone) => format!("{}({}, {})", part.word(), self.expr(inner), zone.name()),
            ExprKind::Anniversary(day, from) => format!("anniversary({} from {})", self.expr(day), self.expr(from)),
            ExprKind::Elapsed(inner) => format!("elapsed({})", self.expr(inner)),
            ExprKind::Distance { latitude, longitude, to } => {
                let here = format!("{}, {}", self.expr(latitude), self.expr(longitude));
                format!("km({here} to {}, {})", to.latitude, to.longitude)
            }
            ExprKind::UsualGap(query) => format!("usual-gap({})", self.query(query)),
            ExprKind::MostWithin { query, within } => format!("most-within({within}, {})", self.query(query)),
            ExprKind::Moment(moment) => moment.to_string(),
            ExprKind::Today { zone, offset } => format!("today({}){offset}", zone.name()),
            ExprKind::Seen(end, known_at) => format!("{}-seen{}", end.word(), known(*known_at)),
            ExprKind::Arithmetic(op, left, right) => {
                format!("({} {} {})", self.expr(left), op.symbol(), self.expr(right))
            }
            ExprKind::Scale { money, numerator, denominator } => {
                format!("({} * {numerator}/{denominator})", self.expr(money))
            }
            ExprKind::Convert(inner) => format!("{}({})", expr.ty, self.expr(inner)),
            ExprKind::FoldCase(inner) => format!("fold({})", self.expr(inner)),
            ExprKind::ListLength(inner) => format!("length({})", self.expr(inner)),
            ExprKind::Aggregate { function, measure, items, query } => {
                let measure = measure.as_ref().map(|m| format!("{} of ", self.expr(m)));
                let items = items.as_ref().map(|list| format!("{} of ", self.property(list)));
                let (measure, items) = (measure.unwrap_or_default(), items.unwrap_or_default());
                format!("{}({measure}{items}{})", function.word(), self.query(query))
            }
            ExprKind::Periods { unit, zone, query } => {
                format!("{}({}, {})", unit.word(), zone.name(), self.query(query))
            }
            ExprKind::EventTime { end, query } => format!("{}-time({})", end.word(), self.query(query)),
            ExprKind::Error => "error".to_owned(),
        }
    }

    fn attribute(&self, id: AttributeId) -> String {
        self.schema.attribute(id).map_or("?".into(), |a| name(&a.name))
    }

    fn property(&self, ids: &[(EventId, PropertyId)]) -> String {
        let first = ids.first().and_then(|(e, p)| self.schema.event(*e)?.properties.get(p.idx()));
        format!(".{}", first.map_or("?".into(), |p| name(&p.name)))
    }

    fn chain(&self, chain: &Chain) -> String {
        let mut out = String::new();
        for (idx, step) in chain.steps.iter().enumerate() {
            let word = match (idx, chain.order) {
                (0, ChainOrder::After) => "followed by",
                (0, ChainOrder::Before) => "preceded by",
                (0, ChainOrder::Any) => "among",
                (_, ChainOrder::Any) => " and",
                (_, ChainOrder::After | ChainOrder::Before) => " then",
            };
            let _ = write!(out, "{word} {}", self.query(&step.query));
            if let Some(none) = &step.none_between {
                let _ = write!(out, " with no {} in between", self.query(none));
            }
            if let Some(within) = step.within {
                let _ = write!(out, " within {within}");
            }
        }
        if let Some(whole) = chain.whole {
            let _ = write!(out, ", all within {whole}");
        }
        for same in &chain.same {
            let _ = write!(out, ", same {}", self.property(same));
        }
        format!("({out})")
    }

    fn query(&self, query: &Query) -> String {
        let mut out = String::new();
        if query.events.len() == self.schema.events.len() && query.events.len() > 1 {
            out.push_str("any event");
        } else {
            for (idx, id) in query.events.iter().enumerate() {
                let bar = if idx == 0 { "" } else { " | " };
                let _ = write!(out, "{bar}{}", self.schema.event(*id).map_or("?".into(), |e| name(&e.name)));
            }
        }
        if query.interval != Interval::default() {
            let _ = write!(out, " in {}", query.interval);
        }
        if let Some(filter) = &query.filter {
            let _ = write!(out, " where {}", self.leaf(filter));
        }
        out.push_str(&known(query.known_at));
        out
    }
}

fn name(text: &str) -> String {
    let is_word = text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_word { text.to_owned() } else { format!("`{text}`") }
}

fn list(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for DayOffset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DayOffset::Days(0) => Ok(()),
            DayOffset::Days(n) => write!(f, " {n:+} d"),
            DayOffset::Months(n) => write!(f, " {n:+} mo"),
            DayOffset::StartOf(unit, n) => write!(f, " {}", start_of(*unit, *n)),
        }
    }
}

/// ` known at …`, where not everything up to now is known.
fn known(at: Option<Moment>) -> String {
    at.map_or(String::new(), |at| format!(" known at {at}"))
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.period {
            Period::Months(_) => write!(f, "{} ({})", self.period, self.zone.name()),
            Period::Fixed(_) => write!(f, "{}", self.period),
        }
    }
}

impl CalendarPart {
    /// As the printed form has it.
    pub fn word(self) -> &'static str {
        match self {
            CalendarPart::Weekday => "weekday",
            CalendarPart::Month => "month",
            CalendarPart::TimeOfDay => "time-of-day",
        }
    }
}

fn cardinality(min: u64, max: Option<u64>) -> String {
    max.map_or_else(|| format!("at least {min} of"), |max| format!("{min} to {max} of"))
}

fn start_of(unit: CalendarUnit, offset: i64) -> String {
    let unit = match unit {
        CalendarUnit::Day => "day",
        CalendarUnit::Week(WeekStart::Monday) => "week-from-monday",
        CalendarUnit::Week(WeekStart::Sunday) => "week-from-sunday",
        CalendarUnit::Month => "month",
        CalendarUnit::Quarter => "quarter",
        CalendarUnit::Year => "year",
    };
    if offset == 0 { format!("start of {unit}") } else { format!("start of {unit} {offset:+}") }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.from {
            Some(Bound { moment, is_closed: true }) => write!(f, "[{moment}, ")?,
            Some(Bound { moment, is_closed: false }) => write!(f, "({moment}, ")?,
            None => write!(f, "(.., ")?,
        }
        match self.to {
            Some(Bound { moment, is_closed: true }) => write!(f, "{moment}]"),
            Some(Bound { moment, is_closed: false }) => write!(f, "{moment})"),
            None => write!(f, "..)"),
        }
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let calendar = |period: &Period, zone: &Zone| match period {
            Period::Months(_) => format!("{period} ({})", zone.name()),
            Period::Fixed(_) => period.to_string(),
        };
        match self {
            Moment::At(instant) => write!(f, "{instant}"),
            Moment::Before(Period::Fixed(0), _) => write!(f, "now"),
            Moment::Before(period, zone) => write!(f, "now - {}", calendar(period, zone)),
            Moment::After(period, zone) => write!(f, "now + {}", calendar(period, zone)),
            Moment::StartOf(unit, offset, zone) => write!(f, "{} ({})", start_of(*unit, *offset), zone.name()),
        }
    }
}

impl CompareOp {
    /// As the printed form has it.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOp::Equal => "=",
            CompareOp::Less => "<",
            CompareOp::LessOrEqual => "<=",
            CompareOp::Greater => ">",
            CompareOp::GreaterOrEqual => ">=",
        }
    }
}

impl ArithmeticOp {
    /// As the printed form has it.
    pub fn symbol(self) -> &'static str {
        match self {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => "/",
        }
    }
}

impl TextOp {
    /// As the printed form has it.
    pub fn word(self) -> &'static str {
        match self {
            TextOp::Contains => "contains",
            TextOp::StartsWith => "starts-with",
            TextOp::EndsWith => "ends-with",
            TextOp::Matches => "matches",
        }
    }
}

impl End {
    /// As the printed form has it.
    pub fn word(self) -> &'static str {
        match self {
            End::First => "first",
            End::Last => "last",
        }
    }
}

impl Aggregate {
    /// As the printed form has it.
    pub fn word(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::CountDifferent => "count-different",
            Aggregate::Total => "total",
            Aggregate::Average => "average",
            Aggregate::Smallest => "smallest",
            Aggregate::Largest => "largest",
            Aggregate::MostFrequent => "most-frequent",
        }
    }
}

impl PeriodUnit {
    /// As the printed form has it.
    pub fn word(self) -> &'static str {
        match self {
            PeriodUnit::Day => "days",
            PeriodUnit::Week(WeekStart::Monday) => "weeks-from-monday",
            PeriodUnit::Week(WeekStart::Sunday) => "weeks-from-sunday",
            PeriodUnit::Month => "months",
        }
    }
}

/// A test of ids in words, as trees and plans show it.
pub fn describe_id_test(test: &IdTest) -> String {
    match test {
        IdTest::OneOf(ids) => format!("profile id in {ids:?}"),
        IdTest::InList(list) => format!("profile id in list {:?}", list.0.name),
        IdTest::Text(op, text) => format!("{} profile id {text:?}", op.word()),
    }
}
