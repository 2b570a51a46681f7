//! The few verbs of the workshop: run, test, tidy.

fn main() {}
