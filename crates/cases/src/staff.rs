//! The city's staff: accounts with a password and a one-time code (RFC 6238).

use crate::boxed;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use civic::ids::{SecurityEventId, StaffId};
use jiff::{SignedDuration, Timestamp};
use store::StoreError;
use store::seal::{Owner, Place};
use store::tables::{security_event, staff};
use zeroize::Zeroizing;

use crate::guard::Who;
use crate::{CaseError, Desk};

/// Wrong attempts in a row after which an account waits.
const ATTEMPTS: i32 = 5;
/// How long it waits; the time doubles with every further wrong attempt, up to a day.
const WAIT: SignedDuration = SignedDuration::from_mins(5);

/// What a member of staff may do (角色); the access policies say what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Decides cases (承辦人).
    Officer,
    /// Assigns cases and looks at the numbers (主管).
    Supervisor,
    /// Makes and releases payments (出納).
    Cashier,
    /// Reads the ledger (稽核).
    Auditor,
    /// Runs the platform, without access to cases (系統管理員).
    Administrator,
    /// Acts for residents who authorised their organisation (團體代理人); the office is the organisation's number.
    Organisation,
    /// Assists residents who stand before them (里幹事).
    VillageOfficer,
    /// Serves people who come to the counter (櫃臺人員).
    Clerk,
    /// Confirms for an outside body, such as a school, what it knows of its own people (確認單位人員). The account's office
    /// is the id of the body in `bodies.csv`.
    Confirmer,
    /// Looks after privacy: answers who exercises a right over their data (個人資料保護專人).
    Privacy,
    /// Writes the plan of a local government for a subsidy programme (計畫撰寫人); the office is the government's id in the
    /// programme's `tiers.csv`.
    GrantWriter,
    /// Scores plans on the panel of a subsidy programme (審查委員); the office is the ministry, as the programme names it in Chinese.
    GrantReviewer,
    /// Decides on plans at the ministry of a subsidy programme (補助機關承辦人); the office is the ministry.
    GrantOfficer,
    /// Looks after the datasets of their office: files that wait, rows that were not taken (資料管理人).
    Steward,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 14] = [
        Role::Officer,
        Role::Supervisor,
        Role::Cashier,
        Role::Auditor,
        Role::Administrator,
        Role::Clerk,
        Role::Confirmer,
        Role::Organisation,
        Role::VillageOfficer,
        Role::Privacy,
        Role::GrantWriter,
        Role::GrantReviewer,
        Role::GrantOfficer,
        Role::Steward,
    ];

    /// The word kept in the table and used by the policies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Role::Officer => "officer",
            Role::Supervisor => "supervisor",
            Role::Cashier => "cashier",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
            Role::Organisation => "organisation",
            Role::VillageOfficer => "village_officer",
            Role::Clerk => "clerk",
            Role::Confirmer => "confirmer",
            Role::Privacy => "privacy",
            Role::GrantWriter => "grant_writer",
            Role::GrantReviewer => "grant_reviewer",
            Role::GrantOfficer => "grant_officer",
            Role::Steward => "steward",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Identifier.
    pub id: StaffId,
    /// Name to sign in with.
    pub account: String,
    /// Name shown.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Office they work for, as the services name it in Chinese (`agency` of `service.toml`); roles of outside bodies say what
    /// theirs is.
    pub agency: String,
}

impl Staff {
    /// The member of staff as an actor.
    #[must_use]
    pub fn who(&self) -> Who {
        Who::Staff {
            id: self.id,
            role: self.role,
            agency: self.agency.clone(),
        }
    }
}

/// A new account.
pub struct NewStaff {
    /// Name to sign in with; letters, digits, `.`, `-`, `_`.
    pub account: String,
    /// Name shown.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Office they work for, as the services name it in Chinese (`agency` of `service.toml`).
    pub agency: String,
    /// Password.
    pub password: Zeroizing<String>,
    /// Secret of the one-time code, at least 16 bytes.
    pub totp_secret: Zeroizing<Vec<u8>>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Account, password or code is wrong; which one is not told.
    #[error("account, password or code is wrong; try again with the next code")]
    Wrong,
    /// Too many wrong attempts.
    #[error("too many wrong attempts; wait until {0}")]
    Locked(Timestamp),
    /// Anything else.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Case(error.into())
    }
}

fn read(row: &staff::Model) -> Result<Staff, CaseError> {
    let role = Role::parse(&row.role).ok_or_else(|| CaseError::Corrupt {
        what: "staff",
        why: "unknown role".to_owned(),
    })?;
    Ok(Staff {
        id: StaffId::from_uuid(row.id),
        account: row.account.clone(),
        name: row.name.clone(),
        role,
        agency: row.agency.clone(),
    })
}

/// The member of staff of a session; closed accounts are not found.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn get(desk: &Desk, id: StaffId) -> Result<Staff, CaseError> {
    match staff::by_id(desk.store.read(), id.uuid()).await? {
        Some(row) if row.active => read(&row),
        _ => Err(CaseError::NotFound("account")),
    }
}

/// All accounts that are not closed.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn active(desk: &Desk) -> Result<Vec<Staff>, CaseError> {
    let rows = staff::all(desk.store.read()).await?;
    rows.iter().filter(|row| row.active).map(read).collect()
}

