//! 重要产品管理 (G-6.3, D-7.2): the register of products that are traced.

mod lookup;
mod product;

pub use lookup::{ProductBrief, by_codes, by_gtin, by_ids, query_by_codes, read_by_codes};
pub use product::Product;

use yj_kernel::{Entity, Migration, Route, record_routes};

/// The register of products.
pub static PRODUCT: &Entity = Entity::of::<Product>();

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "product/0001_product",
        script: include_str!("../migrations/0001_product.sql"),
    },
    Migration { name: "product/0002_label", script: include_str!("../migrations/0002_label.sql") },
    Migration {
        name: "product/0010_search",
        script: include_str!("../migrations/0010_search.sql"),
    },
];

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    record_routes(PRODUCT)
}
