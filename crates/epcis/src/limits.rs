//! How much a document may ask of us.

/// Bounds of one reading; whoever serves strangers may lower them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub document_bytes_max: u64,
    /// Bytes of one event.
    pub event_bytes_max: usize,
    /// Bytes of everything that is not an event: context, header, master data.
    pub header_bytes_max: usize,
    /// Events of one document.
    pub events_max: u64,
    /// Objects and lists inside each other, counted from an event or from the document.
    pub depth_max: usize,
    /// Faults told at once; further ones are left out.
    pub faults_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes_max: 256 << 20,
            event_bytes_max: 1 << 20,
            header_bytes_max: 8 << 20,
            events_max: 1_000_000,
            depth_max: 64,
            faults_max: 100,
        }
    }
}
