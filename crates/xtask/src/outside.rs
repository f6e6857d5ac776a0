//! What checks need from outside of Cargo: packages of other languages, and commands.

use seg_tests::root;
use std::path::Path;
use std::process::Command;

/// Runs commands that install packages into a folder below the build directory, by files of a
/// folder of this crate, unless the very same were there before.
///
/// # Errors
/// Files that cannot be copied, and commands that fail.
pub fn install(dir: &Path, from: &str, files: &[&str], commands: &[&[&str]]) -> Result<(), String> {
    let from = root().join("crates/xtask").join(from);
    let done = dir.join("installed");
    let wanted: Vec<String> = files.iter().map(|name| read(&from.join(name))).collect::<Result<_, _>>()?;
    let wanted = wanted.concat();
    if std::fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    copy(dir, &from, files)?;
    for command in commands {
        let Some((program, args)) = command.split_first() else { continue };
        succeed(Command::new(program).args(args).current_dir(dir))?;
    }
    std::fs::write(&done, wanted).map_err(|e| format!("{}: {e}\n", done.display()))
}

/// Copies files of a folder into another, which is made.
///
/// # Errors
/// What the disk says.
pub fn copy(dir: &Path, from: &Path, files: &[&str]) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}\n", dir.display()))?;
    for name in files {
        std::fs::copy(from.join(name), dir.join(name)).map_err(|e| format!("{name}: {e}\n"))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}\n", path.display()))
}

/// The command `seg` as it was built, in the folder of the repository.
pub fn seg() -> Command {
    let mut command = Command::new("target/debug/seg");
    command.current_dir(root());
    command
}

/// What a command prints that succeeds.
///
/// # Errors
/// One that cannot be run or fails, with what it says.
pub fn succeed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}\n"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(said(&output.stdout)),
        false => Err(format!("{command:?}:\n{}{}", said(&output.stdout), said(&output.stderr))),
    }
}
