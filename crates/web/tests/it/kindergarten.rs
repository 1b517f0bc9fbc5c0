//! Families that register a child for a kindergarten: of the services of the repository the one with rounds.

use std::sync::Arc;

use cases::collect::{self, Draft, Members};
use cases::{Person, Role, Staff, round};
use civic::ids::ApplicationId;
use civic::{Channel, Clock as _, Language};
use jiff::Timestamp;
use services::form::{Raw, SHOWN};

use crate::kit::{CATALOGUE, Kit, national_id};
use crate::town::{Town, site};

/// The service.
pub const KINDERGARTEN: &str = "kindergarten";
/// The round that is open when the tests begin.
pub const ROUND: &str = "115-2";
/// Its page.
pub const PUBLIC: &str = "/rounds/kindergarten/115-2";
/// Its page for the office.
pub const OFFICE: &str = "/office/rounds/kindergarten/115-2";
/// A time in its window.
const OPEN: &str = "2026-11-20T02:00:00Z";
/// After its last minute.
pub const CLOSED: &str = "2027-02-26T09:30:00Z";
/// In the morning of the draw.
pub const DRAW: &str = "2027-03-06T02:00:00Z";

impl Town {
    /// A town in which the round is open.
    pub async fn in_round() -> Town {
        let kit = Kit::at(OPEN.parse().unwrap(), Arc::clone(&CATALOGUE), None).await;
        Town::on(kit, site()).await
    }
}

impl Kit {
    /// Time goes on to a moment.
    pub fn until(&self, time: &str) {
        let time: Timestamp = time.parse().unwrap();
        self.clock.advance(time.duration_since(self.clock.now()));
    }

    /// A registration filled in: this parent registers the child of this number, the first kindergarten wanted most.
    pub async fn child_filled(&self, person: &Person, child: u32, choices: &[&str]) -> Draft {
        let desk = &self.desk;
        let zh = Language::ZhTw;
        let id = collect::open(desk, person, KINDERGARTEN, Channel::Online, zh)
            .await
            .unwrap();
        collect::agree(desk, person, id, zh).await.unwrap();
        let revision = self.revision(id).await;
        let (mut draft, _) = collect::members(desk, person, id, revision, Members::Add)
            .await
            .unwrap();
        while let Some(first) = draft.questions.first() {
            let page = first.address.clone();
            let asked = draft.questions.iter().filter(|asked| asked.address == page);
            let keys: Vec<String> = asked.map(|asked| asked.key.clone()).collect();
            let raw = typed(&keys, child, choices);
            draft = collect::save(desk, person, id, draft.revision, &page, raw, zh)
                .await
                .unwrap();
        }
        assert_eq!(draft.decision.outcome, Some(true));
        draft
    }

    /// A registration handed in.
    pub async fn child_registered(&self, number: u32, choices: &[&str]) -> (Person, ApplicationId) {
        let person = self.person(number).await;
        let draft = self.child_filled(&person, number, choices).await;
        collect::submit(&self.desk, &person, draft.id, draft.revision, draft.form_token)
            .await
            .unwrap();
        (person, draft.id)
    }

    /// The round sealed: four families want the one seat of the first kindergarten, then that of the second.
    pub async fn sealed(&self) -> (Staff, Vec<(Person, ApplicationId)>) {
        let sealer = self.staff_of(KINDERGARTEN, "sealer", Role::Officer).await;
        let mut families = Vec::new();
        for number in 1..=4 {
            let family = self.child_registered(number, &["demo-1", "demo-2"]).await;
            self.approved(&sealer, family.1).await;
            families.push(family);
        }
        self.until(CLOSED);
        round::seal(&self.desk, &sealer, KINDERGARTEN, ROUND).await.unwrap();
        (sealer, families)
    }

    /// The round drawn, and everybody told.
    pub async fn drawn(&self) -> Vec<(Person, ApplicationId)> {
        let (_, families) = self.sealed().await;
        let drawer = self.staff_of(KINDERGARTEN, "drawer", Role::Supervisor).await;
        self.until(DRAW);
        round::draw(&self.desk, &drawer, KINDERGARTEN, ROUND, "07,41,18,02,33,26")
            .await
            .unwrap();
        self.work().await;
        families
    }

    /// The ticket of a family.
    pub async fn ticket(&self, person: &Person, id: ApplicationId) -> round::MyTicket {
        let case = cases::mine::case(&self.desk, person, id).await.unwrap();
        let [ticket] = case.tickets.as_slice() else {
            panic!("{} tickets", case.tickets.len());
        };
        ticket.clone()
    }
}

/// What a mother of one child of four types.
fn typed(keys: &[String], child: u32, choices: &[&str]) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    let id = national_id(5000 + child);
    for key in keys {
        let text = match key.rsplit('.').next().unwrap() {
            "birth_date" => {
                let year = if key.contains(".p2.") { "111" } else { "79" };
                for (part, text) in [("year", year), ("month", "3"), ("day", "15")] {
                    raw.insert(format!("{key}.{part}"), vec![text.to_owned()]);
                }
                continue;
            }
            "region" => "taichung",
            "standing" => "parent",
            "relation" => "child",
            "applies" | "same_registration" | "members" => "yes",
            "place_elsewhere" | "special_circumstances" | "indigenous" => "no",
            "listed_status" | "disability" | "sibling_place" => "none",
            "phone" => "0912-345-678",
            "email" => "mother@people.example",
            "registered_address" => "臺中市西區民生路1號",
            "name" => "陳小明",
            "national_id" => id.reveal(),
            "choice_1" => choices[0],
            "choice_2" => choices.get(1).copied().unwrap_or(""),
            "choice_3" => choices.get(2).copied().unwrap_or(""),
            other => panic!("nothing to type for {other}"),
        };
        raw.insert(key.clone(), vec![text.to_owned()]);
    }
    raw
}
