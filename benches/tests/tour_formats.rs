//! Every format is understood: excerpts in the shape of real logs, with the answers written by
//! hand.

mod support;

use support::agreed;
use thrifty_benches::tour::{format::date_seconds, report::Report};

fn rows(table: &[(String, u64)]) -> Vec<(&str, u64)> {
    table
        .iter()
        .map(|(key, count)| (key.as_str(), *count))
        .collect()
}

fn at(date: (i64, u32, u32), seconds: i64) -> Option<i64> {
    Some(date_seconds(date.0, date.1, date.2).expect("a date") + seconds)
}

/// Lines per level: trace, debug, info, notice, warn, error, fatal.
fn assert_levels(report: &Report, levels: [u64; 7]) {
    assert_eq!(report.levels, levels);
}

#[test]
fn syslog() {
    let report = agreed(&[b"\
Jun  9 06:06:20 combo syslogd 1.4.1: restart.\r
Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 rhost=218.188.2.4 \r
Jun 14 15:16:02 combo sshd(pam_unix)[19937]: check pass; user unknown\r
Jun 14 15:16:59 combo  -- root[2421]: ROOT LOGIN ON tty2\r
Feb 29 23:59:60 LabSZ kernel: klogd 1.4.1, log source = /proc/kmsg started.\r
Dec 10 06:55:46 LabSZ\r
"]);
    assert_eq!(
        (report.lines, report.unparsed_lines, report.blank_lines),
        (6, 0, 0)
    );
    assert_eq!(report.first_seconds, at((2024, 2, 29), 86_400));
    assert_eq!(
        report.last_seconds,
        at((2024, 12, 10), 6 * 3_600 + 55 * 60 + 46)
    );
    let minute = report.busiest_minute.unwrap();
    assert_eq!(
        Some(minute.start_seconds),
        at((2024, 6, 14), 15 * 3_600 + 16 * 60)
    );
    assert_eq!(minute.lines, 3);
    assert_levels(&report, [0; 7]);
    assert_eq!(rows(&report.hosts.top), [("combo", 4), ("LabSZ", 2)]);
    assert_eq!(rows(&report.components.top), [("sshd", 2), ("kernel", 1)]);
    assert_eq!(
        rows(&report.templates.top),
        [
            ("", 1),
            ("-- <*> ROOT LOGIN ON <*>", 1),
            ("authentication failure; logname= uid=<*> rhost=<*>", 1),
            ("check pass; user unknown", 1),
            ("klogd <*> log source = <*> started.", 1),
            ("syslogd <*> restart.", 1),
        ]
    );
}

#[test]
fn apache() {
    let report = agreed(&[b"\
[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties
[Sun Dec  4 04:47:45 2005] [error] [client 10.0.0.7] Directory index forbidden by rule: /var/www/html/
[Sun Dec 04 04:47:46.902022 2005] [core:crit] [pid 77] AH00126: Invalid URI
[Sun Dec 04 04:48:46 2005] jk2_init() Found child 6725 in scoreboard slot 10
[Sun Dec 04 04:48:47 2005] [odd] [client 10.0.0.8
"]);
    assert_eq!((report.lines, report.unparsed_lines), (5, 0));
    assert_eq!(
        report.first_seconds,
        at((2005, 12, 4), 4 * 3_600 + 47 * 60 + 44)
    );
    assert_levels(&report, [0, 0, 0, 1, 0, 1, 1]);
    assert_eq!(rows(&report.hosts.top), [("10.0.0.7", 1)]);
    assert_eq!(rows(&report.components.top), [("core", 1)]);
    assert_eq!(
        rows(&report.templates.top),
        [
            ("<*> Found child <*> in scoreboard slot <*>", 1),
            ("Directory index forbidden by rule: <*>", 1),
            ("[client <*>", 1),
            ("[pid <*> <*> Invalid URI", 1),
            ("workerEnv.init() ok <*>", 1),
        ]
    );
}

#[test]
fn android() {
    let report = agreed(&[b"\
03-17 16:13:38.811  1702  2395 D WindowManager: printFreezing token=9f4ef63 ui
03-17 16:13:38.819  1702  8671 V PowerManagerService: acquire lock=233570404, flags=0x1, uid=10037
03-17 16:13:39.820  1702  8671 I vold    : mounted 3 volumes
03-17 16:13:40.820  1702  8671 W tag:tight
03-17 16:13:40.821  1702  8671 E : nobody
03-17 16:13:40  1702  8671 F a:b: c
"]);
    assert_eq!((report.lines, report.unparsed_lines), (6, 0));
    assert_eq!(
        report.first_seconds,
        at((2024, 3, 17), 16 * 3_600 + 13 * 60 + 38)
    );
    assert_eq!(
        report.last_seconds,
        at((2024, 3, 17), 16 * 3_600 + 13 * 60 + 40)
    );
    assert_levels(&report, [1, 1, 1, 0, 1, 1, 1]);
    assert_eq!(report.hosts.distinct, 0);
    assert_eq!(
        rows(&report.components.top),
        [
            ("PowerManagerService", 1),
            ("WindowManager", 1),
            ("a", 1),
            ("tag", 1),
            ("vold", 1)
        ]
    );
    assert_eq!(
        rows(&report.templates.top),
        [
            (": nobody", 1),
            ("acquire lock=<*> flags=<*> uid=<*>", 1),
            ("b: c", 1),
            ("mounted <*> volumes", 1),
            ("printFreezing token=<*> ui", 1),
            ("tight", 1),
        ]
    );
}

#[test]
fn hdfs() {
    let report = agreed(&[b"\
081109 203615 148 INFO dfs.DataNode$PacketResponder: Received block blk_38865049064139660 of size 67108864 from /10.251.42.84
081109 203615 148 WARN dfs.DataNode: a  b\tc
081109 203616 148 fatal no component here
081109 203616 148 LOUD dfs.DataNode: not a level
081109 203660 148 ERROR x: leap second
081109 203661 148 ERROR x: no such second
"]);
    assert_eq!((report.lines, report.unparsed_lines), (6, 2));
    assert_eq!(
        report.first_seconds,
        at((2008, 11, 9), 20 * 3_600 + 36 * 60 + 15)
    );
    assert_levels(&report, [0, 0, 1, 0, 1, 1, 1]);
    assert_eq!(
        rows(&report.components.top),
        [
            ("dfs.DataNode", 1),
            ("dfs.DataNode$PacketResponder", 1),
            ("x", 1)
        ]
    );
    assert_eq!(
        rows(&report.templates.top),
        [
            ("<*> <*> <*> ERROR x: no such second", 1),
            ("<*> <*> <*> LOUD dfs.DataNode: not a level", 1),
            ("Received block <*> of size <*> from <*>", 1),
            ("a b c", 1),
            ("leap second", 1),
            ("no component here", 1),
        ]
    );
}

#[test]
fn hpc() {
    let report = agreed(&[b"\
134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change: Component \\042SCSI-WWID:01000010\\042 is in the unavailable state (HWID=1973)
2286759 full partition status 1061219795 -1 running
2286759 full partition status 106121979 -1 running
2286759 full partition status 10612197 -1 too short a time
2286759 full partition status 1061219795 -x no flag
"]);
    assert_eq!((report.lines, report.unparsed_lines), (5, 2));
    assert_eq!(report.first_seconds, Some(106_121_979));
    assert_eq!(report.last_seconds, Some(1_077_804_742));
    assert_eq!(rows(&report.hosts.top), [("full", 2), ("node-246", 1)]);
    assert_eq!(
        rows(&report.components.top),
        [("partition", 2), ("unix.hw", 1)]
    );
    assert_eq!(rows(&report.templates.top)[0], ("running", 2));
    assert!(rows(&report.templates.top).contains(&(
        "Component State Change: Component <*> is in the unavailable state (HWID=<*>",
        1
    )));
}

#[test]
fn web_access() {
    let report = agreed(&[br#"
127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"
::1 - - [10/Oct/2000:20:55:37 +0000] "POST /a HTTP/1.1" 404 5 "-" "curl/8"
::1 - - [11/Oct/2000:02:25:38 +0530] "-" 503 0
::1 - - [10/Oct/2000:20:55:39 +0000] "get /a" 999 0 "-" "odd"
::1 - - [10/Oct/2000:20:55:40 +0000] "GET /cut
::1 - - [10/Oct/2000:20:55:40 *0000] "GET / HTTP/1.1" 200 1
"#]);
    assert_eq!(
        (report.lines, report.unparsed_lines, report.blank_lines),
        (7, 1, 1)
    );
    assert_eq!(
        report.first_seconds,
        at((2000, 10, 10), 20 * 3_600 + 55 * 60 + 36)
    );
    assert_eq!(
        report.last_seconds,
        at((2000, 10, 10), 20 * 3_600 + 55 * 60 + 40)
    );
    assert_levels(&report, [0, 0, 1, 0, 1, 1, 0]);
    assert_eq!(rows(&report.hosts.top), [("::1", 4), ("127.0.0.1", 1)]);
    assert_eq!(rows(&report.components.top), [("GET", 2), ("POST", 1)]);
    let templates = rows(&report.templates.top);
    assert!(templates.contains(&("\"-\" <*> <*>", 1)), "{templates:?}");
    assert!(
        templates.contains(&("\"GET <*> <*> <*> <*> \"http:<*> <*> [en] <*> I ;Nav)\"", 1)),
        "{templates:?}"
    );
}

#[test]
fn the_generated_log_is_parsed_but_for_its_stack_traces() {
    use thrifty_workloads::logs::LogSpec;
    let mut log = Vec::new();
    LogSpec::MIXED
        .with_lines(20_000)
        .write_to(&mut log)
        .unwrap();
    let report = agreed(&[&log]);
    let frames = String::from_utf8(log)
        .unwrap()
        .lines()
        .filter(|l| l.starts_with("\tat "))
        .count();
    assert!(frames > 100);
    assert_eq!(
        (report.lines, report.unparsed_lines),
        (20_000, frames as u64)
    );
    assert!(
        (100..1_500).contains(&report.templates.distinct),
        "{}",
        report.templates.distinct
    );
}
