//! Writing a payment order: CustomerCreditTransferInitiation, `pain.001.001.09`.

use super::ORDER_NAMESPACE;
use civic::Money;
use civic::ids::{BatchId, PaymentId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::collections::BTreeSet;
use std::io;

/// The code of Taiwan's bank codes (金融機構代號) among the clearing systems (ISO 20022 external code set
/// ExternalClearingSystemIdentification1Code).
const TAIWAN_BANK_CODES: &str = "TWNCC";
/// Most payments of one order.
const MOST: usize = 100_000;

/// An account at a bank in Taiwan. `Debug` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Name of the holder (戶名), at most 140 characters.
    pub name: String,
    /// Code of the bank, 3 digits, or of the branch, 7 digits.
    pub bank: String,
    /// Account number, 5 to 16 digits.
    pub number: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Account")
    }
}

/// One payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id: the `EndToEndId`. The same payment sent again has the same.
    pub id: PaymentId,
    /// Whole NT dollars, more than 0.
    pub amount: Money,
    /// Who is paid.
    pub creditor: Account,
    /// What the account statement says (附言), at most 140 characters; may be empty.
    pub remittance: String,
}

/// A payment order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The batch: the `MsgId`. The same batch sent again has the same, so that the bank can refuse it.
    pub batch: BatchId,
    /// When the order was made.
    pub created: Timestamp,
    /// The day of payment (撥款日).
    pub execute_on: Date,
    /// The city's account.
    pub debtor: Account,
    /// Why it is paid, of ISO 20022 ExternalCategoryPurpose1Code, such as `SSBE` for a social benefit.
    pub purpose: String,
    /// The payments.
    pub payments: Vec<Payment>,
}

/// Why an order can't be written. Payments are named by id; nothing personal is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No payment.
    #[error("the order has no payment")]
    Empty,
    /// Too many payments.
    #[error("the order has more than {MOST} payments; split it")]
    TooMany,
    /// A payment twice.
    #[error("the payment {0} stands twice in the order")]
    Twice(PaymentId),
    /// Nothing or less.
    #[error("the amount of the payment {0} is not more than 0")]
    Amount(PaymentId),
    /// The sum can't be held.
    #[error("the sum of the order is too large")]
    Sum,
    /// A name that is empty, too long or not printable.
    #[error("the account holder's name of {0} is empty, longer than 140 characters or not printable")]
    Name(String),
    /// A bank code of another form.
    #[error("the bank code of {0} must be 3 or 7 digits")]
    Bank(String),
    /// An account number of another form.
    #[error("the account number of {0} must be 5 to 16 digits")]
    Number(String),
    /// A remittance text that is too long or not printable.
    #[error("the remittance text of the payment {0} is longer than 140 characters or not printable")]
    Remittance(PaymentId),
    /// The head promised something else.
    #[error("number or sum of the payments is not what the head of the order says")]
    Promised,
    /// A purpose of another form.
    #[error("the purpose must be a code of 1 to 4 capital letters or digits")]
    Purpose,
    /// The writer failed.
    #[error("the order can't be written: {0}")]
    Write(String),
}

/// What stands at the head of a payment order, before its payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The batch: the `MsgId`. The same batch sent again has the same, so that the bank can refuse it.
    pub batch: BatchId,
    /// When the order was made.
    pub created: Timestamp,
    /// The day of payment (撥款日).
    pub execute_on: Date,
    /// The city's account.
    pub debtor: Account,
    /// Why it is paid, of ISO 20022 ExternalCategoryPurpose1Code, such as `SSBE` for a social benefit.
    pub purpose: String,
    /// Number of payments that follow.
    pub count: usize,
    /// Their sum.
    pub sum: Money,
}

/// Writes an order payment by payment: what is written can be taken away at any time, so that a large order never stands in
/// memory as a whole. The same order gives the same bytes.
pub struct OrderWriter {
    writer: Writer<Vec<u8>>,
    count: usize,
    sum: Money,
    seen: BTreeSet<PaymentId>,
    added: Money,
}

