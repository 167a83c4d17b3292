//! How long tasks waited for memory: Linux's pressure stall information (PSI).
//!
//! A group is short of memory long before it is killed, and whoever else is in it may have taken
//! what there was: the kernel then takes pages away that are needed again at once, and adds up how
//! long some task waited for them. That sum is all that is read here.
#![forbid(unsafe_code)]

use core::time::Duration;

use super::total::Files;

/// How long some task of the process's control group has waited so far; of the whole machine where
/// the group does not tell, and nothing where neither does.
pub(crate) fn waited(files: &dyn Files) -> Option<Duration> {
    let groups = files.read("/proc/self/cgroup").unwrap_or_default();
    // Version 1 has no such file.
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let path = path.unwrap_or_default().trim_end_matches('/');
    // A path with `..` lies outside of what this namespace shows. In a container the path may be the
    // host's, and the mount the container's own group.
    let own = (!path.split('/').any(|part| part == ".."))
        .then(|| format!("/sys/fs/cgroup{path}/memory.pressure"));
    let places = own.into_iter().chain([
        "/sys/fs/cgroup/memory.pressure".to_owned(),
        "/proc/pressure/memory".to_owned(),
    ]);
    places
        .filter_map(|place| files.read(&place))
        .find_map(|text| total(&text))
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=664749528`, in microseconds.
fn total(text: &str) -> Option<Duration> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some
        .split(' ')
        .find_map(|figure| figure.strip_prefix("total="))?;
    Some(Duration::from_micros(total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(Vec<(&'static str, &'static str)>);

    impl Files for Fake {
        fn read(&self, path: &str) -> Option<String> {
            let found = self.0.iter().find(|(name, _)| *name == path)?;
            Some(found.1.to_owned())
        }
    }

    const TEXT: &str = "some avg10=1.50 avg60=0.00 avg300=0.00 total=1500\n\
                        full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
    const OTHER: &str = "some avg10=0.00 avg60=0.00 avg300=0.00 total=3\n";

    fn of(files: &[(&'static str, &'static str)]) -> Option<u128> {
        waited(&Fake(files.to_vec())).map(|waited| waited.as_micros())
    }

    #[test]
    fn the_nearest_that_tells_is_believed() {
        let group = ("/proc/self/cgroup", "4:memory:/x\n0::/a/b\n");
        let own = ("/sys/fs/cgroup/a/b/memory.pressure", TEXT);
        let mount = ("/sys/fs/cgroup/memory.pressure", OTHER);
        let machine = ("/proc/pressure/memory", TEXT);
        assert_eq!(of(&[group, mount, own]), Some(1500));
        assert_eq!(of(&[group, mount, machine]), Some(3));
        assert_eq!(of(&[group, machine]), Some(1500));
        assert_eq!(of(&[machine]), Some(1500), "version 1, or no groups");
        let outside = ("/proc/self/cgroup", "0::/../a\n");
        let trap = ("/sys/fs/cgroup/../a/memory.pressure", TEXT);
        assert_eq!(of(&[outside, trap, mount]), Some(3));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn nonsense_is_passed_by() {
        let machine = ("/proc/pressure/memory", OTHER);
        for text in [
            "",
            "some",
            "some total=",
            "some total=-1",
            "some total=1e9",
            "some total=99999999999999999999999",
            "full avg10=0.00 total=7\n",
            "Operation not supported",
        ] {
            let group = ("/sys/fs/cgroup/memory.pressure", text);
            assert_eq!(of(&[group, machine]), Some(3), "{text:?}");
        }
    }
}
