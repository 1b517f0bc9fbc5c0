//! Files that are no orders, or mean harm: refused on a page, with nothing booked.

use crate::bank::{every, line, order};
use crate::support::World;
use crate::support::at;
use crate::support::http::{post, receive, send};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn good() -> String {
    order("M1", "1", "5", &[line("a", "5")])
}

#[tokio::test]
async fn what_is_no_order_is_refused() {
    let world = World::new().await;
    let namespace = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
    let with_type = |text: &str| good().replace("?><Document", &format!("?>{text}<Document"));
    let cases: Vec<(&str, String)> = vec![
        ("nothing", String::new()),
        ("no XML", "MsgId,1".to_owned()),
        ("another root", "<x/>".to_owned()),
        ("no namespace", good().replace(&format!(" xmlns=\"{namespace}\""), "")),
        ("another version", good().replace("pain.001.001.09", "pain.001.001.03")),
        ("a report", good().replace("pain.001.001.09", "pain.002.001.10")),
        (
            "its elements of another namespace",
            good().replace("<CstmrCdtTrfInitn>", "<CstmrCdtTrfInitn xmlns=\"urn:x\">"),
        ),
        (
            "its root alone of another namespace",
            good()
                .replace("<Document xmlns", "<p:Document xmlns:p=\"urn:x\" xmlns")
                .replace("</Document>", "</p:Document>"),
        ),
        (
            "another message",
            good().replace("CstmrCdtTrfInitn", "CstmrDrctDbtInitn"),
        ),
        (
            "a prefix nobody explains",
            good()
                .replace("<PmtInf>", "<p:PmtInf>")
                .replace("</PmtInf>", "</p:PmtInf>"),
        ),
        ("cut off", good().replace("</Document>", "")),
        (
            "cut off in a payment",
            good().split("<Cdtr>").next().unwrap().to_owned(),
        ),
        ("two documents", format!("{0}{0}", good().split_once("?>").unwrap().1)),
        (
            "tags that cross",
            good()
                .replace("</PmtId></PmtId>", "")
                .replace("</PmtId><Amt>", "<Amt></PmtId>"),
        ),
        ("no payments", order("M1", "0", "0", &[])),
        ("no message id", good().replace("<MsgId>M1</MsgId>", "")),
        ("an empty message id", good().replace("<MsgId>M1</MsgId>", "<MsgId/>")),
        (
            "a long message id",
            good().replace("<MsgId>M1<", &format!("<MsgId>{}<", "M".repeat(36))),
        ),
        ("a control character", good().replace("<MsgId>M1<", "<MsgId>M&#1;1<")),
        (
            "a character that is none",
            good().replace("<MsgId>M1<", "<MsgId>M&#0;<"),
        ),
        ("no id of a payment", good().replace("<EndToEndId>a</EndToEndId>", "")),
        ("an id twice", order("M1", "2", "10", &[line("a", "5"), line("a", "5")])),
        ("an unknown entity", good().replace(">a<", ">&a;<")),
        ("a document type", with_type("<!DOCTYPE Document>")),
        (
            "an external entity (XXE)",
            with_type("<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>").replace(">a<", ">&x;<"),
        ),
        (
            "entities in entities",
            with_type(
                "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
            )
            .replace(">a<", ">&c;<"),
        ),
        (
            "deep nesting",
            good().replace("<PmtInf>", &format!("{}<PmtInf>", "<x>".repeat(10_000))),
        ),
    ];
    for (name, xml) in cases {
        let began = Instant::now();
        let reply = world.upload(xml.as_bytes()).await;
        assert_eq!(reply.status, 400, "{name}: {}", reply.text());
        assert!(
            reply
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("text/html")),
            "{name}"
        );
        assert!(began.elapsed() < Duration::from_secs(5), "{name}");
    }
    let books = world.books().await;
    assert!(books["messages"].as_array().unwrap().is_empty(), "{books}");
    assert!(world.paid().await.is_empty());
}

