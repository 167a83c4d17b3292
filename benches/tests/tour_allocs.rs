//! The tuned job allocates nothing per line, and the stages account for every allocation.

#[path = "support/files.rs"]
mod files;

use files::Files;
use thrifty_benches::tour::{
    TOP,
    probe::{NoProbe, Probe, Stage},
    tuned,
    variant::Variant,
};
use thrifty_memstats::{measure, thread};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// Lines of a fixed set of templates, hosts, components and minutes, with ever new values.
fn log(lines: u32) -> Vec<u8> {
    let mut log = String::new();
    for n in 0..lines {
        let (second, value) = (n % 60, u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        log += &match n % 4 {
            0 => format!(
                "Jun 14 15:16:{second:02} host-{} sshd[{n}]: from 10.0.{n} id={value}\n",
                n % 7
            ),
            1 => format!("081109 2036{second:02} {n} INFO dfs.DataNode: Received blk_{value}\n"),
            2 => format!(
                "1.1.1.1 - - [10/Oct/2000:13:55:{second:02} +0000] \"GET /{value} HTTP/1.1\" 200 {n}\n"
            ),
            _ => format!("\tat some.Class.method(Class.java:{n})\n"),
        };
    }
    log.into_bytes()
}

#[test]
fn more_lines_need_no_more_memory() {
    let few = Files::new(&[&log(1_000)]);
    let many = Files::new(&[&log(100_000)]);
    let cost = |files: &Files| {
        let (report, delta) = measure(|| tuned::run(files.paths(), TOP, &mut NoProbe).unwrap());
        let delta = delta.unwrap();
        (
            report.lines,
            delta.alloc_calls(),
            delta.allocated_bytes,
            delta.peak_bytes,
        )
    };
    // The first run in a process may allocate for std itself.
    cost(&few);
    let (lines_few, calls_few, bytes_few, peak_few) = cost(&few);
    let (lines_many, calls_many, bytes_many, peak_many) = cost(&many);
    assert_eq!((lines_few, lines_many), (1_000, 100_000));
    assert!(calls_few < 100, "{calls_few} calls for a handful of keys");
    assert_eq!(
        (calls_many, bytes_many, peak_many),
        (calls_few, bytes_few, peak_few)
    );
}

/// Adds up what the stages allocate.
#[derive(Default)]
struct Sum {
    calls: u64,
    bytes: u64,
}

impl Probe for Sum {
    type InLoop = Self;

    fn one_loop<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }

    fn stage<R>(&mut self, _stage: Stage, work: impl FnOnce() -> R) -> R {
        let before = thread().expect("it is installed");
        let result = work();
        let after = thread().expect("it is installed");
        self.calls += after.alloc_calls() - before.alloc_calls();
        self.bytes += after.allocated_bytes - before.allocated_bytes;
        result
    }
}

#[test]
fn the_stages_account_for_everything() {
    let files = Files::new(&[&log(10_000)]);
    // The stages of thrifty are on several threads at once.
    for variant in [Variant::Naive, Variant::Tuned] {
        let mut sum = Sum::default();
        let (_, delta) = measure(|| variant.run(files.paths(), TOP, &mut sum).unwrap());
        let delta = delta.unwrap();
        assert!(delta.alloc_calls() > 10);
        assert_eq!(
            (sum.calls, sum.bytes),
            (delta.alloc_calls(), delta.allocated_bytes),
            "{variant:?}"
        );
    }
}

#[test]
fn a_huge_line_costs_what_the_docs_say() {
    const LENGTH: usize = 1 << 20;
    let peak = |line: &[u8]| {
        let files = Files::new(&[line]);
        let (report, delta) = measure(|| tuned::run(files.paths(), TOP, &mut NoProbe).unwrap());
        assert_eq!(report.lines, 1);
        delta.unwrap().peak_bytes
    };
    // The counters' tables, the report, what std needs, once in a process.
    let small = 80 << 10;
    for unit in ["1 ", "a", "k=1 ", "/ab ", "\0", "a "] {
        let line = unit.repeat(LENGTH / unit.len());
        let template = match unit {
            "1 " => 2 * LENGTH,
            "k=1 " => LENGTH + LENGTH / 2,
            _ => LENGTH + 8,
        };
        // Buffer, scratch and key while reading; later only the key and its text. The buffer
        // doubles from 64 KiB, and a line may fill half of it.
        let most = (2 * LENGTH + 2 * LENGTH + template).max(2 * template) + small;
        let peak = peak(line.as_bytes());
        assert!(peak <= most as u64, "{unit:?}: {peak} of {most}");
    }
}
