use civic::{
    BusinessNumberRule, IdError, MobileNumber, NationalId, NationalIdKind, PlateNumber, UnifiedBusinessNumber,
};
use proptest::prelude::*;

#[test]
fn national_ids_of_every_kind() {
    // The id printed on the ministry's specimen cards, and resident certificates from the immigration agency's
    // notice on the 2021 numbers.
    for (text, kind) in [
        ("A123456789", NationalIdKind::Citizen),
        ("ａ１２３４５６７８９", NationalIdKind::Citizen),
        (" a123456789 ", NationalIdKind::Citizen),
        ("A800000014", NationalIdKind::Resident),
    ] {
        assert_eq!(NationalId::parse(text).unwrap().kind(), kind, "{text}");
    }
    let old = NationalId::compose('A', 'B', 1_234_567).unwrap();
    assert_eq!(old.kind(), NationalIdKind::OldResident);
}

#[test]
fn wrong_ids_are_told_apart() {
    assert_eq!(
        NationalId::parse("A12345678"),
        Err(IdError::Length {
            expected: "10",
            found: 9
        })
    );
    assert_eq!(
        NationalId::parse("A323456789"),
        Err(IdError::Character {
            place: 2,
            example: "A123456789"
        })
    );
    assert_eq!(NationalId::parse("A123456788"), Err(IdError::Checksum));
    assert!(NationalId::parse("").is_err());
    assert!(NationalId::parse("身分證字號一二三四五").is_err());
}

#[test]
fn ids_hide_in_print() {
    let id = NationalId::parse("A123456789").unwrap();
    assert_eq!(format!("{id} {id:?}"), "A1234***89 NationalId(A1234***89)");
}

#[test]
fn business_numbers_by_both_rules() {
    // 04595257 and 10458575 are the ministry of finance's own examples; the second has 7 in the seventh place.
    assert_eq!(
        UnifiedBusinessNumber::parse("04595257").unwrap().rule(),
        BusinessNumberRule::Ten
    );
    assert_eq!(
        UnifiedBusinessNumber::parse("10458575").unwrap().rule(),
        BusinessNumberRule::Ten
    );
    assert_eq!(
        UnifiedBusinessNumber::parse("04595252").unwrap().rule(),
        BusinessNumberRule::Five
    );
    assert_eq!(UnifiedBusinessNumber::parse("04595253"), Err(IdError::Checksum));
}

#[test]
fn plates() {
    for (text, plate) in [
        ("abc-1234", "ABC-1234"),
        ("ABC1234", "ABC-1234"),
        ("１２３４－ＡＢ", "1234-AB"),
        ("1234AB", "1234-AB"),
        ("2A-1234", "2A-1234"),
        ("ABC123", "ABC-123"),
    ] {
        assert_eq!(PlateNumber::parse(text).unwrap().as_str(), plate, "{text}");
    }
    assert!(PlateNumber::parse("ABCDEFG").is_err());
    assert!(PlateNumber::parse("測試").is_err());
}

#[test]
fn mobiles() {
    for text in ["0912345678", "0912-345-678", "+886 912 345 678", "０９１２３４５６７８"] {
        assert_eq!(MobileNumber::parse(text).unwrap().reveal(), "0912345678", "{text}");
    }
    assert!(MobileNumber::parse("0212345678").is_err());
}

proptest! {
    #[test]
    fn one_wrong_digit_never_passes(first in "[A-Z]", sex in "[1289]", serial in 0_u32..10_000_000, at in 2_usize..10, by in 1_u32..10) {
        let id = NationalId::compose(first.chars().next().unwrap(), sex.chars().next().unwrap(), serial).unwrap();
        let mut characters: Vec<char> = id.reveal().chars().collect();
        let digit = characters[at].to_digit(10).unwrap();
        characters[at] = char::from_digit((digit + by) % 10, 10).unwrap();
        let changed: String = characters.into_iter().collect();
        // A weight of 2, 4, 5, 6 or 8 lets some pairs of digits through: the checksum's own limit.
        let weight = [1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1][at + 1];
        if by * weight % 10 != 0 {
            prop_assert!(NationalId::parse(&changed).is_err());
        }
    }

    #[test]
    fn nothing_typed_makes_a_panic(text in "\\PC{0,40}") {
        let _ = NationalId::parse(&text);
        let _ = UnifiedBusinessNumber::parse(&text);
        let _ = PlateNumber::parse(&text);
        let _ = MobileNumber::parse(&text);
        let _ = civic::Address::parse(&text);
        let _ = civic::roc::parse(&text);
        let _ = civic::numerals::parse(&text);
    }
}
