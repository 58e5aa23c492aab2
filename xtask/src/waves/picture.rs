//! A picture of the recorded waves: each error as a part of its bound.

use std::path::Path;

use plotters::prelude::*;

use super::Check;
use crate::accuracy::plot::{COLOURS, FONT, WIDTH, font};

/// What is drawn, by how its checks are named.
const KINDS: [(&str, &str); 7] = [
    ("rms", "rms"),
    ("P ", "P"),
    ("Q1", "Q1"),
    ("f ", "frequency"),
    ("THD", "THD"),
    ("order", "subgroups"),
    ("Urms(1/2)", "Urms(1/2)"),
];
/// Height of a record's row, pixels.
const ROW: u32 = 22;
/// Least part of a bound that is drawn; what is smaller lies on the edge.
const LEAST: f64 = 1e-4;

/// Largest part of its bound of each kind of check, where a record has any.
pub fn parts(checks: &[Check]) -> [Option<f64>; KINDS.len()] {
    KINDS.map(|(prefix, _)| {
        let found = checks.iter().filter(|check| check.what.starts_with(prefix));
        found
            .map(|check| check.error / check.bound)
            .reduce(f64::max)
    })
}

/// Draws one row for each record.
///
/// # Errors
/// The picture cannot be written.
pub fn draw(path: &Path, records: &[(String, [Option<f64>; KINDS.len()])]) -> anyhow::Result<()> {
    font()?;
    let rows = records.len();
    let height = ROW * u32::try_from(rows)? + 130;
    let area = BitMapBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "Recorded waves: error as a part of its bound (1 would be on it)",
            (FONT, 22),
        )
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(210)
        .build_cartesian_2d((LEAST..2.0).log_scale(), -0.5..rows as f64 - 0.5)?;
    chart
        .configure_mesh()
        .x_desc("part of the bound")
        .y_labels(rows)
        .label_style((FONT, 15))
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| {
            // The first record on top.
            let from_below = y.round() as usize;
            let record = rows
                .checked_sub(from_below + 1)
                .and_then(|row| records.get(row));
            record.map_or(String::new(), |(id, _)| id.clone())
        })
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(LineSeries::new(
        [(1.0, -0.5), (1.0, rows as f64 - 0.5)],
        BLACK.stroke_width(2),
    ))?;
    let colours = COLOURS.into_iter().chain([
        RGBColor(230, 159, 0),
        RGBColor(86, 180, 233),
        RGBColor(90, 90, 90),
    ]);
    for (kind, ((_, name), colour)) in KINDS.into_iter().zip(colours).enumerate() {
        let dots = records.iter().enumerate().filter_map(|(row, (_, parts))| {
            let part = parts[kind]?.clamp(LEAST, 2.0);
            Some(Circle::new(
                (part, (rows - 1 - row) as f64),
                5,
                colour.filled(),
            ))
        });
        chart
            .draw_series(dots)?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 9, y), 5, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(180, 180, 180))
        .label_font((FONT, 15))
        .draw()?;
    area.present()?;
    Ok(())
}
