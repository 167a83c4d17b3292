//! Samples as a picture: lines of text, or SVG.
#![forbid(unsafe_code)]

use core::fmt::{self, Write};

use super::Sample;

/// Live and resident bytes over time; from [`Monitor::chart`](crate::Monitor::chart).
///
/// `Display` draws 72 columns and 12 rows.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use thrifty_memstats::Monitor;
///
/// let monitor = Monitor::every(Duration::from_secs(1)).spawn()?;
/// let text = monitor.chart().to_text(40, 5);
/// assert_eq!(text.lines().count(), 7, "a legend, five rows, an axis");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    samples: Vec<Sample>,
}

/// What one column of a picture shows.
#[derive(Debug, Clone, Copy, Default)]
struct Column {
    live: Option<u64>,
    resident: Option<u64>,
    trimmed: bool,
}

impl Chart {
    /// A picture of samples, oldest first.
    pub const fn new(samples: Vec<Sample>) -> Self {
        Self { samples }
    }

    /// Draws with characters: `*` is live, `.` resident, `^` below a column that saw a trim.
    ///
    /// A column shows the most of its samples. Width and height are brought between 2 and 500.
    #[must_use]
    pub fn to_text(&self, columns: usize, rows: usize) -> String {
        let (width, rows) = (columns.clamp(2, 500), rows.clamp(2, 500));
        let columns = self.columns(width);
        let top = self.top_bytes();
        let mut text = String::new();
        let _fits = writeln!(text, "{:>10}  * live  . resident  ^ trim", Size(top));
        // The row in which a value lies, counted from below.
        let row_of = |bytes: u64| {
            let row = u128::from(bytes) * (rows as u128 - 1) / u128::from(top.max(1));
            usize::try_from(row).unwrap_or(0)
        };
        for row in (0..rows).rev() {
            let mut line: String = columns
                .iter()
                .map(|column| {
                    if column.live.map(row_of) == Some(row) {
                        '*'
                    } else if column.resident.map(row_of) == Some(row) {
                        '.'
                    } else {
                        ' '
                    }
                })
                .collect();
            line.truncate(line.trim_end().len());
            let _fits = writeln!(text, "{:>10} |{line}", if row == 0 { "0" } else { "" });
        }
        let axis: String = columns
            .iter()
            .map(|column| if column.trimmed { '^' } else { '-' })
            .collect();
        let _fits = writeln!(text, "{:>10} +{axis} {:.0?}", "", self.span());
        text
    }

    /// Draws an SVG of so many pixels, brought between 100 and 10,000.
    #[must_use]
    pub fn to_svg(&self, width: u32, height: u32) -> String {
        let (width, height) = (width.clamp(100, 10_000), height.clamp(100, 10_000));
        let frame = Frame {
            width,
            height,
            top_bytes: self.top_bytes(),
            span: self.span(),
            start: self.samples.first().map_or_else(Default::default, |s| s.at),
        };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        self.trim_marks(&frame, &mut svg);
        for (name, colour, of) in LINES {
            for points in self.unbroken(*of) {
                let _fits = write!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" points=\"");
                for (sample, bytes) in points {
                    let _fits = write!(svg, "{:.1},{:.1} ", frame.x(sample), frame.y(bytes));
                }
                let _fits = writeln!(svg, "\"><title>{name}</title></polyline>");
            }
        }
        let _fits = writeln!(
            svg,
            "<text x=\"4\" y=\"12\">{}</text><text x=\"4\" y=\"{}\">0</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0?}</text>\
             <text x=\"{}\" y=\"12\" text-anchor=\"end\"><tspan fill=\"#0a58ca\">live</tspan> \
             <tspan fill=\"#b02a37\">resident</tspan> <tspan fill=\"#999\">trim</tspan></text>",
            Size(frame.top_bytes),
            height - 4,
            width - 4,
            height - 4,
            frame.span,
            width - 4,
        );
        svg.push_str("</svg>\n");
        svg
    }

    fn trim_marks(&self, frame: &Frame, svg: &mut String) {
        for two in self.samples.windows(2) {
            if two[1].trims > two[0].trims {
                let x = frame.x(&two[1]);
                let _fits = writeln!(
                    svg,
                    "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{MARGIN}\" y2=\"{}\" \
                     stroke=\"#ccc\"><title>{} trims</title></line>",
                    frame.height - MARGIN,
                    two[1].trims - two[0].trims
                );
            }
        }
    }

    /// The samples that have the value, in runs without a gap.
    fn unbroken(&self, of: fn(&Sample) -> Option<u64>) -> Vec<Vec<(&Sample, u64)>> {
        let mut runs = vec![Vec::new()];
        for sample in &self.samples {
            match of(sample) {
                Some(bytes) => {
                    if let Some(run) = runs.last_mut() {
                        run.push((sample, bytes));
                    }
                }
                None => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| !run.is_empty());
        runs
    }

    /// The samples in `width` columns, by their place in the ring.
    fn columns(&self, width: usize) -> Vec<Column> {
        let mut columns = vec![Column::default(); width.min(self.samples.len())];
        let count = self.samples.len();
        let mut trims = self.samples.first().map_or(0, |sample| sample.trims);
        for (place, sample) in self.samples.iter().enumerate() {
            let column = &mut columns[place * width.min(count) / count];
            column.live = column.live.max(sample.live_bytes);
            column.resident = column.resident.max(sample.resident_bytes);
            column.trimmed |= sample.trims > trims;
            trims = sample.trims;
        }
        columns
    }

    fn top_bytes(&self) -> u64 {
        let all = self
            .samples
            .iter()
            .flat_map(|sample| [sample.live_bytes, sample.resident_bytes]);
        all.flatten().max().unwrap_or(0)
    }

    fn span(&self) -> core::time::Duration {
        match (self.samples.first(), self.samples.last()) {
            (Some(first), Some(last)) => last.at.saturating_sub(first.at),
            _ => core::time::Duration::ZERO,
        }
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(72, 12))
    }
}

