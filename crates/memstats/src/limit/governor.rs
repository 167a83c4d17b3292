//! When to trim and how far: arithmetic and memory, no thread, no clock, no lock.
//!
//! ```text
//!             target       trigger      goal   ceiling      limit
//!   ────────────┼─────────────┼───────────┼───────┼───────────┼────► bytes
//!    trimmed to │ hysteresis  │ a cycle   │       │ headroom  │
//!               │    5 %      │ begins    │       │    5 %    │
//!
//!   goal = min( base + base·percent/100, limit − headroom − nonheap )
//! ```
//!
//! `base` is what was live after the last cycle (which growth exceeds by 256 KiB at least), `nonheap`
//! what was resident then beyond the live bytes: code, stacks, and what the allocator keeps. The live
//! heap is held to the goal; what is resident is held to the ceiling.
//!
//! # Invariants
//!
//! 1. After a cycle that was told satisfied, the live heap must grow by the hysteresis before the
//!    next: a steady heap is never trimmed twice.
//! 2. Between two cycles lies the pause, which doubles while asking is of no use. Growth by the
//!    hysteresis ends it early, but not before the least pause.
#![forbid(unsafe_code)]

use core::time::Duration;

use thrifty_sync::clock::Instant;
use thrifty_traits::Pressure;

use super::budget::Budget;
use super::stats::Reason;
use super::tuning::Tuning;

/// What threads allocate between two looks is no growth to go by.
const LEAST_GROWTH: u64 = 256 << 10;

/// What is known of the memory at some moment; `None` where nobody counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) live: Option<u64>,
    /// Bytes freed so far, by whomever; the sum wraps.
    pub(crate) freed: Option<u64>,
    pub(crate) resident: Option<u64>,
    /// How long tasks waited for memory so far; looked up for judgements only.
    pub(crate) waited: Option<Duration>,
}

impl Reading {
    /// The most that can have been given back since: no more than all that was freed meanwhile, or
    /// than what has gone from physical memory past the allocator. Where nobody counts, anything.
    pub(crate) fn given_since(self, before: Self) -> u64 {
        let (Some(freed), Some(freed_before)) = (self.freed, before.freed) else {
            return u64::MAX;
        };
        let resident = before.resident.zip(self.resident);
        let gone = resident.map_or(0, |(before, after)| before.saturating_sub(after));
        freed.wrapping_sub(freed_before).max(gone)
    }
}

/// The lines of the picture above; `None` where nothing limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) goal: Option<u64>,
    pub(crate) trigger: Option<u64>,
    /// Where the limit's trigger is, below which a cycle is for growth.
    pub(crate) limit_trigger: Option<u64>,
    pub(crate) target: Option<u64>,
    pub(crate) ceiling: Option<u64>,
    pub(crate) resident_target: Option<u64>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing for so long. `listen` says whether to be woken when the trigger is reached.
    Rest {
        wait: Duration,
        listen: bool,
    },
    Trim(Plan),
}

/// A cycle to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) reason: Reason,
    pub(crate) first: Pressure,
    pub(crate) last: Pressure,
    /// Where the live heap is to come to.
    pub(crate) target: u64,
    pub(crate) resident_target: Option<u64>,
    /// What is resident beyond the heap and will stay.
    pub(crate) nonheap: u64,
    /// How long the cycle may take.
    pub(crate) budget: Duration,
}

/// What a cycle came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) before: Reading,
    pub(crate) after: Reading,
    pub(crate) took: Duration,
    /// Bytes that were missing at the start.
    pub(crate) wanted: u64,
    /// Bytes that the members say they gave.
    pub(crate) reclaimed: u64,
    /// Of these, what can be true: who gives nothing and says otherwise must not keep the controller
    /// asking.
    pub(crate) seen: u64,
    pub(crate) calls: u32,
    /// Calls that did not come back by the deadline, or could not be made for such a one.
    pub(crate) missing: u32,
    pub(crate) satisfied: bool,
    /// Ended because its time was over.
    pub(crate) cut_short: bool,
    /// Memory was given back to the system, so what is resident says something.
    pub(crate) released: bool,
}

/// What is worth telling about a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Nobody had anything to give, for the first time since it was last in order.
    Exhausted,
    /// A cycle had to wait for its time budget, or was ended by it.
    Limited,
}

#[derive(Debug, Clone)]
pub(crate) struct Governor {
    pub(crate) tuning: Tuning,
    pub(crate) limit: Option<u64>,
    pub(crate) percent: Option<u32>,
    pub(crate) base: u64,
    pub(crate) nonheap: u64,
    budget: Budget,
    /// When it was last known how long tasks had waited.
    stalls: Option<(Instant, Duration)>,
    not_before: Option<Instant>,
    /// When growth may end the pause.
    not_even_before: Option<Instant>,
    pause: Duration,
    exhausted: bool,
    limited: bool,
}

