//! What is made of the answers: numbers of members, members, relations that stay.

use crate::compile::Compiler;
use crate::dialect::Says;

/// What a query gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A row a segment, with how many people are in it.
    Counts,
    /// A row a person and segment.
    Members,
    /// A row a person, and whether they are in each segment.
    Wide,
    /// The same, as a view of this name, which answers as of the instant that it was made for.
    View(String),
    /// The same, as a table of this name.
    Table(String),
    /// A table of this name that keeps who entered which segment when, and left it when.
    Memberships(String),
}

/// A segment and the column of the relation `m` that says who is in.
pub(crate) struct Answer {
    pub name: String,
    pub column: String,
}

/// The statement around the relations, which begin with `WITH`.
pub(crate) fn statement(shape: &Shape, with: &str, answers: &[Answer], this: &Compiler<'_>) -> String {
    let says = this.says;
    let each = |select: &dyn Fn(usize, &Answer) -> String| {
        let all: Vec<String> = answers.iter().enumerate().map(|(at, answer)| select(at, answer)).collect();
        all.join("\nUNION ALL\n")
    };
    let wide = || {
        let columns: Vec<String> =
            answers.iter().map(|answer| format!(",\n  m.{} AS {}", answer.column, says.ident(&answer.name))).collect();
        format!("{with}\nSELECT m.id{}\nFROM m", columns.concat())
    };
    let members = || {
        let of = each(&|at, answer| {
            let name = says.text(&answer.name);
            format!("SELECT {} AS place, {name} AS segment, m.id FROM m WHERE m.{}", at + 1, answer.column)
        });
        format!("{with}\nSELECT segment, id\nFROM (\n{of}\n) AS members")
    };
    match shape {
        Shape::Counts => {
            let counts = each(&|at, answer| {
                let name = says.text(&answer.name);
                let n = format!("count(CASE WHEN m.{} THEN 1 END)", answer.column);
                format!("SELECT {} AS place, {name} AS segment, {n} AS people FROM m", at + 1)
            });
            format!("{with}\nSELECT segment, people\nFROM (\n{counts}\n) AS counts\nORDER BY place;\n")
        }
        Shape::Members => format!("{}\nORDER BY place, id;\n", members()),
        Shape::Wide => format!("{}\nORDER BY m.id;\n", wide()),
        Shape::View(name) => format!("CREATE OR REPLACE VIEW {} AS\n{};\n", says.table(name), wide()),
        Shape::Table(name) => {
            let table = says.table(name);
            format!("DROP TABLE IF EXISTS {table};\nCREATE TABLE {table} AS\n{};\n", wide())
        }
        Shape::Memberships(name) => memberships(says, &says.table(name), &members(), this),
    }
}

/// Who entered and left since the table was last brought up to date.
fn memberships(says: &dyn Says, table: &str, members: &str, this: &Compiler<'_>) -> String {
    let now = format!("TIMESTAMPTZ {}", says.text(&this.now.to_string()));
    let text = match this.dialect {
        crate::Dialect::DuckDb => "VARCHAR",
        crate::Dialect::Postgres => "text",
    };
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (segment {text}, person {text}, entered_at TIMESTAMPTZ, left_at TIMESTAMPTZ);\n\
         BEGIN;\n\
         CREATE TEMPORARY TABLE seg_members AS\n{members};\n\
         UPDATE {table} AS kept SET left_at = {now}\n\
         WHERE kept.left_at IS NULL AND NOT EXISTS (\n  \
         SELECT 1 FROM seg_members AS m WHERE m.segment = kept.segment AND m.id = kept.person\n);\n\
         INSERT INTO {table} (segment, person, entered_at)\n\
         SELECT m.segment, m.id, {now} FROM seg_members AS m\n\
         WHERE NOT EXISTS (\n  \
         SELECT 1 FROM {table} AS kept WHERE kept.segment = m.segment AND kept.person = m.id AND kept.left_at IS NULL\n);\n\
         DROP TABLE seg_members;\n\
         COMMIT;\n"
    )
}
