//! A mapping that was read and checked: nothing in it can be wrong any more except against files.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Component, Path},
};

use super::{
    catalogue::{Catalogue, Shape},
    compile::{Compiler, read, zone_of},
    error::{MappingError, MappingProblem},
    expression::Expression,
    format::{self, Defaults, Encoding, Format, RowFormat},
    ids::Ids,
    place::{ColumnUse, Place},
    plan::{Authorship, CommandPlan, StepPlan},
    source::{SourcePlan, delimiter_fits},
    table::TablePlan,
};

/// A mapping from the rows of files to commands; see the [module](super) for how it is written.
#[derive(Debug)]
pub struct Mapping {
    pub(super) ids: Ids,
    pub(super) sources: BTreeMap<String, SourcePlan>,
    pub(super) tables: Vec<TablePlan>,
    pub(super) steps: Vec<StepPlan>,
    pub(super) uses: Vec<ColumnUse>,
}

impl Mapping {
    /// Reads a mapping and checks everything that can be checked without the files: names,
    /// commands, the fields of commands, formats.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let deserializer = toml::Deserializer::parse(text).map_err(|error| {
            MappingError::new(
                "",
                MappingProblem::Syntax(error.to_string().trim_end().to_owned()),
            )
        })?;
        let format: Format = read("", deserializer)?;
        if format.namespace.trim().is_empty() {
            return Err(MappingError::invalid("namespace", "the namespace is empty"));
        }
        zone_of("defaults.zone", &format.defaults.zone)?;
        let uses = RefCell::default();
        let sources = sources(&format)?;
        let tables = format.tables.iter().enumerate();
        let tables = tables.map(|(at, (name, table))| (name.clone(), (at, table.source.clone())));
        let compiler = Compiler {
            catalogue: &Catalogue::new(),
            defaults: &format.defaults,
            tables: tables.collect(),
        };
        let tables = compiler.all_tables(&format, &uses)?;
        let steps = compiler.steps(&format, &uses)?;
        Ok(Self {
            ids: Ids::of(format.namespace.trim()),
            sources,
            tables,
            steps,
            uses: uses.into_inner(),
        })
    }

    /// The names of the files that the sources read.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<_> = self.sources.values().map(|one| one.file.clone()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// The names of the steps, in order.
    pub fn steps(&self) -> Vec<&str> {
        self.steps.iter().map(|step| step.name.as_str()).collect()
    }
}

fn sources(format: &Format) -> Result<BTreeMap<String, SourcePlan>, MappingError> {
    let plans = format.sources.iter().map(|(name, source)| {
        let plan = source_plan(name, source, &format.defaults)?;
        Ok((name.clone(), plan))
    });
    plans.collect()
}

/// Whether a name cannot lead out of the folder that it is joined to. Mappings are handed on, so
/// whoever wrote one must not choose what is read of somebody else's machine.
fn stays_within(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    let is_plain = parts.all(|part| matches!(part, Component::Normal(_)));
    is_plain && !file.is_empty() && !file.contains('\0')
}

fn source_plan(
    name: &str,
    source: &format::Source,
    defaults: &Defaults,
) -> Result<SourcePlan, MappingError> {
    let path = format!("sources.{name}");
    let file = source.file.clone().unwrap_or_else(|| format!("{name}.csv"));
    if !stays_within(&file) {
        let problem = format!("`{file}` leads out of the folder that the files are in");
        return Err(MappingError::invalid(format!("{path}.file"), problem));
    }
    let lower = file.to_lowercase();
    let ndjson = [".ndjson", ".jsonl"].iter().any(|end| lower.ends_with(end));
    let guessed = if ndjson {
        RowFormat::Ndjson
    } else {
        RowFormat::Csv
    };
    let delimiter = source.delimiter.unwrap_or(',');
    let delimiter = u8::try_from(delimiter).ok();
    let delimiter = delimiter.filter(|byte| delimiter_fits(*byte, source.encoding));
    let Some(delimiter) = delimiter else {
        let problem = match source.encoding {
            Encoding::Utf8 => "a delimiter is one ASCII character other than a quote",
            Encoding::Gb18030 => "a delimiter in GB18030 is a comma, a semicolon or a tab",
        };
        return Err(MappingError::invalid(format!("{path}.delimiter"), problem));
    };
    Ok(SourcePlan {
        file,
        format: source.format.unwrap_or(guessed),
        encoding: source.encoding,
        delimiter,
        null: source.null.as_ref().unwrap_or(&defaults.null).clone(),
        trim: source.trim.unwrap_or(defaults.trim),
    })
}

