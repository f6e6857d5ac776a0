//! The public interface of `seg` as text, from the pages that rustdoc makes: what
//! stands in `docs/public-api.txt`, so that every change of it is seen in review.

use seg_tests::root;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// The most items that the facade may have.
const ITEMS_MAX: usize = 60;

/// Every item with its declaration and its own methods.
///
/// # Errors
/// Documentation that cannot be made, and more items than a facade should have.
pub fn public_api() -> Result<String, String> {
    // As CI makes it, so that nothing is made twice; of libraries, for the command
    // has the name of the facade.
    let status = Command::new("cargo")
        .args(["doc", "--quiet", "--workspace", "--no-deps", "--lib"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(root())
        .status()
        .map_err(|e| format!("cargo: {e}\n"))?;
    if !status.success() {
        return Err("the documentation could not be made\n".to_owned());
    }
    let pages = root().join("target/doc/seg");
    let all = read(&pages.join("all.html"))?;
    let links = all.split("<a href=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(link, _)| link);
    let mut items: Vec<&str> =
        links.filter(|link| link.ends_with(".html") && !link.starts_with("..") && !link.contains('#')).collect();
    items.sort_by_key(|link| (link.matches('/').count(), *link));
    items.dedup();
    if items.len() > ITEMS_MAX {
        return Err(format!("the facade has {} items, and may have {ITEMS_MAX}\n", items.len()));
    }
    let mut out = format!("The public interface of `seg`: {} items. Written by `cargo xtask codegen`.\n", items.len());
    for item in items {
        let page = read(&pages.join(item))?;
        let module = item.rsplit_once('/').map_or(String::new(), |(module, _)| module.replace('/', "::") + "::");
        // Writing to a string does not fail.
        let _ = writeln!(out, "\n{module}{}", item.rsplit('/').next().unwrap_or(item).trim_end_matches(".html"));
        for line in declaration(&page).lines() {
            let _ = writeln!(out, "    {line}");
        }
        for method in methods(&page) {
            let _ = writeln!(out, "    {}", method.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    Ok(out)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}\n", path.display()))
}

fn declaration(page: &str) -> String {
    let rest = page.split_once("<pre class=\"rust item-decl\"><code>").map_or("", |(_, rest)| rest);
    text(rest.split_once("</code></pre>").map_or("", |(declaration, _)| declaration))
}

/// The methods of its own, without those of traits.
fn methods(page: &str) -> Vec<String> {
    let own = page.split_once("id=\"implementations\"").map_or("", |(_, rest)| rest);
    let own = own.split_once("id=\"trait-implementations\"").map_or(own, |(own, _)| own);
    let headers = own.split("<h4 class=\"code-header\">").skip(1);
    headers.filter_map(|rest| rest.split_once("</h4>")).map(|(header, _)| text(header)).collect()
}

/// What is left of a page without its tags.
fn text(page: &str) -> String {
    let mut out = String::new();
    for part in page.split('<') {
        out.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .iter()
        .fold(out, |out, (from, to)| out.replace(from, to))
}
