use thrifty_traits::Reset;

#[derive(Reset)]
#[repr(C, packed(2))]
struct Packed {
    plain: u32,
    #[reset(with = f)]
    with: u32,
    #[reset(skip, retained = g)]
    counted: u32,
    #[reset(skip)]
    skipped: u32,
}

fn main() {}
