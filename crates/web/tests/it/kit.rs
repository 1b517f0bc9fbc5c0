//! A desk on a fresh store with a clock that stands still, people with valid ids, and the short ways through the verbs.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use cases::collect::Draft;
use cases::people::NewPerson;
use cases::staff::{NewStaff, Role, Staff};
use cases::{City, CityAccount, Desk, Person, collect, jobs, people, review, staff};
use civic::ids::ApplicationId;
use civic::{Channel, FixedClock, Language, NationalId, Text, WorkCalendar};
use exchange::mydata::Connector;
use jiff::{SignedDuration, Timestamp};
use services::Catalogue;
use services::form::{Raw, SHOWN};
use store::testing::TestStore;

/// The service of the tests.
pub const SERVICE: &str = "senior-allowance";
const ZH: Language = Language::ZhTw;

/// The services of the repository, read once.
pub static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Arc::new(Catalogue::load(&root.join("services"), &root.join("datasets")))
});

/// The subsidy programmes of the repository, read once.
pub static PROGRAMMES: LazyLock<Vec<Arc<grants::Programme>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114");
    vec![Arc::new(grants::Programme::load(&folder).unwrap())]
});

/// A city at work.
pub struct Kit {
    pub desk: Arc<Desk>,
    pub clock: Arc<FixedClock>,
    /// Keeps its folder as long as the kit lives.
    _store: TestStore,
}

impl Kit {
    /// A kit with these services, or those of the repository, on Thursday 20 November 2025.
    pub async fn new(catalogue: Option<Catalogue>) -> Kit {
        let catalogue = catalogue.map_or_else(|| Arc::clone(&CATALOGUE), Arc::new);
        Kit::at("2025-11-20T02:00:00Z".parse().unwrap(), catalogue, None).await
    }

    /// A kit at a time, connected to a MyData platform or not.
    pub async fn at(now: Timestamp, catalogue: Arc<Catalogue>, mydata: Option<Connector>) -> Kit {
        let clock = Arc::new(FixedClock::new(now));
        let store = store::testing::sqlite(clock.clone()).await;
        let city = City {
            region: "taichung".to_owned(),
            name: Text::chinese("示範市"),
            agency: Text::chinese("示範市政府社會局"),
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
        };
        let desk = Desk {
            store: store.store.clone(),
            catalogue,
            clock: clock.clone(),
            mydata,
            mail: None,
            ways: Default::default(),
            city,
            calendar: WorkCalendar::default(),
            agents: Default::default(),
            identity: Default::default(),
            provider: None,
            wallet: None,
            road: None,
            datasets: None,
            scans: Default::default(),
            breach: cases::breach::Policy::built_in().unwrap(),
            recent: Default::default(),
        };
        Kit {
            desk: Arc::new(desk),
            clock,
            _store: store,
        }
    }

    /// The same city after a change.
    pub fn changed(mut self, change: impl FnOnce(&mut Desk)) -> Kit {
        change(Arc::get_mut(&mut self.desk).unwrap());
        self
    }

    /// The desk of the subsidy programmes, on the same store.
    pub fn subsidies(&self) -> Arc<subsidies::Desk> {
        Arc::new(subsidies::Desk {
            store: self.desk.store.clone(),
            programmes: PROGRAMMES.clone(),
            city: "基隆市".to_owned(),
            clock: self.clock.clone(),
        })
    }

