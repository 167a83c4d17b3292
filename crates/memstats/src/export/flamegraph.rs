//! A flame graph as one SVG file, which a browser shows: a click widens a frame.
//!
//! ```text
//! │ [all]                                  │  y grows downwards, the root is on top
//! │ main                         │ thread  │
//! │ parse            │ render    │
//! ```
#![forbid(unsafe_code)]

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::mem;
use std::io::{self, Write};

use super::sample_type::SampleType;
use crate::profile::HeapProfile;

const WIDTH: f64 = 1200.0;
const ROW: f64 = 17.0;
const TOP: f64 = 30.0;
/// Room for a letter of the 12 px font.
const LETTER: f64 = 7.0;
/// Frames narrower than this are left out: nobody sees them, and they make the file large.
const NARROWEST: f64 = 0.1;

/// Widens the clicked frame to the full width, with what it calls; its callers stay as a way back.
const SCRIPT: &str = r#"
var frames = Array.prototype.slice.call(document.querySelectorAll("g[data-x]"));
function show(chosen) {
  var x = +chosen.dataset.x, w = +chosen.dataset.w, row = +chosen.dataset.r;
  frames.forEach(function (g) {
    var gx = +g.dataset.x, gw = +g.dataset.w, rect = g.children[1], text = g.children[2];
    var caller = +g.dataset.r < row && gx <= x + 1e-9 && gx + gw >= x + w - 1e-9;
    var inside = +g.dataset.r >= row && gx >= x - 1e-9 && gx + gw <= x + w + 1e-9;
    g.style.display = caller || inside ? "" : "none";
    var nx = caller ? 0 : (gx - x) / w * 1200, nw = caller ? 1200 : gw / w * 1200;
    rect.setAttribute("x", nx); rect.setAttribute("width", Math.max(nw - 0.5, 0.1));
    rect.style.opacity = caller ? 0.5 : 1;
    text.setAttribute("x", nx + 3);
    var room = Math.floor((nw - 6) / 7), name = g.dataset.n;
    text.textContent = room < 3 ? "" : name.length <= room ? name : name.slice(0, room - 2) + "..";
  });
}
frames.forEach(function (g) { g.addEventListener("click", function () { show(g); }); });
"#;

/// A function in its place in the tree.
#[derive(Default)]
struct Node {
    value: u64,
    children: BTreeMap<String, Self>,
}

impl HeapProfile {
    /// Draws the bytes in use as a flame graph: one SVG file without outside parts.
    ///
    /// Frames have names once the profile is symbolized (feature `symbolize`).
    ///
    /// # Errors
    ///
    /// Those of `out`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
    /// thrifty_memstats::profiling().rate(1).start()?;
    /// let mut svg = Vec::new();
    /// thrifty_memstats::heap_profile()?.write_flamegraph_svg(&mut svg)?;
    /// assert!(svg.starts_with(b"<svg "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_flamegraph_svg<W: Write>(&self, out: W) -> io::Result<()> {
        self.write_flamegraph_svg_as(SampleType::default(), out)
    }

    /// Draws one of the four figures as a flame graph.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_flamegraph_svg_as<W: Write>(
        &self,
        figure: SampleType,
        mut out: W,
    ) -> io::Result<()> {
        let mut root = Node::default();
        for (stack, value) in self.folded(figure) {
            root.add(&stack, value);
        }
        let mut picture = Picture {
            scale: WIDTH / root.value.max(1) as f64,
            total: root.value.max(1) as f64,
            unit: figure.unit(),
            rows: 0,
            body: String::new(),
        };
        picture.draw(&root);
        let height = TOP + ROW * f64::from(picture.rows) + 10.0;
        write!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="monospace" font-size="12">"#
        )?;
        write!(
            out,
            r##"<rect width="100%" height="100%" fill="#fffdf5"/><text x="3" y="19">{}: {} {}</text>"##,
            figure.name(),
            root.value,
            figure.unit()
        )?;
        write!(
            out,
            "{}<script><![CDATA[{SCRIPT}]]></script></svg>",
            picture.body
        )?;
        writeln!(out)?;
        out.flush()
    }
}

impl Node {
    fn add(&mut self, stack: &[String], value: u64) {
        let mut node = self;
        node.value = node.value.saturating_add(value);
        for frame in stack {
            node = node.children.entry(frame.clone()).or_default();
            node.value = node.value.saturating_add(value);
        }
    }
}

impl Drop for Node {
    /// Takes the tree apart from above: what the compiler would do calls itself for each frame of a
    /// stack, and one that was read from a file may be deep.
    fn drop(&mut self) {
        let mut open = Vec::from([mem::take(&mut self.children)]);
        while let Some(children) = open.pop() {
            for mut child in children.into_values() {
                if !child.children.is_empty() {
                    open.push(mem::take(&mut child.children));
                }
            }
        }
    }
}

struct Picture {
    scale: f64,
    total: f64,
    unit: &'static str,
    rows: u32,
    body: String,
}

impl Picture {
    /// Draws a tree. Stacks that were read from a file may be deep, so this does not recurse.
    fn draw(&mut self, root: &Node) {
        let mut open = Vec::from([("[all]", root, 0.0, 0)]);
        while let Some((name, node, x, row)) = open.pop() {
            let width = node.value as f64 * self.scale;
            if width < NARROWEST && row > 0 {
                continue;
            }
            self.frame(name, node.value, (x, width), row);
            let mut x = x;
            for (name, child) in &node.children {
                open.push((name, child, x, row + 1));
                x += child.value as f64 * self.scale;
            }
        }
    }

    fn frame(&mut self, name: &str, value: u64, (x, width): (f64, f64), row: u32) {
        self.rows = self.rows.max(row + 1);
        let y = TOP + ROW * f64::from(row);
        let percent = value as f64 / self.total * 100.0;
        let unit = self.unit;
        let full = escaped(name);
        let shown = escaped(&shortened(name, (width - 6.0) / LETTER));
        let (rect, text) = ((width - 0.5).max(NARROWEST), x + 3.0);
        let (text_y, colour) = (y + 12.5, colour(name));
        self.body.push_str(&format!(
            r#"<g data-x="{x:.4}" data-w="{width:.4}" data-r="{row}" data-n="{full}"><title>{full}: {value} {unit}, {percent:.2} %</title><rect x="{x:.2}" y="{y}" width="{rect:.2}" height="16" rx="1" fill="{colour}"/><text x="{text:.2}" y="{text_y}">{shown}</text></g>"#
        ));
    }
}

/// The beginning of a name that fits; nothing where only a letter or two would.
fn shortened(name: &str, room: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the picture's width; a negative one becomes 0"
    )]
    let room = room as usize;
    if room < 3 {
        return String::new();
    }
    if name.chars().count() <= room {
        return name.into();
    }
    let mut short: String = name.chars().take(room - 2).collect();
    short.push_str("..");
    short
}

/// A warm colour, the same for the same name.
fn colour(name: &str) -> String {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let (green, blue) = (120 + (hash >> 8) % 110, 40 + (hash >> 20) % 60);
    format!("rgb(245,{green},{blue})")
}

/// Text for an XML document.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write these.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(char),
        }
    }
    escaped
}
