//! Boxes, arrays, cells and locks: values that hold one or a few others.

#![cfg(feature = "std")]

use core::cell::{Cell, OnceCell, RefCell};
use core::marker::PhantomData;
use core::panic::AssertUnwindSafe;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::panic::catch_unwind;
use std::sync::{Mutex, OnceLock, RwLock};

use thrifty_traits::Reset;

#[test]
fn boxes_are_reset_in_place() {
    let mut boxed = Box::new(vec![1_u32, 2, 3]);
    let (address, capacity) = (&raw const *boxed, boxed.capacity());
    boxed.reset();
    assert_eq!(
        (&raw const *boxed, boxed.len(), boxed.capacity()),
        (address, 0, capacity)
    );
    assert_eq!(boxed.retained_bytes(), size_of::<Vec<u32>>() + 4 * capacity);
}

#[test]
fn slices_keep_their_length_and_reset_their_elements() {
    let mut slice: Box<[String]> = Box::new(["one".to_owned(), "three".to_owned()]);
    slice.reset();
    assert_eq!(*slice, ["", ""]);
    let text = slice.iter().map(String::capacity).sum::<usize>();
    assert!(text >= 8);
    assert_eq!(slice.retained_bytes(), 2 * size_of::<String>() + text);

    let mut array = [[1_u8; 2]; 3];
    array.reset();
    assert_eq!(array, [[0; 2]; 3]);
    let mut empty: [String; 0] = [];
    empty.reset();
    assert_eq!(empty.retained_bytes(), 0);
}

#[test]
fn trait_objects_can_be_reset() {
    let mut shelf: Vec<Box<dyn Reset>> = vec![Box::new(7_u64), Box::new(String::with_capacity(9))];
    for value in &mut shelf {
        value.reset();
    }
    assert_eq!(shelf[0].retained_bytes(), 8);
    assert!(shelf[1].retained_bytes() >= size_of::<String>() + 9);
}

#[test]
fn options_and_once_cells_drop_what_they_hold() {
    let mut option = Some(vec![1]);
    assert_eq!(option.retained_bytes(), 0);
    option.reset();
    assert_eq!(option, None);

    let mut cell = OnceCell::from(vec![1]);
    cell.reset();
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_init(|| vec![2]), &[2]);

    let mut lock = OnceLock::from(vec![1]);
    lock.reset();
    assert_eq!(lock.get(), None);
    assert_eq!(lock.get_or_init(|| vec![2]), &[2]);
}

#[test]
fn cells_are_reset_through_exclusive_access() {
    let mut cell = Cell::new((5_u8, [true; 2]));
    cell.reset();
    assert_eq!(cell.get(), (0, [false; 2]));

    let mut cell = RefCell::new(vec![1_u8; 10]);
    let capacity = cell.get_mut().capacity();
    cell.reset();
    assert!(cell.borrow().is_empty());
    assert_eq!(cell.retained_bytes(), capacity);
    let guard = cell.borrow_mut();
    assert_eq!(
        cell.retained_bytes(),
        0,
        "the value cannot be seen while it is borrowed"
    );
    drop(guard);

    // Any type at all may be the parameter of the marker.
    PhantomData::<dyn Fn() -> str>.reset();
}

/// Poisons a lock by panicking inside `hold`.
fn poison(hold: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(hold)).expect_err("the panic poisons the lock");
}

#[test]
fn a_mutex_is_emptied_and_cured() {
    let mut mutex = Mutex::new(vec![1_u8; 10]);
    let capacity = mutex.get_mut().unwrap().capacity();
    poison(|| {
        let _guard = mutex.lock();
        panic!("while holding the lock");
    });
    assert!(mutex.is_poisoned());
    assert_eq!(mutex.retained_bytes(), capacity);
    mutex.reset();
    assert!(!mutex.is_poisoned());
    let guard = mutex.lock().unwrap();
    assert!(guard.is_empty());
    assert_eq!(
        mutex.retained_bytes(),
        0,
        "the value cannot be seen while it is locked"
    );
    drop(guard);
    assert_eq!(mutex.retained_bytes(), capacity);
}

#[test]
fn a_rw_lock_is_emptied_and_cured() {
    let mut lock = RwLock::new(vec![1_u8; 10]);
    let capacity = lock.get_mut().unwrap().capacity();
    poison(|| {
        let _guard = lock.write();
        panic!("while holding the lock");
    });
    assert!(lock.is_poisoned());
    assert_eq!(lock.retained_bytes(), capacity);
    lock.reset();
    assert!(!lock.is_poisoned());
    assert!(lock.read().unwrap().is_empty());
    let reader = lock.read().unwrap();
    assert_eq!(
        lock.retained_bytes(),
        capacity,
        "readers do not hide the value"
    );
    drop(reader);
    let writer = lock.write().unwrap();
    assert_eq!(
        lock.retained_bytes(),
        0,
        "the value cannot be seen while it is locked"
    );
    drop(writer);
}

#[test]
#[expect(clippy::mem_forget, reason = "the test is about leaked guards")]
fn a_leaked_guard_outlives_the_reset() {
    let mut mutex = Mutex::new(1_u8);
    core::mem::forget(mutex.lock());
    mutex.reset();
    assert!(mutex.try_lock().is_err());
    assert_eq!(mutex.into_inner().unwrap(), 0);

    let mut lock = RwLock::new(1_u8);
    core::mem::forget(lock.read());
    lock.reset();
    assert!(lock.try_write().is_err());
    assert_eq!(*lock.try_read().unwrap(), 0);
}

#[test]
fn a_poisoned_mutex_stays_poisoned_when_its_reset_panics() {
    struct Stubborn;

    impl Reset for Stubborn {
        fn reset(&mut self) {
            panic!("not today");
        }
    }

    let mut mutex = Mutex::new(Stubborn);
    poison(|| {
        let _guard = mutex.lock();
        panic!("while holding the lock");
    });
    poison(|| mutex.reset());
    assert!(mutex.is_poisoned());
}

#[test]
fn a_cursor_starts_over() {
    let mut cursor = Cursor::new(Vec::with_capacity(64));
    cursor.write_all(b"previous request").unwrap();
    let capacity = cursor.get_ref().capacity();
    cursor.reset();
    assert_eq!((cursor.position(), cursor.get_ref().len()), (0, 0));
    assert_eq!(cursor.retained_bytes(), capacity);
    // A write past the end pads with zeros, not with what was there before.
    cursor.seek(SeekFrom::Start(3)).unwrap();
    cursor.write_all(b"!").unwrap();
    cursor.rewind().unwrap();
    let mut read = Vec::new();
    cursor.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"\0\0\0!");
}
