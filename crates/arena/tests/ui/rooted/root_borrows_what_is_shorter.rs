use thrifty_arena::{Arena, Rooted};

fn main() {
    let local = String::from("gone first");
    let mut text = Rooted::<&'static str>::new(Arena::new(), |_| &*local);
    text.with_mut(|_, text| *text = &local);
    let _ = Rooted::<&'static str>::try_new(Arena::new(), |_| Ok::<_, ()>(&*local));
}
