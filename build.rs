//! Tells the crate what only the build knows: its revision and how the module may be linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
