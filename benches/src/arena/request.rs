//! A request handler: the row `request`.
//!
//! Parses the head of a request of HTTP, copies what it needs, as a handler does whose read buffer goes
//! back to the socket, and makes the reply. Then the region is reset, as between two requests.

use core::hint::black_box;

use super::{
    job::{Job, everyone, level},
    region::{Grow, Region},
    text::sample,
};
use crate::suite::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "arena/request/1t",
        "a request parsed and answered: 12 headers, 5 parameters, a reply made of parts",
    )
    .oracle(expected);
    vec![level(everyone(row, || Request))]
}

struct Request;

const HEAD: &str = "GET /items/search?q=thrifty&page=3&size=50&sort=price&order=asc HTTP/1.1\r\n\
    Host: shop.example\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=8d5e9f0c2b; theme=dark\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    X-Request-Id: 3f1c77aa-0b1e-4f5e-9d38-2f9a4c1e7b60\r\n\r\n";

/// What the reply to it is.
const EXPECTED: &str = "HTTP/1.1 200 OK\r\n\
    X-Request-Id: 3f1c77aa-0b1e-4f5e-9d38-2f9a4c1e7b60\r\n\r\n\
    /items/search of shop.example: q is thrifty, page is 3, size is 50, sort is price, order is asc";

/// What [`answer`] gives.
pub(super) fn expected() -> u64 {
    sample(EXPECTED)
}

impl<R: Region> Job<R> for Request {
    fn run(&self, region: &mut R) -> u64 {
        answer(&*region)
    }
}

/// Parses the request and makes the reply in a region; gives a checksum of the reply.
#[inline]
pub(super) fn answer<R: Region>(region: &R) -> u64 {
    sample(black_box(&*reply(region, black_box(HEAD))))
}

fn reply<'a, R: Region>(region: &'a R, head: &str) -> R::Text<'a> {
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1));
    let target = target.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = region.text(path);
    let headers = pairs(region, lines.filter_map(|line| line.split_once(": ")));
    let parameters = pairs(
        region,
        query.split('&').filter_map(|pair| pair.split_once('=')),
    );
    let header = |name: &str| {
        let found = headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    };
    let mut told = region.grow::<R::Text<'a>>();
    for (name, value) in parameters.iter() {
        told.push(region.join(&[name, value], " is "));
    }
    let told = told.finish();
    let mut parts = region.grow::<&str>();
    for part in told.iter() {
        parts.push(part);
    }
    let parts = parts.finish();
    let body = region.join(&parts, ", ");
    region.join(
        &[
            "HTTP/1.1 200 OK\r\nX-Request-Id: ",
            header("x-request-id"),
            "\r\n\r\n",
            &path,
            " of ",
            header("host"),
            ": ",
            &body,
        ],
        "",
    )
}

type Pairs<'a, R> = <R as Region>::List<'a, (<R as Region>::Text<'a>, <R as Region>::Text<'a>)>;

fn pairs<'a, 't, R: Region>(
    region: &'a R,
    pairs: impl Iterator<Item = (&'t str, &'t str)>,
) -> Pairs<'a, R> {
    let mut copies = region.grow();
    for (name, value) in pairs {
        copies.push((region.text(name), region.text(value)));
    }
    copies.finish()
}
