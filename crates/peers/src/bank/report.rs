//! Writing a status report (ISO 20022 `pain.002.001.10`).

use super::order::{Line, Order};
use crate::html::escape;
use jiff::Timestamp;
use std::fmt::Write;

/// What the bank did with an order.
pub enum Answer<'a> {
    /// The whole is refused for a reason; nothing was booked.
    Refused(&'a str),
    /// Each payment was looked at: for each part its payments, with the reason of those that are refused.
    Each(Vec<Vec<(&'a Line, Option<&'static str>)>>),
}

/// The report of an order.
pub fn report(order: &Order, answer: &Answer, now: Timestamp) -> String {
    let (group, parts) = match answer {
        Answer::Refused(code) => (format!("<GrpSts>RJCT</GrpSts>{}", reason(code)), String::new()),
        Answer::Each(parts) => {
            let group = status(parts.iter().flatten());
            let parts = order.parts.iter().zip(parts).map(|(part, lines)| {
                format!(
                    "<OrgnlPmtInfAndSts><OrgnlPmtInfId>{}</OrgnlPmtInfId><PmtInfSts>{}</PmtInfSts>{}</OrgnlPmtInfAndSts>",
                    escape(&part.id),
                    status(lines.iter()),
                    lines.iter().map(|(line, code)| transaction(line, *code)).collect::<String>()
                )
            });
            (format!("<GrpSts>{group}</GrpSts>"), parts.collect())
        }
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>BANK-{stamp}</MsgId><CreDtTm>{time}</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>\
         {parts}</CstmrPmtStsRpt></Document>\n",
        stamp = now.as_millisecond(),
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        message = escape(&order.message),
    )
}

/// The status of a whole: paid, refused, or partly.
fn status<'a>(lines: impl Iterator<Item = &'a (&'a Line, Option<&'static str>)>) -> &'static str {
    let (mut paid, mut refused) = (false, false);
    for (_, code) in lines {
        *if code.is_none() { &mut paid } else { &mut refused } = true;
    }
    match (paid, refused) {
        (true, false) => "ACSC",
        (true, true) => "PART",
        _ => "RJCT",
    }
}

fn reason(code: &str) -> String {
    format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>")
}

fn transaction(line: &Line, code: Option<&str>) -> String {
    let mut out = String::from("<TxInfAndSts>");
    if !line.instruction.is_empty() {
        let _ = write!(out, "<OrgnlInstrId>{}</OrgnlInstrId>", escape(&line.instruction));
    }
    let _ = write!(
        out,
        "<OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{}</TxSts>{}</TxInfAndSts>",
        escape(&line.end_to_end),
        if code.is_none() { "ACSC" } else { "RJCT" },
        code.map(reason).unwrap_or_default()
    );
    out
}
