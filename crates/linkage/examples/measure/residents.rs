//! Made-up residents in two files: the second holds nine tenths of the first's people and as many others, and each of its values is
//! wrong with a chance of one in twenty: a letter mistyped, left out or exchanged, a variant character, another spelling, missing.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Chance that a value of the second file is wrong, of a thousand.
const WRONG: u64 = 50;

/// Surnames with how many of a thousand have them (內政部, 全國姓名統計分析, the commonest), each with a Wade–Giles spelling.
const SURNAMES: &[(&str, &str, u64)] = &[
    ("陳", "chen", 112),
    ("林", "lin", 83),
    ("黃", "huang", 60),
    ("張", "chang", 53),
    ("李", "li", 51),
    ("王", "wang", 41),
    ("吳", "wu", 40),
    ("劉", "liu", 32),
    ("蔡", "tsai", 29),
    ("楊", "yang", 27),
    ("許", "hsu", 23),
    ("鄭", "cheng", 19),
    ("謝", "hsieh", 18),
    ("郭", "kuo", 15),
    ("洪", "hung", 15),
    ("曾", "tseng", 14),
    ("邱", "chiu", 14),
    ("廖", "liao", 13),
    ("賴", "lai", 13),
    ("周", "chou", 12),
    ("徐", "hsu", 12),
    ("蘇", "su", 12),
    ("葉", "yeh", 11),
    ("莊", "chuang", 9),
    ("呂", "lu", 9),
    ("江", "chiang", 9),
    ("何", "ho", 9),
    ("蕭", "hsiao", 8),
    ("羅", "lo", 8),
    ("高", "kao", 8),
    ("潘", "pan", 7),
    ("簡", "chien", 7),
    ("朱", "chu", 7),
    ("鍾", "chung", 7),
    ("游", "yu", 6),
    ("彭", "peng", 6),
    ("詹", "chan", 6),
    ("胡", "hu", 5),
    ("施", "shih", 5),
    ("沈", "shen", 5),
    ("余", "yu", 5),
    ("盧", "lu", 5),
    ("梁", "liang", 4),
    ("趙", "chao", 4),
    ("顏", "yen", 4),
    ("柯", "ko", 4),
    ("翁", "weng", 4),
    ("魏", "wei", 4),
    ("孫", "sun", 4),
    ("戴", "tai", 4),
];

/// Characters of given names with a spelling.
const GIVEN: &[(char, &str)] = &[
    ('志', "chih"),
    ('家', "chia"),
    ('淑', "shu"),
    ('美', "mei"),
    ('雅', "ya"),
    ('俊', "chun"),
    ('明', "ming"),
    ('文', "wen"),
    ('怡', "yi"),
    ('建', "chien"),
    ('宏', "hung"),
    ('偉', "wei"),
    ('玉', "yu"),
    ('秀', "hsiu"),
    ('英', "ying"),
    ('惠', "hui"),
    ('麗', "li"),
    ('芳', "fang"),
    ('婷', "ting"),
    ('宗', "tsung"),
    ('翰', "han"),
    ('欣', "hsin"),
    ('佳', "chia"),
    ('承', "cheng"),
    ('恩', "en"),
    ('宇', "yu"),
    ('軒', "hsuan"),
    ('品', "pin"),
    ('妤', "yu"),
    ('子', "tzu"),
    ('晴', "ching"),
    ('柏', "po"),
    ('睿', "jui"),
    ('彥', "yen"),
    ('廷', "ting"),
    ('國', "kuo"),
    ('榮', "jung"),
    ('金', "chin"),
    ('德', "te"),
    ('正', "cheng"),
    ('義', "yi"),
    ('信', "hsin"),
    ('豪', "hao"),
    ('傑', "chieh"),
    ('銘', "ming"),
    ('昌', "chang"),
    ('琪', "chi"),
    ('珍', "chen"),
    ('月', "yueh"),
    ('春', "chun"),
    ('雲', "yun"),
    ('鳳', "feng"),
    ('蓮', "lien"),
    ('香', "hsiang"),
    ('瑞', "jui"),
    ('峰', "feng"),
    ('龍', "lung"),
    ('華', "hua"),
    ('強', "chiang"),
    ('慧', "hui"),
    ('貞', "chen"),
    ('琳', "lin"),
    ('萱', "hsuan"),
    ('涵', "han"),
];

/// Variants as offices type them (峯 for 峰).
const VARIANTS: &[(char, char)] = &[
    ('峰', '峯'),
    ('強', '强'),
    ('黃', '黄'),
    ('彥', '彦'),
    ('德', '徳'),
    ('國', '国'),
    ('鍾', '钟'),
    ('陳', '陈'),
    ('雲', '云'),
    ('榮', '荣'),
];

const DISTRICTS: &[&str] = &[
    "中區",
    "東區",
    "南區",
    "西區",
    "北區",
    "北屯區",
    "西屯區",
    "南屯區",
    "太平區",
    "大里區",
    "霧峰區",
    "烏日區",
    "豐原區",
    "后里區",
    "石岡區",
    "東勢區",
    "和平區",
    "新社區",
    "潭子區",
    "大雅區",
    "神岡區",
    "大肚區",
    "沙鹿區",
    "龍井區",
    "梧棲區",
    "清水區",
    "大甲區",
    "外埔區",
    "大安區",
];

const ROADS: &[&str] = &[
    "中山路",
    "中正路",
    "民權路",
    "自由路一段",
    "復興路三段",
    "臺灣大道四段",
    "文心路二段",
    "五權路",
    "公益路",
    "學府路",
    "忠明南路",
    "大墩路",
    "河南路二段",
    "崇德路一段",
    "進化路",
    "太原路",
    "東光路",
    "建國路",
    "德芳路",
    "成功路",
];

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same people on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

