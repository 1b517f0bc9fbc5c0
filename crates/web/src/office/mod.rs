//! The pages of the office (承辦端): the queue and the case file, payments, indicators, the ledger, the platform.
//!
//! Which role may use a page is decided by the access policies; the menu only leaves out what they would refuse.

mod act;
mod admin;
mod appeals;
mod assist;
mod audit;
mod breaches;
mod case;
mod case_payments;
mod chart;
mod claims;
mod confirm;
mod datasets;
mod holds;
mod indicators;
mod later;
mod load;
mod lookups;
mod messages;
mod outreach;
mod payment_run;
mod payments;
mod privacy;
mod queue;
mod releases;
mod results;
mod road;
mod rolls;
mod rounds;
mod sign_in;
mod transfers;
mod visits;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cases::{CaseError, Role, Staff};

pub(crate) use act::conflict;
pub(crate) use appeals::state as appeal_state;
pub(crate) use claims::{month as claim_month, state as claim_state};
pub(crate) use rounds::{class, clock, state as ticket_state};

use crate::components::Banner;
use crate::texts::Words;
use crate::visit::{self, OnDuty};
use crate::{App, Frame, Problem, frame};

/// Most bytes of a bank's report: 100,000 payments need about 60 MiB.
const REPORT_LIMIT: usize = 64 * 1024 * 1024;

/// Most bytes of a spreadsheet with what a form adds around it.
const SHEET_LIMIT: usize = 5 * 1024 * 1024;

/// The pages of the office.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/office/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/office/sign-out", post(sign_in::leave))
        .route("/office", get(queue::show))
        .route("/office/take", post(queue::take))
        .route("/office/load", get(load::show))
        .route("/office/cases/{id}", get(case::show))
        .route("/office/cases/{id}/letters/{letter}", get(case::letter))
        .route("/office/cases/{id}/preview/{kind}", post(act::preview))
        .route("/office/cases/{id}/{act}", post(act::act))
        .route("/office/cases/{id}/appeal", get(appeals::show).post(appeals::record))
        .route("/office/cases/{id}/appeal/{appeal}/{act}", post(appeals::act))
        .route("/office/cases/{id}/assign", post(appeals::assign))
        .route("/office/cases/{id}/from", post(later::set_from))
        .merge(lookups::routes())
        .merge(datasets::routes())
        .merge(claims::routes())
        .merge(holds::routes())
        .merge(visits::routes())
        .merge(transfers::routes())
        .merge(road::routes())
        .merge(messages::routes())
        .merge(privacy::routes())
        .merge(breaches::routes())
        .route("/office/appeals", get(appeals::list))
        .route("/office/confirm", get(confirm::list))
        .route("/office/confirm/{id}", get(confirm::show).post(confirm::answer))
        .route(
            "/office/confirm/services/{service}/sheet",
            get(confirm::sheet)
                .post(confirm::look)
                .layer(DefaultBodyLimit::max(SHEET_LIMIT)),
        )
        .route("/office/confirm/uploads/{upload}/apply", post(confirm::apply))
        .route("/office/payments", get(payments::show))
        .merge(payment_run::routes())
        .merge(outreach::routes())
        .merge(case_payments::routes())
        .route(
            "/office/payments/returns",
            post(payments::returned).layer(DefaultBodyLimit::max(REPORT_LIMIT)),
        )
        .route(releases::HERE, get(releases::show))
        .route("/office/payments/prepare", post(payments::prepare))
        .route("/office/payments/batch", post(payments::make))
        .route(
            "/office/payments/report",
            post(payments::report).layer(DefaultBodyLimit::max(REPORT_LIMIT)),
        )
        .route("/office/payments/items/{id}/retry", post(payments::retry))
        .route("/office/payments/batches/{id}", get(payments::batch))
        .route("/office/payments/batches/{id}/file", get(payments::file))
        .route("/office/payments/batches/{id}/release", post(payments::release))
        .route("/office/payments/batches/{id}/cancel", post(payments::cancel))
        .route("/office/rolls", get(rolls::list))
        .route("/office/rolls/{service}/{roll}", get(rolls::show))
        .route("/office/rolls/{service}/{roll}/lines", get(rolls::lines))
        .route("/office/rolls/{service}/{roll}/{act}", post(rolls::act))
        .route(
            "/office/exclusions/{service}",
            get(rolls::exclusions).post(rolls::exclude),
        )
        .route("/office/exclusions/{service}/{id}/readmit", post(rolls::readmit))
        .route("/office/rounds", get(rounds::list))
        .route("/office/rounds/{service}/{round}", get(rounds::show))
        .route("/office/rounds/{service}/{round}/seal", post(rounds::seal))
        .route("/office/rounds/{service}/{round}/draw", post(rounds::draw))
        .route(
            "/office/rounds/{service}/{round}/tickets/{ticket}/check-in",
            post(rounds::check_in),
        )
        .route("/office/results", get(results::list))
        .route("/office/results/{id}", get(results::show))
        .route("/office/results/{id}/done", post(results::close))
        .route("/office/assist", get(assist::show).post(assist::ask))
        .route("/office/assist/{id}", get(assist::password).post(assist::begin))
        .route("/office/indicators", get(indicators::show))
        .route("/office/audit", get(audit::show))
        .route("/office/audit/verify", post(audit::verify))
        .route("/office/admin", get(admin::show))
        .route("/office/admin/tasks/{id}/retry", post(admin::retry))
}

