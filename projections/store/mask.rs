//! Hiding members of documents from those who may see the object but not all of it.

use std::borrow::Cow;

use rusqlite::{Connection, functions::FunctionFlags};

use super::{
    Class, Column, Entry, Row, StoreError,
    scan::{self, Malformed},
};

/// What stands in the place of a hidden text that a document cannot be without.
pub const WITHHELD: &str = "withheld";

/// What of a table is not for everybody.
pub(crate) struct Marks {
    pub(crate) table: &'static str,
    columns: &'static [Column],
    members_of: fn(Class) -> &'static [&'static str],
}

impl Marks {
    pub(crate) fn of_rows<R: Row>() -> Self {
        Self {
            table: R::TABLE,
            columns: R::COLUMNS,
            members_of: R::members_of,
        }
    }

    pub(crate) fn of_entries<E: Entry>() -> Self {
        Self {
            table: E::TABLE,
            columns: E::COLUMNS,
            members_of: |_| &[],
        }
    }

    /// The class of a column; that of a document depends on its members.
    pub(crate) fn class_of(&self, column: &str) -> Option<Class> {
        let mut columns = self.columns.iter();
        columns.find(|own| own.name == column)?.class
    }

    /// The paths of the members that belong to a class.
    pub(crate) fn members(&self, class: Class) -> &'static [&'static str] {
        (self.members_of)(class)
    }
}

/// Gives a connection the function `hidden(document, paths)`, in which a line stands for a path.
pub(crate) fn install(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("hidden", 2, flags, |context| {
        let paths = context.get_or_create_aux(1, |paths| -> Result<_, StoreError> {
            Ok(Hidden::of(paths.as_str().unwrap_or_default().lines()))
        })?;
        let document = context.get_raw(0).as_str()?;
        let shown = paths.out_of(document).map(Cow::into_owned);
        shown.map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })?;
    Ok(())
}

/// The members to be hidden, as a tree.
#[derive(Debug, Default, PartialEq)]
struct Hidden(Vec<(String, Fate)>);

/// What becomes of a member.
#[derive(Debug, PartialEq)]
enum Fate {
    LeftOut,
    Withheld,
    /// It stays, without some of its own members, or of those of its items.
    Without(Hidden),
}

impl Hidden {
    fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut hidden = Self::default();
        for path in paths {
            hidden.add(path);
        }
        hidden
    }

    fn add(&mut self, path: &str) {
        let Some((first, rest)) = path.split_once('.') else {
            let (name, fate) = match path.strip_suffix('!') {
                Some(name) => (name, Fate::Withheld),
                None => (path, Fate::LeftOut),
            };
            self.0.push((name.to_owned(), fate));
            return;
        };
        let name = first.trim_end_matches("[]");
        let known = self.0.iter_mut().find(|(own, _)| own == name);
        if let Some((_, Fate::Without(inner))) = known {
            inner.add(rest);
        } else {
            let inner = Self::of(std::iter::once(rest));
            self.0.push((name.to_owned(), Fate::Without(inner)));
        }
    }

    fn fate(&self, name: &[u8]) -> Option<&Fate> {
        let mut members = self.0.iter();
        let (_, fate) = members.find(|(own, _)| own.as_bytes() == name)?;
        Some(fate)
    }

    /// The document without what is hidden.
    fn out_of<'a>(&self, document: &'a str) -> Result<Cow<'a, str>, Malformed> {
        let mut cut = Cut {
            document,
            shown: String::new(),
            taken: 0,
        };
        let end = cut.value(0, self)?;
        scan::expect_end(document.as_bytes(), end)?;
        Ok(cut.finish())
    }
}

/// One pass over a document, in which what is shown is taken over and what is hidden is not.
struct Cut<'a> {
    document: &'a str,
    /// What was taken over.
    shown: String,
    /// Up to here it was taken over or left out; nothing has been copied while this is zero.
    taken: usize,
}

impl<'a> Cut<'a> {
    /// Goes over the value that begins here, and says where it ends.
    fn value(&mut self, at: usize, hidden: &Hidden) -> Result<usize, Malformed> {
        match scan::byte(self.json(), at) {
            b'{' => self.object(at + 1, hidden),
            b'[' => self.list(at + 1, hidden),
            _ => scan::skip_value(self.json(), at),
        }
    }

    fn list(&mut self, mut at: usize, hidden: &Hidden) -> Result<usize, Malformed> {
        if scan::byte(self.json(), at) == b']' {
            return Ok(at + 1);
        }
        loop {
            at = self.value(at, hidden)?;
            if scan::byte(self.json(), at) != b',' {
                return scan::expect(self.json(), at, b']');
            }
            at += 1;
        }
    }

