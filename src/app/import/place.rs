//! What the names in a template mean at one place of a mapping.

use std::cell::RefCell;

use super::{
    error::{MappingError, MappingProblem},
    template::{Piece, Reference, Template, Token, split},
};

/// A column that the mapping uses, to be found in the header of its source's file.
#[derive(Debug)]
pub(super) struct ColumnUse {
    pub(super) source: String,
    pub(super) column: String,
    pub(super) path: String,
}

/// A place: the row that it sees, the rows joined to it, and the row further out.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) source: Option<&'a str>,
    /// The names of the joins with their sources.
    pub(super) joins: Vec<(String, String)>,
    /// Whether the row stands for a group of rows.
    pub(super) grouped: bool,
    pub(super) parent: Option<&'a Place<'a>>,
    pub(super) uses: &'a RefCell<Vec<ColumnUse>>,
}

impl<'a> Place<'a> {
    pub(super) fn outermost(
        source: Option<&'a str>,
        grouped: bool,
        uses: &'a RefCell<Vec<ColumnUse>>,
    ) -> Self {
        Self {
            source,
            joins: Vec::new(),
            grouped,
            parent: None,
            uses,
        }
    }

    pub(super) fn template(&self, path: &str, text: &str) -> Result<Template, MappingError> {
        let tokens = split(text).map_err(|problem| MappingError::invalid(path, problem))?;
        let pieces = tokens.into_iter().map(|token| match token {
            Token::Text(text) => Ok(Piece::Text(text)),
            Token::Name(name) => self.reference(path, &name).map(Piece::Reference),
        });
        pieces.collect::<Result<_, _>>().map(Template)
    }

    /// A template of one column.
    pub(super) fn column(&self, path: &str, name: &str) -> Result<Template, MappingError> {
        let reference = self.reference(path, name)?;
        Ok(Template(vec![Piece::Reference(reference)]))
    }

    fn reference(&self, path: &str, name: &str) -> Result<Reference, MappingError> {
        match name {
            "@index" => return Ok(Reference::Index),
            "@line" => return Ok(Reference::Line),
            _ => {}
        }
        let (mut place, mut ups, mut rest) = (self, 0, name);
        while let (Some(outer), Some(inner)) = (place.parent, rest.strip_prefix("parent.")) {
            (place, ups, rest) = (outer, ups + 1, inner);
        }
        let joined = rest.split_once('.').and_then(|(join, column)| {
            let at = place.joins.iter().position(|(name, _)| name == join)?;
            Some((at, column))
        });
        let (join, column) = match joined {
            Some((at, column)) => (Some(at), column),
            None => (None, rest),
        };
        let source = match join {
            Some(at) => place.joins.get(at).map(|(_, source)| source.as_str()),
            None => place.source,
        };
        let Some(source) = source else {
            return Err(place.unknown(path, name));
        };
        self.uses.borrow_mut().push(ColumnUse {
            source: source.to_owned(),
            column: column.to_owned(),
            path: path.to_owned(),
        });
        Ok(Reference::Cell {
            ups,
            join,
            column: column.to_owned(),
        })
    }

    fn unknown(&self, path: &str, name: &str) -> MappingError {
        let joins = self.joins.iter();
        let problem = MappingProblem::UnknownReference {
            what: "column",
            name: name.to_owned(),
            allowed: joins.map(|(join, _)| format!("{join}.<column>")).collect(),
        };
        MappingError::new(path, problem)
    }
}
