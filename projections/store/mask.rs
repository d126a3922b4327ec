//! Hiding members of documents from those who may see the object but not all of it.

use std::{borrow::Cow, mem};

use memchr::memmem::Finder;
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
#[derive(Debug, Default)]
struct Hidden(Vec<Member>);

#[derive(Debug)]
struct Member {
    name: String,
    /// Finds the member in the text of a document.
    key: Finder<'static>,
    fate: Fate,
}

/// What becomes of a member.
#[derive(Debug)]
enum Fate {
    LeftOut,
    Withheld,
    /// It stays, without some of its own members, or of those of its items.
    Without(Hidden),
}

impl Hidden {
    /// A member of the document itself is found wherever its name stands. So one whose own
    /// members are all found by that is not taken apart.
    fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut hidden = Self::default();
        for path in paths {
            hidden.add(path);
        }
        let mut members = mem::take(&mut hidden.0);
        let (apart, found) = members.drain(..).partition(|member| match &member.fate {
            Fate::Without(_) => true,
            Fate::LeftOut | Fate::Withheld => false,
        });
        hidden.0 = found;
        let mut apart: Vec<Member> = apart;
        apart.retain(|member| !hidden.finds(member));
        hidden.0.append(&mut apart);
        hidden
    }

    fn add(&mut self, path: &str) {
        let Some((first, rest)) = path.split_once('.') else {
            let (name, fate) = match path.strip_suffix('!') {
                Some(name) => (name, Fate::Withheld),
                None => (path, Fate::LeftOut),
            };
            self.0.push(Member::new(name, fate));
            return;
        };
        let name = first.trim_end_matches("[]");
        let mut known = self.0.iter_mut();
        if let Some(Fate::Without(inner)) = known
            .find(|member| member.name == name)
            .map(|member| &mut member.fate)
        {
            inner.add(rest);
        } else {
            let mut inner = Self::default();
            inner.add(rest);
            self.0.push(Member::new(name, Fate::Without(inner)));
        }
    }

    /// Whether the same becomes of a member, or of all that is hidden in it, by its name alone.
    fn finds(&self, member: &Member) -> bool {
        let Fate::Without(inner) = &member.fate else {
            let mut own = self.0.iter();
            return own.any(|own| {
                let same = mem::discriminant(&own.fate) == mem::discriminant(&member.fate);
                same && own.name == member.name
            });
        };
        inner.0.iter().all(|member| self.finds(member))
    }

    fn fate(&self, name: &[u8]) -> Option<&Fate> {
        let mut members = self.0.iter();
        let member = members.find(|member| member.name.as_bytes() == name)?;
        Some(&member.fate)
    }

    /// The document without what is hidden.
    fn out_of<'a>(&self, document: &'a str) -> Result<Cow<'a, str>, Malformed> {
        let json = document.as_bytes();
        let mut places: Vec<(usize, &Member)> = Vec::new();
        for member in &self.0 {
            let found = member.key.find_iter(json);
            places.extend(found.map(|at| (at, member)));
        }
        places.sort_unstable_by_key(|(at, _)| *at);
        let mut cut = Cut {
            document,
            shown: String::new(),
            taken: 0,
        };
        let mut end = 1;
        for (at, member) in places {
            // A key stands at the beginning of an object or after a comma; the same text behind an
            // escaped quotation mark is no key. What lies in a member gone over is done.
            let is_key = at >= end && matches!(scan::byte(json, at - 1), b'{' | b',');
            if is_key {
                end = cut.member(at, at + member.key.needle().len(), &member.fate)?;
                scan::expect_end_of_member(json, end)?;
            }
        }
        Ok(cut.finish())
    }
}

impl Member {
    fn new(name: &str, fate: Fate) -> Self {
        let key = format!("\"{name}\":");
        Self {
            name: name.to_owned(),
            key: Finder::new(&key).into_owned(),
            fate,
        }
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
    /// Does what becomes of the member whose key and value begin here, and says where it ends.
    fn member(&mut self, key: usize, value: usize, fate: &Fate) -> Result<usize, Malformed> {
        if let Fate::Without(inner) = fate {
            return self.value(value, inner);
        }
        let end = scan::skip_value(self.json(), value)?;
        if let Fate::Withheld = fate {
            self.leave_out(value, end);
            self.shown.extend(["\"", WITHHELD, "\""]);
        } else if key > self.taken && scan::byte(self.json(), key - 1) == b',' {
            self.leave_out(key - 1, end);
        } else {
            let comma = scan::byte(self.json(), end) == b',';
            self.leave_out(key, end + usize::from(comma));
        }
        Ok(end)
    }

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
        loop {
            let key = at;
            let name = scan::expect(self.json(), key, b'"')?;
            let name_end = scan::skip_text(self.json(), name)?;
            let value = scan::expect(self.json(), name_end, b':')?;
            let name = self.json().get(name..name_end - 1).unwrap_or_default();
            at = match hidden.fate(name) {
                Some(fate) => self.member(key, value, fate)?,
                None => scan::skip_value(self.json(), value)?,
            };
            if scan::byte(self.json(), at) != b',' {
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

    /// Only where something is hidden is a document looked at closely.
    #[test]
    fn what_is_cut_off_is_never_shown() {
        let hidden = Hidden::of(["a", "c.d"].into_iter());
        for text in [
            r#"{"a":"#,
            r#"{"a":"x\"}"#,
            r#"{"b":1,"a":[1}"#,
            r#"{"a":,"b":1}"#,
            r#"{"c":{"b":1"#,
            r#"{"c":{ "d":1}}"#,
            r#"{"c":{"d":1]}"#,
            r#"{"c":[{"b":1}}"#,
        ] {
            assert!(hidden.out_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_in_a_text_is_no_member() {
        let document = r#"{"a":"{\"cost\":1,\"cost\":2}","b\"cost":3,"z":"cost"}"#;
        assert_eq!(shown(&["cost", "lines[].cost"], document), document);
        let document = r#"{"a":",\"cost\":1","cost":2,"lines":[{"cost":3},{"b":{"cost":4}}]}"#;
        assert_eq!(
            shown(&["cost", "lines[].cost"], document),
            r#"{"a":",\"cost\":1","lines":[{},{"b":{}}]}"#
        );
    }

    #[test]
    fn below_a_member_paths_are_exact() {
        let document = r#"{"at":1,"in":{"at":{"at":2},"of":{"at":3}},"to":{"at":4}}"#;
        assert_eq!(
            shown(&["in.at"], document),
            r#"{"at":1,"in":{"of":{"at":3}},"to":{"at":4}}"#
        );
    }
}