    fn object(&mut self, mut at: usize, hidden: &Hidden) -> Result<usize, Malformed> {
        if scan::byte(self.json(), at) == b'}' {
            return Ok(at + 1);
        }
        let mut kept = false;
        loop {
            let begin = at;
            let name = scan::expect(self.json(), begin, b'"')?;
            let name_end = scan::skip_text(self.json(), name)?;
            let value = scan::expect(self.json(), name_end, b':')?;
            let fate = hidden.fate(self.json().get(name..name_end - 1).unwrap_or_default());
            at = match fate {
                Some(Fate::Without(inner)) => self.value(value, inner)?,
                _ => scan::skip_value(self.json(), value)?,
            };
            let last = scan::byte(self.json(), at) != b',';
            match fate {
                // With the comma before it, or else with the one after it.
                Some(Fate::LeftOut) if kept => self.leave_out(begin - 1, at),
                Some(Fate::LeftOut) => self.leave_out(begin, at + usize::from(!last)),
                Some(Fate::Withheld) => {
                    self.leave_out(value, at);
                    self.shown.extend(["\"", WITHHELD, "\""]);
                    kept = true;
                }
                Some(Fate::Without(_)) | None => kept = true,
            }
            if last {
                return scan::expect(self.json(), at, b'}');
            }
            at += 1;
        }
    }

    fn json(&self) -> &'a [u8] {
        self.document.as_bytes()
    }

    fn leave_out(&mut self, from: usize, to: usize) {
        if self.taken == 0 {
            self.shown.reserve(self.document.len());
        }
        let kept = self.document.get(self.taken..from);
        self.shown.push_str(kept.unwrap_or_default());
        self.taken = to;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.taken == 0 {
            return Cow::Borrowed(self.document);
        }
        let rest = self.document.get(self.taken..);
        self.shown.push_str(rest.unwrap_or_default());
        Cow::Owned(self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[track_caller]
    fn shown(paths: &[&str], document: &str) -> String {
        let hidden = Hidden::of(paths.iter().copied());
        hidden
            .out_of(document)
            .map(String::from)
            .unwrap_or_default()
    }

    #[test]
    fn members_are_left_out_wherever_they_stand() {
        let document = r#"{"a":1,"b":{"c":"x","d":[1]},"e":[{"c":1,"f":2},{"f":3}],"g":null}"#;
        assert_eq!(
            shown(&["a", "b.c", "e[].c", "g.h"], document),
            r#"{"b":{"d":[1]},"e":[{"f":2},{"f":3}],"g":null}"#
        );
    }

    #[test]
    fn a_text_that_may_not_be_missing_is_withheld() {
        let document = r#"{"notes":[{"by":"li","note":"\"secret\""}]}"#;
        assert_eq!(
            shown(&["notes[].note!"], document),
            r#"{"notes":[{"by":"li","note":"withheld"}]}"#
        );
    }

    #[test]
    fn what_is_kept_stays_as_it_was_written() {
        let document = r#"{"z":"\u9f99","a":1.500,"in":{"z":1,"a":2}}"#;
        assert_eq!(shown(&["missing", "in.missing"], document), document);
    }

    #[test]
    fn commas_stand_between_what_is_left() {
        let document = r#"{"a":1,"b":[],"c":{"d":"}]"},"e":null}"#;
        assert_eq!(shown(&["a", "b"], document), r#"{"c":{"d":"}]"},"e":null}"#);
        assert_eq!(shown(&["b", "e"], document), r#"{"a":1,"c":{"d":"}]"}}"#);
        assert_eq!(shown(&["a", "e"], document), r#"{"b":[],"c":{"d":"}]"}}"#);
        assert_eq!(shown(&["a", "b", "c", "e"], document), "{}");
        assert_eq!(
            shown(&["c.d"], document),
            r#"{"a":1,"b":[],"c":{},"e":null}"#
        );
    }

    #[test]
    fn texts_of_any_length_end_where_they_end() {
        for length in 0..40 {
            for tail in ["", r"\\", r#"\""#, r#"\\\""#, "龙"] {
                let text = "x".repeat(length) + tail;
                let document = format!(r#"{{"a":"{text}","secret":"{text}","z":2}}"#);
                let expected = format!(r#"{{"a":"{text}","z":2}}"#);
                assert_eq!(shown(&["secret"], &document), expected);
            }
        }
    }

    #[test]
    fn what_is_no_document_is_never_shown() {
        let hidden = Hidden::of(["a"].into_iter());
        for text in [
            "",
            "{",
            r#"{"#,
            r#"{"a"#,
            r#"{"a":"#,
            r#"{"b":1"#,
            r#"{"b":"x\"}"#,
            r#"{"b":[1}"#,
            r#"{ "a":1}"#,
            r#"{"b":1}x"#,
            r#"{"b":,"a":1}"#,
            r#"{"b":{"c":1}"#,
        ] {
            assert!(hidden.out_of(text).is_err(), "{text}");
        }
    }
}
