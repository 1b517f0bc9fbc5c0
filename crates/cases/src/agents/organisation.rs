//! Organisations (團體) that may act for residents: registered by the city, with accounts of their own.

use crate::boxed;
use civic::UnifiedBusinessNumber;
use store::tables::{organisation, staff};
use uuid::Uuid;

use crate::{CaseError, Desk};

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Unified business number (統一編號).
    pub number: String,
    /// Name.
    pub name: String,
    /// Whether it may act.
    pub active: bool,
}

/// Registers an organisation. Its accounts are opened with the role `organisation` and its number as their office.
///
/// # Errors
/// [`CaseError::Input`] for a number that is none or a name that is empty; the store's, a taken number among them.
#[boxed]
pub async fn add(desk: &Desk, number: &str, name: &str) -> Result<(), CaseError> {
    let number = UnifiedBusinessNumber::parse(number).map_err(|_| CaseError::Input {
        field: "number",
        problem: "it is no unified business number; eight digits with their check digit",
    })?;
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err(CaseError::Input {
            field: "name",
            problem: "it is empty",
        });
    }
    let row = organisation::Model {
        id: Uuid::new_v4(),
        number: number.as_str().to_owned(),
        name,
        active: true,
        created_at: desk.now().as_microsecond(),
    };
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(organisation::insert(tx, row).await?) }))
        .await
}

/// Closes an organisation: from this moment nobody acts for it any more.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn close(desk: &Desk, number: &str) -> Result<(), CaseError> {
    let number = number.to_owned();
    let closed = desk
        .store
        .write(move |tx| {
            Box::pin(async move { Ok::<_, CaseError>(organisation::set_active(tx, &number, false).await?) })
        })
        .await?;
    if closed {
        Ok(())
    } else {
        Err(CaseError::NotFound("organisation"))
    }
}

/// All organisations, by number.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn all(desk: &Desk) -> Result<Vec<Organisation>, CaseError> {
    let rows = organisation::all(desk.store.read()).await?;
    Ok(rows
        .into_iter()
        .map(|row| Organisation {
            number: row.number,
            name: row.name,
            active: row.active,
        })
        .collect())
}

/// The accounts of an organisation, closed ones too.
pub(super) async fn accounts(desk: &Desk, id: Option<Uuid>) -> Result<Vec<Uuid>, CaseError> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let Some(found) = organisation::by_id(desk.store.read(), id).await? else {
        return Ok(Vec::new());
    };
    let accounts = staff::all(desk.store.read()).await?;
    Ok(accounts
        .into_iter()
        .filter(|row| row.role == "organisation" && row.agency == found.number)
        .map(|row| row.id)
        .collect())
}
