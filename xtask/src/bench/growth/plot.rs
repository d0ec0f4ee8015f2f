//! The curves as a picture: `docs/growth.svg`.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::curve::{Compared, Curve, Point};
use crate::Failure;

/// A panel for registrations and one for look-ups, beside each other, for each store.
const PANEL: (u32, u32) = (620, 400);

const INK: RGBColor = RGBColor(36, 41, 47);
const FAINT: RGBColor = RGBColor(225, 228, 232);
const FULL: RGBColor = RGBColor(9, 105, 218);
const FULL_P50: RGBColor = RGBColor(120, 180, 240);
const EMPTY: RGBColor = RGBColor(110, 119, 129);
const LIMIT: RGBColor = RGBColor(207, 34, 46);

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
        for (curve, panels) in curves.iter().zip(root.split_evenly((curves.len().max(1), 1))) {
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
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}, {what}", curve.store), (FONT, 21).into_font().color(&INK))
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(62)
        .build_cartesian_2d(clients.log_scale(), 0.0..highest * 1.45)?;
    let text = |size: u32| (FONT, size).into_font().color(&INK);
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(text(15))
        .axis_desc_style(text(16))
        .x_desc("registered clients")
        .y_desc("ms")
        .x_label_formatter(&|clients| short(*clients))
        .y_label_formatter(&|figure| format!("{figure:.1}"))
        .y_labels(6)
        .draw()?;
    for (label, points, color, width) in [
        ("twice the p99 of an empty store", limit, LIMIT, 2),
        ("p99 of an empty store, at the same time", line(|seen| seen.empty_p99), EMPTY, 2),
        ("p99", full.clone(), FULL, 3),
        ("p50", line(|seen| seen.p50), FULL_P50, 2),
    ] {
        let style = color.stroke_width(width);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    }
    chart.draw_series(full.into_iter().map(|point| Circle::new(point, 4, FULL.filled())))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .label_font(text(15))
        .draw()?;
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
