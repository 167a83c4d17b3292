//! Boxes own their values: dropped once, on any thread, in panics too; and find their slabs.

use std::any::Any;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use thrifty_fixed_alloc::{InsertError, Pressure, Slab, SlabBox, unsize};
use thrifty_testkit::{Fuse, Ledger, Sweep, Tracked, message, quietly};

fn in_use<T>(slab: &Slab<T>) -> usize {
    slab.stats().in_use
}

#[test]
fn a_value_is_dropped_with_its_box() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let boxes: Vec<SlabBox<Tracked<u32>>> =
        (0..5000).map(|n| slab.insert(ledger.track(n))).collect();
    assert!(boxes.iter().zip(0..).all(|(boxed, n)| ***boxed == n));
    assert_eq!((ledger.live(), in_use(&slab)), (5000, 5000));
    drop(boxes);
    assert_eq!((ledger.live(), in_use(&slab)), (0, 0));
    assert_eq!(ledger.check(), Ok(()));
    slab.trim(Pressure::High);
    assert_eq!(slab.stats().slabs, 0);
}

#[test]
fn a_box_outlives_its_slab() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let (a, b) = (slab.insert(ledger.track(1)), slab.insert(ledger.track(2)));
    let weak = slab.downgrade();
    drop(a);
    drop(slab);
    assert!(weak.upgrade().is_none());
    assert_eq!(**b, 2);
    drop(b);
    assert_eq!(ledger.check(), Ok(()));
}

#[test]
fn values_leave_their_boxes() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let value = SlabBox::into_inner(slab.insert(ledger.track(1)));
    assert_eq!((ledger.live(), in_use(&slab)), (1, 0));
    let (value, place) = SlabBox::take(slab.insert(value));
    assert_eq!((ledger.live(), in_use(&slab)), (1, 1));
    let address = place.as_ptr();
    let boxed = SlabBox::write(place, value);
    assert_eq!(SlabBox::as_ptr(&boxed), address, "the same block");
    drop(boxed);
    drop(slab.uninit());
    assert_eq!((ledger.live(), in_use(&slab)), (0, 0));
}

struct DropPanics(Fuse);

impl Drop for DropPanics {
    fn drop(&mut self) {
        self.0.call();
    }
}

#[test]
fn a_block_goes_back_when_its_value_panics_in_drop() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("bad");
        }
    }
    let slab = Slab::new();
    let (one, two) = (slab.insert(Bad), slab.insert(Bad));
    let payload = quietly(AssertUnwindSafe(|| drop(one))).unwrap_err();
    assert_eq!((message(&*payload).as_str(), in_use(&slab)), ("bad", 1));
    let shown = unsize!(two => dyn Send);
    assert!(quietly(AssertUnwindSafe(|| drop(shown))).is_err());
    assert_eq!(in_use(&slab), 0);
}

#[test]
fn no_panic_of_a_drop_loses_a_block() {
    let (fuse, slab) = (Fuse::new(), Slab::new());
    let swept = Sweep::over(&fuse)
        .unchanged("in use", || in_use(&slab))
        .run(|| {
            let boxes: Vec<_> = (0..4)
                .map(|_| slab.insert(DropPanics(fuse.clone())))
                .collect();
            drop(boxes);
        });
    assert_eq!((swept.sites, swept.unwound), (4, 4));
}

#[test]
fn a_closure_that_fails_or_panics_gives_the_block_back() {
    let slab = Slab::<String>::new();
    let failed = slab.try_insert_with(|| Err("no"));
    assert_eq!(failed.unwrap_err(), InsertError::Failed("no"));
    let shared = AssertUnwindSafe(&slab);
    assert!(quietly(|| shared.insert_with(|| panic!("no"))).is_err());
    assert_eq!(in_use(&slab), 0);
    let nested = slab.insert_with(|| slab.insert(String::from("in")).to_uppercase());
    assert_eq!((nested.as_str(), in_use(&slab)), ("IN", 1));
}

#[test]
fn a_full_slab_gives_the_value_back() {
    let ledger = Ledger::new();
    let slab = Slab::builder().max_blocks(2).build().unwrap();
    let held = [slab.insert(ledger.track(0)), slab.insert(ledger.track(1))];
    let rejected = slab.try_insert(ledger.track(2)).unwrap_err();
    assert_eq!(*rejected.value, 2);
    let mut called = false;
    let made = slab.try_insert_with(|| {
        called = true;
        Ok::<_, ()>(ledger.track(3))
    });
    assert!(matches!(made, Err(InsertError::NoRoom(_))) && !called);
    let shared = AssertUnwindSafe((&slab, &ledger));
    let payload = quietly(|| shared.0.0.insert(shared.0.1.track(4))).unwrap_err();
    assert!(message(&*payload).starts_with("cannot allocate"));
    drop(held);
    assert!(slab.try_insert(rejected.into_value()).is_ok());
    assert_eq!(ledger.live(), 0);
}

