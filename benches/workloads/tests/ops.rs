//! Traces can be replayed, mean what their names say, and are the same everywhere.

use proptest::prelude::*;
use thrifty_workloads::{
    fingerprint::Fingerprint,
    ops::{Checksum, Invalid, Op, Oracle, Shape, Summary, Trace, TraceSpec, Wrong},
    sizes::Sizes,
};

fn summary(spec: TraceSpec) -> Summary {
    spec.generate()
        .validate()
        .expect("generated traces are valid")
}

fn fingerprint(ops: &[Op]) -> u64 {
    let mut print = Fingerprint::new();
    for op in ops {
        let [kind, first, second] = match *op {
            Op::Alloc { slot, size } => [0, slot, size],
            Op::Free { slot } => [1, slot, 0],
            Op::Reset => [2, 0, 0],
            Op::Tick => [3, 0, 0],
            Op::HandOver { to } => [4, to.into(), 0],
        };
        print.add_u64(kind.into());
        print.add_u64(u64::from(first) << 32 | u64::from(second));
    }
    print.value()
}

#[test]
fn the_traces_are_pinned() {
    let found = TraceSpec::ALL.map(|spec| {
        let trace = spec.generate();
        (spec.name, trace.ops.len(), fingerprint(&trace.ops))
    });
    assert_eq!(
        found, PINNED,
        "the generator changed: every figure on record is void"
    );
}

const PINNED: [(&str, usize, u64); 13] = [
    ("lifo-1", 8192, 1_860_241_805_099_279_141),
    ("lifo-32", 8192, 12_336_942_738_015_167_269),
    ("working-set-8", 8192, 3_477_266_563_378_794_821),
    ("working-set-64", 8192, 5_867_626_434_705_994_149),
    ("working-set-1024", 32_768, 8_692_038_952_953_928_713),
    ("replace-64", 8192, 12_840_986_722_195_503_909),
    ("replace-4096", 65_536, 991_364_968_699_088_961),
    ("replace-server", 65_536, 4_510_704_392_755_698_939),
    ("reset-loop", 16_016, 13_400_525_060_265_488_643),
    ("burst-idle", 36_992, 2_839_575_400_991_649_573),
    ("producer-consumer", 8320, 7_267_040_537_906_361_125),
    ("larson", 32_783, 10_830_913_757_006_034_934),
    ("boundary-64", 8192, 8_392_311_257_086_240_549),
];

#[test]
fn shapes_do_what_their_names_say() {
    for spec in TraceSpec::ALL {
        let found = summary(spec);
        assert!(found.allocs >= spec.allocs.into(), "{}", spec.name);
        let live = match spec.shape {
            Shape::Lifo { depth: live }
            | Shape::WorkingSet { width: live }
            | Shape::Replace { live }
            | Shape::Phases { width: live }
            | Shape::Burst { burst: live, .. }
            | Shape::Pipeline { batch: live }
            | Shape::Larson { live, .. } => live,
            Shape::Oscillate { held, swing } => held + swing,
        };
        assert_eq!(found.live_max, live.into(), "{}", spec.name);
        let is_phased = matches!(spec.shape, Shape::Phases { .. });
        assert_eq!(found.resets > 0, is_phased, "{}", spec.name);
        let by_reset = if is_phased { found.allocs } else { 0 };
        assert_eq!(found.frees + by_reset, found.allocs, "{}", spec.name);
    }
    let pipeline = summary(TraceSpec::PRODUCER_CONSUMER);
    assert_eq!(pipeline.foreign_frees, pipeline.frees);
    let larson = summary(TraceSpec::LARSON);
    assert!(larson.foreign_frees * 3 > larson.frees, "{larson:?}");
    assert_eq!(summary(TraceSpec::BURST_IDLE).ticks, 2 * 64);
}

