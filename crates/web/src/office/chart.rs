//! A bar chart as SVG, drawn on the server; the table beside it says the same in words.

use std::fmt::Write as _;

const WIDTH: usize = 720;
const HEIGHT: usize = 220;
const FLOOR: usize = 180;
const TOP: usize = 24;

/// Escapes text for SVG.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Bars with their numbers above and their names below. Empty without bars.
pub(super) fn bars(title: &str, values: &[(String, i64)]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let most = usize::try_from(values.iter().map(|(_, n)| *n).max().unwrap_or(0))
        .unwrap_or(0)
        .max(1);
    let slot = WIDTH / values.len();
    let bar = (slot * 2 / 3).clamp(1, 64);
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\"><line class=\"chart__floor\" x1=\"0\" y1=\"{FLOOR}\" x2=\"{WIDTH}\" y2=\"{FLOOR}\"/>",
        plain(title)
    );
    for (place, (name, n)) in values.iter().enumerate() {
        let value = usize::try_from(*n).unwrap_or(0);
        let height = value * (FLOOR - TOP) / most;
        let (left, middle, top) = (place * slot + (slot - bar) / 2, place * slot + slot / 2, FLOOR - height);
        // writing to a string can't fail
        let _ = write!(
            svg,
            "<rect class=\"chart__bar\" x=\"{left}\" y=\"{top}\" width=\"{bar}\" height=\"{height}\"/><text class=\"chart__number\" x=\"{middle}\" y=\"{}\">{value}</text><text class=\"chart__name\" x=\"{middle}\" y=\"{}\">{}</text>",
            top - 6,
            FLOOR + 20,
            plain(name)
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_height_and_names_are_escaped() {
        let svg = bars(
            "a & b",
            &[("1".to_owned(), 5), ("<2>".to_owned(), 10), ("3".to_owned(), 0)],
        );
        assert!(svg.contains("aria-label=\"a &amp; b\""));
        assert!(
            svg.contains("height=\"156\"/><text class=\"chart__number\" x=\"360\" y=\"18\">10<"),
            "{svg}"
        );
        assert!(
            svg.contains("height=\"78\"/>") && svg.contains("height=\"0\"/>"),
            "{svg}"
        );
        assert!(svg.contains("&lt;2&gt;") && !svg.contains("<2>"));
    }

    #[test]
    fn nothing_is_drawn_of_nothing_or_of_zeros_only() {
        assert_eq!(bars("a", &[]), "");
        assert!(bars("a", &[("1".to_owned(), 0)]).contains("height=\"0\"/>"));
    }
}
