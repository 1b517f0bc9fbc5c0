//! The services a city offers, and those it can't offer at the moment with the reason why.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use civic::Text;
use rules::Mistake;
use serde::Serialize;

use crate::folder::{TextFile, at_top};
use crate::meta;
use crate::mydata::{self, Mapping};
use crate::offered::{self, Offered};
use crate::service::Service;
use crate::vocabulary::Vocabulary;
use crate::wallet::{self, ShownCard};

/// All services of a city. Made once, then only read; put it into an `Arc`.
#[derive(Debug, Default)]
pub struct Catalogue {
    services: BTreeMap<String, Arc<Service>>,
    withdrawn: Vec<Withdrawn>,
    datasets: Datasets,
    mapping_mistakes: Vec<Mistake>,
    card_mistakes: Vec<Mistake>,
    offered: BTreeMap<String, Offered>,
    offered_mistakes: Vec<Mistake>,
    vocabulary: Vocabulary,
    vocabulary_mistakes: Vec<Mistake>,
}

/// How data from elsewhere is read: MyData sets and cards of the digital wallet.
#[derive(Debug, Default)]
pub struct Datasets {
    /// MyData sets, by resource id.
    pub(crate) mappings: BTreeMap<String, Mapping>,
    /// Cards, by type.
    pub(crate) cards: BTreeMap<String, ShownCard>,
}

impl Datasets {
    /// Reads `mydata` and `wallet` of a folder, and gives what is wrong in each.
    pub(crate) fn load(folder: &Path) -> (Datasets, Vec<Mistake>, Vec<Mistake>) {
        let (mappings, in_sets) = mydata::load_all(&folder.join("mydata"));
        let (cards, in_cards) = wallet::load_all(&folder.join("wallet"));
        (Datasets { mappings, cards }, in_sets, in_cards)
    }
}

/// A service that is not offered because its folder has mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// Name of its folder.
    pub id: String,
    /// What it is called, where its `service.toml` can still be read.
    pub name: Option<Text>,
    /// What is wrong, for the administrator.
    pub mistakes: Vec<Mistake>,
}

impl Catalogue {
    /// Reads all services, the MyData sets of `datasets/mydata` and the cards of `datasets/wallet`. A folder with mistakes is withdrawn and never stops
    /// the others.
    #[must_use]
    pub fn load(services: &Path, datasets: &Path) -> Self {
        let (known, mapping_mistakes, card_mistakes) = Datasets::load(datasets);
        let mut catalogue = Self {
            datasets: known,
            mapping_mistakes,
            card_mistakes,
            ..Self::default()
        };
        let entries = match std::fs::read_dir(services) {
            Ok(entries) => entries,
            Err(error) => {
                let mistake = at_top(
                    "services",
                    format!("the folder cannot be read: {error}"),
                    "check the path of the services in the configuration",
                );
                catalogue.withdrawn.push(Withdrawn {
                    id: "services".to_owned(),
                    name: None,
                    mistakes: vec![mistake],
                });
                return catalogue;
            }
        };
        let mut folders: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        for folder in folders {
            let id = folder
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if id.starts_with('.') {
                continue;
            }
            match Service::load(&folder, Some(&catalogue.datasets)) {
                Ok(service) => {
                    catalogue.services.insert(id, Arc::new(service));
                }
                Err(mistakes) => catalogue.withdrawn.push(Withdrawn {
                    name: name(&folder, &id),
                    id,
                    mistakes,
                }),
            }
        }
        (catalogue.offered, catalogue.offered_mistakes) =
            offered::load_all(&datasets.join("offered"), &catalogue.services);
        (catalogue.vocabulary, catalogue.vocabulary_mistakes) = Vocabulary::load(services, &catalogue.services);
        catalogue
    }

    /// The service of this folder name; none when there is none or it is withdrawn.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Service>> {
        self.services.get(id)
    }

    /// What a service is called, on offer or withdrawn; none where nobody knows.
    #[must_use]
    pub fn name(&self, id: &str) -> Option<&Text> {
        let withdrawn = || {
            let mut withdrawn = self.withdrawn.iter();
            withdrawn.find(|one| one.id == id).and_then(|one| one.name.as_ref())
        };
        self.get(id).map(|service| &service.meta.name).or_else(withdrawn)
    }

    /// All services on offer, by folder name.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Arc<Service>> {
        self.services.values()
    }

    /// How a MyData set is read.
    #[must_use]
    pub fn mapping(&self, resource_id: &str) -> Option<&Mapping> {
        self.datasets.mappings.get(resource_id)
    }

    /// All MyData sets that can be read, by resource id.
    pub fn mappings(&self) -> impl ExactSizeIterator<Item = &Mapping> {
        self.datasets.mappings.values()
    }

    /// How a card of the digital wallet is read.
    #[must_use]
    pub fn card(&self, credential_type: &str) -> Option<&ShownCard> {
        self.datasets.cards.get(credential_type)
    }

    /// What is wrong in `datasets/wallet`, for the administrator; such a card is not taken.
    #[must_use]
    pub fn card_mistakes(&self) -> &[Mistake] {
        &self.card_mistakes
    }

    /// A data set that the city offers on MyData.
    #[must_use]
    pub fn offered(&self, resource_id: &str) -> Option<&Offered> {
        self.offered.get(resource_id)
    }

    /// All data sets that the city offers, by resource id.
    pub fn all_offered(&self) -> impl ExactSizeIterator<Item = &Offered> {
        self.offered.values()
    }

    /// What is wrong in `datasets/offered`, for the administrator; such a data set is not given.
    #[must_use]
    pub fn offered_mistakes(&self) -> &[Mistake] {
        &self.offered_mistakes
    }

    /// Services that are not offered, and why.
    #[must_use]
    pub fn withdrawn(&self) -> &[Withdrawn] {
        &self.withdrawn
    }

    /// Which inputs of different services are one fact.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// What is wrong with `vocabulary.toml`, for the administrator; every service asks for itself then.
    #[must_use]
    pub fn vocabulary_mistakes(&self) -> &[Mistake] {
        &self.vocabulary_mistakes
    }

    /// What is wrong in `datasets/mydata`, for the administrator.
    #[must_use]
    pub fn mapping_mistakes(&self) -> &[Mistake] {
        &self.mapping_mistakes
    }
}

/// The name in a folder that can't be offered, so that people who applied there read no code.
fn name(folder: &Path, id: &str) -> Option<Text> {
    let file = TextFile::read(folder, "service.toml").ok()?;
    Some(meta::load(&file, Some(id), true).ok()?.meta.name)
}
