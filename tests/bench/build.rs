//! The migrations are compiled into the program: a new file must compile it anew.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
