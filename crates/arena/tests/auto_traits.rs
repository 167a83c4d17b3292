//! Which auto traits the types have.

use std::{marker::PhantomData, rc::Rc};

use thrifty_arena::{
    Arena, ArenaBox, ArenaBuilder, ArenaStats, ArenaString, ArenaVec, BufArena, Burst, FormatError,
    IntoIter, Retain, Scope, TypedArena,
};

thrifty_testkit::auto_traits! {
    Arena: [Send !Sync Unpin],
    Arena<1>: [Send !Sync Unpin],
    BufArena<'static>: [Send !Sync],
    Scope<'static>: [!Send !Sync],
    ArenaBuilder: [Send Sync Copy],
    ArenaStats: [Send Sync Copy],
    Retain: [Send Sync Copy],
    FormatError: [Send Sync],
    ArenaBox<'static, u8>: [Send Sync Unpin],
    ArenaBox<'static, Rc<u8>>: [!Send !Sync],
    ArenaBox<'static, std::cell::Cell<u8>>: [Send !Sync],
    ArenaBox<'static, dyn Fn() + Send>: [Send !Sync],
    ArenaVec<'static, u8>: [!Send !Sync],
    ArenaString<'static>: [!Send !Sync],
    IntoIter<'static, u8>: [!Send !Sync],
    Burst<'static, u8>: [!Send !Sync],
    TypedArena<u8>: [Send !Sync],
    TypedArena<Rc<u8>>: [!Send !Sync],
}

#[test]
fn an_arena_goes_to_another_thread() {
    let mut arena = Arena::new();
    arena.alloc(PhantomData::<Rc<u8>>);
    arena.reset();
    let sum = std::thread::spawn(move || *arena.alloc(1) + *arena.alloc(2)).join();
    assert_eq!(sum.unwrap(), 3);
}
