//! A CPU profile of a thread that computes, and samples its heap meanwhile.
#![cfg(unix)]
#![expect(unsafe_code, reason = "asks for the thread's clock")]

mod wire;

use std::{fs, hint::black_box, mem::MaybeUninit, path::PathBuf, time::Duration};

use thrifty_memstats::{
    Alloc, CpuProfiling, WriteError, heap_profile, profiling, stop_profiling, write_cpu_profile,
};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

/// The processor time that the calling thread had.
fn had() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: writes the time to where it may.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) };
    assert_eq!(result, 0);
    // SAFETY: it was written.
    let time = unsafe { time.assume_init() };
    let (seconds, nanos) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// Computes until it had so much of a processor: however busy the machine, the timer, which counts the
/// same, went off meanwhile.
#[inline(never)]
fn compute(time: Duration) {
    let (begun, mut number) = (had(), 1_u64);
    while had() - begun < time {
        let mut texts = Vec::new();
        for _ in 0..1000 {
            for _ in 0..100 {
                number = black_box(
                    number
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1),
                );
            }
            texts.push(black_box(number.to_le_bytes().to_vec()));
        }
        black_box(texts);
    }
}

/// One profile at a time is all there can be, so this is one test.
#[test]
fn what_computes_is_seen() {
    let what = "a CPU profile, whose signal interrupts the tool's own code";
    if thrifty_testkit::is_skipped_under(&[], what) {
        return;
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = path.join(format!("cpu-{}.pb.gz", std::process::id()));
    profiling().rate(4096).start().unwrap();
    let cpu = CpuProfiling::start().unwrap();
    compute(Duration::from_millis(500));
    let error = CpuProfiling::start().unwrap_err();
    assert!(matches!(error, WriteError::Cpu(_)), "{error}");
    cpu.write(&path).unwrap();
    stop_profiling();
    // The signals interrupted the sampling of the heap, too.
    let heap = heap_profile().unwrap();
    assert!(heap.totals().samples > 0);
    assert_eq!(heap.capture.different, 0, "{:?}", heap.capture);

    let decoded = wire::decode(&fs::read(&path).unwrap());
    check(&decoded);
    let computing = decoded.samples.iter().filter(|sample| {
        let names = decoded.names(sample);
        names.iter().any(|name| name.contains("compute"))
    });
    assert!(computing.count() > 0, "{decoded:?}");

    write_cpu_profile(&path, Duration::from_millis(1)).unwrap();
    check(&wire::decode(&fs::read(&path).unwrap()));
    fs::remove_file(&path).unwrap();
    let nowhere = path.join("no/such/file");
    let error = write_cpu_profile(nowhere, Duration::ZERO).unwrap_err();
    assert!(matches!(error, WriteError::File { .. }), "{error}");
}

fn check(decoded: &wire::Decoded) {
    assert_eq!(decoded.default_sample_type, "cpu");
    assert_eq!(decoded.period, 10_000_000);
    assert!(decoded.duration_nanos > 0);
    for sample in &decoded.samples {
        assert_eq!(sample.values[1], sample.values[0] * decoded.period);
    }
}
