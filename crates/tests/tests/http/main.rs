//! Through HTTP, as clients do, on SQLite and (with `YJ_TEST_POSTGRES`) on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(unreachable_pub, reason = "modules of one program")]

mod handing;
mod harness;
mod houses;

mod access;
mod applications;
mod arrivals;
mod audit;
mod capturing;
mod catalogue;
mod certificate;
mod chain;
mod changes;
mod clients;
mod code_lists;
mod devices;
mod dictionary;
mod domains;
mod doors;
mod eight;
mod epcis;
mod epcis_jobs;
mod epcis_query;
mod epcis_subscription;
mod evidence;
mod exports;
mod factors;
mod faults;
mod identity;
mod import;
mod libraries;
mod map_packs;
mod matches;
mod modules;
mod nodes;
mod packs;
mod products;
mod protection;
mod registers;
mod routes;
mod searching;
mod separation;
mod sso;
mod subjects;
mod surveillance;
