//! Random programs against a naive oracle: a list of the blocks that are in use.
#![expect(unsafe_code, reason = "looks at blocks through pointers")]

use std::{alloc::Layout, collections::BTreeMap, mem::MaybeUninit, ptr::NonNull};

use proptest::prelude::*;
use thrifty_arena::{Arena, ArenaVec, BufArena, Pressure, Retain, Scope};

#[derive(Clone, Debug)]
enum Op {
    Layout { size: usize, shift: u32 },
    Text(usize),
    Shorts(usize),
    Byte,
    Word,
    Wide,
    Vector { pushes: usize, between: bool },
    Refused,
    Reserve(usize),
    Trim,
    Inside(Vec<Self>),
}

fn ops(sizes: usize) -> impl Strategy<Value = Vec<Op>> {
    let leaf = prop_oneof![
        4 => (0..sizes, 0_u32..8).prop_map(|(size, shift)| Op::Layout { size, shift }),
        1 => (0..sizes * 300, 0_u32..14).prop_map(|(size, shift)| Op::Layout { size, shift }),
        4 => (0..sizes).prop_map(Op::Text),
        2 => (0..sizes).prop_map(Op::Shorts),
        2 => Just(Op::Byte),
        2 => Just(Op::Word),
        1 => Just(Op::Wide),
        2 => (0..sizes, any::<bool>()).prop_map(|(pushes, between)| Op::Vector { pushes, between }),
        1 => Just(Op::Refused),
        1 => (0..sizes * 20).prop_map(Op::Reserve),
        1 => Just(Op::Trim),
    ];
    let tree = leaf.prop_recursive(3, 60, 12, |inner| {
        prop::collection::vec(inner, 0..12).prop_map(Op::Inside)
    });
    prop::collection::vec(tree, 1..30)
}

/// What is in use: start, bytes, and what each byte is.
#[derive(Default)]
struct Oracle {
    blocks: BTreeMap<usize, (NonNull<u8>, usize, u8)>,
    next: u8,
}

impl Oracle {
    /// Fills a new block, which must lie apart from all others.
    fn add(&mut self, start: NonNull<u8>, bytes: usize, align: usize) {
        let address = start.addr().get();
        assert_eq!(address % align, 0, "aligned");
        if bytes == 0 {
            return;
        }
        if let Some((before, (_, size, _))) = self.blocks.range(..=address).next_back() {
            assert!(before + size <= address, "lies on the block before it");
        }
        if let Some((behind, _)) = self.blocks.range(address..).next() {
            assert!(address + bytes <= *behind, "lies on the block behind it");
        }
        self.next = self.next.wrapping_add(1);
        // SAFETY: the arena has just handed out so many bytes.
        unsafe { start.write_bytes(self.next, bytes) };
        self.blocks.insert(address, (start, bytes, self.next));
    }

    fn add_slice<T>(&mut self, slice: &mut [T]) {
        self.add(
            NonNull::from(&mut *slice).cast(),
            size_of_val(slice),
            align_of::<T>(),
        );
    }

    /// Nobody has written to what is in use.
    fn check(&self) {
        for (start, bytes, fill) in self.blocks.values() {
            let block = NonNull::slice_from_raw_parts(*start, *bytes);
            // SAFETY: in use, and filled by `add`.
            let block = unsafe { block.as_ref() };
            assert!(block.iter().all(|byte| byte == fill), "content is kept");
        }
    }

    fn bytes(&self) -> usize {
        self.blocks.values().map(|(_, bytes, _)| bytes).sum()
    }

    fn forget_since(&mut self, before: &[usize]) {
        self.blocks.retain(|address, _| before.contains(address));
    }
}

