//! What comes over T-Road, as `outside` has what comes by other ways. A test of `troad` reads the files of `corpus/`.

use jiff::Timestamp;
use pki::{Purpose, Revocation, Trust};
use std::sync::LazyLock;
use troad::dialect::Dialect;
use troad::outside;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them; each has a folder in `corpus/` and a file in `fuzz_targets/`.
pub const TARGETS: [Target; 2] = [("road_head", road_head), ("road_stamp", road_stamp)];

static DIALECT: LazyLock<Dialect> = LazyLock::new(Dialect::default);

/// The head of a call: path, identifiers, the road's headers, the signature.
pub fn road_head(bytes: &[u8]) {
    let _ = outside::read_head(&DIALECT, bytes);
}

const ROOT: &str = include_str!("../../crates/exchange/tests/data/certificates/root.pem");

static TRUST: LazyLock<Option<Trust>> = LazyLock::new(|| Trust::read(ROOT, "").ok());

/// A timestamp's answer and the certificate a gateway shows.
pub fn road_stamp(bytes: &[u8]) {
    if let Some(trust) = &*TRUST {
        let _ = outside::read_stamp(bytes, b"what was to be stamped", trust);
        let _ = trust.check(
            &[bytes.into()],
            Purpose::Signing,
            Revocation::default(),
            Timestamp::UNIX_EPOCH,
        );
    }
}
