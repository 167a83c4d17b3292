//! Which auto traits the types have.

use thrifty_fixed_alloc::{
    Block, Builder, ConfigError, FixedAlloc, FixedHandle, Stats, ThreadCache, UninitBlock,
    WeakFixedAlloc,
};

thrifty_testkit::auto_traits! {
    FixedAlloc: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    FixedHandle: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    WeakFixedAlloc: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Block: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    UninitBlock: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Builder: [Send Sync Unpin !Copy],
    ConfigError: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
    Stats: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
    ThreadCache: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
}
