//! Arena and root in one value: moves, drops, failures, threads.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use proptest::prelude::*;
use thrifty_arena::{
    Arena, ArenaBox, ArenaPool, ArenaString, ArenaVec, BufArena, DropArena, PooledArena, RootError,
    Rooted, SendDropArena, SharedArena, TypedArena, Unrooted, family,
};
use thrifty_testkit::{
    AllocFault, FailingAlloc, Fuse, Ledger, Sweep, message, quietly, thread_counts,
};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

family! {
    /// A list of numbers, in a list of which each has the one before.
    Chain<'a> = Option<&'a Link<'a>>;
    /// Not for threads.
    Local<'a> = (&'a str, Rc<u8>);
    /// Each thread may have it, but one at a time.
    Switch<'a> = &'a mut Cell<u32>;
    /// Texts that can be exchanged, by shared references too.
    Names<'a> = RefCell<ArenaVec<'a, &'a str>>;
    /// Values that are dropped.
    Boxes<'a> = ArenaVec<'a, ArenaBox<'a, dyn Fn() -> u32 + 'a>>;
}

struct Link<'a> {
    number: u32,
    before: Option<&'a Self>,
}

thrifty_testkit::auto_traits! {
    Rooted<&'static str>: [Send Sync Unpin !Copy !UnwindSafe !RefUnwindSafe],
    Rooted<Chain>: [Send Sync],
    Rooted<Chain, Arena<1>>: [Send Sync],
    Rooted<Chain, PooledArena<&'static ArenaPool>>: [Send Sync],
    Rooted<Chain, PooledArena<Rc<ArenaPool>>>: [!Send Sync],
    Rooted<Chain, SharedArena>: [Send Sync],
    Rooted<Chain, DropArena<'static>>: [!Send Sync],
    Rooted<Chain, SendDropArena<'static>>: [Send Sync],
    Rooted<Local>: [!Send !Sync],
    Rooted<Switch>: [Send !Sync],
    Rooted<Names>: [!Send !Sync],
    Rooted<ArenaVec<'static, u8>>: [!Send !Sync],
    Rooted<ArenaBox<'static, Cell<u8>>>: [Send !Sync],
    Rooted<&'static Cell<u8>>: [!Send !Sync],
    Rooted<&'static mut Cell<u8>>: [Send !Sync],
    Unrooted<Arena, u8>: [Send !Sync],
    RootError<u8>: [Send Sync Copy],
}

fn chain(numbers: impl IntoIterator<Item = u32>) -> Rooted<Chain> {
    Rooted::new(Arena::new(), |arena| {
        numbers.into_iter().fold(None, |before, number| {
            Some(&*arena.alloc(Link { number, before }))
        })
    })
}

fn sum(chain: &Rooted<Chain>) -> u32 {
    chain.with(|last| {
        let links = std::iter::successors(*last, |link| link.before);
        links.map(|link| link.number).sum()
    })
}

#[test]
fn it_moves_and_its_root_stays_true() {
    let mut kept: Vec<_> = (0..100).map(|last| chain(0..last)).collect();
    kept.reverse();
    let boxed: Vec<_> = kept.into_iter().map(Box::new).collect();
    for (at, chain) in boxed.iter().enumerate() {
        let last = 99 - u32::try_from(at).unwrap();
        assert_eq!(sum(chain), last * last.saturating_sub(1) / 2);
    }
}

#[test]
fn it_moves_between_threads_and_is_shared() {
    let there = std::thread::spawn(|| chain(0..1000)).join().unwrap();
    let shared = Arc::new(there);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(sum(&shared), 499_500));
        }
    });
    let mut back = Arc::into_inner(shared).unwrap();
    back.with_mut(|arena, last| {
        let before = *last;
        *last = Some(arena.alloc(Link { number: 1, before }));
    });
    assert_eq!(sum(&back), 499_501);
    let switch = Rooted::<Switch>::new(Arena::new(), |arena| arena.alloc(Cell::new(1)));
    let there = std::thread::spawn(move || switch.with(|switch| switch.replace(2)));
    assert_eq!(there.join().unwrap(), 1);
}

#[test]
fn a_root_grows_and_changes_in_its_arena() {
    let names = Rooted::<Names>::new(Arena::new(), |arena| RefCell::new(ArenaVec::new_in(arena)));
    let mut names = Box::new(names);
    for number in 0..1000 {
        names.with_mut(|arena, names| {
            let name = arena.alloc_fmt(format_args!("name {number}"));
            names.get_mut().push(name);
        });
    }
    // What is shared may be exchanged for what is there too.
    names.with(|names| {
        let mut names = names.borrow_mut();
        names[0] = names[999];
        let own = names.arena().alloc_str("own");
        names[1] = own;
    });
    let names = *names;
    names.with(|names| {
        let names = names.borrow();
        assert_eq!((names.len(), names[0], names[1]), (1000, "name 999", "own"));
    });
}

