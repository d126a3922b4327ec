//! Running an import: rows in, commands out, answers counted.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use daybook_eventlog::LogError;
use daybook_schema::kernel::Actor;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    Mapping, condition,
    error::{ImportError, RowProblem},
    expression::{bind, require},
    files::Files,
    ids::IdBook,
    plan::{Prepared, Rows, StepPlan, Unprepared},
    rejects::{Reject, Rejects},
    row::Row,
    source::SourceReader,
    summary::{CommandCounts, ImportSummary, StepSummary},
    table::{Tables, read_whole},
    template::{Bound, Scope},
};
use crate::{CommandError, Desk, Organisation, Receipt};

/// How many commands wait for their answers at most.
const IN_FLIGHT_MAX: usize = 256;
/// After how many rows progress is reported.
const ROWS_PER_REPORT: u64 = 256;

/// How an import is run.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Whether rows are only read and made into commands, and nothing is sent.
    pub dry_run: bool,
    /// The file for rejects: CSV where its name ends in `.csv`, otherwise NDJSON.
    pub rejects: Option<PathBuf>,
    /// Who imports; the actor of every row for which the mapping names no other.
    pub actor: Actor,
    /// Whether rows that an earlier import had refused are tried again.
    pub retry_refused: bool,
}

impl ImportOptions {
    /// An import by an actor, with everything else as it usually is.
    pub fn new(actor: Actor) -> Self {
        Self {
            dry_run: false,
            rejects: None,
            actor,
            retry_refused: false,
        }
    }
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub struct ImportProgress<'a> {
    /// The step.
    pub step: &'a str,
    /// The number of the step, counted from 1.
    pub step_number: usize,
    /// How many steps there are.
    pub steps: usize,
    /// Rows read in this step.
    pub rows: u64,
    /// Commands issued in this step.
    pub commands: u64,
    /// Bytes read of the step's file.
    pub bytes_read: u64,
    /// Bytes of the step's file.
    pub bytes_total: u64,
}

/// Imports files, or the files of folders, by a mapping. It blocks until every command is
/// answered, so it is called from a thread of its own and never from asynchronous code.
///
/// Run again, it changes nothing that is done, and goes on where it was interrupted.
pub fn run(
    organisation: &Organisation,
    mapping: &Mapping,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &mut dyn FnMut(ImportProgress<'_>),
) -> Result<ImportSummary, ImportError> {
    if options.dry_run {
        return rehearse(mapping, files, options, progress);
    }
    let log = organisation.log().clone();
    let book = IdBook::new(mapping.ids, Some(log), options.retry_refused);
    Run::start(Some(organisation.desk()), mapping, files, options, book)?.steps(progress)
}

/// A dry run: reads everything, makes all commands, and sends none; it needs no organisation.
pub fn rehearse(
    mapping: &Mapping,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &mut dyn FnMut(ImportProgress<'_>),
) -> Result<ImportSummary, ImportError> {
    let book = IdBook::new(mapping.ids, None, false);
    Run::start(None, mapping, files, options, book)?.steps(progress)
}

struct Run<'a> {
    /// None in a dry run.
    desk: Option<&'a Desk>,
    mapping: &'a Mapping,
    options: &'a ImportOptions,
    files: Files,
    tables: Tables,
    book: IdBook,
    rejects: Rejects,
    in_flight: VecDeque<Flight>,
    started: Instant,
}

/// A command that waits for its answer, and the row that it was made of.
struct Flight {
    answer: oneshot::Receiver<Result<Receipt, CommandError>>,
    command: &'static str,
    creates: Option<&'static str>,
    key: String,
    row: Option<Arc<Row>>,
}

/// A step under way.
struct Course<'a> {
    plan: &'a StepPlan,
    file: String,
    summary: StepSummary,
}

impl<'a> Run<'a> {
    fn start(
        desk: Option<&'a Desk>,
        mapping: &'a Mapping,
        files: &[PathBuf],
        options: &'a ImportOptions,
        book: IdBook,
    ) -> Result<Self, ImportError> {
        let started = Instant::now();
        let files = Files::find(mapping, files)?;
        let mut tables = Tables::default();
        for plan in &mapping.tables {
            let source = mapping.sources.get(&plan.source);
            if let Some((source, path)) = source.zip(files.of(&plan.source)) {
                tables.load(plan, source, path, &book)?;
            }
        }
        Ok(Self {
            desk,
            mapping,
            options,
            files,
            tables,
            book,
            rejects: Rejects::open(options.rejects.as_deref())?,
            in_flight: VecDeque::new(),
            started,
        })
    }

