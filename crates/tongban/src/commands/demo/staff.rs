//! The demonstration's staff, with passwords and secrets that everybody may know.

use super::{AGENCY, DemoError, ORGANISATION};
use crate::commands::staff as accounts;
use cases::{Role, staff};
use peers::Card;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// The office that lets social housing.
const HOUSING: &str = "臺中市政府住宅發展工程處";
/// The office that gives places in kindergartens.
const EDUCATION: &str = "臺中市政府教育局";
/// The office that knows who owns which house.
const TAX: &str = "臺中市政府地方稅務局";
/// The ministry that calls for plans, as `programmes/moda-114` names it.
const MINISTRY: &str = "數位發展部";

/// A member of the demonstration's staff, kept in the data folder.
#[derive(Serialize, Deserialize)]
pub struct Member {
    pub(super) account: String,
    pub(super) name: String,
    pub(super) role: String,
    /// Office, as the services name it; folders made by earlier versions say none.
    #[serde(default = "social")]
    agency: String,
    pub(super) password: String,
    /// Base32, as authenticator apps take it.
    pub(super) totp_secret: String,
    secret: Vec<u8>,
}

/// Account, name, role, office.
const STAFF: &[(&str, &str, Role, &str)] = &[
    ("officer", "承辦人甲", Role::Officer, AGENCY),
    ("officer2", "承辦人乙", Role::Officer, AGENCY),
    ("supervisor", "主管", Role::Supervisor, AGENCY),
    ("cashier", "出納甲", Role::Cashier, AGENCY),
    ("cashier2", "出納乙", Role::Cashier, AGENCY),
    ("auditor", "稽核", Role::Auditor, AGENCY),
    ("privacy", "個資保護專人", Role::Privacy, AGENCY),
    ("admin", "系統管理員", Role::Administrator, AGENCY),
    ("clerk", "櫃臺人員甲", Role::Clerk, AGENCY),
    ("clerk2", "櫃臺人員乙", Role::Clerk, AGENCY),
    ("education", "教育局承辦人", Role::Officer, EDUCATION),
    ("education2", "教育局主管", Role::Supervisor, EDUCATION),
    ("education3", "教育局出納甲", Role::Cashier, EDUCATION),
    ("education4", "教育局出納乙", Role::Cashier, EDUCATION),
    ("housing", "住宅處承辦人", Role::Officer, HOUSING),
    ("housing2", "住宅處主管", Role::Supervisor, HOUSING),
    ("tax", "稅務局承辦人", Role::Officer, TAX),
    ("school", "示範高中註冊組", Role::Confirmer, "demo-senior"),
    ("school2", "示範大學註冊組", Role::Confirmer, "demo-university"),
    ("steward", "資料管理人", Role::Steward, AGENCY),
    ("village", "里幹事", Role::VillageOfficer, AGENCY),
    ("welfare", "社工員", Role::Organisation, ORGANISATION.0),
    ("taichung", "臺中市計畫撰寫人甲", Role::GrantWriter, "TXG"),
    ("taichung2", "臺中市計畫撰寫人乙", Role::GrantWriter, "TXG"),
    ("keelung", "基隆市計畫撰寫人甲", Role::GrantWriter, "KEE"),
    ("keelung2", "基隆市計畫撰寫人乙", Role::GrantWriter, "KEE"),
    // a decision needs three score sheets, and one of the panel may have a conflict of interest
    ("panel", "審查委員甲", Role::GrantReviewer, MINISTRY),
    ("panel2", "審查委員乙", Role::GrantReviewer, MINISTRY),
    ("panel3", "審查委員丙", Role::GrantReviewer, MINISTRY),
    ("panel4", "審查委員丁", Role::GrantReviewer, MINISTRY),
    ("ministry", "數位發展部承辦人", Role::GrantOfficer, MINISTRY),
];

/// The office of accounts of which no other is known.
fn social() -> String {
    AGENCY.to_owned()
}

/// The staff of the folder, made at the first start.
pub(super) fn members(data: &Path) -> Result<Vec<Member>, DemoError> {
    let path = data.join("staff.json");
    let file = |why: String| DemoError::File {
        path: path.clone(),
        why,
    };
    if let Ok(bytes) = std::fs::read(&path) {
        return serde_json::from_slice(&bytes).map_err(|error| file(error.to_string()));
    }
    let mut members = Vec::new();
    for &(account, name, role, agency) in STAFF {
        let secret = accounts::secret().map_err(|error| file(error.to_string()))?;
        members.push(Member {
            account: account.to_owned(),
            name: name.to_owned(),
            role: role.word().to_owned(),
            agency: agency.to_owned(),
            password: format!("{account}-tongban-demo"),
            totp_secret: accounts::base32(secret.as_slice()),
            secret: secret.to_vec(),
        });
    }
    let bytes = serde_json::to_vec_pretty(&members).map_err(|error| file(error.to_string()))?;
    std::fs::write(&path, bytes).map_err(|error| file(error.to_string()))?;
    Ok(members)
}

impl Member {
    pub(super) fn card(&self) -> Card {
        Card {
            account: self.account.clone(),
            password: self.password.clone(),
            role: self.name.clone(),
            secret: self.secret.clone(),
        }
    }

    /// Opens the account, if it is not open yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, desk: &cases::Desk) -> Result<(), cases::CaseError> {
        let Some(role) = Role::parse(&self.role) else {
            return Ok(());
        };
        if staff::all(desk)
            .await?
            .iter()
            .any(|known| known.account == self.account)
        {
            return Ok(());
        }
        staff::add(
            desk,
            staff::NewStaff {
                account: self.account.clone(),
                name: self.name.clone(),
                role,
                agency: self.agency.clone(),
                password: Zeroizing::new(self.password.clone()),
                totp_secret: Zeroizing::new(self.secret.clone()),
            },
        )
        .await?;
        Ok(())
    }
}
