#![doc = include_str!("../../../docs/patterns/handle-request.md")]

use thrifty_pool::{Pool, Reset};
use thrifty_workloads::rng::Rng;

use super::Pattern;
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "handle-request",
            reason: "a struct and its buffers per request, beside one that is reset",
            input: || {
                let mut rng = Rng::new(1_024);
                let mut wire = vec![0; BODY];
                wire.fill_with(|| rng.next_u64().to_le_bytes()[0]);
                Input {
                    wire,
                    requests: Pool::new(Request::default),
                }
            },
            oracle: |input| {
                let body: u64 = input
                    .wire
                    .iter()
                    .step_by(64)
                    .map(|&byte| u64::from(byte))
                    .sum();
                (0..REQUESTS).fold(0, |sum: u64, id| {
                    sum.wrapping_add(answer(id, 200, PATH.len() + BODY, body))
                })
            },
        }
        .three(
            |input| handled(|id| grown(id, &input.wire)),
            |input| handled(|id| with_room(id, &input.wire)),
            |input| handled(|id| reset(id, &input.wire, &input.requests)),
        ),
    ]
}

struct Input {
    /// What comes in, the same for every request.
    wire: Vec<u8>,
    requests: Pool<Request>,
}

/// Everything about a request; `status` is what it is answered with.
#[derive(Default, Reset)]
struct Request {
    id: u64,
    path: String,
    body: Vec<u8>,
    status: u16,
}

/// Sixteen bytes.
const PATH: &str = "/v1/items/4711/x";

const BODY: usize = 1_024;

/// Per iteration.
const REQUESTS: u64 = 64;

fn handled(handle: impl Fn(u64) -> u64) -> u64 {
    (0..REQUESTS).fold(0, |sum, id| sum.wrapping_add(handle(id)))
}

#[inline(never)]
fn grown(id: u64, wire: &[u8]) -> u64 {
    handle(id, wire, &mut Request::default())
}

#[inline(never)]
fn with_room(id: u64, wire: &[u8]) -> u64 {
    let mut request = Request {
        path: String::with_capacity(PATH.len()),
        body: Vec::with_capacity(BODY),
        ..Request::default()
    };
    handle(id, wire, &mut request)
}

#[inline(never)]
fn reset(id: u64, wire: &[u8], requests: &Pool<Request>) -> u64 {
    handle(id, wire, &mut requests.get())
}

/// Reads the request, in pieces as they arrive, and answers it. Anything that an earlier request
/// left would change the answer.
fn handle(id: u64, wire: &[u8], request: &mut Request) -> u64 {
    request.id += id;
    request.status += 200;
    request.path.push_str(PATH);
    for piece in opaque(wire).chunks(128) {
        request.body.extend_from_slice(piece);
    }
    let request = opaque(request);
    let body = request.body.iter().step_by(64).map(|&byte| u64::from(byte));
    let length = request.path.len() + request.body.len();
    answer(request.id, request.status, length, body.sum())
}

fn answer(id: u64, status: u16, length: usize, body: u64) -> u64 {
    id.wrapping_mul(1_000_003) ^ u64::from(status) ^ ((length as u64) << 20) ^ (body << 40)
}
