//! A reader of pprof's format that shares nothing with the writer: protobuf's wire format by hand, and what
//! tools expect of a profile.
#![expect(clippy::unwrap_used, reason = "part of tests")]

use std::{collections::BTreeSet, io::Read as _};

/// A profile as it stands in the file, strings looked up.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) sample_types: Vec<(String, String)>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) locations: Vec<Location>,
    pub(crate) functions: Vec<Function>,
    pub(crate) drop_frames: String,
    pub(crate) time_nanos: i64,
    pub(crate) duration_nanos: i64,
    pub(crate) period_type: (String, String),
    pub(crate) period: i64,
    pub(crate) comments: Vec<String>,
    pub(crate) default_sample_type: String,
}

#[derive(Debug, Default)]
pub(crate) struct Sample {
    pub(crate) locations: Vec<u64>,
    pub(crate) values: Vec<i64>,
    pub(crate) labels: Vec<(String, String, i64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) limit: u64,
    pub(crate) file: String,
    pub(crate) build_id: String,
    /// Functions, files, lines, inlined ones.
    pub(crate) has: [bool; 4],
}

#[derive(Debug, Default)]
pub(crate) struct Location {
    pub(crate) mapping: u64,
    pub(crate) address: u64,
    /// Function and line.
    pub(crate) lines: Vec<(u64, i64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) file: String,
}

/// A field: its number, and what it holds.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, tail) = rest.split_first().expect("a number is cut off");
        *rest = tail;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return number;
        }
    }
    panic!("a number of more than ten bytes");
}

fn fields(mut rest: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut rest)),
            2 => {
                let len = usize::try_from(varint(&mut rest)).unwrap();
                let (bytes, tail) = rest.split_at(len);
                rest = tail;
                Field::Bytes(bytes)
            }
            other => panic!("wire type {other}, which profile.proto has not"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

impl Field<'_> {
    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => panic!("bytes where a number belongs"),
        }
    }

    fn signed(&self) -> i64 {
        self.number() as i64
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => panic!("a number where bytes belong"),
        }
    }

    /// A repeated number, packed or not.
    fn numbers(&self) -> Vec<u64> {
        match self {
            Self::Number(number) => vec![*number],
            Self::Bytes(bytes) => {
                let mut rest = *bytes;
                let mut numbers = Vec::new();
                while !rest.is_empty() {
                    numbers.push(varint(&mut rest));
                }
                numbers
            }
        }
    }
}

/// The numbers of a message that has nothing else, by field.
fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut numbers = [0; N];
    for (number, field) in fields(bytes) {
        numbers[usize::try_from(number).unwrap()] = field.number();
    }
    numbers
}

/// Unpacks and decodes a profile, and checks what holds for every profile.
pub(crate) fn decode(gzipped: &[u8]) -> Decoded {
    assert!(gzipped.starts_with(&[0x1f, 0x8b, 8]), "no gzip");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gzipped)
        .read_to_end(&mut bytes)
        .expect("gzip's checksum holds");
    let mut strings = Vec::new();
    for (number, field) in fields(&bytes) {
        if number == 6 {
            strings.push(String::from_utf8(field.bytes().to_vec()).expect("UTF-8"));
        }
    }
    assert_eq!(strings[0], "");
    let different: BTreeSet<_> = strings.iter().collect();
    assert_eq!(different.len(), strings.len(), "a string stands twice");
    let decoded = profile(&bytes, &strings);
    decoded.check();
    decoded
}

