//! A CPU profile of a thread that computes.

#[cfg(unix)]
mod wire;

/// Takes a profile while another thread computes, and another one at the same time.
#[cfg(unix)]
#[test]
fn what_computes_is_seen() {
    use std::{
        fs,
        hint::black_box,
        path::PathBuf,
        sync::atomic::{AtomicBool, Ordering},
        thread,
        time::Duration,
    };

    use thrifty_memstats::{WriteError, write_cpu_profile};

    #[inline(never)]
    fn compute(stop: &AtomicBool) {
        let mut number = 1_u64;
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..1000 {
                number = black_box(
                    number
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1),
                );
            }
        }
    }

    if let Ok(tool) = std::env::var("THRIFTY_UNDER") {
        println!(
            "memstats, a CPU profile: SKIPPED under {tool}, whose own code the signal interrupts"
        );
        return;
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = path.join(format!("cpu-{}.pb.gz", std::process::id()));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| compute(&stop));
        write_cpu_profile(&path, Duration::from_millis(400)).unwrap();
        let nowhere = path.join("no/such/file");
        // It is said before the time is spent, not after.
        let error = write_cpu_profile(nowhere, Duration::MAX).unwrap_err();
        assert!(matches!(error, WriteError::File { .. }), "{error}");
        stop.store(true, Ordering::Relaxed);
    });
    let decoded = wire::decode(&fs::read(&path).unwrap());
    fs::remove_file(path).unwrap();
    assert_eq!(decoded.default_sample_type, "cpu");
    assert_eq!(decoded.period, 10_000_000);
    assert!(decoded.duration_nanos > 0);
    for sample in &decoded.samples {
        assert_eq!(sample.values[1], sample.values[0] * decoded.period);
    }
    let computing = decoded.samples.iter().filter(|sample| {
        let names = decoded.names(sample);
        names.iter().any(|name| name.contains("compute"))
    });
    assert!(computing.count() > 0, "{decoded:?}");
}
