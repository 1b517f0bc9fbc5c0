//! The desk: everything the verbs need, in one place, passed by reference.

use std::sync::Arc;

use civic::ids::ApplicationId;
use civic::{Clock, Purpose, Text, WorkCalendar};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use services::{Catalogue, Service};
use store::Store;

use crate::{CaseError, Recent};

/// What the verbs work with.
pub struct Desk {
    /// The operational store.
    pub store: Store,
    /// The services on offer.
    pub catalogue: Arc<Catalogue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The way to the MyData platform; without it services are applied for by answering every question.
    pub mydata: Option<exchange::mydata::Connector>,
    /// What the city gives to the MyData platform; without it nothing is given.
    pub provider: Option<exchange::mydata::provider::Provider>,
    /// The ways to digital wallets; without them no card is asked for or given.
    pub wallet: Option<crate::wallet::Wallet>,
    /// The gateway to T-Road; without it nothing is exchanged with other agencies.
    pub road: Option<crate::road::Road>,
    /// The city's datasets; without them nothing is looked up.
    pub datasets: Option<crate::datasets::Datasets>,
    /// The way to the mail server; without it messages are kept for the people's own pages.
    pub mail: Option<exchange::mail::Mailer>,
    /// The other ways on which people are told.
    pub ways: crate::channels::Ways,
    /// The programs that read scans; without them a scan is kept and the clerk types.
    pub scans: exchange::ocr::Tools,
    /// Who we are.
    pub city: City,
    /// Which days are working days.
    pub calendar: WorkCalendar,
    /// How far authorisations of agents go.
    pub agents: crate::agents::Limits,
    /// By which methods residents prove who they are.
    pub identity: crate::identity::Methods,
    /// What the law asks after a breach of personal data.
    pub breach: crate::breach::Policy,
    /// What was needed a moment ago.
    pub recent: Recent,
}

/// The city or county (直轄市、縣市) this platform serves.
#[derive(Clone, Debug)]
pub struct City {
    /// Code of the region, as the rules' parameters name it (`taichung`).
    pub region: String,
    /// Name of the city.
    pub name: Text,
    /// The agency that decides and signs letters.
    pub agency: Text,
    /// Telephone for questions.
    pub phone: String,
    /// Address of the portal without a slash at its end, for links in messages.
    pub portal: String,
    /// Address messages come from.
    pub sender: String,
    /// The account payments are made from.
    pub account: CityAccount,
    /// Time between a decision and its letter, in which the officer may take the decision back.
    pub grace: SignedDuration,
}

/// The account the city pays from (公庫帳戶).
#[derive(Clone, Debug)]
pub struct CityAccount {
    /// Name of the holder.
    pub name: String,
    /// Bank code of three digits, with or without the four of the branch.
    pub bank: String,
    /// Account number.
    pub number: String,
    /// Most payments the bank takes in one order; at most 100,000.
    pub most: u32,
}

impl Desk {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The legal day now.
    #[must_use]
    pub fn today(&self) -> Date {
        civic::legal_day(self.now())
    }

    /// The service of this folder name.
    ///
    /// # Errors
    /// [`CaseError::NoService`] when there is none or it has been withdrawn.
    pub fn service(&self, id: &str) -> Result<&Arc<Service>, CaseError> {
        self.catalogue
            .get(id)
            .ok_or_else(|| CaseError::NoService(id.to_owned()))
    }

    /// The purpose for which a service's data is used, as the ledger keeps it.
    #[must_use]
    pub fn purpose(&self, service: &Service, function: &str, application: Option<ApplicationId>) -> Purpose {
        let code = service.meta.purposes.first().cloned().unwrap_or_default();
        Purpose {
            code,
            basis: service.meta.legal_basis.clone(),
            function: function.to_owned(),
            application,
        }
    }
}