    /// Time goes by.
    pub fn wait(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// The resident of this number.
    pub async fn person(&self, number: u32) -> Person {
        let new = NewPerson {
            national_id: national_id(number),
            name: format!("林阿梅{number}"),
            email: Some("elder@people.example".to_owned()),
            phone: Some("0912345678".to_owned()),
        };
        people::sign_in(&self.desk, new).await.unwrap()
    }

    /// A member of the office that decides.
    pub async fn staff(&self, account: &str, role: Role) -> Staff {
        self.staff_of(SERVICE, account, role).await
    }

    /// A member of the office that decides a service.
    pub async fn staff_of(&self, service: &str, account: &str, role: Role) -> Staff {
        let agency = self
            .desk
            .service(service)
            .map_or("示範市政府", |service| service.meta.agency.get(ZH))
            .to_owned();
        self.staff_in(&agency, account, role).await
    }

    /// Somebody of this office.
    pub async fn staff_in(&self, agency: &str, account: &str, role: Role) -> Staff {
        let new = NewStaff {
            account: account.to_owned(),
            name: format!("{account} 先生"),
            role,
            agency: agency.to_owned(),
            password: "a long enough password".to_owned().into(),
            totp_secret: vec![7; 20].into(),
        };
        let id = staff::add(&self.desk, new).await.unwrap();
        staff::get(&self.desk, id).await.unwrap()
    }

    /// An application opened and agreed to.
    pub async fn opened(&self, person: &Person) -> ApplicationId {
        let id = collect::open(&self.desk, person, SERVICE, Channel::Online, ZH)
            .await
            .unwrap();
        collect::agree(&self.desk, person, id, ZH).await.unwrap();
        id
    }

    /// An application with every question answered, as the page of the check shows it.
    pub async fn filled(&self, person: &Person) -> Draft {
        let id = self.opened(person).await;
        let mut draft = collect::draft(&self.desk, person, id).await.unwrap();
        while let Some(first) = draft.questions.first() {
            let page = first.address.clone();
            let keys: Vec<String> = draft
                .questions
                .iter()
                .filter(|asked| asked.address == page)
                .map(|asked| asked.key.clone())
                .collect();
            draft = collect::save(&self.desk, person, id, draft.revision, &page, typed(&keys), ZH)
                .await
                .unwrap();
        }
        draft
    }

    /// An application handed in.
    pub async fn submitted(&self, person: &Person) -> ApplicationId {
        let draft = self.filled(person).await;
        collect::submit(&self.desk, person, draft.id, draft.revision, draft.form_token)
            .await
            .unwrap();
        draft.id
    }

    /// The row of a case.
    pub async fn row(&self, id: ApplicationId) -> store::tables::application::Model {
        store::tables::application::by_id(self.desk.store.read(), id.uuid())
            .await
            .unwrap()
            .unwrap()
    }

    /// The revision of a case.
    pub async fn revision(&self, id: ApplicationId) -> i64 {
        self.row(id).await.revision
    }

    /// Takes and approves a case, and lets its letter leave.
    pub async fn approved(&self, officer: &Staff, id: ApplicationId) {
        review::take(&self.desk, officer, id, self.revision(id).await)
            .await
            .unwrap();
        review::approve(&self.desk, officer, id, self.revision(id).await, "")
            .await
            .unwrap();
        self.wait(1);
        self.work().await;
    }

    /// Does what waits in the outbox.
    pub async fn work(&self) {
        jobs::relay(&self.desk).round(&self.desk.store).await.unwrap();
    }
}

/// What a woman of 75 types who lives alone with little: the rules give her the full amount.
pub fn typed(keys: &[String]) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    let mut put = |key: String, text: &str| raw.insert(key, vec![text.to_owned()]);
    for key in keys {
        let text = match key.rsplit('.').next().unwrap() {
            "birth_date" => {
                for (part, text) in [("year", "39"), ("month", "3"), ("day", "15")] {
                    put(format!("{key}.{part}"), text);
                }
                continue;
            }
            "account" => {
                put(format!("{key}.bank"), "700");
                put(format!("{key}.account"), "00012345678901");
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
            "members" => "yes",
            // every amount
            _ => "0",
        };
        put(key.clone(), text);
    }
    raw
}

/// A valid national id of Taichung for each number.
pub fn national_id(number: u32) -> NationalId {
    let digits = format!("2{number:07}");
    // B is 11; weights 1, 9, 8 … 1, and a last digit that makes the sum a multiple of ten.
    let sum = 10
        + digits
            .bytes()
            .zip((1..=8).rev())
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum::<u32>();
    NationalId::parse(&format!("B{digits}{}", (10 - sum % 10) % 10)).unwrap()
}
