//! A desk on a fresh store with a clock that stands still, people with valid ids, and the short ways through the verbs.

mod bank;
mod post;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use cases::collect::{Draft, Receipt};
use cases::people::NewPerson;
use cases::staff::{NewStaff, Role, Staff};
use cases::{City, CityAccount, Desk, Person, collect, jobs, people, review, staff};
use civic::ids::ApplicationId;
use civic::{Channel, Clock, FixedClock, Language, NationalId, Text, WorkCalendar};
use jiff::{SignedDuration, Timestamp};
use services::Catalogue;
use services::form::{Raw, SHOWN};
use store::testing::TestStore;
use zeroize::Zeroizing;

pub use bank::{Bank, refusal_of_a_second, says};
pub use post::post;

/// The service of the tests.
pub const SERVICE: &str = "senior-allowance";
/// Language of the pages.
pub const ZH: Language = Language::ZhTw;

static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let catalogue = Catalogue::load(&root.join("services"), &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    Arc::new(catalogue)
});

/// The services of the repository, read once.
pub fn catalogue() -> Arc<Catalogue> {
    Arc::clone(&CATALOGUE)
}

/// A city at work.
pub struct Kit {
    pub desk: Arc<Desk>,
    pub clock: Arc<FixedClock>,
    /// Keeps its folder as long as the kit lives.
    _store: TestStore,
}

fn start() -> Timestamp {
    "2026-11-20T02:00:00Z".parse().unwrap()
}

/// Runs a test on each engine there is.
pub async fn each_engine<R: Future<Output = ()>>(test: impl Fn(Kit) -> R) {
    let clock = Arc::new(FixedClock::new(start()));
    test(Kit::on(store::testing::sqlite(clock.clone()).await, clock)).await;
    let clock = Arc::new(FixedClock::new(start()));
    if let Some(store) = store::testing::postgres(clock.clone()).await {
        test(Kit::on(store, clock)).await;
    }
}

/// A kit on SQLite.
pub async fn sqlite() -> Kit {
    let clock = Arc::new(FixedClock::new(start()));
    Kit::on(store::testing::sqlite(clock.clone()).await, clock)
}

/// The city of the tests.
pub fn city() -> City {
    City {
        region: "taichung".to_owned(),
        name: Text::chinese("示範市".to_owned()),
        agency: Text::chinese("示範市政府社會局".to_owned()),
        phone: "1999".to_owned(),
        portal: "https://city.example".to_owned(),
        sender: "noreply@city.example".to_owned(),
        account: CityAccount {
            name: "示範市政府".to_owned(),
            bank: "004".to_owned(),
            number: "004012345678".to_owned(),
            most: 20_000,
        },
        grace: SignedDuration::from_mins(10),
    }
}

/// The desk of a city that is connected to nobody.
pub fn desk_of(store: &store::Store, clock: Arc<dyn Clock>) -> Desk {
    Desk {
        store: store.clone(),
        catalogue: catalogue(),
        clock,
        mydata: None,
        provider: None,
        wallet: None,
        road: None,
        datasets: None,
        mail: None,
        ways: Default::default(),
        scans: Default::default(),
        city: city(),
        calendar: WorkCalendar::default(),
        agents: Default::default(),
        identity: Default::default(),
        breach: cases::breach::Policy::built_in().unwrap(),
        recent: Default::default(),
    }
}

impl Kit {
    fn on(store: TestStore, clock: Arc<FixedClock>) -> Kit {
        Kit::with(store, clock, None)
    }

    /// A kit that is connected to a MyData platform.
    pub fn with(store: TestStore, clock: Arc<FixedClock>, mydata: Option<exchange::mydata::Connector>) -> Kit {
        let desk = Desk {
            mydata,
            ..desk_of(&store.store, clock.clone())
        };
        Kit {
            desk: Arc::new(desk),
            clock,
            _store: store,
        }
    }

