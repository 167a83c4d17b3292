//! Other Rust compilers than the one at hand, from Debian's packages `rustc-web`; and Go's `pprof`.
//!
//! They come with the sources of std, which `-Zbuild-std` needs, and in an older version, which
//! the MSRV needs. The packages are unpacked under `target/debian`: nothing is installed, root is
//! not needed, and a second run finds them there. apt checks the signatures as always.

use std::{
    fs,
    path::{Path, PathBuf},
};

use xshell::cmd;

use crate::{failure::Failure, job::Job, workspace::Workspace};

/// Which compiler is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want<'a> {
    /// One whose version begins with this, such as `1.85`.
    Version(&'a str),
    /// The newest one whose std can be had as source.
    NewestWithSource,
}

/// An unpacked compiler.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// What to set `RUSTC` to.
    pub(crate) rustc: PathBuf,
    /// `1.85.0`.
    pub(crate) version: String,
}

impl Toolchain {
    /// Puts a sanitizer's runtime into the compiler's reach. Debian's packages have none; that of
    /// the toolchain at hand fits if both are built on the same LLVM.
    pub(crate) fn lend_runtime(
        &self,
        workspace: &Workspace,
        libraries: &Path,
        name: &str,
    ) -> Result<(), Failure> {
        let sh = &workspace.sh;
        let rustc = &self.rustc;
        let theirs = Job::new(cmd!(sh, "{rustc} -vV")).text()?;
        let ours = Job::new(cmd!(sh, "rustc -vV")).text()?;
        if llvm_of(&theirs).is_none() || llvm_of(&theirs) != llvm_of(&ours) {
            return Err(Failure::failed(format!(
                "Debian's Rust {} is built on LLVM {}, the active toolchain on {}",
                self.version,
                llvm_of(&theirs).unwrap_or("?"),
                llvm_of(&ours).unwrap_or("?")
            )));
        }
        let runtime = runtime(libraries, name).ok_or_else(|| {
            Failure::failed(format!(
                "the active toolchain brings no runtime of {name} to lend to Debian's"
            ))
        })?;
        let to = Job::new(cmd!(sh, "{rustc} --print target-libdir")).text()?;
        // Written beside and renamed: two runs at once must not see half a file.
        let to = Path::new(to.trim()).join(format!("librustc-stable_rt.{name}.a"));
        let part = to.with_extension(format!("part-{}", std::process::id()));
        fs::copy(runtime, &part).map_err(cannot)?;
        fs::rename(&part, &to).map_err(cannot)
    }
}

/// The runtime of a sanitizer in a toolchain's libraries: `librustc-stable_rt.tsan.a`.
pub(crate) fn runtime(libraries: &Path, name: &str) -> Option<PathBuf> {
    let end = format!("_rt.{name}.a");
    fs::read_dir(libraries)
        .ok()?
        .flatten()
        .map(|file| file.path())
        .find(|file| file.to_string_lossy().ends_with(&end))
}

/// `22` in the line `LLVM version: 22.1.8`.
fn llvm_of(version: &str) -> Option<&str> {
    let line = version
        .lines()
        .find(|line| line.starts_with("LLVM version: "))?;
    line.trim_start_matches("LLVM version: ").split('.').next()
}

/// Fetches and unpacks a compiler, or says why that cannot be done here.
pub(crate) fn toolchain(workspace: &Workspace, want: Want<'_>) -> Result<Toolchain, Failure> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::failed("needs Debian's packages for x86-64"));
    }
    let base = workspace.target.join("debian");
    let apt = Apt::new(workspace, &base)?;
    let version = apt.newest(want)?;
    let release = upstream(&version).to_owned();
    let root = base.join(format!("rust-{release}"));
    let rustc = root.join("rustc");
    if !rustc.exists() {
        apt.unpack(want, &version, &root)?;
        wrapper(&root, &rustc)?;
    }
    let sh = &workspace.sh;
    let said = Job::new(cmd!(sh, "{rustc} -vV")).text()?;
    if !said.contains(&format!("release: {release}\n")) {
        return Err(Failure::failed(format!(
            "{} is not Rust {release}: {said}",
            rustc.display()
        )));
    }
    Ok(Toolchain {
        rustc,
        version: release,
    })
}

