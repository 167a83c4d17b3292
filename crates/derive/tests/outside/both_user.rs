#[derive(thrifty_pool::Reset)]
struct ViaPool(u8);

#[derive(thrifty_traits::Reset)]
struct ViaTraits(u8);

fn reset<T: thrifty_pool::Reset>(mut value: T) -> T {
    thrifty_traits::Reset::reset(&mut value);
    value
}

fn main() {
    println!("{} {}", reset(ViaPool(1)).0, reset(ViaTraits(1)).0);
}
