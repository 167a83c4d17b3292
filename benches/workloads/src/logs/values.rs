//! The pools of values: few popular ones, many rare ones.

use core::fmt;

use crate::{
    rng::{Rng, mix},
    zipf::Zipf,
};

/// Hosts, users, addresses, paths and blocks, each with its law.
pub(crate) struct Values {
    hosts: Pool,
    users: Pool,
    clients: Pool,
    nodes: Pool,
    paths: Pool,
    blocks: Zipf,
    /// Makes the block ids of one seed differ from those of another.
    block_key: u64,
}

/// Strings in falling order of frequency.
pub(crate) struct Pool {
    items: Vec<String>,
    law: Zipf,
}

impl Pool {
    pub(crate) fn new(items: Vec<String>, quarters: u32) -> Self {
        let law = Zipf::new(items.len(), quarters);
        Self { items, law }
    }

    pub(crate) fn sample(&self, rng: &mut Rng) -> &str {
        &self.items[self.law.sample(rng)]
    }
}

impl Values {
    /// Makes the pools; the addresses depend on the seed.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let clients = (0..4_000).map(|_| Ipv4::any(rng).to_string()).collect();
        let nodes = (0..200)
            .map(|_| Ipv4([10, 250, rng.range(5, 20), rng.range(10, 250)]).to_string())
            .collect();
        Self {
            hosts: Pool::new(hosts(), Zipf::CLASSIC),
            users: Pool::new(
                USERS.iter().map(|&user| user.to_owned()).collect(),
                Zipf::CLASSIC,
            ),
            clients: Pool::new(clients, Zipf::CLASSIC),
            nodes: Pool::new(nodes, 3),
            paths: Pool::new(paths(), Zipf::CLASSIC),
            blocks: Zipf::new(20_000, 3),
            block_key: rng.next_u64(),
        }
    }

    /// A machine of the fleet, such as `web-03`.
    pub(crate) fn host(&self, rng: &mut Rng) -> &str {
        self.hosts.sample(rng)
    }

    /// A login name.
    pub(crate) fn user(&self, rng: &mut Rng) -> &str {
        self.users.sample(rng)
    }

    /// A dotted address from outside.
    pub(crate) fn client(&self, rng: &mut Rng) -> &str {
        self.clients.sample(rng)
    }

    /// A dotted address in the data centre.
    pub(crate) fn node(&self, rng: &mut Rng) -> &str {
        self.nodes.sample(rng)
    }

    /// An absolute path in a distributed file system.
    pub(crate) fn path(&self, rng: &mut Rng) -> &str {
        self.paths.sample(rng)
    }

    /// A block number: any 64 bits, negative half of the time, as HDFS draws them.
    pub(crate) fn block(&self, rng: &mut Rng) -> i64 {
        let rank = self.blocks.sample(rng) as u64;
        i64::from_ne_bytes(mix(self.block_key ^ rank).to_ne_bytes())
    }
}

/// A dotted IPv4 address.
struct Ipv4([u64; 4]);

impl Ipv4 {
    /// An address outside of the reserved first octets.
    fn any(rng: &mut Rng) -> Self {
        let first = *rng.pick(&[
            24, 58, 61, 66, 81, 93, 103, 112, 173, 183, 187, 202, 211, 218,
        ]);
        Self([
            first,
            rng.range(0, 256),
            rng.range(0, 256),
            rng.range(1, 255),
        ])
    }
}

impl fmt::Display for Ipv4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b, c, d]) = self;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

/// Six roles with eight machines each, in an order that mixes the roles.
fn hosts() -> Vec<String> {
    let roles = ["web", "db", "cache", "mail", "build", "edge"];
    (1..=8)
        .flat_map(|n| roles.map(|role| format!("{role}-{n:02}")))
        .collect()
}

fn paths() -> Vec<String> {
    let parents = [
        "/user/root/rand",
        "/mnt/hadoop/mapred/system",
        "/tmp/hive-hdfs",
        "/data/events",
    ];
    let day = |n: u32| format!("2024-03-{:02}", n % 31 + 1);
    (0..600)
        .map(|n| {
            let parent = parents[n % parents.len()];
            let day = day(u32::try_from(n).expect("600 fits"));
            format!("{parent}/{day}/_temporary/part-{n:05}")
        })
        .collect()
}

const USERS: [&str; 40] = [
    "root",
    "admin",
    "test",
    "oracle",
    "guest",
    "deploy",
    "postgres",
    "git",
    "jenkins",
    "www-data",
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "mallory",
    "nagios",
    "backup",
    "ftp",
    "mysql",
    "ubuntu",
    "support",
    "webmaster",
    "info",
    "user",
    "pi",
    "uucp",
    "operator",
    "mail",
    "news",
    "irc",
    "nobody",
    "service",
    "student",
    "zabbix",
];