/// Fetches and unpacks Go's `pprof`, or says why that cannot be done here.
pub(crate) fn go_pprof(workspace: &Workspace) -> Result<PathBuf, Failure> {
    const PACKAGE: &str = "golang-1.19-go";
    const TOOL: &str = "usr/lib/go-1.19/pkg/tool/linux_amd64/pprof";
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::failed("needs Debian's packages for x86-64"));
    }
    let base = workspace.target.join("debian");
    let root = base.join(PACKAGE);
    let tool = root.join(TOOL);
    if !tool.exists() {
        Apt::new(workspace, &base)?.unpack_all(&[PACKAGE.to_owned()], &root)?;
    }
    if !tool.exists() {
        return Err(Failure::failed(format!("{PACKAGE} holds no {TOOL}")));
    }
    Ok(tool)
}

/// apt with lists and a cache of our own.
struct Apt<'a> {
    workspace: &'a Workspace,
    options: Vec<String>,
}

impl<'a> Apt<'a> {
    fn new(workspace: &'a Workspace, base: &Path) -> Result<Self, Failure> {
        for partial in ["lists/partial", "cache/archives/partial"] {
            make_dir(&base.join(partial))?;
        }
        let options = vec![
            // There is no user to drop to when the caller is not root, and no need to.
            "-oAPT::Sandbox::User=".to_owned(),
            "-oDebug::NoLocking=1".to_owned(),
            format!("-oDir::State::Lists={}", base.join("lists").display()),
            format!("-oDir::Cache={}", base.join("cache").display()),
        ];
        let apt = Self { workspace, options };
        let (sh, options) = (&workspace.sh, &apt.options);
        Job::new(cmd!(sh, "apt-get {options...} -qq update")).text()?;
        Ok(apt)
    }

    /// The Debian version to take.
    fn newest(&self, want: Want<'_>) -> Result<String, Failure> {
        let (sh, options) = (&self.workspace.sh, &self.options);
        let table = Job::new(cmd!(
            sh,
            "apt-cache {options...} madison rustc-web rust-web-src"
        ))
        .text()?;
        newest(&table, want).ok_or_else(|| Failure::failed(missing(&table, want)))
    }

    /// Downloads the packages and unpacks them to `root`, all or nothing.
    fn unpack(&self, want: Want<'_>, version: &str, root: &Path) -> Result<(), Failure> {
        let (sh, options) = (&self.workspace.sh, &self.options);
        let std = format!("libstd-rust-web-{}", minor(upstream(version)));
        let asked = format!("{std}={version}");
        let shown = Job::new(cmd!(sh, "apt-cache {options...} show {asked}")).text()?;
        let llvm =
            llvm(&shown).ok_or_else(|| Failure::failed(format!("{std} names no LLVM: {shown}")))?;
        let mut packages = vec![
            format!("rustc-web={version}"),
            asked,
            format!("libstd-rust-web-dev={version}"),
            llvm,
            // LLVM's own, which a machine without another LLVM lacks.
            "libz3-4".into(),
            "libedit2".into(),
        ];
        if matches!(want, Want::NewestWithSource) {
            packages.push(format!("rust-web-src={version}"));
        }
        self.unpack_all(&packages, root)
    }

    /// Downloads packages and unpacks them to `root`, all or nothing.
    fn unpack_all(&self, packages: &[String], root: &Path) -> Result<(), Failure> {
        let (sh, options) = (&self.workspace.sh, &self.options);
        let part = root.with_extension(format!("part-{}", std::process::id()));
        make_dir(&part)?;
        Job::new(cmd!(sh, "apt-get {options...} -qq download {packages...}"))
            .dir(&part)
            .text()?;
        for deb in fs::read_dir(&part).map_err(cannot)?.flatten() {
            let path = deb.path();
            if path.extension().is_some_and(|end| end == "deb") {
                Job::new(cmd!(sh, "dpkg -x {path} {part}")).text()?;
                fs::remove_file(&path).map_err(cannot)?;
            }
        }
        let _ = fs::remove_dir_all(root);
        fs::rename(&part, root).map_err(cannot)
    }
}

