//! How much a file may hold.

/// Bounds of one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the file; of an XLSX file they are held in memory.
    pub file_bytes: u64,
    /// Bytes that an XLSX file may unpack to.
    pub unpacked_bytes: u64,
    /// Bytes of the texts that the cells of an XLSX file share; they are held in memory.
    pub shared_bytes: u64,
    /// Rows of data.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Letters of one cell.
    pub cell_letters: usize,
}

impl Bounds {
    /// A file that is read whole.
    pub const WHOLE: Self = Self {
        file_bytes: 16 << 20,
        unpacked_bytes: 256 << 20,
        shared_bytes: 128 << 20,
        rows: 100_000,
        columns: 200,
        cell_letters: 4_000,
    };
    /// An XLSX file that is read row by row.
    pub const LARGE_XLSX: Self = Self {
        file_bytes: 64 << 20,
        unpacked_bytes: 2 << 30,
        shared_bytes: 160 << 20,
        rows: 1_000_000,
        ..Self::WHOLE
    };
    /// A CSV file that is read row by row as it comes.
    pub const LARGE_CSV: Self = Self { file_bytes: 1 << 30, ..Self::LARGE_XLSX };
}
