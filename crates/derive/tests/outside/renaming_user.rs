mod prelude {
    pub use recycler as pool;
}

use recycler::Reset;

#[derive(Reset)]
#[reset(crate = "recycler")]
struct Renamed(u8);

#[derive(Reset)]
#[reset(crate = crate::prelude::pool)]
enum ReExported {
    #[reset(default)]
    One(u8),
}

fn main() {
    let mut renamed = Renamed(1);
    renamed.reset();
    println!("renamed: {}", renamed.0);

    let mut re_exported = ReExported::One(1);
    re_exported.reset();
    let ReExported::One(number) = re_exported;
    println!("re-exported: {number}");
}
