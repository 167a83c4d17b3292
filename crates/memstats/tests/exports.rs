//! Every profile that is written is read again, by a reader of its own, and compared.
#![expect(clippy::unwrap_used, reason = "tests")]

mod wire;

use std::{
    fs, io,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use thrifty_memstats::{
    Alloc, Bucket, CodeFrame, HeapProfile, Module, SampleType, Site, WriteError, heap_profile,
    profiling, save, write_allocs_profile, write_heap_profile,
};

use self::wire::{Decoded, decode};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

fn started() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| profiling().rate(4096).start().unwrap());
}

/// A profile without sites, and two modules.
fn empty() -> HeapProfile {
    started();
    let mut profile = heap_profile().unwrap();
    profile.sites.clear();
    profile.rate_bytes = 512 << 10;
    profile.taken = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123);
    profile.duration = Duration::from_millis(1500);
    profile.labels = vec![String::new(), "worker\t1".into()];
    profile.code.modules = vec![
        module(0x1000, 0x2000, "/bin/pro\u{fffd}gram\n", "abcd01"),
        module(0x7000_0000_0000, 0x7000_0000_8000, "/lib/libc.so.6", ""),
    ];
    profile
}

fn module(start: u64, limit: u64, path: &str, build_id: &str) -> Module {
    let mut module = Module::default();
    module.start = start;
    module.limit = limit;
    module.bias = start - 0x100;
    module.path = path.into();
    module.build_id = build_id.into();
    module
}

fn bucket(size: u64, label: u16, alloc_objects: u64, inuse_objects: u64) -> Bucket {
    let mut bucket = Bucket::default();
    (bucket.min_size, bucket.max_size) = (size, size);
    bucket.label = label;
    bucket.samples = 1;
    bucket.alloc_objects = alloc_objects;
    bucket.alloc_bytes = alloc_objects * size;
    bucket.inuse_objects = inuse_objects;
    bucket.inuse_bytes = inuse_objects * size;
    bucket
}

fn site(stack: &[usize], buckets: &[Bucket]) -> Site {
    let mut site = Site::default();
    site.stack = stack.to_vec();
    site.buckets = buckets.to_vec();
    for bucket in buckets {
        site.samples += bucket.samples;
        site.alloc_objects += bucket.alloc_objects;
        site.alloc_bytes += bucket.alloc_bytes;
        site.inuse_objects += bucket.inuse_objects;
        site.inuse_bytes += bucket.inuse_bytes;
    }
    site.peak_inuse_bytes = site.inuse_bytes;
    site
}

/// Known and unknown addresses, none at all, two sizes, a label, sizes past 2 and 4 GiB.
fn varied() -> HeapProfile {
    let mut profile = empty();
    profile.sites = vec![
        site(
            &[0x1011, 0x1101],
            &[bucket(64, 0, 1000, 10), bucket(1 << 20, 1, 3, 3)],
        ),
        site(&[0x7000_0000_0123, 0x1101], &[bucket(3 << 30, 0, 7, 2)]),
        site(&[0x9999, 0x1101], &[bucket(5 << 32, 0, 1, 1)]),
        site(&[], &[bucket(10, 0, 5, 5)]),
    ];
    profile
}

fn frame(function: &str, file: &str, line: u32) -> CodeFrame {
    let mut frame = CodeFrame::default();
    (frame.function, frame.file, frame.line) = (function.into(), file.into(), line);
    frame
}

fn written(profile: &HeapProfile) -> Decoded {
    let mut bytes = Vec::new();
    profile.write_pprof(&mut bytes).unwrap();
    let decoded = decode(&bytes);
    compare(profile, &decoded);
    decoded
}

