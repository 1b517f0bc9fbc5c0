//! `service.toml`: who decides, under which law, how long it takes, what is kept and how it is paid.

use civic::{Channel, Month, Text, WorkCalendar};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::folder::{TextFile, suggest};
use crate::invite::{Invite, InviteFile};
use crate::lookup::{Lookup, LookupFile};
use rules::Mistake;

/// What `service.toml` says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meta {
    /// Name of the folder, in addresses and tables.
    pub id: String,
    /// Name of the service.
    pub name: Text,
    /// One sentence: who gets what.
    pub summary: Text,
    /// The agency that decides (主管機關).
    pub agency: Text,
    /// The law it rests on, as letters and the usage ledger cite it.
    pub legal_basis: String,
    /// Letters in the numbers of applications: `SA` gives `115-SA-000001`.
    pub series: String,
    /// Ways to apply; none where everybody entitled is on a roll.
    pub channels: Vec<Channel>,
    /// Codes of the purposes (個人資料保護法之特定目的), the main one first.
    pub purposes: Vec<String>,
    /// Codes of the categories of personal data (個人資料之類別).
    pub categories: Vec<String>,
    /// Days the data of a case is kept after the case is closed.
    pub retention_days: u32,
    /// MyData sets asked for, by resource id.
    pub mydata: Vec<String>,
    /// Cards taken from the digital wallet, by type.
    pub wallet: Vec<String>,
    /// Papers a person would have to bring if they applied on paper.
    pub paper_documents: i32,
    /// Events of life under which people look for it, such as `old_age`.
    pub life_events: Vec<String>,
    /// Time for the decision.
    pub deadline: Deadline,
    /// How it is paid.
    pub payment: Payment,
    /// Days for which its office keeps the result of a questionnaire that somebody left; without a number none can be left.
    pub follow_up_days: Option<u16>,
    /// Why and until when no applications are taken, for a service that is offered but paused.
    pub paused: Option<Paused>,
    /// Who is reminded of what, and how long before.
    pub remind: Option<Remind>,
    /// How decisions are appealed against.
    pub appeal: Option<Appeal>,
    /// How people are invited who are entitled and do not receive.
    pub invite: Option<Invite>,
    /// Whether whoever receives reports what is different now; without it they are sent to the office.
    pub change: Option<Change>,
    /// How what was paid too much is claimed back; without it nothing is.
    pub recovery: Option<Recovery>,
    /// What the office may ask of the city's datasets about a case.
    pub lookups: Vec<Lookup>,
    /// How strongly residents must have proved who they are, 1 (strongest) to 4; without it the city's configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_level: Option<u8>,
}

/// How strongly residents must have proved who they are (身分驗證強度).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityFile {
    /// 1 a card, 2 行動自然人憑證, 3 a registered password with a card, 4 two documents.
    level: u8,
}

/// What whoever receives must report (異動通報).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Days of the calendar within which it is reported, where the law names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// What is reported, in a sentence.
    pub what: Text,
    /// The law it rests on; `verify` marks what has not been compared with its text.
    pub law: String,
}

/// How what was paid too much is claimed back (溢領追繳).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Days of the calendar from the day after the letter within which it is paid back.
    pub days: u16,
    /// The law it rests on; `verify` marks what has not been compared with its text.
    pub law: String,
}

/// A service that takes no new applications for a time (暫停受理). Those handed in go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    /// Why, in a sentence.
    pub reason: Text,
    /// First legal day without applications; from the beginning without one.
    #[serde(default)]
    pub from: Option<Date>,
    /// First legal day on which they are taken again; not known without one.
    #[serde(default)]
    pub until: Option<Date>,
}

impl Meta {
    /// The pause of a legal day, if there is one.
    #[must_use]
    pub fn paused_on(&self, day: Date) -> Option<&Paused> {
        self.paused
            .as_ref()
            .filter(|paused| paused.from.is_none_or(|from| from <= day) && paused.until.is_none_or(|until| day < until))
    }
}

/// Who is reminded before a day passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remind {
    /// Working days before the legal deadline from which a case is marked and listed for its office.
    pub office_days: u16,
    /// Mailbox of the office that gets the list each working day; without one nothing is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office_mail: Option<String>,
    /// Working days before a correction is due on which the person is reminded.
    pub correction_days: u16,
}

