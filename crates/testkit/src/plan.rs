//! Which calls fail: pure counting, shared by the allocators that fail.

#![forbid(unsafe_code)]

/// Calls are numbered from 0; those in `from..until` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    calls: u64,
    from: u64,
    until: u64,
    struck: u64,
}

impl Plan {
    /// Nothing fails.
    pub(crate) const OFF: Self = Self {
        calls: 0,
        from: u64::MAX,
        until: u64::MAX,
        struck: 0,
    };

    /// The next `after` calls pass, the one after them fails; the later ones pass again.
    pub(crate) const fn once(after: u64) -> Self {
        Self {
            from: after,
            until: after.saturating_add(1),
            ..Self::OFF
        }
    }

    /// The next `after` calls pass, all later ones fail.
    pub(crate) const fn onwards(after: u64) -> Self {
        Self {
            from: after,
            ..Self::OFF
        }
    }

    /// Counts a call and says whether it fails.
    ///
    /// Nothing fails on a thread that is panicking: the panic's own message is allocated, and a
    /// failure there would abort the process and hide what the panic had to say. Nor do its calls
    /// count: a sweep would take a site that cannot strike for the end of the program.
    pub(crate) fn strikes(&mut self) -> bool {
        if std::thread::panicking() {
            return false;
        }
        let call = self.calls;
        self.calls = call.saturating_add(1);
        let strikes = self.from <= call && call < self.until;
        self.struck += u64::from(strikes);
        strikes
    }

    /// How many calls failed.
    pub(crate) const fn struck(&self) -> u64 {
        self.struck
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    fn failures(mut plan: Plan) -> (Vec<bool>, u64) {
        let failures = (0..4).map(|_| plan.strikes()).collect();
        (failures, plan.struck())
    }

    #[test]
    fn each_plan_fails_the_calls_it_names() {
        assert_eq!(failures(Plan::OFF), (vec![false; 4], 0));
        assert_eq!(
            failures(Plan::once(2)),
            (vec![false, false, true, false], 1)
        );
        assert_eq!(
            failures(Plan::onwards(1)),
            (vec![false, true, true, true], 3)
        );
        assert_eq!(failures(Plan::once(u64::MAX)), (vec![false; 4], 0));
    }

    #[test]
    fn nothing_fails_or_counts_while_the_thread_panics() {
        struct InDrop<'a>(&'a mut Plan);
        impl Drop for InDrop<'_> {
            fn drop(&mut self) {
                assert!(std::thread::panicking());
                assert!(!self.0.strikes());
            }
        }
        for mut plan in [Plan::onwards(0), Plan::once(0)] {
            crate::quietly(|| {
                let _in_drop = InDrop(&mut plan);
                panic!("on purpose");
            })
            .expect_err("it panics");
            assert!(plan.strikes());
        }
    }
}
