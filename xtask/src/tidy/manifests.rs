//! Packages: the files each carries, what its manifest inherits, and whom it may depend on.

use super::Finding;
use crate::workspace::Package;

/// Who may depend on whom, for users (`uses`) and for tests on top of that (`tests`).
struct Arrows {
    from: &'static str,
    uses: &'static [&'static str],
    tests: &'static [&'static str],
}

/// The arrows of the workspace, one way only. `docs/ARCHITECTURE.md` says why; a package that is
/// not in this table has no place in the workspace yet. `*` is for programs that meet everything.
const ARROWS: &[Arrows] = &[
    arrows("sync", &[], &["sync", "testkit"]),
    arrows("derive", &[], &["traits", "testkit"]),
    arrows("traits", &["derive"], &["traits", "testkit"]),
    arrows("magazine", &["sync", "traits"], HELP),
    arrows("pool", &["magazine", "sync", "traits"], HELP),
    arrows("fixed-alloc", &["magazine", "sync", "traits"], HELP),
    arrows("arena", &["sync", "traits"], HELP),
    arrows("interner", &["sync", "traits"], HELP),
    arrows("memstats", &["sync", "traits"], HELP),
    arrows("advisor", &["memstats"], HELP),
    arrows("memserve", &["memstats", "advisor"], HELP),
    arrows("cli", &["advisor"], HELP),
    // Nothing of ours, so that every crate can test with it.
    arrows("testkit", &[], &[]),
    arrows("workloads", &[], &[]),
    arrows("benches", &["*"], &["*"]),
    arrows("benches-cdylib", &["pool"], &[]),
    arrows("xtask", &[], &[]),
];

/// What any product crate's tests may lean on.
const HELP: &[&str] = &["sync", "traits", "testkit", "workloads"];

const fn arrows(
    from: &'static str,
    uses: &'static [&'static str],
    tests: &'static [&'static str],
) -> Arrows {
    Arrows { from, uses, tests }
}

/// Keys that the workspace states once for every package.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "authors"];

/// Files that every published crate carries.
const CARRIED: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Keys that a manifest must inherit, and the lints.
pub(crate) fn inheritance(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let package = section(text, "[package]");
    for key in INHERITED {
        let inherited = format!("{key}.workspace = true");
        if !package.iter().any(|line| *line == inherited) {
            findings.push(Finding::new(
                path,
                1,
                format!("[package] does not say `{inherited}`; say a fact once"),
            ));
        }
    }
    if !section(text, "[lints]").contains(&"workspace = true") {
        findings.push(Finding::new(
            path,
            1,
            "no `[lints] workspace = true`: the house lints do not reach this package",
        ));
    }
    findings
}

/// The lines of a section, comments and blanks left out.
fn section<'a>(text: &'a str, header: &str) -> Vec<&'a str> {
    text.lines()
        .map(str::trim)
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// Files that a published crate lacks.
pub(crate) fn carried(dir: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    CARRIED
        .iter()
        .filter(|file| !exists(file))
        .map(|file| Finding::new(dir, 0, format!("the crate carries no {file}")))
        .collect()
}

/// Dependencies among members that the table does not allow.
pub(crate) fn arrows_of(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let path = format!("package {}", package.name);
        let Some(allowed) = ARROWS.iter().find(|arrows| arrows.from == package.short()) else {
            findings.push(Finding::new(
                &path,
                0,
                "not in the table of arrows (xtask/src/tidy/manifests.rs); give it a place",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(to) = packages
                .iter()
                .find(|member| member.name == dependency.name)
            else {
                continue;
            };
            let may = |list: &[&str]| list.contains(&"*") || list.contains(&to.short());
            let fine = may(allowed.uses) || (dependency.dev && may(allowed.tests));
            if !fine {
                findings.push(Finding::new(
                    &path,
                    0,
                    format!("must not depend on {}; see docs/ARCHITECTURE.md", to.name),
                ));
            }
            // A crate that users get must not lean on one that they cannot get.
            if package.published && !to.published && !dependency.dev {
                findings.push(Finding::new(
                    &path,
                    0,
                    format!("is published and depends on {}, which is not", to.name),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        authors.workspace = true\n\n[lints]\nworkspace = true\n";

    #[test]
    fn a_manifest_inherits() {
        assert_eq!(inheritance("Cargo.toml", GOOD), []);
        for (from, to) in [
            (
                "version.workspace = true\nedition",
                "version = \"0.1.0\"\nedition",
            ),
            ("rust-version.workspace = true\n", ""),
            ("[lints]\nworkspace = true\n", ""),
            (
                "[lints]\nworkspace = true\n",
                "[lints]\nworkspace = false\n",
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(
                inheritance("Cargo.toml", &GOOD.replace(from, to)).len(),
                1,
                "{from}"
            );
        }
    }

    #[test]
    fn a_crate_carries_its_files() {
        assert_eq!(carried("crates/a", &|_| true), []);
        assert_eq!(carried("crates/a", &|file| file != "CHANGELOG.md").len(), 1);
    }

    fn package(name: &str, published: bool, dependencies: &[(&str, bool)]) -> Package {
        Package {
            name: name.into(),
            version: "0.1.0".into(),
            msrv: "1.85".into(),
            dir: "/w".into(),
            features: Vec::new(),
            targets: Vec::new(),
            dependencies: dependencies
                .iter()
                .map(|(name, dev)| Dependency {
                    name: (*name).into(),
                    dev: *dev,
                })
                .collect(),
            published,
        }
    }

    fn found(name: &str, dependencies: &[(&str, bool)]) -> usize {
        let others = ["thrifty-sync", "thrifty-memstats", "thrifty-pool"]
            .into_iter()
            .filter(|other| *other != name)
            .map(|other| package(other, true, &[]));
        let mut packages: Vec<_> = others.collect();
        packages.push(package("thrifty-workloads", false, &[]));
        packages.push(package(name, true, dependencies));
        arrows_of(&packages).len()
    }

    #[test]
    fn arrows_point_one_way() {
        assert_eq!(
            found("thrifty-pool", &[("thrifty-sync", false), ("serde", false)]),
            0
        );
        assert_eq!(found("thrifty-pool", &[("thrifty-workloads", true)]), 0);
        assert_eq!(found("thrifty-pool", &[("thrifty-memstats", false)]), 1);
        assert_eq!(found("thrifty-sync", &[("thrifty-pool", false)]), 1);
        assert_eq!(found("thrifty-sync", &[("thrifty-pool", true)]), 1);
        assert_eq!(found("thrifty-stranger", &[]), 1);
        assert_eq!(found("thrifty-benches", &[("thrifty-pool", false)]), 0);
        assert_eq!(
            found("thrifty-pool", &[("thrifty-workloads", false)]),
            2,
            "wrong by the table, and not to be had by users"
        );
    }
}