#[test]
fn all_kinds_of_arenas_and_roots() {
    let pool = ArenaPool::new();
    let text = Rooted::<&'static mut str, _>::new(pool.get(), |arena| arena.alloc_str("pooled"));
    assert_eq!((text.with(|text| text.len()), pool.idle()), (6, 0));
    drop(text);
    assert_eq!(pool.idle(), 1);

    let ledger = Ledger::new();
    let tracked = Rooted::<&'static u32, _>::new(DropArena::new(), |arena| {
        arena.alloc(ledger.track(7));
        &7
    });
    assert_eq!((tracked.with(|number| **number), ledger.live()), (7, 1));
    drop(tracked);
    ledger.assert_balanced();

    let shared = Rooted::<&'static [u8], _>::new(SharedArena::new(), |arena| {
        &*arena.local().alloc_slice_copy(&[1, 2])
    });
    assert_eq!(shared.with(|bytes| bytes.len()), 2);

    let typed = Rooted::<&'static mut String, _>::new(TypedArena::new(), |arena| {
        arena.alloc("typed".to_owned())
    });
    assert_eq!(typed.into_arena().into_values().next().unwrap(), "typed");

    let mut buffer = [std::mem::MaybeUninit::uninit(); 64];
    let fixed = Rooted::<ArenaString<'static>, _>::new(BufArena::fixed(&mut buffer), |arena| {
        let mut text = ArenaString::new_in(arena);
        text.push_str("in a buffer");
        text
    });
    let moved = Box::new(fixed);
    assert_eq!(moved.with(|text| text.len()), 11);

    let nothing = Rooted::<&'static (), _>::new((), |unit| unit);
    nothing.with(|unit| **unit);
    nothing.into_arena();
}

#[test]
fn figures_and_debug() {
    let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("text"));
    assert_eq!(format!("{text:?}"), "Rooted(\"text\")");
    let used = text.with_mut(|arena, _| arena.stats().used_bytes);
    assert_eq!(used, 4);
}

/// Looks at its neighbour in the arena when it is dropped.
struct Looks<'a> {
    at: &'a Cell<u32>,
    seen: &'a Cell<u32>,
    panics: bool,
}

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        self.seen.set(self.at.get());
        assert!(!self.panics, "dropped");
    }
}

struct LooksAround<'e>(std::marker::PhantomData<&'e ()>);

impl<'e> thrifty_arena::Family for LooksAround<'e> {
    type Of<'a> = (
        Looks<'a>,
        &'e Cell<u32>,
        ArenaBox<'a, thrifty_testkit::Tracked<u8>>,
    );
}

#[test]
fn the_root_is_dropped_before_the_arena() {
    let (ledger, outside) = (Ledger::new(), Cell::new(0));
    for panics in [false, true] {
        for way in 0..3 {
            let rooted = Rooted::<LooksAround<'_>>::new(Arena::new(), |arena| {
                let looks = Looks {
                    at: arena.alloc(Cell::new(5)),
                    seen: arena.alloc(Cell::new(0)),
                    panics,
                };
                (looks, &outside, arena.alloc_box(ledger.track(1)))
            });
            let live = thread_counts().live();
            let ended = quietly(|| match way {
                0 => drop(rooted),
                1 => drop(rooted.into_arena()),
                _ => drop(rooted.rebuild(Arena::reset, |_| panic!("dropped"))),
            });
            assert_eq!(ended.is_err(), panics || way == 2);
            if let Err(panic) = ended {
                assert_eq!(message(&*panic), "dropped");
            }
            assert_eq!(ledger.live(), 0);
            assert!(thread_counts().live() < live, "the arena is freed");
        }
    }
    ledger.assert_balanced();
}

