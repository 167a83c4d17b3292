//! Signals whose handler allocates, in the middle of whatever the sampler is doing.
//!
//! No allocator of a system may be used so; the one in here may, as all it does is to add to a number.
//! So what is tested are the hooks around it: they have nothing that a handler could break.
#![expect(unsafe_code, reason = "an allocator, and signals")]
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::hint::black_box;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use thrifty_memstats::{Alloc, heap_profile, profiling, stop_profiling};

const BYTES: usize = 256 << 20;

/// Cuts blocks from one piece of memory and takes none back.
struct Bump {
    memory: UnsafeCell<[u8; BYTES]>,
    used: AtomicUsize,
}

// SAFETY: each range of the memory is handed out once.
unsafe impl Sync for Bump {}

// SAFETY: the ranges lie within the memory, are aligned, and no two overlap, since `used` only grows.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.memory.get().cast::<u8>();
        let room = layout.size() + layout.align();
        let used = self.used.fetch_add(room, Ordering::Relaxed);
        if used + room > BYTES {
            return ptr::null_mut();
        }
        let skip = (start.addr() + used).next_multiple_of(layout.align()) - start.addr();
        start.wrapping_add(skip)
    }

    unsafe fn dealloc(&self, _block: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static ALLOC: Alloc<Bump> = Alloc::new(Bump {
    memory: UnsafeCell::new([0; BYTES]),
    used: AtomicUsize::new(0),
});

static HANDLED: AtomicU64 = AtomicU64::new(0);

fn allocate_here(bytes: usize) -> Vec<u8> {
    black_box(Vec::with_capacity(black_box(bytes)))
}

#[cfg(unix)]
extern "C" fn handler(_signal: libc::c_int) {
    let mut bytes = allocate_here(40);
    bytes.push(1);
    bytes.reserve_exact(100);
    drop(bytes);
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// A thread that std knows nothing of, and a handler on a stack of its own.
#[cfg(unix)]
fn stacks_that_std_did_not_make() {
    extern "C" fn foreign(_: *mut libc::c_void) -> *mut libc::c_void {
        let mut memory = vec![0_u8; 64 << 10];
        let stack = libc::stack_t {
            ss_sp: memory.as_mut_ptr().cast(),
            ss_flags: 0,
            ss_size: memory.len(),
        };
        // SAFETY: the stack is valid, and used by this thread alone, which takes it back below.
        let given = unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
        assert_eq!(given, 0);
        for _ in 0..20 {
            // SAFETY: the signal has a handler.
            unsafe { libc::raise(libc::SIGUSR2) };
            drop(allocate_here(70_001));
        }
        let none = libc::stack_t {
            ss_sp: ptr::null_mut(),
            ss_flags: libc::SS_DISABLE,
            ss_size: 0,
        };
        // SAFETY: takes the stack back, which no handler runs on now.
        let taken = unsafe { libc::sigaltstack(&raw const none, ptr::null_mut()) };
        assert_eq!(taken, 0);
        ptr::null_mut()
    }
    extern "C" fn on_its_own_stack(_signal: libc::c_int) {
        drop(allocate_here(70_002));
    }

    let handler = on_its_own_stack as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: all zeros are a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: the action is valid, and its handler does nothing that its allocator does not allow in one.
    let set = unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, ptr::null_mut()) };
    assert_eq!(set, 0);
    profiling().rate(1).start().unwrap();
    let mut thread = std::mem::MaybeUninit::uninit();
    // SAFETY: writes the thread's number to where it may; the function takes no argument.
    let started =
        unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), foreign, ptr::null_mut()) };
    assert_eq!(started, 0);
    // SAFETY: it was written, since the thread was started.
    let thread = unsafe { thread.assume_init() };
    // SAFETY: joins a thread that nobody else joins, and wants no result.
    unsafe { libc::pthread_join(thread, ptr::null_mut()) };
    stop_profiling();
    let profile = heap_profile().unwrap();
    let of = |size: u64| {
        let buckets = profile.sites().iter().flat_map(|site| {
            let depth = site.stack.len();
            site.buckets.iter().map(move |bucket| (bucket, depth))
        });
        let mine: Vec<_> = buckets
            .filter(|(bucket, _)| bucket.max_size == size)
            .collect();
        assert!(mine.iter().all(|(_, depth)| *depth > 1), "{mine:?}");
        mine.iter()
            .map(|(bucket, _)| bucket.alloc_objects)
            .sum::<u64>()
    };
    assert_eq!((of(70_001), of(70_002)), (20, 20));
    assert_eq!(profile.capture.different, 0, "{:?}", profile.capture);
    println!("stacks that std did not make: {:?}", profile.capture);
}

#[cfg(unix)]
fn main() {
    stacks_that_std_did_not_make();
    // SAFETY: takes a number and the address of a handler, which does nothing that its allocator
    // does not allow in one.
    unsafe {
        libc::signal(
            libc::SIGUSR1,
            handler as extern "C" fn(libc::c_int) as libc::sighandler_t,
        );
    }
    let stop = AtomicBool::new(false);
    // SAFETY: takes nothing.
    let main_thread = unsafe { libc::pthread_self() };
    for rate in [1, 60, 4096] {
        profiling().rate(rate).start().unwrap();
        let before = HANDLED.load(Ordering::Relaxed);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seen = HANDLED.load(Ordering::Relaxed);
                    // SAFETY: the thread outlives this scope.
                    unsafe { libc::pthread_kill(main_thread, libc::SIGUSR1) };
                    while HANDLED.load(Ordering::Relaxed) == seen && !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                }
            });
            let mut held = Vec::with_capacity(32);
            let mut size = 0;
            while HANDLED.load(Ordering::Relaxed) < before + 2000 && size < 300_000 {
                size += 1;
                let mut bytes = allocate_here(size % 100 + 1);
                bytes.reserve_exact(size % 200 + 100);
                held.push(bytes);
                if held.len() == 32 {
                    held.clear();
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        stop.store(false, Ordering::Relaxed);
        for site in heap_profile().unwrap().sites() {
            assert!(site.inuse_bytes <= site.alloc_bytes, "{site:?}");
            assert!(site.inuse_objects <= site.alloc_objects, "{site:?}");
        }
        stop_profiling();
    }
    let handled = HANDLED.load(Ordering::Relaxed);
    assert!(handled > 100, "{handled}");
    let end = heap_profile().unwrap().totals();
    println!("signals: {handled} handled, {end:?}");
    assert!(end.samples > 0);
    // A dozen blocks of threads may be in use.
    assert!(end.inuse_bytes < 64 << 10, "{end:?}");
    println!("signals: 1 passed, 0 failed, 0 skipped");
}

#[cfg(not(unix))]
fn main() {
    println!("memstats, signals: SKIPPED, there are none on this system");
}
