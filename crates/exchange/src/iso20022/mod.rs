//! The bank, by ISO 20022: the payment order (`pain.001.001.09`), the bank's report of it (`pain.002.001.10`), and what came
//! back after it was paid (`pacs.004.001.09`, or a CSV file).
//!
//! Both messages name payments by `EndToEndId`, which is the payment's id in 32 hexadecimal characters (the standard
//! allows 35, a UUID with hyphens has 36).

mod order;
mod report;
pub mod returns;

pub use crate::xml::XmlError;
pub use order::{Account, Head, Order, OrderError, OrderWriter, Payment};
pub use report::{PaymentInformation, Reason, Report, ReportError, Status, Transaction};

/// The namespace of the order.
pub const ORDER_NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// The namespace of the report.
pub const REPORT_NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10";