impl Compiler<'_> {
    fn all_tables(
        &self,
        format: &Format,
        uses: &RefCell<Vec<ColumnUse>>,
    ) -> Result<Vec<TablePlan>, MappingError> {
        let plans = format.tables.iter().map(|(name, table)| {
            let path = format!("tables.{name}");
            known_source(&path, &table.source, format)?;
            let place = Place::outermost(Some(&table.source), false, uses);
            Ok(TablePlan {
                source: table.source.clone(),
                key: place.template(&format!("{path}.key"), &table.key)?,
                when: self.conditions(&format!("{path}.when"), &table.when, &place)?,
            })
        });
        plans.collect()
    }

    fn steps(
        &self,
        format: &Format,
        uses: &RefCell<Vec<ColumnUse>>,
    ) -> Result<Vec<StepPlan>, MappingError> {
        let mut plans: Vec<StepPlan> = Vec::new();
        for (at, step) in format.steps.iter().enumerate() {
            let path = format!("steps[{at}]");
            if step.name.is_empty() || plans.iter().any(|plan| plan.name == step.name) {
                let problem = format!("the name `{}` is empty or taken by another step", step.name);
                return Err(MappingError::invalid(format!("{path}.name"), problem));
            }
            if let Some(source) = &step.source {
                known_source(&path, source, format)?;
            }
            plans.push(self.step(&path, step, uses)?);
        }
        if plans.is_empty() {
            return Err(MappingError::invalid(
                "steps",
                "a mapping has at least one step",
            ));
        }
        Ok(plans)
    }

    fn step(
        &self,
        path: &str,
        step: &format::Step,
        uses: &RefCell<Vec<ColumnUse>>,
    ) -> Result<StepPlan, MappingError> {
        let grouped = step.group_by.is_some();
        let mut place = Place::outermost(step.source.as_deref(), grouped, uses);
        let joins = self.joins(path, &step.join, &mut place)?;
        let group_by = step.group_by.as_ref();
        let group_by = group_by.map(|text| place.template(&format!("{path}.group_by"), text));
        let Some(key) = step.key.as_ref().or(step.group_by.as_ref()) else {
            return Err(MappingError::invalid(
                path,
                "a step has a `key` or a `group_by`",
            ));
        };
        let authorship = Authorship {
            actor: self.beside(path, "actor", step.actor.as_ref(), &place)?,
            occurred_at: self.beside(path, "occurred_at", step.occurred_at.as_ref(), &place)?,
            reason: self.beside(path, "reason", step.reason.as_ref(), &place)?,
        };
        let plan = StepPlan {
            name: step.name.clone(),
            source: step.source.clone(),
            when: self.conditions(&format!("{path}.when"), &step.when, &place)?,
            group_by: group_by.transpose()?,
            key: place.template(&format!("{path}.key"), key)?,
            authorship,
            commands: self.commands(path, step, &place)?,
            joins,
        };
        Ok(plan)
    }

    fn commands(
        &self,
        path: &str,
        step: &format::Step,
        place: &Place<'_>,
    ) -> Result<Vec<CommandPlan>, MappingError> {
        let mut plans = Vec::new();
        let mut names = Vec::new();
        for (at, command) in step.commands.iter().enumerate() {
            let path = format!("{path}.commands[{at}]");
            let name = (&command.command, &command.key_suffix);
            if names.contains(&name) {
                let problem = format!(
                    "`{}` stands twice in this step, give one of them a `key_suffix`",
                    command.command
                );
                return Err(MappingError::invalid(path, problem));
            }
            names.push(name);
            plans.push(self.command(&path, command, place)?);
        }
        if plans.is_empty() {
            let path = format!("{path}.commands");
            return Err(MappingError::invalid(
                path,
                "a step has at least one command",
            ));
        }
        Ok(plans)
    }

    fn command(
        &self,
        path: &str,
        raw: &format::Command,
        place: &Place<'_>,
    ) -> Result<CommandPlan, MappingError> {
        let Some(shape) = self.catalogue.command(&raw.command) else {
            let (name, allowed) = (raw.command.clone(), self.catalogue.names());
            let problem = MappingProblem::UnknownCommand { name, allowed };
            return Err(MappingError::new(format!("{path}.command"), problem));
        };
        let suffix = raw.key_suffix.as_deref().unwrap_or_default();
        let fields = format!("{path}.fields");
        Ok(CommandPlan {
            name: shape.name,
            kind: shape.kind,
            read: shape.read,
            when: self.conditions(&format!("{path}.when"), &raw.when, place)?,
            key_suffix: place.template(&format!("{path}.key_suffix"), suffix)?,
            authorship: Authorship {
                actor: self.beside(path, "actor", raw.actor.as_ref(), place)?,
                occurred_at: self.beside(path, "occurred_at", raw.occurred_at.as_ref(), place)?,
                reason: self.beside(path, "reason", raw.reason.as_ref(), place)?,
            },
            fields: self.object(&fields, &raw.fields, &shape.shape(), place)?,
        })
    }

    /// A value that goes beside the command and not into it. Business time is an instant where
    /// the mapping does not say what it is.
    fn beside(
        &self,
        path: &str,
        name: &str,
        value: Option<&toml::Value>,
        place: &Place<'_>,
    ) -> Result<Option<Expression>, MappingError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let mut value = value.clone();
        if name == "occurred_at" {
            value = as_instant(value);
        }
        let path = format!("{path}.{name}");
        let expression = self.expression(&path, &value, &Shape::anything(), place)?;
        Ok(Some(expression))
    }
}

fn as_instant(value: toml::Value) -> toml::Value {
    let mut table = match value {
        toml::Value::Table(table) => table,
        toml::Value::String(text) => toml::Table::from_iter([("template".to_owned(), text.into())]),
        other => return other,
    };
    if !table.contains_key("constant") {
        let kind = table.entry("as");
        kind.or_insert_with(|| "date_time".into());
    }
    toml::Value::Table(table)
}

fn known_source(path: &str, name: &str, format: &Format) -> Result<(), MappingError> {
    if format.sources.contains_key(name) {
        return Ok(());
    }
    let problem = MappingProblem::UnknownReference {
        what: "source",
        name: name.to_owned(),
        allowed: format.sources.keys().cloned().collect(),
    };
    Err(MappingError::new(format!("{path}.source"), problem))
}
