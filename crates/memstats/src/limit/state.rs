//! What the controller knows, behind one lock under which no user code runs.
#![forbid(unsafe_code)]

use core::time::Duration;

use thrifty_sync::{clock::Instant, sync::Arc};
use thrifty_traits::Reclaim;

use super::{
    amount::Limit,
    crew::{Change, Record},
    event::{Event, Listeners},
    governor::{Governor, Notice, Outcome, Plan, Reading},
    hand::Release,
    priority::Priority,
    release,
    stats::{LimitStats, Reason, ReclaimerStats, Ring, Trim},
    tools::Tools,
    tuning::Tuning,
};
use crate::seat::Seat;

/// A registered reclaimer.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) seat: Arc<Seat<dyn Reclaim>>,
    pub(crate) record: Record,
}

pub(crate) struct State {
    pub(crate) governor: Governor,
    /// The limit as it was said; a share is looked up again from time to time.
    pub(crate) said: Option<Limit>,
    pub(crate) resolved_at: Option<Instant>,
    pub(crate) members: Vec<Member>,
    pub(crate) listeners: Listeners,
    pub(crate) release: Option<Arc<Seat<Release>>>,
    pub(crate) release_is_set: bool,
    pub(crate) environment: Environment,
    pub(crate) environment_error: Option<Arc<str>>,
    /// The process in which a thread has the turn, to look or to run a cycle.
    pub(crate) turn: Option<u32>,
    /// Away while somebody has the turn.
    pub(crate) tools: Tools,
    first_used: Option<Instant>,
    next_id: u64,
    ring: Ring,
    totals: Totals,
}

/// Whether the environment was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    Unread,
    Read,
}

