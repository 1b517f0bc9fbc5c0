//! Chinese numerals, as letters write them and as addresses carry them.

const PLAIN: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
const FORMAL: [char; 10] = ['零', '壹', '貳', '參', '肆', '伍', '陸', '柒', '捌', '玖'];
const PLAIN_PLACES: [&str; 4] = ["", "十", "百", "千"];
const FORMAL_PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
const GROUPS: [&str; 5] = ["", "萬", "億", "兆", "京"];

fn write(number: u64, digits: &[char; 10], places: &[&str; 4], short_ten: bool) -> String {
    if number == 0 {
        return digits[0].to_string();
    }
    let mut groups = Vec::new();
    let mut rest = number;
    while rest > 0 {
        groups.push(rest % 10_000);
        rest /= 10_000;
    }
    let mut text = String::new();
    let mut zero = false;
    for (place, group) in groups.iter().enumerate().rev() {
        if *group == 0 {
            zero = !text.is_empty();
            continue;
        }
        for at in (0..4).rev() {
            let digit = usize::try_from(group / 10_u64.pow(at) % 10).unwrap_or(0);
            if digit == 0 {
                zero |= !text.is_empty();
                continue;
            }
            if zero {
                text.push(digits[0]);
                zero = false;
            }
            // 十五, not 一十五, at the very beginning.
            if !(short_ten && at == 1 && digit == 1 && text.is_empty()) {
                text.push(digits[digit]);
            }
            text.push_str(places[at as usize]);
        }
        zero = false;
        text.push_str(GROUPS.get(place).copied().unwrap_or_default());
    }
    text
}

/// The number in plain Chinese numerals: `8329` is 八千三百二十九.
#[must_use]
pub fn chinese_number(number: u64) -> String {
    write(number, &PLAIN, &PLAIN_PLACES, true)
}

/// The number in the formal numerals of cheques and official amounts (大寫): `8329` is 捌仟參佰貳拾玖.
#[must_use]
pub fn formal_number(number: u64) -> String {
    write(number, &FORMAL, &FORMAL_PLACES, false)
}

/// The value of a numeral character.
fn digit(c: char) -> Option<u64> {
    let value = match c {
        '零' | '〇' | '○' => 0,
        '一' | '壹' => 1,
        '二' | '貳' | '兩' => 2,
        '三' | '參' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陸' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return c.to_digit(10).map(u64::from),
    };
    Some(value)
}

/// Whether the character can stand in a number.
#[must_use]
pub fn is_numeral(c: char) -> bool {
    digit(c).is_some() || matches!(c, '十' | '拾' | '百' | '佰' | '千' | '仟' | '萬' | '億')
}

/// Reads a number in Arabic or Chinese numerals, also digit by digit (一二三); `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let text = crate::fold_width(text);
    if text.is_empty() {
        return None;
    }
    if text.chars().all(|c| digit(c).is_some()) {
        return text
            .chars()
            .try_fold(0_u64, |number, c| number.checked_mul(10)?.checked_add(digit(c)?));
    }
    let (mut total, mut group, mut pending) = (0_u64, 0_u64, None::<u64>);
    for c in text.chars() {
        let place = match c {
            '十' | '拾' => 10,
            '百' | '佰' => 100,
            '千' | '仟' => 1000,
            '萬' => {
                group = group.checked_add(pending.take().unwrap_or(0))?;
                total = total.checked_add(group.checked_mul(10_000)?)?;
                group = 0;
                continue;
            }
            '億' => {
                group = group.checked_add(pending.take().unwrap_or(0))?;
                total = total.checked_add(group)?.checked_mul(100_000_000)?;
                group = 0;
                continue;
            }
            _ => {
                pending = Some(pending.unwrap_or(0).checked_mul(10)?.checked_add(digit(c)?)?);
                continue;
            }
        };
        group = group.checked_add(pending.take().unwrap_or(1).checked_mul(place)?)?;
    }
    total.checked_add(group)?.checked_add(pending.unwrap_or(0))
}
