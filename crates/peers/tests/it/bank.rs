//! The bank: what an order pays, once, and what its report says.

use crate::support::http::{Reply, get, receive, send};
use crate::support::{World, at};
use serde_json::{Value, json};

/// A payment of an order.
#[derive(Clone)]
pub struct Line {
    pub id: String,
    pub amount: String,
    pub currency: &'static str,
    pub account: String,
}

pub fn line(id: &str, amount: &str) -> Line {
    Line {
        id: id.to_owned(),
        amount: amount.to_owned(),
        currency: "TWD",
        account: "0123456789".to_owned(),
    }
}

/// An order; what its head says can be set apart from what it holds.
pub fn order(message: &str, count: &str, sum: &str, lines: &[Line]) -> String {
    let lines: String = lines
        .iter()
        .map(|line| {
            format!(
                "<CdtTrfTxInf><PmtId><EndToEndId>{}</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"{}\">{}</InstdAmt></Amt>\
                 <Cdtr><Nm>林阿梅</Nm></Cdtr><CdtrAcct><Id><Othr><Id>{}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>",
                line.id, line.currency, line.amount, line.account
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"><CstmrCdtTrfInitn>\
         <GrpHdr><MsgId>{message}</MsgId><NbOfTxs>{count}</NbOfTxs><CtrlSum>{sum}</CtrlSum></GrpHdr>\
         <PmtInf><PmtInfId>{message}-1</PmtInfId>{lines}</PmtInf></CstmrCdtTrfInitn></Document>"
    )
}

impl World {
    pub async fn upload(&self, xml: &[u8]) -> Reply {
        self.upload_all(&[xml]).await
    }

    pub async fn upload_all(&self, files: &[&[u8]]) -> Reply {
        let mut body = Vec::new();
        for xml in files {
            body.extend_from_slice(
                b"--mark\r\ncontent-disposition: form-data; name=\"file\"; filename=\"o.xml\"\r\ncontent-type: application/xml\r\n\r\n",
            );
            body.extend_from_slice(xml);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--mark--\r\n");
        let kind = ("content-type", "multipart/form-data; boundary=mark");
        receive(send("POST", &at(&self.peers.bank, "/orders"), &[kind], &body).await).await
    }

    pub async fn books(&self) -> Value {
        get(&at(&self.peers.bank, "/books"), &[]).await.json()
    }

    /// How often each payment was made.
    pub async fn paid(&self) -> Vec<(String, u64)> {
        let books = self.books().await;
        let paid = books["paid"].as_object().unwrap().iter();
        let mut paid: Vec<_> = paid
            .map(|(id, one)| (id.clone(), one["times"].as_u64().unwrap()))
            .collect();
        paid.sort();
        paid
    }
}

/// What stands between two tags, as often as they stand there.
pub fn every(xml: &str, tag: &str) -> Vec<String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts
        .map(|part| part.split(close.as_str()).next().unwrap().to_owned())
        .collect()
}

pub fn once(id: &str) -> (String, u64) {
    (id.to_owned(), 1)
}

#[tokio::test]
async fn an_order_is_paid_and_the_report_says_so() {
    let world = World::new().await;
    let xml = order("M1", "2", "8330.00", &[line("a", "8329"), line("b", "1.00")]);
    let reply = world.upload(xml.as_bytes()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/xml; charset=utf-8"));
    assert_eq!(
        reply.header("content-disposition"),
        Some("attachment; filename=\"pain002-M1.xml\"")
    );
    let report = reply.text();
    assert!(report.contains("xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\""));
    assert_eq!(every(&report, "OrgnlMsgId"), ["M1"]);
    assert_eq!(every(&report, "OrgnlMsgNmId"), ["pain.001.001.09"]);
    assert_eq!(every(&report, "OrgnlPmtInfId"), ["M1-1"]);
    assert_eq!(every(&report, "GrpSts"), ["ACSC"]);
    assert_eq!(every(&report, "OrgnlEndToEndId"), ["a", "b"]);
    assert_eq!(every(&report, "TxSts"), ["ACSC", "ACSC"]);
    assert!(every(&report, "Cd").is_empty());
    assert_eq!(world.paid().await, [once("a"), once("b")]);
    assert_eq!(world.books().await["paid"]["a"]["account"], json!("0123456789"));
}

/// The same order again, at once by many, and after a restart: refused as a duplicate, and nothing is paid.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_once_whatever_is_repeated() {
    let world = World::new().await;
    let xml = order("M1", "1", "8329", &[line("a", "8329")]);
    let replies = futures::future::join_all((0..10).map(|_| world.upload(xml.as_bytes()))).await;
    let said: Vec<_> = replies.iter().map(|reply| every(&reply.text(), "GrpSts")).collect();
    assert_eq!(said.iter().filter(|status| **status == ["ACSC"]).count(), 1);
    let world = world.again().await;
    for xml in [xml, order("M1", "1", "5", &[line("other", "5")])] {
        let report = world.upload(xml.as_bytes()).await.text();
        assert_eq!(every(&report, "GrpSts"), ["RJCT"]);
        assert_eq!(every(&report, "Cd"), ["DU01"], "the message id is not unique");
        assert!(every(&report, "TxSts").is_empty(), "it says nothing of single payments");
    }
    assert_eq!(world.paid().await, [once("a")]);
}

/// The bank's books show what a sender did wrong: the same payment under another message id is paid twice.
#[tokio::test]
async fn a_payment_sent_in_another_message_shows_in_the_books() {
    let world = World::new().await;
    for message in ["M1", "M2"] {
        world
            .upload(order(message, "1", "5", &[line("a", "5")]).as_bytes())
            .await;
    }
    assert_eq!(world.paid().await, [("a".to_owned(), 2)]);
}

/// One payment of an order is bad: it alone is refused, with the code of ISO 20022 ExternalStatusReason1Code.
#[tokio::test]
async fn a_payment_that_cannot_be_made_is_refused_with_its_reason() {
    let world = World::new().await;
    let account = |account: &str| Line {
        account: account.to_owned(),
        ..line("bad", "5")
    };
    let dollars = Line {
        currency: "USD",
        ..line("bad", "5")
    };
    let cases = [
        ("zero", line("bad", "0"), "10", "AM01"),
        ("zero with places", line("bad", "0.00"), "10", "AM01"),
        ("minus zero", line("bad", "-0"), "10", "AM01"),
        ("negative", line("bad", "-5"), "5", "AM12"),
        ("a fraction of a dollar", line("bad", "1.50"), "11.5", "AM12"),
        (
            "more than a trillion",
            line("bad", "1000000000001"),
            "1000000000011",
            "AM02",
        ),
        ("another currency", dollars, "15", "AM03"),
        ("a closed account", account("0199"), "15", "AC04"),
        ("a wrong account", account("0198"), "15", "AC01"),
        ("no account", account(""), "15", "AC01"),
    ];
    for (at, (name, bad, sum, code)) in cases.into_iter().enumerate() {
        let xml = order(&format!("M{at}"), "2", sum, &[line(&format!("good{at}"), "10"), bad]);
        let report = world.upload(xml.as_bytes()).await.text();
        assert_eq!(every(&report, "GrpSts"), ["PART"], "{name}");
        assert_eq!(every(&report, "TxSts"), ["ACSC", "RJCT"], "{name}");
        assert_eq!(every(&report, "Cd"), [code], "{name}");
    }
    let paid = world.paid().await;
    assert_eq!(paid.len(), 10, "the good ones: {paid:?}");
    assert!(paid.iter().all(|(id, times)| id != "bad" && *times == 1));
}

#[tokio::test]
async fn an_order_of_bad_payments_alone_is_refused_whole() {
    let world = World::new().await;
    let report = world
        .upload(order("M1", "1", "-5", &[line("a", "-5")]).as_bytes())
        .await
        .text();
    assert_eq!(
        (every(&report, "GrpSts"), every(&report, "TxSts")),
        (vec!["RJCT".to_owned()], vec!["RJCT".to_owned()])
    );
    assert!(world.paid().await.is_empty());
}

/// A head that contradicts its payments: refused whole, nothing paid, and the mended order may have the same id.
#[tokio::test]
async fn totals_that_are_wrong_refuse_the_whole() {
    let world = World::new().await;
    let lines = [line("a", "10"), line("b", "20")];
    let cases = [
        ("too few", "1", "30", "AM18"),
        ("too many", "3", "30", "AM18"),
        ("no number", "x", "30", "AM18"),
        ("less", "2", "29", "AM10"),
        ("more", "2", "30.00001", "AM10"),
        ("nothing", "2", "", "AM10"),
        ("no sum", "2", "x", "AM10"),
    ];
    for (name, count, sum, code) in cases {
        let report = world.upload(order("M1", count, sum, &lines).as_bytes()).await.text();
        assert_eq!(every(&report, "GrpSts"), ["RJCT"], "{name}");
        assert_eq!(every(&report, "Cd"), [code], "{name}");
    }
    let unreadable = order("M1", "2", "10", &[line("a", "10"), line("b", "1e1")]);
    assert_eq!(every(&world.upload(unreadable.as_bytes()).await.text(), "Cd"), ["AM10"]);
    // the part's own totals count too
    let part =
        order("M1", "2", "30", &lines).replace("</PmtInfId>", "</PmtInfId><NbOfTxs>2</NbOfTxs><CtrlSum>31</CtrlSum>");
    assert_eq!(every(&world.upload(part.as_bytes()).await.text(), "Cd"), ["AM10"]);
    let part = part.replace("<NbOfTxs>2</NbOfTxs><CtrlSum>31", "<NbOfTxs>1</NbOfTxs><CtrlSum>30");
    let part_only = part.replacen("<NbOfTxs>1", "<NbOfTxs>2", 1);
    assert_eq!(every(&world.upload(part.as_bytes()).await.text(), "Cd"), ["AM18"]);
    assert!(world.paid().await.is_empty());
    let report = world.upload(part_only.as_bytes()).await.text();
    assert_eq!(every(&report, "GrpSts"), ["ACSC"]);
}

/// Parts of an order are answered each for itself.
#[tokio::test]
async fn the_parts_of_an_order_are_answered_apart() {
    let world = World::new().await;
    let one = order("M1", "2", "30", &[line("a", "10")]);
    let second = "<PmtInf><PmtInfId>M1-2</PmtInfId><CdtTrfTxInf><PmtId><InstrId>I&amp;2</InstrId><EndToEndId>b</EndToEndId></PmtId>\
                  <Amt><InstdAmt Ccy=\"TWD\">20</InstdAmt></Amt><CdtrAcct><Id><Othr><Id>0199</Id></Othr></Id></CdtrAcct></CdtTrfTxInf></PmtInf>";
    let xml = one.replace("</CstmrCdtTrfInitn>", &format!("{second}</CstmrCdtTrfInitn>"));
    let report = world.upload(xml.as_bytes()).await.text();
    assert_eq!(every(&report, "GrpSts"), ["PART"]);
    assert_eq!(every(&report, "OrgnlPmtInfId"), ["M1-1", "M1-2"]);
    assert_eq!(every(&report, "PmtInfSts"), ["ACSC", "RJCT"]);
    assert_eq!(every(&report, "OrgnlInstrId"), ["I&amp;2"]);
}

/// What could not be written was not booked: no report, no payment, and the order may come again.
#[tokio::test]
async fn an_order_that_cannot_be_written_is_not_paid() {
    let world = World::new().await;
    let folder = world.folder.path().join("peers");
    let xml = order("M1", "1", "5", &[line("a", "5")]);
    std::fs::create_dir(folder.join("bank.new")).unwrap();
    assert_eq!(world.upload(xml.as_bytes()).await.status, 400);
    assert!(world.paid().await.is_empty());
    std::fs::remove_dir(folder.join("bank.new")).unwrap();
    assert_eq!(every(&world.upload(xml.as_bytes()).await.text(), "GrpSts"), ["ACSC"]);
    assert_eq!(world.paid().await, [once("a")]);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        files.iter().all(|name| name.ends_with(".json")),
        "nothing is left beside: {files:?}"
    );
}

/// Books are replaced, never written over: who reads them while they change sees the old or the new.
#[cfg(unix)]
#[tokio::test]
async fn the_books_are_replaced_and_nobody_elses() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new().await;
    let path = world.folder.path().join("peers/bank.json");
    let mut before = None;
    for message in ["M1", "M2"] {
        world
            .upload(order(message, "1", "5", &[line(message, "5")]).as_bytes())
            .await;
        let found = std::fs::metadata(&path).unwrap();
        assert_eq!(found.mode() & 0o077, 0);
        assert_ne!(before.replace(found.ino()), Some(found.ino()));
    }
}

/// Books that can't be read are not books that are empty: they would be written over.
#[tokio::test]
async fn books_that_cannot_be_read_stop_the_start() {
    let world = World::new().await;
    for name in ["bank.json", "mailbox.json", "keys.json"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peers").join(name);
        std::fs::create_dir_all(&path).unwrap();
        let started = peers::start(crate::support::config(&world.city, &folder)).await;
        let why = started.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(why.contains(name), "{name}: {why}");
    }
}
