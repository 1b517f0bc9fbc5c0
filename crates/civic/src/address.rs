//! Addresses as Taiwan writes them (門牌地址).

use crate::{fold_width, numerals};
use std::fmt;
use thiserror::Error;

/// An address in its parts; a part that is not written is empty or `None`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// City or county (縣市), 台 written as 臺.
    pub city: String,
    /// District or township (鄉鎮市區).
    pub district: String,
    /// Village (村里).
    pub village: String,
    /// Neighbourhood (鄰).
    pub neighbourhood: Option<u16>,
    /// Road or street with its section (路街大道、段), the section as a Chinese numeral.
    pub road: String,
    /// Lane (巷); a name or a number.
    pub lane: String,
    /// Alley (弄); a name or a number.
    pub alley: String,
    /// House number (號) with its `之`: `12`, `12之3`.
    pub number: String,
    /// Floor (樓): negative below the ground.
    pub floor: Option<i16>,
    /// What follows the floor: unit (`之2`), room.
    pub unit: String,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Nothing is written.
    #[error("the address is empty")]
    Empty,
    /// Longer than any address.
    #[error("the address is longer than 200 characters")]
    TooLong,
    /// Neither a road nor a house number.
    #[error("the address has no house number (號); write it as in 臺中市西屯區何安里5鄰臺灣大道三段99號2樓")]
    NoNumber,
}

impl Address {
    /// Reads an address as typed or as a register prints it.
    ///
    /// # Errors
    /// [`AddressError`] when there is no house number in it.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        let text: String = fold_width(text).chars().filter(|c| !c.is_whitespace()).collect();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().count() > 200 {
            return Err(AddressError::TooLong);
        }
        let text = text
            .replace('台', "臺")
            .replace('ㄧ', "一")
            .replace(['-', '–', '~'], "之");
        let mut rest = text.trim_start_matches(|c: char| c.is_ascii_digit() && text.len() > 3);
        // The parts are taken in the order they are written, which is the order of the fields.
        Ok(Address {
            city: take(&mut rest, &["縣", "市"], 3).unwrap_or_default(),
            district: district(&mut rest),
            village: village(&mut rest),
            neighbourhood: numbered(&mut rest, "鄰").and_then(|number| u16::try_from(number).ok()),
            road: road(&mut rest),
            lane: take(&mut rest, &["巷"], 8).map(arabic).unwrap_or_default(),
            alley: take(&mut rest, &["弄", "衖"], 8).map(arabic).unwrap_or_default(),
            number: house_number(&mut rest).ok_or(AddressError::NoNumber)?,
            floor: floor(&mut rest),
            unit: rest.to_owned(),
        })
    }
}

/// The part up to and with the first of `ends` within the next `most` characters.
fn take(rest: &mut &str, ends: &[&str], most: usize) -> Option<String> {
    let end = rest
        .char_indices()
        .take(most)
        .skip(1)
        .find(|(at, _)| ends.iter().any(|end| rest[*at..].starts_with(end)));
    let (at, c) = end?;
    let (part, after) = rest.split_at(at + c.len_utf8());
    *rest = after;
    Some(part.to_owned())
}

/// 區, 鄉, 鎮 or 市; a name may itself hold one of these (平鎮區, 新市區, 左鎮區, 前鎮區), so the longest wins for 區. For the
/// others the first wins: what follows may begin with the same character (竹北市市場街).
fn district(rest: &mut &str) -> String {
    let window: Vec<(usize, char)> = rest.char_indices().take(4).collect();
    let end = |(at, c): &(usize, char)| at + c.len_utf8();
    let names = window.get(1..).unwrap_or_default();
    let quarter = names.iter().rfind(|(_, c)| *c == '區').map(end);
    let Some(end) = quarter.or_else(|| names.iter().find(|(_, c)| ['鄉', '鎮', '市'].contains(c)).map(end)) else {
        return String::new();
    };
    let (part, after) = rest.split_at(end);
    *rest = after;
    part.to_owned()
}

/// The village; nothing where 里 or 村 belongs to the name of a road (大里路, 后里路, 埔里街).
fn village(rest: &mut &str) -> String {
    let before = *rest;
    let mut name = take(rest, &["里", "村"], 5).unwrap_or_default();
    // 大里里: the name itself ends so
    if name.ends_with('里')
        && let Some(after) = rest.strip_prefix('里')
    {
        name.push('里');
        *rest = after;
    }
    let is_road = name.contains(['路', '街']) || ["路", "街", "大道"].iter().any(|sign| rest.starts_with(sign));
    if is_road {
        *rest = before;
        return String::new();
    }
    name
}

