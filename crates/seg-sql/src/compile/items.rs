//! Records of events and items of lists of people.

use super::value::{aggregated, kind_of};
use super::{Compiler, Rows, attribute_column};
use crate::source::Unit;
use crate::text::{Condition, Join, Joins, Kind, Value};
use seg_data::{AttributeId, EventId, PropertyId, Type};
use seg_hir::hir::Aggregate;
use seg_plan::{NodeId, Query};

impl Compiler<'_> {
    /// The records of a list of events, as a relation.
    fn records(&mut self, list: &[(EventId, PropertyId)]) -> String {
        let first = list
            .first()
            .and_then(|(event, property)| Some(self.schema.event(*event)?.properties.get(property.idx())?.ty.clone()));
        let ty = first.unwrap_or(Type::Records(Vec::new()));
        let column = self.property(list, &ty);
        let fields = self.fields(&ty);
        let unnested = self.says.unnest("e", "e.rid", &column.sql, matches!(ty, Type::Records(_)));
        self.relation("u", format!("SELECT u.key AS rid, u.pos AS pos{fields}\n  FROM {unnested} AS u"))
    }

    /// The fields of records, or the item itself, as columns of a relation `u`.
    fn fields(&self, ty: &Type) -> String {
        let says = self.says;
        match ty {
            Type::Records(fields) => {
                let field = |(name, ty): &(String, Type)| {
                    let normal = says.normal(&says.field("u.it", name, ty), ty, Unit::Own);
                    format!(", {normal} AS {}", says.ident(&attribute_column(name)))
                };
                fields.iter().map(field).collect()
            }
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Money
            | Type::Text
            | Type::Timestamp
            | Type::Date
            | Type::Duration
            | Type::List(_) => ", u.it AS v".to_owned(),
        }
    }

    /// Whether all, or any, of the records of the event at hand are as asked.
    pub fn items(&mut self, is_all: bool, list: &[(EventId, PropertyId)], filter: NodeId) -> Condition {
        let records = self.records(list);
        let mut filter = self.condition(filter, Rows::Items);
        // All are where none is not.
        if is_all {
            filter = filter.negate();
        }
        let from = self.from(Rows::Items, Some(&records), &filter.joins);
        let name = self.relation("i", format!("SELECT DISTINCT it.rid AS rid\n  FROM {from}\n  WHERE {}", filter.sql));
        let sign = if is_all { "IS NULL" } else { "IS NOT NULL" };
        Condition { sql: format!("{name}.rid {sign}"), joins: Joins::from([Join::ByEvent(name)]) }
    }

    pub fn field(&mut self, list: &[(EventId, PropertyId)], field: u32, ty: &Type) -> Value {
        let name = list.first().and_then(|(event, property)| {
            let ty = &self.schema.event(*event)?.properties.get(property.idx())?.ty;
            let Type::Records(fields) = ty else { return None };
            Some(fields.get(field as usize)?.0.clone())
        });
        let name = self.says.ident(&attribute_column(&name.unwrap_or_default()));
        Value::plain(format!("it.{name}"), kind_of(ty))
    }

    /// An aggregate over the records of the events that a query finds.
    pub fn aggregate_items(
        &mut self,
        function: Aggregate,
        measure: Option<(NodeId, &Type)>,
        list: &[(EventId, PropertyId)],
        query: &Query,
    ) -> Value {
        let records = self.records(list);
        let found = self.query(query);
        let measured = measure.map(|(measure, _)| self.value(measure, Rows::Items));
        let mut joins = found.joins.clone();
        joins.extend(measured.iter().flat_map(|measured| measured.joins.iter().cloned()));
        let from = self.from(Rows::Items, Some(&records), &joins);
        let Some((measured, (_, ty))) = measured.zip(measure) else {
            let counted =
                format!("SELECT e.id AS id, count(*) AS n\n  FROM {from}\n  WHERE {}\n  GROUP BY e.id", found.sql);
            let name = self.relation("x", counted);
            return Value::of(format!("coalesce({name}.n, 0)"), Kind::Integer, Join::ById(name));
        };
        if function == Aggregate::MostFrequent {
            let order = self.order("`most frequent`", false) + ", it.pos";
            return self.most_frequent(&from, &found.sql, ("e.id", &order), &measured);
        }
        let mut order = self.measure_order(function, ty);
        if !order.is_empty() {
            order.push_str(", it.pos");
        }
        let mut columns: Vec<String> = Vec::new();
        // The relation is named by what it holds, which is known once its columns are.
        let value = self.over(function, "true", &measured, &order, &mut |_, column| {
            columns.push(column);
            format!("\u{1}.c{}", columns.len())
        });
        let kind = if value.kind == Kind::Missing { Kind::Missing } else { aggregated(function, measured.kind) };
        let columns: Vec<String> =
            columns.iter().enumerate().map(|(at, column)| format!("{column} AS c{}", at + 1)).collect();
        if columns.is_empty() {
            return value;
        }
        let name = self.relation(
            "x",
            format!("SELECT e.id AS id, {}\n  FROM {from}\n  WHERE {}\n  GROUP BY e.id", columns.join(", "), found.sql),
        );
        Value::of(value.sql.replace('\u{1}', &name), kind, Join::ById(name))
    }

    /// Whether all, or any, of the items of a list of a person are as asked; never where the
    /// list is missing.
    pub fn elements(&mut self, is_all: bool, list: AttributeId, filter: NodeId) -> Condition {
        let ty = self.schema.attribute(list).map_or(Type::Records(Vec::new()), |field| field.ty.clone());
        let column = self.attribute(list, &ty);
        let fields = self.fields(&ty);
        let unnested = self.says.unnest("p", "p.id", &column.sql, matches!(ty, Type::Records(_)));
        let items = self.relation("u", format!("SELECT u.key AS id, u.pos AS pos{fields}\n  FROM {unnested} AS u"));
        let mut filter = self.condition(filter, Rows::Elements);
        if is_all {
            filter = filter.negate();
        }
        let from = self.from(Rows::Elements, Some(&items), &filter.joins);
        let name = self.relation("i", format!("SELECT DISTINCT it.id AS id\n  FROM {from}\n  WHERE {}", filter.sql));
        let (mut joins, join) = (column.joins, Join::ById(name.clone()));
        joins.insert(join);
        let sql = match is_all {
            true => format!("({} IS NOT NULL AND {name}.id IS NULL)", column.sql),
            false => format!("{name}.id IS NOT NULL"),
        };
        Condition { sql, joins }
    }

    pub fn element(&mut self, list: AttributeId, field: Option<u32>, ty: &Type) -> Value {
        let list = self.schema.attribute(list).map(|field| &field.ty);
        let name = if let (Some(at), Some(Type::Records(fields))) = (field, list) {
            let name = fields.get(at as usize).map_or("", |(name, _)| name.as_str());
            self.says.ident(&attribute_column(name))
        } else {
            "v".to_owned()
        };
        Value::plain(format!("it.{name}"), kind_of(ty))
    }
}
