//! Payment orders against their schema, and reports of the bank.

use civic::Money;
use civic::ids::{BatchId, PaymentId};
use exchange::iso20022::{Account, Order, OrderError, Payment, Report, ReportError, Status};
use jiff::Timestamp;
use std::process::Command;

fn at() -> Timestamp {
    "2025-11-24T02:00:00Z".parse().unwrap()
}

fn payment_id(number: u8) -> PaymentId {
    PaymentId::from_parts(at(), [number; 10])
}

fn batch() -> BatchId {
    BatchId::from_parts(at(), [0; 10])
}

fn payment(number: u8, amount: i64) -> Payment {
    Payment {
        id: payment_id(number),
        amount: Money(amount),
        creditor: Account {
            name: "王小明".to_owned(),
            bank: "7000021".to_owned(),
            number: "00012345678901".to_owned(),
        },
        remittance: "中低收入老人生活津貼 <114年11月> & 補發".to_owned(),
    }
}

fn order(payments: Vec<Payment>) -> Order {
    Order {
        batch: batch(),
        created: at(),
        execute_on: "2025-11-28".parse().unwrap(),
        debtor: Account {
            name: "示範市政府".to_owned(),
            bank: "004".to_owned(),
            number: "004012345678".to_owned(),
        },
        purpose: "SSBE".to_owned(),
        payments,
    }
}

/// Checks a document with the schema; says so when the tool is missing.
fn validate(xml: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.xml");
    std::fs::write(&file, xml).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/xsd/pain.001.001.09.xsd");
    match Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema", schema])
        .arg(&file)
        .output()
    {
        Ok(done) => assert!(
            done.status.success(),
            "{}\n{xml}",
            String::from_utf8_lossy(&done.stderr)
        ),
        Err(_) => println!("skipped: xmllint"),
    }
}

#[test]
fn writes_what_the_schema_accepts() {
    let order = order(vec![
        payment(1, 8329),
        payment(2, 4165),
        Payment {
            remittance: String::new(),
            ..payment(3, 1)
        },
    ]);
    let xml = order.to_xml().unwrap();
    validate(&xml);
    assert_eq!(xml, order.to_xml().unwrap(), "the same order gives the same bytes");
    let once = |text: &str| xml.matches(text).count();
    assert_eq!(once("<CtrlSum>12495</CtrlSum>"), 2);
    assert_eq!(once("<NbOfTxs>3</NbOfTxs>"), 2);
    assert_eq!(once(&format!("<MsgId>{}</MsgId>", batch().uuid().simple())), 1);
    assert_eq!(
        once(&format!("<EndToEndId>{}</EndToEndId>", payment_id(1).uuid().simple())),
        1
    );
    assert_eq!(once("<InstdAmt Ccy=\"TWD\">8329</InstdAmt>"), 1);
    assert_eq!(once("<CreDtTm>2025-11-24T10:00:00+08:00</CreDtTm>"), 1);
    assert_eq!(once("<Dt>2025-11-28</Dt>"), 1);
    assert_eq!(once("<MmbId>7000021</MmbId>"), 3);
    assert_eq!(once("&lt;114年11月&gt; &amp; 補發"), 2);
    assert!(!format!("{order:?}").contains("王小明"));
}

#[test]
fn refuses_what_the_bank_would_refuse() {
    let with = |change: fn(&mut Payment)| {
        let mut payment = payment(1, 100);
        change(&mut payment);
        order(vec![payment]).to_xml().unwrap_err()
    };
    assert_eq!(order(vec![]).to_xml(), Err(OrderError::Empty));
    assert_eq!(
        order(vec![payment(1, 1), payment(1, 1)]).to_xml(),
        Err(OrderError::Twice(payment_id(1)))
    );
    assert_eq!(
        order(vec![payment(1, i64::MAX), payment(2, 1)]).to_xml(),
        Err(OrderError::Sum)
    );
    assert_eq!(
        with(|payment| payment.amount = Money(0)),
        OrderError::Amount(payment_id(1))
    );
    assert_eq!(
        with(|payment| payment.amount = Money(-5)),
        OrderError::Amount(payment_id(1))
    );
    assert!(matches!(
        with(|payment| payment.creditor.name.clear()),
        OrderError::Name(_)
    ));
    assert!(matches!(
        with(|payment| payment.creditor.name = "王\u{1}".to_owned()),
        OrderError::Name(_)
    ));
    assert!(matches!(
        with(|payment| payment.creditor.name = "王".repeat(141)),
        OrderError::Name(_)
    ));
    assert!(matches!(
        with(|payment| payment.creditor.bank = "7０0".to_owned()),
        OrderError::Bank(_)
    ));
    assert!(matches!(
        with(|payment| payment.creditor.bank = "7000".to_owned()),
        OrderError::Bank(_)
    ));
    assert!(matches!(
        with(|payment| payment.creditor.number = "12-345678".to_owned()),
        OrderError::Number(_)
    ));
    assert!(matches!(
        with(|payment| payment.remittance = "一\n二".to_owned()),
        OrderError::Remittance(_)
    ));
    let mut purpose = order(vec![payment(1, 1)]);
    purpose.purpose = "<x>".to_owned();
    assert_eq!(purpose.to_xml(), Err(OrderError::Purpose));
    let message = with(|payment| payment.creditor.number = "12-345678".to_owned()).to_string();
    assert!(!message.contains("12-345678"), "{message}");
}

