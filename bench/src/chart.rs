//! The charts of the page, as plain SVG that reads on light and dark ground.

use crate::report::number;
use crate::row::{Curve, Outcome};

const WIDTH: f64 = 860.0;
const LABEL: f64 = 430.0;
const ROW: f64 = 24.0;
/// The least and the greatest share of a bar that is drawn.
const SHARES: (f64, f64) = (0.01, 4.0);
const COLOURS: [&str; 4] = ["#3b7dd8", "#d9822b", "#2e9e6b", "#9159c4"];

/// How much of each bar is used, on a scale of powers: left of the line it holds.
pub fn bars(outcomes: &[Outcome]) -> String {
    let height = ROW * (outcomes.len() as f64 + 2.0);
    let place = |share: f64| {
        let (low, high) = (SHARES.0.ln(), SHARES.1.ln());
        LABEL + (share.clamp(SHARES.0, SHARES.1).ln() - low) / (high - low) * (WIDTH - LABEL - 80.0)
    };
    let mut svg = open(height);
    let limit = place(1.0);
    svg.push_str(&text(limit, 14.0, "middle", "the bar"));
    for (n, outcome) in outcomes.iter().enumerate() {
        let y = ROW * (n as f64 + 1.0);
        svg.push_str(&text(LABEL - 8.0, y + 15.0, "end", &shortened(&outcome.what)));
        let measured = outcome.product.count() > 0;
        let (end, says) = match measured {
            true => (place(outcome.share()), format!("{} % of the bar", number(outcome.share() * 100.0))),
            false => (LABEL, "not measured".to_owned()),
        };
        let colour = if outcome.holds() { COLOURS[2] } else { "#c8453b" };
        let width = (end - LABEL).max(0.0);
        svg.push_str(&format!(
            "<rect x='{LABEL}' y='{}' width='{width:.1}' height='16' rx='2' fill='{colour}'/>\n",
            y + 3.0
        ));
        // Beside the bar, and beside the line where the bar ends before it.
        svg.push_str(&text(end + 5.0, y + 15.0, "start", &says));
    }
    svg.push_str(&format!(
        "<line x1='{limit:.1}' x2='{limit:.1}' y1='20' y2='{:.1}' stroke='#888' stroke-dasharray='4 3'/>\n</svg>\n",
        height - 16.0
    ));
    svg
}

/// Each curve in a frame of its own, both axes on a scale of powers.
pub fn curves(curves: &[Curve]) -> String {
    const FRAME: (f64, f64) = (400.0, 230.0);
    let rows = curves.len().div_ceil(2) as f64;
    let mut svg = open(FRAME.1 * rows);
    for (n, curve) in curves.iter().enumerate() {
        let (left, top) = ((n % 2) as f64 * (FRAME.0 + 30.0) + 50.0, (n / 2) as f64 * FRAME.1 + 40.0);
        svg.push_str(&frame(curve, left, top, FRAME.0 - 70.0, FRAME.1 - 90.0));
    }
    svg.push_str("</svg>\n");
    svg
}

fn frame(curve: &Curve, left: f64, top: f64, width: f64, height: f64) -> String {
    let points = || curve.lines.iter().flat_map(|(_, points)| points.iter().copied());
    let bounds = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min).max(1e-3);
        let high = values.iter().copied().fold(low * 1.5, f64::max);
        (low / 1.3, high * 1.3)
    };
    let (xs, ys) = (bounds(points().map(|(x, _)| x).collect()), bounds(points().map(|(_, y)| y).collect()));
    let scale = |value: f64, (low, high): (f64, f64)| (value.max(1e-3) / low).ln() / (high / low).ln();
    let at = |(x, y): (f64, f64)| (left + scale(x, xs) * width, top + (1.0 - scale(y, ys)) * height);
    let mut svg = text(left, top - 12.0, "start", &format!("{} ({})", curve.title, curve.unit));
    svg.push_str(&format!(
        "<rect x='{left}' y='{top}' width='{width}' height='{height}' fill='none' stroke='#888' stroke-opacity='.5'/>\n"
    ));
    for ((name, line), colour) in curve.lines.iter().zip(COLOURS) {
        let path: Vec<_> =
            line.iter().map(|point| at(*point)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        svg.push_str(&format!(
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>\n",
            path.join(" ")
        ));
        for point in line {
            let (x, y) = at(*point);
            svg.push_str(&format!("<circle cx='{x:.1}' cy='{y:.1}' r='3' fill='{colour}'/>\n"));
            svg.push_str(&text(x, y - 6.0, "middle", &number(point.1)));
        }
        if let Some(last) = line.last() {
            let (x, y) = at(*last);
            svg.push_str(&text(x - 6.0, y + 14.0, "end", name));
        }
    }
    let mut known: Vec<f64> = points().map(|(x, _)| x).collect();
    known.sort_by(f64::total_cmp);
    known.dedup();
    for x in known {
        svg.push_str(&text(at((x, ys.0)).0, top + height + 15.0, "middle", &number(x)));
    }
    svg.push_str(&text(left + width / 2.0, top + height + 30.0, "middle", curve.of));
    svg
}

fn open(height: f64) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' font-family='sans-serif' font-size='11'>\n\
         <style>text {{ fill: #333 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ccc }} }}</style>\n"
    )
}

fn text(x: f64, y: f64, anchor: &str, what: &str) -> String {
    let what = what.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text x='{x:.1}' y='{y:.1}' text-anchor='{anchor}'>{what}</text>\n")
}

fn shortened(text: &str) -> String {
    const MOST: usize = 72;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Samples;
    use crate::row::Bar;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_text_is_escaped() {
        let outcome = |value| Outcome::alone("x", "a < b", Bar::AtMost(10.0), "ms", Samples::of([value]));
        let svg = bars(&[outcome(5.0), outcome(20.0)]);
        assert!(svg.contains("50.0 % of the bar") && svg.contains("200 % of the bar"), "{svg}");
        assert!(svg.contains("a &lt; b"));
        assert_eq!(svg.matches("#c8453b").count(), 1, "one of the two falls short");
    }

    #[test]
    fn a_curve_has_its_points() {
        let lines = vec![("one", vec![(200.0, 7.0), (80_000.0, 14.0)])];
        let svg = curves(&[Curve { title: "Growth", of: "files", unit: "ms", lines }]);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
