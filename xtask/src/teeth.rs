//! Weakens one tagged ordering at a time and requires a model to notice.
//!
//! A tag is weakened through the environment of test binaries that are built already and whose
//! models have passed, so a failure is the model's and not the compiler's. The model that a
//! file's table names goes first, then the quickest; the first one that fails is enough. One
//! ordering in `crates/sync/tests/door.rs` is useless on purpose: unless it survives, the table
//! means nothing.

mod judge;
mod mutants;

use core::fmt::Write as _;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use xshell::{Shell, cmd};

use self::{
    judge::{Verdict, judge},
    mutants::Mutant,
};
use crate::{
    artifacts::Executable,
    failure::Failure,
    job::{Job, both_streams},
    tidy,
    workspace::Workspace,
};

/// The variable that `ord!` reads under loom: `tag=Ordering`.
pub(crate) const WEAKEN: &str = "THRIFTY_WEAKEN";

/// The ordering that is useless on purpose.
const PLANTED: &str = "door.planted";

/// A model that passed unweakened.
#[derive(Debug)]
pub(crate) struct Model {
    /// The package's name without `thrifty-`.
    pub(crate) package: String,
    pub(crate) executable: Executable,
    /// The test's name, modules and all.
    pub(crate) test: String,
    /// How long it took unweakened.
    pub(crate) seconds: f64,
}

impl Model {
    fn name(&self) -> &str {
        self.test
            .rsplit_once("::")
            .map_or(&self.test, |(_, name)| name)
    }

    /// A weakened ordering can make a model explore more, but not without end.
    fn limit(&self) -> Duration {
        Duration::from_secs_f64(60.0 + 10.0 * self.seconds)
    }
}

/// What came of one mutant.
#[derive(Debug)]
struct Outcome {
    mutant: Mutant,
    /// The last model that was tried, if any could be.
    model: Option<String>,
    verdict: Verdict,
    seconds: f64,
}

/// Weakens every tag whose name contains `filter`; says how many were killed.
pub(crate) fn run(
    workspace: &Workspace,
    models: &[Model],
    filter: Option<&str>,
) -> Result<String, Failure> {
    let files = tidy::rust_files(workspace)?;
    let mut mutants = mutants::of(&files)?;
    mutants.retain(|mutant| filter.is_none_or(|part| mutant.tag.contains(part)));
    if mutants.is_empty() {
        return Err(Failure::usage(format!(
            "no tag that could be weaker has '{}' in its name",
            filter.unwrap_or_default()
        )));
    }
    let covered = mutants::covered(&files);
    if let Some((tag, name)) = stale(&covered, &mutants, models) {
        return Err(Failure::failed(format!(
            "a file's table says that {name} covers {tag}, and there is no such model"
        )));
    }
    let plans: Vec<_> = mutants
        .into_iter()
        .map(|mutant| {
            let named = covered.get(&mutant.tag).map_or(&[][..], Vec::as_slice);
            let reach = |model: &&Model| {
                model.package == mutant.owner
                    || (!mutant.in_tests && workspace.leans_on(&model.package, &mutant.owner))
            };
            let mut models: Vec<_> = models.iter().filter(reach).collect();
            models.sort_by(|a, b| {
                let order = |model: &Model| !named.iter().any(|name| name == model.name());
                (order(a).cmp(&order(b))).then(a.seconds.total_cmp(&b.seconds))
            });
            (mutant, models)
        })
        .collect();
    let outcomes = hunt_all(&plans)?;
    println!("\n{}\n", table(&outcomes));
    verdict(&outcomes, filter.is_none_or(|part| PLANTED.contains(part)))
}

/// A tag and a model that a table names for it although there is none of that name.
fn stale<'a>(
    covered: &'a BTreeMap<String, Vec<String>>,
    mutants: &[Mutant],
    models: &[Model],
) -> Option<(&'a str, &'a str)> {
    covered
        .iter()
        .filter(|(tag, _)| mutants.iter().any(|mutant| mutant.tag == **tag))
        .flat_map(|(tag, names)| names.iter().map(|name| (tag.as_str(), name.as_str())))
        .find(|(_, name)| !models.iter().any(|model| model.name() == *name))
}

