//! An HDFS node: `240301 000000 148 INFO dfs.DataNode$PacketResponder: message`, and stack
//! traces.

use std::io::Write;

use super::{
    calendar::Moment,
    pattern::{Families, Family},
    values::Values,
};
use crate::rng::Rng;

/// Writes HDFS lines.
pub(crate) struct Hdfs {
    families: Families,
}

impl Hdfs {
    pub(crate) fn new() -> Self {
        Self {
            families: Families::new(FAMILIES),
        }
    }

    /// Appends one record of at most `most` lines and returns how many it took.
    ///
    /// An exception brings its stack trace, whose lines carry no time, host or level.
    pub(crate) fn append(
        &self,
        out: &mut Vec<u8>,
        now: u64,
        most: u64,
        values: &Values,
        rng: &mut Rng,
    ) -> u64 {
        let at = Moment::from_seconds(now);
        let (year, month, day) = (at.year % 100, at.month, at.day);
        let (hour, minute, second) = (at.hour, at.minute, at.second);
        let draw = self.families.draw(rng);
        let Family { origin, level, .. } = draw.family;
        write!(
            out,
            "{year:02}{month:02}{day:02} {hour:02}{minute:02}{second:02} {} {level} {origin}: ",
            rng.range(13, 30_000),
        )
        .expect("a Vec takes every byte");
        draw.fill(out, values, rng);
        out.push(b'\n');
        if *level != "ERROR" {
            return 1;
        }
        let frames = rng.range(3, 9).min(most - 1);
        for _ in 0..frames {
            let frame = *rng.pick(&FRAMES);
            writeln!(out, "\tat {frame}:{})", rng.range(40, 1_900))
                .expect("a Vec takes every byte");
        }
        1 + frames
    }
}

const fn family(level: &'static str, origin: &'static str, text: &'static str) -> Family {
    Family {
        origin,
        level,
        text,
    }
}

const DATA_NODE: &str = "dfs.DataNode";
const RESPONDER: &str = "dfs.DataNode$PacketResponder";
const RECEIVER: &str = "dfs.DataNode$DataXceiver";
const TRANSFER: &str = "dfs.DataNode$DataTransfer";
const NAMES: &str = "dfs.FSNamesystem";
const DATA_SET: &str = "dfs.FSDataset";
const SCANNER: &str = "dfs.DataBlockScanner";

/// In falling order of frequency.
const FAMILIES: &[Family] = &[
    family(
        "INFO",
        RECEIVER,
        "Receiving block {block} src: /{node} dest: /{node}",
    ),
    family(
        "INFO",
        RESPONDER,
        "PacketResponder {small} for block {block} terminating",
    ),
    family(
        "INFO",
        NAMES,
        "BLOCK* NameSystem.addStoredBlock: blockMap updated: {node} is added to {block} size {size}",
    ),
    family(
        "INFO",
        RESPONDER,
        "Received block {block} of size {size} from /{node}",
    ),
    family(
        "INFO",
        NAMES,
        "BLOCK* NameSystem.delete: {block} is added to invalidSet of {node}",
    ),
    family(
        "INFO",
        DATA_SET,
        "Deleting block {block} file {replica}/{block}",
    ),
    family(
        "INFO",
        NAMES,
        "BLOCK* NameSystem.allocateBlock: {path}. {block}",
    ),
    family("INFO", SCANNER, "Verification succeeded for {block}"),
    family("INFO", RECEIVER, "{node} Served block {block} to /{node}"),
    family(
        "WARN",
        RECEIVER,
        "{node}:Got exception while serving {block} to /{node}:",
    ),
    family(
        "INFO",
        TRANSFER,
        "{node}:Transmitted block {block} to /{node}",
    ),
    family(
        "DEBUG",
        "mapred.JobTracker",
        "Task {job} heartbeat after {duration} s",
    ),
    family(
        "INFO",
        DATA_NODE,
        "{node} Starting thread to transfer block {block} to {node}",
    ),
    family(
        "WARN",
        NAMES,
        "PendingReplicationMonitor timed out block {block}",
    ),
    family(
        "ERROR",
        RECEIVER,
        "{node}:DataXceiver: java.io.IOException: Block {block} is valid, and cannot be written to.",
    ),
    family(
        "INFO",
        NAMES,
        "BLOCK* ask {node} to replicate {block} to datanode(s) {node}",
    ),
    family(
        "FATAL",
        DATA_NODE,
        "Shutting down {host}: too many failed volumes, {small} left",
    ),
];

const FRAMES: [&str; 7] = [
    "java.lang.Thread.run(Thread.java",
    "org.apache.hadoop.dfs.DataNode$DataXceiver.run(DataNode.java",
    "org.apache.hadoop.dfs.DataNode$DataXceiver.writeBlock(DataNode.java",
    "org.apache.hadoop.dfs.FSDataset.writeToBlock(FSDataset.java",
    "java.io.DataOutputStream.flush(DataOutputStream.java",
    "java.net.SocketInputStream.read(SocketInputStream.java",
    "sun.nio.ch.SocketChannelImpl.write(SocketChannelImpl.java",
];
