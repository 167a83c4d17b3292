//! The lane that reads the dependencies: their licences, and what users would build twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use xshell::cmd;

use crate::{failure::Failure, job::Job, lanes::Report, workspace::Workspace};

/// Licences under which everything here may be used, tools and tests included. Each permits what
/// `MIT OR Apache-2.0` permits, if its text goes along.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that users may build in two versions, and why. An entry that nothing needs is refused.
const TWICE: &[(&str, &str)] = &[
    (
        "bitflags",
        "of nix 0.26, which pprof 0.15 takes; memstats has it behind its feature cpu only",
    ),
    (
        "syn",
        "prost-derive 0.14 takes 2, serde_derive 1.0.229 takes 3; memstats has them behind pprof and serde-1",
    ),
    (
        "windows-sys",
        "of tempfile, which pprof 0.15 takes and which is never built for Windows, as cpu is for Unix only",
    ),
];

/// Crates that no user builds although a product crate names them, and why.
const NOT_BUILT: &[(&str, &str)] = &[
    (
        "loom",
        "stands under cfg(thrifty_loom), which cargo xtask loom sets alone; the lane outside checks it",
    ),
    (
        "zerocopy-derive",
        "zerocopy names it under cfg(any()), which never holds, to keep their versions together",
    ),
];

/// Judges what cargo resolved for all features.
pub(crate) fn lane(workspace: &Workspace) -> Result<Report, Failure> {
    let sh = &workspace.sh;
    let text = Job::new(cmd!(sh, "cargo metadata --format-version 1 --all-features")).text()?;
    let graph: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::failed(format!("cargo metadata printed no JSON: {error}")))?;
    let products: Vec<_> = workspace.products().map(|p| p.name.as_str()).collect();
    let mut faults = unlicensed(&graph);
    let built = built(&graph, &products);
    faults.extend(twice(&built, TWICE));
    if products.is_empty() || built.len() < products.len() {
        faults.push("cargo metadata names none of the product crates: the lane is wrong".into());
    }
    if !faults.is_empty() {
        return Err(Failure::failed(faults.join("\n")));
    }
    let packages = graph["packages"].as_array().map_or(0, Vec::len);
    Ok(Report::checked(format!(
        "{packages} packages; {} that users may build, none of them twice",
        built.len()
    )))
}

/// Packages whose licence is not allowed, or not stated.
fn unlicensed(graph: &Value) -> Vec<String> {
    let packages = graph["packages"].as_array().into_iter().flatten();
    packages
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or_default();
            let name = format!("{} {}", package["name"], package["version"]).replace('"', "");
            match allowed(licence) {
                Some(true) => None,
                Some(false) => Some(format!("{name} is under {licence}, which is not allowed")),
                None => Some(format!(
                    "{name} states no licence that can be read: '{licence}'"
                )),
            }
        })
        .collect()
}

/// Whether an SPDX expression can be fulfilled; `None` if it cannot be read. Old manifests write
/// `/` for `OR`.
fn allowed(expression: &str) -> Option<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let verdict = any_of(&mut rest)?;
    rest.is_empty().then_some(verdict)
}

/// `A OR B`; binds weaker than `AND`.
fn any_of(rest: &mut &[&str]) -> Option<bool> {
    let mut verdict = all_of(rest)?;
    while let ["OR", tail @ ..] = *rest {
        *rest = tail;
        verdict |= all_of(rest)?;
    }
    Some(verdict)
}

fn all_of(rest: &mut &[&str]) -> Option<bool> {
    let mut verdict = one(rest)?;
    while let ["AND", tail @ ..] = *rest {
        *rest = tail;
        verdict &= one(rest)?;
    }
    Some(verdict)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    match *first {
        "(" => {
            let verdict = any_of(rest)?;
            *rest = rest.strip_prefix(&[")"])?;
            Some(verdict)
        }
        ")" | "OR" | "AND" | "WITH" => None,
        licence => {
            // An exception permits more than the licence alone.
            if let ["WITH", _, tail @ ..] = *rest {
                *rest = tail;
            }
            Some(ALLOWED.contains(&licence))
        }
    }
}

