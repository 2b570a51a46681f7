//! Black-box tests of the whole, in `tests/http`; this library is empty.
