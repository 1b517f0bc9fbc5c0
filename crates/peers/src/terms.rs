//! What the outside world keeps to: its clock, and how long the MyData platform lets a city wait.

use civic::{Clock, SystemClock};
use std::sync::Arc;

/// The terms of the peers. The default is what the real ones keep to.
#[derive(Clone)]
pub struct Terms {
    /// Tells the time by which codes, tickets and the citizen's pages end.
    pub clock: Arc<dyn Clock>,
    /// Seconds after an agency's data should be there before MyData gives the package out; only for data sets that are not
    /// immediate.
    pub settle_seconds: u64,
    /// Least seconds of MyData's `Retry-After`; what is left of the wait is added.
    pub retry_seconds: u64,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            clock: Arc::new(SystemClock),
            settle_seconds: 65,
            retry_seconds: 10,
        }
    }
}

impl Terms {
    /// Shorter waits than MyData's own, for a demonstration that somebody watches.
    #[must_use]
    pub fn brief() -> Terms {
        Terms {
            settle_seconds: 0,
            retry_seconds: 1,
            ..Terms::default()
        }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }
}
