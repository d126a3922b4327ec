//! What a read model is made of: documents with columns, and append-only entries.

use async_graphql::{SimpleObject, registry::Registry};
use daybook_schema::kernel::{BigInt, Date, DateTime, Decimal, Quantity};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Fact;

/// One object as the API shows it: a JSON document, and beside it the columns by which lists are
/// filtered and sorted. A member of the document that would be `null` is left out.
pub trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns beside `id`, `position` and `document`.
    const COLUMNS: &'static [Column];
    /// The column that names whose objects the rows are, and the table of these, which has the same
    /// name. Their `owner` and `territory` are kept beside each row as [`HELD_BY`] and [`HELD_IN`],
    /// so that who sees a row is decided by the row alone. Rows of that table are never removed.
    const HOLDER: Option<&'static str> = None;

    /// The object's id.
    fn id(&self) -> String;

    /// When it was made and last changed.
    fn stamp(&self) -> &Stamp;

    /// The same, to be brought up to date.
    fn stamp_mut(&mut self) -> &mut Stamp;

    /// The values of [`Row::COLUMNS`], in their order.
    fn values(&self) -> Vec<Value>;

    /// The words by which the object is found, as written; none for objects that are not searched.
    fn search_text(&self) -> Option<Words> {
        None
    }

    /// The members of the document that belong to a class of fields, beside its columns.
    fn members_of(_class: Class) -> &'static [&'static str] {
        &[]
    }
}

/// Who holds what a row follows; no column of the API.
pub(crate) const HELD_BY: &str = "held_by";
/// In which territory that lies.
pub(crate) const HELD_IN: &str = "held_in";

/// Fields that not everybody sees who sees the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// How to reach a person, and what is known of them.
    Personal,
    /// What goods cost us, and what is earned by them.
    Cost,
}

/// The words by which an object is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Those that everybody may look for who sees the object.
    pub open: String,
    /// Those that are personal.
    pub personal: String,
}

/// One line of a ledger: columns only, written once, never changed.
pub trait Entry: Send + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns, beside the rowid that gives their order.
    const COLUMNS: &'static [Column];

    /// The values of [`Entry::COLUMNS`], in their order.
    fn values(self) -> Vec<Value>;
}

/// A column of a read model.
#[derive(Clone, Copy)]
pub struct Column {
    /// Its name in the database, in snake case.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may be empty.
    pub nullable: bool,
    /// Whether lists are often sorted or filtered by it.
    pub indexed: bool,
    /// The class of fields that it belongs to, where it is not for everybody.
    pub class: Option<Class>,
    /// One sentence for the API.
    pub description: &'static str,
}

/// What a column holds, and how the API compares it.
#[derive(Clone, Copy)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// An id.
    Id,
    /// A value of an enum, by its GraphQL name.
    Enum(fn(&mut Registry) -> String),
    /// A whole number.
    Integer,
    /// An exact decimal, kept as a whole number of millionths.
    Decimal,
    /// An instant, kept as microseconds since 1970.
    DateTime,
    /// A day, kept as ISO 8601 text.
    Date,
    /// Yes or no.
    Boolean,
}

impl ColumnKind {
    /// The type that SQLite keeps.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Text | Self::Id | Self::Enum(_) | Self::Date => "TEXT",
            Self::Integer | Self::Decimal | Self::DateTime | Self::Boolean => "INTEGER",
        }
    }
}

/// A column of an enum's values, by their names in the API.
pub const fn enum_column<T: async_graphql::InputType>() -> ColumnKind {
    ColumnKind::Enum(T::create_type_info)
}

/// A value that a column can hold.
pub trait Cell {
    /// The value as SQLite keeps it.
    fn cell(&self) -> Value;
}

impl<T: Cell> Cell for Option<T> {
    fn cell(&self) -> Value {
        self.as_ref().map_or(Value::Null, Cell::cell)
    }
}