struct Person {
    name: String,
    romanised: String,
    birth: (u64, u64, u64),
    id: String,
    address: [String; 3],
    phone: String,
}

fn person(random: &mut Random) -> Person {
    let mut left = random.below(SURNAMES.iter().map(|(_, _, share)| share).sum());
    let surname = SURNAMES.iter().find(|(_, _, share)| match left.checked_sub(*share) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    let (surname, spelling, _) = surname.unwrap_or(&SURNAMES[0]);
    let (first, second) = (random.one(GIVEN), random.one(GIVEN));
    let short = random.below(20) == 0;
    let mut name = format!("{surname}{}", first.0);
    let mut romanised = format!("{spelling} {}", first.1);
    if !short {
        name.push(second.0);
        romanised.push('-');
        romanised.push_str(second.1);
    }
    let letter = (b'A' + random.below(26) as u8) as char;
    Person {
        name,
        romanised,
        birth: (1930 + random.below(90), 1 + random.below(12), 1 + random.below(28)),
        id: format!("{letter}{}{:08}", 1 + random.below(2), random.below(100_000_000)),
        address: [
            format!("臺中市{}", random.one(DISTRICTS)),
            (*random.one(ROADS)).to_owned(),
            format!("{}號{}樓", 1 + random.below(300), 1 + random.below(12)),
        ],
        phone: format!("09{:08}", random.below(100_000_000)),
    }
}

/// The text with one character mistyped, left out or exchanged with the next.
fn mistyped(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    if characters.len() < 2 {
        return String::new();
    }
    let at = random.below(characters.len() as u64 - 1) as usize;
    match random.below(3) {
        0 if characters[at].is_ascii_digit() => characters[at] = (b'0' + random.below(10) as u8) as char,
        0 if characters[at].is_ascii() => characters[at] = (b'a' + random.below(26) as u8) as char,
        0 => characters[at] = random.one(GIVEN).0,
        1 => {
            characters.remove(at);
        }
        _ => characters.swap(at, at + 1),
    }
    characters.into_iter().collect()
}

fn wrong(random: &mut Random) -> bool {
    random.below(1000) < WRONG
}

fn row(person: &Person, entity: u64, random: &mut Random, errors: bool) -> String {
    let (year, month, day) = person.birth;
    let mut name = person.name.clone();
    let mut romanised = person.romanised.clone();
    let mut birth = format!("{year}-{month:02}-{day:02}");
    let mut id = person.id.clone();
    let mut address = person.address.concat();
    let mut phone = person.phone.clone();
    if errors {
        if wrong(random) {
            name = match random.below(4) {
                0 => String::new(),
                1 => VARIANTS
                    .iter()
                    .fold(name, |name, (from, to)| name.replace(*from, &to.to_string())),
                _ => mistyped(&name, random),
            };
        }
        if wrong(random) {
            romanised = match random.below(3) {
                0 => String::new(),
                1 => romanised.replace("hs", "x").replace("ch", "zh").replace('-', ""),
                _ => mistyped(&romanised, random),
            };
        }
        if wrong(random) {
            birth = match random.below(4) {
                0 => String::new(),
                1 if day <= 12 => format!("{year}-{day:02}-{month:02}"),
                2 => format!("{}-{month:02}-{day:02}", year + 1),
                _ => mistyped(&birth, random),
            };
        }
        if wrong(random) {
            id = if random.below(3) == 0 {
                String::new()
            } else {
                mistyped(&id, random)
            };
        }
        if wrong(random) {
            // moved, or written in another way
            address = match random.below(3) {
                0 => person_address(random),
                1 => address
                    .replace('臺', "台")
                    .replace("一段", "1段")
                    .replace("二段", "2段"),
                _ => mistyped(&address, random),
            };
        }
        if wrong(random) {
            phone = if random.below(2) == 0 {
                String::new()
            } else {
                mistyped(&phone, random)
            };
        }
    } else if random.below(2) == 0 {
        // the register writes dates of the ROC calendar
        birth = format!("民國{}年{month}月{day}日", i128::from(year) - 1911);
        if year < 1912 {
            birth = format!("{year}-{month:02}-{day:02}");
        }
    }
    format!("{name},{romanised},{birth},{id},{address},{phone},{entity}")
}

fn person_address(random: &mut Random) -> String {
    person(random).address.concat()
}

/// Writes `left.csv` and `right.csv` of that many rows each into the folder.
pub fn write(rows: &str, folder: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let rows: u64 = rows.parse().map_err(|_| format!("`{rows}` is no number of rows"))?;
    std::fs::create_dir_all(folder).map_err(told)?;
    let mut random = Random(2026);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let common = rows - rows / 10;
    for number in 0..rows + rows / 10 {
        let person = person(&mut random);
        if number < rows {
            left.push(row(&person, number, &mut random, false));
        }
        if number < common || number >= rows {
            right.push(row(&person, number, &mut random, true));
        }
    }
    for (name, mut lines) in [("left.csv", left), ("right.csv", right)] {
        for at in (1..lines.len()).rev() {
            lines.swap(at, random.below(at as u64 + 1) as usize);
        }
        let mut file = BufWriter::new(File::create(folder.join(name)).map_err(told)?);
        writeln!(file, "id,name,romanised,birth,national_id,address,phone,entity").map_err(told)?;
        for (at, line) in lines.iter().enumerate() {
            writeln!(file, "{at},{line}").map_err(told)?;
        }
        file.flush().map_err(told)?;
    }
    Ok(())
}
