//! One cycle: members are asked one after the other, with growing pressure, until it suffices.
#![forbid(unsafe_code)]

use core::time::Duration;

use thrifty_sync::clock::Instant;
use thrifty_traits::Pressure;

use super::crew::{Answer, Record};
use super::governor::{Outcome, Plan, Reading};
use super::stats::Reason;

/// What a cycle acts on; the program's memory, or a test's.
pub(crate) trait World {
    fn now(&self) -> Instant;
    fn reading(&self) -> Reading;
    /// Asks the member with this index; not longer than `at_most`.
    fn ask(&mut self, member: usize, pressure: Pressure, at_most: Duration) -> Answer;
    /// Gives what the allocator keeps back to the system; `false` where that cannot be done.
    fn release(&mut self) -> bool;
}

/// Runs the cycle; `order` has the place of each record. The records are closed by the caller, who
/// knows who listens.
pub(crate) fn run(
    plan: &Plan,
    deadline: Duration,
    crew: &mut [Record],
    order: &mut [usize],
    world: &mut impl World,
) -> Outcome {
    let mut cycle = Cycle {
        plan,
        began: world.now(),
        deadline,
        target: plan.target,
        outcome: Outcome {
            before: world.reading(),
            ..Outcome::default()
        },
        order,
    };
    cycle.aim(world);
    for pressure in Pressure::ALL {
        if pressure < plan.first || pressure > plan.last {
            continue;
        }
        if !cycle.pass(pressure, crew, world) {
            break;
        }
    }
    cycle.end(world)
}

struct Cycle<'a> {
    plan: &'a Plan,
    began: Instant,
    deadline: Duration,
    target: u64,
    outcome: Outcome,
    order: &'a mut [usize],
}

impl Cycle<'_> {
    /// Finds out how much is missing. Resident bytes above their target may be the allocator's to
    /// give back; what is still above afterwards must come from the heap.
    fn aim(&mut self, world: &mut impl World) {
        let mut reading = self.outcome.before;
        // That takes long, and is of no use if what the allocator keeps would not do.
        let excess = self.resident_excess(reading);
        if excess > 0 && self.kept(reading) >= excess && world.release() {
            self.outcome.released = true;
            reading = world.reading();
        }
        let heap_excess = reading
            .live
            .map_or(0, |live| live.saturating_sub(self.target));
        let excess = heap_excess.max(self.resident_excess(reading));
        self.outcome.wanted = excess;
        self.target = reading.live.unwrap_or(u64::MAX).saturating_sub(excess);
        self.outcome.after = reading;
    }

    fn resident_excess(&self, reading: Reading) -> u64 {
        match (reading.resident, self.plan.resident_target) {
            (Some(resident), Some(target)) => resident.saturating_sub(target),
            _ => 0,
        }
    }

    /// What the allocator keeps, as far as one can tell from outside.
    fn kept(&self, reading: Reading) -> u64 {
        let others = reading.live.unwrap_or(0).saturating_add(self.plan.nonheap);
        reading.resident.unwrap_or(0).saturating_sub(others)
    }

    /// Asks everybody once; `false` when the cycle is over.
    fn pass(&mut self, pressure: Pressure, crew: &mut [Record], world: &mut impl World) -> bool {
        self.order
            .sort_unstable_by_key(|&member| (core::cmp::Reverse(crew[member].rank()), member));
        for place in 0..self.order.len() {
            let member = self.order[place];
            if !crew[member].may_be_asked(pressure) {
                continue;
            }
            if self.suffices() {
                return false;
            }
            let asked = world.now();
            let spent = asked.since(self.began);
            // Once it has begun it asks somebody, or a slow release would be all that it ever does.
            if self.outcome.calls > 0 && spent >= self.plan.budget {
                self.outcome.cut_short = true;
                return false;
            }
            let before = world.reading();
            let answer = world.ask(member, pressure, self.deadline);
            let took = world.now().since(asked);
            let after = world.reading();
            let most = after.given_since(before);
            crew[member].note(answer, most, took);
            if let Answer::Gave(bytes) = answer {
                let outcome = &mut self.outcome;
                outcome.reclaimed = outcome.reclaimed.saturating_add(bytes);
                outcome.seen = outcome.seen.saturating_add(bytes.min(most));
            }
            self.outcome.calls += u32::from(answer != Answer::Absent);
            self.outcome.missing += u32::from(matches!(answer, Answer::Absent | Answer::Late));
            self.outcome.after = after;
        }
        !self.suffices()
    }

    fn suffices(&self) -> bool {
        match self.outcome.after.live {
            Some(live) => live <= self.target,
            // Nobody counts what is live: what was given has to do.
            None => self.outcome.reclaimed >= self.outcome.wanted,
        }
    }

    fn end(mut self, world: &mut impl World) -> Outcome {
        let reading = world.reading();
        let excess = self.resident_excess(reading);
        let worthwhile = self.plan.reason == Reason::Forced
            || (self.outcome.reclaimed > 0 && self.kept(reading) > excess / 4);
        if excess > 0 && worthwhile && world.release() {
            self.outcome.released = true;
        }
        self.outcome.after = world.reading();
        // Who asks for all that there is, or for what has grown, gets what there is.
        let after = self.outcome.after;
        let heap_fits = after.live.is_none_or(|live| live <= self.plan.target);
        // Who asks for all that there is, or for what has grown, gets what there is.
        self.outcome.satisfied =
            !self.plan.reason.wants_enough() || (heap_fits && self.resident_excess(after) == 0);
        self.outcome.took = world.now().since(self.began);
        self.outcome
    }
}
