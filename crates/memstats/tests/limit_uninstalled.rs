//! The limit where nobody counts: what is resident is what it is held to.

use thrifty_memstats::limit::{self, EnvironmentError, Event, Limit, LimitError, Priority};
use thrifty_testkit::{Child, in_child, this_test};
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

struct Nothing;

impl MemoryUsage for Nothing {
    fn memory_usage(&self) -> Usage {
        Usage::new()
    }
}

impl Reclaim for Nothing {
    fn reclaim(&self, _: Pressure) -> Reclaimed {
        Reclaimed::new()
    }
}

/// Where the system does not tell what is resident, there is nothing to hold to a limit.
const IS_RESIDENT_TOLD: bool = cfg!(any(target_os = "linux", target_vendor = "apple", windows));

#[test]
fn of_two_settings_both_are_applied_or_none() {
    Child::new(this_test!())
        .env("THRIFTY_MEMORY_LIMIT", "1GiB")
        .env("THRIFTY_TRIM_PERCENT", "100")
        .run(|| {
            let error = EnvironmentError::Set(LimitError::NothingToMeasure);
            assert_eq!(limit::from_env(), Err(error));
            assert_eq!(limit::stats().soft_limit_bytes, None);
        })
        .assert_returned();
}

#[test]
fn what_is_resident_is_held_to_the_limit() {
    if !IS_RESIDENT_TOLD {
        return;
    }
    in_child!(|| {
        let events = limit::subscribe();
        let _nothing = limit::register("nothing", Priority::Cheap, Nothing);
        assert_eq!(
            limit::set_percent(Some(1)),
            Err(LimitError::NothingToMeasure)
        );
        limit::set_soft(Limit::Bytes(1)).unwrap();
        let told = loop {
            match events.wait(std::time::Duration::from_secs(30)) {
                Some(event @ Event::Exhausted { .. }) => break event,
                Some(_) => {}
                None => panic!("waited for the end"),
            }
        };
        assert!(told.to_string().starts_with("nothing to give: "), "{told}");
        assert_eq!(limit::stats().live_bytes, None);
    })
    .assert_returned();
}
