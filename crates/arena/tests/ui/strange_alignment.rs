use thrifty_arena::Arena;

fn main() {
    Arena::<3>::new_aligned();
    Arena::<32>::new_aligned();
}
