//! pprof's `profile.proto`, and a builder that numbers its parts.
#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};
use std::{
    collections::HashMap,
    io::{self, Write},
};

use flate2::{Compression, write::GzEncoder};
use prost::Message as _;

use super::{
    clean::clean,
    code::{Code, CodeFrame},
    folded::UNATTRIBUTED,
};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "7")]
    drop_frames: i64,
    #[prost(int64, tag = "9")]
    pub(super) time_nanos: i64,
    #[prost(int64, tag = "10")]
    pub(super) duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    pub(super) period: i64,
    #[prost(int64, repeated, tag = "13")]
    comment: Vec<i64>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

/// Names are indices into the table of strings, here and below.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    text: i64,
    #[prost(int64, tag = "3")]
    number: i64,
    #[prost(int64, tag = "4")]
    unit: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Mapping {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    memory_start: u64,
    #[prost(uint64, tag = "3")]
    memory_limit: u64,
    #[prost(uint64, tag = "4")]
    file_offset: u64,
    #[prost(int64, tag = "5")]
    filename: i64,
    #[prost(int64, tag = "6")]
    build_id: i64,
    #[prost(bool, tag = "7")]
    has_functions: bool,
    #[prost(bool, tag = "8")]
    has_filenames: bool,
    #[prost(bool, tag = "9")]
    has_line_numbers: bool,
    #[prost(bool, tag = "10")]
    has_inline_frames: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    mapping_id: u64,
    #[prost(uint64, tag = "3")]
    address: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

/// Puts a profile together; everything that has an id is numbered from 1 on, without gaps.
pub(super) struct Builder<'a> {
    code: &'a Code,
    profile: Profile,
    strings: HashMap<String, i64>,
    locations: HashMap<usize, u64>,
    functions: HashMap<(i64, i64), u64>,
    unknown: Option<u64>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(code: &'a Code) -> Self {
        let mut builder = Self {
            code,
            profile: Profile::default(),
            strings: HashMap::new(),
            locations: HashMap::new(),
            functions: HashMap::new(),
            unknown: None,
        };
        builder.string("");
        for module in &code.modules {
            let (filename, build_id) = (
                builder.string(&clean(&module.path)),
                builder.string(&clean(&module.build_id)),
            );
            let id = next_id(&builder.profile.mapping);
            builder.profile.mapping.push(Mapping {
                id,
                memory_start: module.start,
                memory_limit: module.limit,
                file_offset: module.file_offset,
                filename,
                build_id,
                ..Mapping::default()
            });
        }
        builder
    }

    /// The index of a string.
    fn string(&mut self, text: &str) -> i64 {
        if let Some(known) = self.strings.get(text) {
            return *known;
        }
        let index = i64::try_from(self.strings.len()).unwrap_or(i64::MAX);
        self.strings.insert(text.into(), index);
        self.profile.string_table.push(text.into());
        index
    }

    pub(super) fn sample_type(&mut self, name: &str, unit: &str) {
        let value = self.value_type(name, unit);
        self.profile.sample_type.push(value);
    }

    fn value_type(&mut self, name: &str, unit: &str) -> ValueType {
        ValueType {
            kind: self.string(name),
            unit: self.string(unit),
        }
    }

    pub(super) fn comment(&mut self, text: &str) {
        let comment = self.string(text);
        self.profile.comment.push(comment);
    }

    pub(super) fn label(&mut self, key: &str, text: &str) -> Label {
        Label {
            key: self.string(key),
            text: self.string(text),
            ..Label::default()
        }
    }

    pub(super) fn number_label(&mut self, key: &str, number: i64) -> Label {
        Label {
            key: self.string(key),
            number,
            unit: self.string("bytes"),
            ..Label::default()
        }
    }

    pub(super) fn sample(&mut self, location_id: Vec<u64>, value: Vec<i64>, label: Vec<Label>) {
        self.profile.sample.push(Sample {
            location_id,
            value,
            label,
        });
    }

    /// The locations of return addresses; of none, a location that says so.
    pub(super) fn stack(&mut self, return_addresses: &[usize]) -> Vec<u64> {
        if return_addresses.is_empty() {
            return Vec::from([self.location(0)]);
        }
        let ids = return_addresses.iter().map(|each| self.location(*each));
        ids.collect()
    }

    fn location(&mut self, return_address: usize) -> u64 {
        if let Some(known) = self.locations.get(&return_address) {
            return *known;
        }
        // The call, not what comes after it: that may belong to another line or function.
        let address = return_address.saturating_sub(1) as u64;
        let mapping_id = self.mapping(address);
        let unattributed = [CodeFrame {
            function: UNATTRIBUTED.into(),
            ..CodeFrame::default()
        }];
        let frames = match return_address {
            0 => &unattributed,
            _ => self.code.frames(return_address),
        };
        let id = self.add_location(mapping_id, address, frames);
        self.locations.insert(return_address, id);
        id
    }

    /// Adds a location whose functions are known, or not.
    pub(super) fn add_location(
        &mut self,
        mapping_id: u64,
        address: u64,
        frames: &[CodeFrame],
    ) -> u64 {
        let line = frames.iter().map(|frame| Line {
            function_id: self.function(frame),
            line: i64::from(frame.line),
        });
        let line = line.collect();
        let id = next_id(&self.profile.location);
        self.profile.location.push(Location {
            id,
            mapping_id,
            address,
            line,
        });
        id
    }

    fn function(&mut self, frame: &CodeFrame) -> u64 {
        let name = self.string(&clean(&frame.function));
        let filename = self.string(&clean(&frame.file));
        let id = next_id(&self.profile.function);
        let known = *self.functions.entry((name, filename)).or_insert(id);
        if known == id {
            self.profile.function.push(Function {
                id,
                name,
                system_name: name,
                filename,
            });
        }
        known
    }

    /// The mapping of an address. What is mapped nowhere gets one too: viewers expect it.
    pub(super) fn mapping(&mut self, address: u64) -> u64 {
        let known = self
            .profile
            .mapping
            .iter()
            .find(|mapping| (mapping.memory_start..mapping.memory_limit).contains(&address));
        if let Some(id) = known.map(|mapping| mapping.id).or(self.unknown) {
            return id;
        }
        let filename = self.string("[unknown]");
        let id = next_id(&self.profile.mapping);
        self.profile.mapping.push(Mapping {
            id,
            filename,
            ..Mapping::default()
        });
        self.unknown = Some(id);
        id
    }

    pub(super) fn finish(
        mut self,
        default_type: &str,
        period_name: &str,
        period_unit: &str,
        drop_frames: &str,
    ) -> Profile {
        self.profile.period_type = Some(self.value_type(period_name, period_unit));
        self.profile.default_sample_type = self.string(default_type);
        self.profile.drop_frames = self.string(drop_frames);
        let Profile {
            mapping,
            location,
            function,
            ..
        } = &mut self.profile;
        for mapping in mapping
            .iter_mut()
            .filter(|each| Some(each.id) != self.unknown)
        {
            let here: Vec<_> = location
                .iter()
                .filter(|location| location.mapping_id == mapping.id)
                .collect();
            // Tools look for no names in a mapping that claims to have them, so all must be there.
            let has = !here.is_empty() && here.iter().all(|location| !location.line.is_empty());
            let lines = || here.iter().flat_map(|location| &location.line);
            mapping.has_functions = has;
            mapping.has_inline_frames = has;
            mapping.has_line_numbers = has && lines().all(|line| line.line != 0);
            mapping.has_filenames = has
                && lines().all(|line| {
                    let at = usize::try_from(line.function_id - 1).unwrap_or(usize::MAX);
                    function.get(at).is_some_and(|each| each.filename != 0)
                });
        }
        self.profile
    }
}

fn next_id<T>(table: &[T]) -> u64 {
    table.len() as u64 + 1
}

/// Writes a profile, gzipped.
pub(super) fn write<W: Write>(profile: &Profile, out: W) -> io::Result<()> {
    let mut gzip = GzEncoder::new(out, Compression::fast());
    gzip.write_all(&profile.encode_to_vec())?;
    gzip.finish()?.flush()
}