#[test]
fn values_of_no_bytes_count() {
    struct Nothing;
    let slab = Slab::builder().max_blocks(2).build().unwrap();
    let (a, b) = (slab.insert(Nothing), slab.insert(Nothing));
    assert!(slab.try_insert(Nothing).is_err());
    assert_eq!(in_use(&slab), 2);
    let a = unsize!(a => dyn Any);
    assert!(a.is::<Nothing>());
    drop((a, b));
    assert_eq!(in_use(&slab), 0);

    #[repr(align(256))]
    struct Aligned;
    let slab = Slab::new();
    let (a, b) = (slab.insert(Aligned), slab.insert(Aligned));
    for boxed in [&a, &b] {
        assert_eq!(SlabBox::as_ptr(boxed).addr() % 256, 0);
    }
}

#[test]
fn alignment_is_that_of_the_type() {
    #[repr(align(4096))]
    struct Page([u8; 5000]);
    let slab = Slab::new();
    let pages: Vec<_> = (0..50).map(|n| slab.insert(Page([n; 5000]))).collect();
    for (page, n) in pages.iter().zip(0..) {
        assert_eq!(SlabBox::as_ptr(page).addr() % 4096, 0);
        assert!(page.0.iter().all(|&byte| byte == n));
    }
    let page = unsize!(pages.into_iter().next_back().unwrap() => dyn Any);
    assert_eq!(page.downcast::<Page>().unwrap().0[0], 49);
    assert_eq!(in_use(&slab), 0);
}

#[test]
fn large_values_find_their_slabs() {
    let slab = Slab::new();
    let large: Vec<_> = (0..9_u8)
        .map(|n| slab.insert_with(|| [n; 200_000]))
        .collect();
    let slices: Vec<SlabBox<[u8]>> = large
        .into_iter()
        .map(|boxed| unsize!(boxed => [u8]))
        .collect();
    assert!(
        slices
            .iter()
            .zip(0..)
            .all(|(slice, n)| slice.len() == 200_000 && slice[199_999] == n)
    );
    drop(slices);
    assert_eq!(in_use(&slab), 0);
}

#[test]
fn trait_objects_of_different_slabs_go_home() {
    let (numbers, names) = (Slab::new(), Slab::new());
    let mut shown: Vec<SlabBox<dyn Display + Send>> = Vec::new();
    for n in 0..200_u8 {
        shown.push(unsize!(numbers.insert(n) => dyn Display + Send));
        shown.push(unsize!(names.insert(format!("n{n}")) => dyn Display + Send));
    }
    assert_eq!((in_use(&numbers), in_use(&names)), (200, 200));
    assert_eq!(shown[399].to_string(), "n199");
    std::thread::spawn(move || drop(shown)).join().unwrap();
    assert_eq!((in_use(&numbers), in_use(&names)), (0, 0));
}

#[test]
fn an_unsizing_closure_that_panics_loses_nothing() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let boxed = AssertUnwindSafe(slab.insert(ledger.track(1)));
    let result = quietly(|| {
        let boxed = boxed;
        let _: SlabBox<dyn Any> = SlabBox::unsize(boxed.0, |_| panic!("no"));
    });
    assert!(result.is_err());
    assert_eq!((ledger.live(), in_use(&slab)), (0, 0));
}

#[test]
fn boxes_do_what_their_values_do() {
    let slab = Slab::new();
    let (a, b) = (slab.insert(1), slab.insert(2));
    assert!(a < b && a != b && a.cmp(&b).is_lt());
    assert_eq!(format!("{a} {b:?}"), "1 2");
    assert_eq!(format!("{a:p}"), format!("{:p}", SlabBox::as_ptr(&a)));
    let set: std::collections::HashSet<SlabBox<i32>> = [a, b].into();
    assert!(set.contains(&2));

    let mut odd = unsize!(Slab::new().insert((0..10).filter(|n| n % 2 == 1)) => dyn DoubleEndedIterator<Item = i32>);
    assert_eq!(
        (odd.next(), odd.next_back(), odd.nth(1)),
        (Some(1), Some(9), Some(5))
    );
    assert_eq!(Slab::new().insert(0..4).len(), 4);

    let error = unsize!(Slab::new().insert(InsertError::Failed("x".parse::<u8>().unwrap_err())) => dyn std::error::Error);
    assert!(std::error::Error::source(&error).is_some());
    let mut pair = Slab::new().insert([1, 2]);
    AsMut::<[i32; 2]>::as_mut(&mut pair)[0] = 5;
    assert_eq!(*AsRef::<[i32; 2]>::as_ref(&pair), [5, 2]);
    fn show(value: &dyn Debug) -> String {
        format!("{value:?}")
    }
    assert_eq!(show(&pair), "[5, 2]");
}