/// A script that finds the compiler's libraries, so that no other program gets to see them.
fn wrapper(root: &Path, rustc: &Path) -> Result<(), Failure> {
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n",
        libraries.display(),
        root.join("usr/bin/rustc").display()
    );
    fs::write(rustc, script).map_err(cannot)?;
    executable(rustc).map_err(cannot)
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

fn make_dir(dir: &Path) -> Result<(), Failure> {
    fs::create_dir_all(dir).map_err(cannot)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn cannot(error: std::io::Error) -> Failure {
    Failure::failed(format!("could not unpack Debian's packages: {error}"))
}

/// The newest version in a table of `apt-cache madison` that fits. Newer ones come first there.
fn newest(table: &str, want: Want<'_>) -> Option<String> {
    let offered = |package: &str| -> Vec<String> {
        table
            .lines()
            .filter_map(|line| {
                let mut cells = line.split('|').map(str::trim);
                let this = cells.next() == Some(package);
                cells.next().filter(|_| this).map(str::to_owned)
            })
            .collect()
    };
    let sources = offered("rust-web-src");
    offered("rustc-web").into_iter().find(|version| match want {
        Want::Version(prefix) => upstream(version)
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        Want::NewestWithSource => sources.contains(version),
    })
}

/// Why nothing fits: apt ends well when it reached no server, so an empty table tells nothing.
fn missing(table: &str, want: Want<'_>) -> String {
    if !table.contains("rustc-web") {
        return "apt knows no rustc-web: this is no Debian, or its archive is out of reach".into();
    }
    match want {
        Want::Version(version) => format!("Debian offers no rustc-web {version}"),
        Want::NewestWithSource => "Debian offers no rust-web-src".into(),
    }
}

/// `1.85.0` of `1.85.0+dfsg3-1~deb12u3`.
fn upstream(version: &str) -> &str {
    version.split(['+', '-', '~']).next().unwrap_or(version)
}

/// `1.85` of `1.85.0`.
fn minor(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(minor, _)| minor)
}

/// The LLVM that a `libstd-rust-web-…` depends on.
fn llvm(shown: &str) -> Option<String> {
    let depends = shown
        .lines()
        .find_map(|line| line.strip_prefix("Depends: "))?;
    depends
        .split(',')
        .filter_map(|one| one.split_whitespace().next())
        .find(|name| name.starts_with("libllvm"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = " \
 rustc-web | 1.96.0+dfsg1-1~deb12u2 | http://deb bookworm-security/main amd64 Packages
 rustc-web | 1.85.0+dfsg3-1~deb12u3 | http://deb bookworm/main amd64 Packages
rust-web-src | 1.96.0+dfsg1-1~deb12u2 | http://deb bookworm-security/main amd64 Packages
";

    #[test]
    fn the_right_version_is_picked() {
        let picked = |want| newest(TABLE, want);
        assert_eq!(
            picked(Want::NewestWithSource).as_deref(),
            Some("1.96.0+dfsg1-1~deb12u2")
        );
        assert_eq!(
            picked(Want::Version("1.85")).as_deref(),
            Some("1.85.0+dfsg3-1~deb12u3")
        );
        assert_eq!(picked(Want::Version("1.8")), None);
        assert_eq!(newest("", Want::NewestWithSource), None);
        let no_source = TABLE.replace("rust-web-src", "x");
        assert_eq!(newest(&no_source, Want::NewestWithSource), None);
        assert!(missing(&no_source, Want::NewestWithSource).contains("offers no"));
        assert!(missing("", Want::NewestWithSource).contains("out of reach"));
    }

    #[test]
    fn runtimes_are_matched_by_their_llvm() {
        let version = "rustc 1.96.0\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(llvm_of(version), Some("22"));
        assert_eq!(llvm_of("rustc 1.96.0\n"), None);
        assert_eq!(runtime(Path::new("/no/such/directory"), "tsan"), None);
    }

    #[test]
    fn names_are_read_from_versions() {
        assert_eq!(upstream("1.85.0+dfsg3-1~deb12u3"), "1.85.0");
        assert_eq!(minor("1.85.0"), "1.85");
        assert_eq!(
            llvm("Package: x\nDepends: libc6 (>= 2.34), libllvm19, libstdc++6 (>= 11)\n")
                .as_deref(),
            Some("libllvm19")
        );
    }
}
