use civic::Purpose;
use uuid::Uuid;

use super::{Acting, Actor, Resource};

/// A question of access as the key of its remembered answer: everything the policies see of it, with identifiers numbered in
/// order of appearance. Policies compare identifiers with each other and with nothing else ([`super::Access::read`] takes no
/// others), so that the answer for one resident and their own case is the answer for every resident and theirs.
///
/// Each match names every field, so that a field added later can't be forgotten here.
pub(super) struct Question {
    key: Vec<u8>,
    seen: Vec<Uuid>,
}

impl Question {
    pub(super) fn key(actor: Actor<'_>, action: &str, resource: Resource<'_>, purpose: &Purpose) -> Vec<u8> {
        let mut question = Question {
            key: Vec::with_capacity(160),
            seen: Vec::new(),
        };
        question.actor(actor);
        question.word(action);
        question.resource(resource);
        // for which application is written in the ledger and not asked of the policies
        let Purpose {
            code,
            basis,
            function,
            application: _,
        } = purpose;
        question.words([code, basis, function]);
        question.key
    }

    /// Which of the identifiers so far.
    fn id(&mut self, id: Uuid) {
        let known = self.seen.iter().position(|seen| *seen == id);
        let place = known.unwrap_or_else(|| {
            self.seen.push(id);
            self.seen.len() - 1
        });
        self.count(place);
    }

    fn id_if_any(&mut self, id: Option<Uuid>) {
        self.flag(id.is_some());
        if let Some(id) = id {
            self.id(id);
        }
    }

    fn count(&mut self, count: usize) {
        self.key.extend_from_slice(&(count as u64).to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.key.push(u8::from(flag));
    }

    /// With its length before it, so that no two lists of words look alike.
    fn word(&mut self, word: &str) {
        self.count(word.len());
        self.key.extend_from_slice(word.as_bytes());
    }

    fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>) {
        for word in words {
            self.word(word.as_ref());
        }
    }

    fn actor(&mut self, actor: Actor<'_>) {
        match actor {
            Actor::System => self.key.push(0),
            Actor::Resident(id) => {
                self.key.push(1);
                self.id(id);
            }
            Actor::Agent(Acting {
                id,
                principal,
                services,
                acts,
                in_force,
            }) => {
                self.key.push(2);
                self.id(id);
                self.id(principal);
                self.count(services.len());
                self.words(services);
                self.count(acts.len());
                self.words(acts);
                self.flag(in_force);
            }
            Actor::Staff { id, role, agency } => {
                self.key.push(3);
                self.id(id);
                self.words([role, agency]);
            }
        }
    }

    fn resource(&mut self, resource: Resource<'_>) {
        match resource {
            Resource::Application {
                id,
                owner,
                agency,
                state,
            } => {
                self.key.push(0);
                self.id(id);
                self.id_if_any(owner);
                self.words([agency, state]);
            }
            Resource::Entrusted {
                id,
                owner,
                agency,
                state,
                service,
                opened_under,
            } => {
                self.key.push(1);
                self.id(id);
                self.id_if_any(owner);
                self.words([agency, state, service]);
                self.id_if_any(opened_under);
            }
            Resource::Authorisation {
                id,
                principal,
                person,
                staff,
            } => {
                self.key.push(2);
                self.id(id);
                self.id_if_any(principal);
                self.id_if_any(person);
                self.id_if_any(staff);
            }
            Resource::Served {
                id,
                owner,
                agency,
                state,
                channel,
                by,
            } => {
                self.key.push(3);
                self.id(id);
                self.id(owner);
                self.words([agency, state, channel]);
                self.id(by);
            }
            Resource::Confirmation { id, body } => {
                self.key.push(4);
                self.id(id);
                self.word(body);
            }
            Resource::Profile(id) => {
                self.key.push(5);
                self.id(id);
            }
            Resource::ServedProfile { id, by } => {
                self.key.push(6);
                self.id(id);
                self.id(by);
            }
            Resource::Office(agency) => {
                self.key.push(7);
                self.word(agency);
            }
            Resource::Batch { id, made_by } => {
                self.key.push(8);
                self.id(id);
                self.id(made_by);
            }
            Resource::Register(id) => {
                self.key.push(9);
                self.id(id);
            }
            Resource::Roll { id, agency, made_by } => {
                self.key.push(10);
                self.id(id);
                self.word(agency);
                self.id(made_by);
            }
            Resource::Campaign { id, agency } => {
                self.key.push(11);
                self.id(id);
                self.word(agency);
            }
            Resource::Approval { id, made_by } => {
                self.key.push(12);
                self.id(id);
                self.id(made_by);
            }
            Resource::Plan {
                id,
                government,
                ministry,
                state,
                conflicted,
            } => {
                self.key.push(13);
                self.id(id);
                self.words([government, ministry, state]);
                self.count(conflicted.len());
                for id in conflicted {
                    self.id(*id);
                }
            }
            Resource::Lookup {
                id,
                agency,
                state,
                dataset,
                purposes,
            } => {
                self.key.push(16);
                self.id(id);
                self.words([agency, state, dataset]);
                self.count(purposes.len());
                self.words(purposes);
            }
            Resource::Dataset { id, steward } => {
                self.key.push(17);
                self.words([id, steward]);
            }
            Resource::Request { id, owner, agency } => {
                self.key.push(15);
                self.id(id);
                self.id(owner);
                self.flag(agency.is_some());
                self.words(agency);
            }
            Resource::Round { id, agency, sealed_by } => {
                self.key.push(14);
                self.id(id);
                self.word(agency);
                self.id(sealed_by);
            }
        }
    }
}