/// Hunts all mutants, as many at a time as there are processors.
fn hunt_all(plans: &[(Mutant, Vec<&Model>)]) -> Result<Vec<Outcome>, Failure> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let workers = workers.min(plans.len());
    println!("weakening {} orderings, {workers} at a time", plans.len());
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((mutant, models)) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = hunt(mutant, models);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(outcome);
                }
            });
        }
    });
    let outcomes = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    if outcomes.len() != plans.len() {
        return Err(Failure::failed("a mutant was lost: the lane is wrong"));
    }
    outcomes.sort_by(|a, b| (&a.mutant.tag, a.mutant.to).cmp(&(&b.mutant.tag, b.mutant.to)));
    Ok(outcomes)
}

/// Runs the models until one does not pass.
fn hunt(mutant: &Mutant, models: &[&Model]) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let mut outcome = Outcome {
        mutant: mutant.clone(),
        model: None,
        verdict: Verdict::Survived,
        seconds: 0.0,
    };
    for model in models {
        outcome.verdict = weaken(model, mutant)?;
        outcome.model = Some(model.name().to_owned());
        if outcome.verdict != Verdict::Survived {
            break;
        }
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// Runs one model with one mutant.
fn weaken(model: &Model, mutant: &Mutant) -> Result<Verdict, Failure> {
    // A shell of this thread's own: xshell's cannot be shared.
    let sh = Shell::new()?;
    let (path, test) = (&model.executable.path, &model.test);
    let limit = model.limit();
    let output = Job::new(cmd!(sh, "{path} {test} --exact --nocapture"))
        .dir(&model.executable.dir)
        .env("RUST_BACKTRACE", "0")
        .env(WEAKEN, format!("{}={}", mutant.tag, mutant.to))
        .output_within(limit)?;
    Ok(match output {
        Some(output) => judge(output.status.code(), &both_streams(&output)),
        None => Verdict::Broken(format!("no end after {:.0} s", limit.as_secs_f64())),
    })
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:28} {:8} {:8} {:46} {:>9} {:>6}  place; finding",
        "tag", "weaker", "verdict", "model", "execution", "s"
    );
    for outcome in outcomes {
        let Mutant {
            tag,
            to,
            place,
            blind,
            ..
        } = &outcome.mutant;
        let none = || "-".to_owned();
        let (word, execution, finding) = match &outcome.verdict {
            Verdict::Killed { by, execution } => (
                "killed",
                execution.map_or_else(none, |n| n.to_string()),
                by.as_str(),
            ),
            Verdict::Survived if tag == PLANTED => ("planted", none(), "useless on purpose"),
            Verdict::Survived => match blind {
                Some(why) => ("blind", none(), why.as_str()),
                None => ("SURVIVED", none(), "no model needs it"),
            },
            Verdict::Broken(why) => ("BROKEN", none(), why.as_str()),
        };
        let model = match (&outcome.verdict, &outcome.model) {
            (_, None) => "(no model reaches it)",
            (Verdict::Survived, Some(_)) => "(all that reach it)",
            (_, Some(model)) => model,
        };
        let _ = write!(
            text,
            "\n{tag:28} {to:8} {word:8} {model:46} {execution:>9} {:6.2}  {place}; {finding}",
            outcome.seconds
        );
    }
    text
}

