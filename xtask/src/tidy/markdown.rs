//! Markdown: the versions that it states, and the files that it links to.

use super::Finding;

/// What a README may say of versions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stated<'a> {
    /// `rust-version` of the workspace, `1.85`.
    pub(crate) msrv: &'a str,
    /// The version that the crates share, `0.1.0`.
    pub(crate) version: &'a str,
}

/// Versions of Rust and of our crates, wherever a document states them.
pub(crate) fn versions(path: &str, text: &str, stated: Stated<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for named in ["MSRV", "Rust", "rust-version"] {
            for rust in versions_after(line, named) {
                if rust != stated.msrv && rust.strip_suffix(".0") != Some(stated.msrv) {
                    findings.push(Finding::new(
                        path,
                        at + 1,
                        format!("Rust {rust} stated; Cargo.toml says {}", stated.msrv),
                    ));
                }
            }
        }
        if let Some(version) = required(line)
            && !is_prefix(version, stated.version)
        {
            findings.push(Finding::new(
                path,
                at + 1,
                format!(
                    "version {version} asked for; Cargo.toml says {}",
                    stated.version
                ),
            ));
        }
    }
    findings
}

/// The versions `1.x` that follow `named` as the next word and are promised: "MSRV 1.85",
/// "MSRV: `1.85`", "Rust 1.85 or newer", "needs Rust 1.85". What was true of one version ("the
/// table of Rust 1.95", "rustc 1.95.0") is no promise.
fn versions_after<'a>(line: &'a str, named: &str) -> Vec<&'a str> {
    line.match_indices(named)
        .filter(|(at, _)| !line[..*at].ends_with(char::is_alphanumeric))
        .filter_map(|(at, _)| {
            let rest = line[at + named.len()..]
                .trim_start_matches([' ', ':', '`', '=', '"', '*', '(', '-', '+'])
                .trim_start_matches("is ");
            let end = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len());
            let version = rest[..end].trim_end_matches('.');
            let after = rest[end..].trim_start_matches(['`', ' ']);
            let before = line[..at].trim_end_matches(['`', ' ']).to_lowercase();
            let promised = named != "Rust"
                || ["or ", "and ", "+"]
                    .iter()
                    .any(|more| after.starts_with(more))
                || ["needs", "requires", "since"]
                    .iter()
                    .any(|word| before.ends_with(word));
            (promised && version.starts_with("1.")).then_some(version)
        })
        .collect()
}

/// The version in `thrifty-x = "0.1"` or `thrifty-x = { version = "0.1", … }`.
fn required(line: &str) -> Option<&str> {
    let (name, value) = line.trim().split_once('=')?;
    if !name.trim().starts_with("thrifty-") {
        return None;
    }
    let value = match value.split_once("version") {
        Some((_, version)) => version,
        None => value.trim().strip_prefix('"').map(|_| value)?,
    };
    value.split('"').nth(1)
}

fn is_prefix(asked: &str, version: &str) -> bool {
    version
        .strip_prefix(asked)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Links to files that do not exist. `exists` is asked for a path relative to the document.
pub(crate) fn links(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        for target in targets(&without_code(line)) {
            let file = target.split(['#', '?']).next().unwrap_or_default();
            if is_local(file) && !exists(file) {
                findings.push(Finding::new(
                    path,
                    at + 1,
                    format!("links to {file}, which does not exist"),
                ));
            }
        }
    }
    findings
}

/// Blanks what stands between back-ticks.
fn without_code(line: &str) -> String {
    line.split('`')
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 { part } else { "" })
        .collect()
}

/// The targets of `[text](target)` and of `[name]: target`.
fn targets(line: &str) -> Vec<String> {
    let mut targets: Vec<String> = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(str::to_owned)
        .collect();
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        targets.extend(target.split_whitespace().next().map(str::to_owned));
    }
    targets
}

/// Whether a target names a file of ours rather than a place on the web or a Rust item.
fn is_local(target: &str) -> bool {
    !target.is_empty() && !target.contains("://") && !target.contains("::") && {
        !target.starts_with("mailto:")
            // rustdoc resolves a bare name of an item; a file has a dot or a slash in its name.
            && (target.contains('.') || target.contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATED: Stated<'_> = Stated {
        msrv: "1.85",
        version: "0.1.0",
    };

    fn wrong_versions(text: &str) -> usize {
        versions("README.md", text, STATED).len()
    }

    fn broken(text: &str) -> usize {
        links("README.md", text, &|file| file == "docs/A.md").len()
    }

    #[test]
    fn versions_must_be_those_of_the_manifest() {
        for right in [
            "MSRV 1.85.",
            "MSRV: `1.85`",
            "Needs Rust 1.85 or newer, edition 2024",
            "rustc 1.95.0 was measured",
            "exact for the table of Rust 1.95.",
            "a table of Rust 1.95, which",
            "thrifty-pool = \"0.1\"",
            "thrifty-pool = { version = \"0.1.0\", features = [\"x\"] }",
            "thrifty-pool = { path = \"../pool\" }",
            "bytes = \"1.6\"",
        ] {
            assert_eq!(wrong_versions(right), 0, "{right}");
        }
        for wrong in [
            "MSRV 1.80.",
            "MSRV is 1.86",
            "Rust 1.95 or newer",
            "Requires Rust 1.95.",
            "`Rust 1.80+`",
            "rust-version = \"1.84\"",
            "thrifty-pool = \"0.2\"",
            "thrifty-pool = { version = \"1\" }",
        ] {
            assert_eq!(wrong_versions(wrong), 1, "{wrong}");
        }
    }

    #[test]
    fn a_link_must_lead_to_a_file() {
        for right in [
            "[a](docs/A.md)",
            "[a](docs/A.md#part)",
            "[a](https://example.org/x.md)",
            "[a](crate::Pool)",
            "[a](Pool)",
            "[a](#part)",
            "`[a](docs/B.md)`",
            "```\n[a](docs/B.md)\n```",
            "[a]: docs/A.md",
        ] {
            assert_eq!(broken(right), 0, "{right}");
        }
        for wrong in ["[a](docs/B.md)", "x [a](B.md#x) y", "[a]: docs/B.md"] {
            assert_eq!(broken(wrong), 1, "{wrong}");
        }
    }
}
