//! A connection that sees only what a view shows.

use std::{collections::BTreeSet, sync::Arc};

use daybook_schema::access::AccountId;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Form, Reach, Reaches, Rows, Rule, Sum, Terms, View,
    ways::{Way, Ways},
};
use crate::{
    seen,
    store::{Class, StoreError, mask, mask::Marks, projector::Definitions},
};

/// What a connection was restricted to, and what it knows for one position only.
pub(crate) struct Restriction {
    pub(crate) view: Arc<View>,
    /// The kinds of which something personal is hidden.
    impersonal: Vec<&'static str>,
    /// SQL that says whether the object `asked.value` is seen.
    pub(crate) object_seen: String,
    reaches: Reaches,
    pub(crate) ways: Ways,
    /// The tables of sums, and whether they are summed up at the position.
    sums: Vec<(&'static str, Sum, bool)>,
    position: Option<u64>,
}

/// The teams of an account or below a team that are not dissolved, no deeper than decisions look.
const MEMBERS: &str = "
    WITH RECURSIVE below (id, depth) AS (
        SELECT id, 1 FROM main.team WHERE id = ?1 AND NOT dissolved
        UNION
        SELECT team.id, depth + 1 FROM below JOIN main.team ON team.parent = below.id
        WHERE NOT team.dissolved AND depth < 32
    )
    SELECT account.login FROM below JOIN main.account ON account.team = below.id";

impl Restriction {
    /// Restricts a connection to what a view shows.
    pub(crate) fn new(connection: &Connection, view: &Arc<View>) -> Result<Self, StoreError> {
        mask::install(connection)?;
        connection.execute_batch("CREATE TEMP TABLE reach_self (login TEXT)")?;
        connection.execute("INSERT INTO temp.reach_self VALUES (?1)", [&view.login])?;
        let reaches = Reaches::of(view);
        for number in 0..reaches.0.len() {
            connection.execute_batch(&format!(
                "CREATE TEMP TABLE reach_login_{number} (login TEXT PRIMARY KEY) WITHOUT ROWID;
                 CREATE TEMP TABLE reach_territory_{number} (code TEXT PRIMARY KEY) WITHOUT ROWID;"
            ))?;
        }
        let terms = Terms {
            view,
            reaches: &reaches,
            class: None,
        };
        let mut sums = Vec::new();
        let mut ways = Ways::default();
        let definitions = crate::definitions();
        for table in tables(connection)? {
            let cover = Cover::new(&terms, &table, &definitions);
            if let Some((name, sum)) = cover.sum {
                sums.push((name, sum, false));
            }
            if let Some(sql) = cover.sql(connection, &table)? {
                connection.execute_batch(&sql)?;
            }
            if let Some(numbers) = cover.seen.numbers(&table) {
                ways.add(&table, &numbers);
            }
        }
        let object_seen = seen::object(&terms, "asked.value").sql();
        let personal = terms.of(Class::Personal);
        let hides = |kind: &&'static str| !personal.covers(kind, &terms, kind);
        let impersonal = view.kinds.keys().copied().filter(hides).collect();
        Ok(Self {
            view: Arc::clone(view),
            impersonal,
            object_seen,
            reaches,
            ways,
            sums,
            position: None,
        })
    }

    /// Whether something personal of one of these kinds is hidden.
    pub(crate) fn hides_personal(&self, kinds: &[&str]) -> bool {
        self.impersonal.iter().any(|kind| kinds.contains(kind))
    }

    /// Begins at a position; the connection's transaction stands there already.
    pub(crate) fn begin(
        &mut self,
        connection: &Connection,
        position: u64,
    ) -> Result<(), StoreError> {
        if self.position == Some(position) {
            return Ok(());
        }
        let first = self.position.take().is_none();
        for (number, set) in self.reaches.0.iter().enumerate() {
            if first || set.iter().any(|reach| matches!(reach, Reach::Team(_))) {
                fill(connection, number, set, &self.view.login)?;
            }
        }
        for (table, _, summed) in &mut self.sums {
            if std::mem::take(summed) {
                connection
                    .prepare_cached(&format!("DELETE FROM temp.\"{table}\""))?
                    .execute([])?;
            }
        }
        self.position = Some(position);
        Ok(())
    }