/// Every figure of the profile stands in the decoded one.
fn compare(profile: &HeapProfile, decoded: &Decoded) {
    let pair = |name: &str, unit: &str| (name.to_owned(), unit.to_owned());
    let types = [
        pair("alloc_objects", "count"),
        pair("alloc_space", "bytes"),
        pair("inuse_objects", "count"),
        pair("inuse_space", "bytes"),
    ];
    assert_eq!(decoded.sample_types, types);
    assert_eq!(decoded.period_type, pair("space", "bytes"));
    assert_eq!(decoded.period, profile.rate_bytes as i64);
    assert_eq!(decoded.duration_nanos as u128, profile.duration.as_nanos());
    let taken = profile
        .taken
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(decoded.time_nanos as u128, taken.as_nanos());
    let live = format!("exact: {} B in", profile.counted.live_bytes);
    assert!(decoded.comments[0].starts_with(&live));
    assert!(decoded.comments[1].starts_with(&format!("dropped: {} ", profile.dropped.samples)));
    assert!(decoded.drop_frames.contains("alloc::alloc::.*"));
    let all = decoded.drop_frames.contains("__rust_.*");
    assert!(!all, "programs run inside of __rust_begin_short_backtrace");

    let mut samples = decoded.samples.iter();
    for site in &profile.sites {
        for bucket in &site.buckets {
            let sample = samples.next().unwrap();
            let figures = [
                bucket.alloc_objects,
                bucket.alloc_bytes,
                bucket.inuse_objects,
                bucket.inuse_bytes,
            ];
            assert_eq!(sample.values, figures.map(|figure| figure as i64));
            let (key, _, size) = &sample.labels[0];
            assert_eq!(
                (key.as_str(), *size),
                ("bytes", bucket.typical_size() as i64)
            );
            assert_eq!(sample.labels.len(), if bucket.label == 0 { 1 } else { 2 });
            let addresses = sample
                .locations
                .iter()
                .map(|id| decoded.location(*id).address);
            let calls = site.stack.iter().map(|address| *address as u64 - 1);
            if site.is_other() {
                assert_eq!(decoded.names(sample), ["[unattributed]"]);
            } else {
                assert!(addresses.eq(calls), "{sample:?}");
            }
        }
    }
    assert!(samples.next().is_none());
}

#[test]
fn a_profile_of_nothing_is_a_profile() {
    let decoded = written(&empty());
    assert!(decoded.samples.is_empty());
    assert_eq!(decoded.mappings.len(), 2);
    assert_eq!(decoded.default_sample_type, "inuse_space");
}

#[test]
fn every_figure_arrives() {
    let decoded = written(&varied());
    assert_eq!(decoded.samples.len(), 5);
    assert_eq!(decoded.samples[2].values[1], 7 * (3 << 30));
    assert_eq!(decoded.samples[3].values[3], 5 << 32);
    let files: Vec<_> = decoded
        .mappings
        .iter()
        .map(|each| each.file.as_str())
        .collect();
    assert_eq!(
        files,
        ["/bin/pro\u{fffd}gram\\u{a}", "/lib/libc.so.6", "[unknown]"]
    );
    assert_eq!(decoded.mappings[0].build_id, "abcd01");
    assert!(
        decoded
            .mappings
            .iter()
            .all(|mapping| mapping.has == [false; 4])
    );
    assert_eq!(decoded.samples[1].labels[1].1, "worker\\u{9}1");
    assert!(
        decoded
            .functions
            .iter()
            .all(|function| function.name == "[unattributed]")
    );
    let first = |as_type| {
        let mut bytes = Vec::new();
        varied().write_pprof_as(as_type, &mut bytes).unwrap();
        decode(&bytes).default_sample_type
    };
    for figure in SampleType::ALL {
        assert_eq!(first(figure), figure.name());
    }
}

#[test]
fn figures_past_what_the_format_holds_stop_at_its_end() {
    let mut profile = empty();
    let mut largest = bucket(1, 0, 1, 1);
    largest.alloc_bytes = u64::MAX;
    profile.sites = vec![site(&[0x1001], &[largest])];
    let mut bytes = Vec::new();
    profile.write_pprof(&mut bytes).unwrap();
    assert_eq!(decode(&bytes).samples[0].values, [1, i64::MAX, 1, 1]);
}

