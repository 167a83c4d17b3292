//! Who is asked for memory, in which order, and who has had their chance.
//!
//! Among those of one standing the order is what asking promised the last time, weighted with how
//! cheap the owner says the memory is to make again. Who gave next to nothing three cycles in a row
//! is demoted: asked last, and only when nothing is left but [`Pressure::High`]. Who panicked is
//! left out for some cycles.
#![forbid(unsafe_code)]

use core::time::Duration;

use thrifty_traits::Pressure;

use super::priority::Priority;

/// Cycles of giving less than a hundredth of what was missing that lead to demotion.
const STRIKES: u8 = 3;
/// Cycles after which a demoted member gets another chance.
const DEMOTED_CYCLES: u32 = 16;
/// Cycles for which a member is left out after a panic.
const BENCHED_CYCLES: u32 = 8;

/// What an asked member answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Gave(u64),
    Panicked,
    /// No answer by the deadline; it may still be at work.
    Late,
    /// Unregistered meanwhile, or still at work on an earlier question.
    Absent,
}

/// What is remembered of a registered reclaimer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) priority: Priority,
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    /// What it was seen to give in the last cycle that asked it; `None` before the first.
    pub(crate) last_bytes: Option<u64>,
    pub(crate) panics: u64,
    pub(crate) late: u64,
    pub(crate) longest: Duration,
    strikes: u8,
    demoted_cycles: u32,
    benched_cycles: u32,
    /// What it was seen to give in the present cycle; `None` while it was not asked.
    now_bytes: Option<u64>,
}

/// What a cycle changed about a member's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Demoted,
    Restored,
}

impl Record {
    pub(crate) fn new(priority: Priority) -> Self {
        Self {
            priority,
            ..Self::default()
        }
    }

    pub(crate) const fn is_demoted(&self) -> bool {
        self.demoted_cycles != 0
    }

    /// Whether to ask at this level.
    pub(crate) fn may_be_asked(&self, pressure: Pressure) -> bool {
        self.benched_cycles == 0 && (!self.is_demoted() || pressure == Pressure::High)
    }

    /// Who comes first has the greater rank.
    pub(crate) fn rank(&self) -> (bool, u64) {
        let weight = match self.priority {
            Priority::Cheap => 16,
            Priority::Normal => 4,
            Priority::Costly => 1,
        };
        // Nothing is known of who was never asked; a gibibyte is to know soon, cheap ones first.
        let promise = self.last_bytes.unwrap_or(1 << 30);
        (!self.is_demoted(), promise.saturating_mul(weight))
    }

    /// Notes an answer in the present cycle; `most` is what can be true of it.
    pub(crate) fn note(&mut self, answer: Answer, most: u64, took: Duration) {
        if answer == Answer::Absent {
            return;
        }
        self.calls += 1;
        self.longest = self.longest.max(took);
        let now = self.now_bytes.unwrap_or(0);
        match answer {
            Answer::Gave(bytes) => {
                self.bytes = self.bytes.saturating_add(bytes);
                self.now_bytes = Some(now.saturating_add(bytes.min(most)));
            }
            Answer::Panicked => {
                self.panics += 1;
                self.benched_cycles = BENCHED_CYCLES;
                self.now_bytes = Some(now);
            }
            // It is left out while it is at work, and what it gives then is not known: a large
            // cache that takes its time is not punished for it.
            Answer::Late => {
                self.late += 1;
                self.last_bytes = None;
            }
            Answer::Absent => {}
        }
    }

