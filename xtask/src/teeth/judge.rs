//! Tells a kill from a survivor, and both from a run that proves nothing.
//!
//! What counts as a kill is narrow: the one model that was asked for, and no other, must have run
//! and failed by what loom or an assertion of ours found. A build that broke, an ordering that
//! makes no sense, a run that was cut short: none of them shows that a model looked.

use super::WEAKEN;
use crate::tally::Tally;

/// How a model took a mutant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The model failed.
    Killed {
        /// What it failed by.
        by: String,
        /// In which execution, if the model said so.
        execution: Option<u64>,
    },
    /// The model passed: it does not check this ordering.
    Survived,
    /// Neither; the run itself went wrong.
    Broken(String),
}

/// Judges a run of one model by its exit code and by what it printed.
pub(super) fn judge(code: Option<i32>, text: &str) -> Verdict {
    let tally = Tally::of(text);
    match (code, tally.passed, tally.failed) {
        (Some(0), 1, 0) => Verdict::Survived,
        // The door refused the variable itself: no model looked at anything.
        _ if text.contains(WEAKEN) => Verdict::Broken(format!("{WEAKEN} was refused")),
        (Some(101), 0, 1) => match reason(text) {
            Ok(by) => Verdict::Killed {
                by,
                execution: execution(text),
            },
            Err(why) => Verdict::Broken(why),
        },
        (_, 0, 0) => Verdict::Broken("the model did not run".into()),
        _ => Verdict::Broken(format!("it ended with {code:?} after {tally}")),
    }
}

/// What the model failed by. A panic inside loom that is about the ordering itself ("there is no
/// such thing as a release load") is no finding, nor is one of the driver's.
fn reason(text: &str) -> Result<String, String> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.contains("panicked at "));
    let place = lines.next().unwrap_or_default();
    let message = lines.next().unwrap_or_default().trim();
    let message = message.trim_end_matches(['.', ':']).to_owned();
    // Cargo tells the compiler the paths of members relative to the root.
    let (_, path) = place.split_once("panicked at ").unwrap_or_default();
    let path = path.replace('\\', "/");
    let ours = path.starts_with("crates/") && !path.starts_with("crates/sync/src/");
    if ours || message.starts_with("Causality violation") {
        Ok(message)
    } else {
        Err(format!(
            "it failed by neither loom nor an assertion: {message}"
        ))
    }
}

/// The number in `model x: failed in execution 55`.
fn execution(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(": failed in execution ")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULT: &str =
        "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 1 filtered out";

    #[test]
    fn a_causality_violation_is_a_kill() {
        let text = format!(
            "thread 'm' panicked at /r/loom-0.7.2/src/rt/location.rs:115:9:\n\
             Causality violation: Concurrent read and write accesses.\n{RESULT}\n"
        );
        assert_eq!(
            judge(Some(101), &text),
            Verdict::Killed {
                by: "Causality violation: Concurrent read and write accesses".into(),
                execution: None,
            }
        );
    }

    #[test]
    fn an_assertion_is_a_kill_and_says_in_which_execution() {
        for place in [
            "crates/sync/tests/door.rs",
            "crates/a/src/models.rs",
            "crates/a/src/b.rs",
        ] {
            let text = format!(
                "thread 'm' panicked at {place}:65:17:\nthe flag was up\n\
                 model m: failed in execution 55\n{RESULT}\n"
            );
            assert_eq!(
                judge(Some(101), &text),
                Verdict::Killed {
                    by: "the flag was up".into(),
                    execution: Some(55),
                }
            );
        }
    }

    #[test]
    fn a_pass_survives() {
        let text = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(judge(Some(0), text), Verdict::Survived);
    }

    #[test]
    fn what_proves_nothing_is_not_a_kill() {
        let failed_at = |place: &str, message: &str| {
            format!("thread 'm' panicked at {place}:9:9:\n{message}\n{RESULT}\n")
        };
        let loom = "/r/loom-0.7.2/src/rt/atomic.rs";
        let invalid = failed_at(loom, "there is no such thing as a release load");
        let branches = failed_at(loom, "Model exceeded maximum number of branches.");
        let refused = failed_at(
            "crates/sync/src/ord.rs",
            "THRIFTY_WEAKEN names no ordering: Rlaxed",
        );
        let driver = failed_at(
            "crates/sync/src/model.rs",
            "m: one execution only; loom saw no shared state",
        );
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out";
        for (code, text) in [
            (Some(101), invalid.as_str()),
            (Some(101), &branches),
            (Some(101), &refused),
            (Some(101), &driver),
            (Some(101), RESULT),
            (Some(0), none),
            (Some(1), "error: could not compile"),
            (None, ""),
        ] {
            let verdict = judge(code, text);
            assert!(matches!(verdict, Verdict::Broken(_)), "{text}: {verdict:?}");
        }
    }
}
