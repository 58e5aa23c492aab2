//! Pictures of the sweep: the error over the current, with the class limits; the chain beside its budget.

use std::path::Path;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;
use plotters::style::register_font;

use super::front::{self, Front};
use super::limits::{Factor, Load, budget, limit_02s, limit_d};
use super::point::Outcome;

pub(crate) const WIDTH: u32 = 1100;
const HEIGHT: u32 = 520;
pub(crate) const FONT: &str = "sans-serif";

/// Colours that stay apart for colour-blind readers.
pub(crate) const COLOURS: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Chart<'a, 'b, Y> = ChartContext<'a, BitMapBackend<'b>, Cartesian2d<LogCoord<f64>, Y>>;

/// Draws every picture into a folder.
///
/// # Errors
/// A picture cannot be written.
pub fn all(folder: &Path, outcomes: &[Outcome]) -> anyhow::Result<()> {
    font()?;
    let fronts = front::all();
    let pictures: [(&str, &[(usize, f64)]); 3] = [
        ("accuracy-ideal.png", &[(0, 0.05), (1, 0.05)]),
        ("accuracy-24bit.png", &[(2, 0.6)]),
        ("accuracy-16bit.png", &[(3, 1.5), (4, 3.0), (5, 30.0)]),
    ];
    for (name, panels) in pictures {
        let path = folder.join(name);
        let area = picture(&path, panels.len())?;
        for (panel, &(front, span)) in area.split_evenly((panels.len(), 1)).iter().zip(panels) {
            let Some(&front) = fronts.get(front) else {
                continue;
            };
            errors(panel, front, span, outcomes)?;
        }
        area.present()?;
    }
    let path = folder.join("accuracy-chain.png");
    let area = picture(&path, 1)?;
    chain(&area, outcomes)?;
    area.present()?;
    Ok(())
}

/// Makes the font of the pictures known.
pub(crate) fn font() -> anyhow::Result<()> {
    register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| anyhow!("the font of the pictures cannot be read"))
}

fn picture(path: &Path, panels: usize) -> anyhow::Result<Area<'_>> {
    let height = HEIGHT * u32::try_from(panels)?;
    let area = BitMapBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}

/// Signed errors of one front end; a bar for each load spans all voltages and frequencies.
fn errors(area: &Area, front: Front, span: f64, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let title = format!("Error of active energy: {}", front.name);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 22))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(74)
        .build_cartesian_2d((0.8e-4..1.6).log_scale(), -span..span)?;
    chart
        .configure_mesh()
        .x_desc("I / Imax")
        .y_desc("error, %")
        .label_style((FONT, 15))
        .x_label_formatter(&|x| format!("{x:.0e}"))
        // Adding zero makes a negative zero a plain one.
        .y_label_formatter(&|y| format!("{:.2}", (y * 1e6).round() / 1e6 + 0.0))
        .light_line_style(WHITE)
        .draw()?;
    let part = front.judged.part().unwrap_or(1.0);
    let of_limit = if part < 1.0 { "a tenth of " } else { "" };
    // The wider line first: where the tables agree, both are seen.
    for (name, limit, colour, width) in [
        (
            "R 46 class D",
            limit_d as fn(Load) -> Option<f64>,
            RGBColor(170, 170, 170),
            5,
        ),
        ("class 0.2S", limit_02s, BLACK, 1),
    ] {
        // Power factor 1: the tightest rows.
        let line = steps(|current| {
            limit(Load {
                current,
                factor: Factor::One,
            })
        });
        for sign in [1.0, -1.0] {
            let series = line.iter().map(|&(x, y)| (x, sign * part * y));
            let inside = series.filter(|(_, y)| y.abs() <= span);
            let drawn = chart.draw_series(LineSeries::new(inside, colour.stroke_width(width)))?;
            if sign > 0.0 {
                drawn
                    .label(format!("{of_limit}{name}, PF 1"))
                    .legend(move |(x, y)| swatch(x, y, colour));
            }
        }
    }
    for (index, (factor, colour)) in Factor::ALL.into_iter().zip(COLOURS).enumerate() {
        // Beside each other, so that no power factor hides another.
        let shift = 1.03_f64.powi(index as i32 * 2 - 3);
        let bars = spans(front, factor, outcomes);
        let drawn = chart.draw_series(bars.into_iter().map(|(current, low, high)| {
            let x = current * shift;
            // What lies beyond the picture is drawn at its edge, and no bar is too short to be seen.
            let low = low.clamp(-span, span * 0.99);
            let high = high.clamp(low + span * 0.01, span);
            PathElement::new(vec![(x, low), (x, high)], colour.stroke_width(5))
        }))?;
        drawn
            .label(format!("PF {}", factor.name()))
            .legend(move |(x, y)| swatch(x, y, colour));
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// Smallest and largest error at each current.
fn spans(front: Front, factor: Factor, outcomes: &[Outcome]) -> Vec<(f64, f64, f64)> {
    let mut spans: Vec<(f64, f64, f64)> = Vec::new();
    for row in outcomes {
        if row.point.front.id != front.id || row.point.load.factor != factor {
            continue;
        }
        let current = row.point.load.current;
        match spans.last_mut() {
            Some((at, low, high)) if *at == current => {
                (*low, *high) = (low.min(row.total), high.max(row.total));
            }
            _ => spans.push((current, row.total, row.total)),
        }
    }
    spans
}

/// A limit over the current as a line with steps.
fn steps(limit: impl Fn(f64) -> Option<f64>) -> Vec<(f64, f64)> {
    (0..=800)
        .filter_map(|k| {
            let current = 1e-4 * 10_f64.powf(f64::from(k) / 800.0 * 12_000_f64.log10());
            limit(current).map(|percent| (current, percent))
        })
        .collect()
}

fn swatch(x: i32, y: i32, colour: RGBColor) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x, y - 4), (x + 18, y + 4)], colour.filled())
}

