//! The functions an expression may call. All of them answer NULL when any argument is NULL.

use crate::calendar;
use crate::expr::SCALE;
use crate::model::Type;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray};
use arrow::compute::{cast, try_binary, try_unary};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Int64Type};
use arrow::error::ArrowError;
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// A function by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    /// Full years of age on a day (足歲).
    AgeOn,
    /// Days from the first day to the second.
    DaysBetween,
    /// Full months from the first day to the second.
    MonthsBetween,
    /// A day so many days later.
    AddDays,
    /// The same day so many months later, or the last of that month.
    AddMonths,
    /// The year, of our era.
    YearOf,
    /// The month, 1 to 12.
    MonthOf,
    /// To a whole number, half away from zero (四捨五入).
    Round,
    /// To a whole number, down (無條件捨去).
    Floor,
    /// To a whole number, up (無條件進位).
    Ceil,
}

impl Function {
    pub const ALL: [Function; 10] = [
        Function::AgeOn,
        Function::DaysBetween,
        Function::MonthsBetween,
        Function::AddDays,
        Function::AddMonths,
        Function::YearOf,
        Function::MonthOf,
        Function::Round,
        Function::Floor,
        Function::Ceil,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Function::AgeOn => "age_on",
            Function::DaysBetween => "days_between",
            Function::MonthsBetween => "months_between",
            Function::AddDays => "add_days",
            Function::AddMonths => "add_months",
            Function::YearOf => "year_of",
            Function::MonthOf => "month_of",
            Function::Round => "round",
            Function::Floor => "floor",
            Function::Ceil => "ceil",
        }
    }

    /// The types of its arguments, and of its value.
    pub fn signature(self) -> (&'static [Type], Type) {
        match self {
            Function::AgeOn | Function::DaysBetween | Function::MonthsBetween => {
                (&[Type::Date, Type::Date], Type::Integer)
            }
            Function::AddDays | Function::AddMonths => (&[Type::Date, Type::Integer], Type::Date),
            Function::YearOf | Function::MonthOf => (&[Type::Date], Type::Integer),
            Function::Round | Function::Floor | Function::Ceil => (&[Type::Decimal], Type::Integer),
        }
    }

    /// Its value for one or two whole numbers (days of dates, units of decimals). `None` when it is out of range.
    fn apply(self, first: i64, second: i64) -> Option<i64> {
        let unit = 10_i64.pow(u32::from(SCALE.unsigned_abs()));
        match self {
            Function::AgeOn => Some(calendar::age_on(first, second)),
            Function::DaysBetween => second.checked_sub(first),
            Function::MonthsBetween => Some(calendar::months_between(first, second)),
            Function::AddDays => first
                .checked_add(second)
                .filter(|days| calendar::civil(*days).0.abs() <= 9_999),
            Function::AddMonths => calendar::add_months(first, second),
            Function::YearOf => Some(calendar::civil(first).0),
            Function::MonthOf => Some(calendar::civil(first).1),
            Function::Round => first
                .checked_add(first.signum().checked_mul(unit / 2)?)
                .map(|shifted| shifted / unit),
            Function::Floor => Some(first.div_euclid(unit)),
            Function::Ceil => Some(-(-first).div_euclid(unit)),
        }
    }
}

/// A function as DataFusion calls it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Callable {
    function: Function,
    signature: Signature,
}

impl Callable {
    pub fn new(function: Function) -> Callable {
        Callable {
            function,
            signature: Signature::any(function.signature().0.len(), Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Callable {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(crate::plan::data_type(self.function.signature().1))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        let array = if self.function.signature().1 == Type::Date {
            self.evaluate::<Date32Type>(call, rows)?
        } else {
            self.evaluate::<Int64Type>(call, rows)?
        };
        Ok(ColumnarValue::Array(array))
    }
}

impl Callable {
    fn evaluate<T: ArrowPrimitiveType>(&self, call: ScalarFunctionArgs, rows: usize) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64>,
    {
        let out_of_range = || ArrowError::ArithmeticOverflow(format!("`{}` is out of range", self.function.name()));
        let apply = |first: i64, second: i64| {
            self.function
                .apply(first, second)
                .and_then(|value| T::Native::try_from(value).ok())
                .ok_or_else(out_of_range)
        };
        let mut arguments = call.args.into_iter();
        let first = match arguments.next() {
            Some(first) => longs(&first.into_array(rows)?)?,
            None => return Err(DataFusionError::Internal("a function without arguments".to_owned())),
        };
        let answer: PrimitiveArray<T> = match arguments.next() {
            None => try_unary(&first, |first| apply(first, 0))?,
            Some(ColumnarValue::Scalar(second)) => {
                let second = longs(&second.to_array()?)?;
                match second.is_null(0) {
                    true => PrimitiveArray::new_null(rows),
                    false => {
                        let second = second.value(0);
                        match self.function {
                            Function::AgeOn => {
                                let ages = calendar::Ages::new(second);
                                try_unary(&first, |first| {
                                    T::Native::try_from(ages.of(first)).map_err(|_| out_of_range())
                                })?
                            }
                            _ => try_unary(&first, |first| apply(first, second))?,
                        }
                    }
                }
            }
            Some(ColumnarValue::Array(second)) => try_binary(&first, &longs(&second)?, apply)?,
        };
        Ok(Arc::new(answer))
    }
}

/// Whole numbers of any array the rules use.
pub(crate) fn longs(array: &ArrayRef) -> Result<Int64Array> {
    Ok(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().clone(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().try_unary(|value| {
            i64::try_from(value).map_err(|_| ArrowError::ArithmeticOverflow("a decimal is out of range".to_owned()))
        })?,
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(i64::from),
        _ => cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
    })
}
