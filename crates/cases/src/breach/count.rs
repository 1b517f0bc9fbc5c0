//! Whom a breach concerns: worked out from the usage ledger, or from what was kept at the time.

use std::collections::{HashMap, HashSet};

use civic::ids::EventId;
use jiff::Timestamp;
use store::ledger::{self, Scope as Uses};
use store::outbox::Outcome;
use store::sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use store::tables::{application, breach as table, breach_person, person};
use uuid::Uuid;

use super::{Content, Event, Means, Scope, State, Told, content, numbered, write};
use crate::{CaseError, Desk, staff};

/// Kind of the work that counts.
pub(crate) const COUNT: &str = "breach.count";

/// Rows read at a time.
const PART: u64 = 10_000;

/// What is known of one person.
#[derive(Clone, Copy, Default)]
struct Found {
    uses: i64,
    span: Option<(Timestamp, Timestamp)>,
    application: Option<Uuid>,
}

impl Found {
    fn used(&mut self, at: Timestamp, application: Option<Uuid>) {
        self.uses += 1;
        self.span = Some(
            self.span
                .map_or((at, at), |(first, last)| (first.min(at), last.max(at))),
        );
        self.application = application.or(self.application);
    }
}

/// Everybody concerned, and uses that name nobody.
#[derive(Default)]
struct All {
    found: HashMap<[u8; 32], Found>,
    unnamed: i64,
}

/// Counts the persons of a breach, unless its scope was changed meanwhile.
///
/// # Errors
/// The store's.
pub(crate) async fn work(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(mut row) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    let mut content = content(desk, &row).await?;
    let Some(scope) = content
        .scope
        .clone()
        .filter(|_| row.state == State::Open && row.counted_at.is_none())
    else {
        return Ok(Outcome::Done);
    };
    let all = match scope.means {
        Means::Used => used(desk, &scope).await?,
        Means::Kept => kept(desk, &scope).await?,
    };
    row.concerned = i64::try_from(all.found.len()).unwrap_or(i64::MAX);
    row.unnamed = all.unnamed;
    row.counted_at = Some(desk.now().as_microsecond());
    content.history.push(Event {
        at: desk.now(),
        by: None,
        what: "counted".to_owned(),
        note: row.concerned.to_string(),
    });
    let rows = rows(desk, id, all);
    keep(desk, row, content, rows).await?;
    Ok(Outcome::Done)
}

fn rows(desk: &Desk, breach: Uuid, all: All) -> Vec<breach_person::Model> {
    let row = |(subject, found): ([u8; 32], Found)| breach_person::Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        breach_id: breach,
        subject: subject.to_vec(),
        application_id: found.application,
        uses: found.uses,
        first_at: found.span.map(|(first, _)| first.as_microsecond()),
        last_at: found.span.map(|(_, last)| last.as_microsecond()),
        told: Told::No,
        told_at: None,
    };
    all.found.into_iter().map(row).collect()
}

/// All in one transaction, so that nobody is told by half a list.
async fn keep(
    desk: &Desk,
    row: table::Model,
    content: Content,
    rows: Vec<breach_person::Model>,
) -> Result<(), CaseError> {
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                breach_person::delete_of(tx, row.id).await?;
                breach_person::insert_all(tx, rows).await?;
                write(tx, &seal, row, &content).await
            })
        })
        .await
}

