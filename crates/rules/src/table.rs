//! Decision tables: a CSV file whose header cells are `when <expression>` and one `then`, and whose rows become the
//! branches of a CASE. A row whose conditions aren't known yet leaves the value unknown; it is not skipped.

use crate::bind::{Binder, parse};
use crate::expr::{Constant, Is, Kind, Node, What};
use crate::model::Type;
use crate::parameters::{Record, decimal, records};
use jiff::civil::Date;
use sqlparser::ast::Spanned;

/// The CASE of the table in the binder's file, and the condition of each row.
pub(crate) fn read(binder: &mut Binder<'_>) -> Option<(Node, Vec<Node>)> {
    let lines = match records(binder.source) {
        Ok(lines) => lines,
        Err(mistakes) => {
            binder.mistakes.extend(mistakes);
            return None;
        }
    };
    let Some((header, rows)) = lines.split_first().filter(|(_, rows)| !rows.is_empty()) else {
        binder.tell(0, "the table needs a header and at least one row", HEADER);
        return None;
    };
    let columns = columns(binder, header)?;
    let (mut branches, mut conditions) = (Vec::new(), Vec::new());
    let mut complete = true;
    for row in rows {
        match branch(binder, &columns, row) {
            Some((condition, result)) => {
                conditions.push(condition.clone());
                let tested = What::Is {
                    node: Box::new(condition.clone()),
                    what: Is::Null,
                    negated: false,
                };
                let tested = binder.node(tested, Kind::plain(Type::Boolean));
                let unknown = binder.node(What::Constant(Constant::Null), Kind::null());
                branches.push((condition, result));
                branches.push((tested, unknown));
            }
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    binder.cell = Some(header.offset);
    let anywhere = parse(binder.source, "true", header.offset).ok()?;
    let node = binder.assemble(&anywhere, branches, None)?;
    binder.keep_place(node.id, anywhere.span().start);
    Some((node, conditions))
}

/// What the first line is.
const HEADER: &str = "the first line is `when <expression>` for each condition and one `then`";

enum Column {
    When(String),
    Then,
}

/// What the columns are. The expression of a header is bound once by itself, so that a mistake of it is told there.
fn columns(binder: &mut Binder<'_>, header: &Record) -> Option<Vec<Column>> {
    let mut columns = Vec::new();
    let mut complete = true;
    for (place, cell) in header.cells.iter().enumerate() {
        let start = header.start(place);
        if cell == "then" {
            columns.push(Column::Then);
        } else if let Some(expression) = cell.strip_prefix("when ") {
            complete &= bind(binder, start, expression.trim().to_owned()).is_some();
            columns.push(Column::When(expression.trim().to_owned()));
        } else {
            let message = format!("the header `{cell}` is neither `when <expression>` nor `then`");
            binder.tell(start, &message, HEADER);
            return None;
        }
    }
    if columns.iter().filter(|column| matches!(column, Column::Then)).count() != 1 {
        binder.tell(header.offset, "the table needs exactly one column `then`", HEADER);
        return None;
    }
    complete.then_some(columns)
}

fn branch(binder: &mut Binder<'_>, columns: &[Column], row: &Record) -> Option<(Node, Node)> {
    let (mut conditions, mut result) = (Vec::new(), None);
    for (place, (column, cell)) in columns.iter().zip(&row.cells).enumerate() {
        let start = row.start(place);
        match column {
            Column::When(_) if cell == "-" => {}
            Column::When(_) if cell.is_empty() => {
                binder.tell(start, "the cell is empty", "write `-` where it may be anything");
                return None;
            }
            Column::When(expression) => conditions.push(bind(binder, start, test(expression, cell))?),
            Column::Then => result = Some(bind(binder, start, self::result(cell))?),
        }
    }
    let condition = match conditions.len() {
        0 => binder.node(What::Constant(Constant::Boolean(true)), Kind::plain(Type::Boolean)),
        1 => conditions.pop()?,
        _ => binder.node(What::And(conditions), Kind::plain(Type::Boolean)),
    };
    Some((condition, result?))
}

/// Binds a cell; all that is said of it is said where it begins, since its expression is put together from two cells.
fn bind(binder: &mut Binder<'_>, start: usize, sql: String) -> Option<Node> {
    binder.start = start;
    binder.cell = Some(start);
    match parse(binder.source, &sql, start) {
        Ok(expression) => {
            binder.sql = sql.into();
            binder.bind(&expression)
        }
        Err(mistake) => {
            let place = binder.source.mistake(start, mistake.message, mistake.suggestion);
            binder.mistakes.push(place);
            None
        }
    }
}

/// The condition a cell says about the expression of its column.
fn test(expression: &str, cell: &str) -> String {
    for operator in ["<=", ">=", "<>", "!=", "<", ">", "="] {
        if let Some(rest) = cell.strip_prefix(operator) {
            return format!("({expression}) {operator} {}", value(rest.trim()));
        }
    }
    if let Some((low, high)) = cell.split_once("..") {
        return format!(
            "({expression}) BETWEEN {} AND {}",
            value(low.trim()),
            value(high.trim())
        );
    }
    if cell.contains(',') {
        let values: Vec<String> = cell.split(',').map(|part| value(part.trim())).collect();
        return format!("({expression}) IN ({})", values.join(", "));
    }
    format!("({expression}) = {}", value(cell))
}

/// A constant as SQL: numbers, dates, `true`, `false` and `null` stand for themselves, anything else is a text.
fn value(cell: &str) -> String {
    let bare = cell
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(cell);
    if bare.parse::<Date>().is_ok() && bare.len() == 10 {
        format!("DATE '{bare}'")
    } else if bare == cell && (decimal(cell).is_some() || ["true", "false", "null"].contains(&cell)) {
        cell.to_owned()
    } else {
        format!("'{}'", bare.replace('\'', "''"))
    }
}

/// The result of a row: a constant, or `= <expression>`.
fn result(cell: &str) -> String {
    cell.strip_prefix('=')
        .map_or_else(|| value(cell), |expression| expression.trim().to_owned())
}
