//! Configuration and wiring: the only place where all parts meet.

pub mod anchoring;
mod applications;
mod assemble;
mod config;
pub mod demo;
mod devices;
mod dictionary;
mod doctor;
mod interface;
mod ledger_compare;
mod ledger_export;
mod ledger_publish;
mod libraries;
mod libraries_catalogue;
mod libraries_export;
mod libraries_measure;
mod modules;
mod operations;
pub mod simulate;
mod workbench;

pub use assemble::{Assembled, Parts, assemble};
pub use config::{Config, DevicesConfig, TEMPLATE};
pub use devices::{Devices, listen_to_devices};
pub use doctor::examine;
pub use ledger_export::{Exported, export_ledger};
pub use ledger_publish::publish_from;
pub use modules::Module;
pub use yj_web::Embedders;
