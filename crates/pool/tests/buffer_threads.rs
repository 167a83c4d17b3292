//! Buffers that move between threads, are shared by threads, and outlive threads.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, mpsc};
use std::thread;

use thrifty_pool::{
    BufferPool, BufferPoolBuilder, BufferStats, ClassStats, PooledBuf, PooledBytes, Pressure,
    WeakBufferPool,
};
use thrifty_testkit::{Registered, around_tls_destructors, auto_traits, churn, together};

auto_traits! {
    BufferPool: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    WeakBufferPool: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    PooledBuf: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    PooledBytes: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    BufferPoolBuilder: [Send Sync Unpin],
    BufferStats: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    ClassStats: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
}

const LARGE: usize = 100_000;

fn is_at_rest(pool: &BufferPool) {
    let stats = pool.stats();
    for class in stats.classes() {
        assert_eq!(class.in_use, 0, "{class:?}");
        let live = usize::try_from(class.created - class.freed).unwrap();
        assert_eq!(class.idle(), live, "{class:?}");
    }
    assert_eq!((stats.unpooled, stats.unpooled_bytes), (0, 0));
}

#[test]
fn handles_are_small() {
    let word = size_of::<usize>();
    assert_eq!(size_of::<BufferPool>(), word);
    assert_eq!(size_of::<Option<PooledBuf>>(), 2 * word);
    assert_eq!(size_of::<Option<PooledBytes>>(), 3 * word);
}

#[test]
fn views_on_three_threads_return_their_buffer_once() {
    let pool = BufferPool::new();
    for round in 0..300_u32 {
        for size in [200, LARGE] {
            let mut buf = pool.get(size);
            buf.extend_from_slice(&round.to_le_bytes());
            let bytes = buf.freeze();
            let views = Arc::new([0, 1, 2].map(|from| bytes.slice(from..)));
            drop(bytes);
            together(3, |index| {
                let mut mine = views[index].clone();
                let other = views[(index + 1) % 3].clone();
                assert_eq!(mine[0], round.to_le_bytes()[index]);
                drop(other);
                let _ = mine.split_to(1);
                drop(mine);
            });
            drop(views);
        }
    }
    is_at_rest(&pool);
    let created: u64 = pool.stats().classes().iter().map(|it| it.created).sum();
    assert!(
        created < 50,
        "buffers do not come back: {created} were made"
    );
}

#[test]
fn buffers_go_from_a_producer_to_a_consumer() {
    let pool = BufferPool::new();
    let (sender, receiver) = mpsc::sync_channel::<PooledBuf>(16);
    let producer = pool.clone();
    let thread = thread::spawn(move || {
        for number in 0..2000_u32 {
            let size = [10, 3000, 40_000][number as usize % 3];
            let mut buf = producer.get(size);
            buf.extend_from_slice(&number.to_le_bytes());
            sender.send(buf).unwrap();
        }
    });
    for (number, buf) in receiver.into_iter().enumerate() {
        assert_eq!(buf, u32::try_from(number).unwrap().to_le_bytes());
    }
    thread.join().unwrap();
    is_at_rest(&pool);
    pool.trim(Pressure::High);
}

#[test]
fn short_threads_leave_no_more_than_a_few_do() {
    let pool = BufferPool::new();
    let work = |_| {
        drop([
            pool.get(10),
            pool.get(5000),
            pool.get(LARGE),
            pool.get(1 << 20),
        ]);
    };
    churn(500, 2, work);
    is_at_rest(&pool);
    for class in pool.stats().classes() {
        // A thousand threads have used it, a few at a time.
        assert!(
            class.idle() <= 200,
            "idle buffers grow with dead threads: {class:?}"
        );
    }
}

#[test]
fn buffers_serve_destructors_of_thread_locals() {
    let pool = BufferPool::new();
    let (touch, late) = (pool.clone(), pool.clone());
    around_tls_destructors(
        move || drop([touch.get(10), touch.get(LARGE)]),
        move |_: Registered| {
            let mut buf = late.get(10);
            buf.extend_from_slice(b"late");
            drop(buf.freeze().slice(1..));
            drop([late.get(LARGE), late.get(LARGE)]);
        },
    );
    is_at_rest(&pool);
}

#[test]
fn pools_come_and_go() {
    for _ in 0..2000 {
        let pool = BufferPool::builder()
            .classes(thrifty_pool::Classes::powers_of_two(1 << 12, 1 << 15).unwrap())
            .build()
            .unwrap();
        let late = pool.get(3000);
        drop([pool.get(4096), pool.get(30_000)]);
        drop(pool);
        drop(late);
    }
}
