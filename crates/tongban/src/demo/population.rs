//! The city as the demonstration's outside world knows it: who can sign in, and what the agencies answer.

use civic::Language;
use peers::{Account, Population};
use serde_json::Value;

use super::city::{City, Resident};
use super::stories::Story;

impl Population for City {
    fn accounts(&self) -> Vec<Account> {
        (0..Story::ALL.len())
            .filter_map(|number| account(&self.head(number)?))
            .collect()
    }

    fn find(&self, national_id: &str) -> Option<Account> {
        account(&self.resident(national_id)?)
    }

    fn data_set(&self, national_id: &str, resource_id: &str) -> Option<Value> {
        City::data_set(self, national_id, resource_id)
    }
}

impl City {
    /// The head of a family, as the outside world knows them.
    #[must_use]
    pub fn head_account(&self, family: usize) -> Option<Account> {
        account(&self.head(family)?)
    }
}

/// The account of a resident. Those who tell a story can be reached; the others have given neither address nor number.
fn account(resident: &Resident) -> Option<Account> {
    let person = resident.person()?;
    let story = Story::ALL.get(resident.number).filter(|_| resident.index == 0);
    let note = story.map(|story| {
        let note = story.note();
        format!("{} / {}", note.get(Language::ZhTw), note.get(Language::En))
    });
    Some(Account {
        national_id: resident.id_of(resident.index)?.reveal().to_owned(),
        name: person.name.to_string(),
        birth_date: person.birth,
        email: story.map(|story| format!("{}@resident.example", story.word())),
        phone: story.map(|_| format!("09000000{:02}", resident.number + 1)),
        note: note.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use civic::{MobileNumber, NationalId};
    use jiff::civil::date;
    use peers::Population;

    #[test]
    fn everybody_offered_can_be_found_and_has_their_data() {
        let city = super::super::generate(2_000, 7, date(2026, 11, 25)).unwrap();
        let people: &dyn Population = &city;
        let accounts = people.accounts();
        assert_eq!(accounts.len(), 8);
        assert_eq!(
            accounts
                .iter()
                .map(|one| &one.national_id)
                .collect::<BTreeSet<_>>()
                .len(),
            8
        );
        let mut missing = 0;
        for account in &accounts {
            assert!(NationalId::parse(&account.national_id).is_ok());
            assert!(MobileNumber::parse(account.phone.as_deref().unwrap()).is_ok());
            assert!(account.note.contains(" / "));
            assert_eq!(people.find(&account.national_id).as_ref(), Some(account));
            for resource in [
                "API.HouseReg01",
                "API.IncomeYr01",
                "API.Property01",
                "API.Disabled01",
                "API.EntryExit1",
                "API.Welfare001",
            ] {
                missing += usize::from(people.data_set(&account.national_id, resource).is_none());
            }
            assert_eq!(people.data_set(&account.national_id, "API.Unknown001"), None);
        }
        assert_eq!(missing, 1);
        assert_eq!(people.find("A123456789"), None);
        assert_eq!(people.data_set("A123456789", "API.HouseReg01"), None);
    }
}
