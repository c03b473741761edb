//! Columns. Widths count what a terminal shows, not bytes and not colours.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Rows of cells; the last column may be cut to fit the terminal.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    width: Option<usize>,
}

/// Spaces between columns.
const GAP: usize = 2;
/// The last column is never cut to less.
const LAST_MIN: usize = 12;

impl Table {
    /// A table with these headings, for a terminal with so many columns (none: as wide as it wants).
    pub(crate) fn new(headings: &[&str], width: Option<usize>) -> Self {
        let headings = headings.iter().map(super::style::faint).collect();
        Self { rows: vec![headings], width }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table, with a line break after each row.
    pub(crate) fn show(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width_of =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|c| width(c)).max();
        let widths: Vec<usize> = (0..columns).map(|column| width_of(column).unwrap_or(0)).collect();
        let before: usize = widths.iter().take(columns.saturating_sub(1)).map(|width| width + GAP).sum();
        let last = self.width.map(|width| width.saturating_sub(before).max(LAST_MIN));
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                if column + 1 == columns {
                    line.push_str(&last.map_or_else(|| cell.clone(), |last| cut(cell, last)));
                    continue;
                }
                line.push_str(cell);
                let pad = widths.get(column).copied().unwrap_or(0) + GAP - width(cell);
                line.extend(std::iter::repeat_n(' ', pad));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// How many columns a text takes; colours take none.
pub(crate) fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(UnicodeWidthStr::width).sum()
}

/// A text that takes at most so many columns. A coloured text that is too long loses its colours.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let plain = anstream::adapter::strip_str(text).to_string();
    let mut taken = 0;
    let mut out = String::new();
    for c in plain.chars() {
        taken += c.width().unwrap_or(0);
        if taken >= columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_they_hold() {
        let mut table = Table::new(&["A", "B"], None);
        table.row(vec![crate::render::style::good("ok"), "x".into()]);
        table.row(vec!["日本".into(), "y".into()]);
        let plain = anstream::adapter::strip_str(&table.show()).to_string();
        assert_eq!(plain, "A     B\nok    x\n日本  y\n");
    }

    #[test]
    fn the_last_column_is_cut_to_the_terminal() {
        let mut table = Table::new(&["A", "TITLE"], Some(20));
        table.row(vec!["t1".into(), "a very long title indeed".into()]);
        let plain = anstream::adapter::strip_str(&table.show()).to_string();
        assert_eq!(plain, "A   TITLE\nt1  a very long tit…\n");
    }
}
