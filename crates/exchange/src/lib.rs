//! 与其他系统的交换 (G-8, G-5.4.4): what enterprises already speak goes in and comes out again.
//!
//! EPCIS 2.0 (ISO/IEC 19987) is the first of these languages: see [`epcis`].

pub mod epcis;

use yj_kernel::Migration;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "exchange/0001_epcis", script: include_str!("../migrations/0001_epcis.sql") },
    Migration { name: "exchange/0002_names", script: include_str!("../migrations/0002_names.sql") },
    Migration {
        name: "exchange/0003_digest",
        script: include_str!("../migrations/0003_digest.sql"),
    },
    Migration {
        name: "exchange/0003_erased",
        script: include_str!("../migrations/0003_erased.sql"),
    },
    Migration {
        name: "exchange/0004_spelling",
        script: include_str!("../migrations/0004_spelling.sql"),
    },
    Migration { name: "exchange/0005_terms", script: include_str!("../migrations/0005_terms.sql") },
    Migration {
        name: "exchange/0006_content",
        script: include_str!("../migrations/0006_content.sql"),
    },
    Migration { name: "exchange/0007_late", script: include_str!("../migrations/0007_late.sql") },
];
