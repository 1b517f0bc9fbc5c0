//! All pages together.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use cases::Desk;
use tower_sessions::SessionStore;

use crate::frame::Site;
use crate::{acting, base, counter, disclosure, office, programme, resident, wallet};

/// What the pages work with.
#[derive(Clone)]
pub struct App {
    /// The verbs' desk.
    pub desk: Arc<Desk>,
    /// The desk of the subsidy programmes.
    pub subsidies: Arc<subsidies::Desk>,
    /// The place.
    pub site: Arc<Site>,
}

impl FromRef<App> for Arc<Site> {
    fn from_ref(app: &App) -> Arc<Site> {
        Arc::clone(&app.site)
    }
}

/// The whole portal.
pub fn app<Store>(app: App, sessions: Store) -> Router
where
    Store: SessionStore + Clone,
{
    let site = Arc::clone(&app.site);
    let pages = Router::new()
        .merge(resident::routes())
        .merge(office::routes())
        .merge(counter::routes())
        .merge(programme::routes())
        .merge(wallet::routes())
        .layer(from_fn_with_state(app.clone(), acting::gate))
        .route(disclosure::HERE, get(disclosure::show))
        .route("/healthz", get(async || (StatusCode::OK, "ok\n")))
        .with_state(app);
    base::around(pages, &site, sessions)
}
