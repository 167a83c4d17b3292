//! Reclaiming through trait objects and pointers, and totals.

#![cfg(feature = "alloc")]

extern crate alloc;

use alloc::rc::Rc;
use alloc::sync::Arc;
use std::sync::Mutex;

use proptest::prelude::*;
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

const ITEM_BYTES: usize = 100;

/// Items in use, items of the working set, and items beyond it.
struct Stock(Mutex<[usize; 3]>);

impl Stock {
    fn new() -> Self {
        Self(Mutex::new([5, 3, 2]))
    }
}

impl MemoryUsage for Stock {
    fn memory_usage(&self) -> Usage {
        let [used, warm, cold] = *self.0.lock().expect("not poisoned");
        Usage::new()
            .with_in_use_bytes(used * ITEM_BYTES)
            .with_idle_bytes((warm + cold) * ITEM_BYTES)
            .with_reserved_bytes((used + warm + cold) * ITEM_BYTES + 64)
    }
}

impl Reclaim for Stock {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        let mut stock = self.0.lock().expect("not poisoned");
        let mut items = core::mem::take(&mut stock[2]);
        if pressure >= Pressure::Medium {
            items += core::mem::take(&mut stock[1]);
        }
        Reclaimed::new()
            .with_items(items)
            .with_bytes(items * ITEM_BYTES)
    }
}

/// Asks through the pointer itself, not through what it dereferences to.
fn ask<R: Reclaim>(component: R, pressure: Pressure) -> (Reclaimed, Usage) {
    let reclaimed = component.reclaim(pressure);
    (reclaimed, component.memory_usage())
}

#[test]
fn pointers_pass_the_call_on() {
    let low = Reclaimed::new().with_items(2).with_bytes(200);
    let left = Usage::new()
        .with_in_use_bytes(500)
        .with_idle_bytes(300)
        .with_reserved_bytes(864);
    let expected = (low, left);
    let mut stock = Stock::new();
    assert_eq!(ask(&stock, Pressure::Low), expected);
    assert_eq!(ask(&mut stock, Pressure::Low), (Reclaimed::new(), left));
    assert_eq!(stock.memory_usage(), left);
    assert_eq!(ask(Box::new(Stock::new()), Pressure::Low), expected);
    assert_eq!(ask(Arc::new(Stock::new()), Pressure::Low), expected);
    assert_eq!(
        ask(Box::new(Stock::new()) as Box<dyn Reclaim>, Pressure::Low),
        expected
    );
    assert_eq!(
        ask(Arc::new(Stock::new()) as Arc<dyn Reclaim>, Pressure::Low),
        expected
    );
    assert_eq!(ask(&Stock::new() as &dyn Reclaim, Pressure::Low), expected);

    // `Rc` cannot be a `Reclaim`, which has to be `Send`; it reports all the same.
    let shared: Rc<dyn MemoryUsage> = Rc::new(Stock::new());
    assert_eq!(MemoryUsage::memory_usage(&shared).in_use_bytes, 500);
    assert_eq!(MemoryUsage::memory_usage(&&shared).idle_bytes, 500);
}

#[test]
fn weak_handles_ask_while_the_component_lives() {
    let strong = Arc::new(Stock::new());
    let weak = Arc::downgrade(&strong);
    let object: alloc::sync::Weak<dyn Reclaim> = weak.clone();
    assert_eq!(weak.memory_usage(), strong.memory_usage());
    assert_eq!(weak.reclaim(Pressure::Low).items, 2);
    assert_eq!(object.reclaim(Pressure::Medium).items, 3);
    let boxed: Box<dyn Reclaim> = Box::new(object);
    assert_eq!(boxed.memory_usage().in_use_bytes, 500);
    drop(strong);
    assert_eq!(ask(weak, Pressure::High), Default::default());
    assert_eq!(ask(boxed, Pressure::High), Default::default());

    let strong = Rc::new(Stock::new());
    let weak: alloc::rc::Weak<dyn MemoryUsage> = Rc::<Stock>::downgrade(&strong);
    assert_eq!(weak.memory_usage().in_use_bytes, 500);
    drop(strong);
    assert_eq!(weak.memory_usage(), Usage::new());
}

/// A component that is its own last owner, until it is asked.
struct SelfOwned(Mutex<Option<Arc<Self>>>);

impl MemoryUsage for SelfOwned {
    fn memory_usage(&self) -> Usage {
        Usage::new()
    }
}

