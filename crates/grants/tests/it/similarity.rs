//! Plans that are alike: 22 plans of real length with planted copies, made anew from a seed. Every planted pair is found,
//! and no other.

use std::collections::BTreeSet;

use grants::Programme;
use grants::similarity::{Document, Pair, compare};
use serde::Deserialize;

use crate::kit::programme;

#[derive(Deserialize)]
struct Phrases {
    when: Vec<String>,
    who: Vec<String>,
    how: Vec<String>,
    act: Vec<String>,
    what: Vec<String>,
    why: Vec<String>,
}

/// Passages said again in other words, and independent texts on the same subjects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paraphrases {
    independent: Vec<String>,
    pair: Vec<Paraphrase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paraphrase {
    left: String,
    right: String,
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

/// A sentence as its six phrases, so that a copy can be reworded.
type Sentence = [String; 6];
type Paragraph = Vec<Sentence>;

struct Writer {
    phrases: Phrases,
    random: Random,
}

impl Writer {
    fn new(seed: u64) -> Writer {
        Writer {
            phrases: toml::from_str(include_str!("../data/phrases.toml")).unwrap(),
            random: Random(seed),
        }
    }

    fn list(&self, slot: usize) -> &[String] {
        let phrases = &self.phrases;
        [
            &phrases.when,
            &phrases.who,
            &phrases.how,
            &phrases.act,
            &phrases.what,
            &phrases.why,
        ][slot]
    }

    fn phrase(&mut self, slot: usize) -> String {
        let at = self.random.below(self.list(slot).len());
        self.list(slot)[at].clone()
    }

    fn sentence(&mut self) -> Sentence {
        std::array::from_fn(|slot| self.phrase(slot))
    }

    fn section(&mut self) -> Vec<Paragraph> {
        (0..3).map(|_| (0..7).map(|_| self.sentence()).collect()).collect()
    }

    /// A third of the phrases replaced, sentences in another order.
    fn reworded(&mut self, section: &[Paragraph]) -> Vec<Paragraph> {
        let mut section = section.to_vec();
        for paragraph in &mut section {
            for sentence in paragraph.iter_mut() {
                for _ in 0..2 {
                    let slot = self.random.below(6);
                    sentence[slot] = self.phrase(slot);
                }
            }
            self.shuffle(paragraph);
        }
        section
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.random.below(at + 1);
            list.swap(at, other);
        }
    }
}

