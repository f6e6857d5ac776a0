//! A project as a text, to be sent and compiled elsewhere.

use crate::project::{Project, ProjectError};
use seg_data::{WeekStart, Zone};
use seg_hir::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// All that compiling a project needs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    timezone: Option<String>,
    week_starts_on: Day,
    schema: Named,
    segments: Vec<Named>,
    /// The values of lists, by the paths that declarations name.
    lists: BTreeMap<String, Vec<String>>,
}

/// A text with the name that messages give it.
#[derive(Serialize, Deserialize)]
struct Named {
    name: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Day {
    Monday,
    Sunday,
}

impl Project {
    /// Its texts with its calendar and its lists, as JSON: what [`Project::from_texts`] makes the
    /// same project of, in another process or on another machine. Where its data is, and what
    /// else its `seg.toml` says, is not in it.
    ///
    /// # Errors
    /// A project of which a file could not be read as a text.
    pub fn texts(&self) -> Result<String, ProjectError> {
        let failed = |message: String| ProjectError { path: self.dir.clone(), message };
        if let Some(problem) = self.problems.iter().find(|problem| problem.is_error()) {
            return Err(failed(problem.message.clone()));
        }
        let named = |id| {
            let source = self.sources.get(id)?;
            Some(Named { name: source.name.clone(), text: source.text.clone() })
        };
        let schema = self.schema_file.and_then(named).ok_or_else(|| failed("it has no schema".to_owned()))?;
        let segments = self.segment_files.iter().filter_map(|id| named(*id)).collect();
        let mut lists = BTreeMap::new();
        // A list that cannot be read is told of where the project is compiled.
        for (path, values) in self.lists(&crate::compile::parse(self)) {
            if let Ok(values) = values {
                let mut values: Vec<String> = values.into_iter().collect();
                values.sort_unstable();
                lists.insert(path, values);
            }
        }
        let week_starts_on = match self.settings.week_start {
            WeekStart::Monday => Day::Monday,
            WeekStart::Sunday => Day::Sunday,
        };
        let timezone = self.settings.zone.map(|zone| zone.name().to_owned());
        let texts = Texts { timezone, week_starts_on, schema, segments, lists };
        serde_json::to_string(&texts).map_err(|e| failed(e.to_string()))
    }

    /// A project of what [`Project::texts`] said.
    ///
    /// # Errors
    /// Other texts, and a time zone that is not known here.
    pub fn from_texts(texts: &str) -> Result<Project, ProjectError> {
        let failed = |message: String| ProjectError { path: PathBuf::from("texts of a project"), message };
        let texts: Texts = serde_json::from_str(texts).map_err(|e| failed(e.to_string()))?;
        let zone = match &texts.timezone {
            None => None,
            Some(name) => Some(Zone::parse(name).ok_or_else(|| failed(format!("`{name}` is not a time zone")))?),
        };
        let week_start = match texts.week_starts_on {
            Day::Monday => WeekStart::Monday,
            Day::Sunday => WeekStart::Sunday,
        };
        let mut project = Project::empty(PathBuf::new(), Settings { zone, week_start });
        project.read_schema(&texts.schema.name, texts.schema.text);
        for Named { name, text } in texts.segments {
            let id = project.sources.add(name, text);
            project.segment_files.push(id);
        }
        project.lists = texts.lists.into_iter().collect();
        Ok(project)
    }
}
