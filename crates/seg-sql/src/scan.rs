//! The first relations: the columns of the tables in Seg's own values, and who exists.

use crate::compile::{Compiler, PropertyColumn, attribute_column, instant};
use crate::source::{Events, Named, Profiles, Unit};
use seg_data::{AttributeId, EventId, Type};
use std::collections::BTreeMap;

impl Compiler<'_> {
    /// The relations `r` (rows of profiles), `l` (the latest of each), `e` (events) and `p`
    /// (people), in this order, for what was compiled before.
    pub fn scans(&mut self) -> Vec<(String, String)> {
        self.attributes.extend(self.schema.first_seen);
        self.refuse_names();
        let mut scans = Vec::new();
        let profiles = self.source.profiles.clone();
        if let Some(profiles) = &profiles {
            scans.push(("r".to_owned(), self.rows(profiles)));
            if profiles.time.is_some() {
                scans.push(("l".to_owned(), self.latest(profiles)));
            }
        }
        self.events(&mut scans);
        let has_times = profiles.as_ref().is_some_and(|profiles| profiles.time.is_some());
        scans.push(("ids".to_owned(), self.existing(profiles.is_some(), scans.iter().any(|(name, _)| name == "raw"))));
        let columns: String = self
            .used()
            .map(|(_, name, _)| self.says.ident(&name))
            .map(|name| format!(", l.{name} AS {name}"))
            .collect();
        let people = match profiles.is_some() {
            true => {
                let latest = if has_times { "l" } else { "r" };
                let locals = self.locals_of_people("l");
                format!("SELECT ids.id AS id{columns}{locals}\n  FROM ids LEFT JOIN {latest} AS l ON l.id = ids.id")
            }
            false => {
                let none = self
                    .used()
                    .map(|(_, name, ty)| format!(", {} AS {}", self.says.missing(ty), self.says.ident(&name)));
                let columns = none.collect::<String>();
                let people = format!("SELECT ids.id AS id{columns}\n  FROM ids");
                match self.locals_of_people("none") {
                    locals if locals.is_empty() => people,
                    locals => format!("SELECT none.*{locals}\n  FROM ({people}) AS none"),
                }
            }
        };
        scans.push(("p".to_owned(), people));
        scans
    }

    /// The attributes that are read, with their columns and types.
    fn used(&self) -> impl Iterator<Item = (AttributeId, String, &Type)> {
        self.attributes.iter().filter_map(|id| {
            let field = self.schema.attribute(*id)?;
            Some((*id, attribute_column(&field.name), &field.ty))
        })
    }

    /// Databases take names that are equal but for the case of letters for one.
    fn refuse_names(&mut self) {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let names: Vec<String> =
            self.attributes.iter().filter_map(|id| Some(self.schema.attribute(*id)?.name.clone())).collect();
        for name in names {
            if let Some(other) = seen.insert(name.to_lowercase(), name.clone()) {
                self.segment.clear();
                self.refuse(
                    &format!("the attributes `{other}` and `{name}`"),
                    "databases take names that are equal but for the case of letters for one name",
                );
            }
        }
    }

    /// The rows of profiles.
    fn rows(&self, profiles: &Profiles) -> String {
        let says = self.says;
        let id = says.id(&format!("t.{}", says.ident(&profiles.id)));
        let us = match &profiles.time {
            Some(time) => says.instant(&format!("t.{}", says.ident(&time.name)), time.unit),
            None => says.missing(&Type::Timestamp),
        };
        let arrival = profiles.arrival.as_ref();
        let arr = arrival.map_or_else(|| says.missing(&Type::Integer), |column| format!("t.{}", says.ident(column)));
        let columns = self.used().map(|(id, name, ty)| {
            let column = profiles.column(self.schema.attribute(id).map_or("", |field| field.name.as_str()));
            let normal = says.normal(&format!("t.{}", says.ident(&column.name)), ty, column.unit);
            format!(",\n    {normal} AS {}", says.ident(&name))
        });
        let columns: String = columns.collect();
        let table = says.table(&profiles.table);
        format!(
            "SELECT {id} AS id, {us} AS us, {arr} AS arr{columns}\n  FROM {table} AS t\n  WHERE nullif({id}, '') IS NOT NULL"
        )
    }

    /// The values that were set last; of attributes whose history is kept up to now.
    fn latest(&mut self, profiles: &Profiles) -> String {
        let says = self.says;
        let now = instant(self.now);
        // Undated rows come before all others.
        let order = "CASE WHEN r.us IS NULL THEN 0 ELSE 1 END DESC, r.us DESC, r.arr DESC";
        let columns: Vec<String> = self
            .used()
            .map(|(id, name, ty)| {
                let column = format!("r.{}", says.ident(&name));
                let mut said = match profiles.are_snapshots {
                    true => format!("({column} IS NOT NULL OR r.us IS NOT NULL)"),
                    false => format!("{column} IS NOT NULL"),
                };
                if self.schema.attribute(id).is_some_and(|field| field.keeps_history) {
                    said.push_str(&format!(" AND (r.us IS NULL OR r.us <= {now})"));
                }
                format!(",\n    {} AS {}", says.last_of(&column, order, &said, ty), says.ident(&name))
            })
            .collect();
        if profiles.arrival.is_none() {
            self.segment.clear();
            self.refuse(
                "rows of one person and one instant",
                "the row that arrived last holds: `[sql.profiles]` with `time` needs `arrival` too",
            );
        }
        format!("SELECT r.id AS id{}\n  FROM r\n  GROUP BY r.id", columns.concat())
    }

    /// The events up to now, each once.
    fn events(&mut self, scans: &mut Vec<(String, String)>) {
        let says = self.says;
        let source = self.source;
        let each: Vec<String> = source.events.iter().map(|events| self.table_of_events(events)).collect();
        let names: String = self
            .properties
            .iter()
            .map(|column| says.ident(&column.name))
            .map(|name| format!(", e0.{name} AS {name}"))
            .collect();
        let locals: Vec<String> =
            self.zones.clone().into_iter().map(|zone| format!(",\n    {}", self.local_of_scan(zone))).collect();
        let all = match each.is_empty() {
            true => self.no_events(),
            false => each.join("\n  UNION ALL\n  "),
        };
        let has_ids = self.schema.events.iter().any(|event| self.has_id(event));
        let is_unique = source.events.iter().all(|events| events.has_unique_ids);
        let mut condition = format!("e0.us <= {}", instant(self.now));
        if has_ids && !is_unique && !source.events.is_empty() {
            if source.events.iter().any(|events| events.arrival.is_none()) {
                self.segment.clear();
                let reason = "of two with one id the first to arrive counts: say the column of `arrival`, or \
                              `unique_ids = true` where no id is there twice";
                self.refuse("repeated event ids", reason);
            }
            scans.push(("raw".to_owned(), all));
            scans.push((
                "e0".to_owned(),
                "SELECT raw.*, row_number() OVER (PARTITION BY raw.id, raw.ev, raw.eid ORDER BY raw.arr) AS dup\n  FROM raw"
                    .to_owned(),
            ));
            condition.push_str(" AND (e0.eid IS NULL OR e0.dup = 1)");
        } else {
            scans.push(("e0".to_owned(), all));
        }
        let locals = locals.concat();
        scans.push((
            "e".to_owned(),
            format!(
                "SELECT row_number() OVER (ORDER BY e0.id, e0.us, e0.ev, e0.arr) AS rid, e0.id AS id, e0.ev AS ev, e0.us AS us, e0.eid AS eid, e0.arr AS arr{names}{locals}\n  \
                 FROM e0\n  WHERE {condition}"
            ),
        ));
    }

    fn has_id(&self, event: &seg_data::schema::Event) -> bool {
        self.schema.event_id.as_ref().is_some_and(|id| event.property(id).is_some())
    }

    fn no_events(&self) -> String {
        let says = self.says;
        let properties = self
            .properties
            .iter()
            .map(|column| format!(", {} AS {}", says.missing(&column.ty), says.ident(&column.name)));
        let (text, number) = (says.missing(&Type::Text), says.missing(&Type::Integer));
        format!(
            "SELECT {text} AS id, 0 AS ev, {number} AS us, {text} AS eid, {number} AS arr{}\n  FROM (SELECT 1 AS one) AS none\n  WHERE false",
            properties.collect::<String>()
        )
    }

    /// The rows of one table of events.
    fn table_of_events(&self, events: &Events) -> String {
        let says = self.says;
        let column = |name: &str| format!("t.{}", says.ident(name));
        let names = self.schema.events.iter().enumerate();
        let (ev, among) = match &events.event {
            Named::By(by) => {
                let cases: String =
                    names.clone().map(|(at, event)| format!(" WHEN {} THEN {at}", says.text(&event.name))).collect();
                let all: Vec<String> = self.schema.events.iter().map(|event| says.text(&event.name)).collect();
                (format!("CASE {}{cases} END", column(by)), format!(" AND {} IN ({})", column(by), all.join(", ")))
            }
            Named::Always(name) => {
                let at = names.clone().find(|(_, event)| event.name == *name).map(|(at, _)| at);
                (at.map_or("NULL".to_owned(), |at| at.to_string()), String::new())
            }
        };
        let id = says.id(&column(&events.id));
        let us = says.instant(&column(&events.time.name), events.time.unit);
        let with_id = |event: &&(usize, &seg_data::schema::Event)| self.has_id(event.1);
        let all: Vec<(usize, &seg_data::schema::Event)> = self.schema.events.iter().enumerate().collect();
        let id_property = self.schema.event_id.as_deref();
        let eid = id_property.map(|property| {
            let which: Vec<EventId> = all.iter().filter(with_id).map(|(at, _)| EventId(*at as u32)).collect();
            let id = format!("nullif({}, '')", says.id(&column(&events.column(property).name)));
            self.where_event(events, &[(which, id)], &says.missing(&Type::Text))
        });
        let eid = eid.unwrap_or_else(|| says.missing(&Type::Text));
        let arrival = events.arrival.as_ref();
        let arr = arrival.map_or_else(|| says.missing(&Type::Integer), |name| column(name));
        let properties: String =
            self.properties.iter().map(|property| self.property_of_table(events, property)).collect();
        format!(
            "SELECT {id} AS id, {ev} AS ev, {us} AS us, {eid} AS eid, {arr} AS arr{properties}\n  FROM {} AS t\n  \
             WHERE nullif({id}, '') IS NOT NULL AND {} IS NOT NULL{among}",
            says.table(&events.table),
            column(&events.time.name)
        )
    }

    /// A property of the rows of a table, in Seg's values.
    fn property_of_table(&self, events: &Events, property: &PropertyColumn) -> String {
        let says = self.says;
        let mut values: Vec<(Vec<EventId>, String)> = Vec::new();
        for (event, id) in &property.ids {
            let name = self.schema.event(*event).and_then(|event| event.properties.get(id.idx()));
            let column = events.column(name.map_or("", |field| field.name.as_str()));
            let unit = if matches!(property.ty, Type::Money | Type::Timestamp) { column.unit } else { Unit::Own };
            let normal = says.normal(&format!("t.{}", says.ident(&column.name)), &property.ty, unit);
            match values.iter_mut().find(|(_, other)| *other == normal) {
                Some((of, _)) => of.push(*event),
                None => values.push((vec![*event], normal)),
            }
        }
        let value = self.where_event(events, &values, &says.missing(&property.ty));
        format!(",\n    {value} AS {}", says.ident(&property.name))
    }

    /// What there is of some events, and nothing of the others of a table.
    fn where_event(&self, events: &Events, values: &[(Vec<EventId>, String)], missing: &str) -> String {
        let says = self.says;
        let name = |id: &EventId| self.schema.event(*id).map_or("", |event| event.name.as_str());
        match &events.event {
            Named::Always(own) => {
                let of = values.iter().find(|(which, _)| which.iter().any(|id| name(id) == own));
                of.map_or_else(|| missing.to_owned(), |(_, value)| value.clone())
            }
            Named::By(by) => {
                let when = values.iter().filter(|(which, _)| !which.is_empty()).map(|(which, value)| {
                    let names: Vec<String> = which.iter().map(|id| says.text(name(id))).collect();
                    format!(" WHEN t.{} IN ({}) THEN {value}", says.ident(by), names.join(", "))
                });
                let when: String = when.collect();
                if when.is_empty() { missing.to_owned() } else { format!("CASE{when} ELSE {missing} END") }
            }
        }
    }

    /// Who exists now: nobody does before they were first seen, or, where the schema does not
    /// say when that was, before their first event or dated row. Who has an undated row beside
    /// dated ones, or nothing else, always has. Only here events later than now are read.
    fn existing(&self, has_profiles: bool, is_deduplicated: bool) -> String {
        let (now, says) = (instant(self.now), self.says);
        let declared = self.schema.first_seen.and_then(|id| self.schema.attribute(id)).filter(|_| has_profiles);
        let first_seen = declared.map(|field| format!("r.{}", says.ident(&attribute_column(&field.name))));
        let none = says.missing(&Type::Timestamp);
        let of_rows = first_seen.as_deref().unwrap_or(&none);
        let rows = match has_profiles {
            true => format!(
                "SELECT r.id AS id, r.us AS dated, CASE WHEN r.us IS NULL THEN 1 END AS undated, {none} AS event, {of_rows} AS first_seen FROM r\n    \
                 UNION ALL\n    "
            ),
            false => String::new(),
        };
        let once = if is_deduplicated { " WHERE e0.eid IS NULL OR e0.dup = 1" } else { "" };
        let undated = "CASE WHEN e0.us IS NULL THEN 1 END";
        let events = format!(
            "SELECT e0.id AS id, {none} AS dated, {undated} AS undated, e0.us AS event, {none} AS first_seen FROM e0{once}"
        );
        let by = |what: &str| format!("coalesce(min({what}) <= {now}, false)");
        let (dated, event) = (by("dated"), by("event"));
        format!(
            "SELECT id FROM (\n    {rows}{events}\n  ) AS facts\n  GROUP BY id\n  HAVING CASE\n    \
             WHEN count(first_seen) > 0 THEN min(first_seen) <= {now}\n    \
             WHEN count(undated) > 0 AND (count(dated) > 0 OR count(event) = 0) THEN true\n    \
             ELSE {dated} OR {event} END"
        )
    }
}
