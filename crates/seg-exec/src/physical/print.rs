//! Printing physical plans: a line a step, indented by nothing, in the order in
//! which steps are made; then what is shared and what code is generated for.

use crate::kernels::{ColumnTest, SharedWalk};
use crate::physical::{Access, AggregateSource, AggregateTest, DerivedSource, Kind, PhysicalPlan, Step};
use std::fmt::{self, Display, Formatter, Write};

impl Display for PhysicalPlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            write!(f, "s{at} = n{}: {}", step.node.0, Describe(step))?;
            if step.is_shared {
                f.write_str(", kept for the block")?;
            }
            if let Some(estimate) = step.estimate {
                write!(f, "; about {:.1}% of people, {:.2} ns each", estimate.share * 100.0, estimate.cost)?;
            }
            f.write_char('\n')?;
        }
        for (at, aggregate) in self.aggregates.iter().enumerate() {
            write!(f, "a{at} = ")?;
            match aggregate.node {
                Some(node) if aggregate.is_windowed => write!(f, "n{} without its window: ", node.0)?,
                Some(node) => write!(f, "n{}: ", node.0)?,
                None => f.write_str("texts ever had: ")?,
            }
            match &aggregate.source {
                AggregateSource::Codegen(code) => write!(f, "by person, by code c{code}")?,
                AggregateSource::Walk(walk) => write!(f, "by person, by walk w{walk}")?,
                AggregateSource::Texts(_) => f.write_str("by person, a bit a text")?,
                AggregateSource::Days(_) => f.write_str("a derived column of active days, a bit a day")?,
            }
            f.write_str(if aggregate.is_shared { ", shared\n" } else { "\n" })?;
        }
        for (at, (walk, aggregates)) in self.walks.iter().enumerate() {
            let what = match walk {
                SharedWalk::Times(_) => "last times, for all positions at once",
                SharedWalk::Sequences(_) => "an event sequence, for all lengths of time at once",
                SharedWalk::Totals(_) => "totals, for all windows at once",
            };
            writeln!(f, "w{at} = {what}: {}", List("a", aggregates))?;
        }
        for (at, code) in self.codegen.iter().enumerate() {
            let same = self.codegen.iter().take(at).position(|c| c.selected.template == code.selected.template);
            write!(f, "c{at} = code for n{}", code.node.0)?;
            if let Some(same) = same {
                write!(f, ", that of c{same}")?;
            }
            if !code.selected.precomputed.is_empty() {
                let nodes: Vec<usize> = code.selected.precomputed.iter().map(|node| node.idx()).collect();
                write!(f, ", over bits that the plan evaluator computed for {}", List("n", &nodes))?;
            }
            f.write_char('\n')?;
        }
        for (name, step) in &self.roots {
            writeln!(f, "segment {name:?} = s{step}")?;
        }
        Ok(())
    }
}

/// Numbers with a letter before each.
struct List<'l>(&'l str, &'l [usize]);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, number) in self.1.iter().enumerate() {
            let before = if at == 0 { "" } else { ", " };
            write!(f, "{before}{}{number}", self.0)?;
        }
        Ok(())
    }
}

/// What a step does.
struct Describe<'d>(&'d Step);

impl Display for Describe<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Const(true) => f.write_str("everybody"),
            Kind::Const(false) => f.write_str("nobody"),
            Kind::All(members) => write!(f, "all of {}", List("s", members)),
            Kind::Any(members) => write!(f, "any of {}", List("s", members)),
            Kind::Cardinality { min, max, members } => match max {
                Some(max) => write!(f, "{min} to {max} of {}", List("s", members)),
                None => write!(f, "at least {min} of {}", List("s", members)),
            },
            Kind::Not(inner) => write!(f, "not s{inner}"),
            Kind::Access(access) => f.write_str(&access.describe()),
        }
    }
}

impl Access {
    /// How it reads the batch, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Access::TopK(_) => "by time: the few people who are late enough".to_owned(),
            Access::Attribute(scan) => format!("an attribute, {}", way(&scan.test)),
            Access::DerivedColumn(source, scan) => {
                let what = match source {
                    DerivedSource::Time => "times",
                    DerivedSource::Sum => "totals",
                    DerivedSource::Texts => "texts ever had",
                };
                let zones = if scan.zones.is_some() { ", without zones of people who are all too early" } else { "" };
                format!("a derived column of {what}, {}{zones}", way(&scan.test))
            }
            Access::Precomputed(_) => "a bit a person, by a kernel of the plan evaluator".to_owned(),
            Access::SharedAggregate(aggregate, test) => match test {
                AggregateTest::IsValid => format!("whether there is a{aggregate}"),
                AggregateTest::InRange(range) => format!("a{aggregate} in {range}"),
                AggregateTest::AnyBit(mask) => format!("any bit of {mask:#x} in a{aggregate}"),
            },
            Access::Codegen(code) => format!("by person, by code c{code}"),
        }
    }
}

/// How a column is compared.
fn way(test: &ColumnTest) -> &'static str {
    match test {
        ColumnTest::IsValid => "whether there is a value",
        ColumnTest::Bits(..) => "64 bits at a time",
        ColumnTest::Ints32(..) | ColumnTest::Ints64(..) | ColumnTest::Numbers(..) => "64 values in a range at a time",
        ColumnTest::Keys(..) => "64 keys of texts among a few at a time",
        ColumnTest::Bytes(..) | ColumnTest::Table(..) => "keys of texts in a table",
        ColumnTest::AnyBit(..) => "64 words with any bit of a mask at a time",
    }
}
