//! `cargo xtask tidy`: what compilers and clippy don't check.
//!
//! Each rule is a function from text to findings, with a good and a bad example in its tests. This
//! file gathers the text.

mod comments;
mod door;
mod files;
mod manifests;
mod markdown;
mod orderings;
mod source;
pub(crate) mod tags;
mod workflow;

use core::fmt;
use std::{fs, path::Path};

use crate::{
    ci,
    failure::Failure,
    tidy::{
        markdown::Stated,
        source::{Line, Token},
    },
    workspace::{Package, Workspace},
};

/// Only the loom door names atomics, threads and locks; every ordering has a tag, a reason and a
/// partner; SAFETY comments argue; READMEs state the manifest's versions and link to files that
/// exist; packages inherit, carry their files and depend one way; the workflow only picks lanes.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct TidyArgs {
    /// Mend what can be mended mechanically: white space at line ends, the last newline
    #[arg(long)]
    bless: bool,
}

/// One thing to mend.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1; 0 for the file as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.message),
            line => write!(out, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// A Rust file, taken apart once for all rules.
#[derive(Debug)]
pub(crate) struct RustFile {
    /// From the root, with `/`.
    path: String,
    lines: Vec<Line>,
    tokens: Vec<Token>,
}

impl RustFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let lines = source::lines(text);
        let tokens = source::tokens(&lines);
        Self {
            path: path.to_owned(),
            lines,
            tokens,
        }
    }

    /// From the root, with `/`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What stands behind `///` and `//!`, line by line.
    pub(crate) fn docs(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.doc.as_str())
    }

    fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding::new(&self.path, line, message)
    }
}

/// A text file of the workspace.
struct TextFile {
    path: String,
    text: String,
}

/// Runs the rules, after mending if so asked, and closes with one line.
pub(crate) fn run(args: &TidyArgs) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    if args.bless {
        bless(&workspace)?;
    }
    println!("tidy: {}", rules(&workspace)?);
    Ok(())
}

/// Runs the rules; says how much they looked at.
pub(crate) fn rules(workspace: &Workspace) -> Result<String, Failure> {
    let files = texts(&workspace.root)?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(files::check(&file.path, &file.text));
    }
    let rust = rust(&files);
    findings.extend(rust.iter().flat_map(comments::check));
    findings.extend(door::check(&rust));
    findings.extend(orderings::check(&rust));
    markdown_files(workspace, &files, &mut findings);
    packages(workspace, &files, &mut findings);
    let workflow = ".github/workflows/ci.yml";
    match files.iter().find(|file| file.path == workflow) {
        Some(file) => findings.extend(workflow::check(workflow, &file.text, &ci::names())),
        None => findings.push(Finding::new(workflow, 0, "there is no such file")),
    }
    if rust.is_empty() {
        return Err(Failure::failed("tidy found no Rust file to look at"));
    }
    if findings.is_empty() {
        return Ok(format!("{} files, nothing to mend", files.len()));
    }
    for finding in &findings {
        println!("{finding}");
    }
    Err(Failure::failed(format!(
        "tidy: {} things to mend; run it alone: cargo xtask tidy",
        findings.len()
    )))
}

/// The Rust files of the workspace, taken apart.
pub(crate) fn rust_files(workspace: &Workspace) -> Result<Vec<RustFile>, Failure> {
    Ok(rust(&texts(&workspace.root)?))
}

fn rust(files: &[TextFile]) -> Vec<RustFile> {
    files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| RustFile::new(&file.path, &file.text))
        .collect()
}

fn markdown_files(workspace: &Workspace, files: &[TextFile], findings: &mut Vec<Finding>) {
    let stated = workspace
        .products()
        .next()
        .map_or(("", ""), |package| (&package.msrv, &package.version));
    let stated = Stated {
        msrv: stated.0,
        version: stated.1,
    };
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        // A changelog tells what was once true.
        if !file.path.ends_with("CHANGELOG.md") {
            findings.extend(markdown::versions(&file.path, &file.text, stated));
        }
        let path = workspace.root.join(&file.path);
        let dir = path.parent().unwrap_or(&workspace.root);
        let exists = |target: &str| match target.strip_prefix('/') {
            Some(from_root) => workspace.root.join(from_root).exists(),
            None => dir.join(target).exists(),
        };
        findings.extend(markdown::links(&file.path, &file.text, &exists));
    }
}

fn packages(workspace: &Workspace, files: &[TextFile], findings: &mut Vec<Finding>) {
    for package in &workspace.packages {
        let dir = slashed(workspace.relative(&package.dir));
        let manifest = format!("{dir}/Cargo.toml");
        if let Some(file) = files.iter().find(|file| file.path == manifest) {
            findings.extend(manifests::inheritance(&manifest, &file.text));
        }
    }
    for Package { dir, .. } in workspace.products() {
        let shown = slashed(workspace.relative(dir));
        findings.extend(manifests::carried(&shown, &|file| dir.join(file).is_file()));
    }
    findings.extend(manifests::arrows_of(&workspace.packages));
}

/// Mends white space in every file.
fn bless(workspace: &Workspace) -> Result<(), Failure> {
    for file in texts(&workspace.root)? {
        let blessed = files::blessed(&file.text);
        if blessed != file.text {
            println!("mended {}", file.path);
            workspace.sh.write_file(&file.path, blessed)?;
        }
    }
    Ok(())
}

/// The text files under the root.
fn texts(root: &Path) -> Result<Vec<TextFile>, Failure> {
    let mut files = Vec::new();
    walk(root, root, &mut files)
        .map_err(|error| Failure::failed(format!("could not read {}: {error}", root.display())))?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, dir: &Path, files: &mut Vec<TextFile>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if path.is_dir() {
            // Cargo marks a target directory with a tag, whatever it is called.
            let built = name == "target" || path.join("CACHEDIR.TAG").exists();
            if name != ".git" && !built {
                walk(root, &path, files)?;
            }
        } else if is_text(&name) {
            let shown = slashed(path.strip_prefix(root).unwrap_or(&path));
            // Expected compiler output holds whatever the compiler prints.
            let text = fs::read(&path)?;
            if let Ok(text) = String::from_utf8(text) {
                files.push(TextFile { path: shown, text });
            }
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    [".rs", ".toml", ".md", ".yml", ".yaml", ".sh"]
        .iter()
        .any(|end| name.ends_with(end))
        || name == "run"
}

/// Whether a file is source of a crate whose protocols loom has to see. `testkit` is none: it
/// checks the crates from outside, as their tests do, from statics that loom's types cannot make.
fn is_product(path: &str) -> bool {
    path.starts_with("crates/") && path.contains("/src/") && !path.starts_with("crates/testkit/")
}

/// A path as it is written everywhere: with `/`.
fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn testkit_and_tests_are_no_product() {
        assert!(is_product("crates/a/src/b/c.rs"));
        for path in [
            "crates/a/tests/b.rs",
            "crates/testkit/src/a.rs",
            "xtask/src/a.rs",
        ] {
            assert!(!is_product(path), "{path}");
        }
    }

    #[test]
    fn a_finding_reads_like_a_compilers() {
        assert_eq!(
            Finding::new("a.rs", 3, "wrong").to_string(),
            "a.rs:3: wrong"
        );
        assert_eq!(Finding::new("a", 0, "wrong").to_string(), "a: wrong");
    }
}