#[test]
fn builders_that_fail_or_panic_lose_nothing() {
    let (fuse, ledger) = (Fuse::new(), Ledger::new());
    let swept = Sweep::over(&fuse)
        .check("each value is dropped once", || ledger.check())
        .unchanged("live memory", || thread_counts().live())
        .run(|| {
            let outside = ledger.track(1);
            let mut boxes = Rooted::<Boxes>::new(Arena::new(), |arena| {
                let mut boxes = ArenaVec::new_in(arena);
                for _ in 0..3 {
                    let value = ledger.track(1_u32);
                    fuse.call();
                    let boxed = arena.alloc_box(move || *value);
                    let boxed: ArenaBox<'_, dyn Fn() -> u32> =
                        ArenaBox::unsize(boxed, |boxed| boxed);
                    boxes.push(boxed);
                }
                fuse.call();
                boxes
            });
            boxes.with_mut(|_, boxes| {
                fuse.call();
                boxes.pop();
                fuse.call();
            });
            let sum: u32 = boxes.with(|boxes| {
                fuse.call();
                boxes.iter().map(|call| call()).sum()
            });
            assert_eq!(sum, 2);
            let boxes = boxes.rebuild(
                |arena| {
                    fuse.call();
                    arena.reset();
                },
                |arena| {
                    fuse.call();
                    ArenaVec::new_in(arena)
                },
            );
            let failed = boxes.try_rebuild(
                |_| (),
                |arena| {
                    let _unused = arena.alloc_box(ledger.track(2));
                    fuse.call();
                    Err(outside)
                },
            );
            assert!(matches!(
                failed.map(drop).unwrap_err().error,
                RootError::Build(_)
            ));
        });
    assert!(swept.sites > 9 && swept.unwound == swept.sites, "{swept:?}");
}

#[test]
fn no_memory_for_it_gives_the_arena_back() {
    let swept = Sweep::over(AllocFault::Onwards)
        .unchanged("live memory", || thread_counts().live())
        .run(|| {
            let arena = Arena::builder().limit(5000).build();
            let made = Rooted::<&'static u32>::try_new(arena, |arena| {
                arena.try_alloc(7).map(|number| &*number)
            });
            made.map(drop).map_err(|failed| {
                assert_eq!(failed.arena.limit(), 5000);
                match failed.error {
                    RootError::Alloc(error) => error,
                    RootError::Build(rejected) => {
                        assert_eq!(rejected.value, 7);
                        rejected.error
                    }
                    _ => unreachable!(),
                }
            })
        });
    assert_eq!((swept.sites, swept.refused), (2, 2), "{swept:?}");
}

#[test]
fn rebuilding_reuses_the_memory() {
    let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("first"));
    let before = thread_counts();
    for number in 0..100 {
        text = text.rebuild(Arena::reset, |arena| {
            arena.alloc_fmt(format_args!("{number}"))
        });
    }
    assert_eq!(thread_counts(), before);
    assert_eq!(text.with(|text| text.len()), 2);
}

#[derive(Clone, Debug)]
enum Op {
    Make(Vec<String>),
    Add(usize, String),
    Cut(usize, usize),
    Swap(usize, usize),
    Rebuild(usize),
    Drop(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let text = || "[a-z]{0,40}";
    prop_oneof![
        prop::collection::vec(text(), 0..20).prop_map(Op::Make),
        (any::<usize>(), text()).prop_map(|(at, text)| Op::Add(at, text)),
        (any::<usize>(), 0_usize..20).prop_map(|(at, len)| Op::Cut(at, len)),
        any::<(usize, usize)>().prop_map(|(a, b)| Op::Swap(a, b)),
        any::<usize>().prop_map(Op::Rebuild),
        any::<usize>().prop_map(Op::Drop),
    ]
}

fn rebuilt(rooted: Rooted<Names>, to: &[String]) -> Rooted<Names> {
    rooted.rebuild(Arena::reset, |arena| {
        let mut names = ArenaVec::new_in(arena);
        names.extend(to.iter().map(|name| &*arena.alloc_str(name)));
        RefCell::new(names)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Many of them, that change and move about, hold what vectors of strings hold.
    #[test]
    fn they_hold_what_an_oracle_holds(program in prop::collection::vec(op(), 1..60)) {
        let mut all: Vec<(Rooted<Names>, Vec<String>)> = vec![];
        for op in program {
            let count = all.len();
            match op {
                Op::Make(names) => {
                    let empty = Rooted::new(Arena::new(), |arena| RefCell::new(ArenaVec::new_in(arena)));
                    all.push((rebuilt(empty, &names), names));
                }
                _ if count == 0 => {}
                Op::Add(at, name) => {
                    let (rooted, oracle) = &mut all[at % count];
                    rooted.with_mut(|arena, names| names.get_mut().push(arena.alloc_str(&name)));
                    oracle.push(name);
                }
                Op::Cut(at, len) => {
                    let (rooted, oracle) = &mut all[at % count];
                    rooted.with(|names| names.borrow_mut().truncate(len));
                    oracle.truncate(len);
                }
                Op::Swap(a, b) => all.swap(a % count, b % count),
                Op::Rebuild(at) => {
                    let (rooted, mut oracle) = all.swap_remove(at % count);
                    oracle.reverse();
                    all.push((rebuilt(rooted, &oracle), oracle));
                }
                Op::Drop(at) => drop(all.swap_remove(at % count)),
            }
            for (rooted, oracle) in &all {
                rooted.with(|names| assert!(names.borrow().iter().eq(oracle)));
            }
        }
    }
}