impl OrderWriter {
    /// Begins an order with its head.
    ///
    /// # Errors
    ///
    /// [`OrderError`] for what the schema or the bank would refuse of the head.
    pub fn begin(head: &Head) -> Result<OrderWriter, OrderError> {
        if head.count == 0 {
            return Err(OrderError::Empty);
        }
        if head.count > MOST {
            return Err(OrderError::TooMany);
        }
        let code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if head.purpose.is_empty() || head.purpose.len() > 4 || !head.purpose.bytes().all(code) {
            return Err(OrderError::Purpose);
        }
        head.debtor.check("the city")?;
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
        head.write(&mut writer).map_err(failed)?;
        Ok(OrderWriter {
            writer,
            count: head.count,
            sum: head.sum,
            seen: BTreeSet::new(),
            added: Money(0),
        })
    }

    /// Adds a payment.
    ///
    /// # Errors
    ///
    /// [`OrderError`] for what the schema or the bank would refuse of it; [`OrderError::Twice`].
    pub fn add(&mut self, payment: &Payment) -> Result<(), OrderError> {
        payment.check()?;
        if !self.seen.insert(payment.id) {
            return Err(OrderError::Twice(payment.id));
        }
        self.added = self.added.checked_add(payment.amount).ok_or(OrderError::Sum)?;
        payment.write(&mut self.writer).map_err(failed)
    }

    /// Takes away what has been written so far.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.get_mut())
    }

    /// Ends the order and gives what has not been taken away yet.
    ///
    /// # Errors
    ///
    /// [`OrderError::Promised`] where number or sum is not what the head says.
    pub fn finish(mut self) -> Result<Vec<u8>, OrderError> {
        if self.seen.len() != self.count || self.added != self.sum {
            return Err(OrderError::Promised);
        }
        for name in ["PmtInf", "CstmrCdtTrfInitn", "Document"] {
            self.writer
                .write_event(Event::End(BytesEnd::new(name)))
                .map_err(failed)?;
        }
        let mut rest = self.writer.into_inner();
        rest.push(b'\n');
        Ok(rest)
    }
}

fn failed(error: io::Error) -> OrderError {
    OrderError::Write(error.to_string())
}

impl Order {
    /// The sum of all payments.
    ///
    /// # Errors
    ///
    /// [`OrderError::Sum`] if it can't be held.
    pub fn sum(&self) -> Result<Money, OrderError> {
        self.payments
            .iter()
            .try_fold(Money(0), |sum, payment| sum.checked_add(payment.amount))
            .ok_or(OrderError::Sum)
    }

    /// The order as XML in UTF-8. The same order gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`OrderError`] for what the schema or the bank would refuse.
    pub fn to_xml(&self) -> Result<String, OrderError> {
        let mut writer = OrderWriter::begin(&Head {
            batch: self.batch,
            created: self.created,
            execute_on: self.execute_on,
            debtor: self.debtor.clone(),
            purpose: self.purpose.clone(),
            count: self.payments.len(),
            sum: self.sum()?,
        })?;
        for payment in &self.payments {
            writer.add(payment)?;
        }
        String::from_utf8(writer.finish()?).map_err(|error| OrderError::Write(error.to_string()))
    }
}

impl Head {
    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let (id, count, sum) = (
            self.batch.uuid().simple().to_string(),
            self.count.to_string(),
            self.sum.0.to_string(),
        );
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let document = BytesStart::new("Document").with_attributes([("xmlns", ORDER_NAMESPACE)]);
        writer.write_event(Event::Start(document))?;
        writer.write_event(Event::Start(BytesStart::new("CstmrCdtTrfInitn")))?;
        within(writer, "GrpHdr", |writer| {
            text(writer, "MsgId", &id)?;
            text(writer, "CreDtTm", &taipei(self.created))?;
            text(writer, "NbOfTxs", &count)?;
            text(writer, "CtrlSum", &sum)?;
            within(writer, "InitgPty", |writer| text(writer, "Nm", &self.debtor.name))
        })?;
        writer.write_event(Event::Start(BytesStart::new("PmtInf")))?;
        text(writer, "PmtInfId", &id)?;
        text(writer, "PmtMtd", "TRF")?;
        text(writer, "BtchBookg", "true")?;
        text(writer, "NbOfTxs", &count)?;
        text(writer, "CtrlSum", &sum)?;
        within(writer, "PmtTpInf", |writer| {
            within(writer, "CtgyPurp", |writer| text(writer, "Cd", &self.purpose))
        })?;
        within(writer, "ReqdExctnDt", |writer| {
            text(writer, "Dt", &self.execute_on.to_string())
        })?;
        within(writer, "Dbtr", |writer| text(writer, "Nm", &self.debtor.name))?;
        within(writer, "DbtrAcct", |writer| self.debtor.write_number(writer, true))?;
        within(writer, "DbtrAgt", |writer| self.debtor.write_bank(writer))?;
        text(writer, "ChrgBr", "DEBT")
    }
}

