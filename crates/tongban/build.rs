//! Builds the program again when a file that is compiled in changes: the macro that reads them does not say so to cargo.

fn main() {
    for path in ["../../services", "../../datasets", "../../calendars"] {
        println!("cargo::rerun-if-changed={path}");
    }
}
