//! Weakens one tagged ordering and requires a model to notice.
//!
//! A tag is weakened through the environment of a test binary that is built already, so a failure
//! is the model's and not the compiler's. What counts as a kill is narrow: the named model, and no
//! other, must have run and failed by what loom or its own assertion found.

use xshell::cmd;

use crate::{
    artifacts::Executable,
    failure::Failure,
    job::{Job, both_streams},
    tally::Tally,
    workspace::Workspace,
};

/// The variable that `ord!` reads under loom: `tag=Ordering`.
pub(crate) const WEAKEN: &str = "THRIFTY_WEAKEN";

/// One weaker neighbour of one tagged ordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mutant {
    tag: &'static str,
    to: &'static str,
}

/// How a model took a mutant.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The model failed, and this line says by what.
    Killed(String),
    /// The model passed: nothing checks this ordering.
    Survived,
    /// Neither; the run itself went wrong.
    Broken(String),
}

/// The door's own model must fail for each half of its one protocol weakened, and must pass when
/// the tag that is weakened is none of its own. Returns how many mutants were killed.
pub(crate) fn door(workspace: &Workspace, door: &Executable) -> Result<usize, Failure> {
    let model = "published_value_is_seen_whole";
    let mutants = [
        Mutant {
            tag: "door.publish",
            to: "Relaxed",
        },
        Mutant {
            tag: "door.observe",
            to: "Relaxed",
        },
    ];
    let unrelated = Mutant {
        tag: "xtask.unrelated",
        to: "Relaxed",
    };
    match weaken(workspace, door, model, unrelated)? {
        Verdict::Survived => {}
        other => {
            return Err(Failure::failed(format!(
                "{model} fails although no tag of its own is weakened: {other:?}"
            )));
        }
    }
    for mutant in mutants {
        let Mutant { tag, to } = mutant;
        match weaken(workspace, door, model, mutant)? {
            Verdict::Killed(by) => println!("  {tag} weakened to {to}: {model} fails ({by})"),
            Verdict::Survived => {
                return Err(Failure::failed(format!(
                    "{model} passes with {tag} weakened to {to}: loom does not see our atomics"
                )));
            }
            Verdict::Broken(why) => {
                return Err(Failure::failed(format!(
                    "{model} with {tag} weakened to {to} proves nothing: {why}"
                )));
            }
        }
    }
    Ok(mutants.len())
}

/// Runs one model with one mutant.
fn weaken(
    workspace: &Workspace,
    executable: &Executable,
    model: &str,
    mutant: Mutant,
) -> Result<Verdict, Failure> {
    let sh = &workspace.sh;
    let path = &executable.path;
    let output = Job::new(cmd!(sh, "{path} {model} --exact --nocapture"))
        .dir(&executable.dir)
        .env(WEAKEN, format!("{}={}", mutant.tag, mutant.to))
        .output()?;
    Ok(judge(output.status.code(), &both_streams(&output)))
}

/// Tells a kill from a survivor and both from a run that proves nothing.
fn judge(code: Option<i32>, text: &str) -> Verdict {
    let tally = Tally::of(text);
    match (code, tally.passed, tally.failed) {
        (Some(0), 1, 0) => Verdict::Survived,
        // The door refused the variable itself: no model looked at anything.
        _ if text.contains(WEAKEN) => Verdict::Broken(format!("{WEAKEN} was refused")),
        (Some(101), 0, 1) => match reason(text) {
            Some(by) => Verdict::Killed(by),
            None => Verdict::Broken("it failed by neither loom nor an assertion".into()),
        },
        (_, 0, 0) => Verdict::Broken("the model did not run".into()),
        _ => Verdict::Broken(format!("it ended with {code:?} after {tally}")),
    }
}

/// What the model failed by. A panic inside loom that is about the ordering itself ("invalid
/// ordering for a store") is no finding.
fn reason(text: &str) -> Option<String> {
    text.lines()
        .map(str::trim)
        .find(|line| line.starts_with("Causality violation"))
        .or_else(|| {
            let mut lines = text
                .lines()
                .skip_while(|line| !line.contains("panicked at"));
            let place = lines.next()?;
            let ours = place.contains("tests/") || place.contains("models");
            lines.next().map(str::trim).filter(|_| ours)
        })
        .map(|line| line.trim_end_matches(['.', ':']).to_owned())
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
            Verdict::Killed("Causality violation: Concurrent read and write accesses".into())
        );
    }

    #[test]
    fn the_models_own_assertion_is_a_kill() {
        let text = format!(
            "thread 'm' panicked at crates/sync/tests/door.rs:65:17:\nthe flag was up\n{RESULT}\n"
        );
        assert_eq!(
            judge(Some(101), &text),
            Verdict::Killed("the flag was up".into())
        );
    }

    #[test]
    fn a_pass_survives() {
        let text = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(judge(Some(0), text), Verdict::Survived);
    }

    #[test]
    fn what_proves_nothing_is_not_a_kill() {
        let invalid = format!(
            "thread 'm' panicked at /r/loom-0.7.2/src/rt/atomic.rs:9:9:\n\
             there is no such thing as an acquire store\n{RESULT}\n"
        );
        let refused = format!(
            "thread 'm' panicked at crates/sync/src/ord.rs:9:9:\n\
             THRIFTY_WEAKEN names no ordering: Rlaxed\n{RESULT}\n"
        );
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out";
        for (code, text) in [
            (Some(101), invalid.as_str()),
            (Some(101), &refused),
            (Some(0), none),
            (Some(1), "error: could not compile"),
            (None, ""),
        ] {
            let verdict = judge(code, text);
            assert!(matches!(verdict, Verdict::Broken(_)), "{text}: {verdict:?}");
        }
    }
}
