//! The plan as a PDF: everything of the plan, chapter for chapter in the order of annex 1, and nothing of it taken for markup.

use std::io::Write as _;
use std::process::{Command, Stdio};

use grants::assessment::{Done, Evidence, Extra};
use grants::pdf::{Stamp, write};
use grants::plan::Plan;
use serde_json::Value;

use crate::kit::{plan, programme};

/// The headings of the thirteen chapters and of annex 2, in the order of annex 1.
pub const HEADINGS: [&str; 14] = [
    "一、前言（計畫緣起）",
    "二、計畫目標",
    "三、現行相關政策及方案之檢討",
    "四、實施範圍",
    "五、計畫期程",
    "六、計畫內容",
    "七、關鍵績效指標及年度目標值",
    "八、持續營運評估",
    "九、114、115年經費明細概算",
    "十、經費補助表",
    "十一、114年查核進度",
    "十二、預期效益",
    "十三、提報單位聯絡人",
    "附件2：數位發展現況階段自評說明對照表",
];

fn draft() -> Stamp {
    Stamp::Draft {
        made: "2024-05-31T08:30:00Z".parse().unwrap(),
    }
}

fn sent() -> Stamp {
    Stamp::Sent {
        corrected: false,
        at: "2024-05-31T08:59:59Z".parse().unwrap(),
        digest: "0123456789abcdef".repeat(4),
    }
}

fn holds(pdf: &[u8], marker: &str) -> bool {
    pdf.windows(marker.len()).any(|window| window == marker.as_bytes())
}