/// Passes when every ordering is needed, or said to be where loom is blind, and the planted one is
/// not.
fn verdict(outcomes: &[Outcome], planted_ran: bool) -> Result<String, Failure> {
    let (mut killed, mut blind, mut faults) = (0, 0, Vec::new());
    let mut planted = false;
    for Outcome {
        mutant, verdict, ..
    } in outcomes
    {
        let Mutant { tag, to, place, .. } = mutant;
        match verdict {
            Verdict::Broken(why) => {
                faults.push(format!("{tag} weakened to {to} proves nothing: {why}"));
            }
            Verdict::Survived if tag == PLANTED => planted = true,
            Verdict::Killed { .. } if tag == PLANTED => {
                faults.push(format!("{tag} is useless on purpose and was killed"));
            }
            Verdict::Survived if mutant.blind.is_some() => blind += 1,
            Verdict::Survived => faults.push(format!(
                "no model fails when {tag} ({place}) is weakened to {to}: add a model, weaken \
                 the code, or say [loom-blind: reason, covered by WHAT] in its comment"
            )),
            Verdict::Killed { .. } if mutant.blind.is_some() => {
                faults.push(format!(
                    "{tag} ({place}) says loom-blind, and a model sees it: remove the mark"
                ));
            }
            Verdict::Killed { .. } => killed += 1,
        }
    }
    if planted_ran && !planted && faults.is_empty() {
        faults.push(format!(
            "{PLANTED} is gone, so nothing shows that a survivor is seen"
        ));
    }
    if killed == 0 {
        faults.push("nothing was killed".into());
    }
    if !faults.is_empty() {
        return Err(Failure::failed(faults.join("\n")));
    }
    let and_planted = if planted {
        "; the useless one survived, as it must"
    } else {
        ""
    };
    Ok(format!(
        "weakened orderings: {killed} killed, 0 survived, {blind} where loom is blind{and_planted}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(tag: &str, blind: Option<&str>, verdict: Verdict) -> Outcome {
        Outcome {
            mutant: Mutant {
                tag: tag.into(),
                to: "Relaxed",
                place: "crates/a/src/lib.rs:1".into(),
                owner: "a".into(),
                in_tests: false,
                blind: blind.map(str::to_owned),
            },
            model: Some("m".into()),
            verdict,
            seconds: 0.5,
        }
    }

    fn killed() -> Verdict {
        Verdict::Killed {
            by: "a count was lost".into(),
            execution: Some(55),
        }
    }

    fn planted() -> Outcome {
        outcome(PLANTED, None, Verdict::Survived)
    }

    #[test]
    fn kills_blind_spots_and_the_planted_survivor_pass() {
        let outcomes = [
            outcome("a.put", None, killed()),
            outcome("a.get", Some("why, covered by x"), Verdict::Survived),
            planted(),
        ];
        let said = verdict(&outcomes, true).unwrap();
        assert_eq!(
            said,
            "weakened orderings: 1 killed, 0 survived, 1 where loom is blind; the useless one \
             survived, as it must"
        );
        let table = table(&outcomes);
        assert!(table.contains("a.put") && table.contains(" 55 "), "{table}");
        assert!(table.contains("useless on purpose"), "{table}");
        assert!(table.contains("why, covered by x"), "{table}");
    }

    #[test]
    fn a_table_that_names_no_model_is_stale() {
        let model = Model {
            package: "a".into(),
            executable: Executable {
                target: "a".into(),
                path: "/t/a".into(),
                dir: "/w/a".into(),
            },
            test: "models::a_is_seen".into(),
            seconds: 0.0,
        };
        let mutants = [planted().mutant];
        let says = |tag: &str, name: &str| BTreeMap::from([(tag.into(), vec![name.into()])]);
        let found = |table| stale(&table, &mutants, std::slice::from_ref(&model)).is_some();
        assert!(!found(says(PLANTED, "a_is_seen")));
        assert!(found(says(PLANTED, "a_was_seen")));
        assert!(
            !found(says("std.io", "a_was_seen")),
            "no tag, so another table"
        );
    }

    #[test]
    fn each_fault_fails_the_run() {
        let good = || outcome("a.put", None, killed());
        let broken = || Verdict::Broken("no end after 60 s".into());
        for (outcomes, fault) in [
            (
                vec![good(), planted(), outcome("a.get", None, Verdict::Survived)],
                "no model fails when a.get",
            ),
            (
                vec![good(), planted(), outcome("a.get", None, broken())],
                "proves nothing",
            ),
            (
                vec![good(), planted(), outcome("a.get", Some("x"), killed())],
                "remove the mark",
            ),
            (
                vec![good(), outcome(PLANTED, None, killed())],
                "useless on purpose",
            ),
            (vec![good()], "is gone"),
            (vec![planted()], "nothing was killed"),
        ] {
            let text = verdict(&outcomes, true).unwrap_err().to_string();
            assert!(text.contains(fault), "{fault}: {text}");
        }
        assert!(verdict(&[good()], false).is_ok());
    }
}
