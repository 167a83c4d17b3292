//! Child processes: each way to end is told apart, and a child that ran nothing is no child.
#![cfg_attr(unix, expect(unsafe_code, reason = "raises a signal"))]

use std::thread;
use std::time::Duration;

use thrifty_testkit::{
    Child, Ending, Fault as _, Fuse, in_address_space, in_child, message, quietly, this_test,
};

#[test]
fn a_body_that_returns() {
    let ended = in_child!(|| {
        println!("to stdout");
        eprintln!("to stderr");
    });
    ended.assert_returned();
    assert!(ended.stdout().contains("to stdout"), "{ended}");
    assert!(ended.stderr().contains("to stderr"), "{ended}");
}

#[test]
fn a_body_that_panics() {
    let ended = in_child!(|| panic!("number {}", 7));
    ended.assert_panicked("number 7");
    for wrong in [Ending::Returned, Ending::Aborted, Ending::Exited(93)] {
        quietly(|| ended.assert(wrong, "")).expect_err("it panicked");
    }
    let payload = quietly(|| ended.assert_panicked("number 8")).unwrap_err();
    let said = message(&*payload);
    assert!(
        said.contains("did not say \"number 8\"") && said.contains("number 7"),
        "{said}"
    );
}

#[test]
fn a_body_that_panics_in_a_panic() {
    struct InDrop;
    impl Drop for InDrop {
        fn drop(&mut self) {
            panic!("the second");
        }
    }
    in_child!(|| {
        let _in_drop = InDrop;
        panic!("the first");
    })
    .assert_aborted("the second");
}

#[test]
fn a_body_that_exits() {
    in_child!(|| std::process::exit(0)).assert(Ending::Exited(0), "");
}

#[cfg(unix)]
#[test]
fn a_body_that_a_signal_ends() {
    in_child!(|| {
        // SAFETY: takes a number; the signal ends the process.
        unsafe { libc::raise(libc::SIGTERM) };
    })
    .assert(Ending::Signalled(libc::SIGTERM), "");
}

#[test]
fn a_body_that_hangs_is_killed() {
    let ended = Child::new(this_test!())
        .timeout(Duration::from_millis(50))
        .run(|| {
            loop {
                thread::park();
            }
        });
    ended.assert(Ending::TimedOut, "");
}