/// The administrative appeal (訴願).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appeal {
    /// Days of the calendar from the day after the delivery within which it is lodged (訴願法 §14 I).
    pub days: u16,
    /// Days of the calendar within which the office decides anew or answers and forwards the file.
    pub answer_days: u16,
    /// The body that decides appeals.
    pub body: Text,
    /// The law it rests on; `verify` marks what has not been compared with its text.
    pub law: String,
}

/// Time for the decision (處理期間).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// How many.
    pub days: u16,
    /// Of which days.
    pub kind: DayKind,
}

/// Days a period is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// Days of the calendar (日曆天).
    Calendar,
    /// Working days (工作天).
    Working,
}

impl Deadline {
    /// The last day of the period for an application of `start`, put off to a working day.
    #[must_use]
    pub fn end(&self, calendar: &WorkCalendar, start: Date) -> Date {
        match self.kind {
            DayKind::Calendar => calendar.add_calendar_days(start, self.days),
            DayKind::Working => calendar.add_working_days(start, self.days),
        }
    }
}

/// How it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// How often.
    pub every: Every,
    /// Until when; only for monthly payments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// For how many months, where `until` is `months`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u16>,
}

/// How often it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Each month.
    Month,
    /// Once, in the month of the application or of the roll.
    Once,
    /// Not at all: the service gives something else than money.
    Never,
}

/// Until when monthly payments run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// To December of the year in which they began; then the yearly look (年度總清查).
    YearEnd,
    /// For a number of months.
    Months,
}

