//! What a ledger sees: losses, second drops, uses after, on any thread.
#![expect(unsafe_code, reason = "drops values twice, to see it noticed")]

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr;

use thrifty_testkit::{Ledger, Tracked, garbage_met, message, quietly, together};

fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    match quietly(f) {
        Ok(_) => panic!("no panic"),
        Err(payload) => message(&*payload),
    }
}

#[test]
fn values_that_come_and_go_balance() {
    let ledger = Ledger::new();
    // Past the ends of the first segments of its table: 64, 192, 448.
    let mut all: Vec<_> = (0..500).map(|number| ledger.track(number)).collect();
    assert!(
        all.iter()
            .zip(0..)
            .all(|(value, serial)| value.serial() == serial)
    );
    *all[3] += 100;
    assert_eq!(all.swap_remove(3).into_inner(), 103);
    assert_eq!((ledger.born(), ledger.dead(), ledger.live()), (500, 1, 499));
    let twin = all[0].clone();
    assert_eq!((&twin, twin.serial()), (&all[0], 500));
    drop(all);
    assert_eq!(ledger.live(), 1);
    drop(twin);
    ledger.assert_balanced();
}

#[test]
fn a_lost_value_is_named() {
    let ledger = Ledger::new();
    let mut kept: Vec<_> = (0..70).map(|number| ledger.track(number)).collect();
    kept.truncate(68);
    let lost: Vec<_> = kept.drain(65..).map(ManuallyDrop::new).collect();
    kept.clear();
    assert_eq!(
        ledger.check().unwrap_err(),
        "3 of 70 values were never dropped: #65, #66, #67"
    );
    assert!(panic_of(|| ledger.assert_balanced()).starts_with("3 of 70"));
    lost.into_iter()
        .for_each(|value| drop(ManuallyDrop::into_inner(value)));
    ledger.assert_balanced();
}

#[test]
fn a_second_drop_in_place_is_caught_and_the_value_is_dropped_once() {
    let ledger = Ledger::new();
    let counted = std::rc::Rc::new(());
    let mut value = ManuallyDrop::new(ledger.track(std::rc::Rc::clone(&counted)));
    // SAFETY: not dropped yet.
    unsafe { ManuallyDrop::drop(&mut value) };
    // SAFETY: broken on purpose; the bytes are still there, which is what a `Tracked` needs.
    let said = panic_of(|| unsafe { ManuallyDrop::drop(&mut value) });
    assert_eq!(said, "value #0 is dropped twice");
    assert_eq!(
        panic_of(|| value.serial()),
        "value #0 is used after its drop"
    );
    assert_eq!(std::rc::Rc::strong_count(&counted), 1);
    assert_eq!(ledger.live(), 0);
    assert!(ledger.check().unwrap_err().contains("dropped twice"));
}

#[test]
fn a_second_drop_through_a_copy_is_caught() {
    let ledger = Ledger::new();
    let value = ManuallyDrop::new(ledger.track("bits"));
    // SAFETY: valid for reads; the copy is a second owner on purpose, which `Tracked` stands.
    let copy = unsafe { ptr::read(&raw const *value) };
    drop(ManuallyDrop::into_inner(value));
    assert_eq!(panic_of(|| copy.len()), "value #0 is used after its drop");
    assert_eq!(panic_of(|| drop(copy)), "value #0 is dropped twice");
    assert_eq!((ledger.born(), ledger.dead()), (1, 1));
}

#[test]
fn taking_out_a_value_that_is_gone_is_caught() {
    let ledger = Ledger::new();
    let value = ManuallyDrop::new(ledger.track(1));
    // SAFETY: as above.
    let copy = unsafe { ptr::read(&raw const *value) };
    assert_eq!(ManuallyDrop::into_inner(value).into_inner(), 1);
    assert_eq!(panic_of(|| copy.into_inner()), "value #0 is dropped twice");
}

#[test]
fn bytes_that_never_were_a_value_are_recognised() {
    let mut place = MaybeUninit::<Tracked<u64>>::zeroed();
    for byte in [0, thrifty_testkit::FRESH, thrifty_testkit::FREED] {
        // SAFETY: valid for a value's bytes; exclusive: it is on this stack.
        unsafe { place.as_mut_ptr().write_bytes(byte, 1) };
        // SAFETY: valid in the sense that any bytes are a `Tracked` of integers, a raw pointer and
        // a `MaybeUninit`; shared: nobody writes meanwhile.
        let value = unsafe { place.assume_init_ref() };
        assert!(panic_of(|| value.serial()).starts_with("no tracked value is here"));
        // SAFETY: any bytes will do, as above, and there is nothing that could be dropped twice.
        let said = panic_of(|| unsafe { place.assume_init_drop() });
        assert!(
            said.starts_with("what is dropped is no tracked value"),
            "{said}"
        );
    }
}