fn text(section: &[Paragraph]) -> String {
    let sentence = |s: &Sentence| format!("{}，{}{}{}{}，{}。", s[0], s[1], s[2], s[3], s[4], s[5]);
    let paragraphs = section
        .iter()
        .map(|paragraph| paragraph.iter().map(sentence).collect::<String>());
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// The plans before they become text: by government, by text.
struct Draft {
    governments: Vec<String>,
    parts: Vec<String>,
    sections: Vec<Vec<Vec<Paragraph>>>,
}

fn draft(programme: &Programme, writer: &mut Writer) -> Draft {
    let parts = programme.text_ids();
    let sections = programme
        .governments
        .iter()
        .map(|_| parts.iter().map(|_| writer.section()).collect());
    Draft {
        sections: sections.collect(),
        governments: programme.governments.iter().map(|one| one.id.clone()).collect(),
        parts,
    }
}

/// What the template leaves in every plan: titles, guidance, fixed wording.
fn template(programme: &Programme, part: usize) -> String {
    let mut sections = programme.chapters.iter().flat_map(|chapter| {
        let own = (&chapter.title, &chapter.guidance);
        let inner = chapter
            .sections
            .iter()
            .map(|section| (&section.title, &section.guidance));
        if chapter.sections.is_empty() {
            vec![own]
        } else {
            inner.collect()
        }
    });
    let (title, guidance) = sections.nth(part).unwrap();
    let fixed = &programme.boilerplate[part % programme.boilerplate.len()];
    let chinese = civic::Language::ZhTw;
    format!("{}\n{}\n{fixed}\n", title.get(chinese), guidance.get(chinese))
}

fn documents(programme: &Programme, draft: &Draft, change: impl Fn(usize, usize, String) -> String) -> Vec<Document> {
    let plans = draft.governments.iter().zip(&draft.sections).enumerate();
    let plans = plans.map(|(plan, (government, sections))| {
        let parts = draft.parts.iter().zip(sections).enumerate();
        let parts = parts.map(|(at, (part, section))| {
            let own = change(plan, at, text(section));
            (part.clone(), format!("{}{own}", template(programme, at)))
        });
        Document {
            government: government.clone(),
            parts: parts.collect(),
        }
    });
    plans.collect()
}

fn names(draft: &Draft, left: usize, right: usize) -> (String, String) {
    let (left, right) = (left.min(right), left.max(right));
    (draft.governments[left].clone(), draft.governments[right].clone())
}

fn alike(pairs: &[Pair]) -> BTreeSet<(String, String)> {
    let alike = pairs.iter().filter(|pair| pair.alike);
    alike.map(|pair| (pair.left.clone(), pair.right.clone())).collect()
}

#[test]
fn every_planted_copy_is_found_and_nothing_else() {
    let programme = programme();
    let (mut characters, mut planted_least, mut innocent_most, mut nearest_by_chance) = (0, u32::MAX, 0, 0);
    for seed in 1..=6_u64 {
        let mut writer = Writer::new(seed);
        let mut draft = draft(&programme, &mut writer);
        let from = |draft: &Draft, plan: usize, part: usize| draft.sections[plan][part].clone();
        // two sections word for word, and from the copy to a third government
        for part in [1, 2] {
            draft.sections[5][part] = from(&draft, 0, part);
            draft.sections[9][part] = from(&draft, 5, part);
        }
        // the government's name replaced: see `change`
        draft.sections[7][4] = from(&draft, 3, 4);
        draft.sections[7][5] = from(&draft, 3, 5);
        // spaces, punctuation and width changed: see `change`
        draft.sections[12][6] = from(&draft, 11, 6);
        draft.sections[12][7] = from(&draft, 11, 7);
        // sentences in another order
        for part in [8, 9] {
            let mut copy = from(&draft, 14, part);
            copy.iter_mut().for_each(|paragraph| writer.shuffle(paragraph));
            draft.sections[15][part] = copy;
        }
        // a third of the words replaced and sentences in another order
        for part in [10, 11, 12] {
            let copy = from(&draft, 17, part);
            draft.sections[18][part] = writer.reworded(&copy);
        }
        // one paragraph of about 250 characters
        draft.sections[20][13][1] = draft.sections[19][13][1].clone();
        // and in another chapter than it came from
        draft.sections[21][3][0] = draft.sections[10][15][2].clone();

        let names_of: Vec<String> = programme
            .governments
            .iter()
            .map(|one| format!("{}政府", one.name))
            .collect();
        let documents = documents(&programme, &draft, |plan, part, text| match (plan, part) {
            (3 | 7, 4 | 5) => text.replace("。", &format!("，由{}負責。", names_of[plan])),
            (12, 6 | 7) => text
                .replace("，", " , ")
                .replace("。", "．\u{3000}")
                .replace("資料", "資\n料"),
            _ => text,
        });
        let expected: BTreeSet<_> = [
            (0, 5),
            (0, 9),
            (5, 9),
            (3, 7),
            (11, 12),
            (14, 15),
            (17, 18),
            (19, 20),
            (10, 21),
        ]
        .into_iter()
        .map(|(left, right)| names(&draft, left, right))
        .collect();
        let begun = std::time::Instant::now();
        let pairs = compare(&documents, &programme).unwrap();
        let took = begun.elapsed();
        let length = |document: &Document| {
            document
                .parts
                .iter()
                .map(|(_, text)| text.chars().count())
                .sum::<usize>()
        };
        characters = documents.iter().map(length).sum::<usize>() / documents.len();
        assert_eq!(alike(&pairs), expected, "seed {seed}");
        for pair in &pairs {
            let names = (pair.left.clone(), pair.right.clone());
            let longest = pair.copied.first().map_or(0, |passage| passage.shared);
            let most = u32::try_from(longest).unwrap();
            if expected.contains(&names) {
                planted_least = planted_least.min(pair.copied_share.max(pair.reworded_share));
            } else {
                innocent_most = innocent_most.max(pair.copied_share).max(pair.reworded_share);
                assert!(most < 150, "{names:?} share {most} letters by chance");
            }
        }
        // how near two paragraphs come by chance, to see the distance to the programme's bound
        let mut wide = programme.clone();
        wide.similarity.lexical_percent = 20;
        for pair in compare(&documents, &wide).unwrap() {
            let names = (pair.left.clone(), pair.right.clone());
            if !expected.contains(&names) {
                let nearest = pair.reworded.first().map_or(0, |one| one.percent);
                nearest_by_chance = nearest_by_chance.max(nearest);
            }
        }
        let reworded = pairs
            .iter()
            .find(|pair| (pair.left.clone(), pair.right.clone()) == names(&draft, 17, 18));
        let reworded = reworded.unwrap();
        println!(
            "seed {seed}: {} plans compared in {took:.0?}; reworded pair: copied {} bp, reworded {} bp",
            documents.len(),
            reworded.copied_share,
            reworded.reworded_share
        );
        assert!(reworded.reworded_share >= 500);
    }
    println!(
        "{characters} characters a plan; least share of a planted pair {planted_least} bp, largest of another {innocent_most} bp, nearest paragraphs by chance {nearest_by_chance} %"
    );
    assert!(characters > 12_000);
}

#[test]
fn a_passage_said_in_other_words_is_found_by_its_concepts_and_only_by_them() {
    let programme = programme();
    assert!(programme.concepts.len() >= 60);
    let mut writer = Writer::new(11);
    let draft = draft(&programme, &mut writer);
    let texts: Paraphrases = toml::from_str(include_str!("../data/paraphrases.toml")).unwrap();
    let mut documents = documents(&programme, &draft, |_, _, text| text);
    let joined = |side: fn(&Paraphrase) -> &String| texts.pair.iter().map(side).cloned().collect::<Vec<_>>().join("\n");
    documents[0].parts = vec![("goals".to_owned(), joined(|pair| &pair.left))];
    documents[1].parts = vec![("goals".to_owned(), joined(|pair| &pair.right))];
    // the same subjects, each written by somebody else
    for (document, text) in documents[2..].iter_mut().zip(&texts.independent) {
        document.parts.push(("scope".to_owned(), text.clone()));
    }
    let (left, right) = names(&draft, 0, 1);
    let pairs = compare(&documents, &programme).unwrap();
    assert_eq!(alike(&pairs), [(left.clone(), right.clone())].into());
    let planted = pairs
        .iter()
        .find(|pair| pair.left == left && pair.right == right)
        .unwrap();
    assert!(planted.copied.is_empty());
    // an excerpt ends with its last letter
    let words = |text: &str| text.trim_end_matches('。').to_owned();
    let found = planted
        .reworded
        .iter()
        .map(|one| (words(&one.left.text), words(&one.right.text)));
    let found: BTreeSet<(String, String)> = found.collect();
    let wanted = texts.pair.iter().map(|pair| (words(&pair.left), words(&pair.right)));
    assert_eq!(found, wanted.collect::<BTreeSet<_>>());
    // whoever writes of the same subject is near nobody
    for one in pairs.iter().flat_map(|pair| &pair.reworded) {
        for text in [&one.left.text, &one.right.text] {
            assert!(
                !texts.independent.iter().any(|known| known.contains(text.as_str())),
                "{text}"
            );
        }
    }
    let mut without = programme;
    without.concepts.clear();
    let pairs = compare(&documents, &without).unwrap();
    let mut of_both = pairs.iter().filter(|pair| pair.left == left && pair.right == right);
    assert!(of_both.all(|pair| pair.reworded.is_empty() && !pair.alike));
}

#[test]
fn passages_stand_side_by_side_as_they_were_written() {
    let programme = programme();
    let mut writer = Writer::new(7);
    let mut draft = draft(&programme, &mut writer);
    draft.sections[1][2][0] = draft.sections[0][2][0].clone();
    let documents = documents(&programme, &draft, |plan, _, text| {
        if plan == 1 { text.replace('，', "、") } else { text }
    });
    let pairs = compare(&documents[..2], &programme).unwrap();
    let passage = &pairs[0].copied[0];
    let at = |document: &Document, part: &str| document.parts.iter().find(|(id, _)| id == part).unwrap().1.clone();
    for (document, excerpt) in [(&documents[0], &passage.left), (&documents[1], &passage.right)] {
        let text = at(document, &excerpt.part);
        assert_eq!(&text[excerpt.from..excerpt.from + excerpt.text.len()], excerpt.text);
    }
    assert_eq!(
        passage.left.text.replace('，', "、"),
        passage.right.text.replace('，', "、")
    );
    assert_eq!(passage.left.part, draft.parts[2]);
}

#[test]
fn the_government_s_own_name_between_short_phrases_does_not_cut_a_passage() {
    let programme = programme();
    let mut writer = Writer::new(9);
    let sentences: Vec<Sentence> = (0..14).map(|_| writer.sentence()).collect();
    let document = |government: &str, name: &str| {
        let text = sentences
            .iter()
            .map(|s| format!("{}{}{name}{}{}", s[1], s[2], s[3], s[4]))
            .collect();
        Document {
            government: government.to_owned(),
            parts: vec![("goals".to_owned(), text)],
        }
    };
    let pairs = compare(&[document("KEE", "基隆市"), document("TTT", "臺東縣")], &programme).unwrap();
    assert_eq!(pairs[0].copied.len(), 1, "{:?}", pairs[0].copied);
    assert!(pairs[0].copied[0].shared >= 150);
}

#[test]
fn without_the_list_of_boilerplate_the_template_would_count_as_copied() {
    let mut programme = programme();
    let mut writer = Writer::new(8);
    let draft = draft(&programme, &mut writer);
    let documents = documents(&programme, &draft, |_, _, text| text);
    let with = compare(&documents, &programme).unwrap();
    assert!(with.iter().all(|pair| pair.copied_share < 100));
    programme.boilerplate.clear();
    for chapter in &mut programme.chapters {
        chapter.guidance = civic::Text::default();
        let sections = chapter.sections.iter_mut();
        sections.for_each(|section| section.guidance = civic::Text::default());
    }
    let without = compare(&documents, &programme).unwrap();
    assert_eq!(without.len(), 22 * 21 / 2);
    assert!(without.iter().all(|pair| pair.copied_share > 300));
}

#[test]
fn one_sentence_over_and_over_is_compared_in_time() {
    let programme = programme();
    let text = "本計畫由專責小組逐月檢討並依結果調整期程。".repeat(9_000);
    let document = |government: &str| Document {
        government: government.to_owned(),
        parts: vec![("goals".to_owned(), text.clone())],
    };
    let begun = std::time::Instant::now();
    let pairs = compare(&[document("TPE"), document("NWT"), document("KEE")], &programme).unwrap();
    assert!(pairs.iter().all(|pair| pair.alike));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
