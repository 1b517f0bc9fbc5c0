//! Laws that hold of every source.

use std::collections::BTreeMap;

use hub::Outcome;
use proptest::prelude::*;

use crate::kit::{City, PLAIN};

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Rows read are rows taken and rows rejected, however they are cut into parts; nothing panics, whatever the bytes.
    #[test]
    fn every_row_is_somewhere(bytes in proptest::collection::vec(any::<u8>(), 0..600), part in 1_usize..8) {
        let city = City::of(PLAIN);
        let mut job = city.job();
        job.sizes.part_rows = part;
        let mut source = b"id,name,day\n1,a,\n2,b,2026-01-01\n".to_vec();
        source.extend(bytes);
        let path = city.file("source", source);
        if let Ok(report) = block(hub::ingest(&city.lake, &city.dataset, &path, &job))
            && matches!(report.outcome, Outcome::Published(_))
        {
            prop_assert_eq!(report.read, report.rows + report.rejected);
            let kept = block(hub::rejected(&city.lake, &city.dataset, &report.load, None)).unwrap();
            prop_assert_eq!(u64::try_from(kept.len()).unwrap(), report.rejected);
        }
    }

    /// Changes leave what a plain map would have: the last word on each key.
    #[test]
    fn changes_end_as_in_a_map(
        loads in proptest::collection::vec(
            proptest::collection::vec((0_i64..6, 0_u8..3, 0_u32..1000), 1..12), 1..4),
        part in 1_usize..5,
    ) {
        let mode = "mode = \"changes\"\noperation = { from = \"op\", insert = [\"A\"], update = [\"U\"], delete = [\"D\"] }";
        let city = City::of(&PLAIN.replace("mode = \"full\"", mode));
        let mut job = city.job();
        job.sizes.part_rows = part;
        let mut expected = BTreeMap::new();
        for (number, load) in loads.iter().enumerate() {
            // a comment of its own makes every source another one
            let mut text = format!("op,id,name,day\nA,{},load,\n", 100 + number);
            expected.insert(100 + i64::try_from(number).unwrap(), "load".to_owned());
            for (id, op, name) in load {
                let word = ["A", "U", "D"][usize::from(*op)];
                text.push_str(&format!("{word},{id},n{name},\n"));
                if word == "D" {
                    expected.remove(id);
                } else {
                    expected.insert(*id, format!("n{name}"));
                }
            }
            let path = city.file("source", text);
            block(hub::ingest(&city.lake, &city.dataset, &path, &job)).unwrap();
        }
        let mut rows: Vec<String> = expected.into_iter().map(|(id, name)| format!("{id} {name} -")).collect();
        rows.sort();
        prop_assert_eq!(block(city.rows()), rows);
    }
}
