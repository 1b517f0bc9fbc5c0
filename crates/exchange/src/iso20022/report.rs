//! Reading the bank's report of an order: CustomerPaymentStatusReport, `pain.002.001.10`.

use super::REPORT_NAMESPACE;
use crate::xml::{self, Element, Limits, XmlError};
use civic::ids::{BatchId, PaymentId};
use std::collections::BTreeMap;

/// Most bytes of a report.
const LARGEST: usize = 64 << 20;
/// Most `OrgnlPmtInfAndSts`; an order of this platform has one part.
const MOST_PARTS: usize = 100;
/// Bounds of a report: some twenty elements for each of 100,000 payments.
const LIMITS: Limits = Limits {
    elements: 3_000_000,
    depth: 32,
    text: 4096,
};

/// Reasons of a refusal that are about a second copy: of the message, the part or the payment
/// (ExternalStatusReason1Code; `DUPL` is what some banks write).
const DUPLICATE: [&str; 7] = ["AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"];

/// What became of an order, a part of it or one payment (ISO 20022 external code sets
/// ExternalPaymentGroupStatus1Code and ExternalPaymentTransactionStatus1Code).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// RJCT: refused; no money moved.
    Rejected,
    /// ACSC, ACCC: settled; the money moved.
    Settled,
    /// ACCP, ACSP, ACTC, ACWC, ACWP, ACFC, RCVD, PATC, PRES: taken, not settled yet.
    Accepted,
    /// PDNG: waits for a check of the bank.
    Pending,
    /// PART: differs between payments; look at each.
    Partly,
    /// CANC: cancelled; no money moved.
    Cancelled,
    /// BLCK: held at the bank.
    Blocked,
    /// A code not known here; a person must look.
    Other(String),
}

impl Status {
    fn from_code(code: &str) -> Status {
        match code {
            "RJCT" => Status::Rejected,
            "ACSC" | "ACCC" => Status::Settled,
            "ACCP" | "ACSP" | "ACTC" | "ACWC" | "ACWP" | "ACFC" | "RCVD" | "PATC" | "PRES" => Status::Accepted,
            "PDNG" => Status::Pending,
            "PART" => Status::Partly,
            "CANC" => Status::Cancelled,
            "BLCK" => Status::Blocked,
            other => Status::Other(other.to_owned()),
        }
    }

    /// Whether no money moved and none will: the payment comes back as work.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Status::Rejected | Status::Cancelled)
    }
}

/// Why the bank says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The code (ExternalStatusReason1Code such as `AC01`, or the bank's own).
    pub code: String,
    /// Further words of the bank; may be empty.
    pub words: String,
}

/// The report of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its status; without one, that of the part or order it stands in.
    pub status: Option<Status>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// The report of one part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentInformation {
    /// The `PmtInfId` as the order had it.
    pub id: String,
    /// Its status.
    pub status: Option<Status>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Its payments, those that the bank names.
    pub transactions: BTreeMap<PaymentId, Transaction>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The bank's name of this report; the same report read again has the same.
    pub id: String,
    /// The batch it reports on.
    pub batch: BatchId,
    /// Status of the whole order.
    pub status: Option<Status>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The parts.
    pub parts: Vec<PaymentInformation>,
}

