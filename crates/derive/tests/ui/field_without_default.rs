use thrifty_traits::Reset;

struct NoDefault;

impl Reset for NoDefault {
    fn reset(&mut self) {}
}

#[derive(Reset)]
enum State {
    #[reset(default)]
    Open {
        plain: NoDefault,
        #[reset(skip)]
        skipped: NoDefault,
    },
    Closed,
}

fn main() {}