impl Payment {
    /// Checks what the schema and the bank demand of one payment.
    ///
    /// # Errors
    ///
    /// [`OrderError`].
    pub fn check(&self) -> Result<(), OrderError> {
        if self.amount.0 <= 0 {
            return Err(OrderError::Amount(self.id));
        }
        self.creditor.check(&format!("the payment {}", self.id))?;
        if self.remittance.chars().count() > 140 || !is_printable(&self.remittance) {
            return Err(OrderError::Remittance(self.id));
        }
        Ok(())
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let id = self.id.uuid().simple().to_string();
        within(writer, "CdtTrfTxInf", |writer| {
            within(writer, "PmtId", |writer| {
                text(writer, "InstrId", &id)?;
                text(writer, "EndToEndId", &id)
            })?;
            within(writer, "Amt", |writer| {
                let amount = writer.create_element("InstdAmt").with_attribute(("Ccy", "TWD"));
                amount.write_text_content(BytesText::new(&self.amount.0.to_string()))?;
                Ok(())
            })?;
            within(writer, "CdtrAgt", |writer| self.creditor.write_bank(writer))?;
            within(writer, "Cdtr", |writer| text(writer, "Nm", &self.creditor.name))?;
            within(writer, "CdtrAcct", |writer| self.creditor.write_number(writer, false))?;
            if self.remittance.is_empty() {
                return Ok(());
            }
            within(writer, "RmtInf", |writer| text(writer, "Ustrd", &self.remittance))
        })
    }
}

impl Account {
    fn check(&self, whose: &str) -> Result<(), OrderError> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let name = self.name.trim();
        if name.is_empty() || self.name.chars().count() > 140 || !is_printable(&self.name) {
            return Err(OrderError::Name(whose.to_owned()));
        }
        if !matches!(self.bank.len(), 3 | 7) || !digits(&self.bank) {
            return Err(OrderError::Bank(whose.to_owned()));
        }
        if !(5..=16).contains(&self.number.len()) || !digits(&self.number) {
            return Err(OrderError::Number(whose.to_owned()));
        }
        Ok(())
    }

    fn write_bank(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        within(writer, "FinInstnId", |writer| {
            within(writer, "ClrSysMmbId", |writer| {
                within(writer, "ClrSysId", |writer| text(writer, "Cd", TAIWAN_BANK_CODES))?;
                text(writer, "MmbId", &self.bank)
            })
        })
    }

    fn write_number(&self, writer: &mut Writer<Vec<u8>>, with_currency: bool) -> io::Result<()> {
        within(writer, "Id", |writer| {
            within(writer, "Othr", |writer| text(writer, "Id", &self.number))
        })?;
        if with_currency {
            text(writer, "Ccy", "TWD")
        } else {
            Ok(())
        }
    }
}

/// Whether XML can hold the text and a person can read it.
fn is_printable(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}'))
}

/// The time in Taiwan, to the second.
fn taipei(at: Timestamp) -> String {
    let local = at.to_zoned_datetime(TimeZone::fixed(Offset::constant(8)));
    local.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

fn within(
    writer: &mut Writer<Vec<u8>>,
    name: &str,
    inner: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> io::Result<()> {
    writer.create_element(name).write_inner_content(inner)?;
    Ok(())
}

fn text(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(text))?;
    Ok(())
}