impl Reclaim for SelfOwned {
    fn reclaim(&self, _: Pressure) -> Reclaimed {
        let last = self.0.lock().expect("not poisoned").take();
        Reclaimed::new().with_items(usize::from(last.is_some()))
    }
}

#[test]
fn a_weak_handle_may_hold_the_component_for_the_last_time() {
    let strong = Arc::new(SelfOwned(Mutex::new(None)));
    let weak = Arc::downgrade(&strong);
    *strong.0.lock().expect("not poisoned") = Some(Arc::clone(&strong));
    drop(strong);
    assert_eq!(weak.strong_count(), 1);
    assert_eq!(weak.reclaim(Pressure::Low).items, 1);
    assert_eq!(weak.strong_count(), 0);
}

#[test]
fn a_controller_needs_objects_only() {
    let components: Vec<Arc<dyn Reclaim>> = vec![Arc::new(Stock::new()), Arc::new(Stock::new())];
    let freed = |pressure| {
        components
            .iter()
            .map(|c| c.reclaim(pressure))
            .sum::<Reclaimed>()
    };
    assert_eq!(freed(Pressure::Low).items, 4);
    assert!(freed(Pressure::Low).is_nothing());
    assert_eq!(freed(Pressure::High).items, 6);
    let left: Usage = components.iter().map(MemoryUsage::memory_usage).sum();
    assert_eq!(
        (left.in_use_bytes, left.idle_bytes, left.overhead_bytes()),
        (1000, 0, 128)
    );
}

#[test]
fn pressures_are_ordered_and_named() {
    assert!(Pressure::Low < Pressure::Medium && Pressure::Medium < Pressure::High);
    assert_eq!(
        Pressure::ALL.map(|pressure| pressure.to_string()),
        ["low", "medium", "high"]
    );
    assert_eq!(format!("{:>8}|", Pressure::High), "    high|");
}

#[test]
fn numbers_read_well() {
    let one = Reclaimed::new().with_bytes(1).with_items(1);
    assert_eq!(one.to_string(), "1 B in 1 item");
    assert_eq!(Reclaimed::new().to_string(), "0 B in 0 items");
    assert_eq!(
        Usage::new().to_string(),
        "0 B in use, 0 B idle, 0 B reserved"
    );
}

#[test]
fn texts_take_the_width_that_they_are_given() {
    let one = Reclaimed::new().with_bytes(1).with_items(1);
    assert_eq!(
        format!("{one:>16}|{one:16}|"),
        "   1 B in 1 item|1 B in 1 item   |"
    );
    assert_eq!(
        format!("{one:*^16}|{one:3}|"),
        "*1 B in 1 item**|1 B in 1 item|"
    );
    let text = "0 B in use, 0 B idle, 0 B reserved";
    assert_eq!(format!("{:é<36}", Usage::new()), format!("{text}éé"));
    assert_eq!(format!("{:>36}", Usage::new()), format!("  {text}"));
}

/// Small numbers and numbers near the maximum.
fn bytes() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..1000_usize,
        usize::MAX - 1000..=usize::MAX,
        any::<usize>()
    ]
}

proptest! {
    /// Sums against sums in 128 bits.
    #[test]
    fn totals_saturate(items in proptest::collection::vec((bytes(), bytes(), bytes()), 0..6)) {
        let total = |number: fn(&(usize, usize, usize)) -> usize| {
            let exact: u128 = items.iter().map(|item| number(item) as u128).sum();
            usize::try_from(exact).unwrap_or(usize::MAX)
        };
        let (first, second, third) = (total(|i| i.0), total(|i| i.1), total(|i| i.2));

        let usages: Vec<_> = items
            .iter()
            .map(|item| Usage::new()
                .with_in_use_bytes(item.0)
                .with_idle_bytes(item.1)
                .with_reserved_bytes(item.2))
            .collect();
        let sum: Usage = usages.iter().sum();
        prop_assert_eq!(
            (sum.in_use_bytes, sum.idle_bytes, sum.reserved_bytes),
            (first, second, third)
        );
        prop_assert_eq!(usages.iter().copied().sum::<Usage>(), sum);
        let mut added = Usage::default();
        for usage in usages {
            added += usage;
        }
        prop_assert_eq!(added, sum);
        let overhead = (third as u128).saturating_sub(first as u128 + second as u128);
        prop_assert_eq!(sum.overhead_bytes() as u128, overhead);

        let freed: Reclaimed = items
            .iter()
            .map(|item| Reclaimed::new().with_bytes(item.0).with_items(item.1))
            .sum();
        prop_assert_eq!((freed.bytes, freed.items), (first, second));
    }
}