#[derive(Debug, Clone, Copy)]
struct Totals {
    num_trim: u64,
    num_forced: u64,
    took: Duration,
    reclaimed: u64,
    limiter_last_enabled: Option<u64>,
    limiter_enabled: u64,
    exhausted: u64,
    wakeups: u64,
}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            governor: Governor::new(Tuning::new()),
            said: None,
            resolved_at: None,
            members: Vec::new(),
            listeners: Listeners::new(),
            release: None,
            release_is_set: false,
            environment: Environment::Unread,
            environment_error: None,
            turn: None,
            tools: Tools::new(),
            first_used: None,
            next_id: 0,
            ring: Ring::new(),
            totals: Totals {
                num_trim: 0,
                num_forced: 0,
                took: Duration::ZERO,
                reclaimed: 0,
                limiter_last_enabled: None,
                limiter_enabled: 0,
                exhausted: 0,
                wakeups: 0,
            },
        }
    }

    /// The first use starts the time of which trimming has a share, and makes ready for cycles, which
    /// may have to do without memory.
    pub(crate) fn used(&mut self, now: Instant) {
        self.first_used.get_or_insert(now);
        if !self.release_is_set {
            self.set_release(release::DEFAULT);
        }
        self.ring.make();
    }

    /// The limit as it was said, and in bytes.
    pub(crate) fn set_limit(&mut self, limit: Option<(Limit, u64)>, now: Instant) {
        self.said = limit.map(|(said, _)| said);
        self.resolved_at = self
            .said
            .filter(|said| !matches!(said, Limit::Bytes(_)))
            .map(|_| now);
        self.governor.limit = limit.map(|(_, bytes)| bytes);
        self.governor.refresh();
    }

    /// Growth counts from here on, unless it did before.
    pub(crate) fn set_percent(&mut self, percent: Option<u32>, live: Option<u64>) {
        if self.governor.percent.is_none() {
            self.governor.base = live.unwrap_or(0);
        }
        self.governor.percent = percent;
        self.governor.refresh();
    }

    pub(crate) fn add(
        &mut self,
        name: Arc<str>,
        priority: Priority,
        seat: Arc<Seat<dyn Reclaim>>,
    ) -> u64 {
        self.next_id += 1;
        self.members.push(Member {
            id: self.next_id,
            name,
            seat,
            record: Record::new(priority),
        });
        self.tools.reserve(self.members.len());
        self.governor.joined();
        self.next_id
    }

    /// Takes a member out; dropping it is left to the caller, after the lock.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Member> {
        let place = self.members.iter().position(|member| member.id == id)?;
        Some(self.members.remove(place))
    }

    pub(crate) fn set_release(&mut self, release: Option<fn()>) {
        self.release_is_set = true;
        self.release = release.map(|release| Arc::new(Seat::new(Arc::new(Release::new(release)))));
    }

    #[cfg(feature = "monitor")]
    pub(crate) const fn num_trim(&self) -> u64 {
        self.totals.num_trim
    }

    pub(crate) fn woken(&mut self) {
        self.totals.wakeups += 1;
    }

    /// Tells what a judgement was about.
    pub(crate) fn notice(&mut self, notice: Option<Notice>, reading: Reading) {
        match notice {
            None => {}
            Some(Notice::Limited) => {
                self.totals.limiter_enabled += 1;
                self.totals.limiter_last_enabled = Some(self.totals.num_trim);
                self.listeners.tell(&Event::Limited);
            }
            Some(Notice::Exhausted) => {
                self.totals.exhausted += 1;
                self.listeners.tell(&Event::Exhausted {
                    live_bytes: reading.live,
                    resident_bytes: reading.resident,
                    limit_bytes: self.governor.limit,
                });
            }
        }
    }

    /// Books a cycle: sums, standings, events.
    pub(crate) fn settle(
        &mut self,
        began: Instant,
        plan: &Plan,
        outcome: &Outcome,
        crew: impl Iterator<Item = (u64, Record)>,
    ) -> Trim {
        self.totals.num_trim += 1;
        self.totals.num_forced += u64::from(plan.reason == Reason::Forced);
        self.totals.took += outcome.took;
        self.totals.reclaimed = self.totals.reclaimed.saturating_add(outcome.reclaimed);
        let trim = Trim {
            number: self.totals.num_trim,
            reason: plan.reason,
            began: Duration::from_nanos(began.as_nanos()),
            took: outcome.took,
            live_before: outcome.before.live,
            live_after: outcome.after.live,
            resident_before: outcome.before.resident,
            resident_after: outcome.after.resident,
            reclaimed_bytes: outcome.reclaimed,
            calls: outcome.calls,
            released: outcome.released,
            satisfied: outcome.satisfied,
        };
        self.ring.push(trim);
        self.listeners.tell(&Event::Trimmed(trim));
        // Who was asked for all that there is owes no share of it.
        let wanted = if plan.reason == Reason::Forced {
            0
        } else {
            outcome.wanted
        };
        for (id, record) in crew {
            let Some(member) = self.members.iter_mut().find(|member| member.id == id) else {
                continue;
            };
            member.record = record;
            match member.record.close(wanted) {
                Some(Change::Demoted) => {
                    self.listeners
                        .tell(&Event::Demoted(Arc::clone(&member.name)));
                }
                Some(Change::Restored) => {
                    self.listeners
                        .tell(&Event::Restored(Arc::clone(&member.name)));
                }
                None => {}
            }
        }
        let notice = self.governor.finish(began + outcome.took, plan, outcome);
        self.notice(notice, outcome.after);
        trim
    }

    pub(crate) fn stats(&self, now: Instant, reading: Reading) -> LimitStats {
        let lines = self.governor.lines();
        let wall = self
            .first_used
            .map_or(Duration::ZERO, |first| now.since(first));
        LimitStats {
            soft_limit_bytes: self.governor.limit,
            percent: self.governor.percent,
            live_bytes: reading.live,
            resident_bytes: reading.resident,
            base_bytes: self.governor.base,
            nonheap_bytes: self.governor.nonheap,
            goal_bytes: lines.goal,
            trigger_bytes: lines.trigger,
            num_trim: self.totals.num_trim,
            num_forced: self.totals.num_forced,
            trim_total: self.totals.took,
            trim_time_fraction: if wall.is_zero() {
                0.0
            } else {
                (self.totals.took.as_secs_f64() / wall.as_secs_f64()).min(1.0)
            },
            reclaimed_bytes: self.totals.reclaimed,
            limiter_last_enabled: self.totals.limiter_last_enabled,
            limiter_enabled: self.totals.limiter_enabled,
            exhausted: self.totals.exhausted,
            wakeups: self.totals.wakeups,
            environment_error: self.environment_error.as_deref().map(str::to_owned),
            reclaimers: self.members.iter().map(Member::stats).collect(),
            last_trims: self.ring.oldest_first(),
        }
    }
}

impl Member {
    fn stats(&self) -> ReclaimerStats {
        ReclaimerStats {
            name: Arc::clone(&self.name),
            priority: self.record.priority,
            calls: self.record.calls,
            reclaimed_bytes: self.record.bytes,
            last_bytes: self.record.last_bytes,
            panics: self.record.panics,
            late: self.record.late,
            longest: self.record.longest,
            demoted: self.record.is_demoted(),
            busy: self.seat.is_busy(),
        }
    }
}