/// The words of a PDF without spaces and line ends, page by page, by poppler; none where it is not installed.
pub fn words(pdf: &[u8]) -> Option<Vec<String>> {
    let child = Command::new("pdftotext")
        .args(["-raw", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: the text of the PDF, without pdftotext");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let bytes = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let pages = text.split('\u{c}').map(|page| page.split_whitespace().collect());
    Some(pages.collect())
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The words without the head and foot of the pages, so that a text that goes on over a page is one.
fn body(pages: &[String], plan: &Plan) -> String {
    let head = format!("基隆市政府{}", joined(&plan.title));
    let count = pages.iter().filter(|page| !page.is_empty()).count();
    let each = pages.iter().enumerate().map(|(at, page)| {
        let foot = format!("第{}頁，共{count}頁", at + 1);
        let page = page.replace(&foot, "");
        page.replacen(&head, "", 1)
    });
    each.collect()
}

/// Every text of a plan as the model has it.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(text.lines().map(joined)),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, found)),
        Value::Object(values) => values.values().for_each(|value| leaves(value, found)),
        _ => {}
    }
}

#[test]
fn a_plan_is_a_tagged_pdf_and_comes_out_the_same_again() {
    let (programme, plan) = (programme(), plan());
    let pdf = write(&plan, &programme, sent()).unwrap();
    for marker in ["%PDF-", "/StructTreeRoot", "pdfuaid", "/TH", "zh"] {
        assert!(holds(&pdf, marker), "{marker}");
    }
    assert!(!holds(&pdf, "/CreationDate"));
    assert_eq!(pdf, write(&plan, &programme, sent()).unwrap());
    assert_ne!(pdf, write(&plan, &programme, draft()).unwrap());
}

#[test]
fn the_chapters_stand_in_the_order_of_the_annex_each_with_all_its_texts() {
    let (programme, plan) = (programme(), plan());
    let pdf = write(&plan, &programme, sent()).unwrap();
    let Some(pages) = words(&pdf) else { return };
    assert!(pages[0].contains("敬老禮金主動發放計畫") && pages[0].contains("民國113年5月31日16:59"));
    assert!(pages[0].contains(&"0123456789abcdef".repeat(4)));
    let all = body(&pages, &plan);
    // each stands twice: in the contents, and where it begins
    let starts: Vec<usize> = HEADINGS
        .iter()
        .map(|heading| {
            let found: Vec<usize> = all.match_indices(heading).map(|(at, _)| at).collect();
            assert_eq!(found.len(), 2, "{heading}");
            found[1]
        })
        .collect();
    assert!(starts.is_sorted(), "{starts:?}");
    let chapter = |at: usize| {
        let end = starts.get(at + 1).copied().unwrap_or(all.len());
        &all[starts[at]..end]
    };
    let number = |id: &str| programme.chapters.iter().position(|one| one.id == id).unwrap();
    for (id, text) in &plan.texts {
        let of = id.split('.').next().unwrap();
        assert!(chapter(number(of)).contains(&joined(text)), "{id}");
    }
    let tables: [(&str, Value); 5] = [
        ("indicators", serde_json::to_value(&plan.indicators).unwrap()),
        ("budget", serde_json::to_value(&plan.lines).unwrap()),
        ("checkpoints", serde_json::to_value(&plan.checkpoints).unwrap()),
        ("contact", serde_json::to_value(&plan.contact).unwrap()),
        ("annex", serde_json::to_value(&plan.assessment).unwrap()),
    ];
    let titles: Vec<(&str, &str)> = programme
        .stages
        .iter()
        .flat_map(|stage| &stage.items)
        .map(|item| (item.id.as_str(), item.title.get(civic::Language::ZhTw)))
        .collect();
    for (id, value) in tables {
        let here = chapter(if id == "annex" { 13 } else { number(id) });
        let mut texts = Vec::new();
        leaves(&value, &mut texts);
        for text in texts {
            // kinds and items stand under their official names
            let text = match text.as_str() {
                "capital" => "資本門".to_owned(),
                "current" => "經常門".to_owned(),
                item if id == "annex" => titles
                    .iter()
                    .find(|(known, _)| *known == item)
                    .map_or(text.clone(), |(_, title)| joined(title)),
                _ => text,
            };
            assert!(here.contains(&text), "{id}: {text} in {here}");
        }
    }
    for amount in ["2,500,000", "1,200,000", "經費合計5,500,000元"] {
        assert!(chapter(number("budget")).contains(amount), "{amount}");
    }
    for amount in ["4,500,000", "1,350,000", "合計：3,150,000", "2,000,000", "1,150,000"] {
        assert!(chapter(number("subsidy")).contains(amount), "{amount}");
    }
}

#[test]
fn a_draft_says_so_on_every_page_and_a_sent_plan_on_none() {
    let (programme, plan) = (programme(), plan());
    let Some(draft) = words(&write(&plan, &programme, draft()).unwrap()) else {
        return;
    };
    let pages = draft.iter().filter(|page| !page.is_empty());
    assert!(pages.clone().count() > 5);
    for page in pages {
        assert!(page.contains("草稿") && page.contains("尚未送出"), "{page}");
    }
    let sent = words(&write(&plan, &programme, sent()).unwrap()).unwrap();
    assert!(!sent.concat().contains("草稿"));
    let corrected = Stamp::Sent {
        corrected: true,
        at: "2024-07-01T01:00:00Z".parse().unwrap(),
        digest: String::new(),
    };
    let corrected = words(&write(&plan, &programme, corrected).unwrap()).unwrap();
    assert!(corrected[0].contains("修正計畫書"));
}

/// What would do something if it were taken for Typst.
const HOSTILE: &str = "#panic(\"x\") *粗* _斜_ $x$ <標籤> @ref `raw` = 標題 - 列 #read(\"/etc/passwd\") #import \"a.typ\" \\ ~ // 註 /* */ #{1+1}";

#[test]
fn what_a_government_writes_is_never_taken_for_typst() {
    let programme = programme();
    let mut plan = plan();
    let hostile = || HOSTILE.to_owned();
    plan.title = hostile();
    for text in plan.texts.values_mut() {
        *text = format!("= 標題\n#while true {{}}\n{HOSTILE}");
    }
    for one in &mut plan.indicators {
        (one.title, one.formula, one.base, one.source) = (hostile(), hostile(), hostile(), hostile());
        one.targets[0].text = hostile();
    }
    for line in &mut plan.lines {
        (line.work, line.note) = (hostile(), hostile());
    }
    for one in &mut plan.checkpoints {
        one.text = hostile();
    }
    plan.contact.unit = hostile();
    plan.contact.email = hostile();
    plan.cap_exception = Some(hostile());
    let row = &mut plan.assessment.rows[0];
    row.evidence.push(Evidence {
        title: hostile(),
        address: hostile(),
        login: true,
        account: hostile(),
        group: None,
    });
    row.done.push(Done {
        item: hostile(),
        title: Some(hostile()),
        address: hostile(),
        login: true,
        account: hostile(),
    });
    row.extra.push(Extra {
        title: hostile(),
        text: hostile(),
        redesigns: None,
        group: None,
    });
    row.nothing = Some(hostile());
    let pdf = write(&plan, &programme, draft()).unwrap();
    assert!(!holds(&pdf, "root:x:"));
    let Some(pages) = words(&pdf) else { return };
    let all = pages.concat();
    assert!(
        all.matches(&joined(HOSTILE)).count() > 15,
        "it stands as it was written"
    );
    assert!(all.contains("#whiletrue{}"));
}

#[test]
fn a_plan_at_all_its_bounds_is_printed_and_an_empty_one_too() {
    let programme = programme();
    let mut plan = plan();
    let long = "長文".repeat(grants::plan::MOST_TEXT / 2);
    plan.texts = programme.text_ids().into_iter().map(|id| (id, long.clone())).collect();
    plan.title = "長".repeat(200);
    plan.lines = plan
        .lines
        .iter()
        .cycle()
        .take(grants::plan::MOST_LINES)
        .cloned()
        .collect();
    plan.lines[0].work = "a".repeat(2_000);
    plan.contact.email = format!("https://example.org/{}", "b".repeat(180));
    let pdf = write(&plan, &programme, sent()).unwrap();
    let Some(pages) = words(&pdf) else { return };
    let heads = pages
        .iter()
        .filter(|page| page.contains("項次年度工作項目所需經費備註"));
    assert!(heads.count() > 5, "the heading is repeated on each page of the table");
    assert!(pages.concat().matches('文').count() >= programme.text_ids().len() * grants::plan::MOST_TEXT / 2);
    let empty: Plan = serde_json::from_value(serde_json::json!({
        "programme": "moda-114", "government": "KEE", "title": "", "from": "2025-01-01", "through": "2026-12-31",
    }))
    .unwrap();
    let pages = words(&write(&empty, &programme, draft()).unwrap()).unwrap();
    assert!(pages.concat().contains("年度目標值（未填寫）"));
}
