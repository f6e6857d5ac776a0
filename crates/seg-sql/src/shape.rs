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
    /// The members as a model of dbt, which makes a view or a table of it.
    Model,
    /// A row a person, in no order: their id, and a text with a sign for each segment in turn,
    /// 1 where they are in it and 0 where not. For programs, however segments are called.
    Signs,
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
        format!("{with}\nSELECT m.id AS id{}\nFROM m", columns.concat())
    };
    let members = || {
        let of = each(&|at, answer| {
            let name = says.text(&answer.name);
            format!("SELECT {} AS place, {name} AS segment, m.id AS id FROM m WHERE m.{}", at + 1, answer.column)
        });
        format!("{with}\nSELECT segment, id\nFROM (\n{of}\n) AS members")
    };
    let settings = says.settings();
    match shape {
        Shape::Counts => {
            let counts = each(&|at, answer| {
                let name = says.text(&answer.name);
                let n = format!("count(CASE WHEN m.{} THEN 1 END)", answer.column);
                format!("SELECT {} AS place, {name} AS segment, {n} AS people FROM m", at + 1)
            });
            format!("{with}\nSELECT segment, people\nFROM (\n{counts}\n) AS counts\nORDER BY place{settings};\n")
        }
        Shape::Members => format!("{}\nORDER BY place, {}{settings};\n", members(), says.by_code_point("id")),
        Shape::Wide => format!("{}\nORDER BY {}{settings};\n", wide(), says.by_code_point("m.id")),
        Shape::View(name) => format!("CREATE OR REPLACE VIEW {} AS\n{}{settings};\n", says.table(name), wide()),
        Shape::Table(name) => {
            let table = says.table(name);
            format!("DROP TABLE IF EXISTS {table};\n{} AS\n{}{settings};\n", says.new_table(&table), wide())
        }
        // What segments and the data say is no template.
        Shape::Model => format!("{{% raw %}}\n{}{settings}\n{{% endraw %}}\n", members()),
        Shape::Signs => format!("{with}\nSELECT m.id AS id, {} AS signs\nFROM m{settings};\n", signs(answers)),
        Shape::Memberships(name) => match says.upserts() {
            Ok(upserts) => memberships(says, &upserts, &says.table(name), &format!("{}{settings}", members()), this),
            // That it cannot be said has been told by then.
            Err(_) => String::new(),
        },
    }
}

/// As many arguments as functions take everywhere.
const ARGUMENTS_MAX: usize = 50;

/// A text with a sign for each answer.
fn signs(answers: &[Answer]) -> String {
    let each: Vec<String> =
        answers.iter().map(|answer| format!("CASE WHEN m.{} THEN '1' ELSE '0' END", answer.column)).collect();
    let some: Vec<String> = each.chunks(ARGUMENTS_MAX).map(|some| format!("concat('', {})", some.join(", "))).collect();
    if some.is_empty() { "''".to_owned() } else { some.join(" || ") }
}

/// How a database keeps a table of its own true.
pub(crate) struct Upserts {
    /// The type of texts.
    pub text: &'static str,
    /// The type of instants.
    pub instant: &'static str,
    /// How several statements begin that hold together, and end.
    pub begin: &'static str,
    pub commit: &'static str,
}

/// Who entered and left since the table was last brought up to date.
fn memberships(says: &dyn Says, upserts: &Upserts, table: &str, members: &str, this: &Compiler<'_>) -> String {
    let Upserts { text, instant, begin, commit } = upserts;
    let now = format!("CAST({} AS {instant})", says.text(&this.now.to_string()));
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (segment {text}, person {text}, entered_at {instant}, left_at {instant});\n\
         CREATE TEMPORARY TABLE seg_members AS\n{members};\n\
         {begin};\n\
         UPDATE {table} AS kept SET left_at = {now}\n\
         WHERE kept.left_at IS NULL AND NOT EXISTS (\n  \
         SELECT 1 FROM seg_members AS m WHERE m.segment = kept.segment AND m.id = kept.person\n);\n\
         INSERT INTO {table} (segment, person, entered_at)\n\
         SELECT m.segment, m.id, {now} FROM seg_members AS m\n\
         WHERE NOT EXISTS (\n  \
         SELECT 1 FROM {table} AS kept WHERE kept.segment = m.segment AND kept.person = m.id AND kept.left_at IS NULL\n);\n\
         {commit};\n\
         DROP TABLE seg_members;\n"
    )
}
