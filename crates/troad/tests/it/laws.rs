//! Laws: what must hold for every input.

use proptest::prelude::*;
use troad::fault::{folded, same_type};
use troad::ids::{MemberId, ServiceId};
use troad::log::merkle::{climb, leaf, path, root};

proptest! {
    #[test]
    fn identifiers_survive_their_written_form(parts in prop::collection::vec("[a-zA-Z0-9甲乙'()+,=?-]{1,12}", 4)) {
        let member = MemberId {
            instance: parts[0].clone(),
            class: parts[1].clone(),
            member: parts[2].clone(),
            subsystem: Some(parts[3].clone()),
        };
        let text = member.to_string();
        prop_assert_eq!(text.matches('/').count(), 3, "no part can hold a separator: {}", text);
        prop_assert!(text.is_ascii() && !text.contains('?'));
        prop_assert_eq!(text.parse::<MemberId>(), Ok(member.clone()));
        let service = ServiceId { provider: member, code: parts[0].clone() };
        prop_assert_eq!(service.to_string().parse::<ServiceId>(), Ok(service));
    }

    #[test]
    fn no_text_makes_an_identifier_with_a_separator_in_a_part(text in "([a-z甲.%0-9?=&#\\\\ ]{1,6}/){2,3}[a-z甲.%0-9?=&#\\\\ ]{1,6}") {
        if let Ok(member) = text.parse::<MemberId>() {
            for part in [&member.instance, &member.class, &member.member] {
                prop_assert!(!part.contains(['/', '\\', '%', '#', '&', ' ']) && !part.is_empty() && part != "..");
            }
        }
    }

    #[test]
    fn every_line_of_a_batch_is_proven_and_no_other(count in 1_usize..70, at in 0_usize..70, flip in 0_usize..32) {
        let at = at % count;
        let leaves: Vec<_> = (0..count).map(|number| leaf(format!("line {number}").as_bytes())).collect();
        let top = root(&leaves).unwrap();
        let steps = path(&leaves, at).unwrap();
        prop_assert!(steps.len() <= 7);
        prop_assert_eq!(climb(leaves[at], &steps), top);
        let mut other = leaves[at];
        other[flip] ^= 1;
        prop_assert_ne!(climb(other, &steps), top);
        prop_assert!(path(&leaves, count).is_none());
    }

    #[test]
    fn both_spellings_of_a_type_are_one(words in prop::collection::vec("[A-Z][a-z]{1,6}", 1..4)) {
        let camel = format!("Server.ServerProxy.{}", words.concat());
        let snake = format!("server.serverproxy.{}", words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>().join("_"));
        prop_assert!(same_type(&camel, &snake));
        prop_assert_eq!(folded(&camel), folded(&snake));
        let longer = format!("{snake}x");
        prop_assert!(!same_type(&camel, &longer));
    }
}
