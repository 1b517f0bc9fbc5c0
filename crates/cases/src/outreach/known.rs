//! Who receives a service already, or has applied: nobody is told of what they have.

use std::collections::HashSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use services::{Every, Service};
use store::tables::receiving;

use crate::{CaseError, Desk, Month};

/// Keyed hashes of the national ids of everybody who receives a service, has applied for it, or stands on a roll of the last year.
///
/// # Errors
/// The store's.
pub(super) async fn known(desk: &Desk, service: &Service) -> Result<HashSet<Vec<u8>>, CaseError> {
    let (db, today) = (desk.store.read(), desk.today());
    // what is paid by the month ends with its last month; what is given once is given for good
    let month = (service.meta.payment.every == Every::Month).then(|| Month::of(today).to_string());
    let mut found: HashSet<Vec<u8>> = receiving::applicants(db, &service.id, month.as_deref())
        .await?
        .into_iter()
        .collect();
    let since = today.checked_sub(1.year()).unwrap_or(Date::MIN).to_string();
    found.extend(receiving::listed(db, &service.id, &since).await?);
    Ok(found)
}