/// Why a report is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Larger than accepted.
    #[error("the report is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not UTF-8.
    #[error("the report is not UTF-8")]
    Encoding,
    /// Not an acceptable XML document.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Another document.
    #[error("the document is not a pain.002.001.10; ask the bank for its payment status report of that version")]
    OtherMessage,
    /// A value missing.
    #[error("the report lacks `{0}`")]
    Missing(&'static str),
    /// A value that is not one of ours.
    #[error("the `{0}` of the report is not one of an order of this platform")]
    Foreign(&'static str),
    /// More parts than an order of this platform ever has.
    #[error("the report has more than {MOST_PARTS} parts")]
    TooManyParts,
    /// A payment with two reports.
    #[error("the report names the payment {0} twice")]
    Twice(PaymentId),
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// [`ReportError`]; a report is taken as a whole or not at all.
    pub fn read(bytes: &[u8]) -> Result<Report, ReportError> {
        if bytes.len() > LARGEST {
            return Err(ReportError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ReportError::Encoding)?;
        // payments are read as they come, so that a report on 100,000 of them stands in memory once
        let mut payments = Payments::default();
        let document = xml::parse_each(text.trim_start_matches('\u{feff}'), LIMITS, |within, element| {
            payments.see(within, element)
        })?;
        if document.name != "Document" || document.namespace.as_deref() != Some(REPORT_NAMESPACE) {
            return Err(ReportError::OtherMessage);
        }
        let report = document
            .child("CstmrPmtStsRpt")
            .ok_or(ReportError::Missing("CstmrPmtStsRpt"))?;
        let group = report
            .child("OrgnlGrpInfAndSts")
            .ok_or(ReportError::Missing("OrgnlGrpInfAndSts"))?;
        let batch = group
            .text_at(&["OrgnlMsgId"])
            .ok_or(ReportError::Missing("OrgnlMsgId"))?;
        if let Some(error) = payments.wrong {
            return Err(error);
        }
        let mut parts: Vec<PaymentInformation> = Vec::new();
        let mut found = payments.parts.into_iter();
        for element in report.each("OrgnlPmtInfAndSts") {
            let part = part(element, found.next().unwrap_or_default())?;
            let other = |payment: &&PaymentId| parts.iter().any(|before| before.transactions.contains_key(payment));
            if let Some(twice) = part.transactions.keys().find(other) {
                return Err(ReportError::Twice(*twice));
            }
            if parts.len() >= MOST_PARTS {
                return Err(ReportError::TooManyParts);
            }
            parts.push(part);
        }
        Ok(Report {
            id: report
                .text_at(&["GrpHdr", "MsgId"])
                .ok_or(ReportError::Missing("MsgId"))?
                .to_owned(),
            batch: batch.parse().map_err(|_| ReportError::Foreign("OrgnlMsgId"))?,
            status: group.text_at(&["GrpSts"]).map(Status::from_code),
            reasons: reasons(group),
            parts,
        })
    }

    /// What the report says of a payment of its batch: its own status, else that of its part, else that of the order.
    /// `None` if it says nothing; `PART` says nothing of a single payment, and the refusal of a second copy nothing of the first.
    #[must_use]
    pub fn of(&self, payment: PaymentId) -> Option<(&Status, &[Reason])> {
        let speaks = |status: &Option<Status>| matches!(status, Some(status) if *status != Status::Partly);
        let own = self
            .parts
            .iter()
            .find_map(|part| part.transactions.get(&payment).map(|found| (part, found)));
        let candidates = match own {
            Some((part, found)) => {
                vec![
                    (&found.status, &found.reasons),
                    (&part.status, &part.reasons),
                    (&self.status, &self.reasons),
                ]
            }
            // An order of this platform has one part, so a report with one part speaks of all its payments.
            None => match self.parts.as_slice() {
                [part] => vec![(&part.status, &part.reasons), (&self.status, &self.reasons)],
                _ => vec![(&self.status, &self.reasons)],
            },
        };
        let (status, reasons) = candidates.into_iter().find(|(status, _)| speaks(status))?;
        let status = status.as_ref()?;
        let is_second = reasons.iter().any(|reason| DUPLICATE.contains(&reason.code.as_str()));
        // what is refused as a second time was taken the first time; the report on that one says what became of it
        (!(status.is_refusal() && is_second)).then_some((status, reasons.as_slice()))
    }
}

/// The payments of a report while it is read: of each part, and what is wrong first.
#[derive(Default)]
struct Payments {
    open: BTreeMap<PaymentId, Transaction>,
    parts: Vec<BTreeMap<PaymentId, Transaction>>,
    wrong: Option<ReportError>,
}

impl Payments {
    fn see(&mut self, within: &[Element], element: Element) -> Option<Element> {
        let path: Vec<&str> = within.iter().map(|one| one.name.as_str()).collect();
        match (path.as_slice(), element.name.as_str()) {
            (["Document", "CstmrPmtStsRpt", "OrgnlPmtInfAndSts"], "TxInfAndSts") => {
                if let Err(error) = self.add(&element) {
                    self.wrong.get_or_insert(error);
                }
                None
            }
            (["Document", "CstmrPmtStsRpt"], "OrgnlPmtInfAndSts") => {
                // more parts than an order ever has are refused when the document ends
                if self.parts.len() <= MOST_PARTS {
                    self.parts.push(std::mem::take(&mut self.open));
                }
                Some(element)
            }
            _ => Some(element),
        }
    }

    fn add(&mut self, element: &Element) -> Result<(), ReportError> {
        let id = element
            .text_at(&["OrgnlEndToEndId"])
            .ok_or(ReportError::Missing("OrgnlEndToEndId"))?;
        let payment = id.parse().map_err(|_| ReportError::Foreign("OrgnlEndToEndId"))?;
        let transaction = Transaction {
            status: element.text_at(&["TxSts"]).map(Status::from_code),
            reasons: reasons(element),
        };
        match self.open.insert(payment, transaction) {
            None => Ok(()),
            Some(_) => Err(ReportError::Twice(payment)),
        }
    }
}

/// Reads the head of `OrgnlPmtInfAndSts`, whose payments have been read.
fn part(element: &Element, transactions: BTreeMap<PaymentId, Transaction>) -> Result<PaymentInformation, ReportError> {
    Ok(PaymentInformation {
        id: element
            .text_at(&["OrgnlPmtInfId"])
            .ok_or(ReportError::Missing("OrgnlPmtInfId"))?
            .to_owned(),
        status: element.text_at(&["PmtInfSts"]).map(Status::from_code),
        reasons: reasons(element),
        transactions,
    })
}

/// Reads the `StsRsnInf` of an element.
fn reasons(element: &Element) -> Vec<Reason> {
    element
        .each("StsRsnInf")
        .map(|reason| Reason {
            code: reason
                .text_at(&["Rsn", "Cd"])
                .or_else(|| reason.text_at(&["Rsn", "Prtry"]))
                .unwrap_or_default()
                .to_owned(),
            words: reason
                .each("AddtlInf")
                .map(|words| words.text.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        })
        .collect()
}
