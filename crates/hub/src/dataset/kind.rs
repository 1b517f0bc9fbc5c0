//! What the values of a column are.

use arrow::datatypes::{DataType, TimeUnit};

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number of `precision` digits, `scale` of them behind the point.
    Decimal {
        /// All digits, at most 38.
        precision: u8,
        /// Digits behind the point.
        scale: i8,
    },
    /// Whole NT dollars (新臺幣).
    Money,
    /// Yes or no.
    Boolean,
    /// A day.
    Date(Vec<DateFormat>),
    /// An instant, written in the time of Taiwan unless an offset stands behind it.
    Timestamp(Vec<DateFormat>),
    /// A time of the day, kept as `HH:MM:SS`.
    Time,
    /// National id or number of a resident certificate (身分證統一編號、統一證號).
    NationalId,
    /// Unified business number (統一編號).
    BusinessNumber,
    /// Number plate (車牌號碼).
    Plate,
    /// Mobile telephone number (行動電話).
    Mobile,
    /// Address (門牌地址), kept in its normal form.
    Address,
    /// Village (村里), with its 里 or 村.
    Village,
}

impl Kind {
    pub(super) const WORDS: [&'static str; 14] = [
        "text",
        "integer",
        "decimal(12,2)",
        "money",
        "boolean",
        "date",
        "timestamp",
        "time",
        "national_id",
        "business_number",
        "plate",
        "mobile",
        "address",
        "village",
    ];

    /// The type a word of `dataset.toml` names; dates get their formats.
    pub(super) fn of(word: &str, formats: &[DateFormat]) -> Option<Kind> {
        Some(match word {
            "text" => Kind::Text,
            "integer" => Kind::Integer,
            "money" => Kind::Money,
            "boolean" => Kind::Boolean,
            "date" => Kind::Date(formats.to_vec()),
            "timestamp" => Kind::Timestamp(formats.to_vec()),
            "time" => Kind::Time,
            "national_id" => Kind::NationalId,
            "business_number" => Kind::BusinessNumber,
            "plate" => Kind::Plate,
            "mobile" => Kind::Mobile,
            "address" => Kind::Address,
            "village" => Kind::Village,
            _ => {
                let inside = word.strip_prefix("decimal(")?.strip_suffix(')')?;
                let (precision, scale) = inside.split_once(',')?;
                let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                let sound = (1..=38).contains(&precision) && (0..=i8::try_from(precision).ok()?).contains(&scale);
                sound.then_some(Kind::Decimal { precision, scale })?
            }
        })
    }

    /// How the table holds it.
    #[must_use]
    pub fn arrow(&self) -> DataType {
        match self {
            Kind::Integer | Kind::Money => DataType::Int64,
            Kind::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Kind::Boolean => DataType::Boolean,
            Kind::Date(_) => DataType::Date32,
            Kind::Timestamp(_) => instant(),
            Kind::Text
            | Kind::Time
            | Kind::NationalId
            | Kind::BusinessNumber
            | Kind::Plate
            | Kind::Mobile
            | Kind::Address
            | Kind::Village => DataType::Utf8,
        }
    }

    /// Whether it is a number, an amount, a day or an instant.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        !matches!(self.arrow(), DataType::Utf8 | DataType::Boolean)
    }
}

/// The type of instants. Arrow writes them as texts by an offset; by the name of a zone it can't without a table of zones.
pub(crate) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
}

/// A style in which a source writes days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateFormat {
    /// `2025-11-24`
    Iso,
    /// `20251124`
    Compact,
    /// `2025/11/24` or `2025/1/4`
    Slash,
    /// `24/11/2025`
    DayMonthYear,
    /// `11/24/2025`
    MonthDayYear,
    /// `114-11-24`
    RocDash,
    /// `114/11/24`
    RocSlash,
    /// `114.11.24`
    RocDot,
    /// `1141124` or `991124`
    RocCompact,
    /// `民國114年11月24日` or `114年11月24日`
    RocLong,
}

impl DateFormat {
    /// Every style with its word.
    pub const ALL: [(&'static str, DateFormat); 10] = [
        ("iso", DateFormat::Iso),
        ("compact", DateFormat::Compact),
        ("slash", DateFormat::Slash),
        ("day-month-year", DateFormat::DayMonthYear),
        ("month-day-year", DateFormat::MonthDayYear),
        ("roc-dash", DateFormat::RocDash),
        ("roc-slash", DateFormat::RocSlash),
        ("roc-dot", DateFormat::RocDot),
        ("roc-compact", DateFormat::RocCompact),
        ("roc-long", DateFormat::RocLong),
    ];
}
