//! Letters: tagged PDF, the same bytes for the same data, no way out of the folder, no empty boxes.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use services::{LETTER_KINDS, LetterError, Service};

use crate::folder::{senior, starter};

fn data(name: &str) -> Value {
    json!({
        "city": "臺中市政府", "agency": "臺中市政府社會局", "phone": "04-22289111", "service": "津貼",
        "number": "115-SA-000001", "date": "民國115年11月25日", "submitted": "民國115年11月20日",
        "recipient": { "name": name, "address": "臺中市西區大忠里8鄰民生路1號" },
        "reference_date": "民國115年11月20日", "amounts": [{ "name": "每月津貼", "amount": 8329, "text": "8,329 元" }],
        "first_month": "民國115年11月", "last_month": "民國115年12月",
        "reasons": [{ "title": "年滿 65 歲", "law": "中低收入老人生活津貼發給辦法 §2 I (1)" }],
        "text": "說明一\n說明二", "legal_basis": "老人福利法 §12 I", "due": "民國115年12月10日",
    })
}

fn holds(pdf: &[u8], marker: &[u8]) -> bool {
    pdf.windows(marker.len()).any(|window| window == marker)
}

/// The words of a PDF without spaces and line ends, by poppler; none where it is not installed.
fn words(pdf: Vec<u8>) -> Option<String> {
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
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().split_whitespace().collect())
}

#[test]
fn a_refusal_says_why_by_which_article_and_how_to_appeal() {
    let Some(text) = words(senior().letter("refused", &data("林阿梅")).unwrap()) else {
        return;
    };
    for part in [
        "115-SA-000001",
        "林阿梅",
        "審查不符合規定",
        // the condition that is not met, with its article in the words of the law
        "年滿65歲（中低收入老人生活津貼發給辦法第2條第1項第1款）",
        "老人福利法第12條第1項",
        "說明一",
        // the right of appeal
        "您可以提起訴願",
        "在收到本函的次日起30日內",
        "訴願法第14條第1項",
        "第58條第1項",
        "臺中市政府社會局",
    ] {
        assert!(text.contains(part), "`{part}` is not in the letter: {text}");
    }
}

#[test]
fn each_kind_is_a_tagged_pdf_and_comes_out_the_same_again() {
    let service = senior();
    for kind in LETTER_KINDS {
        let pdf = service
            .letter(kind, &data("林阿梅"))
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(pdf.starts_with(b"%PDF-"), "{kind}");
        assert!(holds(&pdf, b"/StructTreeRoot"), "{kind} is not tagged");
        assert!(holds(&pdf, b"pdfuaid"), "{kind} does not say that it is PDF/UA");
        assert!(holds(&pdf, b"zh"), "{kind} names no language");
        assert!(!holds(&pdf, b"/CreationDate"), "{kind} tells the time of the clock");
        assert_eq!(pdf, service.letter(kind, &data("林阿梅")).unwrap(), "{kind}");
        assert_ne!(pdf, service.letter(kind, &data("王小明")).unwrap(), "{kind}");
    }
    assert_eq!(
        service.letter("invoice", &data("林")),
        Err(LetterError::NoKind("invoice".to_owned()))
    );
}

#[test]
fn a_rare_character_of_a_name_is_written_by_its_code() {
    let letter = senior()
        .letter_with_report("approved", &data("林\u{2a123}\u{e0101}梅"))
        .unwrap();
    assert_eq!(letter.missing, ['\u{2a123}']);
    assert_eq!(
        letter.pages,
        senior().letter_with_report("approved", &data("林阿梅")).unwrap().pages
    );
}

/// The starter with another approved letter.
fn with(template: &str) -> Result<Vec<u8>, LetterError> {
    let (_home, folder) = starter();
    std::fs::write(folder.join("letters/approved.typ"), template).unwrap();
    Service::load(&folder, None).unwrap().letter("approved", &data("林"))
}

#[test]
fn a_character_that_the_font_lacks_is_named() {
    let error = with("#set document(title: [a])\n#set text(font: \"Tongban Sans TC\")\n\u{2a123}").unwrap_err();
    assert!(error.to_string().contains("U+2A123"), "{error}");
}

