//! Builds the pages again when a template, a text or an asset changes: the macros that read them don't say so to cargo.

fn main() {
    for path in ["templates", "assets", "../../locales"] {
        println!("cargo::rerun-if-changed={path}");
    }
}