#[test]
fn names_arrive_with_inlined_functions_and_without_control_characters() {
    let mut profile = varied();
    let named = [
        (
            0x1011,
            vec![
                frame("inner", "a.rs", 3),
                frame("outer::<\u{1b}[31m>", "b\u{202e}.rs", 9),
            ],
        ),
        (0x1101, vec![frame("main", "main.rs", 1)]),
    ];
    profile.code.frames.extend(named);
    let decoded = written(&profile);
    assert_eq!(
        decoded.names(&decoded.samples[0]),
        ["inner", "outer::<\\u{1b}[31m>", "main"]
    );
    assert_eq!(decoded.functions[1].file, "b\\u{202e}.rs");
    let has: Vec<_> = decoded.mappings.iter().map(|mapping| mapping.has).collect();
    assert_eq!(has, [[true; 4], [false; 4], [false; 4]]);

    profile.code.frames.remove(&0x1101);
    let decoded = written(&profile);
    assert_eq!(
        decoded.mappings[0].has, [false; 4],
        "a tool looks for what is missing"
    );
}

#[test]
fn a_real_profile_has_build_ids() {
    started();
    let kept: Vec<_> = (0..100).map(|_| vec![1_u8; 8192]).collect();
    let mut profile = heap_profile().unwrap();
    assert!(!profile.sites.is_empty());
    profile.locate();
    let decoded = written(&profile);
    if cfg!(target_os = "linux") {
        let own = &decoded.mappings[0];
        let exe = std::env::current_exe().unwrap();
        assert_eq!(own.file, exe.to_string_lossy());
        assert!(own.build_id.len() >= 16, "{own:?}");
        let here = a_real_profile_has_build_ids as fn() as usize as u64;
        let near = decoded
            .mappings
            .iter()
            .find(|each| (each.start..each.limit).contains(&here));
        assert_eq!(near.unwrap().file, own.file);
    }
    drop(kept);
}

/// The program runs from a path that is no Unicode.
#[cfg(target_os = "linux")]
#[test]
fn paths_need_not_be_unicode() {
    use std::os::unix::{ffi::OsStrExt as _, process::CommandExt as _};

    if std::env::var_os("EXPORTS_UNDER_A_STRANGE_NAME").is_some() {
        started();
        let decoded = written(&{
            let mut profile = heap_profile().unwrap();
            profile.locate();
            profile
        });
        let own = &decoded.mappings[0];
        assert!(own.file.ends_with("strange \u{fffd} name"), "{own:?}");
        assert!(!own.build_id.is_empty());
        return;
    }
    let directory = scratch("strange");
    let link = directory.join(std::ffi::OsStr::from_bytes(b"strange \xff name"));
    let exe = std::env::current_exe().unwrap();
    fs::hard_link(&exe, &link)
        .or_else(|_| fs::copy(&exe, &link).map(drop))
        .unwrap();
    let status = std::process::Command::new(&link)
        .arg0("exports")
        .args(["--exact", "paths_need_not_be_unicode"])
        .env("EXPORTS_UNDER_A_STRANGE_NAME", "1")
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    fs::remove_dir_all(directory).unwrap();
}

