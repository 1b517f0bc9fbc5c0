//! A part of payments becomes a batch: accounts are noted page by page, the order is written payment by payment, and one
//! transaction puts the part into the batch. Nothing of it is final before that, so a crash anywhere costs time only.

use std::collections::HashMap;
use std::sync::Arc;

use civic::ids::{BatchId, FileId, KeyId, PaymentId};
use civic::{Language, Money};
use exchange::iso20022::{self, Head, OrderError, OrderWriter};
use services::Service;
use sha2::{Digest as _, Sha256};
use store::Tx;
use store::access::Grant;
use store::ledger;
use store::seal::Place;
use store::tables::payment_batch::{self, State as BatchState};
use store::tables::payment_part::{self, Sum};
use store::tables::{application, entitlement, payment, person};
use uuid::Uuid;

use super::{Account, report};
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk, Month, notify, record, wanted};

/// Payments of one transaction.
pub(super) const PAGE: u64 = 500;
/// Category purpose of ISO 20022 for social benefits.
const PURPOSE: &str = "SSBE";

/// Who makes a batch of which service and month.
pub(super) struct Maker<'a> {
    pub(super) desk: &'a Desk,
    pub(super) staff: &'a Staff,
    pub(super) service: &'a Arc<Service>,
    pub(super) month: Month,
}

/// What a page of payments needs, read by few queries.
struct Cases {
    applications: HashMap<Uuid, application::Model>,
    entitlements: HashMap<Uuid, Vec<entitlement::Model>>,
    subjects: HashMap<Uuid, [u8; 32]>,
}

/// What is to be written for a page.
pub(super) struct Sealed {
    /// Payments of the page.
    pub(super) count: usize,
    accounts: Vec<(Uuid, Vec<u8>)>,
    entries: Vec<ledger::Entry>,
    /// Payments the bank's format can't hold: their persons are asked for another account.
    refused: Vec<(payment::Model, Option<report::Letter>)>,
}

/// A written order.
pub(super) struct Written {
    file: FileId,
    key: KeyId,
    digest: String,
    pub(super) sum: Sum,
}

pub(super) fn bank(error: OrderError) -> CaseError {
    CaseError::Outside {
        party: "bank",
        problem: error.to_string(),
    }
}