#[test]
fn a_second_drop_while_unwinding_is_noted() {
    let ledger = Ledger::new();
    let value = ManuallyDrop::new(ledger.track(1));
    // SAFETY: as above.
    let copy = unsafe { ptr::read(&raw const *value) };
    drop(ManuallyDrop::into_inner(value));
    let said = panic_of(move || {
        let _copy = copy;
        panic!("the first one");
    });
    assert_eq!(said, "the first one");
    assert_eq!(ledger.check().unwrap_err(), "value #0 is dropped twice");
}

#[test]
fn threads_make_and_drop_each_other_s_values() {
    let ledger = Ledger::new();
    let values: Vec<Vec<_>> = together(4, |thread| {
        (0..1000)
            .map(|number| ledger.track((thread, number)))
            .collect()
    });
    assert_eq!((ledger.born(), ledger.live()), (4000, 4000));
    let values = std::sync::Mutex::new(values);
    together(4, |_| {
        let mine = values.lock().unwrap().pop();
        assert_eq!(mine.map(|mine| mine.len()), Some(1000));
    });
    ledger.assert_balanced();
}

#[test]
fn of_threads_that_drop_one_value_all_but_one_are_caught() {
    for _ in 0..100 {
        let ledger = Ledger::new();
        let value = ManuallyDrop::new(ledger.track(1_u32));
        // SAFETY: as above; the copies are the same bytes on four threads.
        let copies =
            [(); 4].map(|()| std::sync::Mutex::new(Some(unsafe { ptr::read(&raw const *value) })));
        let caught = together(4, |index| {
            let copy = copies[index].lock().unwrap().take();
            quietly(|| drop(copy)).is_err()
        });
        assert_eq!(caught.iter().filter(|caught| **caught).count(), 3);
        assert_eq!(ledger.dead(), 1);
    }
}

#[test]
fn the_living_can_be_counted_while_others_come_and_go() {
    let ledger = Ledger::new();
    let most = together(3, |index| match index {
        0 => (0..200_000).map(|_| ledger.live()).max(),
        _ => (0..50_000).map(|_| drop(ledger.track(1))).map(|()| 0).max(),
    });
    assert!(most[0] <= Some(100_000), "{most:?}");
}

#[test]
fn garbage_is_the_business_of_the_ledgers_of_its_thread() {
    let before = Ledger::new();
    let place = MaybeUninit::<Tracked<u64>>::zeroed();
    // SAFETY: valid in the sense that any bytes are a `Tracked`; shared: nobody writes.
    let value = unsafe { place.assume_init_ref() };
    let elsewhere = std::thread::spawn(Ledger::new).join().unwrap();
    assert!(panic_of(|| value.serial()).starts_with("no tracked value is here"));
    let said = before.check().unwrap_err();
    assert!(said.starts_with("1 drops or uses of bytes"), "{said}");
    assert!(garbage_met() > 0);
    Ledger::new().assert_balanced();
    elsewhere.assert_balanced();
}

#[test]
fn garbage_of_threads_together_is_their_starter_s() {
    let ledger = Ledger::new();
    let swallowed = quietly(|| {
        together(2, |_| {
            // SAFETY: valid in the sense that any bytes are a `Tracked`.
            let _garbage = unsafe { MaybeUninit::<Tracked<u64>>::zeroed().assume_init() };
            std::panic::resume_unwind(Box::new("on purpose"));
        })
    });
    assert_eq!(message(&*swallowed.unwrap_err()), "on purpose");
    let said = ledger.check().unwrap_err();
    assert!(said.starts_with("2 drops or uses of bytes"), "{said}");
}

#[test]
fn ledgers_are_apart() {
    let (one, other) = (Ledger::new(), Ledger::new());
    let value = one.track(1);
    drop(other.track(1));
    assert_eq!((one.live(), other.live()), (1, 0));
    drop(value);
}

thrifty_testkit::auto_traits! {
    Ledger: [Send Sync Copy Unpin],
    Tracked<u8>: [Send Sync !Copy Unpin],
    Tracked<std::cell::Cell<u8>>: [Send !Sync],
    Tracked<std::rc::Rc<u8>>: [!Send !Sync],
    Tracked<std::sync::MutexGuard<'static, u8>>: [!Send Sync],
    Tracked<std::marker::PhantomPinned>: [!Unpin],
}
