use civic::{WorkCalendar, age_on, legal_day, roc};
use jiff::civil::date;
use proptest::prelude::*;

#[test]
fn dates_as_people_write_them() {
    let day = date(2025, 11, 24);
    for text in [
        "114-11-24",
        "1141124",
        "114/11/24",
        "114.11.24",
        "民國114年11月24日",
        "民國114年11月24日 (一)",
        "一一四年十一月二十四日",
        "2025-11-24",
        "20251124",
        "１１４／１１／２４",
        "中華民國114年11月24日",
    ] {
        assert_eq!(roc::parse(text), Some(day), "{text}");
    }
    assert_eq!(roc::parse("391103"), Some(date(1950, 11, 3)));
    assert_eq!(roc::parse("民國前5年1月2日"), Some(date(1907, 1, 2)));
    assert_eq!(roc::parse("民國前1年12月31日"), Some(date(1911, 12, 31)));
    for text in [
        "民國前0年1月1日",
        "民國前000101",
        "",
        "114-02-30",
        "114-13-01",
        "abc",
        "114",
        "1-1",
        "999999999",
    ] {
        assert_eq!(roc::parse(text), None, "{text}");
    }
    assert_eq!(roc::long(day), "民國114年11月24日 (一)");
    assert_eq!(roc::short(date(2026, 1, 2)), "115/01/02");
    assert_eq!(roc::plain(date(1907, 1, 2)), "民國前5年1月2日");
}

#[test]
fn ages_on_legal_days() {
    // Civil Code §124: the age counts from the day of birth, so it is full on the birthday.
    assert_eq!(age_on(date(1960, 11, 24), date(2025, 11, 23)), 64);
    assert_eq!(age_on(date(1960, 11, 24), date(2025, 11, 24)), 65);
    // §121 II: no corresponding day, so the year ends with 28 February.
    assert_eq!(age_on(date(1960, 2, 29), date(2025, 2, 28)), 64);
    assert_eq!(age_on(date(1960, 2, 29), date(2025, 3, 1)), 65);
}

#[test]
fn a_legal_day_is_a_day_in_taipei() {
    assert_eq!(legal_day("2025-11-23T16:00:00Z".parse().unwrap()), date(2025, 11, 24));
    assert_eq!(legal_day("2025-11-23T15:59:59Z".parse().unwrap()), date(2025, 11, 23));
}

#[test]
fn periods_end_on_working_days() {
    let calendar =
        WorkCalendar::from_csv("date,working,name\n2026-01-01,no,開國紀念日\n2025-12-27,yes,補行上班\n").unwrap();
    assert!(calendar.is_working(date(2025, 12, 27)));
    assert!(!calendar.is_working(date(2026, 1, 1)));
    // 31 December is a Wednesday; one working day later is Friday, for Thursday is a holiday.
    assert_eq!(calendar.add_working_days(date(2025, 12, 31), 1), date(2026, 1, 2));
    // Administrative Procedure Act §48 IV: a last day that is a holiday gives way to the next working day.
    assert_eq!(calendar.add_calendar_days(date(2025, 12, 2), 30), date(2026, 1, 2));
    assert_eq!(calendar.working_days_between(date(2025, 12, 31), date(2026, 1, 2)), 1);
    assert!(
        WorkCalendar::from_csv("date,working,name\n2026-13-01,no,x\n")
            .unwrap_err()
            .to_string()
            .starts_with("line 2")
    );
}

proptest! {
    #[test]
    fn every_writing_reads_back(days in 0_i64..60_000) {
        let day = date(1912, 1, 1).checked_add(jiff::ToSpan::days(days)).unwrap();
        prop_assert_eq!(roc::parse(&roc::long(day)), Some(day));
        prop_assert_eq!(roc::parse(&roc::plain(day)), Some(day));
        prop_assert_eq!(roc::parse(&roc::short(day)), Some(day));
        prop_assert_eq!(roc::parse(&day.to_string()), Some(day));
    }
}
