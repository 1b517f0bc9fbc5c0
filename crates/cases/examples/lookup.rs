//! Lookups under load: `lookup ROWS CASES SECONDS CLIENTS RATE` makes a lake of so many permits and so many cases whose
//! applicants have one, then has clients ask, first as fast as they can, then at a rate. Prints what it took as JSON. `cargo
//! xtask bench lookup` runs it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cases::breach::Policy;
use cases::datasets::{Datasets, Places, lookup};
use cases::people::{self, NewPerson};
use cases::staff::{self, NewStaff};
use cases::{City, CityAccount, Desk, Role, Staff, collect};
use civic::ids::ApplicationId;
use civic::{Channel, Language, NationalId, SystemClock, Text, WorkCalendar};
use hub::{Dataset, Job, Lake};
use services::Catalogue;
use store::StoreError;
use store::sea_orm::ConnectionTrait as _;

type Failed = Box<dyn std::error::Error + Send + Sync>;

const PERMITS: &str = "disabled-parking-permits";
const KEY: [u8; 16] = *b"sixteen bytes ok";

/// A valid national id for each number.
fn national_id(number: u32) -> String {
    let digits = format!("2{number:07}");
    // B is 11; weights 1, 9, 8 … 1, and a last digit that makes the sum a multiple of ten
    let weighted = digits
        .bytes()
        .zip((1..=8).rev())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight);
    let sum = 10 + weighted.sum::<u32>();
    format!("B{digits}{}", (10 - sum % 10) % 10)
}

/// The lake with one permit a person.
async fn lake(home: &Path, rows: u32) -> Result<Places, Failed> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let folder = home.join("datasets").join(PERMITS);
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(folders.join(PERMITS).join("owners.csv"), folder.join("owners.csv"))?;
    let text = std::fs::read_to_string(folders.join(PERMITS).join("dataset.toml"))?;
    std::fs::write(folder.join("dataset.toml"), text.replace("\"big5\"", "\"utf-8\""))?;
    let mut csv = "識別證號,身分證字號,姓名,車號,車主關係,生效日期,有效期限,身障證明期限,備註\n".to_owned();
    for number in 0..rows {
        let (id, plate) = (national_id(number), number % 10_000);
        writeln!(
            csv,
            "P{number:07},{id},王小明,ABC-{plate:04},1,113/01/15,118/01/14,永久,"
        )?;
    }
    std::fs::write(home.join("permits.csv"), csv)?;
    let places = Places {
        folders: home.join("datasets"),
        lake: home.join("lake"),
        work: home.join("work"),
        keys: home.join("keys"),
    };
    std::fs::create_dir_all(&places.keys)?;
    std::fs::write(places.keys.join(format!("{PERMITS}.key")), hex::encode(KEY))?;
    let dataset = Arc::new(Dataset::load(&folder)?);
    let job = Job::new(&places.work, Some(&KEY), jiff::Timestamp::now());
    let report = hub::ingest(&Lake::local(&places.lake)?, &dataset, &home.join("permits.csv"), &job).await?;
    if report.rows != u64::from(rows) {
        return Err(format!("{report:?}").into());
    }
    Ok(places)
}

fn desk(store: &store::Store, datasets: Datasets, breach: Policy) -> Desk {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let account = CityAccount {
        name: "示範市政府".to_owned(),
        bank: "004".to_owned(),
        number: "004012345678".to_owned(),
        most: 20_000,
    };
    Desk {
        store: store.clone(),
        catalogue: Arc::new(Catalogue::load(&root.join("services"), &root.join("datasets"))),
        clock: Arc::new(SystemClock),
        mydata: None,
        provider: None,
        wallet: None,
        road: None,
        datasets: Some(datasets),
        mail: None,
        ways: Default::default(),
        scans: Default::default(),
        city: City {
            region: "taichung".to_owned(),
            name: Text::chinese("示範市".to_owned()),
            agency: Text::chinese("示範市政府社會局".to_owned()),
            phone: "1999".to_owned(),
            portal: "https://city.example".to_owned(),
            sender: "noreply@city.example".to_owned(),
            account,
            grace: jiff::SignedDuration::from_mins(10),
        },
        calendar: WorkCalendar::default(),
        agents: Default::default(),
        identity: Default::default(),
        breach,
        recent: Default::default(),
    }
}

/// Cases of persons spread over the dataset, all in review.
async fn cases_of(desk: &Desk, rows: u32, count: u32) -> Result<Vec<ApplicationId>, Failed> {
    let mut ids = Vec::new();
    for number in 0..count {
        let person = NewPerson {
            national_id: NationalId::parse(&national_id(number * (rows / count).max(1)))?,
            name: "王小明".to_owned(),
            email: None,
            phone: None,
        };
        let person = people::sign_in(desk, person).await?;
        ids.push(collect::open(desk, &person, "low-income", Channel::Online, Language::ZhTw).await?);
    }
    let moved = desk.store.write(|tx| {
        Box::pin(async move {
            let done = tx.execute_unprepared("UPDATE application SET state = 'review'").await;
            done.map(drop).map_err(StoreError::from)
        })
    });
    moved.await?;
    Ok(ids)
}

async fn officer(desk: &Desk) -> Result<Staff, Failed> {
    let service = desk.service("low-income")?;
    let new = NewStaff {
        account: "officer".to_owned(),
        name: "承辦人".to_owned(),
        role: Role::Officer,
        agency: service.meta.agency.get(Language::ZhTw).to_owned(),
        password: zeroize::Zeroizing::new("a long enough password".to_owned()),
        totp_secret: zeroize::Zeroizing::new(vec![7; 20]),
    };
    let id = staff::add(desk, new).await?;
    Ok(staff::get(desk, id).await?)
}

