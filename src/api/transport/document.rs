//! Parsed documents, kept from one request to the next.
//!
//! Clients send the same few texts for ever, and parsing one costs several times what running a
//! point query does. An entry holds only what depends on the text alone: the syntax tree and what
//! it measures. Validation is not cached, because it reads the variables.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::{Name, Positioned, Value, Variables};
use lru::LruCache;

use super::errors::{Code, Fault};
use super::limits::{Limits, Measure, cost_with, measure_all};
use super::scan::scan;
use crate::metrics::Metrics;

/// A parsed document within the limits.
#[derive(Debug)]
pub struct Document {
    syntax: ExecutableDocument,
    measures: HashMap<Option<Name>, Measure>,
    validated: AtomicBool,
}

impl Document {
    /// # Errors
    /// The text is no GraphQL, or exceeds a limit that needs no variables.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, Fault> {
        scan(text, limits)?;
        let syntax = parse_query(text)?;
        let measures = measure_all(&syntax, limits)?;
        let validated = AtomicBool::new(false);
        Ok(Self {
            syntax,
            measures,
            validated,
        })
    }

    /// Whether the document has passed the schema's validation before. What depends on the text
    /// alone then needs no second look; the values of variables always do.
    #[must_use]
    pub fn is_validated(&self) -> bool {
        self.validated.load(Ordering::Relaxed)
    }

    /// Remembers that the document has passed validation.
    pub(super) fn mark_validated(&self) {
        self.validated.store(true, Ordering::Relaxed);
    }

    /// The syntax tree.
    #[must_use]
    pub const fn syntax(&self) -> &ExecutableDocument {
        &self.syntax
    }

    /// The operation to run.
    ///
    /// # Errors
    /// [`Code::OperationResolutionFailure`] when the name is unknown, or absent and needed.
    pub fn operation(&self, name: Option<&str>) -> Result<Operation<'_>, Fault> {
        let found = match (&self.syntax.operations, name) {
            (DocumentOperations::Single(only), None) => Some((None, only)),
            (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
                all.iter().next().map(|(name, only)| (Some(name), only))
            }
            (DocumentOperations::Multiple(_), None) => {
                let message = "the document holds several operations: operationName is needed";
                return Err(Fault::new(Code::OperationResolutionFailure, message));
            }
            (DocumentOperations::Multiple(all), Some(name)) => all
                .get_key_value(name)
                .map(|(name, found)| (Some(name), found)),
            (DocumentOperations::Single(_), Some(_)) => None,
        };
        let unknown = || {
            let message = format!("unknown operation {:?}", name.unwrap_or_default());
            Fault::new(Code::OperationResolutionFailure, message)
        };
        let (name, definition) = found.ok_or_else(unknown)?;
        let measure = self
            .measures
            .get(&name.cloned())
            .copied()
            .unwrap_or_default();
        Ok(Operation {
            document: self,
            definition,
            measure,
        })
    }
}

/// One operation of a document.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    document: &'a Document,
    definition: &'a Positioned<OperationDefinition>,
    measure: Measure,
}

impl Operation<'_> {
    /// Query, mutation or subscription.
    #[must_use]
    pub const fn kind(&self) -> OperationType {
        self.definition.node.ty
    }

    /// Whether validation could find nothing new in this request: the document is known to be
    /// valid, and each variable is one plain value, which the executor checks where it is used.
    /// Input objects are not trusted, because only validation notices a field that they do not
    /// have; nor are directives, because the executor takes their bad values for `false`.
    #[must_use]
    pub fn is_trusted(&self, variables: &Variables) -> bool {
        self.kind() == OperationType::Query
            && self.measure.directives == 0
            && self.document.is_validated()
            && variables
                .values()
                .all(|value| !matches!(value, Value::Object(_) | Value::List(_)))
    }

    /// Whether `__schema` or `__type` is asked for anywhere.
    #[must_use]
    pub const fn asks_for_schema(&self) -> bool {
        self.measure.introspection_depth > 0
    }

    /// What the operation may cost with these variables.
    ///
    /// # Errors
    /// [`Code::QueryTooComplex`] when a page size given by a variable exceeds the limit.
    pub fn cost(&self, limits: &Limits, variables: &Variables) -> Result<u64, Fault> {
        if !self.measure.varies {
            return Ok(self.measure.cost);
        }
        let set = &self.definition.node.selection_set.node;
        cost_with(&self.document.syntax, set, limits, variables)
    }

    /// Gives the variables that are left out their defaults, as the specification wants it before
    /// anything is executed. The executor itself forgets the defaults of `@skip` and `@include`,
    /// and would notice a missing required variable only where it is used.
    ///
    /// # Errors
    /// [`Code::BadUserInput`] with the name of the first required variable that is missing or
    /// null.
    pub fn complete(&self, variables: &mut Variables) -> Result<(), Fault> {
        for definition in &self.definition.node.variable_definitions {
            let wanted = &definition.node;
            let missing = match (variables.get(&wanted.name.node), &wanted.default_value) {
                (Some(value), _) => *value == Value::Null,
                (None, Some(default)) => {
                    variables.insert(wanted.name.node.clone(), default.node.clone());
                    false
                }
                (None, None) => true,
            };
            if missing && !wanted.var_type.node.nullable {
                let (name, ty) = (wanted.name.node.as_str(), &wanted.var_type.node);
                let message = format!("variable ${name} of type {ty} is required");
                return Err(Fault::new(Code::BadUserInput, message).at(definition.pos));
            }
        }
        Ok(())
    }
}

/// A bounded cache of parsed documents, keyed by their text; the least recently used goes first.
#[derive(Debug)]
pub struct DocumentCache {
    entries: Mutex<LruCache<Box<str>, Arc<Document>>>,
    text_bytes_max: usize,
    limits: Limits,
    metrics: Metrics,
}

impl DocumentCache {
    /// A cache of at most `entries_max` documents of at most `text_bytes_max` bytes each. Longer
    /// ones are parsed every time. Failures are never kept: a stream of broken documents must
    /// not push out the good ones.
    #[must_use]
    pub fn new(
        entries_max: NonZeroUsize,
        text_bytes_max: usize,
        limits: Limits,
        metrics: Metrics,
    ) -> Self {
        let entries = Mutex::new(LruCache::new(entries_max));
        Self {
            entries,
            text_bytes_max,
            limits,
            metrics,
        }
    }

    /// The parsed document for a text.
    ///
    /// # Errors
    /// See [`Document::parse`].
    pub fn get(&self, text: &str) -> Result<Arc<Document>, Fault> {
        if let Some(found) = self.lock().get(text) {
            self.metrics.document_cache_hits.inc();
            return Ok(Arc::clone(found));
        }
        self.metrics.document_cache_misses.inc();
        let document = Arc::new(Document::parse(text, &self.limits)?);
        if text.len() <= self.text_bytes_max {
            self.lock().put(text.into(), Arc::clone(&document));
        }
        Ok(document)
    }

    /// Documents held now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no document is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cache is only a cache: after a panic elsewhere its contents are still true.
    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Box<str>, Arc<Document>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
