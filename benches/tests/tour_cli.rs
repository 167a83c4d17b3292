//! The program `tour` as a stranger meets it.

#[path = "support/files.rs"]
mod files;
#[path = "../../crates/memstats/tests/wire/mod.rs"]
mod wire;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use files::Files;

fn tour(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tour"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> Output {
    tour(args).output().expect("the tour starts")
}

/// Standard output of a run that must end well, with nothing on standard error.
fn success(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {stderr}", output.status);
    assert_eq!(
        stderr, "",
        "no progress bar where standard error is no terminal"
    );
    String::from_utf8(output.stdout.clone()).expect("the tables are text")
}

/// The one line on standard error of a run that must end with exit code 2.
fn usage_error(output: &Output) -> String {
    one_line(output, 2)
}

/// The one line on standard error of a run that must end with that exit code.
fn one_line(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    stderr
}

#[test]
fn the_generated_log_gives_both_tables() {
    let text = success(&run(&["--lines", "3000", "--seed", "7", "--rounds", "3"]));
    for part in [
        "wall ns/line",
        "B/line",
        "allocs/line",
        "peak heap",
        "peak RSS",
        "naive / std-tuned",
        "naive / thrifty",
        "std-tuned / thrifty",
        "What thrifty does differently",
        "What made the difference",
        "naive ns/line",
        "tuned ns/line",
        "one loop",
        "eight bytes at once",
        "SipHash",
        "median (min to max) of 3 rounds",
        "3000 lines",
        "--seed 7",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    for stage in [
        "read",
        "split",
        "parse",
        "template",
        "count",
        "split to count",
        "tables",
        "the rest",
    ] {
        assert!(
            text.lines()
                .any(|line| line.starts_with(&format!("│ {stage} "))),
            "{text}"
        );
    }
    // The naive job allocates several times for each line, the tuned one does not.
    let allocs = |variant: &str| -> f64 {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("│ {variant} ")))
            .unwrap();
        let cell = row.split(['│', '┆']).nth(4).unwrap().trim();
        cell.parse().unwrap_or_else(|_| panic!("{cell:?} in {row}"))
    };
    assert!(allocs("naive") > 15.0, "{text}");
    assert!(allocs("std-tuned") < 1.0, "{text}");
    assert!(allocs("thrifty") < 1.0, "{text}");
}

#[test]
fn where_tuned_is_worse_the_result_says_so() {
    // The buffer alone is larger than all that naive needs.
    let files = Files::new(&[b"one line\n"]);
    let text = success(&run(&[
        "--rounds",
        "1",
        "--input",
        files.paths()[0].to_str().unwrap(),
    ]));
    let line = text
        .lines()
        .find(|line| line.contains("needed more than naive for"))
        .unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("read (") && line.contains("bytes"), "{line}");
}

#[test]
fn nasty_files_are_measured_all_the_same() {
    let long = [b"k=1 ".repeat(300_000), b"\n".to_vec()].concat();
    let files = Files::new(&[
        b"",
        b"\n",
        b"\xff\xfe\0\0x\x80",
        b"a\r\nb\r\n",
        b"a\rb",
        b"no end",
        &[0; 5_000],
        &long,
    ]);
    for path in files.paths() {
        let text = success(&run(&["--rounds", "1", "--input", path.to_str().unwrap()]));
        assert!(text.contains("naive / std-tuned"), "{text}");
    }
    let mut args = vec!["--rounds", "1", "--input"];
    args.extend(files.paths().iter().map(|path| path.to_str().unwrap()));
    let text = success(&run(&args));
    // Blank: the lone line end. The lines: 0, 1, 1, 2, 1, 1, 1, 1.
    assert!(
        text.contains("8 lines (1.1 MiB), 7 of no known format, 1 blank"),
        "{text}"
    );
    assert!(text.contains("and 5 more"), "{text}");
}

#[test]
fn standard_input_is_copied_and_the_copy_removed() {
    let mut child = tour(&["--rounds", "2", "--input", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"Jun 14 15:16:01 combo su: one\nJun 14 15:16:02 combo su: two")
        .unwrap();
    drop(stdin);
    let id = child.id();
    let text = success(&child.wait_with_output().unwrap());
    assert!(text.contains("standard input, copied to a file"), "{text}");
    assert!(
        text.contains("2 lines (59 B), 0 of no known format"),
        "{text}"
    );
    let spool = scratch_file(&format!("tour-spool-{id}.log"));
    assert!(!spool.exists(), "{} is left behind", spool.display());
    // The name is right: the generated logs lie in that directory, too.
    success(&run(&["--lines", "10", "--seed", "1", "--rounds", "1"]));
    assert!(scratch_file("tour-input-10-1.log").exists());
}

/// Where the tour puts a file of its own.
fn scratch_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_tour"))
        .with_file_name("../thrifty")
        .join(name)
}

