//! The curves as a picture: `docs/growth.svg`.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::curve::{Compared, Curve, Point};
use crate::Failure;

/// A panel for registrations and one for look-ups, beside each other, for each store.
const PANEL: (u32, u32) = (620, 400);
/// The height of the line above them.
const LEGEND: u32 = 50;

const INK: RGBColor = RGBColor(36, 41, 47);
const FAINT: RGBColor = RGBColor(225, 228, 232);
const FULL: RGBColor = RGBColor(9, 105, 218);
const FULL_P50: RGBColor = RGBColor(120, 180, 240);
const EMPTY: RGBColor = RGBColor(110, 119, 129);
const LIMIT: RGBColor = RGBColor(207, 34, 46);

/// The lines of a panel, the first drawn first: what each is, and how it looks.
const LINES: [(&str, RGBColor, u32); 4] = [
    ("p99", FULL, 4),
    ("p50", FULL_P50, 3),
    ("p99 of an empty store, at the same time", EMPTY, 2),
    ("twice that", LIMIT, 2),
];

const FONT: &str = "Helvetica, Arial, sans-serif";

type Area<'a, 'b> = DrawingArea<SVGBackend<'a>, Shift>;

/// The picture of all stores that have a curve.
pub(super) fn picture(curves: &[Curve]) -> Result<String, Failure> {
    let curves: Vec<_> = curves.iter().filter(|curve| range(curve).is_some()).collect();
    let mut svg = String::new();
    let rows = u32::try_from(curves.len())?;
    {
        let root =
            SVGBackend::with_string(&mut svg, (2 * PANEL.0, rows.max(1) * PANEL.1)).into_drawing_area();
        // White on dark pages, too, where the ink would not be seen.
        root.fill(&WHITE)?;
        let (above, below) = root.split_vertically(LEGEND);
        legend(&above)?;
        for (curve, panels) in curves.iter().zip(below.split_evenly((curves.len().max(1), 1))) {
            let halves = panels.split_evenly((1, 2));
            panel(&halves[0], curve, "registration", |point| point.registration)?;
            panel(&halves[1], curve, "look-up (GET)", |point| point.look_up)?;
        }
        root.present()?;
    }
    Ok(svg)
}

fn panel(area: &Area<'_, '_>, curve: &Curve, what: &str, of: fn(&Point) -> Compared) -> Result<(), Failure> {
    let Some(clients) = range(curve) else { return Ok(()) };
    let line = |figure: fn(Compared) -> f64| -> Vec<(f64, f64)> {
        drawn(curve).map(|point| (count(point.clients), figure(of(point)))).collect()
    };
    let limit = line(|seen| 2.0 * seen.empty_p99);
    let full = line(|seen| seen.p99);
    let highest = limit.iter().chain(&full).map(|(_, p99)| *p99).fold(0.0, f64::max);
    let text = |size: u32| (FONT, size).into_font().color(&INK);
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}, {what}", curve.store), text(23))
        .margin(10)
        .margin_right(34)
        .x_label_area_size(56)
        .y_label_area_size(74)
        .build_cartesian_2d(clients.log_scale(), 0.0..highest * 1.12)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(text(18))
        .axis_desc_style(text(18))
        .x_desc("registered clients")
        .y_desc("ms")
        .x_label_formatter(&|clients| short(*clients))
        .y_label_formatter(&|figure| format!("{}", (figure * 100.0).round() / 100.0))
        .x_labels(5)
        .y_labels(6)
        .draw()?;
    for (points, (_, color, width)) in
        [full.clone(), line(|seen| seen.p50), line(|seen| seen.empty_p99), limit].into_iter().zip(LINES)
    {
        chart.draw_series(LineSeries::new(points, color.stroke_width(width)))?;
    }
    chart.draw_series(full.into_iter().map(|point| Circle::new(point, 5, FULL.filled())))?;
    Ok(())
}

/// What the lines of all panels mean.
fn legend(area: &Area<'_, '_>) -> Result<(), Failure> {
    let mut left = 84;
    for (label, color, width) in LINES {
        let middle = i32::try_from(LEGEND / 2)?;
        area.draw(&PathElement::new([(left, middle), (left + 34, middle)], color.stroke_width(width)))?;
        let text = (FONT, 18).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(label, (left + 44, middle), text))?;
        // Wide enough for any of the fonts.
        left += 44 + 8 * i32::try_from(label.len())? + 30;
    }
    Ok(())
}

/// From the smallest to the largest size that a logarithmic axis has room for.
fn range(curve: &Curve) -> Option<Range<f64>> {
    let first = drawn(curve).next()?.clients;
    let last = drawn(curve).next_back()?.clients;
    (first < last).then(|| count(first)..count(last))
}

/// Nought is nowhere on a logarithmic axis.
fn drawn(curve: &Curve) -> impl DoubleEndedIterator<Item = &Point> {
    curve.points.iter().filter(|point| point.clients > 0)
}

#[allow(clippy::cast_precision_loss)] // Counts below 2^52.
fn count(clients: u64) -> f64 {
    clients as f64
}

/// A count as an axis says it.
fn short(clients: f64) -> String {
    match clients {
        large if large >= 1e6 => format!("{} M", large / 1e6),
        some if some >= 1e3 => format!("{} k", some / 1e3),
        few => few.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(clients: &[u64]) -> Curve {
        let compared =
            Compared { p50: 0.5, p99: 1.5, empty_p50: 0.5, empty_p99: 1.0, ratio: 1.5, kept_up: 1.0 };
        let point = |clients: &u64| Point {
            clients: *clients,
            registration: compared,
            look_up: compared,
            ..Point::default()
        };
        Curve { store: "SQLite".to_owned(), points: clients.iter().map(point).collect(), ..Curve::default() }
    }

    #[test]
    fn a_picture_names_each_store_and_its_sizes() {
        let svg = picture(&[curve(&[0, 10_000, 1_000_000])]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["SQLite, registration", "SQLite, look-up (GET)", "10 k", "1 M"] {
            assert!(svg.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn a_store_with_one_size_has_no_curve() {
        assert!(!picture(&[curve(&[0, 10_000]), Curve::default()]).unwrap().contains("SQLite"));
    }

    #[test]
    fn counts_are_short() {
        assert_eq!([300.0, 30_000.0, 3e6].map(short), ["300", "30 k", "3 M"]);
    }
}