    /// Sums up what a statement is about to read. A table whose name stands in the statement for
    /// another reason is summed up in vain, which does no harm.
    pub(crate) fn prepare(
        &mut self,
        connection: &Connection,
        statement: &str,
    ) -> Result<(), StoreError> {
        for (table, sum, summed) in &mut self.sums {
            if !*summed && statement.contains(*table) {
                sum(connection)?;
                *summed = true;
            }
        }
        Ok(())
    }
}

fn fill(
    connection: &Connection,
    number: usize,
    set: &BTreeSet<Reach>,
    login: &str,
) -> Result<(), StoreError> {
    let into = format!("INSERT OR IGNORE INTO temp.reach_login_{number}");
    connection
        .prepare_cached(&format!("DELETE FROM temp.reach_login_{number}"))?
        .execute([])?;
    for reach in set {
        match reach {
            Reach::Own => {
                let sql = format!("{into} VALUES (?1)");
                connection.prepare_cached(&sql)?.execute([login])?;
            }
            Reach::Team(team) => {
                let team = match team {
                    Some(team) => Some(team.to_string()),
                    None => own_team(connection, login)?,
                };
                let sql = format!("{into} {MEMBERS}");
                connection.prepare_cached(&sql)?.execute(params![team])?;
            }
            Reach::Territory(code) => {
                let sql = format!("INSERT OR IGNORE INTO temp.reach_territory_{number} VALUES (?)");
                connection.prepare_cached(&sql)?.execute([code.as_str()])?;
            }
            Reach::Organisation | Reach::Pool => {}
        }
    }
    Ok(())
}

fn own_team(connection: &Connection, login: &str) -> Result<Option<String>, StoreError> {
    let Some(id) = login.parse().ok().map(AccountId) else {
        return Ok(None);
    };
    let sql = "SELECT team FROM main.account WHERE id = ?1";
    let team = connection
        .prepare_cached(sql)?
        .query_row([id.to_string()], |row| row.get::<_, Option<String>>(0))
        .optional()?;
    Ok(team.flatten())
}

fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// What stands between a connection and a table.
struct Cover<'a> {
    seen: Rows,
    personal: Rows,
    cost: Rows,
    marks: Option<&'a Marks>,
    sum: Option<(&'static str, Sum)>,
}

impl<'a> Cover<'a> {
    fn new(terms: &Terms<'_>, table: &str, definitions: &'a Definitions) -> Self {
        let rule = seen::RULES.iter().find(|rule| rule.table == table);
        let ask = |terms: &Terms<'_>| rule.map_or(Rows::None, |rule| (rule.seen)(terms));
        let seen = ask(terms);
        // What is shown of the very rows that are seen needs no second look at them.
        let shown = |class| match ask(&terms.of(class)) {
            same if same == seen => Rows::All,
            some => some,
        };
        let summed = |rule: &Rule| rule.sum.map(|sum| (rule.table, sum));
        Self {
            sum: rule.and_then(summed).filter(|_| seen == Rows::None),
            personal: shown(Class::Personal),
            cost: shown(Class::Cost),
            seen,
            marks: definitions.marks.iter().find(|marks| marks.table == table),
        }
    }

    /// The statement that makes the cover; none where everything is seen.
    fn sql(&self, connection: &Connection, table: &str) -> Result<Option<String>, StoreError> {
        if self.sum.is_some() {
            return Ok(Some(format!(
                "CREATE TEMP TABLE \"{table}\" AS SELECT * FROM main.\"{table}\" WHERE 0"
            )));
        }
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1, 'main')")?;
        let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        let columns: Vec<String> = names.iter().map(|name| self.column(name)).collect();
        let plain = |(name, column): (&String, &String)| *column == format!("it.\"{name}\"");
        if self.seen == Rows::All && names.iter().zip(&columns).all(plain) {
            return Ok(None);
        }
        let named = names.iter().zip(&columns);
        let list: Vec<_> = named
            .map(|(name, column)| format!("{column} AS \"{name}\""))
            .collect();
        let list = list.join(", ");
        let view = |name: &str, from: &str, holds: &str| {
            format!("CREATE TEMP VIEW \"{name}\" AS SELECT {list} FROM {from} WHERE {holds};")
        };
        let from = format!("main.\"{table}\" AS it");
        let mut views = view(table, &from, &self.seen.sql());
        if let Some(numbers) = self.seen.numbers(table) {
            let holds = self.seen.sql_as(Form::Walk);
            views += &view(&Way::Walk.view(table), &from, &holds);
            // The order of a cross join is the order in which it is done.
            let from = format!("({}) AS found CROSS JOIN {from}", numbers.join(" UNION "));
            let holds = "it.row_number = found.row_number";
            views += &view(&Way::Find.view(table), &from, holds);
        }
        Ok(Some(views))
    }

    fn column(&self, name: &str) -> String {
        let plain = format!("it.\"{name}\"");
        let Some(marks) = self.marks else {
            return plain;
        };
        if name != "document" {
            let Some(class) = marks.class_of(name) else {
                return plain;
            };
            return match self.shown(class) {
                Rows::All => plain,
                Rows::None => "NULL".to_owned(),
                shown @ Rows::Where(_) => {
                    format!("CASE WHEN {} THEN {plain} END", shown.sql())
                }
            };
        }
        let classes = [Class::Personal, Class::Cost];
        let classes = classes.map(|class| (self.shown(class), marks.members(class)));
        let always = classes.iter().filter(|(shown, _)| **shown == Rows::None);
        let always: Vec<&str> = always.flat_map(|(_, members)| *members).copied().collect();
        let document = without(&plain, &always);
        classes
            .into_iter()
            .fold(document, |document, (shown, members)| match shown {
                Rows::Where(_) if !members.is_empty() => {
                    let (shown, hidden) = (shown.sql(), without(&document, members));
                    format!("CASE WHEN {shown} THEN {document} ELSE {hidden} END")
                }
                _ => document,
            })
    }

    fn shown(&self, class: Class) -> &Rows {
        match class {
            Class::Personal => &self.personal,
            Class::Cost => &self.cost,
        }
    }
}

/// A document without some members.
fn without(document: &str, members: &[&str]) -> String {
    if members.is_empty() {
        return document.to_owned();
    }
    format!("hidden({document}, '{}')", members.join("\n"))
}
