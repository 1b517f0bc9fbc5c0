//! Big5 and UTF-8: declared, confirmed by the bytes, and nothing lost unseen.

use hub::{Outcome, rejected};

use crate::kit::{City, PLAIN, line};

fn big5(more: &str) -> String {
    PLAIN.replace("encoding = \"utf-8\"", &format!("encoding = \"big5\"{more}"))
}

fn encoded(text: &str) -> Vec<u8> {
    encoding_rs::BIG5.encode(text).0.into_owned()
}

#[tokio::test]
async fn big5_is_read_with_the_characters_of_eten() {
    let city = City::of(&big5(""));
    // 碁 and the box of ETEN (F9D6, F9FA), a trail byte that is a backslash (功) and one that is a bar (育)
    let mut bytes = b"id,name,day\n1,".to_vec();
    bytes.extend([0xF9, 0xD6, 0xF9, 0xFA]);
    bytes.extend(encoded("功育,\n"));
    let report = city.load(bytes).await;
    assert_eq!(report.rejected, 0);
    assert_eq!(city.rows().await, ["1 碁╭功育 -"]);
}

#[tokio::test]
async fn what_can_not_be_read_is_rejected_with_its_place() {
    for (bytes, place, kept) in [
        // a character that a user defined, where Hong Kong has another
        (&[0xFA, 0x40][..], 2, "甲\u{fffd}<FA40>"),
        (&[0x8E, 0x40], 2, "甲\u{fffd}<8E40>"),
        // no second byte, and one that is none
        (&[0xFF], 2, "甲\u{fffd}<FF>"),
    ] {
        let city = City::of(&big5(""));
        let mut source = b"id,name,day\n1,".to_vec();
        source.extend(encoded("甲"));
        source.extend(bytes);
        source.extend(b",\n2,b,\n");
        let report = city.load(source).await;
        let rejects = rejected(&city.lake, &city.dataset, &report.load, None).await.unwrap();
        assert_eq!(
            rejects[0].reasons[0].text,
            format!("character {place} can't be read in the encoding of the source; type the right one")
        );
        assert_eq!(rejects[0].cells[1].1.as_deref(), Some(kept));
        assert_eq!(city.rows().await, ["2 b -"]);
    }
}

#[tokio::test]
async fn characters_of_users_come_from_a_table_of_the_folder() {
    let table = [("eudc.csv", "code,character\nFA40,堃\n")];
    let city = City::with(&big5("\neudc = \"eudc.csv\""), &table);
    let report = city.load(b"id,name,day\n1,\xFA\x40,\n").await;
    assert_eq!(report.rejected, 0);
    assert_eq!(city.rows().await, ["1 堃 -"]);
    // Hong Kong's own characters where the folder says so
    let city = City::of(&PLAIN.replace("encoding = \"utf-8\"", "encoding = \"big5-hkscs\""));
    city.load(b"id,name,day\n1,\xFA\x40,\n").await;
    assert_eq!(city.rows().await, ["1 \u{20547} -"]);
}

#[tokio::test]
async fn bytes_in_another_encoding_than_declared_hold_the_load() {
    let text = "id,name,day\n1,a,\n2,臺中市政府,\n3,停車管理處,\n";
    let city = City::of(&big5(""));
    assert_eq!(
        line(&city.load(text).await).split("; read").next().unwrap(),
        "held: the folder declares `big5`, the bytes read as `utf-8`; they differ first in line 3; write `encoding = \
         \"utf-8\"` if the source has changed, else ask for it in `big5`"
    );
    let city = City::of(PLAIN);
    assert_eq!(
        line(&city.load(encoded(text)).await).split("; read").next().unwrap(),
        "held: the folder declares `utf-8`, the bytes read as `big5`; they differ first in line 3; write `encoding = \
         \"big5\"` if the source has changed, else ask for it in `utf-8`"
    );
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert!(line(&city.load(utf16).await).contains("begins as `utf-16`"));
    assert!(city.rows().await.is_empty());
}

#[tokio::test]
async fn utf8_is_read_with_and_without_its_mark_and_what_was_lost_before_is_told() {
    let city = City::of(PLAIN);
    let report = city.load("\u{feff}id,name,day\n1,臺,\n2,\u{fffd},\n").await;
    assert_eq!(report.outcome, Outcome::Published(1));
    assert_eq!(report.reasons, [("name: unreadable".to_owned(), 1)].into());
    assert_eq!(city.rows().await, ["1 臺 -"]);
    let city = City::of(PLAIN);
    let report = city
        .load(b"id,name,day\n1,\xE8\x87\xBA,\n2,\xE8\x87,\n3,\xE8\x87\xBA\xE8\x87\xBA,\n")
        .await;
    assert_eq!(report.reasons, [("name: unreadable".to_owned(), 1)].into());
}
