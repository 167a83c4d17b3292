use allocator_api2::vec::Vec;
use thrifty_arena::Arena;

fn main() {
    let mut vec = Vec::new_in(Arena::new());
    vec.push(1);
}
