//! `seg freeze`

use super::{check, load, read_lock, today};
use crate::args::Freeze;
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, print_text};
use seg::unstable::frozen::{self, LOCK_FILE};

pub fn run(args: &Freeze, output: &Output) -> Result<Exit, Failure> {
    let project = load(&args.dir)?;
    let program = match seg::compile(&project) {
        Ok(program) => program,
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, crate::args::Format::Text)?;
            tell_line!("{}; nothing was frozen", check::summary(&diagnostics));
            return Ok(Exit::Errors);
        }
    };
    let (before, today) = (read_lock(&args.dir)?, today(&project, args.at.as_deref())?);
    let problems = frozen::check_frozen(&project, &program, &before, today);
    if problems.n_errors() > 0 {
        output.diagnostics(&problems, crate::args::Format::Text)?;
        tell_line!("{}; {LOCK_FILE} was left as it was", check::summary(&problems));
        return Ok(Exit::Errors);
    }
    let after = frozen::lock(&program, &before, today);
    let path = args.dir.join(LOCK_FILE);
    let text = after.to_text().map_err(Failure::new)?;
    seg::unstable::io::write_whole(&path, &text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    print_text(&format!("{} frozen in {LOCK_FILE}\n", counted(after.segments.len(), "segment")))?;
    Ok(Exit::Success)
}