    /// The same city after a change.
    fn changed(self, change: impl FnOnce(&mut Desk)) -> Kit {
        let mut desk = desk_of(&self.desk.store, self.clock.clone());
        change(&mut desk);
        Kit {
            desk: Arc::new(desk),
            ..self
        }
    }

    /// The same city with other services on offer.
    pub fn offering(self, catalogue: Catalogue) -> Kit {
        self.changed(|desk| desk.catalogue = Arc::new(catalogue))
    }

    /// The same city as data provider of the MyData platform.
    pub fn providing(self, provider: exchange::mydata::provider::Provider) -> Kit {
        self.changed(|desk| desk.provider = Some(provider))
    }

    /// The same city with ways to wallets, and perhaps other services on offer.
    pub fn with_wallet(self, wallet: cases::wallet::Wallet, catalogue: Option<Catalogue>) -> Kit {
        self.changed(|desk| {
            desk.wallet = Some(wallet);
            if let Some(catalogue) = catalogue {
                desk.catalogue = Arc::new(catalogue);
            }
        })
    }

    /// The same city with ways to tell people beside mail, and the services that it has.
    pub fn told_by(self, ways: cases::channels::Ways) -> Kit {
        let catalogue = Arc::clone(&self.desk.catalogue);
        self.changed(|desk| {
            desk.catalogue = catalogue;
            desk.ways = ways;
        })
    }

    /// The same city with a mail server beside what it has.
    pub fn mailing(mut self, mailer: exchange::mail::Mailer) -> Kit {
        Arc::get_mut(&mut self.desk).unwrap().mail = Some(mailer);
        self
    }

    /// The same city with a gateway to T-Road.
    pub fn on_the_road(self, road: cases::road::Road) -> Kit {
        self.changed(|desk| desk.road = Some(road))
    }

    /// The same city with datasets that may be asked.
    pub fn knowing(self, datasets: cases::datasets::Datasets) -> Kit {
        self.changed(|desk| desk.datasets = Some(datasets))
    }

    /// The same city with these ways to sign in.
    pub fn proving(self, methods: cases::identity::Methods) -> Kit {
        self.changed(|desk| desk.identity = methods)
    }