/// All accounts, closed ones too.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn all(desk: &Desk) -> Result<Vec<Staff>, CaseError> {
    staff::all(desk.store.read()).await?.iter().map(read).collect()
}

/// Opens an account.
///
/// # Errors
/// [`CaseError::Input`] for an account name that is not usable or a secret that is too short; the store's, a taken name among them.
#[boxed]
pub async fn add(desk: &Desk, new: NewStaff) -> Result<StaffId, CaseError> {
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if new.account.is_empty() || new.account.len() > 40 || !new.account.chars().all(usable) {
        return Err(CaseError::Input {
            field: "account",
            problem: "use letters, digits, `.`, `-`, `_`; at most 40",
        });
    }
    if new.password.chars().count() < 12 {
        return Err(CaseError::Input {
            field: "password",
            problem: "use at least 12 characters",
        });
    }
    if new.totp_secret.len() < 16 {
        return Err(CaseError::Input {
            field: "totp_secret",
            problem: "use at least 16 bytes",
        });
    }
    let id = StaffId::generate(desk.clock.as_ref());
    let hash = hash(new.password.clone()).await?;
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let key = seal.new_key(tx, Owner::Staff(id.uuid())).await?;
                let totp = seal
                    .seal(tx, key, Place::new("staff", "totp", &id.uuid()), &new.totp_secret)
                    .await?;
                let row = staff::Model {
                    id: id.uuid(),
                    account: new.account.to_lowercase(),
                    name: new.name,
                    role: new.role.word().to_owned(),
                    agency: new.agency,
                    password_hash: hash,
                    key_id: key.uuid(),
                    totp,
                    totp_step: 0,
                    failures: 0,
                    locked_until: 0,
                    active: true,
                    created_at: tx.now().as_microsecond(),
                };
                staff::insert(tx, row).await?;
                Ok(id)
            })
        })
        .await
}

/// Signs a member of staff in. `origin` is the caller's address, for the record of refused attempts.
///
/// # Errors
/// [`SignInError`].
#[boxed]
pub async fn sign_in(
    desk: &Desk,
    account: &str,
    password: Zeroizing<String>,
    code: &str,
    origin: &str,
) -> Result<Staff, SignInError> {
    let row = staff::by_account(desk.store.read(), &account.trim().to_lowercase())
        .await
        .map_err(CaseError::from)?;
    let now = desk.now();
    let Some(row) = row.filter(|row| row.active) else {
        // As much work as for a known account, so that the time does not tell which accounts there are.
        hash(password).await?;
        refused(desk, origin).await?;
        return Err(SignInError::Wrong);
    };
    if row.locked_until > now.as_microsecond() {
        let until = Timestamp::from_microsecond(row.locked_until).unwrap_or(Timestamp::MAX);
        return Err(SignInError::Locked(until));
    }
    let known = row.password_hash.clone();
    let right = blocking(move || {
        PasswordHash::new(&known)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await?;
    let seal = desk.store.seal();
    let secret = seal
        .open_own(
            desk.store.read(),
            row.key_id.into(),
            Place::new("staff", "totp", &row.id),
            &row.totp,
        )
        .await?;
    let step = step_of(&secret, code, now);
    let id = row.id;
    if let (true, Some(step)) = (right, step) {
        let taken = desk
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(staff::accept_step(tx, id, step).await?) }))
            .await?;
        if taken {
            return Ok(read(&row)?);
        }
    }
    let over = u32::try_from(row.failures + 1 - ATTEMPTS).ok();
    let wait = over.map_or(SignedDuration::ZERO, |over| {
        WAIT.saturating_mul(1 << over.min(9))
            .min(SignedDuration::from_hours(24))
    });
    let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    desk.store
        .write(move |tx| {
            Box::pin(async move { Ok::<_, CaseError>(staff::fail(tx, id, until.as_microsecond()).await?) })
        })
        .await?;
    refused(desk, origin).await?;
    Err(SignInError::Wrong)
}

/// The time step a code belongs to, one step of grace on both sides; compared in constant time by the library.
fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let totp = totp_rs::Builder::new()
        .with_secret(secret.to_vec())
        .with_skew(1)
        .build()
        .ok()?;
    let time = u64::try_from(now.as_second()).ok()?;
    totp.check(&code, time).and_then(|step| i64::try_from(step).ok())
}

async fn refused(desk: &Desk, origin: &str) -> Result<(), CaseError> {
    let event = security_event::Model {
        id: SecurityEventId::generate(desk.clock.as_ref()).uuid(),
        at: desk.now().as_microsecond(),
        kind: "staff.sign_in_refused".to_owned(),
        severity: "notice".to_owned(),
        application_id: None,
        origin: Some(origin.to_owned()),
        detail: "a sign-in with a wrong account, password or code".to_owned(),
    };
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(security_event::insert(tx, event).await?) }))
        .await
}

async fn hash(password: Zeroizing<String>) -> Result<String, CaseError> {
    let hash = blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
    })
    .await?;
    hash.map_err(|error| CaseError::Outside {
        party: "password hash",
        problem: error.to_string(),
    })
}

/// Hashing takes tens of milliseconds, which no other request should wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, CaseError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CaseError::Outside {
            party: "worker",
            problem: error.to_string(),
        })
}
