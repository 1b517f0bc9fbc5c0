//! The packages the tests use beyond Rust, a C compiler and Node: installed by their Debian and npm names.

use crate::shell::{Done, command, has, is_root, must, root};
use std::path::Path;

/// A Debian package and the file that shows it is there.
const DEBIAN: [(&str, &str); 11] = [
    ("chromium", "/usr/bin/chromium"),
    ("libxml2-utils", "/usr/bin/xmllint"),
    ("postgresql", "/usr/lib/postgresql"),
    (
        "fonts-noto-cjk",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    ),
    ("tesseract-ocr", "/usr/bin/tesseract"),
    (
        "tesseract-ocr-chi-tra",
        "/usr/share/tesseract-ocr/5/tessdata/chi_tra.traineddata",
    ),
    ("poppler-utils", "/usr/bin/pdfinfo"),
    ("libreoffice-writer-nogui", "/usr/bin/soffice"),
    ("libssl-dev", "/usr/include/openssl/ssl.h"),
    ("openssl", "/usr/bin/openssl"),
    ("python3", "/usr/bin/python3"),
];

/// Folders with npm packages.
const NPM: [&str; 2] = ["tests", "tests/peers/oidc-provider"];

fn missing() -> Vec<&'static str> {
    DEBIAN
        .iter()
        .filter(|(_, shows)| !Path::new(shows).exists())
        .map(|(name, _)| *name)
        .collect()
}

/// Prints what [`install`] would do.
pub fn print() -> Done {
    let packages = missing();
    if !packages.is_empty() {
        println!(
            "apt-get update && apt-get install --yes --no-install-recommends {}",
            packages.join(" ")
        );
    }
    for folder in NPM {
        println!("npm ci --prefix {folder}");
    }
    Ok(())
}

/// Installs what is missing. Where it may not, it says exactly what to run instead.
pub fn install() -> Done {
    let packages = missing();
    if !packages.is_empty() {
        if !is_root() || !has("apt-get") {
            return Err(format!(
                "these Debian packages are missing: {}\nrun as an administrator: \
                 apt-get update && apt-get install --yes --no-install-recommends {}",
                packages.join(", "),
                packages.join(" ")
            ));
        }
        must(command("apt-get", &["update", "-qq"]))?;
        let mut args = vec!["install", "--yes", "-qq", "--no-install-recommends"];
        args.extend(&packages);
        let mut apt = command("apt-get", &args);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        must(apt)?;
    }
    for folder in NPM {
        if !is_fresh(folder) {
            let args = ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"];
            must(command("npm", &args))
                .map_err(|error| format!("{error}\nrun where npm packages can be had: npm ci --prefix {folder}"))?;
        }
    }
    Ok(())
}

/// Whether npm's packages were put there after their list was last changed, so that a second run needs no network.
fn is_fresh(folder: &str) -> bool {
    let changed = |name: &str| std::fs::metadata(root().join(folder).join(name)).and_then(|file| file.modified());
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Ok(installed), Ok(listed)) => installed >= listed,
        _ => false,
    }
}
