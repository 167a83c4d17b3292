//! The macro as its users meet it: from packages outside this workspace.
//!
//! Each package is written into a temporary directory, has a workspace of its own, and is built
//! and run with cargo, offline, with the versions of this workspace's `Cargo.lock`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Derives with `thrifty-pool`, which re-exports trait and macro, as its only dependency.
const POOL_USER: Package = Package {
    name: "pool-user",
    dependencies: r#"thrifty-pool = { path = "@pool" }"#,
    file: "src/main.rs",
    source: include_str!("outside/pool_user.rs"),
};

/// Knows that crate under another name, and through a re-export of its own.
const RENAMING_USER: Package = Package {
    name: "renaming-user",
    dependencies: r#"recycler = { package = "thrifty-pool", path = "@pool" }"#,
    file: "src/main.rs",
    source: include_str!("outside/renaming_user.rs"),
};

/// Depends on `thrifty-traits` and on `thrifty-pool`: the two macros in one program.
const BOTH_USER: Package = Package {
    name: "both-user",
    dependencies: r#"
thrifty-pool = { path = "@pool" }
thrifty-traits = { path = "@traits", features = ["derive"] }"#,
    file: "src/main.rs",
    source: include_str!("outside/both_user.rs"),
};

/// Has a panic handler of its own, which clashes with `std`'s if `std` is linked.
const BARE_USER: Package = Package {
    name: "bare-user",
    dependencies: r#"
thrifty-traits = { path = "@traits", default-features = false, features = ["derive"] }

[lib]
crate-type = ["staticlib"]

[profile.dev]
panic = "abort""#,
    file: "src/lib.rs",
    source: include_str!("outside/bare_user.rs"),
};

/// The same with `alloc` and an allocator of its own.
const BARE_ALLOC_USER: Package = Package {
    name: "bare-alloc-user",
    dependencies: r#"
thrifty-traits = { path = "@traits", default-features = false, features = ["alloc", "derive"] }

[lib]
crate-type = ["staticlib"]

[profile.dev]
panic = "abort""#,
    file: "src/lib.rs",
    source: include_str!("outside/bare_alloc_user.rs"),
};

#[test]
fn a_user_of_the_pool_needs_no_other_crate() {
    let output = Sandbox::new("pool_user", &[POOL_USER]).cargo("run", "pool-user");
    assert_eq!(
        output,
        "struct: empty, 200, kept; capacity kept\nenum: idle, 3\n"
    );
}

#[test]
fn a_renamed_dependency_is_given_by_path() {
    let output = Sandbox::new("renaming_user", &[RENAMING_USER]).cargo("run", "renaming-user");
    assert_eq!(output, "renamed: 0\nre-exported: 0\n");
}

#[test]
fn both_macros_implement_one_trait() {
    let output = Sandbox::new("both_user", &[BOTH_USER]).cargo("run", "both-user");
    assert_eq!(output, "0 0\n");
}

#[test]
fn derived_code_links_without_std() {
    Sandbox::new("bare_user", &[BARE_USER]).cargo("build", "bare-user");
    Sandbox::new("bare_alloc_user", &[BARE_ALLOC_USER]).cargo("build", "bare-alloc-user");
}

struct Package {
    name: &'static str,
    /// The lines after `[dependencies]`; `@traits` stands for the path of `crates/traits`, and
    /// `@pool` for that of `crates/pool`.
    dependencies: &'static str,
    file: &'static str,
    source: &'static str,
}

/// A directory with packages, outside of any workspace. All sandboxes share one target
/// directory, so that `syn` is compiled once.
struct Sandbox(PathBuf);

impl Sandbox {
    fn new(name: &str, packages: &[Package]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("outside")
            .join(name);
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("crates/derive");
        let lock = crates.parent().expect("the workspace").join("Cargo.lock");
        for package in packages {
            let directory = root.join(package.name);
            fs::create_dir_all(directory.join("src")).expect("the directory can be made");
            let path = |name| crates.join(name).display().to_string().replace('\\', "/");
            let manifest = format!(
                "[package]\nname = \"{}\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}\n",
                package.name,
                package
                    .dependencies
                    .replace("@traits", &path("traits"))
                    .replace("@pool", &path("pool")),
            );
            fs::write(directory.join("Cargo.toml"), manifest).expect("the manifest is written");
            fs::write(directory.join(package.file), package.source).expect("the source is written");
            // Cargo drops the entries that this package does not need and keeps the versions of
            // the others, so it has nothing to look up.
            fs::copy(&lock, directory.join("Cargo.lock")).expect("the lock file is copied");
        }
        Self(root)
    }

    /// Runs cargo on a package and returns what it printed.
    fn cargo(&self, command: &str, package: &str) -> String {
        let output = Command::new(env!("CARGO"))
            .args([command, "--quiet", "--offline"])
            .current_dir(self.0.join(package))
            .env("CARGO_TARGET_DIR", self.0.with_file_name("target"))
            .env("RUSTFLAGS", "-Dwarnings")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .expect("cargo runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "cargo {command} of {package} failed:\n{errors}"
        );
        String::from_utf8(output.stdout).expect("the output is text")
    }
}
