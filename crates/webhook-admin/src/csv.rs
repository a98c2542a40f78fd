//! Tables as CSV (RFC 4180), for spreadsheets.

/// The most rows of a file: some 3 MB, written within a second.
pub const MAX_CSV_ROWS: usize = 10_000;

/// The characters that begin a formula in a spreadsheet. Names and URLs come from many hands, and a formula
/// could send the table elsewhere.
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A table as text: records of cells, each record ended by CR and LF.
pub struct Csv(String);

impl Csv {
    /// A table with the names of its columns.
    pub fn new(columns: &[&str]) -> Self {
        let mut csv = Self(String::new());
        csv.push(columns);
        csv
    }

    /// Adds a record.
    pub fn push(&mut self, cells: &[impl AsRef<str>]) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            self.push_cell(cell.as_ref());
        }
        self.0.push_str("\r\n");
    }

    /// The text of the file.
    pub fn into_text(self) -> String {
        self.0
    }

    fn push_cell(&mut self, text: &str) {
        let is_quoted = text.contains([',', '"', '\r', '\n']);
        if is_quoted {
            self.0.push('"');
        }
        // An apostrophe makes a spreadsheet take the cell as text.
        if text.starts_with(FORMULA_STARTS) {
            self.0.push('\'');
        }
        self.0.push_str(&text.replace('"', "\"\""));
        if is_quoted {
            self.0.push('"');
        }
    }
}

/// A cell that may be empty.
pub(crate) fn cell(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_quoted_where_needed_and_never_formulas() {
        let mut csv = Csv::new(&["name", "url"]);

        csv.push(&["A, \"B\"", "https://a.example.com/"]);
        csv.push(&["=HYPERLINK(\"x\")", "two\nlines"]);
        csv.push(&["@a", "-1"]);

        assert_eq!(
            csv.into_text(),
            "name,url\r\n\"A, \"\"B\"\"\",https://a.example.com/\r\n\
             \"'=HYPERLINK(\"\"x\"\")\",\"two\nlines\"\r\n'@a,'-1\r\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_cell_or_begins_a_formula(text in ".*") {
            let mut csv = Csv::new(&[]);
            csv.0.clear();
            csv.push_cell(&text);
            let cell = csv.into_text();

            let inside = cell.strip_prefix('"').map_or(cell.as_str(), |rest| {
                rest.strip_suffix('"').expect("a quoted cell ends with a quote")
            });
            prop_assert!(!inside.starts_with(FORMULA_STARTS));
            let is_quoted = inside.len() < cell.len();
            prop_assert!(is_quoted || !inside.contains([',', '\r', '\n', '"']));
            prop_assert_eq!(inside.replace("\"\"", "").contains('"'), false);
        }
    }
}
