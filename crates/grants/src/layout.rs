//! The plan as annex 1 lays it out (計畫書參考格式): government and title, thirteen chapters, the table of annex 2 behind them.
//! Every document of a plan prints this, so that none says what another leaves out.

use civic::{Language, Money};
use serde::Serialize;

use crate::plan::{Kind, Plan};
use crate::programme::{Chapter as Given, ChapterKind, Programme};

/// Names of texts that are no text of a chapter.
pub(crate) const TITLE: &str = "plan.title";
pub(crate) const EXCEPTION: &str = "plan.cap-exception";
/// Names of tables.
pub(crate) const INDICATORS: &str = "indicators";
pub(crate) const BUDGET: &str = "budget";
pub(crate) const SUBSIDY: &str = "subsidy";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
pub(crate) const CONTACT: &str = "contact";
/// Labels in front of the fields of a cell.
pub(crate) const FORMULA: &str = "計算方式：";
pub(crate) const BASE: &str = "計算基準：";
pub(crate) const SOURCE: &str = "資料來源：";
pub(crate) const PRINTED: &str = "參考指標：";
pub(crate) const MEASURE: &str = "平臺量測：";
pub(crate) const KIND: &str = "門別：";
pub(crate) const ITEMS: &str = "補助項目：";
pub(crate) const ANSWERS: &str = "對應績效指標：";
pub(crate) const NOTE: &str = "說明：";
pub(crate) const SUM: &str = "合計：";
pub(crate) const CAPITAL: &str = "資本門：";
pub(crate) const CURRENT: &str = "經常門：";
pub(crate) const CAPITAL_KIND: &str = "資本門";
pub(crate) const CURRENT_KIND: &str = "經常門";
/// Between ids of one cell.
pub(crate) const BETWEEN: char = '、';
/// Quarters as the annex prints them.
pub(crate) const QUARTERS: [&str; 4] = ["第一季", "第二季", "第三季", "第四季"];
/// Heading of the table of annex 2.
pub(crate) const ANNEX: &str = "附件2：數位發展現況階段自評說明對照表";
/// Columns of the table of annex 2.
pub(crate) const ANNEX_HEAD: [&str; 4] = ["發展階段", "佐證項目及網址", "已完成指定項目", "計畫精進項目"];

const NUMBERS: [&str; 13] = [
    "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三",
];

/// What a document of a plan prints, but for the table of annex 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Layout {
    /// Whose plan it is, such as `基隆市政府`.
    pub government: String,
    /// Its title.
    pub title: String,
    /// Chapters in the order of the programme.
    pub chapters: Vec<Chapter>,
}

/// A chapter with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Chapter {
    /// Number and title, such as `二、計畫目標`.
    pub heading: String,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// A part of a chapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Block {
    /// Number and title of a section.
    Heading { text: String },
    /// A text that the government wrote, under its name.
    Text { id: String, text: String },
    /// Words for the reader only.
    Label { text: String },
    /// A table.
    Table(Table),
}

/// A table; a cell is its paragraphs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Table {
    /// Its name.
    pub name: &'static str,
    /// Titles of the columns.
    pub head: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<Vec<String>>>,
}

impl Layout {
    /// Lays a plan out.
    pub fn of(plan: &Plan, programme: &Programme) -> Self {
        let known = programme.government(&plan.government);
        let chapters = programme.chapters.iter().enumerate().map(|(index, chapter)| Chapter {
            heading: format!("{}、{}", number(index), chapter.title.get(Language::ZhTw)),
            blocks: match chapter.kind {
                ChapterKind::Text => texts(chapter, plan),
                ChapterKind::Indicators => vec![indicators(plan, programme)],
                ChapterKind::Budget => budget(plan),
                ChapterKind::Subsidy => subsidy(plan, programme),
                ChapterKind::Checkpoints => vec![checkpoints(plan)],
                ChapterKind::Contact => vec![contact(plan)],
            },
        });
        Self {
            government: known.map_or_else(|| plan.government.clone(), |known| format!("{}政府", known.name)),
            title: plan.title.clone(),
            chapters: chapters.collect(),
        }
    }
}

/// The number in front of a chapter or section, from 0.
fn number(index: usize) -> String {
    let known = NUMBERS.get(index);
    known.map_or_else(|| (index + 1).to_string(), |number| (*number).to_owned())
}

fn label(text: impl Into<String>) -> Block {
    Block::Label { text: text.into() }
}

fn text(id: &str, plan: &Plan) -> Block {
    Block::Text {
        id: id.to_owned(),
        text: plan.text(id).to_owned(),
    }
}

fn table(name: &'static str, head: &[&str], rows: Vec<Vec<Vec<String>>>) -> Block {
    Block::Table(Table {
        name,
        head: head.iter().map(|&title| title.to_owned()).collect(),
        rows,
    })
}