/// The signed-in member of the staff with the surroundings of their page.
#[derive(Clone, Debug)]
pub(crate) struct Duty {
    pub(crate) frame: Frame,
    pub(crate) staff: Staff,
}

impl FromRequestParts<App> for Duty {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let OnDuty(id) = OnDuty::from_request_parts(parts, app).await?;
        let staff = match cases::staff::get(&app.desk, id).await {
            Ok(staff) => staff,
            // the account was closed meanwhile
            Err(CaseError::NotFound(_)) => {
                return Err(Problem::SignIn {
                    to: "/office/sign-in",
                    back: None,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let visit = visit::visit(parts).await?;
        let frame = Frame::new(
            Arc::clone(&app.site),
            frame::language(&parts.headers),
            visit,
            &parts.uri,
        );
        Ok(Duty { frame, staff })
    }
}

/// A way of the menu.
pub(crate) struct Way {
    pub(crate) href: &'static str,
    pub(crate) text: String,
    pub(crate) current: bool,
}

/// The first page of a role.
pub(crate) fn home(staff: &Staff) -> &'static str {
    match staff.role {
        Role::Officer | Role::Supervisor => "/office",
        Role::Cashier => "/office/payments",
        Role::Auditor => "/office/audit",
        Role::Administrator => "/office/admin",
        Role::Organisation => "/agent",
        Role::VillageOfficer => "/office/assist",
        Role::Clerk => "/counter",
        Role::Confirmer => "/office/confirm",
        Role::Privacy => privacy::HERE,
        Role::GrantWriter | Role::GrantReviewer | Role::GrantOfficer => crate::programme::HERE,
        Role::Steward => datasets::HERE,
    }
}

/// The pages a role works on.
pub(crate) fn menu(staff: &Staff, frame: &Frame) -> Vec<Way> {
    let pages: &[(&'static str, &str)] = match staff.role {
        Role::Officer => &[
            ("/office", "office-nav-queue"),
            ("/office/rounds", "office-nav-rounds"),
            ("/office/results", "office-nav-results"),
            ("/office/rolls", "office-nav-rolls"),
            (outreach::HERE, "office-nav-outreach"),
            (visits::HERE, "office-nav-visits"),
            ("/office/appeals", "office-nav-appeals"),
            (holds::HERE, "office-nav-holds"),
            (claims::HERE, "office-nav-claims"),
            ("/office/indicators", "office-nav-indicators"),
        ],
        Role::Supervisor => &[
            ("/office", "office-nav-queue"),
            ("/office/load", "office-nav-load"),
            (releases::HERE, "office-nav-release"),
            (road::HERE, "office-nav-road"),
            ("/office/rounds", "office-nav-rounds"),
            ("/office/results", "office-nav-results"),
            ("/office/rolls", "office-nav-rolls"),
            (outreach::HERE, "office-nav-outreach"),
            (visits::HERE, "office-nav-visits"),
            ("/office/appeals", "office-nav-appeals"),
            (holds::HERE, "office-nav-holds"),
            (claims::HERE, "office-nav-claims"),
            ("/office/indicators", "office-nav-indicators"),
        ],
        Role::Cashier => &[
            ("/office/payments", "office-nav-payments"),
            (claims::HERE, "office-nav-claims"),
            ("/office/indicators", "office-nav-indicators"),
        ],
        Role::Auditor => &[
            ("/office/audit", "office-nav-audit"),
            (transfers::HERE, "office-nav-transfers"),
            (road::HERE, "office-nav-road"),
            ("/office/indicators", "office-nav-indicators"),
        ],
        Role::Administrator => &[
            ("/office/admin", "office-nav-admin"),
            (messages::HERE, "office-nav-messages"),
            (road::HERE, "office-nav-road"),
        ],
        Role::Organisation => &[("/agent", "office-nav-agent")],
        Role::VillageOfficer => &[
            ("/office/assist", "office-nav-assist"),
            (visits::HERE, "office-nav-visits"),
            ("/agent", "office-nav-agent"),
        ],
        Role::Clerk => &[("/counter", "office-nav-counter")],
        Role::Confirmer => &[("/office/confirm", "office-nav-confirm")],
        Role::Privacy => &[
            (privacy::HERE, "office-nav-privacy"),
            (breaches::HERE, "office-nav-breaches"),
        ],
        Role::GrantWriter | Role::GrantReviewer | Role::GrantOfficer => {
            &[(crate::programme::HERE, "office-nav-programme")]
        }
        Role::Steward => &[(datasets::HERE, "office-nav-datasets")],
    };
    let path = frame.path.split('?').next().unwrap_or_default();
    pages
        .iter()
        .map(|&(href, key)| Way {
            href,
            text: frame.t(key),
            current: href == path,
        })
        .collect()
}

/// Name of a role.
pub(crate) fn role(frame: &Frame, role: Role) -> String {
    frame.t(&format!("office-role-{}", role.word().replace('_', "-")))
}

/// What has just been done, by the word the address carries; words we don't know say nothing.
pub(crate) fn done(frame: &Frame, word: &str) -> Option<Banner> {
    said(frame, &format!("office-done-{word}"))
}

/// The text of a key that ends in a word of an address; words we don't know say nothing.
pub(crate) fn said(frame: &Frame, key: &str) -> Option<Banner> {
    let plain = key.len() < 50 && key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    (plain && frame.words.has(key)).then(|| Banner {
        words: frame.words,
        success: true,
        text: frame.t(key),
        detail: None,
    })
}

/// What somebody is told whose act came after a change that they had not seen: what they typed is kept, and shown again.
pub(crate) fn overtaken(words: Words) -> Banner {
    Banner {
        words,
        success: false,
        text: words.t("office-conflict-kept"),
        detail: None,
    }
}

/// A document. `name` is made of identifiers only.
pub(crate) fn document(kind: &'static str, disposition: &str, name: &str, bytes: Vec<u8>) -> Response {
    (
        [
            (CONTENT_TYPE, kind.to_owned()),
            (CONTENT_DISPOSITION, format!("{disposition}; filename=\"{name}\"")),
        ],
        bytes,
    )
        .into_response()
}