/// A tour on standard input that has copied something and waits for more, and its copy.
#[cfg(target_os = "linux")]
fn waiting_tour() -> (std::process::Child, PathBuf) {
    let mut child = tour(&["--rounds", "1", "--input", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the tour starts");
    let stdin = child.stdin.as_mut().expect("it is a pipe");
    stdin.write_all(b"one\n").expect("the tour reads");
    let spool = scratch_file(&format!("tour-spool-{}.log", child.id()));
    while !fs::metadata(&spool).is_ok_and(|copy| copy.len() == 4) {
        std::thread::sleep(std::time::Duration::from_millis(5));
        let ended = child.try_wait().expect("it is our child");
        assert_eq!(ended, None);
    }
    (child, spool)
}

#[cfg(target_os = "linux")]
#[test]
fn what_an_interrupted_tour_left_is_removed_by_the_next() {
    let (mut killed, left) = waiting_tour();
    let (mut alive, in_use) = waiting_tour();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(left.exists(), "a killed process removes nothing");
    success(&run(&["--lines", "10", "--seed", "2", "--rounds", "1"]));
    assert!(!left.exists() && in_use.exists());
    drop(alive.stdin.take());
    let text = success(&alive.wait_with_output().unwrap());
    assert!(text.contains("1 lines (4 B)"), "{text}");
}

#[test]
fn copying_adds_a_line_end_between_sources_only() {
    // (sources but for the last, which is standard input; standard input; what was read)
    for (contents, last, read) in [
        (&["a"][..], "b", "2 lines (3 B)"),
        (&["a\n"], "b", "2 lines (3 B)"),
        (&["a"], "", "1 lines (1 B)"),
        (&["", "a", ""], "b\n", "2 lines (4 B)"),
        (&[], "b", "1 lines (1 B)"),
    ] {
        let contents: Vec<&[u8]> = contents.iter().map(|text| text.as_bytes()).collect();
        let files = Files::new(&contents);
        let mut command = tour(&["--rounds", "1", "--input"]);
        command.args(files.paths()).arg("-").stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(last.as_bytes())
            .unwrap();
        let text = success(&child.wait_with_output().unwrap());
        assert!(text.contains(read), "{read}:\n{text}");
    }
}

#[test]
fn too_much_input_is_cut_and_says_so() {
    let files = Files::new(&[&b"0123456789abcde\n".repeat(80_000), b"x\n"]);
    let mut args = vec!["--rounds", "1", "--most-mib", "1", "--input"];
    args.extend(files.paths().iter().map(|path| path.to_str().unwrap()));
    let text = success(&run(&args));
    assert!(text.contains("cut after 1 MiB"), "{text}");
    assert!(text.contains("65536 lines (1.0 MiB)"), "{text}");

    let args = ["--lines", "50000", "--seed", "3", "--most-mib", "1"];
    let text = success(&run(&[&args[..], &["--rounds", "1"]].concat()));
    assert!(
        text.contains("tour-input-50000-3-1mib.log, cut after 1 MiB"),
        "{text}"
    );
    assert!(text.contains(" lines (1.0 MiB)"), "{text}");
    assert!(!text.contains("50000 lines"), "{text}");
    let cut = fs::metadata(scratch_file("tour-input-50000-3-1mib.log")).unwrap();
    assert_eq!(cut.len(), 1 << 20);
}

#[test]
fn wrong_arguments_are_one_line_and_code_2() {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let missing = format!("{directory}/there-is-no-such.log");
    for (args, part) in [
        (vec!["--input", directory], "is a directory"),
        (vec!["--input", &missing], "there-is-no-such.log"),
        (vec!["--input"], "--input"),
        (vec!["--input", "-", "-"], "only once"),
        (vec!["--inptu", "x"], "--inptu"),
        (vec!["--lines", "many"], "many"),
        (vec!["--lines", "99999999999"], "99999999999"),
        (vec!["--rounds", "0"], "0"),
        (vec!["--most-mib", "0"], "0"),
        (vec!["--lines", "5", "--input", "-"], "--input"),
        (vec!["stray"], "stray"),
        (vec!["--worker"], "of no use alone"),
        (vec!["--worker", "best", "x"], "names a variant"),
        (vec!["--worker", "naive"], "files must follow"),
    ] {
        let line = usage_error(&run(&args));
        assert!(line.contains(part), "{args:?}: {line}");
    }
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_one_line_and_code_2() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new(&[b"x\n"]);
    let path = &files.paths()[0];
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(path).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let line = usage_error(&run(&["--input", path.to_str().unwrap()]));
    assert!(line.contains("cannot read"), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_fails_on_the_way_is_one_line_and_code_1() {
    // The first page of a process cannot be read, but its memory can be opened.
    let line = one_line(&run(&["--input", "-", "/proc/self/mem"]), 1);
    assert!(line.contains("cannot read '/proc/self/mem'"), "{line}");

    // A tour in a place of its own, where its directory cannot be.
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no-room");
    fs::create_dir_all(place.join("release")).unwrap();
    let program = place.join("release/tour");
    // A link, since a file that was just written may be too busy to run.
    let _ = fs::remove_file(&program);
    fs::hard_link(env!("CARGO_BIN_EXE_tour"), &program).unwrap();
    fs::write(place.join("thrifty"), b"a file, no directory").unwrap();
    for args in [["--lines", "10"], ["--input", "-"]] {
        let mut command = Command::new(&program);
        let line = one_line(
            &command.args(args).stdin(Stdio::null()).output().unwrap(),
            1,
        );
        assert!(line.contains("cannot make"), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_look_like_flags_and_are_no_text_work() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("odd-names");
    fs::create_dir_all(&directory).unwrap();
    for name in [&b"--worker"[..], b"-x \xff.log"] {
        fs::write(directory.join(OsStr::from_bytes(name)), b"one\ntwo\n").unwrap();
        let mut path = OsStr::new("./").to_owned();
        path.push(OsStr::from_bytes(name));
        let mut command = tour(&["--rounds", "1", "--input"]);
        let text = success(&command.arg(path).current_dir(&directory).output().unwrap());
        assert!(text.contains("2 lines (8 B)"), "{text}");
    }
}

#[test]
fn help_says_what_it_is_for() {
    let text = success(&run(&["--help"]));
    for part in [
        "cargo xtask tour",
        "--input <FILE>...",
        "standard input",
        "--rounds",
        "--seed",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(!text.contains("worker"), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = tour(&["--lines", "100", "--rounds", "1"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn under_a_limit_the_trims_are_printed() {
    let few = ["--lines", "3000", "--rounds", "1"];
    let text = success(&run(&[&few[..], &["--limit", "1MiB"]].concat()));
    // So short a run may end before the controller's thread gets to run: then its workers have trimmed.
    for part in ["under a soft limit", "soft limit 1.0 MiB", "trim 1 (limit)"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = success(&run(&[&few[..], &["--limit", "64GiB"]].concat()));
    assert!(text.contains("the limit was never near"), "{text}");
    for wrong in ["110%", "-1", "1e3Q", "lots"] {
        let error = usage_error(&run(&[&format!("--limit={wrong}")]));
        assert!(error.contains("--limit"), "{error}");
    }
}

#[test]
fn the_naive_run_leaves_a_profile_and_a_flame_graph() {
    // In a place of its own, since tours of other tests leave theirs in the usual one.
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("profiled");
    fs::create_dir_all(place.join("release")).unwrap();
    for program in [
        env!("CARGO_BIN_EXE_tour"),
        env!("CARGO_BIN_EXE_tour-counted"),
    ] {
        let link = place
            .join("release")
            .join(Path::new(program).file_name().unwrap());
        let _ = fs::remove_file(&link);
        fs::hard_link(program, link).unwrap();
    }
    let program = place.join("release/tour").with_extension(
        env!("CARGO_BIN_EXE_tour")
            .rsplit_once(".exe")
            .map_or("", |_| "exe"),
    );
    let [profile, graph] =
        ["tour-naive.pb.gz", "tour-naive.svg"].map(|name| place.join("thrifty").join(name));
    for file in [&profile, &graph] {
        let _ = fs::remove_file(file);
    }
    let mut command = Command::new(program);
    command.args(["--lines", "3000", "--rounds", "1"]);
    let text = success(&command.stdin(Stdio::null()).output().unwrap());
    for file in [&profile, &graph] {
        assert!(text.contains(&*file.to_string_lossy()), "{text}");
    }

    let decoded = wire::decode(&fs::read(&profile).unwrap());
    assert_eq!(decoded.default_sample_type, "alloc_space");
    let bytes = |is_in: &dyn Fn(&[&str]) -> bool| -> f64 {
        let samples = decoded.samples.iter();
        let samples = samples.filter(|sample| is_in(&decoded.names(sample)));
        samples.map(|sample| sample.values[1] as f64).sum()
    };
    let all = bytes(&|_| true);
    // What the other child has counted, of the whole job.
    let row = text.lines().find(|line| line.starts_with("│ naive "));
    let cell = row.unwrap().split(['│', '┆']).nth(3).unwrap().trim();
    let counted = cell.parse::<f64>().unwrap() * 3000.0;
    assert!((all / counted - 1.0).abs() < 0.2, "{all} of {counted}");
    if cfg!(target_os = "linux") {
        let hot = bytes(&|names| names.iter().any(|name| name.contains("template")));
        assert!(hot > 0.15 * all, "{hot} of {all}");
        assert!(text.contains(" %") && text.contains("template\n"), "{text}");
        let svg = fs::read_to_string(&graph).unwrap();
        assert!(svg.contains("template") && svg.trim_end().ends_with("</svg>"));
    }
}