fn texts(chapter: &Given, plan: &Plan) -> Vec<Block> {
    if chapter.sections.is_empty() {
        return vec![text(&chapter.id, plan)];
    }
    let sections = chapter.sections.iter().enumerate().flat_map(|(index, section)| {
        let heading = Block::Heading {
            text: format!("（{}）{}", number(index), section.title.get(Language::ZhTw)),
        };
        [heading, text(&format!("{}.{}", chapter.id, section.id), plan)]
    });
    sections.collect()
}

/// A printed indicator with its title before its id, such as `民眾服務滿意度（satisfaction）`.
pub(crate) fn titled(id: &str, programme: &Programme) -> String {
    match programme.indicator(id) {
        Some(known) => format!("{}（{id}）", known.title.get(Language::ZhTw)),
        None => id.to_owned(),
    }
}

fn indicators(plan: &Plan, programme: &Programme) -> Block {
    let years = &programme.period.years;
    let targets: Vec<String> = years.iter().map(|year| format!("{year}年目標值")).collect();
    let mut head = vec!["項次", "項目"];
    head.extend(targets.iter().map(String::as_str));
    head.push("說明");
    let rows = plan.indicators.iter().map(|one| {
        let mut cells = vec![vec![one.id.clone()], vec![one.title.clone()]];
        cells.extend(years.iter().map(|year| {
            let target = one.targets.iter().find(|target| target.year == *year);
            vec![target.map(|target| target.text.clone()).unwrap_or_default()]
        }));
        let mut notes = vec![
            format!("{FORMULA}{}", one.formula),
            format!("{BASE}{}", one.base),
            format!("{SOURCE}{}", one.source),
        ];
        notes.extend(
            one.printed
                .iter()
                .map(|id| format!("{PRINTED}{}", titled(id, programme))),
        );
        notes.extend(one.measure.iter().map(|measure| format!("{MEASURE}{measure}")));
        cells.push(notes);
        cells
    });
    table(INDICATORS, &head, rows.collect())
}

fn budget(plan: &Plan) -> Vec<Block> {
    let between = BETWEEN.to_string();
    let rows = plan.lines.iter().enumerate().map(|(index, line)| {
        let kind = match line.kind {
            Kind::Capital => CAPITAL_KIND,
            Kind::Current => CURRENT_KIND,
        };
        let notes = vec![
            format!("{KIND}{kind}"),
            format!("{ITEMS}{}", line.items.join(&between)),
            format!("{ANSWERS}{}", line.indicators.join(&between)),
            format!("{NOTE}{}", line.note),
        ];
        vec![
            vec![(index + 1).to_string()],
            vec![line.year.to_string()],
            vec![line.work.clone()],
            vec![line.amount.grouped()],
            notes,
        ]
    });
    let total: Money = plan.lines.iter().map(|line| line.amount).sum();
    vec![
        label("單位：新臺幣元"),
        table(
            BUDGET,
            &["項次", "年度", "工作項目", "所需經費", "備註"],
            rows.collect(),
        ),
        label(format!("經費合計 {} 元", total.grouped())),
    ]
}

fn subsidy(plan: &Plan, programme: &Programme) -> Vec<Block> {
    let rows = plan.subsidies.iter().map(|one| {
        let shares = vec![
            format!("{SUM}{}", one.ministry().grouped()),
            format!("{CAPITAL}{}", one.capital.grouped()),
            format!("{CURRENT}{}", one.current.grouped()),
        ];
        vec![
            vec![one.year.to_string()],
            vec![one.total.grouped()],
            vec![one.own.grouped()],
            shares,
        ]
    });
    let ministry = format!("{}補助經費", programme.ministry.get(Language::ZhTw));
    let head = ["年度", "總經費", "地方政府自籌款", &ministry];
    let mut blocks = vec![label("單位：新臺幣元"), table(SUBSIDY, &head, rows.collect())];
    if let Some(reason) = &plan.cap_exception {
        blocks.push(label("超過補助上限之理由"));
        blocks.push(Block::Text {
            id: EXCEPTION.to_owned(),
            text: reason.clone(),
        });
    }
    blocks
}

fn checkpoints(plan: &Plan) -> Block {
    let rows = plan.checkpoints.iter().map(|one| {
        let quarter = usize::from(one.quarter).checked_sub(1).and_then(|at| QUARTERS.get(at));
        vec![
            vec![quarter.map_or_else(|| one.quarter.to_string(), |name| (*name).to_owned())],
            vec![one.progress.to_string()],
            vec![one.spending.grouped()],
            vec![one.text.clone()],
        ]
    });
    let head = ["時程", "累計預定進度(%)", "累計預定支用(元)", "關鍵查核點"];
    table(CHECKPOINTS, &head, rows.collect())
}

fn contact(plan: &Plan) -> Block {
    let contact = &plan.contact;
    let row = [&contact.unit, &contact.name, &contact.telephone, &contact.email].map(|text| vec![text.clone()]);
    table(CONTACT, &["單位", "姓名", "聯絡電話", "E-MAIL"], vec![row.to_vec()])
}
