//! The hosted workflow only picks lanes: what they do is in xtask, and runs on a laptop too.

use super::Finding;

/// The one step that is no lane: it turns a failed job into a failed `all-green`.
const VERDICT: &str = "exit 1";

/// The findings in `.github/workflows/ci.yml`.
pub(crate) fn check(path: &str, text: &str, lanes: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut runs_all = false;
    let mut named: Vec<String> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.split(" #").next().unwrap_or_default().trim();
        let code = code.strip_prefix("- ").unwrap_or(code);
        if let Some(command) = code.strip_prefix("run:") {
            let command = command.trim();
            match lane(command) {
                Some("") => runs_all = true,
                // Which one is for the matrix to say.
                Some(lane) if lane.contains("${{") => {}
                Some(lane) => named.extend(lane.split_whitespace().map(str::to_owned)),
                None if command == VERDICT => {}
                None => findings.push(Finding::new(
                    path,
                    at + 1,
                    format!("`run: {command}` is no xtask lane; move it into xtask"),
                )),
            }
        }
        if let Some(list) = code.strip_prefix("lane: [") {
            named.extend(
                list.trim_matches([' ', ']'])
                    .split(',')
                    .map(|lane| lane.trim().to_owned()),
            );
        }
        if code.contains("retries") || code.contains("continue-on-error") {
            findings.push(Finding::new(
                path,
                at + 1,
                "a job that may fail or is tried again hides what a concurrency test found",
            ));
        }
    }
    for lane in &named {
        if !lanes.contains(&lane.as_str()) {
            findings.push(Finding::new(path, 0, format!("'{lane}' is no lane")));
        }
    }
    for lane in lanes {
        if !runs_all && !named.iter().any(|named| named == lane) {
            findings.push(Finding::new(path, 0, format!("lane '{lane}' runs nowhere")));
        }
    }
    all_green(path, text, &mut findings);
    findings
}

/// The lane that a command runs, empty for all of them.
fn lane(command: &str) -> Option<&str> {
    ["cargo xtask ci", "bash .ci/run", ".ci/run"]
        .iter()
        .find_map(|start| command.strip_prefix(start))
        .map(str::trim)
}

/// `all-green` waits for every other job, so that it can be the one required check.
fn all_green(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let jobs = jobs(text);
    let Some((_, at, body)) = jobs.iter().find(|(name, ..)| name == "all-green") else {
        findings.push(Finding::new(path, 0, "there is no job 'all-green'"));
        return;
    };
    let needs: Vec<&str> = body
        .iter()
        .find_map(|line| line.trim().strip_prefix("needs:"))
        .unwrap_or_default()
        .trim_matches([' ', '[', ']'])
        .split(',')
        .map(str::trim)
        .collect();
    for (name, ..) in jobs.iter().filter(|(name, ..)| name != "all-green") {
        if !needs.contains(&name.as_str()) {
            findings.push(Finding::new(
                path,
                *at,
                format!("all-green does not wait for '{name}'; add it to needs"),
            ));
        }
    }
    if !body.iter().any(|line| line.trim() == "if: always()") {
        findings.push(Finding::new(
            path,
            *at,
            "all-green needs `if: always()`: a skipped check counts as green",
        ));
    }
}

/// The jobs: name, line, and the lines of each.
fn jobs(text: &str) -> Vec<(String, usize, Vec<&str>)> {
    let mut jobs: Vec<(String, usize, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let code = line.trim();
        if code.is_empty() || code.starts_with('#') {
            continue;
        }
        if depth == 0 {
            inside = code == "jobs:";
        } else if inside && depth == 2 {
            jobs.push((code.trim_end_matches(':').to_owned(), at + 1, Vec::new()));
        } else if inside && let Some((.., body)) = jobs.last_mut() {
            body.push(line);
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
jobs:
  lane:
    strategy: { matrix: {
      lane: [fmt, test]
    } }
    steps:
      - run: cargo xtask ci ${{ matrix.lane }}
  mac:
    steps:
      - run: .ci/run test # the same
  all-green:
    needs: [lane, mac]
    if: always()
    steps:
      - run: exit 1
";

    fn found(text: &str) -> Vec<String> {
        check("ci.yml", text, &["fmt", "test"])
            .iter()
            .map(|finding| finding.message.clone())
            .collect()
    }

    #[test]
    fn lanes_and_nothing_else_pass() {
        assert_eq!(found(GOOD), Vec::<String>::new());
        let all = GOOD
            .replace("[fmt, test]", "[test]")
            .replace("run test", "run");
        assert_eq!(found(&all), Vec::<String>::new());
    }

    #[test]
    fn each_planted_fault_is_found() {
        for (from, to, message) in [
            (".ci/run test", "cargo test", "no xtask lane"),
            (".ci/run test", "cargo xtask tour", "no xtask lane"),
            ("[fmt, test]", "[test]", "lane 'fmt' runs nowhere"),
            ("[fmt, test]", "[fmt, test, typo]", "'typo' is no lane"),
            ("[lane, mac]", "[lane]", "does not wait for 'mac'"),
            ("    if: always()\n", "", "if: always()"),
            ("all-green:", "green:", "no job 'all-green'"),
            ("steps:", "continue-on-error: true\n    steps:", "may fail"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let found = found(&GOOD.replace(from, to));
            assert!(
                found.iter().any(|found| found.contains(message)),
                "{from} -> {to}: {found:?}"
            );
        }
    }
}