/// A line of the picture: its name, its colour, its value.
type Line = (&'static str, &'static str, fn(&Sample) -> Option<u64>);

const LINES: &[Line] = &[
    ("resident", "#b02a37", |sample| sample.resident_bytes),
    ("live", "#0a58ca", |sample| sample.live_bytes),
];

/// Pixels above and below the lines.
const MARGIN: u32 = 16;

/// Where values lie in an SVG.
struct Frame {
    width: u32,
    height: u32,
    top_bytes: u64,
    span: core::time::Duration,
    start: core::time::Duration,
}

impl Frame {
    fn x(&self, sample: &Sample) -> f64 {
        let span = self.span.as_secs_f64().max(1e-9);
        let at = sample.at.saturating_sub(self.start).as_secs_f64();
        at / span * f64::from(self.width)
    }

    fn y(&self, bytes: u64) -> f64 {
        let inner = f64::from(self.height - 2 * MARGIN);
        f64::from(self.height - MARGIN) - bytes as f64 / self.top_bytes.max(1) as f64 * inner
    }
}

/// Bytes for people, in a unit that leaves up to four digits.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, shift) = match self.0 {
            0..=0xFFFF => ("B", 0),
            0x1_0000..=0x3FF_FFFF => ("KiB", 10),
            0x400_0000..=0xF_FFFF_FFFF => ("MiB", 20),
            _ => ("GiB", 30),
        };
        f.pad(&format!("{} {unit}", self.0 >> shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    fn sample(second: u64, live: u64, resident: u64, trims: u64) -> Sample {
        Sample {
            at: Duration::from_secs(second),
            live_bytes: Some(live),
            resident_bytes: Some(resident),
            trims,
            ..Sample::default()
        }
    }

    #[test]
    fn text_shows_lines_and_trims() {
        let chart = Chart::new(vec![
            sample(0, 0, 100, 0),
            sample(1, 50, 100, 0),
            sample(2, 100, 100, 1),
            sample(3, 0, 50, 1),
        ]);
        let expected = "     100 B  * live  . resident  ^ trim\n\
                        \x20          |..*\n\
                        \x20          | * .\n\
                        \x20        0 |*  *\n\
                        \x20          +--^- 3s\n";
        assert_eq!(chart.to_text(10, 3), expected);
    }

    #[test]
    fn svg_has_a_line_for_each_and_gaps_where_nothing_is_known() {
        let mut samples = vec![
            sample(0, 0, 100, 0),
            sample(1, 50, 100, 0),
            sample(2, 5, 100, 2),
        ];
        samples[1].live_bytes = None;
        let svg = Chart::new(samples).to_svg(200, 100);
        assert_eq!(svg.matches("<polyline").count(), 3);
        assert_eq!(svg.matches("2 trims").count(), 1);
        assert!(
            svg.contains("points=\"0.0,16.0 100.0,16.0 200.0,16.0 \""),
            "{svg}"
        );
    }

    #[test]
    fn nothing_at_all_can_be_drawn() {
        let chart = Chart::new(Vec::new());
        assert_eq!(chart.to_text(0, 0).lines().count(), 4);
        assert!(chart.to_svg(0, 0).ends_with("</svg>\n"));
    }

    proptest! {
        #[test]
        fn no_sample_breaks_the_picture(
            values in prop::collection::vec(
                (any::<u64>(), prop::option::of(any::<u64>()), any::<u64>(), any::<u64>()), 0..100),
            width in 0_usize..200,
            height in 0_usize..50,
        ) {
            let samples = values
                .into_iter()
                .map(|(at, live, resident, trims)| Sample {
                    live_bytes: live,
                    at: Duration::from_nanos(at),
                    ..sample(0, 0, resident, trims)
                })
                .collect();
            let chart = Chart::new(samples);
            let text = chart.to_text(width, height);
            prop_assert_eq!(text.lines().count(), height.max(2) + 2);
            let svg = chart.to_svg(width.try_into().unwrap(), height.try_into().unwrap());
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
    }
}
