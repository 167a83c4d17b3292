use core::time::Duration;
use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    process,
    time::SystemTime,
};

use super::{Kind, generated, spool, sweep, unfinished};

#[test]
fn our_names_are_known_and_no_others() {
    assert_eq!(Kind::from_name(&spool(17)), Some(Kind::Of(17)));
    assert_eq!(
        Kind::from_name(&unfinished(5, u64::MAX, 17)),
        Some(Kind::Of(17))
    );
    for cut in [None, Some(16)] {
        let name = generated(5, u64::MAX, cut);
        assert_eq!(Kind::from_name(&name), Some(Kind::Generated), "{name}");
    }
    for name in [
        "",
        "tour-spool-.log",
        "tour-spool-1",
        "tour-spool-1.log.bak",
        "tour-spool-x.log",
        "tour-spool-+1.log",
        "tour-spool-99999999999.log",
        "my-tour-spool-1.log",
        "tour-input-.log",
        "tour-input-1.log",
        "tour-input-1-2",
        "tour-input-1-2.txt",
        "tour-input-1-2.log.1",
        "tour-input-1-2-3.log",
        "tour-input-1-2-mib.log",
        "tour-input-1-2-3mib.4",
        "tour-input--1-2.log",
    ] {
        assert_eq!(Kind::from_name(name), None, "{name}");
    }
}

#[test]
fn leftovers_go_and_all_else_stays() {
    let directory = env::temp_dir().join(format!("thrifty-scratch-{}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    let now = SystemTime::now();
    let minutes = |n: u64| Duration::from_secs(n * 60);
    // Process 1 runs, 2 has ended, of 3 nothing is known.
    let files = [
        (spool(1), minutes(600), true),
        (spool(2), minutes(0), false),
        (spool(3), minutes(600), true),
        (unfinished(1, 1, 1), minutes(25 * 60), false),
        (unfinished(1, 2, 2), minutes(1), false),
        (unfinished(1, 3, 3), minutes(25 * 60), false),
        (generated(1, 0, None), minutes(61), true),
        (generated(2, 0, None), minutes(62), true),
        (generated(3, 0, Some(1)), minutes(63), true),
        (generated(4, 0, None), minutes(64), true),
        (generated(5, 0, None), minutes(65), false),
        (generated(6, 0, Some(1)), minutes(6_000), false),
        ("tour-spool-2.log.keep".to_owned(), minutes(6_000), true),
        ("someone-else's".to_owned(), minutes(6_000), true),
    ];
    for (name, age, _) in &files {
        let file = File::create(directory.join(name)).unwrap();
        file.set_modified(now - *age).unwrap();
    }
    // A directory is none of ours, whatever its name.
    fs::create_dir_all(directory.join(spool(4))).unwrap();

    let is_running = |id| [None, Some(true), Some(false), None, Some(false)][id as usize];
    sweep(&directory, now, is_running);

    let left: BTreeSet<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut expected: BTreeSet<String> = BTreeSet::from([spool(4)]);
    expected.extend(
        files
            .iter()
            .filter(|file| file.2)
            .map(|file| file.0.clone()),
    );
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(left, expected);

    // New ones stay, however many there are.
    fs::create_dir_all(&directory).unwrap();
    for seed in 0..10 {
        File::create(directory.join(generated(1, seed, None))).unwrap();
    }
    sweep(&directory, now + minutes(59), is_running);
    let left = fs::read_dir(&directory).unwrap().count();
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(left, 10);
}
