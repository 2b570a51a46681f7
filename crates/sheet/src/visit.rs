//! Rows one after the other: a header, then as many cells in every row as the header has names.

use crate::{Bounds, Row, SheetError, column_name, read::refuse};

/// Takes what a file holds, in its order.
pub trait Visit {
    /// A sheet begins. Whether it is read; the others are passed over.
    fn sheet(&mut self, name: &str) -> bool;

    /// Its header.
    ///
    /// # Errors
    /// Ends the reading.
    fn header(&mut self, names: &[String]) -> Result<(), SheetError>;

    /// Its next row that holds anything.
    ///
    /// # Errors
    /// Ends the reading.
    fn row(&mut self, row: Row) -> Result<(), SheetError>;
}

/// Gives the rows of one sheet their shape.
pub(crate) struct Shaper<'v, V: ?Sized> {
    visit: &'v mut V,
    bounds: Bounds,
    /// Columns of the header; none before it.
    width: Option<usize>,
    rows: usize,
}

impl<'v, V: Visit + ?Sized> Shaper<'v, V> {
    /// `rows` of other sheets were read before.
    pub(crate) fn new(visit: &'v mut V, bounds: Bounds, rows: usize) -> Self {
        Self { visit, bounds, width: None, rows }
    }

    pub(crate) fn push(&mut self, number: usize, mut cells: Vec<String>) -> Result<(), SheetError> {
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        let Some(width) = self.width else {
            let names = header(cells)?;
            self.width = Some(names.len());
            return self.visit.header(&names);
        };
        self.rows += 1;
        if self.rows > self.bounds.rows {
            return refuse(format!("数据超过 {} 行，请拆分后分批导入", self.bounds.rows));
        }
        if let Some(at) = (width..cells.len()).find(|&at| !cells[at].is_empty()) {
            return refuse(format!("第 {number} 行 {} 列有内容但没有列名", column_name(at)));
        }
        let longest = self.bounds.cell_letters;
        let long = |cell: &String| cell.len() > longest && cell.chars().count() > longest;
        if let Some(at) = cells.iter().position(long) {
            return refuse(format!("第 {number} 行 {} 列超过 {longest} 个字", column_name(at)));
        }
        cells.resize(width, String::new());
        self.visit.row(Row { number, cells })
    }

    /// How many rows there were, and whether there was a header.
    pub(crate) fn end(self) -> (usize, bool) {
        (self.rows, self.width.is_some())
    }
}

fn header(mut names: Vec<String>) -> Result<Vec<String>, SheetError> {
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return refuse(format!("{} 列没有列名", column_name(at)));
        }
        if names[..at].contains(name) {
            return refuse(format!("列名“{name}”重复"));
        }
    }
    Ok(names)
}
