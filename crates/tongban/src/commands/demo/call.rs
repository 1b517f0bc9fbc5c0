//! The demonstration's call for plans: the ministry's programme, with an announcement that moves its dates.
//!
//! The real call closed on 31 May 2024, and its year is over. So that plans can be written, sent, carried out and settled in the
//! demonstration, its folder of programmes holds one more announcement; everything else is what was compiled in.

use std::io;
use std::path::{Path, PathBuf};

use civic::legal_time;
use jiff::civil::time;
use jiff::{Timestamp, ToSpan as _};

use crate::bundled;

/// The programme whose call is open.
const PROGRAMME: &str = "moda-114";
/// Days that each clock runs from the first start of the demonstration on. Reports are open at once, whatever their quarter.
const DAYS: [(&str, i32); 9] = [
    ("call", 30),
    ("report-1", 40),
    ("report-2", 50),
    ("report-3", 60),
    ("report-4", 110),
    ("change", 55),
    ("complete", 70),
    ("accept", 90),
    ("lapse", 100),
];

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
    let moves = DAYS.iter().map(|(clock, days)| {
        let closes = published
            .date()
            .saturating_add(days.days())
            .to_datetime(time(17, 0, 0, 0));
        let until = closes.strftime("%Y-%m-%dT%H:%M");
        let opens = match clock.starts_with("report") {
            true => format!("opens = \"{}\", ", published.strftime("%Y-%m-%dT%H:%M")),
            false => String::new(),
        };
        format!("    {{ clock = \"{clock}\", {opens}until = \"{until}\" }},\n")
    });
    let text = format!(
        "# Made by the demonstration: the real call closed on 31 May 2024.\n\n[[announcement]]\nnumber = \"示範公告第1號\"\n\
         published = \"{}\"\nreason = {{ zh-TW = \"示範城市調整期限，讓您可以試用。\", en = \"The demonstration moves the dates, so that all of it can be tried.\" }}\n\
         move = [\n{}]\n",
        published.strftime("%Y-%m-%dT%H:%M"),
        moves.collect::<String>(),
    );
    std::fs::write(folder.join(PROGRAMME).join("announcements.toml"), text)?;
    Ok(folder)
}