/// The forms XML allows for the same content are the same order.
#[tokio::test]
async fn the_forms_of_xml_are_one_order() {
    let world = World::new().await;
    let numbered = |at: usize, xml: String| xml.replace("M1", &format!("M{at}")).replace(">a<", &format!(">a{at}<"));
    let prefixed = good()
        .replace("xmlns=", "xmlns:p=")
        .replace("</", "</p:")
        .replace("<?xml", "\u{0}")
        .replace('<', "<p:")
        .replace("<p:/p:", "</p:")
        .replace('\u{0}', "<?xml");
    let forms = [
        good(),
        prefixed,
        good().replace("<MsgId>M1<", "<MsgId>&#77;x<"),
        good().replace("<MsgId>M1<", "<MsgId><![CDATA[M1]]><"),
        good().replace("<MsgId>M1<", "<MsgId>\n  M1<!-- M9 -->\n<"),
        good().replace("<PmtInf>", "<?note x?><PmtInf>"),
        format!("\u{feff}{}", good()),
        good().replace(
            "</PmtInf>",
            "<SplmtryData xmlns=\"urn:x\"><MsgId>M9</MsgId><CdtTrfTxInf/></SplmtryData></PmtInf>",
        ),
    ];
    let count = forms.len();
    for (at, xml) in forms.into_iter().enumerate() {
        let report = world.upload(numbered(at, xml.clone()).as_bytes()).await;
        assert_eq!(every(&report.text(), "GrpSts"), ["ACSC"], "{xml}");
    }
    assert_eq!(world.paid().await.len(), count);
}

/// What an order says comes back in the report as text, and as a name of a file only where it is safe.
#[tokio::test]
async fn what_an_order_says_comes_back_as_text() {
    let world = World::new().await;
    let xml = good()
        .replace("<MsgId>M1<", "<MsgId>\"; x=&lt;b&gt;/../M&amp;<")
        .replace(">a<", ">&lt;/TxSts&gt;<");
    let reply = world.upload(xml.as_bytes()).await;
    assert_eq!(
        reply.header("content-disposition"),
        Some("attachment; filename=\"pain002-xbM.xml\"")
    );
    let report = reply.text();
    assert_eq!(every(&report, "OrgnlMsgId"), ["&quot;; x=&lt;b&gt;/../M&amp;"]);
    assert_eq!(every(&report, "OrgnlEndToEndId"), ["&lt;/TxSts&gt;"]);
    let page = world.upload(b"<script>alert(1)</script>").await.text();
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test]
async fn forms_that_are_wrong_are_refused() {
    let world = World::new().await;
    let orders = at(&world.peers.bank, "/orders");
    let order = good();
    assert_eq!(world.upload_all(&[]).await.status, 400, "no file");
    assert_eq!(
        world.upload_all(&[order.as_bytes(), order.as_bytes()]).await.status,
        400,
        "two files"
    );
    assert_eq!(world.upload(b"\xff\xfe<Document/>").await.status, 400, "no UTF-8");
    let kind = ("content-type", "multipart/form-data; boundary=mark");
    let cut = format!("--mark\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n{order}");
    assert_eq!(
        receive(send("POST", &orders, &[kind], cut.as_bytes()).await)
            .await
            .status,
        400,
        "no end"
    );
    assert!(
        (400..500).contains(&post(&orders, &[], &[("file", &order)]).await.status),
        "another form"
    );
    let large = vec![b' '; 33 << 20];
    assert_eq!(world.upload(&large).await.status, 400, "too large");
    assert!(world.paid().await.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is changed in an order, the bank answers; and it never pays more than a head of that length can allow.
    #[test]
    fn a_damaged_order_pays_nothing_it_does_not_add_up_to(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let paid = runtime.block_on(async {
            let world = World::new().await;
            let mut xml = order("M1", "2", "30", &[line("a", "10"), line("b", "20")]).into_bytes();
            for (at, byte) in &damage {
                let at = at.index(xml.len());
                xml[at] = *byte;
            }
            let status = world.upload(&xml).await.status;
            assert!(status == 200 || status == 400, "{status}");
            world.books().await
        });
        // every amount and the sum have two characters
        let amounts = paid["paid"].as_object().unwrap().values().map(|one| one["amount"].as_str().unwrap());
        let whole = amounts.map(|amount| amount.split('.').next().unwrap().parse::<u64>().unwrap());
        let sum: u64 = whole.sum();
        prop_assert!(sum <= 99, "{paid}");
    }
}
