//! The log generator: the same bytes everywhere, and shaped like a log.

use std::collections::{HashMap, HashSet};

use thrifty_workloads::logs::{LogSpec, Mix};

fn generate(spec: LogSpec) -> String {
    let mut log = Vec::new();
    let summary = spec.write_to(&mut log).expect("a Vec takes every byte");
    assert_eq!(summary.bytes, log.len() as u64);
    assert_eq!(summary.lines, spec.lines);
    String::from_utf8(log).expect("the generator writes ASCII")
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[test]
fn the_bytes_are_pinned() {
    let log = generate(LogSpec::MIXED.with_lines(10_000));
    let found = (log.len(), fnv1a(log.as_bytes()));
    assert_eq!(
        found,
        (1_366_419, 0xA1DA_7B63_688C_8F9B),
        "the generator changed: every figure on record is void"
    );
}

#[test]
fn a_shorter_log_is_a_prefix_and_ends_with_its_line() {
    let long = generate(LogSpec::MIXED.with_lines(5_000));
    for lines in [0, 1, 2, 777, 4_999] {
        let short = generate(LogSpec::MIXED.with_lines(lines));
        assert!(long.starts_with(&short));
        assert_eq!(short.lines().count() as u64, lines);
        assert!(short.is_empty() || short.ends_with('\n'));
    }
}

#[test]
fn another_seed_is_another_log() {
    let spec = LogSpec::MIXED.with_lines(100);
    assert_ne!(generate(spec), generate(spec.with_seed(spec.seed + 1)));
}

#[test]
fn shares_follow_the_mix() {
    let log = generate(LogSpec::MIXED.with_lines(50_000));
    let count = |is: fn(&str) -> bool| log.lines().filter(|line| is(line)).count() as f64 / 5e4;
    let syslog = count(|line| line.starts_with("Mar "));
    let web = count(|line| line.contains(" +0000] \""));
    let hdfs = count(|line| line.starts_with("2403"));
    let frames = count(|line| line.starts_with("\tat "));
    assert!((0.40..0.48).contains(&syslog), "{syslog}");
    assert!((0.25..0.30).contains(&web), "{web}");
    assert!((0.18..0.23).contains(&hdfs), "{hdfs}");
    assert!((0.01..0.10).contains(&frames), "{frames}");
    assert!((syslog + web + hdfs + frames - 1.0).abs() < 1e-9);
}

#[test]
fn time_never_goes_backwards() {
    let only_web = Mix {
        syslog: 0,
        web: 1,
        hdfs: 0,
    };
    let log = generate(LogSpec::MIXED.with_mix(only_web).with_lines(100_000));
    let mut last = String::new();
    let mut distinct = HashSet::new();
    for line in log.lines() {
        // All of it is March 2024: day and time of day compare as text.
        let (_, stamp) = line.split_once(" [").unwrap();
        assert_eq!(&stamp[3..11], "Mar/2024");
        let stamp = format!("{} {}", &stamp[..2], &stamp[12..20]);
        assert!(stamp >= last, "{stamp} after {last}");
        distinct.insert(stamp.clone());
        last = stamp;
    }
    assert!(
        distinct.len() > 20_000,
        "{} distinct seconds",
        distinct.len()
    );
}

#[test]
fn hosts_are_skewed_and_templates_are_few() {
    let only_syslog = Mix {
        syslog: 1,
        web: 0,
        hdfs: 0,
    };
    let log = generate(LogSpec::MIXED.with_mix(only_syslog).with_lines(50_000));
    let mut hosts = HashMap::new();
    let mut shapes = HashSet::new();
    for line in log.lines() {
        let mut fields = line.split_ascii_whitespace().skip(3);
        *hosts.entry(fields.next().unwrap()).or_insert(0_u32) += 1;
        let shape: Vec<&str> = fields
            .filter(|field| !field.contains(|c: char| c.is_ascii_digit()))
            .collect();
        shapes.insert(shape.join(" "));
    }
    assert_eq!(hosts.len(), 48);
    let (most, least) = (hosts.values().max().unwrap(), hosts.values().min().unwrap());
    let spread = f64::from(*most) / f64::from(*least);
    assert!(
        (30.0..75.0).contains(&spread),
        "a Zipf law over 48 hosts, spread {spread}"
    );
    // 32 families, some of them with a user's name among their words.
    assert!(
        (100..800).contains(&shapes.len()),
        "{} shapes",
        shapes.len()
    );
}