/// The versions of each crate that a user of the product crates may build, by name.
fn built(graph: &Value, products: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        let items = list.as_array().into_iter().flatten();
        items
            .filter_map(|item| Some((item["id"].as_str()?.to_owned(), item.clone())))
            .collect()
    };
    let packages = by_id(&graph["packages"]);
    let nodes = by_id(&graph["resolve"]["nodes"]);
    let is_product = |package: &Value| products.iter().any(|name| package["name"] == *name);
    let mut open: Vec<&str> = packages
        .iter()
        .filter(|(_, package)| is_product(package))
        .map(|(id, _)| id.as_str())
        .collect();
    let mut seen: BTreeSet<&str> = open.iter().copied().collect();
    let mut built: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    while let Some(id) = open.pop() {
        let package = &packages[id];
        let name = package["name"].as_str().unwrap_or_default();
        if NOT_BUILT.iter().any(|(not_built, _)| *not_built == name) {
            continue;
        }
        let version = package["version"].as_str().unwrap_or_default();
        let versions = built.entry(name.to_owned()).or_default();
        versions.insert(version.to_owned());
        let Some(node) = nodes.get(id) else {
            continue;
        };
        for dependency in node["deps"].as_array().into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            let only_tests =
                kinds.is_some_and(|kinds| kinds.iter().all(|kind| kind["kind"] == "dev"));
            let known = dependency["pkg"]
                .as_str()
                .and_then(|id| packages.get_key_value(id));
            if let Some((id, _)) = known.filter(|(id, _)| !only_tests && seen.insert(id)) {
                open.push(id);
            }
        }
    }
    built
}

/// What stands in several versions without a reason, and reasons that nothing needs.
fn twice(built: &BTreeMap<String, BTreeSet<String>>, reasons: &[(&str, &str)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, versions) in built.iter().filter(|(_, versions)| versions.len() > 1) {
        if !reasons.iter().any(|(known, _)| known == name) {
            let versions: Vec<_> = versions.iter().map(String::as_str).collect();
            faults.push(format!(
                "users would build {name} twice, as {}; cargo tree -i {name} shows for whom",
                versions.join(" and ")
            ));
        }
    }
    for (name, reason) in reasons {
        let needed = built.get(*name).is_some_and(|versions| versions.len() > 1);
        if !needed || reason.is_empty() {
            faults.push(format!(
                "the exemption of {name} in xtask/src/licences.rs is not needed or has no reason"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_weighed() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR LGPL-2.1-or-later",
            "GPL-3.0 OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "GPL-3.0 AND MIT OR ISC",
        ] {
            assert_eq!(allowed(good), Some(true), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "GPL-3.0 WITH Classpath-exception-2.0",
            "(MIT OR ISC) AND GPL-3.0",
            "MIT AND (GPL-3.0 OR LGPL-2.1)",
        ] {
            assert_eq!(allowed(bad), Some(false), "{bad}");
        }
        for odd in ["", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT ISC"] {
            assert_eq!(allowed(odd), None, "{odd}");
        }
    }

    fn graph() -> Value {
        let package = |name: &str, version: &str, licence: Option<&str>| {
            json!({ "id": format!("{name}@{version}"), "name": name, "version": version,
                "license": licence })
        };
        let to =
            |id: &str, kind: Option<&str>| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        json!({
            "packages": [
                package("thrifty-a", "0.1.0", Some("MIT")),
                package("libc", "0.1.0", Some("MIT")),
                package("libc", "0.2.0", Some("MIT")),
                package("loom", "0.7.0", None),
                package("proptest", "1.0.0", Some("GPL-3.0")),
            ],
            "resolve": { "nodes": [
                { "id": "thrifty-a@0.1.0", "deps": [
                    to("libc@0.1.0", None), to("loom@0.7.0", None),
                    to("proptest@1.0.0", Some("dev")),
                ]},
                { "id": "loom@0.7.0", "deps": [to("libc@0.2.0", None)] },
                { "id": "proptest@1.0.0", "deps": [to("libc@0.2.0", None)] },
            ]},
        })
    }

    #[test]
    fn each_bad_licence_is_named() {
        let found = unlicensed(&graph());
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("loom 0.7.0 states no licence"));
        assert!(found[1].starts_with("proptest 1.0.0 is under GPL-3.0"));
    }

    #[test]
    fn only_what_users_build_is_counted_twice() {
        let mut graph = graph();
        let once = built(&graph, &["thrifty-a"]);
        assert_eq!(once.len(), 2, "no loom and no proptest: {once:?}");
        assert_eq!(twice(&once, &[]), Vec::<String>::new());
        assert_eq!(twice(&once, &[("libc", "why")]).len(), 1, "not needed");
        graph["resolve"]["nodes"][0]["deps"][2]["dep_kinds"][0]["kind"] = json!("build");
        let both = built(&graph, &["thrifty-a"]);
        let found = twice(&both, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("libc twice, as 0.1.0 and 0.2.0"),
            "{found:?}"
        );
        assert_eq!(twice(&both, &[("libc", "why")]), Vec::<String>::new());
        assert_eq!(twice(&both, &[("libc", "")]).len(), 1, "no reason");
    }
}
