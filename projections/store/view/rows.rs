//! Which rows something holds for, as SQL in the forms that different ways through a table need.

/// Which rows something holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    All,
    None,
    /// Those for which any of these is true.
    Where(Vec<Test>),
}

/// One of the reasons for which something holds for a row, in its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    plain: String,
    walk: String,
    /// None where no index finds the rows.
    find: Option<String>,
}

/// How rows are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the planner likes.
    Plain,
    /// In the order of a list, each being looked at: the test must not tempt the planner away.
    Walk,
}

impl Rows {
    pub(crate) fn of(all: bool) -> Self {
        if all { Self::All } else { Self::None }
    }

    /// Those for which this SQL is true.
    pub(crate) fn test(sql: String) -> Self {
        Self::Where(vec![Test {
            walk: sql.clone(),
            plain: sql,
            find: None,
        }])
    }

    /// Those whose column, which has an index, compares so. A plus sign keeps the planner from
    /// that index.
    pub(crate) fn column(column: &str, compares: &str) -> Self {
        let plain = format!("{column} {compares}");
        Self::Where(vec![Test {
            walk: format!("+{plain}"),
            find: Some(plain.clone()),
            plain,
        }])
    }

    /// Those that are looked at by one SQL and found by another.
    pub(crate) fn found(look: String, find: String) -> Self {
        Self::Where(vec![Test {
            plain: look.clone(),
            walk: look,
            find: Some(find),
        }])
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::All, _) => other,
            (_, Self::All) => self,
            (Self::None, _) | (_, Self::None) => Self::None,
            _ => {
                let both = |form| format!("({}) AND ({})", self.sql_as(form), other.sql_as(form));
                Self::Where(vec![Test {
                    plain: both(Form::Plain),
                    walk: both(Form::Walk),
                    find: None,
                }])
            }
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, rows) | (rows, Self::None) => rows,
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Where(mut one), Self::Where(two)) => {
                one.extend(two);
                Self::Where(one)
            }
        }
    }

    pub(crate) fn sql(&self) -> String {
        self.sql_as(Form::Plain)
    }

    pub(crate) fn sql_as(&self, form: Form) -> String {
        let tests = match self {
            Self::All => return "1".to_owned(),
            Self::None => return "0".to_owned(),
            Self::Where(tests) => tests,
        };
        let sql = |test: &Test| match form {
            Form::Plain => test.plain.clone(),
            Form::Walk => test.walk.clone(),
        };
        let tests: Vec<String> = tests.iter().map(sql).collect();
        match tests.as_slice() {
            [only] => only.clone(),
            several => format!("({})", several.join(") OR (")),
        }
    }

    /// Statements that find the numbers of the rows of a table by indexes, one for each reason;
    /// none where there is no such way.
    pub(crate) fn numbers(&self, table: &str) -> Option<Vec<String>> {
        let Self::Where(tests) = self else {
            return None;
        };
        let number = |test: &Test| {
            let find = test.find.as_ref()?;
            Some(format!(
                "SELECT it.row_number FROM main.\"{table}\" AS it WHERE {find}"
            ))
        };
        tests.iter().map(number).collect()
    }
}
