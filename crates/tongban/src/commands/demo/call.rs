//! The demonstration's call for plans: the ministry's programme, with an announcement that keeps it open.
//!
//! The real call closed on 31 May 2024. So that plans can be written and sent in the demonstration, its folder of programmes holds
//! one more announcement; everything else is what was compiled in.

use std::io;
use std::path::{Path, PathBuf};

use civic::legal_time;
use jiff::civil::time;
use jiff::{Timestamp, ToSpan as _};

use crate::bundled;

/// The programme whose call is open.
const PROGRAMME: &str = "moda-114";
/// Days the call stays open from the first start of the demonstration on.
const DAYS: i32 = 30;

/// The demonstration's folder of programmes, made at the first start.
///
/// # Errors
/// When the folder can't be written.
pub(super) fn open(data: &Path) -> io::Result<PathBuf> {
    let folder = data.join("programmes");
    if folder.join(PROGRAMME).join("announcements.toml").exists() {
        return Ok(folder);
    }
    bundled::unpack_programmes(data)?;
    let published = legal_time(Timestamp::now());
    let closes = published
        .date()
        .saturating_add(DAYS.days())
        .to_datetime(time(17, 0, 0, 0));
    let text = format!(
        "# Made by the demonstration: the real call closed on 31 May 2024.\n\n[[announcement]]\nnumber = \"示範公告第1號\"\n\
         published = \"{}\"\nreason = {{ zh-TW = \"示範城市延長受理，讓您可以試用。\", en = \"The demonstration takes plans for longer, so that it can be tried.\" }}\n\
         move = [{{ clock = \"call\", until = \"{}\" }}]\n",
        published.strftime("%Y-%m-%dT%H:%M"),
        closes.strftime("%Y-%m-%dT%H:%M"),
    );
    std::fs::write(folder.join(PROGRAMME).join("announcements.toml"), text)?;
    Ok(folder)
}
