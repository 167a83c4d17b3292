//! A web server's access log in the combined format.

use std::io::Write;

use super::{
    calendar::Moment,
    values::{Pool, Values},
};
use crate::{rng::Rng, zipf::Zipf};

/// Writes access-log lines.
pub(crate) struct Web {
    urls: Pool,
    agents: Zipf,
    referers: Zipf,
    statuses: Zipf,
}

impl Web {
    /// Makes the site's URLs; which are popular depends on the seed.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self {
            urls: Pool::new((0..2_000).map(|_| url(rng)).collect(), Zipf::CLASSIC),
            agents: Zipf::new(AGENTS.len(), Zipf::CLASSIC),
            referers: Zipf::new(REFERERS.len(), 6),
            statuses: Zipf::new(STATUSES.len(), 8),
        }
    }

    /// Appends one line.
    pub(crate) fn append(&self, out: &mut Vec<u8>, now: u64, values: &Values, rng: &mut Rng) {
        let at = Moment::from_seconds(now);
        let (day, month, year) = (at.day, at.month_name(), at.year);
        let (hour, minute, second) = (at.hour, at.minute, at.second);
        let client = values.client(rng);
        let user = if rng.chance(1, 50) {
            values.user(rng)
        } else {
            "-"
        };
        let method = *rng.pick(&["GET", "GET", "GET", "GET", "GET", "GET", "POST", "HEAD"]);
        let url = self.urls.sample(rng);
        let status = STATUSES[self.statuses.sample(rng)];
        let referer = REFERERS[self.referers.sample(rng)];
        let agent = AGENTS[self.agents.sample(rng)];
        write!(
            out,
            "{client} - {user} [{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} +0000] \
             \"{method} {url} HTTP/1.1\" {status} {} \"{referer}\" \"{agent}\"",
            rng.range(180, 60_000),
        )
        .expect("a Vec takes every byte");
        out.push(b'\n');
    }
}

fn url(rng: &mut Rng) -> String {
    let section = *rng.pick(&[
        "articles",
        "products",
        "static",
        "api/v1/items",
        "images",
        "search",
    ]);
    let id = rng.below(100_000);
    match section {
        "static" => format!("/static/app.{id:05x}.js"),
        "images" => format!("/images/{id}/thumbnail.jpg"),
        "search" => format!("/search?q=term{id}&page={}", rng.below(9)),
        _ => format!("/{section}/{id}"),
    }
}

/// In falling order of frequency.
const STATUSES: [u16; 9] = [200, 304, 404, 301, 403, 500, 206, 503, 401];

const REFERERS: [&str; 6] = [
    "-",
    "https://www.example.com/",
    "https://www.google.com/",
    "https://news.example.org/today",
    "https://www.example.com/products/",
    "android-app://com.example.reader",
];

const AGENTS: [&str; 8] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.3 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "curl/7.88.1",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "python-requests/2.31.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15",
    "kube-probe/1.28",
];
