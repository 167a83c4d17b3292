//! Workloads as data: what the tests replay and the benchmarks time.
//!
//! A workload is a value with a seed and a one-line reason for its existence. The same seed
//! gives the same bytes on every platform: there is no outside randomness, no clock, and no
//! floating-point function whose last bit depends on the platform's libm. Tests pin hashes, so
//! that a figure quoted from one machine can be repeated on another.
//!
//! - [`rng`]: the one source of pseudo-randomness.
//! - [`zipf`]: skewed choice, as real hosts, users and URLs are skewed.
//! - [`sizes`]: how large blocks are.
//! - [`ops`]: streams of allocations and frees, with an oracle.
//! - [`corpus`]: strings with their repetitions, with an oracle.
//! - [`logs`]: syslog, web-access and HDFS-style log lines.
//! - [`fingerprint`]: the hash that pins data.

pub mod corpus;
pub mod fingerprint;
pub mod logs;
pub mod ops;
pub mod rng;
pub mod sizes;
pub mod zipf;