#[test]
fn a_template_sees_its_own_folder_only() {
    for path in [
        "/etc/passwd",
        "../service.toml",
        "../../secret.txt",
        "@preview/cetz:0.3.4",
        "/form.toml",
    ] {
        let read = if path.starts_with('@') {
            format!("#import \"{path}\": *")
        } else {
            format!("#read(\"{path}\")")
        };
        let error = with(&format!("#set document(title: [a])\n{read}\n")).unwrap_err();
        match error {
            LetterError::Template(mistake) => assert_eq!(
                (mistake.file.as_str(), mistake.line),
                ("letters/approved.typ", 2),
                "{mistake}"
            ),
            other => panic!("{path}: {other}"),
        }
    }
}

#[test]
fn a_template_has_no_clock_and_no_endless_loop() {
    let clock = with("#set document(title: [a])\n#datetime.today().display()\n");
    assert!(matches!(clock, Err(LetterError::Template(_))), "{clock:?}");
    let looping = with("#set document(title: [a])\n#let f(n) = f(n + 1)\n#f(0)\n");
    assert!(matches!(looping, Err(LetterError::Template(_))), "{looping:?}");
    let endless = with("#set document(title: [a])\n#while true {}\n");
    assert!(matches!(endless, Err(LetterError::Template(_))), "{endless:?}");
    let long = with("#set document(title: [a])\n#for n in range(60) { pagebreak() }\n");
    assert_eq!(long, Err(LetterError::TooLong(61)));
}

#[test]
fn data_that_does_not_fit_is_told_at_its_place() {
    let (_home, folder) = starter();
    let service = Service::load(&folder, None).unwrap();
    match service.letter("approved", &json!({ "agency": "x" })) {
        Err(LetterError::Template(mistake)) => assert!(mistake.message.contains("service"), "{mistake}"),
        other => panic!("{other:?}"),
    }
    let huge = json!({ "text": "字".repeat(200_000) });
    assert_eq!(service.letter("approved", &huge), Err(LetterError::TooMuch));
}

#[test]
fn what_a_person_wrote_is_never_taken_for_typesetting() {
    let service = senior();
    let mut tricky = data("#panic() *林* $x$ <a> @b \\ [c] `d`");
    tricky["text"] = "#read(\"/etc/passwd\")\n= Heading\n#while true {}".into();
    for kind in LETTER_KINDS {
        service
            .letter(kind, &tricky)
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[test]
fn the_sheets_of_the_counter_are_tagged_and_come_out_the_same_again() {
    let rows: Vec<Value> = (0..60)
        .map(|n| json!({ "label": format!("第 {n} 題"), "value": "一\n二", "source": "mydata", "day": "民國115年11月1日" }))
        .collect();
    let written = |name: &str, agent: &str| {
        json!({
            "service": "津貼", "agency": "臺中市政府社會局", "person": name, "shown": "國民身分證", "agent": agent,
            "notice": { "title": "個人資料蒐集告知", "version": "0123456789ab", "at": "民國115年11月20日 10:00" },
            "printed": "民國115年11月20日 10:00", "parts": [{ "title": "聯絡方式", "rows": rows }],
            "number": "115-SA-000001", "submitted": "民國115年11月20日 10:00", "deadline": "民國115年12月10日",
            "portal": "https://city.example", "phone": "1999",
        })
    };
    let data = |name: &str| written(name, "");
    let own = services::counter_sheet(services::Sheet::Summary, &data("林阿梅")).unwrap();
    let by_agent = services::counter_sheet(services::Sheet::Summary, &written("林阿梅", "林大明")).unwrap();
    assert_ne!(own, by_agent, "the sheet names who signs it");
    for sheet in [services::Sheet::Summary, services::Sheet::Receipt] {
        let made = services::counter_sheet(sheet, &data("林阿梅")).unwrap_or_else(|error| panic!("{sheet:?}: {error}"));
        assert!(
            holds(&made.pdf, b"/StructTreeRoot") && holds(&made.pdf, b"pdfuaid"),
            "{sheet:?}"
        );
        assert!(made.warnings.is_empty(), "{sheet:?}: {:?}", made.warnings);
        assert_eq!(made, services::counter_sheet(sheet, &data("林阿梅")).unwrap());
        assert_ne!(made, services::counter_sheet(sheet, &data("王小明")).unwrap());
        assert_eq!(made.pages > 1, sheet == services::Sheet::Summary, "{sheet:?}");
    }
    let rare = services::counter_sheet(services::Sheet::Receipt, &data("林\u{2a123}")).unwrap();
    assert_eq!(rare.missing, ['\u{2a123}']);
}
