//! Texts with columns in them, and the rows that they are read from.

use std::{borrow::Cow, sync::Arc};

use super::{ids::IdBook, row::Row, table::Tables};

/// A row and the rows that are joined to it, in the order of the joins.
#[derive(Clone, Debug, Default)]
pub(super) struct Bound {
    pub(super) row: Option<Arc<Row>>,
    pub(super) joined: Vec<Option<Arc<Row>>>,
}

impl Bound {
    fn cell(&self, join: Option<usize>, column: &str) -> &str {
        let row = match join {
            None => self.row.as_ref(),
            Some(join) => self.joined.get(join).and_then(Option::as_ref),
        };
        row.map_or("", |row| row.cell(column))
    }

    pub(super) fn line(&self) -> u64 {
        self.row.as_ref().map_or(0, |row| row.line)
    }
}

/// Everything that a value may look at.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) bound: &'a Bound,
    /// The rows of the group, where the step groups rows.
    pub(super) group: &'a [Bound],
    /// The number of the row in its list, counted from 0.
    pub(super) index: usize,
    /// The row that the list belongs to.
    pub(super) parent: Option<&'a Scope<'a>>,
    pub(super) tables: &'a Tables,
    pub(super) book: &'a IdBook,
}

/// Where a text in braces comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// A column of the row `ups` lists further out, or of one of its joins.
    Cell {
        ups: usize,
        join: Option<usize>,
        column: String,
    },
    /// The number of the row in its list, counted from 0.
    Index,
    /// The line of the row in its file, counted from 1.
    Line,
}

impl Scope<'_> {
    pub(super) fn get(&self, reference: &Reference) -> Cow<'_, str> {
        match reference {
            Reference::Index => self.index.to_string().into(),
            Reference::Line => self.bound.line().to_string().into(),
            Reference::Cell { ups, join, column } => {
                let bound = self.out(*ups);
                bound.map_or("", |bound| bound.cell(*join, column)).into()
            }
        }
    }

    fn out(&self, ups: usize) -> Option<&Bound> {
        match ups.checked_sub(1) {
            None => Some(self.bound),
            Some(ups) => self.parent?.out(ups),
        }
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Reference(Reference),
}

/// A text with references in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template(pub(super) Vec<Piece>);

impl Template {
    /// The text. It is empty where everything that it refers to is: a constant around nothing
    /// says nothing.
    pub(super) fn render(&self, scope: &Scope<'_>) -> String {
        let mut text = String::new();
        let (mut references, mut filled) = (0, 0);
        for piece in &self.0 {
            match piece {
                Piece::Text(constant) => text.push_str(constant),
                Piece::Reference(reference) => {
                    let cell = scope.get(reference);
                    references += 1;
                    filled += usize::from(!cell.is_empty());
                    text.push_str(&cell);
                }
            }
        }
        if references > 0 && filled == 0 {
            return String::new();
        }
        text.trim().to_owned()
    }
}

/// A piece of a template before anybody knows what its names mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Name(String),
}

/// Splits a template into texts and the names in braces; doubled braces stand for themselves.
pub(super) fn split(template: &str) -> Result<Vec<Token>, String> {
    let (mut tokens, mut text) = (Vec::new(), String::new());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            text.extend(from.chars().next());
            rest = after;
            continue;
        }
        let inner = from.strip_prefix('{');
        let Some((name, after)) = inner.and_then(|inner| inner.split_once('}')) else {
            return Err(format!("`{template}` has a brace without its partner"));
        };
        if !text.is_empty() {
            tokens.push(Token::Text(std::mem::take(&mut text)));
        }
        tokens.push(Token::Name(name.trim().to_owned()));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        tokens.push(Token::Text(text));
    }
    Ok(tokens)
}
