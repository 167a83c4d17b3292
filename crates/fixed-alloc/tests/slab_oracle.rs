//! Boxes of three types against plain values, by random programs; and limits that are met exactly.

use std::any::Any;

use proptest::prelude::*;
use thrifty_fixed_alloc::{ConfigError, Pressure, Slab, SlabBox, ThreadCache, unsize};
use thrifty_testkit::{Ledger, Tracked};

/// What a box may hold: small, large and strictly aligned, and of no bytes.
type Small = Tracked<u32>;

#[repr(align(64))]
#[derive(Clone, Debug, PartialEq)]
struct Large([u64; 20]);

#[derive(Debug, PartialEq)]
struct Nothing;

#[derive(Clone, Debug)]
enum Op {
    Small(u32),
    Large(u64),
    Nothing,
    Any(u32),
    Drop(usize),
    Take(usize),
    Replace(usize, u32),
    DropElsewhere(usize),
    Trim(u8),
    Flush,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => any::<u32>().prop_map(Op::Small),
        2 => any::<u64>().prop_map(Op::Large),
        1 => Just(Op::Nothing),
        2 => any::<u32>().prop_map(Op::Any),
        3 => any::<usize>().prop_map(Op::Drop),
        1 => any::<usize>().prop_map(Op::Take),
        1 => (any::<usize>(), any::<u32>()).prop_map(|(at, value)| Op::Replace(at, value)),
        1 => any::<usize>().prop_map(Op::DropElsewhere),
        1 => (0..3_u8).prop_map(Op::Trim),
        1 => Just(Op::Flush),
    ];
    prop::collection::vec(op, 1..300)
}

enum Held {
    Small(SlabBox<Small>, u32),
    Large(SlabBox<Large>, u64),
    Nothing(SlabBox<Nothing>),
    Any(SlabBox<dyn Any + Send>, u32),
}

impl Held {
    fn check(&self) {
        match self {
            Self::Small(boxed, value) => assert_eq!(***boxed, *value),
            Self::Large(boxed, value) => assert_eq!(**boxed, Large([*value; 20])),
            Self::Nothing(boxed) => assert_eq!(**boxed, Nothing),
            Self::Any(boxed, value) => {
                let small = boxed.downcast_ref::<Small>().expect("it is one");
                assert_eq!(**small, *value);
            }
        }
    }
}

struct World {
    ledger: Ledger,
    small: Slab<Small>,
    large: Slab<Large>,
    nothing: Slab<Nothing>,
    held: Vec<Held>,
}

impl World {
    fn new(cache: ThreadCache, hardened: bool) -> Self {
        fn slab<T>(cache: ThreadCache, hardened: bool) -> Slab<T> {
            let builder = Slab::builder().thread_cache(cache).hardened(hardened);
            builder.build().expect("there is memory")
        }
        Self {
            ledger: Ledger::new(),
            small: slab(cache, hardened),
            large: slab(cache, hardened),
            nothing: slab(cache, hardened),
            held: Vec::new(),
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Small(value) => {
                let boxed = self.small.insert(self.ledger.track(value));
                self.held.push(Held::Small(boxed, value));
            }
            Op::Large(value) => {
                let boxed = self.large.insert_with(|| Large([value; 20]));
                self.held.push(Held::Large(boxed, value));
            }
            Op::Nothing => self.held.push(Held::Nothing(self.nothing.insert(Nothing))),
            Op::Any(value) => {
                let boxed = self.small.insert(self.ledger.track(value));
                let any = unsize!(boxed => dyn Any + Send);
                self.held.push(Held::Any(any, value));
            }
            Op::Trim(level) => {
                let pressure = [Pressure::Low, Pressure::Medium, Pressure::High];
                let _ = self.small.trim(pressure[usize::from(level)]);
                let _ = self.large.trim(pressure[usize::from(level)]);
            }
            Op::Flush => self.small.flush_thread(),
            Op::Drop(at) | Op::Take(at) | Op::Replace(at, _) | Op::DropElsewhere(at) => {
                if !self.held.is_empty() {
                    let held = self.held.swap_remove(at % self.held.len());
                    held.check();
                    self.end(op, held);
                }
            }
        }
    }