/// By the usage ledger.
async fn used(desk: &Desk, scope: &Scope) -> Result<All, CaseError> {
    let member = match &scope.account {
        Some(account) => {
            let all = staff::all(desk).await?;
            let found = all.into_iter().find(|one| &one.account == account);
            Some(found.ok_or(CaseError::NotFound("account"))?.id.uuid())
        }
        None => None,
    };
    let uses = Uses {
        from: scope.from,
        to: scope.to,
        staff: member,
        application: match &scope.number {
            Some(number) => Some(numbered(desk, number).await?.uuid()),
            None => None,
        },
        service: scope.service.clone(),
    };
    let (mut all, mut by_case) = (All::default(), HashMap::<Uuid, Found>::new());
    let (mut first, end) = ledger::span(desk.store.read(), &uses).await?;
    loop {
        let part = ledger::within(desk.store.read(), &uses, (first, end), PART).await?;
        let Some(last) = part.last() else { break };
        first = last.seq.saturating_add(1);
        for one in &part {
            match (one.subject, one.application) {
                (Some(subject), application) => all.found.entry(subject).or_default().used(one.at, application),
                (None, Some(application)) => by_case.entry(application).or_default().used(one.at, Some(application)),
                (None, None) => all.unnamed += 1,
            }
        }
    }
    // what was done to a case without naming its person concerns whose case it is
    let cases: Vec<Uuid> = by_case.keys().copied().collect();
    for part in cases.chunks(1_000) {
        let rows = application::by_ids(desk.store.read(), part.to_vec()).await?;
        let persons: HashSet<Uuid> = rows.iter().filter_map(|row| row.person_id).collect();
        let known = person::by_ids(desk.store.read(), persons.into_iter().collect()).await?;
        let lookups: HashMap<Uuid, [u8; 32]> = known
            .into_iter()
            .filter_map(|row| Some((row.id, row.lookup.try_into().ok()?)))
            .collect();
        let whose: HashMap<Uuid, [u8; 32]> = rows
            .iter()
            .filter_map(|row| Some((row.id, *lookups.get(&row.person_id?)?)))
            .collect();
        for case in part {
            let Some(found) = by_case.remove(case) else { continue };
            match whose.get(case) {
                Some(subject) => {
                    let whole = all.found.entry(*subject).or_default();
                    whole.uses += found.uses;
                    whole.application = whole.application.or(found.application);
                    whole.span = match (whole.span, found.span) {
                        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                        (one, other) => one.or(other),
                    };
                }
                None => all.unnamed += found.uses,
            }
        }
    }
    Ok(all)
}

/// By what was kept in that time: cases that were opened before its end and not destroyed before its beginning, and, where no service is
/// named, accounts.
async fn kept(desk: &Desk, scope: &Scope) -> Result<All, CaseError> {
    use application::Column;
    let (from, to) = (scope.from.as_microsecond(), scope.to.as_microsecond());
    let mut whose: HashMap<Uuid, Found> = HashMap::new();
    let mut after: Option<Uuid> = None;
    loop {
        let mut query = application::Entity::find()
            .select_only()
            .columns([Column::Id, Column::PersonId])
            .filter(Column::OpenedAt.lt(to))
            .filter(
                Condition::any()
                    .add(Column::DisposedAt.is_null())
                    .add(Column::DisposedAt.gte(from)),
            );
        if let Some(service) = &scope.service {
            query = query.filter(Column::Service.eq(service.as_str()));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after));
        }
        let part: Vec<(Uuid, Option<Uuid>)> = query
            .order_by_asc(Column::Id)
            .limit(PART)
            .into_tuple()
            .all(desk.store.read())
            .await?;
        let Some((last, _)) = part.last() else { break };
        after = Some(*last);
        for (case, person) in part {
            if let Some(person) = person {
                whose.entry(person).or_default().application = Some(case);
            }
        }
    }
    let mut all = All::default();
    let mut after: Option<Uuid> = None;
    loop {
        let mut query = person::Entity::find()
            .select_only()
            .columns([person::Column::Id, person::Column::Lookup])
            .filter(person::Column::CreatedAt.lt(to));
        if let Some(after) = after {
            query = query.filter(person::Column::Id.gt(after));
        }
        let part: Vec<(Uuid, Vec<u8>)> = query
            .order_by_asc(person::Column::Id)
            .limit(PART)
            .into_tuple()
            .all(desk.store.read())
            .await?;
        let Some((last, _)) = part.last() else { break };
        after = Some(*last);
        for (id, lookup) in part {
            let found = whose.remove(&id);
            let Ok(subject) = lookup.try_into() else { continue };
            if let Some(found) = found.or_else(|| scope.service.is_none().then(Found::default)) {
                all.found.insert(subject, found);
            }
        }
    }
    Ok(all)
}