/// What a load of lookups took.
struct Took {
    lookups: usize,
    seconds: f64,
    times: Vec<Duration>,
}

impl Took {
    fn of(began: Instant, mut times: Vec<Duration>) -> Took {
        times.sort_unstable();
        Took {
            lookups: times.len(),
            seconds: began.elapsed().as_secs_f64(),
            times,
        }
    }

    fn per_second(&self) -> f64 {
        u32::try_from(self.lookups).map_or(f64::NAN, f64::from) / self.seconds
    }

    /// Milliseconds within which so many of a thousand were answered.
    fn within(&self, of_thousand: usize) -> f64 {
        let last = self.times.len().saturating_sub(1);
        let at = (self.times.len() * of_thousand / 1000).min(last);
        self.times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }
}

/// Those who ask, and about what.
struct Asking {
    desk: Desk,
    officer: Staff,
    ids: Vec<ApplicationId>,
}

impl Asking {
    async fn one(&self, number: usize) -> Result<(), Failed> {
        // a step that walks through all of them in no order of theirs
        let at = number.wrapping_mul(7919) % self.ids.len();
        let id = self.ids.get(at).copied().ok_or("no case")?;
        let answer = lookup::ask(&self.desk, &self.officer, id, 0, Some("p1".to_owned())).await?;
        match answer.found.rows.as_slice() {
            [row] if row.values.iter().all(Option::is_some) => Ok(()),
            rows => Err(format!("{} rows where one was expected", rows.len()).into()),
        }
    }

    /// Clients that ask one after the other until the time is over.
    async fn fast(self: &Arc<Self>, seconds: u64, clients: u64) -> Result<Took, Failed> {
        let began = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let client = |_| {
            let (city, next) = (Arc::clone(self), Arc::clone(&next));
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < Duration::from_secs(seconds) {
                    let begun = Instant::now();
                    city.one(next.fetch_add(1, Ordering::Relaxed)).await?;
                    times.push(begun.elapsed());
                }
                Ok::<_, Failed>(times)
            })
        };
        let mut times = Vec::new();
        for client in (0..clients).map(client).collect::<Vec<_>>() {
            times.extend(client.await??);
        }
        Ok(Took::of(began, times))
    }

    /// Lookups begun at a rate, whether or not those before have ended. A time counts from when the lookup was due.
    async fn paced(self: &Arc<Self>, seconds: u64, rate: u64) -> Result<Took, Failed> {
        let began = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(1));
        let (mut begun, mut asking) = (0, Vec::new());
        while begun < seconds * rate {
            ticks.tick().await;
            loop {
                let due = began + Duration::from_nanos(begun * 1_000_000_000 / rate);
                if begun >= seconds * rate || due > Instant::now() {
                    break;
                }
                let (city, number) = (Arc::clone(self), usize::try_from(begun)?);
                asking.push(tokio::spawn(async move {
                    city.one(number).await?;
                    Ok::<_, Failed>(due.elapsed())
                }));
                begun += 1;
            }
        }
        let mut times = Vec::new();
        for one in asking {
            times.push(one.await??);
        }
        Ok(Took::of(began, times))
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failed> {
    let args: Vec<u64> = std::env::args()
        .skip(1)
        .map(|arg| arg.parse())
        .collect::<Result<_, _>>()?;
    let [rows, count, seconds, clients, rate] = args.as_slice() else {
        return Err("usage: lookup ROWS CASES SECONDS CLIENTS RATE".into());
    };
    let home = tempfile::tempdir()?;
    let begun = Instant::now();
    let places = lake(home.path(), u32::try_from(*rows)?).await?;
    let ingest_s = begun.elapsed().as_secs_f64();
    let (datasets, unusable) = Datasets::open(&places)?;
    if !unusable.is_empty() {
        return Err(format!("{unusable:?}").into());
    }
    let begun = Instant::now();
    datasets.refresh(jiff::Timestamp::now()).await;
    let copy_s = begun.elapsed().as_secs_f64();
    let store = store::testing::sqlite(Arc::new(SystemClock)).await;
    let desk = desk(&store.store, datasets, Policy::built_in()?);
    let ids = cases_of(&desk, u32::try_from(*rows)?, u32::try_from(*count)?).await?;
    let officer = officer(&desk).await?;
    let asking = Arc::new(Asking { desk, officer, ids });
    let before = store::ledger::head(store.store.read()).await?.seq;
    let fast = asking.fast(*seconds, *clients).await?;
    let paced = asking.paced(*seconds, *rate).await?;
    let entries = store::ledger::head(store.store.read()).await?.seq - before;
    let verified = store::ledger::verify(&store.store, None).await.is_ok();
    let made = u64::try_from(fast.lookups + paced.lookups)?;
    let said = serde_json::json!({
        "ingest_s": ingest_s,
        "copy_s": copy_s,
        "lookups_per_s": fast.per_second(),
        "p50_ms": fast.within(500),
        "p99_ms": fast.within(990),
        "paced_per_s": paced.per_second(),
        "paced_p50_ms": paced.within(500),
        "paced_p99_ms": paced.within(990),
        "recorded": verified && entries == made,
        "peak_mib": peak_mib(),
    });
    println!("{said}");
    Ok(())
}

/// The most memory this process had (`VmHWM`), where the system tells.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024.0)
}
