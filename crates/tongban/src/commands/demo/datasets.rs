//! What the sources of the demonstration's datasets send at its first start: permits of residents with a disability among the rows of
//! the folder's sample, some of them wrong; and the samples of the others.

use super::DemoError;
use crate::config::Config;
use crate::demo::City;
use cases::datasets::Places;
use std::path::Path;

/// The dataset that residents stand in.
const PERMITS: &str = "disabled-parking-permits";
/// Most permits of residents.
const MOST: usize = 200;

/// Makes the key of the lake and puts the files where files arrive, unless that was done before.
pub(super) fn send(config: &Config, city: &City) -> Result<(), DemoError> {
    let Some(places) = config.places() else { return Ok(()) };
    if places.keys.is_dir() {
        return Ok(());
    }
    let file = |path: &Path, why: String| DemoError::File {
        path: path.to_path_buf(),
        why,
    };
    let key = store::seal::secret().map_err(|error| file(&places.keys, error.to_string()))?;
    let key = hex::encode(key.as_slice());
    for (dataset, sample) in [
        (PERMITS, "permits.csv"),
        ("company-registry", "companies.json"),
        ("parking-events", "events.csv"),
    ] {
        let from = places.folders.join(dataset).join("sample").join(sample);
        let mut bytes = std::fs::read(&from).map_err(|error| file(&from, error.to_string()))?;
        if dataset == PERMITS {
            bytes = among(&bytes, city);
        }
        write(&places, dataset, sample, &bytes).map_err(|error| file(&places.work, error.to_string()))?;
    }
    // last, so that a start that was cut off sends everything again
    std::fs::create_dir_all(&places.keys).map_err(|error| file(&places.keys, error.to_string()))?;
    for dataset in [PERMITS, "company-registry", "parking-events"] {
        let path = places.keys.join(format!("{dataset}.key"));
        std::fs::write(&path, &key).map_err(|error| file(&path, error.to_string()))?;
    }
    Ok(())
}

fn write(places: &Places, dataset: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let inbox = places.work.join("inbox").join(dataset);
    std::fs::create_dir_all(&inbox)?;
    let half = inbox.join(format!(".{name}"));
    std::fs::write(&half, bytes)?;
    std::fs::rename(half, inbox.join(name))
}

/// The sample's heading, permits of residents, and the sample's rows. Everything is in Big5, as the source writes it.
fn among(sample: &[u8], city: &City) -> Vec<u8> {
    let heading = sample
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(sample.len(), |end| end + 1);
    let (heading, rows) = sample.split_at(heading);
    let mut all = heading.to_vec();
    let heads = (0..city.families()).filter_map(|family| city.head_account(family));
    let disabled = heads.filter(|head| is_disabled(city, &head.national_id));
    for (number, head) in disabled.take(MOST).enumerate() {
        let row = format!(
            "P1{number:06},{},{},無,無,113/01/15,118/01/14,永久,\n",
            head.national_id, head.name
        );
        let (row, _, lost) = encoding_rs::BIG5.encode(&row);
        // a name that Big5 does not have
        if !lost {
            all.extend_from_slice(&row);
        }
    }
    all.extend_from_slice(rows);
    all
}

fn is_disabled(city: &City, national_id: &str) -> bool {
    let set = city.data_set(national_id, "API.Disabled01");
    let persons = set.as_ref().and_then(|set| set["persons"].as_array());
    persons.is_some_and(|persons| {
        let own = persons.iter().find(|person| person["national_id"] == national_id);
        own.is_some_and(|person| person["degree"].as_str().is_some_and(|degree| degree != "無"))
    })
}
