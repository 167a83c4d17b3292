//! Programs of random operations, beside an oracle that keeps its books in the plainest way.

use proptest::prelude::*;
use thrifty_pool::{Manage, OnUnwind, Pool, Pooled, Pressure, ThreadCache, Verdict};
use thrifty_testkit::{Ledger, Machine, Op, Rng, Tracked, fuzz_to_the_end};

/// An item: what a user wrote into it, and who is alive.
struct Item {
    written: Tracked<u32>,
}

/// Cleans items; keeps those that were not marked as bad, which are those that end in 9.
struct Checked(Ledger);

impl Manage for Checked {
    type Item = Item;
    type Error = std::convert::Infallible;

    fn create(&self) -> Result<Item, Self::Error> {
        let written = self.0.track(0);
        Ok(Item { written })
    }

    fn recycle(&self, item: &mut Item) -> Verdict {
        let is_good = *item.written % 10 != 9;
        *item.written = 0;
        Verdict::keep_if(is_good)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Get,
    GetIdle,
    /// Writes to the nth guard.
    Write(usize, u32),
    Return(usize),
    ReturnElsewhere(usize),
    ReturnUnwinding(usize),
    Detach(usize),
    Discard(usize),
    Put(u32),
    Adopt(u32),
    Prefill(usize),
    Flush,
    Trim(Pressure),
    Close,
}

impl Op for Step {
    fn generate(rng: &mut Rng) -> Self {
        let nth = rng.index(16);
        let value = *rng.pick(&[0, 1, 2, 9, 19, 20, 29]);
        match rng.below(80) {
            0..=24 => Self::Get,
            25..=29 => Self::GetIdle,
            30..=37 => Self::Write(nth, value),
            38..=55 => Self::Return(nth),
            56..=57 => Self::ReturnElsewhere(nth),
            58 => Self::ReturnUnwinding(nth),
            59..=61 => Self::Detach(nth),
            62..=64 => Self::Discard(nth),
            65..=67 => Self::Put(value),
            68..=70 => Self::Adopt(value),
            71..=72 => Self::Prefill(nth),
            73..=74 => Self::Flush,
            75..=78 => Self::Trim(*rng.pick(&Pressure::ALL)),
            _ => {
                // Rarely: little can happen afterwards.
                if rng.below(5) == 0 {
                    Self::Close
                } else {
                    Self::Get
                }
            }
        }
    }

    fn simpler(&self) -> Vec<Self> {
        match self {
            Self::ReturnElsewhere(nth) | Self::ReturnUnwinding(nth) => vec![Self::Return(*nth)],
            Self::Prefill(n @ 2..) => vec![Self::Prefill(n / 2)],
            _ => Vec::new(),
        }
    }
}

/// What both sides show: what the guards hold, how many exist, and what the op said.
#[derive(Debug, PartialEq)]
struct Seen {
    lent: Vec<u32>,
    in_use: usize,
    /// Whether the books add up: live is lent and idle, and the ledger agrees.
    adds_up: bool,
    said: Option<u32>,
}

/// The pool, with the guards that the program holds.
struct Subject {
    pool: Pool<Item, Checked>,
    ledger: Ledger,
    held: Vec<Pooled<Item, Checked>>,
    max_total: usize,
    /// Detached and handed back items live on here.
    own: Vec<Item>,
}

impl Subject {
    fn nth(&mut self, nth: usize) -> Option<Pooled<Item, Checked>> {
        let at = nth.checked_rem(self.held.len())?;
        Some(self.held.remove(at))
    }

    fn apply(&mut self, step: &Step) -> Seen {
        let said = self.step(step);
        let stats = self.pool.stats();
        let owned = self.own.len() as u64;
        Seen {
            lent: self.held.iter().map(|item| *item.written).collect(),
            in_use: stats.in_use,
            adds_up: stats.live == stats.in_use + stats.idle
                && stats.live as u64 + owned == self.ledger.live()
                && stats.created - stats.retired == stats.live as u64
                && stats.live <= self.max_total,
            said,
        }
    }

