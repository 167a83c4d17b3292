//! What cargo says of this workspace: its packages, their targets, features and dependencies.

use std::{
    env,
    path::{Path, PathBuf},
};

use serde_json::Value;
use xshell::{Shell, cmd};

use crate::{failure::Failure, job::Job};

/// The benchmarks with the rivals that are Rust. Those in C and C++ take long to build and need
/// compilers that a check of this workspace does without; `cargo xtask bench` builds them.
pub(crate) const BENCHES: &[&str] = &["-p", "thrifty-benches", "--features", "rivals"];

/// Every other package, with all features.
pub(crate) const EVERYTHING_ELSE: &[&str] = &[
    "--workspace",
    "--exclude",
    "thrifty-benches",
    "--all-features",
];

/// A shell that stands in the workspace's root, and the facts that commands ask for.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Stands in the root.
    pub(crate) sh: Shell,
    /// Where the root's `Cargo.toml` is.
    pub(crate) root: PathBuf,
    /// Where cargo builds to.
    pub(crate) target: PathBuf,
    /// The members, by name.
    pub(crate) packages: Vec<Package>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As `rust-version` says, or empty.
    pub(crate) msrv: String,
    /// Where its `Cargo.toml` is.
    pub(crate) dir: PathBuf,
    pub(crate) features: Vec<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) published: bool,
}

/// A library, binary, test or benchmark of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// `lib`, `proc-macro`, `bin`, `test`, `bench`, `example`, `custom-build`.
    pub(crate) kind: String,
}

/// A dependency as the manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only for tests, examples and benchmarks.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self, Failure> {
        let sh = Shell::new()?;
        let root = root();
        sh.change_dir(&root);
        let text = Job::new(cmd!(sh, "cargo metadata --no-deps --format-version 1")).text()?;
        let json: Value = serde_json::from_str(&text)
            .map_err(|error| Failure::failed(format!("cargo metadata printed no JSON: {error}")))?;
        Ok(Self {
            sh,
            root,
            target: PathBuf::from(string(&json["target_directory"])),
            packages: packages(&json),
        })
    }

    /// The crates that users depend on: the published ones under `crates/`.
    pub(crate) fn products(&self) -> impl Iterator<Item = &Package> {
        let crates = self.root.join("crates");
        self.packages
            .iter()
            .filter(move |package| package.published && package.dir.starts_with(&crates))
    }

    /// The member called `name`, with or without the `thrifty-` in front.
    pub(crate) fn package(&self, name: &str) -> Result<&Package, Failure> {
        self.packages
            .iter()
            .find(|package| package.name == name || package.short() == name)
            .ok_or_else(|| {
                let names: Vec<_> = self.packages.iter().map(|p| p.name.as_str()).collect();
                Failure::usage(format!(
                    "no package called '{name}'; there are {}",
                    names.join(", ")
                ))
            })
    }

    /// Whether `package` can run code of `other`: through any chain of dependencies, those of its
    /// tests among them. Both are names without `thrifty-`.
    pub(crate) fn leans_on(&self, package: &str, other: &str) -> bool {
        let mut reached = vec![package];
        let mut at = 0;
        while let Some(name) = reached.get(at).copied() {
            at += 1;
            let found = self.packages.iter().find(|package| package.short() == name);
            for dependency in found.iter().flat_map(|package| &package.dependencies) {
                let member = self.packages.iter().find(|p| p.name == dependency.name);
                // Only a package's own tests reach its dev-dependencies.
                if let Some(member) = member.filter(|_| !dependency.dev || at == 1)
                    && !reached.contains(&member.short())
                {
                    reached.push(member.short());
                }
            }
        }
        reached.contains(&other)
    }

    /// A path as a person in the root would write it.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

impl Package {
    /// The name without `thrifty-`.
    pub(crate) fn short(&self) -> &str {
        self.name.strip_prefix("thrifty-").unwrap_or(&self.name)
    }

    /// Whether the manifest declares `feature`.
    pub(crate) fn has_feature(&self, feature: &str) -> bool {
        self.features.iter().any(|name| name == feature)
    }
}

/// Cargo tells a program that it runs where the manifest is; a copied binary asks its own build.
fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), Path::to_path_buf)
}

fn packages(json: &Value) -> Vec<Package> {
    let mut packages: Vec<_> = list(&json["packages"]).iter().map(package).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages
}

fn package(json: &Value) -> Package {
    let manifest = PathBuf::from(string(&json["manifest_path"]));
    let mut features: Vec<String> = json["features"]
        .as_object()
        .map(|features| features.keys().cloned().collect())
        .unwrap_or_default();
    features.sort();
    Package {
        name: string(&json["name"]),
        version: string(&json["version"]),
        msrv: string(&json["rust_version"]),
        dir: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
        features,
        targets: list(&json["targets"]).iter().map(target).collect(),
        dependencies: list(&json["dependencies"]).iter().map(dependency).collect(),
        // `publish = false` is an empty list of registries; no word on it is null.
        published: json["publish"].as_array().is_none_or(|to| !to.is_empty()),
    }
}

fn target(json: &Value) -> Target {
    Target {
        name: string(&json["name"]),
        kind: string(&json["kind"][0]),
    }
}

fn dependency(json: &Value) -> Dependency {
    Dependency {
        name: string(&json["name"]),
        dev: json["kind"] == "dev",
    }
}

fn list(json: &Value) -> &[Value] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn string(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_of_dependencies_are_followed() {
        let member = |name: &str, on: &[(&str, Option<&str>)]| {
            let on: Vec<_> = on
                .iter()
                .map(|(name, kind)| serde_json::json!({ "name": name, "kind": kind }))
                .collect();
            serde_json::json!({ "name": name, "dependencies": on, "publish": null })
        };
        let workspace = Workspace {
            sh: Shell::new().unwrap(),
            root: PathBuf::new(),
            target: PathBuf::new(),
            packages: packages(&serde_json::json!({ "packages": [
                member("thrifty-sync", &[]),
                member("thrifty-kit", &[("thrifty-sync", None)]),
                member("thrifty-pool", &[("libc", None), ("thrifty-kit", Some("dev"))]),
                member("thrifty-top", &[("thrifty-pool", None)]),
            ]})),
        };
        assert!(workspace.leans_on("pool", "pool") && workspace.leans_on("pool", "sync"));
        assert!(!workspace.leans_on("sync", "pool"));
        assert!(
            !workspace.leans_on("top", "sync"),
            "a dependency's tests are not ours"
        );
    }

    #[test]
    fn metadata_is_understood() {
        let json = serde_json::json!({ "packages": [
            {
                "name": "thrifty-b", "version": "0.1.0", "rust_version": "1.85",
                "manifest_path": "/w/crates/b/Cargo.toml", "publish": null,
                "features": { "std": [], "default": ["std"] },
                "targets": [{ "name": "models", "kind": ["test"] }],
                "dependencies": [
                    { "name": "thrifty-a", "kind": null }, { "name": "proptest", "kind": "dev" },
                ],
            },
            {
                "name": "a", "version": "0.1.0", "rust_version": null, "features": {},
                "manifest_path": "/w/a/Cargo.toml", "publish": [], "targets": [],
                "dependencies": [],
            },
        ]});
        let packages = packages(&json);
        let [a, b] = packages.as_slice() else {
            panic!("two packages, sorted: {packages:?}");
        };
        assert!(!a.published && b.published);
        assert_eq!(b.short(), "b");
        assert!(b.has_feature("std") && !b.has_feature("loom"));
        assert_eq!(b.targets[0].kind, "test");
        assert!(!b.dependencies[0].dev && b.dependencies[1].dev);
    }
}
