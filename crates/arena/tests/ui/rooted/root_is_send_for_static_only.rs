use std::{marker::PhantomData, rc::Rc};
use thrifty_arena::{Arena, Rooted, family};

struct Odd<'a>(PhantomData<(&'a (), Rc<u8>)>);

unsafe impl Send for Odd<'static> {}
unsafe impl Sync for Odd<'static> {}

family! {
    /// It stands for any lifetime, not for `'static`.
    Odds<'a> = Odd<'a>;
}

fn send<T: Send>(_: &T) {}

fn sync<T: Sync>(_: &T) {}

fn main() {
    let rooted = Rooted::<Odds>::new(Arena::new(), |_| Odd(PhantomData));
    send(&rooted);
    sync(&rooted);
}
