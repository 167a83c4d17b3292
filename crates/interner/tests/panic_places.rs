//! Panicking forms say where they were called, not where they are written.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use thrifty_interner::{Interner, LocalInterner, Sym, Symbol};

thread_local! {
    static IS_ON_PURPOSE: Cell<bool> = const { Cell::new(false) };
    static PLACE: Cell<Option<(String, u32)>> = const { Cell::new(None) };
}

/// The line where a closure panics, if that is in this file.
fn line_of(work: impl FnOnce()) -> u32 {
    IS_ON_PURPOSE.set(true);
    assert!(panic::catch_unwind(AssertUnwindSafe(work)).is_err());
    IS_ON_PURPOSE.set(false);
    let (file, line) = PLACE.take().expect("it has panicked");
    assert!(file.ends_with("panic_places.rs"), "{file}:{line}");
    line
}

// One test, since the hook is the process's.
#[test]
fn panics_name_the_line_of_the_call() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !IS_ON_PURPOSE.get() {
            usual(info);
        }
        let place = info.location().map(|at| (at.file().to_owned(), at.line()));
        PLACE.set(place);
    }));
    let full: Interner = Interner::builder().max_symbols(1).build();
    full.intern("a");
    assert_eq!(line_of(|| _ = full.intern("b")), line!());
    assert_eq!(line_of(|| _ = full.intern_static("b")), line!());
    assert_eq!(line_of(|| _ = full.intern_with_status("b")), line!());
    assert_eq!(line_of(|| _ = full.intern_utf8(b"b")), line!());
    assert_eq!(line_of(|| full.intern_many(["b"], &mut vec![])), line!());
    let unknown = Sym::try_from_index(7).unwrap();
    assert_eq!(line_of(|| _ = full.resolve(unknown)), line!());
    let mut full = full;
    assert_eq!(line_of(|| full.extend(["b"])), line!());
    let mut local: LocalInterner = LocalInterner::builder().max_symbols(1).build();
    local.intern("a");
    assert_eq!(line_of(|| _ = local.intern("b")), line!());
    assert_eq!(line_of(|| _ = local.resolve(unknown)), line!());
    assert_eq!(line_of(|| local.extend(["b"])), line!());
}
