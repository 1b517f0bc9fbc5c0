use civic::Money;
use civic::numerals::{chinese_number, formal_number, parse};
use proptest::prelude::*;

#[test]
fn numbers_as_letters_write_them() {
    for (number, plain) in [
        (0, "零"),
        (5, "五"),
        (10, "十"),
        (15, "十五"),
        (20, "二十"),
        (105, "一百零五"),
        (110, "一百一十"),
        (8329, "八千三百二十九"),
        (10_000, "一萬"),
        (10_005, "一萬零五"),
        (10_500, "一萬零五百"),
        (100_000, "十萬"),
        (105_000, "十萬五千"),
        (1_050_000, "一百零五萬"),
        (100_000_005, "一億零五"),
        (100_005_000, "一億零五千"),
        (120_000_000, "一億二千萬"),
    ] {
        assert_eq!(chinese_number(number), plain);
        assert_eq!(parse(plain), Some(number), "{plain}");
    }
    assert_eq!(formal_number(8329), "捌仟參佰貳拾玖");
    assert_eq!(formal_number(15), "壹拾伍");
}

#[test]
fn money_as_pages_write_it() {
    assert_eq!(Money(8329).to_string(), "新臺幣 8,329 元");
    assert_eq!(Money(-1_000_000).grouped(), "-1,000,000");
    assert_eq!(Money(0).grouped(), "0");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(number in 0_u64..100_000_000_000) {
        prop_assert_eq!(parse(&chinese_number(number)), Some(number));
        prop_assert_eq!(parse(&formal_number(number)), Some(number));
    }
}
