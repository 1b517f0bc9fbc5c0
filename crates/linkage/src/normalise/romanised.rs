//! One key for the romanisations a Taiwanese name is written in (護照外文姓名): Hanyu Pinyin, Tongyong Pinyin, Wade–Giles.

/// Initials as they may be written, the longest first, with the Hanyu Pinyin letter(s) that stand for them. Wade–Giles writes
/// aspiration with an apostrophe that passports drop, so what it alone would tell apart (`ch` and `ch'`) is one here.
const INITIALS: &[(&str, &str)] = &[
    ("tzu", "zi"),
    ("tsu", "zu"),
    ("szu", "si"),
    ("ssu", "si"),
    ("jhih", "zi"),
    ("chih", "zi"),
    ("shih", "si"),
    ("chi", "ji"),
    ("chy", "ji"),
    ("hsi", "si"),
    ("hsu", "su"),
    ("hs", "s"),
    ("jh", "z"),
    ("zh", "z"),
    ("ch", "z"),
    ("sh", "s"),
    ("ts", "z"),
    ("tz", "z"),
    ("sz", "s"),
    ("cy", "j"),
    ("sy", "s"),
    ("b", "p"),
    ("d", "t"),
    ("g", "k"),
    ("q", "j"),
    ("c", "z"),
    ("x", "s"),
    ("r", "j"),
];

/// Finals as they may be written, with one spelling for all.
const FINALS: &[(&str, &str)] = &[
    ("ueh", "ue"),
    ("uei", "ui"),
    ("wei", "ui"),
    ("wun", "un"),
    ("wen", "un"),
    ("uen", "un"),
    ("iou", "iu"),
    ("yu", "u"),
    ("ien", "ian"),
    ("ieh", "ie"),
    ("yeh", "ie"),
    ("ye", "ie"),
    ("yi", "i"),
    ("ih", "i"),
    ("eh", "e"),
    ("erh", "er"),
    ("ung", "ong"),
    ("iung", "iong"),
    ("uo", "o"),
    ("ou", "o"),
    ("wu", "u"),
    ("v", "u"),
];

/// A key that the usual spellings of one name share: `Hsu`, `Xu`, `Syu`; `Chang`, `Zhang`, `Jhang`; `Kuo`, `Guo`. Words are put into
/// their order, so that surname first or last does not matter. It joins more than it should (`Zhang` and `Chang`), so it is for
/// blocking and for a low level.
///
/// ```
/// assert_eq!(linkage::pinyin_key("chang chih ming"), linkage::pinyin_key("zhi ming zhang"));
/// assert_eq!(linkage::pinyin_key("hsu"), linkage::pinyin_key("xu"));
/// ```
#[must_use]
pub fn pinyin_key(text: &str) -> String {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(|word| syllables(&word.to_ascii_lowercase()))
        .collect();
    words.sort_unstable();
    words.concat()
}

/// A word that may be several syllables written together.
fn syllables(word: &str) -> String {
    let mut key = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        if let Some((written, stands)) = INITIALS.iter().find(|(written, _)| rest.starts_with(written)) {
            key.push_str(stands);
            rest = &rest[written.len()..];
        } else if rest.starts_with(consonant) {
            key.push_str(&rest[..1]);
            rest = &rest[1..];
        }
        let end = rest.find(consonant).unwrap_or(rest.len());
        let end = end + closing(&rest[end..]);
        let (vowels, after) = rest.split_at(end);
        match FINALS.iter().find(|(written, _)| *written == vowels) {
            Some((_, stands)) => key.push_str(stands),
            None => key.push_str(&fold(vowels)),
        }
        rest = after;
    }
    key.replace("ii", "i").replace("uu", "u")
}

fn consonant(c: char) -> bool {
    !matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'v' | 'y' | 'w')
}

/// How many letters behind the vowels close the syllable: `n`, `ng`, `r` or a silent `h` before a consonant or the end.
fn closing(rest: &str) -> usize {
    let opens = |rest: &str| rest.starts_with(|c: char| !consonant(c));
    for end in ["ng", "n", "h", "r"] {
        if let Some(after) = rest.strip_prefix(end)
            && !opens(after)
        {
            return end.len();
        }
    }
    0
}

fn fold(vowels: &str) -> String {
    let mut text = vowels.to_owned();
    for (written, stands) in FINALS {
        if text.starts_with(written) || text.ends_with(written) {
            text = text.replace(written, stands);
        }
    }
    text.replace('y', "i").replace('w', "u")
}
