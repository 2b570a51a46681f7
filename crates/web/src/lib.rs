//! 交互层 (§5.6): the public pages, whole without scripts, and the embedded console.

mod console;
mod files;
mod story;

pub use console::console;
pub use story::routes;
