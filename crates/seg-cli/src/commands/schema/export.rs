//! `seg schema export`

use super::{with_schema, write_new};
use crate::args::{Format, PlanForm, SchemaExport};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_text};
use seg::unstable::io::json_schema::{ExportForm, export};
use seg::unstable::parts;

pub fn run(args: &SchemaExport, output: &Output) -> Result<Exit, Failure> {
    let Some(project) = with_schema(&args.dir, Format::Text, output)? else { return Ok(Exit::Errors) };
    let form = match args.form {
        PlanForm::JsonSchema => ExportForm::JsonSchema,
        PlanForm::TrackingPlan => ExportForm::TrackingPlan,
    };
    let name = parts(&project).manifest.map_or("project", |manifest| &manifest.name);
    let text = export(project.schema(), name, form);
    match &args.write {
        None => print_text(&text)?,
        Some(path) => {
            write_new(path, &text)?;
            print_text(&format!("wrote {}\n", path.display()))?;
        }
    }
    Ok(Exit::Success)
}
