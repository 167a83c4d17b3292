#![forbid(unsafe_code)]

use thrifty_pool::Reset;

#[derive(Reset)]
struct Request {
    body: Vec<u8>,
    #[reset(value = 200)]
    status: u16,
    #[reset(skip)]
    peer: &'static str,
}

#[derive(Debug, Reset)]
enum State<T> {
    #[reset(default)]
    Idle {
        #[reset(with = three)]
        retries: u8,
        queue: Vec<T>,
    },
    Busy(#[allow(dead_code)] T),
}

fn three(retries: &mut u8) {
    *retries = 3;
}

fn main() {
    let mut request = Request { body: vec![1; 100], status: 404, peer: "kept" };
    request.reset();
    assert!(request.body.is_empty());
    let capacity = if request.retained_bytes() >= 100 { "kept" } else { "lost" };
    println!("struct: empty, {}, {}; capacity {capacity}", request.status, request.peer);

    let mut state = State::Busy("job");
    state.reset();
    let State::Idle { retries, queue } = state else { panic!("still busy") };
    assert!(queue.is_empty());
    println!("enum: idle, {retries}");
}
