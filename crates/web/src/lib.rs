//! 交互层 (§5.6): the public pages, whole without scripts, and the embedded console.

mod accept;
mod certificate;
mod class;
mod console;
mod embed;
mod field;
mod files;

mod frame;
mod nowhere;
mod resolver;
mod resolver_find;
mod resolver_links;
mod resolver_pace;
mod resolver_upstream;
mod story;
mod telling;
mod told;
mod typed;
mod verify;

pub use console::console;
pub use embed::Embedders;
pub use field::field;
pub use nowhere::nowhere;
pub use story::routes;