    /// What takes one of the guards away.
    fn end(&mut self, step: &Step) -> Option<u32> {
        match *step {
            Step::Return(nth) => {
                drop(self.nth(nth)?);
                Some(0)
            }
            Step::ReturnElsewhere(nth) => {
                let guard = self.nth(nth)?;
                // Joined by hand: the scope's own end does not wait for thread-locals' destructors.
                let ended = std::thread::spawn(move || drop(guard)).join();
                Some(u32::from(ended.is_err()))
            }
            Step::ReturnUnwinding(nth) => {
                let guard = self.nth(nth)?;
                let payload = thrifty_testkit::quietly(move || {
                    let _guard = guard;
                    panic!("on purpose");
                });
                Some(u32::from(payload.is_err()))
            }
            Step::Detach(nth) => {
                let item = self.nth(nth)?.detach();
                let said = *item.written;
                self.own.push(item);
                Some(said)
            }
            Step::Discard(nth) => {
                self.nth(nth)?.discard();
                Some(0)
            }
            _ => None,
        }
    }

    fn step(&mut self, step: &Step) -> Option<u32> {
        match *step {
            Step::Get => {
                let got = self.pool.try_get().ok();
                let said = got.as_ref().map(|item| *item.written);
                self.held.extend(got);
                said
            }
            Step::GetIdle => {
                let had = self.pool.stats().idle > 0;
                let got = self.pool.get_idle();
                // One thread reaches whatever is idle.
                let said = u32::from(had == got.is_some());
                drop(got);
                Some(said)
            }
            Step::Write(nth, value) => {
                let at = nth.checked_rem(self.held.len())?;
                *self.held[at].written = value;
                Some(value)
            }
            Step::Put(value) => {
                let item = Item {
                    written: self.ledger.track(value),
                };
                if let Err(item) = self.pool.put(item) {
                    self.own.push(item);
                }
                None
            }
            Step::Adopt(value) => {
                let item = Item {
                    written: self.ledger.track(value),
                };
                match self.pool.adopt(item) {
                    Ok(guard) => self.held.push(guard),
                    Err(error) => {
                        assert_eq!(*error.value.written, value);
                        return None;
                    }
                }
                Some(value)
            }
            Step::Prefill(n) => {
                let _ = self.pool.prefill(n);
                None
            }
            Step::Flush => {
                self.pool.flush_thread();
                None
            }
            Step::Trim(pressure) => {
                let before = self.pool.stats().idle;
                let trimmed = self.pool.trim(pressure).items;
                let after = self.pool.stats().idle;
                assert_eq!(before - after, trimmed);
                assert!(pressure < Pressure::High || after == 0, "{after} idle");
                None
            }
            Step::Close => {
                self.pool.close();
                None
            }
            Step::Return(_)
            | Step::ReturnElsewhere(_)
            | Step::ReturnUnwinding(_)
            | Step::Detach(_)
            | Step::Discard(_) => self.end(step),
        }
    }
}

/// The same in the plainest way: it only knows what is lent. What is idle is the pool's own affair,
/// but for what must be true of it.
struct Oracle {
    lent: Vec<u32>,
    is_closed: bool,
    max_total: usize,
}

impl Oracle {
    fn nth(&mut self, nth: usize) -> Option<u32> {
        let at = nth.checked_rem(self.lent.len())?;
        Some(self.lent.remove(at))
    }

    fn apply(&mut self, step: &Step) -> Seen {
        let may_lend = !self.is_closed && self.lent.len() < self.max_total;
        let said = match *step {
            Step::Get => may_lend.then(|| {
                // Never dirty.
                self.lent.push(0);
                0
            }),
            Step::GetIdle => Some(1),
            Step::Write(nth, value) => nth.checked_rem(self.lent.len()).map(|at| {
                self.lent[at] = value;
                value
            }),
            Step::Return(nth) | Step::ReturnElsewhere(nth) | Step::Discard(nth) => {
                self.nth(nth).map(|_| 0)
            }
            Step::ReturnUnwinding(nth) => self.nth(nth).map(|_| 1),
            Step::Detach(nth) => self.nth(nth),
            Step::Adopt(value) => {
                // With a bound, idle items count too, and only the pool knows how many there are.
                may_lend.then(|| {
                    self.lent.push(value);
                    value
                })
            }
            Step::Close => {
                self.is_closed = true;
                None
            }
            Step::Put(_) | Step::Prefill(_) | Step::Flush | Step::Trim(_) => None,
        };
        Seen {
            lent: self.lent.clone(),
            in_use: self.lent.len(),
            adds_up: true,
            said,
        }
    }
}

impl Machine<Step> for Subject {
    type Seen = Seen;

