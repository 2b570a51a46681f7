//! 重要产品管理 (G-6.3, D-7.2): the catalogue of product classes, and the register of products that
//! are traced.

mod attributes;
mod catalogue;
mod catalogue_code;
mod catalogue_http;
mod catalogue_scope;
mod catalogue_view;
mod code_batch;
mod code_export;
mod code_http;
mod code_lookup;
mod code_owner;
mod code_rule;
mod code_span;
mod edition;
mod label_http;
mod label_template;
mod lookup;
mod national;
mod packaging;
mod product;
mod resolver_link;
mod resolver_upstream;
mod state;
mod state_http;

pub use catalogue::CatalogueClass;
pub use catalogue_code::CatalogueCode;
pub use code_batch::CodeBatch;
pub use code_http::{activate_codes, code_file};
pub use code_lookup::{MintedCode, Sought, are_minted, count_code_scan, is_registered, minted};
pub use code_owner::{MadeFor, mark_void, query_owners, read_owners};
pub use code_rule::CodeRule;
pub use code_span::CodeState;
pub use label_template::LabelTemplate;
pub use lookup::{
    ProductBrief, by_codes, by_gtin, by_gtins, by_ids, has_any, products_of_class,
    query_attributes, query_by_codes, read_attributes, read_by_codes,
};
pub use national::seed_catalogue;
pub use packaging::PackLevel;
pub use product::Product;
pub use resolver_link::{LINK_TYPES, PublicLink, ResolverLink, public_links};
pub use resolver_upstream::{ResolverUpstream, host, upstream_of};
pub use state::{ProductState, ProductVerb, RecallLevel};

use yj_kernel::{CodeList, Entity, Migration, Route, record_routes};
use yj_model::CLASS_LIST;

/// The register of products.
pub static PRODUCT: &Entity = Entity::of::<Product>();

/// The register of product classes.
pub static CATALOGUE: &Entity = Entity::of::<CatalogueClass>();

/// The register of prefixes.
pub static CODE_RULE: &Entity = Entity::of::<CodeRule>();

/// The register of batches of codes.
pub static CODE_BATCH: &Entity = Entity::of::<CodeBatch>();

/// The register of links that identifiers lead to.
pub static RESOLVER_LINK: &Entity = Entity::of::<ResolverLink>();

/// The register of resolvers further up.
pub static RESOLVER_UPSTREAM: &Entity = Entity::of::<ResolverUpstream>();

/// The register of shapes of labels.
pub static LABEL_TEMPLATE: &Entity = Entity::of::<LabelTemplate>();

/// Every class of the published catalogue at every level, and what is in none.
pub const CLASSES: CodeList =
    CodeList { name: CLASS_LIST, read: |app, tx| Box::pin(edition::codes(tx, app.today())) };

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "product/0001_product",
        script: include_str!("../migrations/0001_product.sql"),
    },
    Migration { name: "product/0002_label", script: include_str!("../migrations/0002_label.sql") },
    Migration {
        name: "product/0003_catalogue",
        script: include_str!("../migrations/0003_catalogue.sql"),
    },
    Migration {
        name: "product/0004_elements",
        script: include_str!("../migrations/0004_elements.sql"),
    },
    Migration {
        name: "product/0010_search",
        script: include_str!("../migrations/0010_search.sql"),
    },
    Migration {
        name: "product/0011_attributes",
        script: include_str!("../migrations/0011_attributes.sql"),
    },
    Migration { name: "product/0012_code", script: include_str!("../migrations/0012_code.sql") },
    Migration {
        name: "product/0013_resolver",
        script: include_str!("../migrations/0013_resolver.sql"),
    },
    Migration { name: "product/0014_label", script: include_str!("../migrations/0014_label.sql") },
];

/// The routes of this crate.
pub fn routes() -> Vec<Route> {
    let mut routes = record_routes(PRODUCT);
    routes.extend(state_http::routes());
    routes.extend(catalogue_http::routes());
    routes.extend(record_routes(CODE_RULE));
    routes.extend(record_routes(CODE_BATCH));
    routes.extend(code_http::routes());
    routes.extend(record_routes(RESOLVER_LINK));
    routes.extend(record_routes(RESOLVER_UPSTREAM));
    routes.extend(record_routes(LABEL_TEMPLATE));
    routes.extend(label_http::routes());
    routes
}