impl<T: Cell> Cell for &T {
    fn cell(&self) -> Value {
        (*self).cell()
    }
}

impl Cell for String {
    fn cell(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Cell for &str {
    fn cell(&self) -> Value {
        Value::Text((*self).to_owned())
    }
}

impl Cell for bool {
    fn cell(&self) -> Value {
        Value::Integer(i64::from(*self))
    }
}

impl Cell for u64 {
    fn cell(&self) -> Value {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Cell for u32 {
    fn cell(&self) -> Value {
        Value::Integer(i64::from(*self))
    }
}

impl Cell for i32 {
    fn cell(&self) -> Value {
        Value::Integer(i64::from(*self))
    }
}

impl Cell for BigInt {
    fn cell(&self) -> Value {
        self.0.cell()
    }
}

impl Cell for DateTime {
    fn cell(&self) -> Value {
        Value::Integer(self.micros())
    }
}

impl Cell for rust_decimal::Decimal {
    fn cell(&self) -> Value {
        Value::Integer(millionths(*self))
    }
}

impl Cell for Decimal {
    fn cell(&self) -> Value {
        self.0.cell()
    }
}

impl Cell for Quantity {
    fn cell(&self) -> Value {
        self.0.cell()
    }
}

macro_rules! text_cells {
    ($($type:ty),+ $(,)?) => {$(
        impl Cell for $type {
            fn cell(&self) -> Value {
                Value::Text(self.to_string())
            }
        }
    )+};
}

text_cells! {
    Date,
    daybook_schema::commit::Source,
    daybook_schema::customers::CustomerGrade,
    daybook_schema::customers::CustomerId,
    daybook_schema::customers::CustomerType,
    daybook_schema::customers::InteractionId,
    daybook_schema::goods::PriceListId,
    daybook_schema::goods::ProductId,
    daybook_schema::goods::WarehouseId,
    daybook_schema::governance::PolicyId,
    daybook_schema::kernel::Actor,
    daybook_schema::kernel::Code,
    daybook_schema::kernel::Currency,
    daybook_schema::kernel::Name,
    daybook_schema::kernel::Note,
    daybook_schema::pipeline::LeadId,
    daybook_schema::pipeline::LeadPhase,
    daybook_schema::pipeline::OpportunityId,
    daybook_schema::pipeline::OpportunityPhase,
    daybook_schema::service::ComplaintPhase,
    daybook_schema::service::Severity,
    daybook_schema::orders::OrderId,
    daybook_schema::orders::OrderStatus,
}

/// An exact decimal as a whole number of millionths, beyond the range the nearest that fits.
pub fn millionths(value: rust_decimal::Decimal) -> i64 {
    let scaled = value.checked_mul(rust_decimal::Decimal::from(1_000_000));
    let whole = scaled.and_then(|scaled| i64::try_from(scaled.round()).ok());
    whole.unwrap_or(if value.is_sign_negative() {
        i64::MIN
    } else {
        i64::MAX
    })
}

/// A whole number of millionths as an exact decimal.
pub fn from_millionths(millionths: i64) -> rust_decimal::Decimal {
    rust_decimal::Decimal::new(millionths, 6).normalize()
}

/// Reads a column that holds the text of a value.
pub(crate) fn parsed<T>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    parsed_option(row, column)?.ok_or(rusqlite::Error::InvalidColumnType(
        column,
        String::new(),
        rusqlite::types::Type::Null,
    ))
}

/// The same for a column that may be empty.
pub(crate) fn parsed_option<T>(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.get(column)?;
    let value = text.map(|text| text.parse()).transpose();
    value.map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}

/// When an object was made and last changed, and the version that `expectedVersion` compares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// How many events the object itself has; what `expectedVersion` is compared with.
    pub version: BigInt,
    /// The position of the last commit that changed what is shown here.
    pub position: BigInt,
    /// When it was first recorded.
    pub created_at: DateTime,
    /// When it was last changed.
    pub updated_at: DateTime,
}

impl Stamp {
    /// The stamp of an object that this fact makes.
    pub(crate) fn new(fact: &Fact<'_>) -> Self {
        let at = fact.meta.recorded_at;
        Self {
            version: BigInt(fact.version),
            position: BigInt(fact.position),
            created_at: at,
            updated_at: at,
        }
    }

    /// Notes that a fact changed the object; only facts of its own stream raise its version.
    pub(crate) fn touch(&mut self, fact: &Fact<'_>, own: bool) {
        if own {
            self.version = BigInt(fact.version);
        }
        self.position = BigInt(fact.position);
        self.updated_at = fact.meta.recorded_at;
    }
}

/// Declares the table of a row: its columns, what they hold, and where their values come from; the
/// words by which it is found; and which members of its document are not for everybody.
///
/// A member is named by its path, as in `details.phone` or `contacts[].phone`. One that is hidden
/// is left out, so it must be one that may be missing; a text that may not is named with `!` at
/// its end, and [`super::WITHHELD`] stands in its place. The first name of a path is found wherever
/// a member has it, so no inner member that is for everybody may have the same.
///
/// `held by` names the column of [`Row::HOLDER`].
macro_rules! table {
    ($row:ty as $this:ident, $table:literal {
        $($column:ident: $kind:expr $(, $flag:ident)* ; $description:literal => $value:expr;)*
    }
    $(search $search:expr $(, personal $words:expr)?;)?
    $(personal $personal:expr;)?
    $(cost $cost:expr;)?
    $(held by $holder:ident;)?) => {
        impl $crate::store::Row for $row {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [$crate::store::Column] = &[
                $($crate::store::Column {
                    name: stringify!($column),
                    kind: $kind,
                    nullable: $crate::store::flagged(&[$(stringify!($flag)),*], "nullable"),
                    indexed: $crate::store::flagged(&[$(stringify!($flag)),*], "indexed"),
                    class: $crate::store::class_of(&[$(stringify!($flag)),*]),
                    description: $description,
                },)*
            ];
            $(const HOLDER: Option<&'static str> = Some(stringify!($holder));)?

            fn id(&self) -> String {
                self.id.to_string()
            }

            fn stamp(&self) -> &$crate::store::Stamp {
                &self.stamp
            }

            fn stamp_mut(&mut self) -> &mut $crate::store::Stamp {
                &mut self.stamp
            }

            fn values(&self) -> Vec<rusqlite::types::Value> {
                let $this = self;
                vec![$($crate::store::Cell::cell(&$value),)*]
            }

            $(fn search_text(&self) -> Option<$crate::store::Words> {
                let $this = self;
                Some($crate::store::Words {
                    open: $search,
                    personal: <[String]>::concat(&[$($words)?]),
                })
            })?

            fn members_of(class: $crate::store::Class) -> &'static [&'static str] {
                match class {
                    $crate::store::Class::Personal => {
                        const MEMBERS: &[&[&str]] = &[$(&$personal)?];
                        MEMBERS.first().copied().unwrap_or_default()
                    }
                    $crate::store::Class::Cost => {
                        const MEMBERS: &[&[&str]] = &[$(&$cost)?];
                        MEMBERS.first().copied().unwrap_or_default()
                    }
                }
            }
        }
    };
}
pub(crate) use table;

/// Whether a table's declaration gives a column this flag; the first letters tell flags apart.
pub(crate) const fn flagged(flags: &[&str], flag: &str) -> bool {
    let mut index = 0;
    while index < flags.len() {
        if flags[index].as_bytes()[0] == flag.as_bytes()[0] {
            return true;
        }
        index += 1;
    }
    false
}

/// The class that a column's flags give it.
pub(crate) const fn class_of(flags: &[&str]) -> Option<Class> {
    if flagged(flags, "personal") {
        Some(Class::Personal)
    } else if flagged(flags, "cost") {
        Some(Class::Cost)
    } else {
        None
    }
}
