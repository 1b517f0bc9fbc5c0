//! The peers started on a clock that tests move, with a city that takes notifications.

pub mod city;
pub mod http;
pub mod mydata;

use city::City;
use civic::FixedClock;
use jiff::{SignedDuration, Timestamp};
use peers::{Account, Config, Faults, Population, Ports, Resource, Running, Terms};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use url::Url;

/// Two data sets, one of which takes its time.
pub const HOUSEHOLD: &str = "API.HouseReg01";
pub const INCOME: &str = "API.IncomeYr01";
/// Two made-up people; of the second the income office knows nothing.
pub const MEI: &str = "A223456781";
pub const HAO: &str = "A123456789";
/// Seconds the slow agency takes.
pub const WAIT: u64 = 120;

/// Keys that one world has made, for the next: making them takes longer than most tests.
static KEYS: OnceLock<Vec<u8>> = OnceLock::new();

struct People;

impl Population for People {
    fn accounts(&self) -> Vec<Account> {
        [MEI, HAO].into_iter().filter_map(|id| self.find(id)).collect()
    }

    fn find(&self, national_id: &str) -> Option<Account> {
        let name = match national_id {
            MEI => "林阿梅",
            HAO => "陳<b>浩</b>",
            _ => return None,
        };
        Some(Account {
            national_id: national_id.to_owned(),
            name: name.to_owned(),
            birth_date: jiff::civil::date(1950, 3, 15),
            email: Some("somebody@demo.invalid".to_owned()),
            phone: None,
            note: "made up".to_owned(),
        })
    }

    fn data_set(&self, national_id: &str, resource_id: &str) -> Option<Value> {
        (resource_id != INCOME || national_id == MEI).then(|| json!({ "of": resource_id, "id": national_id }))
    }
}

/// The peers and the city, gone when it is dropped.
pub struct World {
    pub peers: Running,
    pub city: City,
    pub clock: Arc<FixedClock>,
    began: Timestamp,
    pub folder: Arc<TempDir>,
}

impl World {
    /// On the terms of the real ones, except that the clock stands still.
    pub async fn new() -> World {
        World::in_folder(Arc::new(tempfile::tempdir().unwrap())).await
    }

    pub async fn with(faults: Faults) -> World {
        let world = World::new().await;
        world.peers.misbehave(faults);
        world
    }

    /// As if the program had been started again.
    pub async fn again(self) -> World {
        let folder = Arc::clone(&self.folder);
        self.peers.shutdown().await;
        World::in_folder(folder).await
    }

    async fn in_folder(folder: Arc<TempDir>) -> World {
        let began = Timestamp::now();
        let clock = Arc::new(FixedClock::new(began));
        let terms = Terms {
            clock: clock.clone(),
            ..Terms::default()
        };
        let city = City::open().await;
        let keys = folder.path().join("peers/keys.json");
        if let Some(known) = KEYS.get().filter(|_| !keys.exists()) {
            std::fs::create_dir_all(keys.parent().unwrap()).unwrap();
            std::fs::write(&keys, known).unwrap();
        }
        let peers = peers::start_on(config(&city, &folder), terms).await.unwrap();
        KEYS.get_or_init(|| std::fs::read(&keys).unwrap());
        World {
            peers,
            city,
            clock,
            began,
            folder,
        }
    }

    /// The time at which the peers were started.
    pub fn clock_at_start(&self) -> Timestamp {
        self.began
    }

    /// Moves the clock on.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// The configuration of a city's peers.
pub fn config(city: &City, folder: &TempDir) -> Config {
    let set = |id: &str, title: &str, agency: &str, immediate| Resource {
        id: id.to_owned(),
        title: title.to_owned(),
        agency: agency.to_owned(),
        file: format!("{title}.json"),
        immediate,
    };
    Config {
        population: Arc::new(People),
        folder: folder.path().join("peers"),
        redirect_url: city.at("sign-in/return"),
        return_url: city.at("mydata/return"),
        notify_url: city.at("mydata/notify"),
        resources: vec![
            set(HOUSEHOLD, "戶籍 & 資料", "內政部", true),
            set(INCOME, "綜合所得", "財政部", false),
        ],
        offered: Vec::new(),
        cards: Vec::new(),
        wait_seconds: WAIT,
        ports: Ports::default(),
    }
}

/// An address of one of the peers.
pub fn at(base: &str, path: &str) -> Url {
    Url::parse(base).unwrap().join(path).unwrap()
}