/// A report around some text.
fn report(group: &str, parts: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>BANK-7</MsgId><CreDtTm>2025-11-28T09:00:00+08:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}\
         </OrgnlGrpInfAndSts>{parts}</CstmrPmtStsRpt></Document>",
        batch().uuid().simple()
    )
}

/// The report of some payments in one part.
fn part(status: &str, payments: &[(u8, &str)]) -> String {
    let payments: String = payments
        .iter()
        .map(|(number, rest)| {
            format!(
                "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId>{rest}</TxInfAndSts>",
                payment_id(*number).uuid().simple()
            )
        })
        .collect();
    format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>one</OrgnlPmtInfId>{status}{payments}</OrgnlPmtInfAndSts>")
}

#[test]
fn reads_a_report() {
    let rejected = "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>帳號</AddtlInf>\
                    <AddtlInf>錯誤 &amp; &#x9000;</AddtlInf></StsRsnInf>";
    let payments = [
        (1, "<TxSts>ACSC</TxSts>"),
        (2, rejected),
        (3, ""),
        (4, "<TxSts>ACSP</TxSts>"),
    ];
    let xml = report("<GrpSts>PART</GrpSts>", &part("<PmtInfSts>PDNG</PmtInfSts>", &payments));
    let read = Report::read(xml.as_bytes()).unwrap();
    assert_eq!((read.id.as_str(), read.batch), ("BANK-7", batch()));
    assert_eq!(read.of(payment_id(1)).unwrap().0, &Status::Settled);
    let (status, reasons) = read.of(payment_id(2)).unwrap();
    assert!(status.is_refusal());
    assert_eq!(
        (reasons[0].code.as_str(), reasons[0].words.as_str()),
        ("AC01", "帳號 錯誤 & 退")
    );
    assert_eq!(
        read.of(payment_id(3)).unwrap().0,
        &Status::Pending,
        "its part speaks for it"
    );
    assert_eq!(read.of(payment_id(4)).unwrap().0, &Status::Accepted);
    assert_eq!(
        read.of(payment_id(5)).unwrap().0,
        &Status::Pending,
        "the only part speaks for all"
    );
}

#[test]
fn reads_reports_of_whole_orders() {
    let group = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>B-17</Prtry></Rsn></StsRsnInf>";
    let read = Report::read(report(group, "").as_bytes()).unwrap();
    let (status, reasons) = read.of(payment_id(9)).unwrap();
    assert_eq!((status, reasons[0].code.as_str()), (&Status::Rejected, "B-17"));
    for code in ["DU01", "DUPL", "AM05"] {
        let group = format!("<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>");
        let second = Report::read(report(&group, "").as_bytes()).unwrap();
        assert_eq!(second.of(payment_id(9)), None, "of the first order it says nothing");
    }
    let partly = Report::read(report("<GrpSts>PART</GrpSts>", "").as_bytes()).unwrap();
    assert_eq!(partly.of(payment_id(9)), None, "partly says nothing of one payment");
    let new_code = Report::read(report("<GrpSts>ZZZZ</GrpSts>", "").as_bytes()).unwrap();
    assert_eq!(new_code.of(payment_id(9)).unwrap().0, &Status::Other("ZZZZ".to_owned()));
}

#[test]
fn refuses_other_documents() {
    let read = |xml: &str| Report::read(xml.as_bytes()).unwrap_err();
    let good = report("<GrpSts>ACCP</GrpSts>", "");
    assert_eq!(
        read(&good.replace("pain.002.001.10", "pain.002.001.03")),
        ReportError::OtherMessage
    );
    assert_eq!(
        read(&order(vec![payment(1, 1)]).to_xml().unwrap()),
        ReportError::OtherMessage
    );
    assert_eq!(
        read(&good.replace("<MsgId>BANK-7</MsgId>", "")),
        ReportError::Missing("MsgId")
    );
    let foreign = good.replace(&batch().uuid().simple().to_string(), "PAYROLL-11");
    assert_eq!(read(&foreign), ReportError::Foreign("OrgnlMsgId"));
    let twice = report("", &part("", &[(1, "<TxSts>ACSC</TxSts>"), (1, "<TxSts>RJCT</TxSts>")]));
    assert_eq!(read(&twice), ReportError::Twice(payment_id(1)));
    let parts = part("", &[(1, "<TxSts>ACSC</TxSts>")]).repeat(2);
    assert_eq!(read(&report("", &parts)), ReportError::Twice(payment_id(1)));
    assert_eq!(Report::read(b"\xff\xfe").unwrap_err(), ReportError::Encoding);
    for xml in [
        good.replace(
            "<Document",
            "<!DOCTYPE d [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Document",
        ),
        good.replace("BANK-7", "&e;"),
        good.replace("</Document>", ""),
        format!("{good}<more/>"),
        "<a>".repeat(100_000),
        String::new(),
    ] {
        assert!(matches!(read(&xml), ReportError::Xml(_)));
    }
}