    fn apply(&mut self, step: &Step) -> Seen {
        Self::apply(self, step)
    }
}

impl Machine<Step> for Oracle {
    type Seen = Seen;

    fn apply(&mut self, step: &Step) -> Seen {
        Self::apply(self, step)
    }
}

fn machines(
    cache: ThreadCache,
    max_idle: usize,
    max_total: Option<usize>,
    on_unwind: OnUnwind,
) -> (Subject, Oracle, impl FnOnce() -> Result<(), String> + use<>) {
    let ledger = Ledger::new();
    let mut builder = Pool::builder_manager(Checked(ledger))
        .thread_cache(cache)
        .max_idle(max_idle)
        .on_unwind(on_unwind);
    if let Some(most) = max_total {
        builder = builder.max_total(most);
    }
    let max_total = max_total.unwrap_or(usize::MAX);
    let subject = Subject {
        pool: builder.build().expect("sound limits"),
        ledger,
        held: Vec::new(),
        own: Vec::new(),
        max_total,
    };
    let oracle = Oracle {
        lent: Vec::new(),
        is_closed: false,
        max_total,
    };
    (subject, oracle, move || ledger.check())
}

#[test]
fn programs_agree_with_the_oracle() {
    let caches = [
        ThreadCache::Auto,
        ThreadCache::Off,
        ThreadCache::Rounds(1),
        ThreadCache::Rounds(3),
    ];
    for (nth, cache) in (0..).zip(caches) {
        for on_unwind in [OnUnwind::Discard, OnUnwind::Recycle] {
            let seeds = nth * 50..nth * 50 + 30;
            fuzz_to_the_end(seeds, 200, || machines(cache, 20, None, on_unwind));
        }
    }
}

/// In a bounded pool every item that exists may be idle and still be lent, so the oracle's rule "as
/// long as fewer are lent" holds for `Get`; `Adopt` needs room for one more, and is left out.
#[test]
fn bounded_programs_agree_with_the_oracle() {
    #[derive(Debug, Clone)]
    struct Bounded(Step);
    impl Op for Bounded {
        fn generate(rng: &mut Rng) -> Self {
            loop {
                let step = Step::generate(rng);
                if !matches!(step, Step::Adopt(_)) {
                    return Self(step);
                }
            }
        }
    }
    fuzz_to_the_end(0..60, 200, || {
        let (mut subject, mut oracle, end) =
            machines(ThreadCache::Auto, 20, Some(5), OnUnwind::Discard);
        let subject = move |step: &Bounded| subject.apply(&step.0);
        let oracle = move |step: &Bounded| oracle.apply(&step.0);
        (subject, oracle, end)
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is written, whatever grew: what is lent is empty, and no more is kept than allowed.
    #[test]
    fn nothing_written_before_is_ever_seen(
        texts in proptest::collection::vec(".{0,40}", 1..60),
        cache in 1..20_usize,
        max_idle in 20..100_usize,
    ) {
        let pool = Pool::builder(String::new)
            .thread_cache(ThreadCache::Rounds(cache))
            .max_idle(max_idle)
            .max_item_weight(64 + size_of::<String>())
            .build()
            .unwrap();
        let mut held = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let mut line = pool.get();
            prop_assert_eq!(&**line, "");
            prop_assert!(line.capacity() <= 64);
            line.push_str(text);
            held.push(line);
            if at % 3 == 0 {
                held.clear();
            }
        }
        for (line, text) in held.iter().rev().zip(texts.iter().rev()) {
            prop_assert_eq!(&**line, text);
        }
    }
}
