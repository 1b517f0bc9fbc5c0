//! The people of the twins, and a browser without windows.

use jiff::Timestamp;
use peers::{Account, Authority, Population, Terms};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// Two made-up people.
pub const MEI: &str = "A223456781";
pub const HAO: &str = "A123456789";

pub struct People;

impl Population for People {
    fn accounts(&self) -> Vec<Account> {
        [MEI, HAO].into_iter().filter_map(|id| self.find(id)).collect()
    }

    fn find(&self, national_id: &str) -> Option<Account> {
        let name = match national_id {
            MEI => "林阿梅",
            HAO => "陳浩",
            _ => return None,
        };
        Some(Account {
            national_id: national_id.to_owned(),
            name: name.to_owned(),
            birth_date: jiff::civil::date(1950, 3, 15),
            email: None,
            phone: None,
            note: String::new(),
        })
    }

    fn data_set(&self, _: &str, _: &str) -> Option<Value> {
        None
    }
}

pub fn people() -> Arc<dyn Population> {
    Arc::new(People)
}

/// One authority for all tests: its keys take long to make.
pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());

/// A clock that tests move.
pub fn terms() -> (Arc<civic::FixedClock>, Terms) {
    let clock = Arc::new(civic::FixedClock::new(Timestamp::now()));
    let terms = Terms {
        clock: clock.clone(),
        ..Terms::default()
    };
    (clock, terms)
}

/// The hidden fields of a page's form.
pub fn hidden(page: &str) -> Vec<(String, String)> {
    page.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|part| {
            let (name, rest) = part.split_once("\" value=\"").unwrap();
            let (value, _) = rest.split_once('"').unwrap();
            let value = value.replace("&#39;", "'").replace("&quot;", "\"").replace("&lt;", "<");
            (name.to_owned(), value.replace("&gt;", ">").replace("&amp;", "&"))
        })
        .collect()
}