    fn steps(
        mut self,
        progress: &mut dyn FnMut(ImportProgress<'_>),
    ) -> Result<ImportSummary, ImportError> {
        let mut summary = ImportSummary {
            dry_run: self.desk.is_none(),
            ..ImportSummary::default()
        };
        for (at, plan) in self.mapping.steps.iter().enumerate() {
            let mut report = |course: &Course<'_>, (bytes_read, bytes_total)| {
                progress(ImportProgress {
                    step: &course.plan.name,
                    step_number: at + 1,
                    steps: self.mapping.steps.len(),
                    rows: course.summary.rows,
                    commands: course.summary.total().issued,
                    bytes_read,
                    bytes_total,
                });
            };
            summary.steps.push(self.step(plan, &mut report)?);
        }
        let Self {
            rejects, started, ..
        } = self;
        rejects.finish()?;
        summary.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(summary)
    }

    /// One step. Every command of it is answered before the next step begins.
    fn step(
        &mut self,
        plan: &'a StepPlan,
        report: &mut dyn FnMut(&Course<'_>, (u64, u64)),
    ) -> Result<StepSummary, ImportError> {
        let path = plan
            .source
            .as_ref()
            .and_then(|name| self.files.of(name))
            .cloned();
        let source = plan
            .source
            .as_ref()
            .and_then(|name| self.mapping.sources.get(name));
        let mut course = Course {
            plan,
            file: path
                .as_ref()
                .map_or_else(String::new, |path| path.display().to_string()),
            summary: StepSummary {
                step: plan.name.clone(),
                ..StepSummary::default()
            },
        };
        let mut bytes = (0, 0);
        match source.zip(path) {
            None => self.take(&mut course, &Bound::default(), &[])?,
            Some((source, path)) if plan.group_by.is_some() => {
                let rows = read_whole(source, &path)?;
                self.groups(&mut course, rows, report)?;
            }
            Some((source, path)) => {
                let mut reader = SourceReader::open(source, &path)?;
                self.rows(&mut course, &mut reader, report)?;
                bytes = reader.bytes();
            }
        }
        while let Some(flight) = self.in_flight.pop_front() {
            self.land(&mut course, flight)?;
        }
        report(&course, bytes);
        Ok(course.summary)
    }

    fn rows(
        &mut self,
        course: &mut Course<'a>,
        reader: &mut SourceReader<'_>,
        report: &mut dyn FnMut(&Course<'_>, (u64, u64)),
    ) -> Result<(), ImportError> {
        while let Some(row) = reader.next_row()? {
            course.summary.rows += 1;
            match row {
                Err(bad) => {
                    let unprepared = Unprepared::row(String::new(), bad.problem);
                    self.reject(course, bad.line, bad.shown, &unprepared)?;
                }
                Ok(row) => {
                    if let Some(bound) = self.admit(course, Arc::new(row))? {
                        self.take(course, &bound, &[])?;
                    }
                }
            }
            if course.summary.rows.is_multiple_of(ROWS_PER_REPORT) {
                report(course, reader.bytes());
            }
        }
        Ok(())
    }

    /// The groups of a file, in the order of their first rows.
    fn groups(
        &mut self,
        course: &mut Course<'a>,
        rows: Vec<Arc<Row>>,
        report: &mut dyn FnMut(&Course<'_>, (u64, u64)),
    ) -> Result<(), ImportError> {
        let mut groups: Vec<Vec<Bound>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for row in rows {
            course.summary.rows += 1;
            let Some(bound) = self.admit(course, row)? else {
                continue;
            };
            let scope = self.scope(&bound);
            let key = course.plan.group_by.as_ref();
            let key = key.map(|key| key.render(&scope));
            let place = *places
                .entry(key.unwrap_or_default())
                .or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(bound),
                None => groups.push(vec![bound]),
            }
        }
        for (number, group) in (1_u64..).zip(&groups) {
            if let Some(first) = group.first() {
                self.take(course, first, group)?;
            }
            if number.is_multiple_of(ROWS_PER_REPORT) {
                report(course, (0, 0));
            }
        }
        Ok(())
    }

    /// The row with its joins, if the step is about it.
    fn admit(
        &mut self,
        course: &mut Course<'a>,
        row: Arc<Row>,
    ) -> Result<Option<Bound>, ImportError> {
        let (plan, nothing) = (course.plan, Bound::default());
        let outer = self.scope(&nothing);
        let bound = bind(Some(row.clone()), &plan.joins, &outer);
        let scope = self.scope(&bound);
        if !condition::all(&plan.when, &scope) {
            course.summary.filtered += 1;
            return Ok(None);
        }
        if let Err(problem) = require(&plan.joins, &scope) {
            let unprepared = Unprepared::row(plan.key.render(&scope), problem);
            self.reject(course, row.line, row.to_json(), &unprepared)?;
            return Ok(None);
        }
        Ok(Some(bound))
    }

    fn scope<'s>(&'s self, bound: &'s Bound) -> Scope<'s> {
        let rows = Rows {
            bound,
            group: &[],
            tables: &self.tables,
        };
        rows.scope(&self.book)
    }

    /// Makes the commands of a row or a group, and sends them.
    fn take(
        &mut self,
        course: &mut Course<'a>,
        bound: &Bound,
        group: &[Bound],
    ) -> Result<(), ImportError> {
        let rows = Rows {
            bound,
            group,
            tables: &self.tables,
        };
        let prepared = course
            .plan
            .prepare(rows, &mut self.book, &self.options.actor);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(unprepared) => {
                let shown = bound.row.as_ref().map_or(Value::Null, |row| row.to_json());
                return self.reject(course, bound.line(), shown, &unprepared);
            }
        };
        for command in prepared {
            course.counts(command.command).issued += 1;
            if let Some(desk) = self.desk {
                self.send(course, desk, command, bound.row.clone())?;
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        course: &mut Course<'a>,
        desk: &Desk,
        prepared: Prepared,
        row: Option<Arc<Row>>,
    ) -> Result<(), ImportError> {
        if self.in_flight.len() >= IN_FLIGHT_MAX
            && let Some(oldest) = self.in_flight.pop_front()
        {
            self.land(course, oldest)?;
        }
        let answer = desk
            .submit_blocking(prepared.envelope)
            .map_err(|error| course.stopped(error))?;
        self.in_flight.push_back(Flight {
            answer,
            command: prepared.command,
            creates: prepared.creates,
            key: prepared.key,
            row,
        });
        Ok(())
    }

    /// Waits for the answer to a command and counts it.
    fn land(&mut self, course: &mut Course<'a>, flight: Flight) -> Result<(), ImportError> {
        let answer = flight.answer.blocking_recv();
        let counts = course.counts(flight.command);
        let problem = match answer.unwrap_or(Err(CommandError::Closed)) {
            Ok(Receipt {
                refusal: None,
                replayed,
                ..
            }) => {
                *(if replayed {
                    &mut counts.replayed
                } else {
                    &mut counts.accepted
                }) += 1;
                return Ok(());
            }
            Ok(Receipt {
                refusal: Some(refusal),
                replayed,
                ..
            }) => {
                counts.refused += 1;
                counts.refused_before += u64::from(replayed);
                let problem = RowProblem::new(refusal.code, refusal.message);
                problem.within(&refusal.field.join("."))
            }
            Err(error) if stops(&error) => return Err(course.stopped(error)),
            Err(error) => {
                counts.failed += 1;
                RowProblem::new(error.code(), error.to_string())
            }
        };
        // It may exist from an earlier import; the book asks the log where it matters.
        if let Some(kind) = flight.creates {
            self.book.reject(kind, &flight.key);
        }
        let (line, row) = flight
            .row
            .map_or((0, Value::Null), |row| (row.line, row.to_json()));
        let reject = Unprepared {
            command: flight.command,
            key: flight.key,
            problem,
        };
        self.record(course, line, row, &reject)
    }

    fn reject(
        &mut self,
        course: &mut Course<'a>,
        line: u64,
        row: Value,
        unprepared: &Unprepared,
    ) -> Result<(), ImportError> {
        course.summary.rejected += 1;
        self.record(course, line, row, unprepared)
    }

    fn record(
        &mut self,
        course: &Course<'a>,
        line: u64,
        row: Value,
        unprepared: &Unprepared,
    ) -> Result<(), ImportError> {
        let Unprepared {
            command,
            key,
            problem,
        } = unprepared;
        self.rejects.write(&Reject {
            file: &course.file,
            line,
            key,
            step: &course.plan.name,
            command,
            field: &problem.field,
            code: &problem.code,
            message: &problem.message,
            row,
        })
    }
}

impl Course<'_> {
    fn counts(&mut self, command: &'static str) -> &mut CommandCounts {
        self.summary.commands.entry(command).or_default()
    }

    fn stopped(&self, error: CommandError) -> ImportError {
        let step = self.plan.name.clone();
        ImportError::DeskStopped { step, error }
    }
}

/// Whether nothing after this answer can be trusted to be decided: rows that depend on it would be
/// refused, and refusals are final.
fn stops(error: &CommandError) -> bool {
    match error {
        CommandError::Busy { .. }
        | CommandError::Restarted
        | CommandError::Closed
        | CommandError::Keys(_) => true,
        CommandError::Log(error) => !matches!(error, LogError::CommitTooLarge { .. }),
        CommandError::VersionConflict { .. }
        | CommandError::IdempotencyKeyReused { .. }
        | CommandError::Fault(_) => false,
    }
}
