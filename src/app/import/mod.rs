//! Import: rows of CSV and NDJSON files become commands by a mapping file.
//!
//! ```text
//!  files ──► rows ──► (joins, filter, groups) ──► commands ──► desk
//!                          ▲                          │
//!                       mapping                       └──► rejects, summary
//! ```
//! * Rows are streamed; only tables and the files of grouped steps are held in memory.
//! * Steps run one after the other: every command of a step is answered before the next begins.
//!   Within a step up to 256 commands wait for their answers, and the desk keeps their order.
//! * A row is made into all of its commands or into none. What is wrong with it goes to the
//!   rejects and the import goes on; a row that refers to a rejected one is rejected too, before
//!   it reaches the desk, because a refusal by the desk is final.
//! * Command ids and the ids of new objects follow from the namespace and the keys of the rows, so
//!   a repeated import changes nothing and an interrupted one goes on where it stopped. A row that
//!   was imported before with other content is not imported again: its code is then
//!   `IDEMPOTENCY_KEY_REUSED`. What counts as content is the command, its actor, its business time
//!   and its reason. With [`ImportOptions::retry_refused`] rows that were refused get another try,
//!   with corrected content if need be.
//! * Nothing here knows a command: names, fields and kinds of objects come from the language.
//!
//! # The mapping file
//!
//! ```toml
//! namespace = "acme-crm"               # mappings with the same namespace share their keys
//!
//! [defaults]                           # all optional
//! zone = "Asia/Shanghai"               # or an offset, +08:00; otherwise UTC
//! date = "%d.%m.%Y"                    # chrono's format; otherwise %Y-%m-%d
//! date_time = "%d.%m.%Y %H:%M"         # otherwise RFC 3339
//! decimal = ","                        # otherwise a point
//! thousands = "."                      # otherwise none
//! currency = "CNY"
//! null = ["NULL", "-"]                 # cells that say that they are empty
//! trim = true
//!
//! [sources.customers]                  # reads customers.csv of the folder that is imported
//! [sources.orders]
//! file = "export/orders.txt"           # otherwise the source's name and .csv
//! format = "csv"                       # or "ndjson"; otherwise by the end of the file's name
//! encoding = "gb18030"                 # includes GBK and GB2312; otherwise "utf-8"
//! delimiter = ";"
//! # also: null, trim
//! [sources.lines]
//! file = "lines.ndjson"
//! [sources.staff]
//!
//! [tables]                             # sources held in memory, to be looked up
//! staff = { source = "staff", key = "{id}" }
//! lines = { source = "lines", key = "{order}", when = [{ column = "deleted", empty = true }] }
//!
//! [[steps]]
//! name = "customers"
//! source = "customers"                 # without one the step runs once
//! key = "{id}"
//! when = [{ column = "state", none_of = ["deleted", "test"] }]
//!
//! [[steps.commands]]
//! command = "RegisterCustomer"
//! [steps.commands.fields]              # the paths of the command's JSON
//! details.name = "{name}"
//! details.address.city = "{city}"
//! details.customerType = { column = "type", values = { C = "company", P = "person" } }
//! contacts = [{ name = "{contact}", title = "{title}" }]
//!
//! [[steps]]
//! name = "orders"
//! source = "orders"
//! key = "{number}"
//! join = [{ table = "staff", key = "{seller}", name = "seller", required = true }]
//! actor = { template = "{seller.first} {seller.last}", as = "user" }
//! occurred_at = "{ordered_at}"
//!
//! [[steps.commands]]
//! command = "PlaceOrder"
//! [steps.commands.fields]
//! customer = { id = "customer", key = "{customer}" }
//! currency = "CNY"
//! charges = { column = "freight", as = "money" }
//! [steps.commands.fields.lines.each]
//! table = "lines"
//! key = "{number}"
//! [steps.commands.fields.lines.each.fields]
//! product = { id = "product", key = "{sku}" }
//! quantity = { column = "quantity", as = "decimal" }
//! unitPrice = { column = "price", as = "decimal" }
//! discount = { column = "discount", as = "percent", default = "0" }
//!
//! [[steps.commands]]
//! command = "ConfirmOrder"
//! when = [{ column = "state", equals = "confirmed" }]
//! fields = { order = { id = "order", key = "{number}" } }
//! ```
//!
//! ## Templates
//! `{column}` is the cell of the row, `{join.column}` that of a joined row, `{parent.column}` that
//! of the row outside a list. `{@index}` counts the rows of a list from 0, `{@line}` the lines of
//! the file from 1. `{{` and `}}` stand for braces. A template is empty where everything in braces
//! is. A field whose value is empty is left out, and so is an object or a list with nothing in it.
//! In NDJSON `address.city` is the field of an inner object; lists are their JSON text.
//!
//! ## Steps
//! * `name`: unique; a part of command ids, so a step that was imported keeps its name.
//! * `source`: the rows; without it the step runs once and has no columns.
//! * `key`: what tells the rows apart; with `group_by` that is the default.
//! * `join`: a list of `table`, `key`, `name` (the table's if it is left out) and `required`; a
//!   later join may use the columns of an earlier one.
//! * `when`: a list of conditions, all of which hold.
//! * `group_by`: rows with the same text become one, whose columns are those of the first.
//! * `actor`, `occurred_at`, `reason`: values beside the command. The actor is the importer where
//!   the value is empty.
//! * `commands`, in order: each has `command`, `fields`, and optionally `when`, `key_suffix`,
//!   `actor`, `occurred_at`, `reason`.
//!
//! A command that needs another one to be done may follow it in the same step. Where refusals are
//! to be expected it had better stand in a later step: then it is rejected and not refused.
//!
//! ## Conditions
//! A `column` (or a template as `value`) with one of `empty = true`, `equals`, `not_equals`,
//! `one_of`, `none_of` (letter by letter), `above`, `at_least`, `below`, `at_most` (as numbers
//! where both are numbers, otherwise as texts; never true of an empty cell); or `any` with a list
//! of conditions of which one holds.
//!
//! ## Values
//! * `"{column} text"`: the text.
//! * `12`, `true`: itself.
//! * `[…]`: a list; a table in it is an object.
//! * A table with none of the keys below: the fields of an inner object.
//! * `{ column = … }`, `{ template = … }`: the text, mapped by `values` (what is not in there is
//!   `otherwise`, or the row is rejected), then `default` where it is empty, then made `as`
//!   something.
//! * `{ id = "customer", key = … }`: the object that the row with this key creates.
//! * `{ id = "orderLine", of = "order", key = …, number = "{@index}" }`: one of several objects
//!   that one command creates, counted from 0.
//! * `{ id = "stockItem", parts = [{ id = …, key = … }, { id = …, key = … }] }`: an id made of two.
//! * `{ each = { table = …, key = …, join = …, when = …, fields = … } }`: a list with an object per
//!   row of the table; `value` in place of `fields` makes a list of values. Without `table` and
//!   `key` it is made of the rows of the group.
//! * `{ sum = "{column}" }`: the sum over the rows of the group.
//! * `{ fields = { … } }`: an object, where its fields are named like the keys here.
//! * `{ constant = … }`: the value as it stands.
//!
//! Each of them may have `when`. `as` is one of `text`, `lower`, `upper`, `user` (a user name:
//! lower case, words joined by a point), `integer`, `decimal`, `money` (with `currency`, a
//! template), `percent` (15 or 15% become 1500 basis points), `ratio` (0.15 does), `boolean`,
//! `date` (with `format`), `date_time` (with `format` and `zone`; a local time that occurs twice
//! is the earlier one, a day is its first instant).
//!
//! ## Codes of rejected rows
//! `IMPORT_ROW_LENGTH`, `IMPORT_ROW_SYNTAX`, `IMPORT_ENCODING`: the row cannot be read.
//! `IMPORT_KEY_EMPTY`, `IMPORT_LOOKUP_MISSING`, `IMPORT_VALUE_UNMAPPED`, `IMPORT_CELL_INVALID`,
//! `IMPORT_COMMAND_INVALID`: it cannot be made into a command.
//! `IMPORT_PREREQUISITE_REJECTED`: it refers to a row that was rejected. Any other code is that of
//! the rule that refused the command, or of the desk.

mod catalogue;
mod compile;
mod condition;
mod convert;
mod error;
mod expression;
mod files;
mod format;
mod ids;
mod mapping;
mod place;
mod plan;
mod rejects;
mod row;
mod run;
mod source;
mod summary;
mod table;
mod template;

pub use error::{ImportError, MappingError, MappingProblem, RowProblem};
pub use mapping::Mapping;
pub use run::{ImportOptions, ImportProgress, rehearse, run};
pub use summary::{CommandCounts, ImportSummary, StepSummary};