/// An arena or a scope.
trait Place<const MIN: usize> {
    fn arena(&self) -> &Arena<MIN>;
    fn inside(&mut self, run: &mut dyn FnMut(&mut Scope<'_, MIN>));
}

impl<const MIN: usize> Place<MIN> for Arena<MIN> {
    fn arena(&self) -> &Self {
        self
    }
    fn inside(&mut self, run: &mut dyn FnMut(&mut Scope<'_, MIN>)) {
        self.scope(|mut scope| run(&mut scope));
    }
}

impl<const MIN: usize> Place<MIN> for BufArena<'_, MIN> {
    fn arena(&self) -> &Arena<MIN> {
        self
    }
    fn inside(&mut self, run: &mut dyn FnMut(&mut Scope<'_, MIN>)) {
        self.scope(|mut scope| run(&mut scope));
    }
}

impl<const MIN: usize> Place<MIN> for Scope<'_, MIN> {
    fn arena(&self) -> &Arena<MIN> {
        self
    }
    fn inside(&mut self, run: &mut dyn FnMut(&mut Scope<'_, MIN>)) {
        self.scope(|mut scope| run(&mut scope));
    }
}

fn run<const MIN: usize>(place: &mut impl Place<MIN>, program: &[Op], oracle: &mut Oracle) {
    for op in program {
        step(place, op, oracle);
        let stats = place.arena().stats();
        let used = stats.used_bytes;
        assert!(used >= oracle.bytes(), "{stats} {}", oracle.bytes());
        assert!(stats.peak_used_bytes >= used && stats.peak_reserved_bytes >= stats.reserved_bytes);
        assert!(stats.reserved_bytes <= place.arena().limit());
    }
    oracle.check();
}

fn step<const MIN: usize>(place: &mut impl Place<MIN>, op: &Op, oracle: &mut Oracle) {
    let arena = place.arena();
    match op {
        Op::Layout { size, shift } => {
            let layout = Layout::from_size_align(*size, 1 << shift).expect("a layout");
            if let Ok(start) = arena.try_alloc_layout(layout) {
                oracle.add(start, *size, 1 << shift);
            }
        }
        Op::Text(bytes) => {
            let text = "x".repeat(*bytes);
            if let Ok(copy) = arena.try_alloc_str(&text) {
                assert_eq!(*copy, *text);
                let start = NonNull::from(&mut *copy).cast();
                oracle.add(start, *bytes, 1);
            }
        }
        Op::Shorts(len) => {
            if let Ok(slice) = arena.try_alloc_slice_fill_with(*len, |_| 7_u16) {
                oracle.add_slice(slice);
            }
        }
        Op::Byte => drop(
            arena
                .try_alloc(1_u8)
                .map(|byte| oracle.add_slice(std::slice::from_mut(byte))),
        ),
        Op::Word => drop(
            arena
                .try_alloc(1_u64)
                .map(|word| oracle.add_slice(std::slice::from_mut(word))),
        ),
        Op::Wide => drop(
            arena
                .try_alloc(1_u128)
                .map(|wide| oracle.add_slice(std::slice::from_mut(wide))),
        ),
        Op::Vector { pushes, between } => push_all(arena, *pushes, *between, oracle),
        Op::Refused => {
            let before = arena.stats();
            assert!(!matches!(
                arena.try_alloc_try_with(|| Err::<[u32; 3], _>(())),
                Ok(Ok(_))
            ));
            let after = arena.stats();
            if before.free_bytes >= 16 {
                assert_eq!(after.used_bytes, before.used_bytes, "all is given back");
                assert_eq!(after.free_bytes, before.free_bytes);
            }
        }
        Op::Reserve(bytes) => {
            if arena.try_reserve(*bytes).is_ok() {
                assert!(arena.stats().free_bytes >= *bytes);
            }
        }
        Op::Trim => {
            arena.trim(Pressure::High);
            assert_eq!(arena.stats().spare_bytes, 0);
        }
        Op::Inside(inner) => {
            let before: Vec<usize> = oracle.blocks.keys().copied().collect();
            let used = arena.stats().used_bytes;
            place.inside(&mut |scope| run(scope, inner, oracle));
            oracle.forget_since(&before);
            assert_eq!(place.arena().stats().used_bytes, used, "all is given back");
        }
    }
}

fn push_all<const MIN: usize>(
    arena: &Arena<MIN>,
    pushes: usize,
    between: bool,
    oracle: &mut Oracle,
) {
    let mut vec = ArenaVec::new_in(arena);
    for at in 0..u32::try_from(pushes).unwrap_or(0) {
        if vec.try_push(at).is_err() {
            break;
        }
        if between && at % 7 == 3 {
            if let Ok(word) = arena.try_alloc(0_u64) {
                oracle.add_slice(std::slice::from_mut(word));
            }
        }
    }
    assert!(vec.iter().zip(0..).all(|(found, at)| *found == at));
    oracle.add_slice(vec.into_slice());
}

fn balanced<const MIN: usize>(arena: &Arena<MIN>) {
    let stats = arena.stats();
    let parts = stats.used_bytes + stats.wasted_bytes + stats.free_bytes + stats.spare_bytes;
    let headers = stats.chunks * Arena::<MIN>::CHUNK_OVERHEAD;
    assert_eq!(stats.reserved_bytes, parts + headers, "{stats}");
}

fn rounds<const MIN: usize>(program: &[Op], limit: usize, retain: Retain, zeroize: bool) {
    let mut arena = Arena::builder()
        .limit(limit)
        .retain(retain)
        .zeroize(zeroize)
        .first_chunk(512)
        .max_chunk(8192)
        .build_aligned::<MIN>();
    for _ in 0..3 {
        let mut oracle = Oracle::default();
        run(&mut arena, program, &mut oracle);
        balanced(&arena);
        arena.reset();
        balanced(&arena);
        assert_eq!(arena.stats().used_bytes, 0);
    }
}

fn policies() -> impl Strategy<Value = Retain> {
    prop_oneof![
        Just(Retain::All),
        Just(Retain::Nothing),
        (0_usize..20_000).prop_map(Retain::Bytes),
        Just(Retain::Consolidate),
        Just(Retain::AdaptiveDecay),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn arenas_agree_with_the_oracle(
        program in ops(200), tight in 200_usize..40_000, is_tight: bool, retain in policies(), zeroize: bool
    ) {
        let limit = if is_tight { tight } else { usize::MAX };
        rounds::<1>(&program, limit, retain, zeroize);
        rounds::<8>(&program, limit, retain, zeroize);
        rounds::<16>(&program, limit, retain, zeroize);
    }

    #[test]
    fn buffers_agree_with_the_oracle(program in ops(60), bytes in 0_usize..3000, offset in 0_usize..16) {
        let mut buffer = vec![MaybeUninit::uninit(); bytes + offset];
        {
            let mut fixed = BufArena::fixed(&mut buffer[offset..]);
            for _ in 0..2 {
                run(&mut fixed, &program, &mut Oracle::default());
                assert_eq!(fixed.stats().reserved_bytes, 0);
                fixed.reset();
            }
        }
        let mut spilling = BufArena::spilling(&mut buffer[offset..]);
        for _ in 0..2 {
            run(&mut spilling, &program, &mut Oracle::default());
            spilling.reset();
            assert_eq!(spilling.stats().used_bytes, 0);
        }
    }
}
