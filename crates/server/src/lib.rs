//! Configuration and wiring: the only place where all parts meet.

mod applications;
mod assemble;
mod config;
pub mod demo;
mod dictionary;
mod doctor;
mod interface;
mod libraries;
mod libraries_catalogue;
mod libraries_measure;
mod modules;
mod operations;
mod workbench;

pub use assemble::{Assembled, Parts, assemble};
pub use config::{Config, TEMPLATE};
pub use doctor::examine;
pub use modules::Module;