    /// Time goes by.
    pub fn wait(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// The resident of this number.
    pub async fn person(&self, number: u32) -> Person {
        people::sign_in(&self.desk, new_person(number)).await.unwrap()
    }

    /// A member of the office that decides.
    pub async fn staff(&self, account: &str, role: Role) -> Staff {
        let agency = self.desk.service(SERVICE).unwrap().meta.agency.get(ZH).to_owned();
        let new = NewStaff {
            account: account.to_owned(),
            name: format!("{account} 先生"),
            role,
            agency,
            password: Zeroizing::new("a long enough password".to_owned()),
            totp_secret: Zeroizing::new(vec![7; 20]),
        };
        let id = staff::add(&self.desk, new).await.unwrap();
        staff::get(&self.desk, id).await.unwrap()
    }

    /// An application opened and agreed to.
    pub async fn open(&self, person: &Person) -> ApplicationId {
        let id = collect::open(&self.desk, person, SERVICE, Channel::Online, ZH)
            .await
            .unwrap();
        collect::agree(&self.desk, person, id, ZH).await.unwrap();
        id
    }

    /// Answers everything that is still asked.
    pub async fn fill(&self, person: &Person, id: ApplicationId) -> Draft {
        fill(&self.desk, person, id).await
    }

    /// An application handed in.
    pub async fn submitted(&self, person: &Person) -> (ApplicationId, Receipt) {
        let id = self.open(person).await;
        let draft = self.fill(person, id).await;
        let receipt = collect::submit(&self.desk, person, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        (id, receipt)
    }

    /// The revision of a case.
    pub async fn revision(&self, id: ApplicationId) -> i64 {
        self.row(id).await.revision
    }

    /// The row of a case.
    pub async fn row(&self, id: ApplicationId) -> store::tables::application::Model {
        store::tables::application::by_id(self.desk.store.read(), id.uuid())
            .await
            .unwrap()
            .unwrap()
    }

    /// Takes and approves a case, and lets its letter leave.
    pub async fn approved(&self, officer: &Staff, id: ApplicationId) {
        review::take(&self.desk, officer, id, self.revision(id).await)
            .await
            .unwrap();
        self.approved_taken(officer, id).await;
    }

    /// Approves a case that is taken, and lets its letter leave.
    pub async fn approved_taken(&self, officer: &Staff, id: ApplicationId) {
        review::approve(&self.desk, officer, id, self.revision(id).await, "")
            .await
            .unwrap();
        self.wait(1);
        self.work().await;
    }

    /// Does what waits in the outbox.
    pub async fn work(&self) -> usize {
        jobs::relay(&self.desk).round(&self.desk.store).await.unwrap()
    }

    /// Checks the whole usage ledger.
    pub async fn ledger_holds(&self) -> u64 {
        store::ledger::verify(&self.desk.store, None).await.unwrap().entries
    }
}

/// Answers everything that is still asked, page by page.
pub async fn fill(desk: &Desk, person: &Person, id: ApplicationId) -> Draft {
    let mut draft = collect::draft(desk, person, id).await.unwrap();
    while let Some(first) = draft.questions.first() {
        let page = first.address.clone();
        let keys: Vec<String> = draft
            .questions
            .iter()
            .filter(|asked| asked.address == page)
            .map(|asked| asked.key.clone())
            .collect();
        draft = collect::save(desk, person, id, draft.revision, &page, typed(&keys), ZH)
            .await
            .unwrap();
    }
    draft
}

/// What a woman of 76 types who lives alone with little: the rules give her the full amount.
pub fn typed(keys: &[String]) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    for key in keys {
        let entry = match key.rsplit('.').next().unwrap() {
            "birth_date" => {
                for (part, text) in [("year", "39"), ("month", "3"), ("day", "15")] {
                    raw.insert(format!("{key}.{part}"), vec![text.to_owned()]);
                }
                continue;
            }
            "account" => {
                raw.insert(format!("{key}.bank"), vec!["700".to_owned()]);
                raw.insert(format!("{key}.account"), vec!["00012345678901".to_owned()]);
                continue;
            }
            "region" => "taichung",
            "lives_at_registration" => "yes",
            "days_in_country" => "350",
            "in_public_care" | "in_custody" | "student" | "land_value_relief" | "gives_up_other" => "no",
            "listed_status" | "other_allowance" | "disability" | "work_obstacle" | "exclusion" => "none",
            "work_status" => "not_working",
            "phone" => "0912-345-678",
            "email" => "elder@people.example",
            "registered_address" => "臺中市西區民生路1號",
            "name" => "林阿梅",
            "national_id" => "A123456789",
            "members" => "yes",
            // every amount
            _ => "0",
        };
        raw.insert(key.clone(), vec![entry.to_owned()]);
    }
    raw
}

/// Answers as typed by hand.
pub fn raw(pairs: &[(&str, &str)]) -> Raw {
    let mut raw: Raw = BTreeMap::new();
    for (name, value) in pairs {
        raw.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    raw
}

/// Who signs in as the resident of this number.
pub fn new_person(number: u32) -> NewPerson {
    NewPerson {
        national_id: national_id(number),
        name: format!("林阿梅{number}"),
        email: Some("elder@people.example".to_owned()),
        phone: Some("0912345678".to_owned()),
    }
}

/// A valid national id of Taichung for each number.
pub fn national_id(number: u32) -> NationalId {
    let digits = format!("2{:07}", number % 10_000_000);
    // B is 11; weights 1, 9, 8 … 1, and a last digit that makes the sum a multiple of ten.
    let sum = 1
        + 9
        + digits
            .bytes()
            .zip((1..=8).rev())
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum::<u32>();
    NationalId::parse(&format!("B{digits}{}", (10 - sum % 10) % 10)).unwrap()
}