#[test]
fn lifo_frees_in_reverse_and_working_sets_do_not() {
    let freed = |spec: TraceSpec| -> Vec<u32> {
        let ops = spec.generate().ops;
        let frees = ops.iter().filter_map(|op| match op {
            Op::Free { slot } => Some(*slot),
            _ => None,
        });
        frees.take(8).collect()
    };
    assert_eq!(freed(TraceSpec::LIFO_32), [31, 30, 29, 28, 27, 26, 25, 24]);
    let mut order = freed(TraceSpec::WORKING_SET_8);
    assert!(!order.is_sorted() && !order.iter().rev().is_sorted());
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn replacement_is_uniform() {
    let mut hits = [0_u32; 64];
    for op in TraceSpec::REPLACE_64.with_allocs(64_000).generate().ops {
        if let Op::Free { slot } = op {
            hits[slot as usize] += 1;
        }
    }
    assert!(
        hits.iter().all(|&count| (850..1_150).contains(&count)),
        "{hits:?}"
    );
}

#[test]
fn segments_are_the_trace_without_its_hand_overs() {
    for spec in [
        TraceSpec::PRODUCER_CONSUMER,
        TraceSpec::LARSON,
        TraceSpec::LIFO_1,
    ] {
        let trace = spec.generate();
        let hand_overs = trace.validate().unwrap().hand_overs;
        let joined: Vec<Op> = trace
            .segments()
            .flat_map(|part| part.ops.to_vec())
            .collect();
        assert_eq!(joined.len() as u64 + hand_overs, trace.ops.len() as u64);
        assert!(!joined.iter().any(|op| matches!(op, Op::HandOver { .. })));
    }
    let pipeline = TraceSpec::PRODUCER_CONSUMER.generate();
    for (number, part) in pipeline.segments().enumerate() {
        assert_eq!(usize::from(part.thread), number % 2);
        let allocates = matches!(part.ops[0], Op::Alloc { .. });
        assert_eq!(allocates, part.thread == 0);
    }
}

#[test]
fn what_cannot_be_replayed_is_found() {
    let alloc = |slot, size| Op::Alloc { slot, size };
    let free = |slot| Op::Free { slot };
    for (ops, index, wrong) in [
        (vec![alloc(2, 8)], 0, Wrong::SlotOutOfRange),
        (vec![free(2)], 0, Wrong::SlotOutOfRange),
        (vec![alloc(0, 8), alloc(0, 8)], 1, Wrong::SlotFull),
        (vec![alloc(0, 8), free(0), free(0)], 2, Wrong::SlotEmpty),
        (vec![alloc(1, 7)], 0, Wrong::TooSmall),
        (vec![alloc(1, 8), Op::Tick], 2, Wrong::Leftovers),
    ] {
        let trace = Trace {
            name: "wrong".into(),
            reason: "to be refused".into(),
            seed: 0,
            slots: 2,
            ops,
        };
        let Err(invalid @ Invalid { .. }) = trace.validate() else {
            panic!("{trace:?} passed")
        };
        assert_eq!((invalid.index, invalid.wrong), (index, wrong));
        assert!(
            invalid
                .to_string()
                .starts_with(&format!("operation {index}: "))
        );
    }
}

/// Replays with real memory: a box of bytes per block, its stamp in the first eight.
fn replay_on_boxes(trace: &Trace) -> Checksum {
    let mut table: Vec<Option<Box<[u8]>>> = vec![None; trace.slots as usize];
    let (mut checksum, mut stamp) = (Checksum::default(), 0_u64);
    let mut free = |block: Option<Box<[u8]>>| {
        let block = block.expect("the trace is valid");
        let stamp = block.first_chunk().expect("blocks have 8 bytes");
        checksum.add(u64::from_le_bytes(*stamp));
    };
    for &op in &trace.ops {
        match op {
            Op::Alloc { slot, size } => {
                let mut block = vec![0; size as usize].into_boxed_slice();
                block[..8].copy_from_slice(&stamp.to_le_bytes());
                table[slot as usize] = Some(block);
                stamp += 1;
            }
            Op::Free { slot } => free(table[slot as usize].take()),
            Op::Reset => table
                .iter_mut()
                .filter(|slot| slot.is_some())
                .for_each(|slot| free(slot.take())),
            Op::Tick | Op::HandOver { .. } => {}
        }
    }
    checksum
}

#[test]
fn real_memory_gives_the_checksum_of_the_oracle() {
    for spec in TraceSpec::ALL {
        let trace = spec.generate();
        assert_eq!(
            replay_on_boxes(&trace),
            Oracle::replay(&trace),
            "{}",
            spec.name
        );
    }
}

#[test]
fn a_mixed_up_block_changes_the_checksum() {
    let mut trace = TraceSpec::WORKING_SET_64.generate();
    let right = Oracle::replay(&trace);
    let frees: Vec<usize> = (0..trace.ops.len())
        .filter(|&at| matches!(trace.ops[at], Op::Free { .. }))
        .collect();
    // As if two blocks had changed places.
    trace.ops.swap(frees[3], frees[4]);
    assert!(trace.validate().is_ok());
    assert_ne!(Oracle::replay(&trace), right);
}

fn shapes() -> impl Strategy<Value = Shape> {
    let width = 1..200_u32;
    prop_oneof![
        width.clone().prop_map(|depth| Shape::Lifo { depth }),
        width.clone().prop_map(|width| Shape::WorkingSet { width }),
        width.clone().prop_map(|live| Shape::Replace { live }),
        width.clone().prop_map(|width| Shape::Phases { width }),
        (width.clone(), 0..20_u32, 0..10_u32).prop_map(|(burst, trickle, ticks)| Shape::Burst {
            burst,
            trickle,
            ticks
        }),
        width.clone().prop_map(|batch| Shape::Pipeline { batch }),
        (0..100_u32, 1..20_u32).prop_map(|(held, swing)| Shape::Oscillate { held, swing }),
        (1..6_u8, width, 1..50_u32).prop_map(|(threads, live, per_turn)| Shape::Larson {
            threads,
            live,
            per_turn
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_spec_gives_a_valid_trace(shape in shapes(), seed: u64, allocs in 0..2_000_u32) {
        let spec = TraceSpec {
            name: "any",
            reason: "any shape",
            seed,
            shape,
            sizes: Sizes::NODES,
            allocs,
        };
        let trace = spec.generate();
        let found = trace.validate().unwrap();
        prop_assert!(found.allocs >= allocs.into());
        prop_assert_eq!(replay_on_boxes(&trace), Oracle::replay(&trace));
        prop_assert_eq!(&trace, &spec.generate());

        // The oracle beside a list of pairs, operation by operation.
        let (mut oracle, mut live, mut next) = (Oracle::new(), Vec::new(), 0);
        for &op in &trace.ops {
            let read = oracle.step(op);
            match op {
                Op::Alloc { slot, .. } => {
                    live.push((slot, next));
                    next += 1;
                }
                Op::Free { slot } => {
                    let at = live.iter().position(|&(at, _)| at == slot).unwrap();
                    prop_assert_eq!(read, Some(live.remove(at).1));
                }
                Op::Reset => live.clear(),
                Op::Tick | Op::HandOver { .. } => {}
            }
            prop_assert_eq!(oracle.live(), live.len());
        }
        prop_assert_eq!(oracle.stamps().count(), 0);
    }
}