/// A number and its sign, such as 5鄰.
fn numbered(rest: &mut &str, sign: &str) -> Option<u64> {
    let end = rest.find(sign)?;
    let number = numerals::parse(&rest[..end])?;
    *rest = &rest[end + sign.len()..];
    Some(number)
}

/// The road with its section; the section is written as a Chinese numeral.
fn road(rest: &mut &str) -> String {
    // The search ends before the house number, so that 路 in a building's name is not taken for a road.
    let limit = rest.find('號').unwrap_or(rest.len());
    let end = ["大道", "路", "街"]
        .iter()
        .filter_map(|sign| rest[..limit].find(sign).map(|at| at + sign.len()))
        .filter(|end| *end > "路".len())
        .min();
    let Some(end) = end else { return place_name(rest) };
    let (name, after) = rest.split_at(end);
    let mut road = name.to_owned();
    *rest = after;
    let section = rest
        .find('段')
        .and_then(|at| numerals::parse(&rest[..at]).map(|number| (at, number)));
    if let Some((at, number)) = section {
        road.push_str(&numerals::chinese_number(number));
        road.push('段');
        *rest = &rest[at + "段".len()..];
    }
    road
}

/// The name of a place where there is no road, up to the first digit (中寮鄉永平村15號 has none).
fn place_name(rest: &mut &str) -> String {
    let end = rest
        .char_indices()
        .find(|(_, c)| numerals::is_numeral(*c))
        .map_or(0, |(at, _)| at);
    let (name, after) = rest.split_at(end);
    *rest = after;
    name.to_owned()
}

/// A lane or alley without its sign; numbers in Arabic digits.
fn arabic(part: String) -> String {
    let mut part = part;
    part.pop();
    numerals::parse(&part).map_or(part, |number| number.to_string())
}

fn house_number(rest: &mut &str) -> Option<String> {
    let end = rest.find('號')?;
    let mut number = normal_number(&rest[..end])?;
    *rest = &rest[end + "號".len()..];
    // 12號之3 is 12之3號.
    if let Some(after) = rest.strip_prefix('之') {
        let digits = after
            .char_indices()
            .find(|(_, c)| !numerals::is_numeral(*c))
            .map_or(after.len(), |(at, _)| at);
        if let (true, Some(sub)) = (!number.contains('之'), numerals::parse(&after[..digits])) {
            number = format!("{number}之{sub}");
            *rest = &after[digits..];
        }
    }
    Some(number)
}

fn normal_number(text: &str) -> Option<String> {
    let parts: Option<Vec<String>> = text
        .split('之')
        .map(|part| numerals::parse(part).map(|number| number.to_string()))
        .collect();
    parts.filter(|parts| parts.len() <= 3).map(|parts| parts.join("之"))
}

fn floor(rest: &mut &str) -> Option<i16> {
    let text = rest.trim_start_matches([',', '，', '、']);
    let (below, text) = match text.strip_prefix("地下").or_else(|| text.strip_prefix('B')) {
        Some(after) => (true, after),
        None => (false, text),
    };
    let (at, sign) = text.char_indices().find(|(_, c)| matches!(c, '樓' | 'F'))?;
    let number = if below && at == 0 {
        1
    } else {
        numerals::parse(&text[..at])?
    };
    *rest = &text[at + sign.len_utf8()..];
    let number = i16::try_from(number).ok()?;
    Some(if below { -number } else { number })
}

impl fmt::Display for Address {
    /// The normal form, by which two writings of one address are equal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.city, self.district, self.village)?;
        if let Some(neighbourhood) = self.neighbourhood {
            write!(f, "{neighbourhood}鄰")?;
        }
        write!(f, "{}", self.road)?;
        for (part, sign) in [(&self.lane, "巷"), (&self.alley, "弄"), (&self.number, "號")] {
            if !part.is_empty() {
                write!(f, "{part}{sign}")?;
            }
        }
        match self.floor {
            Some(floor) if floor < 0 => write!(f, "地下{}樓", -floor)?,
            Some(floor) => write!(f, "{floor}樓")?,
            None => {}
        }
        f.write_str(&self.unit)
    }
}

impl fmt::Debug for Address {
    /// City and district alone: the rest tells who lives there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}{}…)", self.city, self.district)
    }
}
