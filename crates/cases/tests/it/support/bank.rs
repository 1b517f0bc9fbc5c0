//! A bank that decides once for each EndToEndId, whatever it is sent again, and writes pain.002 reports.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The bank's books: dollars moved by EndToEndId.
#[derive(Default)]
pub struct Bank {
    pub moved: BTreeMap<String, i64>,
    /// Reason codes of what it refused, by EndToEndId.
    refused: BTreeMap<String, &'static str>,
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close)?.0)
}

/// The payments of a pain.001 file: EndToEndId and dollars.
pub fn payments(xml: &str) -> Vec<(String, i64)> {
    xml.split("<CdtTrfTxInf>")
        .skip(1)
        .map(|part| {
            let id = between(part, "<EndToEndId>", "</EndToEndId>").unwrap().to_owned();
            let amount = between(part, "<InstdAmt Ccy=\"TWD\">", "</InstdAmt>")
                .unwrap()
                .parse()
                .unwrap();
            (id, amount)
        })
        .collect()
}

/// The name of the order a file holds.
pub fn message(xml: &str) -> String {
    between(xml, "<MsgId>", "</MsgId>").unwrap().to_owned()
}

impl Bank {
    /// Carries out an order; `refuses` gives the reason code for an EndToEndId it refuses. Gives the report.
    pub fn carry_out(&mut self, xml: &[u8], refuses: impl Fn(&str) -> Option<&'static str>) -> Vec<u8> {
        let xml = std::str::from_utf8(xml).unwrap();
        let mut lines = Vec::new();
        for (id, amount) in payments(xml) {
            if !self.moved.contains_key(&id) && !self.refused.contains_key(&id) {
                match refuses(&id) {
                    Some(code) => self.refused.insert(id.clone(), code).map_or((), drop),
                    None => self.moved.insert(id.clone(), amount).map_or((), drop),
                }
            }
            match self.refused.get(&id) {
                Some(code) => lines.push((id, "RJCT", Some(*code))),
                None => lines.push((id, "ACSC", None)),
            }
        }
        report(&message(xml), &lines)
    }
}

/// A report that says the same of every payment of an order, whatever became of it.
pub fn says(xml: &[u8], status: &str, reason: Option<&str>) -> Vec<u8> {
    let xml = std::str::from_utf8(xml).unwrap();
    let lines: Vec<_> = payments(xml).into_iter().map(|(id, _)| (id, status, reason)).collect();
    report(&message(xml), &lines)
}

/// A report on an order: EndToEndId, status, reason.
fn report(order: &str, lines: &[(String, &str, Option<&str>)]) -> Vec<u8> {
    let mut transactions = String::new();
    for (id, status, reason) in lines {
        let why = reason.map_or_else(String::new, |code| {
            format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>")
        });
        write!(
            transactions,
            "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}</TxInfAndSts>"
        )
        .unwrap();
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>R{}</MsgId><CreDtTm>2026-11-24T10:00:00+08:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{order}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{order}</OrgnlPmtInfId>{transactions}</OrgnlPmtInfAndSts>\
         </CstmrPmtStsRpt></Document>",
        lines.len()
    )
    .into_bytes()
}

/// What a bank answers to an order it has already: the whole group refused as a duplicate, no payment named.
pub fn refusal_of_a_second(xml: &[u8]) -> Vec<u8> {
    let order = message(std::str::from_utf8(xml).unwrap());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>D{order}</MsgId><CreDtTm>2026-11-24T10:00:00+08:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{order}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>RJCT</GrpSts>\
         <StsRsnInf><Rsn><Cd>DU01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    )
    .into_bytes()
}
