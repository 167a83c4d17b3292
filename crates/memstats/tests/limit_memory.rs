//! Cycles where the allocator has nothing left: that is when they are wanted.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use thrifty_memstats::Alloc;
use thrifty_memstats::limit::{self, Limit, Priority, Reason, Tuning};
use thrifty_testkit::{AllocFault, FailingAlloc, in_child, with_failing};
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

#[global_allocator]
static ALLOC: Alloc<FailingAlloc> = Alloc::new(FailingAlloc::system());

struct Counted(Arc<AtomicU32>);

impl MemoryUsage for Counted {
    fn memory_usage(&self) -> Usage {
        Usage::new()
    }
}

impl Reclaim for Counted {
    fn reclaim(&self, _: Pressure) -> Reclaimed {
        self.0.fetch_add(1, Ordering::Relaxed);
        Reclaimed::new()
    }
}

#[test]
fn a_cycle_needs_no_memory() {
    in_child!(|| {
        let calls = Arc::new(AtomicU32::new(0));
        let registrations: Vec<_> = (0..20)
            .map(|_| limit::register("counted", Priority::Cheap, Counted(Arc::clone(&calls))))
            .collect();
        let trim = limit::trim_now(Pressure::Low).expect("no reclaimer asks");
        assert_eq!(trim.calls, 20);
        let (trim, struck) = with_failing(AllocFault::Onwards, 0, || {
            limit::trim_now(Pressure::High).expect("no reclaimer asks")
        });
        assert_eq!((trim.calls, trim.reason), (60, Reason::Forced));
        assert_eq!(struck, 0, "it did not even try");

        // One that is due, on a thread that lends a hand.
        let deadline = std::time::Duration::from_secs(60);
        limit::tune(Tuning::new().with_deadline(deadline));
        let before = calls.load(Ordering::Relaxed);
        limit::set_soft(Limit::Bytes(1)).expect("it can be set");
        let ((), struck) = with_failing(AllocFault::Onwards, 0, || {
            while calls.load(Ordering::Relaxed) == before {
                limit::assist();
            }
        });
        assert_eq!(struck, 0);
        drop(registrations);
    })
    .assert_returned();
}