fn scratch(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = path.join(format!("exports-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn files_are_written_whole_or_not_at_all() {
    started();
    let directory = scratch("files");
    let path = directory.join("heap.pb.gz");
    write_heap_profile(&path).unwrap();
    assert_eq!(
        decode(&fs::read(&path).unwrap()).default_sample_type,
        "inuse_space"
    );
    write_allocs_profile(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    assert_eq!(decode(&whole).default_sample_type, "alloc_space");

    let error = save(&path, |out| {
        out.write_all(b"half")?;
        Err(io::Error::other("the power is gone"))
    })
    .unwrap_err();
    assert!(matches!(error, WriteError::File { .. }));
    let said = error.to_string();
    assert!(
        said.contains("heap.pb.gz") && said.ends_with("the power is gone"),
        "{said}"
    );
    let panicking = std::panic::catch_unwind(|| save(&path, |_| panic!("on purpose")));
    assert!(panicking.is_err());
    assert_eq!(fs::read(&path).unwrap(), whole, "the old file stays");
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        1,
        "nothing is left behind"
    );

    let nowhere = directory.join("no/such/directory/heap");
    let said = write_heap_profile(nowhere).unwrap_err().to_string();
    assert!(
        said.contains("could not create a temporary file beside it"),
        "{said}"
    );
    assert!(
        save("/", |_| Ok(()))
            .unwrap_err()
            .to_string()
            .contains("names no file")
    );
    assert!(
        save(&directory, |_| Ok(())).is_err(),
        "a directory is not replaced"
    );
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    fs::remove_dir_all(directory).unwrap();
}

/// Neither the mode of a secret file, nor a device, nor a long name is lost on the way.
#[cfg(unix)]
#[test]
fn what_is_replaced_is_a_file_and_keeps_its_mode() {
    use std::os::unix::{fs::PermissionsExt as _, fs::symlink, net::UnixListener};
    let directory = scratch("modes");
    let write = |path: &PathBuf, text: &str| save(path, |out| out.write_all(text.as_bytes()));
    let secret = directory.join("secret");
    fs::write(&secret, "old").unwrap();
    for mode in [0o600, 0o640, 0o444] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        write(&secret, "new").unwrap();
        let now = fs::metadata(&secret).unwrap().permissions().mode() & 0o7777;
        assert_eq!(now, mode, "{now:o}");
    }
    let link = directory.join("link");
    symlink(&secret, &link).unwrap();
    write(&link, "newer").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(fs::read_to_string(&secret).unwrap(), "new");

    let long = directory.join("x".repeat(255));
    write(&long, "new").unwrap();
    assert_eq!(fs::read_to_string(&long).unwrap(), "new");

    let socket = directory.join("s");
    let _listener = UnixListener::bind(&socket).unwrap();
    let to_socket = directory.join("to-socket");
    symlink(&socket, &to_socket).unwrap();
    let before = fs::read_dir(&directory).unwrap().count();
    for path in [&socket, &to_socket] {
        let error = write(path, "new").unwrap_err().to_string();
        assert!(error.contains("not a file"), "{error}");
        assert!(!fs::symlink_metadata(path).unwrap().is_file());
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), before);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_frame_without_a_name_is_not_empty() {
    let mut profile = varied();
    profile.code.frames.insert(0x1101, vec![frame("", "", 0)]);
    let mut folded = Vec::new();
    profile.write_folded(&mut folded).unwrap();
    for line in String::from_utf8(folded).unwrap().lines() {
        let (stack, _) = line.rsplit_once(' ').unwrap();
        assert!(stack.split(';').all(|frame| !frame.is_empty()), "{line}");
    }
}

#[test]
fn folded_stacks_add_up() {
    let mut profile = varied();
    profile
        .code
        .frames
        .insert(0x1101, vec![frame("a;b", "", 0), frame("main", "", 0)]);
    let text = |figure| {
        let mut text = Vec::new();
        profile.write_folded_as(figure, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let objects = text(SampleType::AllocObjects);
    assert!(
        objects.contains("main;a:b;pro\u{fffd}gram\\u{a}+0x110 1003\n"),
        "{objects}"
    );
    assert!(objects.contains("main;a:b;0x9998 1\n"), "{objects}");
    assert!(objects.contains("[unattributed] 5\n"), "{objects}");
    for figure in SampleType::ALL {
        let sum = text(figure)
            .lines()
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
            .sum::<u64>();
        assert_eq!(
            sum,
            profile
                .sites
                .iter()
                .map(|site| figure.of(site))
                .sum::<u64>()
        );
    }
}

#[test]
fn dhat_has_what_its_viewer_asks_for() {
    let mut profile = varied();
    profile.sites[0].lifetimes.nanos.0[11] = 990;
    for frames in [false, true] {
        if frames {
            let both = vec![frame("f\"\\", "x.rs", 1), frame("main", "m.rs", 2)];
            profile.code.frames.insert(0x1101, both);
        }
        let mut json = Vec::new();
        profile.write_dhat(&mut json).unwrap();
        let data: serde_json::Value = serde_json::from_slice(&json).unwrap();
        for field in [
            "mode", "verb", "bklt", "bkacc", "tu", "Mtu", "cmd", "pid", "te", "tg", "tuth",
        ] {
            assert!(!data[field].is_null(), "{field}");
        }
        assert_eq!(data["dhatFileVersion"], 2);
        let table = data["ftbl"].as_array().unwrap();
        assert_eq!(table[0], "[root]");
        let points = data["pps"].as_array().unwrap();
        assert_eq!(points.len(), profile.sites.len());
        let mut stacks = std::collections::BTreeSet::new();
        for (point, site) in points.iter().zip(&profile.sites) {
            for field in ["tb", "tbk", "tl", "mb", "mbk", "gb", "gbk", "eb", "ebk"] {
                assert!(point[field].is_u64(), "{field}");
            }
            assert_eq!(point["tb"], site.alloc_bytes);
            assert_eq!(point["ebk"], site.inuse_objects);
            let stack = point["fs"].as_array().unwrap();
            assert!(!stack.is_empty());
            let names = stack
                .iter()
                .map(|at| table[usize::try_from(at.as_u64().unwrap()).unwrap()].to_string());
            assert!(
                stacks.insert(names.collect::<Vec<_>>()),
                "the viewer refuses two of the same"
            );
        }
    }
}

#[test]
fn no_figure_is_too_large_for_dhat() {
    let mut profile = varied();
    profile.duration = Duration::MAX;
    let site = &mut profile.sites[0];
    site.lifetimes.nanos.0 = [u64::MAX; 48];
    (site.alloc_objects, site.inuse_objects) = (u64::MAX, u64::MAX);
    (site.alloc_bytes, site.peak_inuse_bytes) = (u64::MAX, u64::MAX);
    let mut json = Vec::new();
    profile.write_dhat(&mut json).unwrap();
    let data: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(data["pps"][0]["tl"].is_u64());
}

/// A profile that was read from a file has stacks as deep as its writer liked.
#[cfg(feature = "flamegraph")]
#[test]
fn a_deep_stack_is_drawn_on_a_small_one() {
    let mut profile = empty();
    let deep: Vec<_> = (1..20_000).map(|nth| nth << 20).collect();
    profile.sites.push(site(&deep, &[bucket(1, 0, 1, 1)]));
    let draw = move || profile.write_flamegraph_svg(io::sink()).unwrap();
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    thread.spawn(draw).unwrap().join().unwrap();
}

#[cfg(feature = "flamegraph")]
#[test]
fn a_flame_graph_is_well_formed() {
    let mut profile = varied();
    profile
        .code
        .frames
        .insert(0x1101, vec![frame("<T as \"X\">::\u{1}&f", "", 0)]);
    let mut svg = Vec::new();
    profile
        .write_flamegraph_svg_as(SampleType::AllocObjects, &mut svg)
        .unwrap();
    let svg = String::from_utf8(svg).unwrap();
    assert!(
        svg.contains("<title>[all]: 1016 count, 100.00 %</title>"),
        "{svg}"
    );
    let name = "&lt;T as &quot;X&quot;&gt;::\\u{1}&amp;f";
    assert!(svg.contains(&format!("<title>{name}: 1011 count")), "{svg}");
    let body = svg.split("<script>").next().unwrap();
    let mut open = Vec::new();
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert_eq!(open, ["svg"], "which ends behind the script");
}
