//! Whether the machine had other things to do.
//!
//! The control shows noise that comes and goes. A machine that is busy all the time slows down
//! all sides alike: ratios survive that, nanoseconds do not, and a bar in nanoseconds is then
//! missed for no fault of the code.

use std::fs;

/// How many threads of others wanted to run, sampled between rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    samples: u32,
    others: u32,
}

/// Less than this, on average, is a machine with nothing else to do.
const IDLE: f64 = 0.5;

impl Load {
    /// Looks, where the system tells; this thread does not count.
    pub(super) fn sample(&mut self) {
        let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        if let Some(running) = running(&text) {
            self.samples += 1;
            self.others += running.saturating_sub(1);
        }
    }

    /// What to say about it; nothing if there was nothing else to do.
    pub(super) fn note(self) -> Option<String> {
        let others = f64::from(self.others) / f64::from(self.samples.max(1));
        (others >= IDLE).then(|| {
            format!(
                "The machine was busy: on average {others:.1} other threads wanted to run. Bars in nanoseconds may be \
                 missed for that alone."
            )
        })
    }
}

/// The threads that run or could, from `0.61 0.70 0.80 3/523 4711`.
fn running(text: &str) -> Option<u32> {
    let (running, _) = text.split_whitespace().nth(3)?.split_once('/')?;
    running.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_run_are_read() {
        assert_eq!(running("0.61 0.70 0.80 3/523 4711\n"), Some(3));
        assert_eq!(running(""), None);
        assert_eq!(running("a b c d e"), None);
    }

    #[test]
    fn a_busy_machine_is_mentioned_and_an_idle_one_is_not() {
        let load = |samples, others| Load { samples, others };
        assert_eq!(load(0, 0).note(), None, "the system does not tell");
        assert_eq!(load(10, 4).note(), None);
        let note = load(10, 23).note().unwrap();
        assert!(note.contains("2.3 other threads"), "{note}");
    }
}