#[test]
fn futures_are_polled_in_their_boxes() {
    let slab = Slab::new();
    let future = async {
        let number = pin!(std::future::ready(4)).await;
        number + 1
    };
    type Task = Pin<SlabBox<dyn Future<Output = i32> + Send>>;
    let mut task: Task = unsize!(slab.insert(future) => dyn Future<Output = i32> + Send).into();
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(task.as_mut().poll(&mut context), Poll::Ready(5));
    drop(task);
    assert_eq!(slab.stats().in_use, 0);
    let mut ready = slab_of_ready();
    assert_eq!(Pin::new(&mut ready).poll(&mut context), Poll::Ready(1));
}

fn slab_of_ready() -> SlabBox<std::future::Ready<u8>> {
    Slab::new().insert(std::future::ready(1))
}

#[test]
fn values_may_borrow() {
    let text = String::from("a b c");
    let words: Vec<SlabBox<&str>> = {
        let slab = Slab::new();
        text.split(' ').map(|word| slab.insert(word)).collect()
    };
    assert_eq!(*words[2], "c");
}

#[test]
fn boxes_go_to_other_threads_and_back() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let (send, receive) = mpsc::channel::<SlabBox<Tracked<u64>>>();
    let (back, returned) = mpsc::channel();
    std::thread::scope(|scope| {
        let there = scope.spawn(move || {
            for (turn, boxed) in receive.into_iter().enumerate() {
                if turn % 2 == 0 {
                    back.send(boxed).unwrap();
                }
            }
        });
        for n in 0..20_000 {
            send.send(slab.insert(ledger.track(n))).unwrap();
        }
        drop(send);
        there.join().unwrap();
    });
    let sum: u64 = returned.into_iter().map(|boxed| **boxed).sum();
    assert_eq!(sum, (0..10_000).map(|n| 2 * n).sum());
    assert_eq!((ledger.live(), in_use(&slab)), (0, 0));
}

thread_local! {
    static KEPT: std::cell::RefCell<Vec<SlabBox<String>>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Inserts and drops while its thread ends.
struct AtEnd(Slab<String>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        let boxed = self.0.insert(String::from("late"));
        assert_eq!(*boxed, "late");
    }
}

thread_local! {
    static AT_END: std::cell::RefCell<Vec<AtEnd>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[test]
fn destructors_of_thread_locals_may_use_slabs() {
    let slab = Slab::new();
    for first in [true, false] {
        let slab = slab.clone();
        let thread = std::thread::spawn(move || {
            let touch = || drop(slab.insert(String::new()));
            if first {
                touch();
            }
            AT_END.with_borrow_mut(|all| all.push(AtEnd(slab.clone())));
            KEPT.with_borrow_mut(|all| all.push(slab.insert(String::from("kept"))));
            touch();
        });
        thread.join().unwrap();
    }
    assert_eq!(in_use(&slab), 0);
}

#[test]
fn raw_pointers_become_boxes_again() {
    let slab = Slab::new();
    let raw = SlabBox::into_raw(unsize!(slab.insert(String::from("raw")) => dyn Display));
    assert_eq!(in_use(&slab), 1);
    #[expect(unsafe_code, reason = "this is what it is for")]
    // SAFETY: from `into_raw`, once.
    let boxed = unsafe { SlabBox::from_raw(raw) };
    assert_eq!(boxed.to_string(), "raw");
    drop(boxed);
    assert_eq!(in_use(&slab), 0);
}

#[test]
fn a_hardened_slab_sees_a_write_to_a_value_that_is_gone() {
    let slab = Slab::builder()
        .hardened(true)
        .name("numbers")
        .build()
        .unwrap();
    let keeper = slab.insert([1_u64; 4]);
    let gone = slab.insert([2_u64; 4]);
    let value = SlabBox::as_ptr(&gone).cast_mut();
    drop(gone);
    if cfg!(thrifty_asan) {
        return;
    }
    #[expect(unsafe_code, reason = "what must be seen")]
    // SAFETY: none but that the slab is still there, because of `keeper`.
    unsafe {
        value.cast::<u64>().write(7);
    };
    let shared = AssertUnwindSafe(&slab);
    let said = message(&*quietly(|| drop(shared.insert([3; 4]))).unwrap_err());
    assert!(
        said.starts_with("use after free") && said.contains("in numbers"),
        "{said}"
    );
    let next = slab.insert([4; 4]);
    assert_eq!((*next, *keeper, in_use(&slab)), ([4; 4], [1; 4], 2));
}
