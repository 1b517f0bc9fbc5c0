//! The way back: the code that the platform hangs on the return address.

use super::crypto::ServiceKey;
use civic::ids::TransactionId;

/// What the platform says of a transaction when it sends the browser back.
///
/// It went through the browser, so it only chooses the page to show; the notification decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnCode {
    /// 200: the person agreed and the city took the notification.
    Agreed,
    /// 205: the person refused to send the data.
    Refused,
    /// 400: a data set twice, or `pid` missing or unreadable.
    BadRequest,
    /// 401: unknown service, or a data set that is not approved for it.
    NotApproved,
    /// 403: no data set is approved for the service.
    NothingApproved,
    /// 404: the return address is not the registered one.
    WrongReturnUrl,
    /// 408: the pages were left open too long.
    TimedOut,
    /// 409: the person who verified is not the person named in the request.
    OtherPerson,
    /// 410: the platform could not notify the city.
    NotNotified,
    /// 423: the operators have disabled the service.
    Disabled,
    /// 504: a data set is unavailable.
    Unavailable,
    /// Any other number.
    Other(u16),
}

impl ReturnCode {
    /// The code of a number.
    #[must_use]
    pub fn from_number(number: u16) -> ReturnCode {
        match number {
            200 => ReturnCode::Agreed,
            205 => ReturnCode::Refused,
            400 => ReturnCode::BadRequest,
            401 => ReturnCode::NotApproved,
            403 => ReturnCode::NothingApproved,
            404 => ReturnCode::WrongReturnUrl,
            408 => ReturnCode::TimedOut,
            409 => ReturnCode::OtherPerson,
            410 => ReturnCode::NotNotified,
            423 => ReturnCode::Disabled,
            504 => ReturnCode::Unavailable,
            other => ReturnCode::Other(other),
        }
    }

    /// The number as sent.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            ReturnCode::Agreed => 200,
            ReturnCode::Refused => 205,
            ReturnCode::BadRequest => 400,
            ReturnCode::NotApproved => 401,
            ReturnCode::NothingApproved => 403,
            ReturnCode::WrongReturnUrl => 404,
            ReturnCode::TimedOut => 408,
            ReturnCode::OtherPerson => 409,
            ReturnCode::NotNotified => 410,
            ReturnCode::Disabled => 423,
            ReturnCode::Unavailable => 504,
            ReturnCode::Other(number) => number,
        }
    }

    /// Whether the person may simply try again.
    #[must_use]
    pub fn may_try_again(self) -> bool {
        matches!(
            self,
            ReturnCode::Refused
                | ReturnCode::TimedOut
                | ReturnCode::OtherPerson
                | ReturnCode::NotNotified
                | ReturnCode::Unavailable
        )
    }

    /// Whether the city's own registration or configuration is at fault.
    #[must_use]
    pub fn is_our_fault(self) -> bool {
        matches!(
            self,
            ReturnCode::BadRequest | ReturnCode::NotApproved | ReturnCode::NothingApproved | ReturnCode::WrongReturnUrl
        )
    }
}

/// A browser come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// The transaction; the caller checks that it belongs to the session.
    pub tx_id: TransactionId,
    /// The platform's code.
    pub code: ReturnCode,
}

/// Why a return is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReturnError {
    /// No `code`, twice a `code`, or not a number of three digits.
    #[error("the return has no readable `code`")]
    Code,
    /// No `tx_id`, twice a `tx_id`, or one not made with this service's key.
    #[error("the return has no `tx_id` made with this service's key")]
    Transaction,
}

/// Reads the query of the return address, as sent and not yet decoded.
///
/// The `tx_id` is encrypted, and only for a service the platform does not know (401) plain.
pub(super) fn read(key: &ServiceKey, query: &str) -> Result<Return, ReturnError> {
    let (mut code, mut transaction) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "code" if code.is_some() => return Err(ReturnError::Code),
            "code" => code = Some(value),
            "tx_id" if transaction.is_some() => return Err(ReturnError::Transaction),
            "tx_id" => transaction = Some(value),
            _ => {}
        }
    }
    let code = code
        .filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|code| code.parse().ok())
        .map(ReturnCode::from_number)
        .ok_or(ReturnError::Code)?;
    let transaction = transaction
        .filter(|value| value.len() <= 256)
        .ok_or(ReturnError::Transaction)?;
    let tx_id = match key.open(&transaction) {
        Ok(text) => text.parse().ok(),
        Err(_) if code == ReturnCode::NotApproved => transaction.parse().ok(),
        Err(_) => None,
    };
    Ok(Return {
        tx_id: tx_id.ok_or(ReturnError::Transaction)?,
        code,
    })
}