impl Maker<'_> {
    async fn cases(&self, rows: &[payment::Model], with_persons: bool) -> Result<Cases, CaseError> {
        let db = self.desk.store.read();
        let ids: Vec<Uuid> = rows.iter().map(|row| row.application_id).collect();
        let found = application::by_ids(db, ids.clone()).await?;
        let keys: Vec<Uuid> = found.iter().map(|one| one.key_id).collect();
        self.desk.store.seal().warm(db, &keys).await?;
        let mut entitlements: HashMap<Uuid, Vec<entitlement::Model>> = HashMap::new();
        let mut subjects = HashMap::new();
        if with_persons {
            for one in entitlement::of_applications(db, ids).await? {
                entitlements.entry(one.application_id).or_default().push(one);
            }
            let persons = found.iter().filter_map(|one| one.person_id).collect();
            for one in person::by_ids(db, persons).await? {
                if let Ok(lookup) = one.lookup.try_into() {
                    subjects.insert(one.id, lookup);
                }
            }
        }
        Ok(Cases {
            applications: found.into_iter().map(|one| (one.id, one)).collect(),
            entitlements,
            subjects,
        })
    }

    fn granted<'c>(
        &self,
        cases: &'c Cases,
        row: &payment::Model,
    ) -> Result<(&'c application::Model, Grant), CaseError> {
        let application = cases
            .applications
            .get(&row.application_id)
            .ok_or(CaseError::NotFound("application"))?;
        let grant = guard::case(self.desk, &self.staff.who(), Action::Pay, application, self.service)?;
        Ok((application, grant))
    }

    /// The account of an entitlement, with its holder.
    async fn account(
        &self,
        application: &application::Model,
        grant: &Grant,
        span: &entitlement::Model,
    ) -> Result<Account, CaseError> {
        let sealed = span.account.as_deref().ok_or(CaseError::NotFound("account"))?;
        let place = Place::new("entitlement", "account", &span.id);
        let mut account: Account = record::unseal(self.desk, grant, application.key_id.into(), place, sealed).await?;
        if account.name.is_none() {
            let record = record::open(self.desk, &self.staff.who(), Action::Pay, application.clone()).await?;
            account.name = wanted::profile(&record.service.form, &record.answers, "name");
        }
        Ok(account)
    }

    fn payment(&self, row: &payment::Model, account: Account) -> iso20022::Payment {
        iso20022::Payment {
            id: PaymentId::from_uuid(row.id),
            amount: Money(row.amount),
            creditor: iso20022::Account {
                name: account.name.unwrap_or_default(),
                bank: account.bank,
                number: account.account,
            },
            remittance: format!(
                "{}{}年{}月",
                self.service.meta.name.get(Language::ZhTw),
                self.month.roc_year(),
                self.month.number()
            ),
        }
    }

    /// Opens the accounts of the next payments of a part and seals them for the payments; nothing when all have one.
    pub(super) async fn seal_page(&self, part: Uuid) -> Result<Option<Sealed>, CaseError> {
        let desk = self.desk;
        let rows = payment_part::page(desk.store.read(), part, None, true, PAGE).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let cases = self.cases(&rows, true).await?;
        let mut sealed = Sealed {
            count: rows.len(),
            accounts: Vec::with_capacity(rows.len()),
            entries: Vec::with_capacity(rows.len()),
            refused: Vec::new(),
        };
        for row in rows {
            let (application, grant) = self.granted(&cases, &row)?;
            let spans = cases
                .entitlements
                .get(&row.application_id)
                .map_or(&[][..], Vec::as_slice);
            let span = spans
                .iter()
                .find(|one| one.covers(&row.purpose, &row.period) && !one.account_refused);
            // ended or refused since the part was taken
            let span = span.ok_or(CaseError::Conflict("payment"))?;
            let account = self.account(application, &grant, span).await?;
            sealed.entries.push(guard::entry(
                desk,
                &self.staff.who(),
                Action::Pay,
                row.application_id.into(),
                self.service,
                application.person_id.and_then(|id| cases.subjects.get(&id).copied()),
                &["name", "account", "amount"],
            ));
            if self.payment(&row, account.clone()).check().is_err() {
                let draft = report::refused(desk, &row, "AC01").await?;
                sealed.refused.push((row, draft));
                continue;
            }
            let place = Place::new("payment", "account", &row.id);
            let account = record::seal(desk, desk.store.read(), application.key_id.into(), place, &account).await?;
            sealed.accounts.push((row.id, account));
        }
        Ok(Some(sealed))
    }

    /// Writes the order of a part whose payments all have their accounts; nothing when the part is empty.
    pub(super) async fn write(&self, part: Uuid, batch: BatchId) -> Result<Option<Written>, CaseError> {
        let desk = self.desk;
        let sum = payment_part::sum(desk.store.read(), part).await?;
        if sum.count == 0 {
            return Ok(None);
        }
        let seal = desk.store.seal().clone();
        let key: KeyId = desk
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(seal.system_key(tx, "payments").await?) }))
            .await?;
        let mut file = desk.store.files().begin(key).await?;
        match self.pour(part, batch, sum, &mut file).await {
            Ok(digest) => Ok(Some(Written {
                file: file.finish(&desk.store).await?,
                key,
                digest,
                sum,
            })),
            Err(error) => {
                file.give_up().await;
                Err(error)
            }
        }
    }

    async fn pour(
        &self,
        part: Uuid,
        batch: BatchId,
        sum: Sum,
        file: &mut store::files::Growing,
    ) -> Result<String, CaseError> {
        let desk = self.desk;
        let city = &desk.city.account;
        let mut order = OrderWriter::begin(&Head {
            batch,
            created: desk.now(),
            execute_on: self.pay_on(),
            debtor: iso20022::Account {
                name: city.name.clone(),
                bank: city.bank.clone(),
                number: city.number.clone(),
            },
            purpose: PURPOSE.to_owned(),
            count: usize::try_from(sum.count).unwrap_or(usize::MAX),
            sum: Money(sum.total),
        })
        .map_err(bank)?;
        let mut digest = Sha256::new();
        let mut after = None;
        loop {
            let rows = payment_part::page(desk.store.read(), part, after, false, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            let cases = self.cases(&rows, false).await?;
            for row in &rows {
                let (application, grant) = self.granted(&cases, row)?;
                let sealed = row.account.as_deref().ok_or(CaseError::Conflict("payment"))?;
                let place = Place::new("payment", "account", &row.id);
                let account: Account = record::unseal(desk, &grant, application.key_id.into(), place, sealed).await?;
                order.add(&self.payment(row, account)).map_err(bank)?;
            }
            let bytes = order.take();
            digest.update(&bytes);
            file.write(&desk.store, &bytes).await?;
        }
        // a payment that was held or ended while the order was written makes it another order
        let rest = order.finish().map_err(|error| match error {
            OrderError::Promised => CaseError::Conflict("payment"),
            other => bank(other),
        })?;
        digest.update(&rest);
        file.write(&desk.store, &rest).await?;
        Ok(hex::encode(digest.finalize()))
    }

    fn pay_on(&self) -> jiff::civil::Date {
        self.desk.calendar.add_working_days(self.desk.today(), 1)
    }

    /// The row of the batch.
    pub(super) fn batch(&self, id: BatchId, written: &Written) -> payment_batch::Model {
        payment_batch::Model {
            id: id.uuid(),
            number: id.uuid().simple().to_string(),
            service: self.service.id.clone(),
            period: self.month.to_string(),
            state: BatchState::Made,
            count: i32::try_from(written.sum.count).unwrap_or(i32::MAX),
            total: written.sum.total,
            pay_on: self.pay_on().to_string(),
            key_id: written.key.uuid(),
            file_id: written.file.uuid(),
            digest: written.digest.clone(),
            made_by: self.staff.id.uuid(),
            made_at: self.desk.now().as_microsecond(),
            released_by: None,
            released_at: None,
        }
    }
}

impl Sealed {
    /// Notes the accounts with their entries in the usage ledger.
    pub(super) async fn write(self, tx: &Tx, seal: &store::seal::Seal, part: Uuid) -> Result<(), CaseError> {
        let wanted = self.accounts.len() as u64;
        if payment_part::note_accounts(tx, part, self.accounts).await? != wanted {
            return Err(CaseError::Conflict("payment"));
        }
        for (row, draft) in self.refused {
            entitlement::refuse_account(tx, row.application_id, &row.purpose).await?;
            payment_part::leave(tx, row.id).await?;
            if let Some((number, draft)) = draft {
                notify::Draft::seal(draft, tx, seal, &number).await?.write(tx).await?;
            }
        }
        ledger::append_all(tx, self.entries).await?;
        Ok(())
    }
}

/// Puts a part into its batch, whole or not at all.
pub(super) async fn close(tx: &Tx, part: Uuid, batch: payment_batch::Model, count: u64) -> Result<(), CaseError> {
    let id = batch.id;
    let at = tx.now().as_microsecond();
    payment_batch::insert(tx, batch).await?;
    if payment_part::close(tx, part, id, at).await? != count {
        return Err(CaseError::Conflict("payment"));
    }
    Ok(())
}