    /// Closes a cycle in which `wanted` bytes were missing.
    pub(crate) fn close(&mut self, wanted: u64) -> Option<Change> {
        self.benched_cycles = self.benched_cycles.saturating_sub(1);
        let was_demoted = self.is_demoted();
        self.demoted_cycles = self.demoted_cycles.saturating_sub(1);
        if let Some(bytes) = self.now_bytes.take() {
            self.last_bytes = Some(bytes);
            if bytes > wanted / 100 {
                self.strikes = 0;
                self.demoted_cycles = 0;
            } else {
                self.strikes = self.strikes.saturating_add(1);
                if self.strikes >= STRIKES && !was_demoted {
                    self.demoted_cycles = DEMOTED_CYCLES;
                }
            }
        }
        if was_demoted && !self.is_demoted() {
            // One more chance, not three.
            self.strikes = self.strikes.min(STRIKES - 1);
        }
        match (was_demoted, self.is_demoted()) {
            (false, true) => Some(Change::Demoted),
            (true, false) => Some(Change::Restored),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(record: &mut Record, gives: u64, wanted: u64) -> Option<Change> {
        record.note(Answer::Gave(gives), u64::MAX, Duration::ZERO);
        record.close(wanted)
    }

    #[test]
    fn three_empty_cycles_demote_and_a_gift_restores() {
        let mut record = Record::new(Priority::Normal);
        assert_eq!(asked(&mut record, 10, 1000), None);
        assert_eq!(asked(&mut record, 0, 1000), None);
        assert_eq!(asked(&mut record, 10, 1000), Some(Change::Demoted));
        assert!(!record.may_be_asked(Pressure::Low));
        assert!(!record.may_be_asked(Pressure::Medium));
        assert!(
            record.may_be_asked(Pressure::High),
            "the last resort asks everybody"
        );
        assert_eq!(asked(&mut record, 11, 1000), Some(Change::Restored));
        assert!(record.may_be_asked(Pressure::Low));
    }

    #[test]
    fn a_demoted_one_gets_another_chance_and_then_one_only() {
        let mut record = Record::new(Priority::Normal);
        for _ in 0..STRIKES {
            asked(&mut record, 0, 1000);
        }
        for _ in 1..DEMOTED_CYCLES {
            assert_eq!(record.close(1000), None);
        }
        assert_eq!(record.close(1000), Some(Change::Restored));
        assert_eq!(asked(&mut record, 0, 1000), Some(Change::Demoted));
    }

    #[test]
    fn who_panics_sits_out() {
        let mut record = Record::new(Priority::Cheap);
        record.note(Answer::Panicked, 0, Duration::from_secs(1));
        for _ in 0..BENCHED_CYCLES {
            assert!(!record.may_be_asked(Pressure::High));
            record.close(0);
        }
        assert!(record.may_be_asked(Pressure::Low));
        assert_eq!(record.panics, 1);
    }

    #[test]
    fn who_is_late_is_asked_again_and_not_demoted_for_it() {
        let mut record = Record::new(Priority::Costly);
        for _ in 0..10 {
            assert!(record.may_be_asked(Pressure::Low));
            record.note(Answer::Late, 0, Duration::from_secs(1));
            assert_eq!(record.close(1000), None);
        }
        assert_eq!((record.late, record.longest), (10, Duration::from_secs(1)));
    }

    #[test]
    fn cheap_and_generous_come_first_and_strangers_before_those_who_gave_little() {
        let mut known = Record::new(Priority::Cheap);
        asked(&mut known, 1 << 20, 0);
        let stranger = Record::new(Priority::Normal);
        let cheap = Record::new(Priority::Cheap);
        let costly = Record::new(Priority::Costly);
        assert!(cheap.rank() > stranger.rank());
        assert!(stranger.rank() > costly.rank());
        assert!(costly.rank() > known.rank());
        let mut generous = Record::new(Priority::Costly);
        asked(&mut generous, 1 << 30, 0);
        assert!(
            generous.rank() > known.rank(),
            "what it gives makes up for its price"
        );
    }

    proptest! {
        /// Whatever it answers, a member is never left out of cycles at high pressure for ever.
        #[test]
        fn nobody_is_left_out_for_ever(answers in prop::collection::vec((0_u8..4, 0_u64..2000), 0..100)) {
            let mut record = Record::new(Priority::Normal);
            for (kind, bytes) in answers {
                if record.may_be_asked(Pressure::High) {
                    let answer = match kind {
                        0 => Answer::Panicked,
                        1 => Answer::Late,
                        2 => Answer::Absent,
                        _ => Answer::Gave(bytes),
                    };
                    record.note(answer, bytes, Duration::ZERO);
                }
                record.close(1000);
            }
            for _ in 0..BENCHED_CYCLES.max(DEMOTED_CYCLES) {
                record.close(1000);
            }
            prop_assert!(record.may_be_asked(Pressure::Low));
        }
    }
}