impl Governor {
    pub(crate) const fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            limit: None,
            percent: None,
            base: 0,
            nonheap: 0,
            budget: Budget::new(tuning.time_percent, tuning.window),
            stalls: None,
            not_before: None,
            not_even_before: None,
            pause: Duration::ZERO,
            exhausted: false,
            limited: false,
        }
    }

    /// Takes other settings, with a full purse.
    pub(crate) fn tune(&mut self, tuning: Tuning) {
        let tuning = tuning.brought_into_range();
        self.budget = Budget::new(tuning.time_percent, tuning.window);
        self.tuning = tuning;
        self.refresh();
    }

    /// Something changed that may make asking worthwhile again.
    pub(crate) fn refresh(&mut self) {
        self.not_before = None;
        self.not_even_before = None;
        self.pause = Duration::ZERO;
        self.exhausted = false;
    }

    /// There is somebody who was not asked yet: the pause is as short as pauses are.
    pub(crate) fn joined(&mut self) {
        self.not_before = self.not_before.min(self.not_even_before);
    }

    pub(crate) fn lines(&self) -> Lines {
        let ceiling = self.limit.map(|limit| limit - limit / 20);
        let by_limit = ceiling.map(|ceiling| ceiling.saturating_sub(self.nonheap));
        let limit_trigger = by_limit.map(|goal| goal - goal / 20);
        let (by_growth, growth_trigger) = self.growth().unzip();
        Lines {
            goal: by_limit.into_iter().chain(by_growth).min(),
            trigger: limit_trigger.into_iter().chain(growth_trigger).min(),
            limit_trigger,
            target: by_limit.map(|goal| goal - goal / 10),
            ceiling,
            resident_target: ceiling.map(|ceiling| ceiling - ceiling / 20),
        }
    }

    /// Where the bell rings: at the trigger; in a pause that is long because asking was of no use, where
    /// what has been allocated since may be worth asking for.
    pub(crate) fn bell(&self) -> Option<u64> {
        let trigger = self.lines().trigger?;
        if self.not_before.is_none() || self.pause <= self.tuning.min_pause {
            return Some(trigger);
        }
        let step = self
            .limit
            .map_or(trigger, |limit| limit / 20)
            .max(LEAST_GROWTH);
        Some(trigger.max(self.base.saturating_add(step)))
    }

    /// The goal that growth sets, and where its cycle begins: above the base, or a heap that stands still
    /// would be trimmed for ever.
    fn growth(&self) -> Option<(u64, u64)> {
        let room = u128::from(self.base) * u128::from(self.percent?) / 100;
        let room = u64::try_from(room).unwrap_or(u64::MAX).max(LEAST_GROWTH);
        let goal = self.base.saturating_add(room);
        let goal = goal.max(self.tuning.least_growth_goal_bytes);
        let lead = (goal / 20).min((goal - self.base) / 2);
        Some((goal, goal - lead))
    }

    /// What to do, and what to tell.
    pub(crate) fn judge(&mut self, now: Instant, reading: Reading) -> (Verdict, Option<Notice>) {
        if let Some(rest) = self.rest(now, reading) {
            return (rest, None);
        }
        let is_stalled = self.is_stalled(now, reading.waited);
        let reason = match self.reason(reading) {
            Some(Reason::Limit) => Some(Reason::Limit),
            _ if is_stalled => Some(Reason::Stall),
            other => other,
        };
        let Some(reason) = reason else {
            self.exhausted = false;
            self.limited = false;
            self.pause = Duration::ZERO;
            let wait = if self.limit.is_some() || self.tuning.stall_percent > 0 {
                self.tuning.poll
            } else {
                Duration::from_secs(3600)
            };
            return (Verdict::Rest { wait, listen: true }, None);
        };
        let budget = self.budget.available(now);
        if budget.is_zero() {
            let wait = self.budget.until_worthwhile().max(self.tuning.min_pause);
            self.not_before = Some(now + wait);
            self.not_even_before = self.not_before;
            let notice = (!self.limited).then_some(Notice::Limited);
            self.limited = true;
            return (
                Verdict::Rest {
                    wait,
                    listen: false,
                },
                notice,
            );
        }
        (Verdict::Trim(self.plan(reason, reading, budget)), None)
    }

    /// When the pause ends that a cycle was followed by, if there is one.
    pub(crate) const fn pause_end(&self) -> Option<Instant> {
        self.not_before
    }

    /// What is left of the pause, unless the heap has grown so that asking may be of use again:
    /// others hold memory now than when all were asked.
    fn rest(&mut self, now: Instant, reading: Reading) -> Option<Verdict> {
        let wait = self.wait(now)?;
        let early = self.not_even_before?.since(now).min(wait);
        if !early.is_zero() {
            return Some(Verdict::Rest {
                wait: early,
                listen: false,
            });
        }
        if reading.live.is_some() && reading.live >= self.bell() {
            self.not_before = None;
            return None;
        }
        Some(Verdict::Rest { wait, listen: true })
    }

    /// What is left of the pause at its full length.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let wait = self.not_before?.since(now);
        if wait.is_zero() {
            self.not_before = None;
            return None;
        }
        // A clock that went backwards must not stretch the pause.
        let longest = self
            .tuning
            .max_pause
            .max(self.tuning.window.saturating_mul(100));
        if wait > longest {
            self.not_before = Some(now + longest);
            return Some(longest);
        }
        Some(wait)
    }

    /// Why a cycle is due, if it is.
    fn reason(&self, reading: Reading) -> Option<Reason> {
        let lines = self.lines();
        if reading.resident >= lines.ceiling && lines.ceiling.is_some() {
            return Some(Reason::Limit);
        }
        if reading.live? < lines.trigger? {
            return None;
        }
        let is_near = lines.limit_trigger.is_some() && reading.live >= lines.limit_trigger;
        Some(if is_near {
            Reason::Limit
        } else {
            Reason::Growth
        })
    }

    /// Whether tasks waited for memory as much as is set, since that was last asked.
    fn is_stalled(&mut self, now: Instant, waited: Option<Duration>) -> bool {
        /// In less time one wait would be a large share.
        const LEAST: Duration = Duration::from_millis(100);
        let Some(waited) = waited else {
            self.stalls = None;
            return false;
        };
        let (at, before) = *self.stalls.get_or_insert((now, waited));
        let passed = now.since(at);
        // A clock that went backwards, or a group that was left, begin anew.
        if now < at || waited < before {
            self.stalls = Some((now, waited));
        }
        if passed < LEAST {
            return false;
        }
        self.stalls = Some((now, waited));
        let share = waited.saturating_sub(before).as_nanos() * 100;
        share >= passed.as_nanos() * u128::from(self.tuning.stall_percent)
    }

    fn plan(&self, reason: Reason, reading: Reading, budget: Duration) -> Plan {
        let lines = self.lines();
        let limit = self.limit.unwrap_or(u64::MAX);
        let over = reading.live.max(reading.resident) >= Some(limit);
        let a_tenth_less = |bytes: u64| bytes - bytes / 10;
        let resident_target = match reason {
            Reason::Stall => reading.resident.map(a_tenth_less),
            _ => None,
        };
        Plan {
            reason,
            first: if over {
                Pressure::Medium
            } else {
                Pressure::Low
            },
            last: match reason {
                // Growth alone takes what nobody will miss.
                Reason::Growth => Pressure::Low,
                // It may be for others that there is too little.
                Reason::Stall => Pressure::Medium,
                Reason::Limit | Reason::Forced => Pressure::High,
            },
            target: match reason {
                // Back to where the growth began, or the goal would grow with what idles.
                Reason::Growth => self.base,
                Reason::Stall => reading.live.map_or(u64::MAX, a_tenth_less),
                Reason::Limit | Reason::Forced => lines.target.unwrap_or(u64::MAX),
            },
            resident_target: resident_target
                .into_iter()
                .chain(lines.resident_target)
                .min(),
            nonheap: self.nonheap,
            budget,
        }
    }

    /// Learns from a cycle.
    pub(crate) fn finish(
        &mut self,
        now: Instant,
        plan: &Plan,
        outcome: &Outcome,
    ) -> Option<Notice> {
        // Who asks for a cycle answers for its time.
        if plan.reason != Reason::Forced {
            self.budget.spend(now, outcome.took);
        }
        self.learn(outcome);
        let freed = outcome
            .before
            .live
            .unwrap_or(0)
            .saturating_sub(outcome.after.live.unwrap_or(0));
        let useful = freed.max(outcome.seen) > outcome.wanted / 100;
        let calm = !plan.reason.wants_enough() || outcome.satisfied;
        if calm || outcome.cut_short || useful {
            self.pause = self.tuning.min_pause;
        } else {
            // INVARIANT: 2 — from the least pause on, doubled up to the longest.
            self.pause = self
                .pause
                .saturating_mul(2)
                .clamp(self.tuning.min_pause, self.tuning.max_pause);
        }
        self.not_before = Some(now + self.pause);
        self.not_even_before = Some(now + self.tuning.min_pause);
        if outcome.cut_short {
            let notice = (!self.limited).then_some(Notice::Limited);
            self.limited = true;
            return notice;
        }
        self.limited = false;
        if calm {
            self.exhausted = false;
            return None;
        }
        // Who is still at work may yet give: not before the pause is as long as a deadline.
        let hope = outcome.missing > 0 && self.pause < self.tuning.deadline;
        let has_room = plan.reason != Reason::Limit;
        if useful || hope || has_room || self.exhausted {
            return None;
        }
        self.exhausted = true;
        Some(Notice::Exhausted)
    }

    /// Takes the new base, and what is resident beyond the heap.
    pub(crate) fn learn(&mut self, outcome: &Outcome) {
        let Some(live) = outcome.after.live else {
            return;
        };
        self.base = live;
        let Some(resident) = outcome.after.resident else {
            return;
        };
        let nonheap = resident.saturating_sub(live);
        self.nonheap = if !outcome.released {
            // It may be memory that the allocator would give back: no proof that it is more.
            self.nonheap.min(nonheap)
        } else if self.nonheap == 0 {
            nonheap
        } else {
            // A mean: one look may catch the allocator with pages that it lends again at once.
            self.nonheap / 2 + nonheap / 2
        };
    }
}

#[cfg(test)]
#[path = "governor_tests.rs"]
mod tests;
