//! Of what a share is taken: the machine's memory and the control groups' limits.
//!
//! Files come and go (a container is moved, a group removed while it is read), so each is looked for
//! on its own, and what cannot be read limits nothing.
#![forbid(unsafe_code)]

use super::amount::{Limit, LimitError};

/// Where the system's small text files come from; injected for tests.
pub(crate) trait Files {
    /// The beginning of the file, or `None` when it cannot be read.
    fn read(&self, path: &str) -> Option<String>;
}

/// The real ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemFiles;

impl Files for SystemFiles {
    fn read(&self, path: &str) -> Option<String> {
        // None of them is long; a file that is one is not what it seems.
        const MOST_BYTES: u64 = 64 << 10;
        let mut text = Vec::new();
        let file = std::fs::File::open(path).ok()?;
        std::io::Read::read_to_end(&mut std::io::Read::take(file, MOST_BYTES), &mut text).ok()?;
        // The name of a group need not be Unicode; the other lines count all the same.
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The limit in bytes.
pub(crate) fn resolve(limit: Limit, files: &dyn Files) -> Result<u64, LimitError> {
    let (percent, total) = match limit {
        Limit::Bytes(0) => return Err(LimitError::Zero),
        Limit::Bytes(bytes) => return Ok(bytes),
        Limit::PercentOfRam(percent) => (percent, ram_bytes(files)),
        Limit::PercentOfCgroup(percent) => {
            let ram = ram_bytes(files);
            let (group, own) = (cgroup_bytes(files), own_limit_bytes(files));
            // A group may be allowed more than the machine has.
            (percent, group.into_iter().chain(own).chain(ram).min())
        }
    };
    match percent {
        0 => Err(LimitError::Zero),
        1..=100 => {
            let total = total.ok_or(LimitError::UnknownTotal)?;
            Ok((total / 100 * u64::from(percent)).max(1))
        }
        _ => Err(LimitError::PercentOutOfRange),
    }
}

/// The machine's memory.
#[cfg(any(target_os = "linux", test))]
fn ram_bytes(files: &dyn Files) -> Option<u64> {
    let text = files.read("/proc/meminfo")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    kibibytes.checked_mul(1024)
}

/// The machine's memory.
#[cfg(not(any(target_os = "linux", test)))]
fn ram_bytes(_files: &dyn Files) -> Option<u64> {
    crate::os::ram_bytes()
}

/// The strictest limit of the process's control groups: of its own and of those around it.
fn cgroup_bytes(files: &dyn Files) -> Option<u64> {
    let groups = files.read("/proc/self/cgroup")?;
    groups
        .lines()
        .filter_map(|line| {
            // `0::/path` is of version 2, `7:cpu,memory:/path` of version 1.
            let mut parts = line.splitn(3, ':');
            let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            if number == "0" && controllers.is_empty() {
                let high = strictest(files, "/sys/fs/cgroup", path, "memory.high");
                let max = strictest(files, "/sys/fs/cgroup", path, "memory.max");
                return high.into_iter().chain(max).min();
            }
            if controllers.split(',').any(|name| name == "memory") {
                let root = "/sys/fs/cgroup/memory";
                return strictest(files, root, path, "memory.limit_in_bytes");
            }
            None
        })
        .min()
}

/// The process's own limits (`ulimit -v`, `-d`): of its address space and of its private memory.
///
/// Both are reached before what is resident reaches them. There is no telling by how much, but what
/// nobody can have is no whole to take a share of.
fn own_limit_bytes(files: &dyn Files) -> Option<u64> {
    let text = files.read("/proc/self/limits")?;
    let soft = |line: &str| {
        let rest = ["Max address space", "Max data size"]
            .iter()
            .find_map(|name| line.strip_prefix(name))?;
        number(rest.split_whitespace().next()?)
    };
    text.lines().filter_map(soft).min()
}

/// The least number in `file` of the group and of each group around it, up to the root of the mount.
///
/// Inside a container the path may be the host's, and the mount the container's own group: what
/// does not exist is passed by, and the root of the mount is looked at in any case.
fn strictest(files: &dyn Files, root: &str, path: &str, file: &str) -> Option<u64> {
    let mut path = path.trim_end_matches('/');
    let mut least = None::<u64>;
    // As deep as groups are nested in earnest; a path is not trusted to be short.
    for _ in 0..64 {
        // A path with `..` lies outside of what this namespace shows.
        if !path.split('/').any(|part| part == "..") {
            let text = files.read(&format!("{root}{path}/{file}"));
            let bytes = text.and_then(|text| number(&text));
            least = least.into_iter().chain(bytes).min();
        }
        let Some(slash) = path.rfind('/') else { break };
        path = &path[..slash];
    }
    least
}

/// `max` is no number, and version 1 says "none" with a number near 2⁶³.
fn number(text: &str) -> Option<u64> {
    let bytes = text.trim().parse::<u64>().ok()?;
    (bytes != 0 && bytes < 1 << 60).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    struct Fake<'t>(HashMap<&'static str, &'t str>);

    impl Files for Fake<'_> {
        fn read(&self, path: &str) -> Option<String> {
            self.0.get(path).map(|text| (*text).to_owned())
        }
    }

    const MEMINFO: (&str, &str) = ("/proc/meminfo", "MemFree: 5 kB\nMemTotal:   1000000 kB\n");
    const RAM: u64 = 1_024_000_000;

    fn cgroup(files: &[(&'static str, &str)]) -> Option<u64> {
        cgroup_bytes(&Fake(files.iter().copied().collect()))
    }

    #[test]
    fn version_2_takes_the_strictest_of_all_that_are_around() {
        let group = ("/proc/self/cgroup", "0::/a/b\n");
        assert_eq!(cgroup(&[group]), None, "files vanished");
        assert_eq!(
            cgroup(&[group, ("/sys/fs/cgroup/a/b/memory.max", "max\n")]),
            None
        );
        let nested = [
            group,
            ("/sys/fs/cgroup/a/b/memory.max", "900\n"),
            ("/sys/fs/cgroup/a/memory.max", "500\n"),
            ("/sys/fs/cgroup/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/b/memory.high", "700\n"),
        ];
        assert_eq!(cgroup(&nested), Some(500));
    }

    #[test]
    fn a_container_finds_its_group_at_the_root_of_the_mount() {
        let root = ("/sys/fs/cgroup/memory.max", "800\n");
        for path in ["0::/\n", "0::/../..\n", "0::/docker/0123\n"] {
            assert_eq!(
                cgroup(&[("/proc/self/cgroup", path), root]),
                Some(800),
                "{path}"
            );
        }
    }

    #[test]
    fn version_1_says_none_with_a_large_number() {
        let group = (
            "/proc/self/cgroup",
            "3:cpu:/x\n7:hugetlb,memory:/a\n1:name=systemd:/\n",
        );
        let none = (
            "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        let root = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "600\n");
        assert_eq!(cgroup(&[group, none]), None);
        assert_eq!(cgroup(&[group, none, root]), Some(600));
    }

    #[test]
    fn nonsense_limits_nothing() {
        for text in [
            "",
            "x",
            "0::",
            "::::",
            "0:/",
            "7:memory",
            "0::/a\n0::/\u{0}b",
        ] {
            assert_eq!(cgroup(&[("/proc/self/cgroup", text)]), None, "{text:?}");
        }
        let group = ("/proc/self/cgroup", "0::/a\n");
        for text in ["", "-5", "5 kB", "0", "99999999999999999999999"] {
            assert_eq!(
                cgroup(&[group, ("/sys/fs/cgroup/a/memory.max", text)]),
                None
            );
        }
    }

    #[test]
    fn damage_to_one_line_leaves_the_others() {
        let group = (
            "/proc/self/cgroup",
            "7:memory\n\n9:memory:/b\n0::/\u{fffd}\nnonsense\n0::/a/\n",
        );
        let high = ("/sys/fs/cgroup/a/memory.high", "12x\n");
        let max = ("/sys/fs/cgroup/a/memory.max", "900\n");
        let v1 = ("/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "-1\n");
        assert_eq!(cgroup(&[group, high, max, v1]), Some(900));
        let v1 = ("/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "800\n");
        assert_eq!(
            cgroup(&[group, high, max, v1]),
            Some(800),
            "of both versions"
        );
        let deep = format!("0::{}\n", "/d".repeat(5000));
        let root = ("/sys/fs/cgroup/memory.max", "700\n");
        assert_eq!(
            cgroup(&[("/proc/self/cgroup", &deep), root]),
            None,
            "nobody nests so deep: the walk ends"
        );
    }

    #[test]
    fn what_the_process_may_have_counts_too() {
        let limits = |space: &str, data: &str| {
            let head =
                "Limit                     Soft Limit           Hard Limit           Units     \n";
            let (space, data) = (
                format!("Max address space         {space}  unlimited            bytes     \n"),
                format!("Max data size             {data}  unlimited            bytes     \n"),
            );
            let text = format!("{head}Max cpu time              1  2  seconds   \n{data}{space}");
            let files = Fake(
                [MEMINFO, ("/proc/self/limits", &text)]
                    .into_iter()
                    .collect(),
            );
            resolve(Limit::PercentOfCgroup(50), &files)
        };
        assert_eq!(limits("unlimited", "unlimited"), Ok(RAM / 2));
        assert_eq!(limits("1000000", "unlimited"), Ok(500_000));
        assert_eq!(limits("1000000", "2000"), Ok(1000));
        assert_eq!(limits("99999999999999", "9223372036854775807"), Ok(RAM / 2));
        for nonsense in ["", "-5", "x", "99999999999999999999999"] {
            assert_eq!(limits(nonsense, nonsense), Ok(RAM / 2), "{nonsense:?}");
        }
    }

    #[test]
    fn a_share_is_of_the_least_that_there_is() {
        let group = ("/proc/self/cgroup", "0::/a\n");
        let small = ("/sys/fs/cgroup/a/memory.max", "1000");
        let large = ("/sys/fs/cgroup/a/memory.max", "9999999999999");
        let share = |files: &[_], limit| resolve(limit, &Fake(files.iter().copied().collect()));
        let half = Limit::PercentOfCgroup(50);
        assert_eq!(share(&[MEMINFO, group, small], half), Ok(500));
        assert_eq!(share(&[MEMINFO, group, large], half), Ok(RAM / 2));
        assert_eq!(share(&[MEMINFO], half), Ok(RAM / 2));
        assert_eq!(
            share(&[MEMINFO, group, small], Limit::PercentOfRam(10)),
            Ok(RAM / 10)
        );
        assert_eq!(share(&[], half), Err(LimitError::UnknownTotal));
        assert_eq!(
            share(&[MEMINFO], Limit::PercentOfRam(0)),
            Err(LimitError::Zero)
        );
        assert_eq!(
            share(&[MEMINFO], Limit::PercentOfCgroup(101)),
            Err(LimitError::PercentOutOfRange)
        );
        let huge = ("/proc/meminfo", "MemTotal: 18014398509481983 kB\n");
        let all = u64::MAX - 1023;
        assert_eq!(
            share(&[huge], Limit::PercentOfRam(100)),
            Ok(all / 100 * 100)
        );
        assert_eq!(share(&[huge], Limit::PercentOfRam(1)), Ok(all / 100));
        let tiny = ("/sys/fs/cgroup/a/memory.max", "1");
        assert_eq!(
            share(&[MEMINFO, group, tiny], Limit::PercentOfCgroup(1)),
            Ok(1)
        );
        for text in [
            "MemTotal: 18014398509481984 kB\n",
            "MemTotal: kB\n",
            "MemTotal: 5 MB\n",
        ] {
            let broken = ("/proc/meminfo", text);
            assert_eq!(
                share(&[broken], Limit::PercentOfRam(50)),
                Err(LimitError::UnknownTotal)
            );
        }
        let over = Limit::PercentOfRam(u32::MAX);
        assert_eq!(share(&[MEMINFO], over), Err(LimitError::PercentOutOfRange));
        assert_eq!(share(&[], Limit::Bytes(u64::MAX)), Ok(u64::MAX));
        assert_eq!(share(&[], Limit::Bytes(7)), Ok(7));
        assert_eq!(share(&[], Limit::Bytes(0)), Err(LimitError::Zero));
    }
}
