//! A row of a table as people left it, read into the plan.

use civic::{Money, fold_width};

use super::OdtError;
use crate::layout::{
    ANSWERS, BASE, BETWEEN, CAPITAL, CAPITAL_KIND, CURRENT, CURRENT_KIND, FORMULA, ITEMS, KIND, MEASURE, NOTE, PRINTED,
    QUARTERS, SOURCE, SUM,
};
use crate::plan::{Checkpoint, Kind, Line, PlanIndicator, PlanTarget, Subsidy};

/// A row of a table, a cell being its paragraphs.
pub(super) struct Row<'a> {
    pub(super) table: &'a str,
    pub(super) row: usize,
    pub(super) cells: Vec<Vec<String>>,
}

impl Row<'_> {
    fn wrong(&self, column: usize, what: &'static str) -> OdtError {
        OdtError::Cell {
            table: self.table.to_owned(),
            row: self.row,
            column: column + 1,
            what,
        }
    }

    fn cell(&self, column: usize) -> Result<&[String], OdtError> {
        let missing = || self.wrong(column, "the cell is missing; give the row all its columns again");
        self.cells.get(column).map(Vec::as_slice).ok_or_else(missing)
    }

    pub(super) fn text(&self, column: usize) -> Result<String, OdtError> {
        Ok(self.cell(column)?.join("\n"))
    }

    fn number<T: std::str::FromStr>(&self, column: usize) -> Result<T, OdtError> {
        let text = self.text(column)?;
        number(&text).ok_or_else(|| self.wrong(column, "this is no number; write digits, as 4,500,000"))
    }

    /// The fields of a cell by their labels, which stand in this order; a paragraph without a label goes on with the one
    /// before.
    fn labelled(&self, column: usize, labels: &[&str]) -> Result<Vec<Option<String>>, OdtError> {
        let mut fields: Vec<Option<String>> = vec![None; labels.len()];
        let mut at = None;
        for paragraph in self.cell(column)? {
            let from = at.map_or(0, |at: usize| at + 1);
            let found = labels
                .iter()
                .enumerate()
                .skip(from)
                .find_map(|(index, label)| paragraph.strip_prefix(label).map(|text| (index, text)));
            match (found, at.and_then(|at| fields.get_mut(at))) {
                (Some((index, text)), _) => {
                    if let Some(field) = fields.get_mut(index) {
                        *field = Some(text.to_owned());
                    }
                    at = Some(index);
                }
                (None, Some(Some(field))) => {
                    field.push('\n');
                    field.push_str(paragraph);
                }
                (None, _) if paragraph.trim().is_empty() => {}
                (None, _) => {
                    return Err(self.wrong(
                        column,
                        "a label such as 門別： or 計算方式： is missing; copy it from another row",
                    ));
                }
            }
        }
        Ok(fields)
    }

    pub(super) fn indicator(&self, years: &[i16]) -> Result<PlanIndicator, OdtError> {
        let mut targets = Vec::new();
        for (index, year) in years.iter().enumerate() {
            targets.push(PlanTarget {
                year: *year,
                text: self.text(2 + index)?,
            });
        }
        let labels = [FORMULA, BASE, SOURCE, PRINTED, MEASURE];
        let mut fields = self.labelled(2 + years.len(), &labels)?.into_iter();
        let mut next = || fields.next().flatten();
        Ok(PlanIndicator {
            id: self.text(0)?,
            title: self.text(1)?,
            formula: next().unwrap_or_default(),
            base: next().unwrap_or_default(),
            source: next().unwrap_or_default(),
            printed: next(),
            measure: next(),
            targets,
        })
    }

    pub(super) fn line(&self) -> Result<Line, OdtError> {
        let mut fields = self.labelled(4, &[KIND, ITEMS, ANSWERS, NOTE])?.into_iter();
        let mut next = || fields.next().flatten().unwrap_or_default();
        let kind = match next().trim() {
            CAPITAL_KIND => Kind::Capital,
            CURRENT_KIND => Kind::Current,
            _ => return Err(self.wrong(4, "門別： is neither 資本門 nor 經常門; write one")),
        };
        let listed = |text: String| {
            let ids = text.split(BETWEEN).map(str::trim).filter(|id| !id.is_empty());
            ids.map(str::to_owned).collect()
        };
        Ok(Line {
            year: self.number(1)?,
            work: self.text(2)?,
            amount: Money(self.number(3)?),
            kind,
            items: listed(next()),
            indicators: listed(next()),
            note: next(),
        })
    }

    pub(super) fn subsidy(&self) -> Result<Subsidy, OdtError> {
        let fields = self.labelled(3, &[SUM, CAPITAL, CURRENT])?;
        let mut amounts = fields.iter().map(|field| {
            let amount = field.as_deref().and_then(number);
            amount.ok_or_else(|| self.wrong(3, "合計：, 資本門： and 經常門： each need an amount in digits"))
        });
        let mut next = || amounts.next().unwrap_or(Ok(0));
        let (sum, capital, current) = (next()?, next()?, next()?);
        let subsidy = Subsidy {
            year: self.number(0)?,
            total: Money(self.number(1)?),
            own: Money(self.number(2)?),
            capital: Money(capital),
            current: Money(current),
        };
        if subsidy.ministry() != Money(sum) {
            return Err(self.wrong(3, "合計： is not the sum of 資本門： and 經常門：; correct one"));
        }
        Ok(subsidy)
    }

    pub(super) fn checkpoint(&self) -> Result<Checkpoint, OdtError> {
        let name = self.text(0)?;
        let quarter = QUARTERS.iter().position(|quarter| *quarter == name.trim());
        Ok(Checkpoint {
            quarter: match quarter.and_then(|at| u8::try_from(at + 1).ok()) {
                Some(quarter) => quarter,
                None => self.number(0)?,
            },
            progress: self.number(1)?,
            spending: Money(self.number(2)?),
            text: self.text(3)?,
        })
    }
}

/// A whole number as people write it: full-width digits, commas, `元` or `%` behind it.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let folded = fold_width(text).replace(',', "");
    folded.trim_end_matches(['元', '%']).trim().parse().ok()
}
