//! Texts whose case does not count, and lists from files.

use super::{Compiler, Rows};
use crate::text::{Condition, Kind, Value};
use seg_hir::hir::ListRef;
use seg_hir::text::fold_case;
use seg_plan::{Node, NodeId};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Values of a list that are written out; more have to be a table.
const LIST_MAX: usize = 1_000;

/// Every letter that folds to another one, with that.
fn folded() -> &'static [(char, char)] {
    static FOLDED: OnceLock<Vec<(char, char)>> = OnceLock::new();
    FOLDED.get_or_init(|| {
        let fold = |c: char| {
            let to = fold_case(c.encode_utf8(&mut [0; 4])).chars().next()?;
            (to != c).then_some((c, to))
        };
        ('\0'..=char::MAX).filter_map(fold).collect()
    })
}

impl Compiler<'_> {
    /// A value; of a text whose case does not count the letters that fold to those of
    /// another text are folded, or all where that is not known.
    pub fn text_value(&mut self, id: NodeId, with: Option<&str>, rows: Rows) -> Value {
        let Some(Node::FoldCase(inner)) = self.node(id) else { return self.value(id, rows) };
        let value = self.value(*inner, rows);
        self.folded_value(value, with)
    }

    fn folded_value(&mut self, value: Value, with: Option<&str>) -> Value {
        let wanted: Option<BTreeSet<char>> = with.map(|text| text.chars().collect());
        let is_wanted = |to: char| wanted.as_ref().is_none_or(|wanted| wanted.contains(&to));
        let pairs = || folded().iter().filter(|(_, to)| is_wanted(*to));
        let (from, to): (String, String) = pairs().copied().unzip();
        if from.is_empty() {
            return value;
        }
        let says = self.says;
        let fold = |text: &str| says.translate(text, &from, &to);
        match value.kind {
            Kind::Text => value.map(Kind::Text, fold),
            Kind::List(of) => value.map(Kind::List(of), |list| says.map_texts(list, &fold)),
            Kind::Boolean
            | Kind::Integer
            | Kind::WideInteger
            | Kind::Number
            | Kind::Money
            | Kind::WideMoney
            | Kind::Instant
            | Kind::Day
            | Kind::Records
            | Kind::Missing => value,
        }
    }

    /// Whether a text is in a list from a file, or in the table that stands for it.
    pub fn in_list(&mut self, id: NodeId, list: &ListRef, rows: Rows) -> Condition {
        // Where the list is folded, so is the value, for the letters of all its texts.
        let letters: BTreeSet<char> = list.0.values.iter().flat_map(|text| text.chars()).collect();
        let letters: String = letters.into_iter().collect();
        let is_table = self.source.lists.contains_key(&list.0.name);
        let value = self.text_value(id, (!is_table).then_some(letters.as_str()), rows);
        self.value_in_list(value, list)
    }

    pub fn value_in_list(&mut self, value: Value, list: &ListRef) -> Condition {
        if value.kind != Kind::Text {
            return Condition::constant(false);
        }
        if let Some(table) = self.source.lists.get(&list.0.name) {
            let says = self.says;
            let column = format!("t.{}", says.ident(&table.column));
            let item = Value::plain(format!("nullif({}, '')", says.id(&column)), Kind::Text);
            let item = if list.0.ignores_case { self.folded_value(item, None) } else { item };
            let from = says.table(&table.table);
            let items = format!("SELECT DISTINCT {} AS v\n  FROM {from} AS t\n  WHERE {column} IS NOT NULL", item.sql);
            let name = self.relation("list", items);
            return value.test(|value| format!("{value} IN (SELECT v FROM {name})"));
        }
        let mut values: Vec<&str> = list.0.values.iter().map(String::as_str).collect();
        if values.len() > LIST_MAX {
            let reason = format!(
                "it has {} values, and more than {LIST_MAX} are not written out: make a table of it and name that in \
                 `[sql.lists]`",
                values.len()
            );
            self.refuse(&format!("list \"{}\"", list.0.name), &reason);
            return Condition::constant(false);
        }
        values.sort_unstable();
        let values: Vec<String> = values.into_iter().map(|value| self.says.text(value)).collect();
        match values.is_empty() {
            true => Condition::constant(false),
            false => value.test(|value| format!("{value} IN ({})", values.join(", "))),
        }
    }
}