impl Payment {
    /// The last month paid for when `first` is the first.
    #[must_use]
    pub fn last_month(&self, first: Month) -> Month {
        match (self.every, self.until) {
            (Every::Once | Every::Never, _) => first,
            (Every::Month, Some(Until::Months)) => first.plus(i32::from(self.months.unwrap_or(1)) - 1),
            (Every::Month, _) => first.year_end(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaFile {
    id: Spanned<String>,
    name: Text,
    summary: Text,
    agency: Text,
    legal_basis: Spanned<String>,
    series: Spanned<String>,
    channels: Spanned<Vec<Spanned<String>>>,
    purposes: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    categories: Vec<Spanned<String>>,
    retention_days: Spanned<u32>,
    #[serde(default)]
    mydata: Vec<Spanned<String>>,
    #[serde(default)]
    wallet: Vec<Spanned<String>>,
    #[serde(default)]
    paper_documents: u16,
    #[serde(default)]
    life_events: Vec<String>,
    deadline: Spanned<Deadline>,
    payment: Spanned<Payment>,
    follow_up_days: Option<u16>,
    paused: Option<Spanned<Paused>>,
    remind: Option<Spanned<Remind>>,
    appeal: Option<Spanned<Appeal>>,
    invite: Option<InviteFile>,
    change: Option<Spanned<Change>>,
    recovery: Option<Spanned<Recovery>>,
    identity: Option<Spanned<IdentityFile>>,
    #[serde(default)]
    lookup: Vec<LookupFile>,
}

/// `service.toml` read, with the places that other files are compared with.
pub(crate) struct ReadMeta {
    pub meta: Meta,
    /// Where each MyData set stands.
    pub mydata: Vec<Spanned<String>>,
    /// Where each card of the wallet stands.
    pub wallet: Vec<Spanned<String>>,
    /// Where the facts of `[invite]` stand.
    pub invite: Option<InviteFile>,
    /// Where the fields of `[[lookup]]` stand.
    pub lookups: Vec<LookupFile>,
}

/// Reads `service.toml` of a folder of this name. `proactive`: the folder has rolls, so nobody need apply.
pub(crate) fn load(file: &TextFile, folder: Option<&str>, proactive: bool) -> Result<ReadMeta, Vec<Mistake>> {
    let read: MetaFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = Vec::new();
    let mut wrong = |at: std::ops::Range<usize>, message: String, suggestion: Option<String>| {
        mistakes.push(file.mistake(&at, message, suggestion))
    };
    if let Some(folder) = folder
        && read.id.get_ref() != folder
    {
        wrong(
            read.id.span(),
            format!("the id is `{}`, the folder `{folder}`", read.id.get_ref()),
            Some(format!("write `id = \"{folder}\"`")),
        );
    }
    if read.legal_basis.get_ref().trim().is_empty() {
        wrong(
            read.legal_basis.span(),
            "the legal basis is empty".to_owned(),
            Some("cite the law, as `老人福利法 §12 I`".to_owned()),
        );
    }
    let series = read.series.get_ref();
    if !(1..=4).contains(&series.len()) || !series.chars().all(|c| c.is_ascii_uppercase()) {
        wrong(
            read.series.span(),
            format!("`{series}` can't stand in numbers of applications"),
            Some("use one to four capital letters".to_owned()),
        );
    }
    let mut channels = Vec::new();
    for channel in read.channels.get_ref() {
        match channel.get_ref().parse::<Channel>() {
            Ok(channel) => channels.push(channel),
            Err(()) => wrong(
                channel.span(),
                format!("`{}` is no channel", channel.get_ref()),
                suggest(channel.get_ref(), ["online", "counter", "agent"].into_iter()),
            ),
        }
    }
    if read.channels.get_ref().is_empty() && !proactive {
        wrong(
            read.channels.span(),
            "there is no way to apply".to_owned(),
            Some("write `channels = [\"online\", \"counter\"]`, or a `roll.toml`".to_owned()),
        );
    }
    if read.purposes.get_ref().is_empty() {
        wrong(
            read.purposes.span(),
            "without a purpose no personal data may be used".to_owned(),
            Some("name a code of 特定目的, as `purposes = [\"057\"]`".to_owned()),
        );
    }
    for code in read.purposes.get_ref() {
        if code.get_ref().len() != 3 || !code.get_ref().chars().all(|c| c.is_ascii_digit()) {
            wrong(
                code.span(),
                format!("`{}` is no code of a purpose", code.get_ref()),
                Some("three digits, as `057`".to_owned()),
            );
        }
    }
    for code in &read.categories {
        let sound = code
            .get_ref()
            .strip_prefix('C')
            .is_some_and(|rest| rest.len() == 3 && rest.chars().all(|c| c.is_ascii_digit()));
        if !sound {
            wrong(
                code.span(),
                format!("`{}` is no code of a category of data", code.get_ref()),
                Some("`C` and three digits, as `C001`".to_owned()),
            );
        }
    }
    if *read.retention_days.get_ref() == 0 || *read.retention_days.get_ref() > 36_525 {
        wrong(
            read.retention_days.span(),
            "the retention must be between a day and a hundred years".to_owned(),
            Some("write the days, as 1826 for five years".to_owned()),
        );
    }
    for (place, set) in read.mydata.iter().enumerate() {
        let sound = set
            .get_ref()
            .strip_prefix("API.")
            .is_some_and(|rest| rest.len() == 10 && rest.chars().all(|c| c.is_ascii_alphanumeric()));
        if !sound {
            wrong(
                set.span(),
                format!("`{}` is no MyData set", set.get_ref()),
                Some("`API.` and ten letters or digits".to_owned()),
            );
        } else if read
            .mydata
            .iter()
            .take(place)
            .any(|other| other.get_ref() == set.get_ref())
        {
            wrong(
                set.span(),
                format!("`{}` stands here twice", set.get_ref()),
                Some("remove one".to_owned()),
            );
        }
    }
    for (place, card) in read.wallet.iter().enumerate() {
        if read
            .wallet
            .iter()
            .take(place)
            .any(|other| other.get_ref() == card.get_ref())
        {
            wrong(
                card.span(),
                format!("`{}` stands here twice", card.get_ref()),
                Some("remove one".to_owned()),
            );
        }
    }
    if read.deadline.get_ref().days == 0 {
        wrong(
            read.deadline.span(),
            "the time for the decision is zero days".to_owned(),
            Some("write the days the law gives".to_owned()),
        );
    }
    let payment = read.payment.get_ref();
    match (payment.every, payment.until, payment.months) {
        (Every::Month, None, _) => {
            wrong(
                read.payment.span(),
                "monthly payments must say until when".to_owned(),
                Some("add `until = \"year_end\"` or `until = \"months\"` with `months`".to_owned()),
            );
        }
        (Every::Once | Every::Never, Some(_), _) | (Every::Once | Every::Never, _, Some(_)) => {
            wrong(
                read.payment.span(),
                "what is not paid monthly has no end".to_owned(),
                Some("leave `until` and `months` out".to_owned()),
            );
        }
        (Every::Month, Some(Until::Months), None | Some(0)) => {
            wrong(
                read.payment.span(),
                "`until = \"months\"` must say how many".to_owned(),
                Some("add `months = 12`".to_owned()),
            );
        }
        (Every::Month, Some(Until::YearEnd), Some(_)) => {
            wrong(
                read.payment.span(),
                "`months` has no meaning with `until = \"year_end\"`".to_owned(),
                Some("leave it out".to_owned()),
            );
        }
        _ => {}
    }
    if let Some(paused) = &read.paused
        && let (Some(from), Some(until)) = (paused.get_ref().from, paused.get_ref().until)
        && until <= from
    {
        wrong(
            paused.span(),
            "the pause ends before it begins".to_owned(),
            Some("`until` is the first day on which applications are taken again".to_owned()),
        );
    }
    if let Some(remind) = &read.remind {
        let found = remind.get_ref();
        if found.office_days == 0 || found.correction_days == 0 || found.office_days.max(found.correction_days) > 60 {
            wrong(
                remind.span(),
                "reminders go out 1 to 60 working days before".to_owned(),
                Some("write `office_days = 5` and `correction_days = 3`, or leave `[remind]` out".to_owned()),
            );
        }
        let sound = |mail: &String| {
            let parts = mail.split_once('@');
            parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
                && !mail.contains(char::is_whitespace)
        };
        if !found.office_mail.as_ref().is_none_or(sound) {
            wrong(
                remind.span(),
                "`office_mail` is no mail address".to_owned(),
                Some("write the mailbox of the office, or leave it out".to_owned()),
            );
        }
    }
    if let Some(appeal) = &read.appeal {
        let found = appeal.get_ref();
        if found.days == 0 || found.answer_days == 0 {
            wrong(
                appeal.span(),
                "a period of zero days leaves no time to appeal or to answer".to_owned(),
                Some("write the days the law gives, as `days = 30`".to_owned()),
            );
        }
        if found.law.trim().is_empty() {
            wrong(
                appeal.span(),
                "the law of the appeal is empty".to_owned(),
                Some("cite it, as `law = \"訴願法第14條第1項\"`".to_owned()),
            );
        }
    }
    if let Some(change) = &read.change
        && change.get_ref().law.trim().is_empty()
    {
        wrong(
            change.span(),
            "the law of the duty to report is empty".to_owned(),
            Some("cite it, as `law = \"社會救助法第14條\"`".to_owned()),
        );
    }
    if let Some(recovery) = &read.recovery {
        let found = recovery.get_ref();
        if found.days == 0 || found.law.trim().is_empty() {
            wrong(
                recovery.span(),
                "what is claimed back needs a period of days and a law".to_owned(),
                Some("write `days = 30` and the law it rests on".to_owned()),
            );
        }
        if matches!(read.payment.get_ref().every, Every::Never) {
            wrong(
                recovery.span(),
                "the service pays nothing that could be claimed back".to_owned(),
                Some("leave `[recovery]` out".to_owned()),
            );
        }
    }
    if let Some(identity) = &read.identity
        && !(1..=4).contains(&identity.get_ref().level)
    {
        wrong(
            identity.span(),
            format!("there is no level {}", identity.get_ref().level),
            Some("write 1 (a card) to 4 (two documents), or leave `[identity]` out".to_owned()),
        );
    }
    mistakes.extend(read.invite.iter().flat_map(|invite| invite.mistakes(file)));
    mistakes.extend(read.lookup.iter().flat_map(|lookup| lookup.mistakes(file)));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let words = |list: &[Spanned<String>]| list.iter().map(|one| one.get_ref().clone()).collect();
    let meta = Meta {
        id: read.id.into_inner(),
        name: read.name,
        summary: read.summary,
        agency: read.agency,
        legal_basis: read.legal_basis.into_inner(),
        series: read.series.into_inner(),
        channels,
        purposes: words(read.purposes.get_ref()),
        categories: words(&read.categories),
        retention_days: read.retention_days.into_inner(),
        mydata: words(&read.mydata),
        wallet: words(&read.wallet),
        paper_documents: i32::from(read.paper_documents),
        life_events: read.life_events,
        deadline: read.deadline.into_inner(),
        payment: read.payment.into_inner(),
        follow_up_days: read.follow_up_days,
        paused: read.paused.map(Spanned::into_inner),
        remind: read.remind.map(Spanned::into_inner),
        appeal: read.appeal.map(Spanned::into_inner),
        invite: read.invite.as_ref().map(InviteFile::invite),
        change: read.change.map(Spanned::into_inner),
        recovery: read.recovery.map(Spanned::into_inner),
        lookups: read.lookup.iter().map(LookupFile::lookup).collect(),
        identity_level: read.identity.map(|identity| identity.into_inner().level),
    };
    Ok(ReadMeta {
        meta,
        mydata: read.mydata,
        wallet: read.wallet,
        invite: read.invite,
        lookups: read.lookup,
    })
}
