//! A published draw holds, and whatever is changed in it is shown for what it is.

use crate::kit::{list, place, ticket};
use lottery::{Draw, draw, verify};

fn drawn() -> Draw {
    let tickets = (0..12)
        .map(|n| ticket(&format!("t{n:02}"), 1 + n % 2, &["x", "y"]))
        .collect();
    draw(list(vec![place("x", 3), place("y", 3)], tickets), "22,105.45").unwrap()
}

fn said(draw: &Draw, before: Option<&Draw>) -> Vec<String> {
    verify(draw, before).iter().map(ToString::to_string).collect()
}

#[test]
fn the_file_alone_proves_the_draw_after_a_way_through_json() {
    let text = serde_json::to_string_pretty(&drawn()).unwrap();
    let read: Draw = serde_json::from_str(&text).unwrap();
    assert_eq!(said(&read, None), Vec::<String>::new());
}

#[test]
fn the_same_list_and_seed_give_this_result_on_every_machine() {
    let draw = drawn();
    let told: Vec<String> = draw
        .result
        .iter()
        .flatten()
        .map(|r| format!("{} {} | {}", r.place, r.placed.join(" "), r.waiting.join(" ")))
        .collect();
    expect_test::expect_file!["result.txt"].assert_eq(&format!("{}\n{}\n", draw.list_digest, told.join("\n")));
}

#[test]
fn a_changed_list_is_shown() {
    let mut changed = drawn();
    changed.list.tickets[3].priority = 1;
    assert!(said(&changed, None)[0].starts_with("the list was changed after it was sealed"));
}

#[test]
fn a_changed_list_with_a_new_digest_is_shown_beside_the_list_published_before() {
    let before = Draw {
        seed: None,
        result: None,
        ..drawn()
    };
    let mut list = before.list.clone();
    list.tickets[3].priority = 1;
    list.tickets.remove(7);
    let changed = draw(list, "22,105.45").unwrap();
    assert_eq!(said(&changed, None), Vec::<String>::new(), "alone it can't be seen");
    assert_eq!(
        said(&changed, Some(&before)),
        [
            "differs from the sealed list that was published before: ticket t03 was another",
            "differs from the sealed list that was published before: ticket t07 is missing",
        ]
    );
}

#[test]
fn a_changed_order_is_shown() {
    let mut changed = drawn();
    changed.list.tickets.swap(0, 1);
    assert!(
        said(&changed, None)[0].contains("out of order"),
        "{:?}",
        said(&changed, None)
    );
    let mut changed = drawn();
    changed.result.as_mut().unwrap()[0].waiting.swap(0, 1);
    assert_eq!(
        said(&changed, None),
        ["place x: the order of its tickets is not the drawn one"]
    );
}

#[test]
fn a_changed_seed_or_result_is_shown() {
    let mut changed = drawn();
    changed.seed.as_mut().unwrap().value = "22,105.46".to_owned();
    assert!(said(&changed, None).iter().any(|line| line.starts_with("ticket t")));
    let mut changed = drawn();
    let result = changed.result.as_mut().unwrap();
    let (out, into) = (result[0].placed.remove(0), result[0].waiting.remove(0));
    result[0].placed.insert(0, into);
    result[0].waiting.insert(0, out.clone());
    let told = said(&changed, None);
    assert!(
        told.iter()
            .any(|line| line.starts_with(&format!("ticket {out}: the file says"))),
        "{told:?}"
    );
}

#[test]
fn a_file_before_the_draw_or_of_another_kind_is_named_as_such() {
    let before = Draw {
        seed: None,
        result: None,
        ..drawn()
    };
    assert_eq!(
        said(&before, None),
        ["there is no seed or no result in the file; verify it again after the draw"]
    );
    let other = Draw {
        format: "other-1".to_owned(),
        ..drawn()
    };
    assert_eq!(
        said(&other, None),
        ["the file is of format `other-1`; this program verifies `tongban-draw-1`"]
    );
}

/// The way of drawing as the how-to page tells it, in another language and without this crate.
#[test]
fn another_program_written_after_the_page_gives_the_same_order() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/order.py");
    let draw = drawn();
    let path = std::env::temp_dir().join(format!("tongban-draw-{}.json", std::process::id()));
    std::fs::write(&path, serde_json::to_string(&draw).unwrap()).unwrap();
    let Ok(out) = std::process::Command::new("python3").arg(script).arg(&path).output() else {
        println!("skipped: python3 is not there");
        return;
    };
    let _ = std::fs::remove_file(&path);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let first = draw.result.unwrap().remove(0);
    // x is everybody's first choice: those placed and those waiting are all tickets in order of group and lot
    let ours: Vec<String> = first.placed.into_iter().chain(first.waiting).collect();
    assert_eq!(String::from_utf8(out.stdout).unwrap().trim(), ours.join(" "));
}