fn legend<'a, 'b: 'a, Y: Ranged>(
    chart: &mut Chart<'a, 'b, Y>,
    place: SeriesLabelPosition,
) -> anyhow::Result<()> {
    chart
        .configure_series_labels()
        .position(place)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(180, 180, 180))
        .label_font((FONT, 15))
        .draw()?;
    Ok(())
}

/// Active power: the largest difference of chain and model at each current, for every front end.
fn chain(area: &Area, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption(
            "Active power: integer chain against the f64 model on the same samples",
            (FONT, 22),
        )
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(74)
        .build_cartesian_2d((0.8e-4..1.6).log_scale(), (1e-6..0.1).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("I / Imax")
        .y_desc("largest difference, % of P")
        .label_style((FONT, 15))
        .x_label_formatter(&|x| format!("{x:.0e}"))
        .y_label_formatter(&|y| format!("{y:.0e}"))
        .light_line_style(WHITE)
        .draw()?;
    for (factor, colour) in [
        (Factor::One, BLACK),
        (Factor::HalfInductive, RGBColor(120, 120, 120)),
    ] {
        let line = steps(|current| Some(budget(Load { current, factor }).active));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
            .label(format!("budget, PF {}", factor.name()))
            .legend(move |(x, y)| swatch(x, y, colour));
    }
    let colours = COLOURS
        .into_iter()
        .chain([RGBColor(230, 159, 0), RGBColor(86, 180, 233)]);
    for (front, colour) in front::all().into_iter().zip(colours) {
        let mut worst: Vec<(f64, f64)> = Vec::new();
        for row in outcomes.iter().filter(|row| row.point.front.id == front.id) {
            // A converter that shows nothing but zeros has no error on this scale.
            let (current, error) = (row.point.load.current, row.chain.active.abs());
            if error == 0.0 {
                continue;
            }
            match worst.iter_mut().find(|(at, _)| *at == current) {
                Some((_, most)) => *most = most.max(error),
                None => worst.push((current, error)),
            }
        }
        chart
            .draw_series(LineSeries::new(worst, colour.stroke_width(2)).point_size(3))?
            .label(front.name)
            .legend(move |(x, y)| swatch(x, y, colour));
    }
    legend(&mut chart, SeriesLabelPosition::LowerLeft)
}
