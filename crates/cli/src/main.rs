//! The `divisi` program.
fn main() {}
