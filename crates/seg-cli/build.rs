//! Puts the page of every code into the command.

use std::fmt::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = std::env::var("CARGO_MANIFEST_DIR")?;
    let pages = Path::new(&manifest).join("../../docs/errors");
    println!("cargo:rerun-if-changed={}", pages.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&pages)? {
        let path = entry?.path();
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|e| e == "md") && stem != "README" {
            names.push((stem, path.canonicalize()?));
        }
    }
    names.sort();
    let mut out = "/// The page of each code.\nconst PAGES: &[(&str, &str)] = &[\n".to_owned();
    for (name, path) in names {
        writeln!(out, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    out.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("pages.rs"), out)?;
    Ok(())
}