#[test]
fn what_a_body_that_hangs_has_printed_is_told() {
    // Said on the way, so that no time is too short for it.
    println!("{} and the end of it", "x".repeat(30_000));
    eprintln!("the last words");
    let ended = Child::new(this_test!()).timeout(Duration::ZERO).run(|| {
        loop {
            thread::park();
        }
    });
    ended.assert(Ending::TimedOut, "the last words");
    let said = message(&*quietly(|| ended.assert_returned()).unwrap_err());
    for part in ["x and the end of it", "the last words"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_body_that_prints_more_than_a_pipe_holds() {
    let ended = in_child!(|| println!("{}", "x".repeat(1 << 20)));
    ended.assert_returned();
    assert!(ended.stdout().len() > 1 << 20);
}

#[test]
fn the_environment_can_be_set() {
    Child::new(this_test!())
        .env("THRIFTY_TESTKIT_TRIAL", "seen")
        .run(|| assert_eq!(std::env::var("THRIFTY_TESTKIT_TRIAL").unwrap(), "seen"))
        .assert_returned();
}

#[test]
fn a_name_that_matches_no_test_is_refused() {
    let run = || Child::new("no_such_test").run(|| ());
    let said = message(&*quietly(run).unwrap_err());
    assert!(
        said.starts_with("no_such_test did not reach the body"),
        "{said}"
    );
}

#[test]
fn several_children_of_one_test_run_each_its_own_body() {
    for number in 0..3 {
        let ended = in_child!(|| {
            assert_ne!(number, 1, "the one in the middle");
            eprintln!("this is number {number}");
        });
        if number == 1 {
            ended.assert_panicked("the one in the middle");
        } else {
            ended.assert(Ending::Returned, &format!("this is number {number}"));
        }
    }
    in_child!(|| std::process::exit(7)).assert(Ending::Exited(7), "");
}

#[test]
fn a_child_that_fails_on_its_way_to_a_later_body_is_no_child() {
    let first = in_child!(|| ());
    let payload = quietly(|| {
        assert_eq!(first.ending(), Ending::Returned, "not in a child");
        in_child!(|| ())
    })
    .expect_err("the second child does not get past the assertion above");
    let said = message(&*payload);
    assert!(said.contains("did not reach the body"), "{said}");
}

#[test]
fn only_wanted_panics_are_quiet() {
    let ended = in_child!(|| {
        let fuse = Fuse::new();
        fuse.arm(0);
        quietly(|| panic!("not to be seen")).expect_err("it panics");
        let other = quietly(|| thread::spawn(|| panic!("of another thread")).join());
        other.expect("quiet here").expect_err("it panics");
        std::panic::catch_unwind(|| fuse.call()).expect_err("it blows");
        panic!("and this one");
    });
    ended.assert_panicked("of another thread");
    ended.assert_panicked("and this one");
    assert!(!ended.stderr().contains("not to be seen"), "{ended}");
    assert_eq!(ended.stderr().matches("panicked at").count(), 2, "{ended}");
}

mod inner {
    #[test]
    fn a_test_in_a_module_finds_itself() {
        assert_eq!(
            thrifty_testkit::this_test!(),
            "inner::a_test_in_a_module_finds_itself"
        );
        let in_a_closure = || thrifty_testkit::this_test!();
        assert_eq!(in_a_closure(), "inner::a_test_in_a_module_finds_itself");
        thrifty_testkit::in_child!(|| ()).assert_returned();
    }
}

const MIB: usize = 1 << 20;

#[test]
fn exhaustion_fails_cleanly_and_passes() {
    let ended = in_address_space(Child::new(this_test!()), 64 << 20, || {
        let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(1000);
        let is_full = loop {
            let mut block = Vec::new();
            if blocks.len() == 1000 || block.try_reserve_exact(MIB).is_err() {
                break blocks.len() < 1000;
            }
            blocks.push(block);
        };
        assert!(is_full, "a gigabyte fitted into 64 MiB");
        assert!(blocks.len() > 16, "only {} MiB of 64", blocks.len());
        blocks.truncate(1);
        let mut block: Vec<u8> = Vec::new();
        assert!(block.try_reserve_exact(8 * MIB).is_ok(), "it recovers");
    });
    if let Some(ended) = ended {
        ended.assert_returned();
    }
}

#[test]
fn without_the_limit_the_same_memory_can_be_had() {
    in_child!(|| {
        let mut block: Vec<u8> = Vec::new();
        assert!(block.try_reserve_exact(512 * MIB).is_ok());
    })
    .assert_returned();
    let ended = in_address_space(Child::new(this_test!()), 64 << 20, || {
        let mut block: Vec<u8> = Vec::new();
        assert!(block.try_reserve_exact(512 * MIB).is_err());
    });
    if let Some(ended) = ended {
        ended.assert_returned();
    }
}

#[test]
#[ignore = "run by the tests below"]
fn an_ignored_test_with_a_child() {
    in_child!(|| panic!("here")).assert_panicked("here");
}

/// Runs the test above as somebody would from a shell.
fn run_the_ignored_test() {
    let exe = std::env::current_exe().expect("a test has a file");
    let args = ["an_ignored_test_with_a_child", "--exact", "--ignored"];
    let output = std::process::Command::new(exe).args(args).output();
    let output = output.expect("the binary can be run again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn an_ignored_test_has_its_child_too() {
    run_the_ignored_test();
}

#[test]
fn a_process_that_a_child_starts_is_no_child() {
    in_child!(run_the_ignored_test).assert_returned();
}

#[test]
fn a_child_in_a_child_is_refused_whatever_the_body_makes_of_it() {
    let nested = quietly(|| {
        in_child!(|| {
            let _ = quietly(|| in_child!(|| ()));
            std::process::abort();
        })
    });
    let said = message(&*nested.expect_err("not supported"));
    for part in [
        "the body of a child starts a child, which is not supported",
        "a_child_in_a_child_is_refused_whatever_the_body_makes_of_it",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn what_a_child_leaves_running_does_not_hold_its_parent() {
    let start = std::time::Instant::now();
    let child = Child::new(this_test!()).timeout(Duration::from_secs(30));
    let ended = child.run(|| {
        let sleeper = std::process::Command::new("sleep").arg("40").spawn();
        drop(sleeper.expect("there is a `sleep`"));
        eprintln!("it sleeps");
    });
    ended.assert(Ending::Returned, "it sleeps");
    assert!(start.elapsed() < Duration::from_secs(20), "{ended}");
}

#[test]
fn a_first_fuse_may_be_made_while_unwinding() {
    struct InDrop;
    impl Drop for InDrop {
        fn drop(&mut self) {
            Fuse::new().call();
        }
    }
    in_child!(|| {
        let _in_drop = InDrop;
        panic!("the only one");
    })
    .assert_panicked("the only one");
}

#[test]
fn a_fuse_that_nobody_sweeps_says_so() {
    in_child!(|| {
        let fuse = Fuse::new();
        fuse.arm(0);
        fuse.call();
    })
    .assert_panicked("the fuse blew at call 0, outside of a sweep");
}