fn profile(bytes: &[u8], strings: &[String]) -> Decoded {
    let string = |index: u64| strings[usize::try_from(index).unwrap()].clone();
    let value_type = |bytes: &[u8]| {
        let [_, kind, unit] = numbers(bytes);
        (string(kind), string(unit))
    };
    let mut to = Decoded::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => to.sample_types.push(value_type(field.bytes())),
            2 => to.samples.push(sample(field.bytes(), &string)),
            3 => {
                let [_, id, start, limit, _, file, build_id, a, b, c, d] = numbers(field.bytes());
                to.mappings.push(Mapping {
                    start,
                    limit,
                    file: string(file),
                    build_id: string(build_id),
                    has: [a, b, c, d].map(|flag| flag != 0),
                });
                assert_eq!(id, to.mappings.len() as u64, "ids are 1, 2, 3 ..");
            }
            4 => {
                let (id, location) = location(field.bytes());
                to.locations.push(location);
                assert_eq!(id, to.locations.len() as u64, "ids are 1, 2, 3 ..");
            }
            5 => {
                let [_, id, name, system_name, file, _] = numbers(field.bytes());
                assert_eq!(name, system_name);
                to.functions.push(Function {
                    name: string(name),
                    file: string(file),
                });
                assert_eq!(id, to.functions.len() as u64, "ids are 1, 2, 3 ..");
            }
            6 => {}
            7 => to.drop_frames = string(field.number()),
            9 => to.time_nanos = field.signed(),
            10 => to.duration_nanos = field.signed(),
            11 => to.period_type = value_type(field.bytes()),
            12 => to.period = field.signed(),
            13 => to.comments.extend(field.numbers().into_iter().map(string)),
            14 => to.default_sample_type = string(field.number()),
            other => panic!("field {other}, which is not expected"),
        }
    }
    to
}

fn sample(bytes: &[u8], string: &dyn Fn(u64) -> String) -> Sample {
    let mut sample = Sample::default();
    for (number, field) in fields(bytes) {
        match number {
            1 => sample.locations.extend(field.numbers()),
            2 => {
                let values = field.numbers().into_iter().map(|value| value as i64);
                sample.values.extend(values);
            }
            3 => {
                let [_, key, text, number, _] = numbers(field.bytes());
                sample
                    .labels
                    .push((string(key), string(text), number as i64));
            }
            other => panic!("field {other} of a sample"),
        }
    }
    sample
}

fn location(bytes: &[u8]) -> (u64, Location) {
    let mut location = Location::default();
    let mut id = 0;
    for (number, field) in fields(bytes) {
        match number {
            1 => id = field.number(),
            2 => location.mapping = field.number(),
            3 => location.address = field.number(),
            4 => {
                let [_, function, line] = numbers(field.bytes());
                location.lines.push((function, line as i64));
            }
            other => panic!("field {other} of a location"),
        }
    }
    (id, location)
}

impl Decoded {
    /// What every viewer relies on.
    fn check(&self) {
        for sample in &self.samples {
            assert_eq!(sample.values.len(), self.sample_types.len());
            assert!(!sample.locations.is_empty());
            for id in &sample.locations {
                assert!((1..=self.locations.len() as u64).contains(id));
            }
        }
        for location in &self.locations {
            let at = usize::try_from(location.mapping).unwrap();
            let mapping = &self.mappings[at.checked_sub(1).expect("every location is mapped")];
            let inside = (mapping.start..mapping.limit).contains(&location.address);
            assert!(inside || mapping.file == "[unknown]", "{location:x?}");
            let is_hex = |digit: char| digit.is_ascii_hexdigit();
            assert!(mapping.build_id.chars().all(is_hex), "{mapping:?}");
            assert!(!mapping.has[0] || !location.lines.is_empty());
            for (function, line) in &location.lines {
                assert!((1..=self.functions.len() as u64).contains(function));
                assert!(!mapping.has[2] || *line > 0);
            }
        }
        for function in &self.functions {
            assert!(!function.name.chars().any(char::is_control), "{function:?}");
            assert!(!function.file.chars().any(char::is_control), "{function:?}");
        }
        let names: Vec<_> = self.sample_types.iter().map(|(name, _)| name).collect();
        assert!(names.contains(&&self.default_sample_type));
    }

    pub(crate) fn location(&self, id: u64) -> &Location {
        &self.locations[usize::try_from(id - 1).unwrap()]
    }

    /// The names of a sample's functions, innermost first.
    pub(crate) fn names(&self, sample: &Sample) -> Vec<&str> {
        let locations = sample.locations.iter().map(|id| self.location(*id));
        let lines = locations.flat_map(|location| &location.lines);
        lines
            .map(|(id, _)| {
                self.functions[usize::try_from(id - 1).unwrap()]
                    .name
                    .as_str()
            })
            .collect()
    }
}