    fn end(&mut self, op: &Op, held: Held) {
        match (op, held) {
            (Op::Take(_), Held::Small(boxed, value)) => {
                assert_eq!(*SlabBox::into_inner(boxed), value);
            }
            (Op::Take(_), Held::Any(boxed, value)) => {
                let boxed = boxed.downcast::<Small>().expect("it is one");
                assert_eq!(*SlabBox::into_inner(boxed), value);
            }
            (&Op::Replace(_, new), Held::Small(boxed, old)) => {
                let (value, place) = SlabBox::take(boxed);
                assert_eq!(*value, old);
                let boxed = SlabBox::write(place, self.ledger.track(new));
                self.held.push(Held::Small(boxed, new));
            }
            (Op::DropElsewhere(_), Held::Any(boxed, _)) => {
                std::thread::spawn(move || drop(boxed))
                    .join()
                    .expect("no panic");
            }
            (_, held) => drop(held),
        }
    }

    fn check(&self) {
        self.held.iter().for_each(Held::check);
        let of = |is: fn(&Held) -> bool| self.held.iter().filter(|held| is(held)).count();
        let small = of(|held| matches!(held, Held::Small(..) | Held::Any(..)));
        assert_eq!(self.small.stats().in_use, small);
        assert_eq!(self.ledger.live(), small as u64);
        assert_eq!(
            self.large.stats().in_use,
            of(|held| matches!(held, Held::Large(..)))
        );
        assert_eq!(
            self.nothing.stats().in_use,
            of(|held| matches!(held, Held::Nothing(_)))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn boxes_hold_what_was_put_into_them(ops in ops()) {
        for (cache, hardened) in [
            (ThreadCache::Auto, false),
            (ThreadCache::Rounds(2), false),
            (ThreadCache::Off, false),
            (ThreadCache::Auto, true),
        ] {
            let mut world = World::new(cache, hardened);
            for op in &ops {
                world.apply(op);
            }
            world.check();
            let (ledger, small) = (world.ledger, world.small.clone());
            drop(world);
            prop_assert_eq!((ledger.check(), small.stats().in_use), (Ok(()), 0));
            prop_assert_eq!(small.stats().faults, 0);
        }
    }
}

#[test]
fn limits_are_met_exactly() {
    let slab = Slab::<[u8; 1024]>::builder()
        .max_bytes(2 << 16)
        .thread_cache(ThreadCache::Off)
        .build()
        .unwrap();
    let mut held = Vec::new();
    while let Ok(boxed) = slab.try_insert([1; 1024]) {
        held.push(boxed);
    }
    let stats = slab.stats();
    assert_eq!((stats.slabs, stats.in_use, stats.free), (2, held.len(), 0));
    assert!(held.len() >= 120);
    drop(held.pop());
    assert!(slab.try_insert([2; 1024]).is_ok());
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let build = |change: fn(_) -> _| {
        let builder: thrifty_fixed_alloc::SlabBuilder<u64> = change(Slab::builder());
        builder.build().unwrap_err()
    };
    assert_eq!(build(|b| b.max_blocks(0)), ConfigError::NothingMayLive);
    assert_eq!(
        build(|b| b.thread_cache(ThreadCache::Rounds(0))),
        ConfigError::NoRounds
    );
    assert!(matches!(
        build(|b| b.max_bytes(65_535)),
        ConfigError::LimitBelowSlab { .. }
    ));
}

/// More bytes than a slab could have. There is no such value, but there is such a type.
#[cfg(target_pointer_width = "64")]
#[test]
fn a_type_that_is_too_large_is_refused() {
    type Huge = [u8; 1 << 60];
    let refused = Slab::<Huge>::try_new();
    assert!(matches!(refused, Err(ConfigError::TooLarge(_))));
}
