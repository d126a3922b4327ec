//! The writing side: one per log, blocking, and done only when the disk is.
//!
//! The order of an append is the whole safety argument:
//!
//! ```text
//! check ─▶ pack ─▶ insert ─▶ flush ─▶ sync ─▶ head record ─▶ publish ─▶ return
//! └ nothing written ┘        └ not acknowledged ┘            └ visible and durable
//! ```
//!
//! A failure of the first part leaves the log as it was, and the writer usable. A failure after
//! that stops the writer for good: what is on disk is then unknown, a second sync that succeeds
//! would prove nothing, and only opening again finds out.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::Position;
use crate::block::RawBlock;
use crate::chain::{Chain, Depth};
use crate::commit::{Commit, NewCommit};
use crate::error::LogError;
use crate::feed::Group;
use crate::hash::Head;
use crate::head::HeadFile;
use crate::pack::{self, Packed};
use crate::recent::{Known, RecentCommands};
use crate::shared::Shared;
use crate::stats::Counted;
use crate::wire::u64_of;
use crate::workers::Workers;

/// The only handle that appends. Dropping it closes the log; [`Writer::close`] also says whether
/// that went well.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    head: Head,
    head_file: Option<HeadFile>,
    recent: RecentCommands,
    workers: Workers,
    closed: bool,
}

/// What an append made durable.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The durable head now.
    pub head: Head,
    /// The commits as stored, in the order given; their positions are consecutive.
    pub commits: Arc<[Commit]>,
    /// How many blocks they took.
    pub blocks: usize,
    /// The bytes of those blocks.
    pub bytes: usize,
    /// How long flush and sync took.
    pub sync: Duration,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        head_file: Option<HeadFile>,
        greatest_command: Uuid,
        workers: Workers,
    ) -> Self {
        let head = shared.head();
        let recent = RecentCommands::new(greatest_command);
        Self {
            shared,
            head,
            head_file,
            recent,
            workers,
            closed: false,
        }
    }

    /// The durable head; the next commit gets the position behind it.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// What a caller needs to tell new command ids from repeated ones without a look-up for each.
    #[must_use]
    pub fn seen_commands(&self) -> RecentCommands {
        self.recent.clone()
    }

    /// Appends a group of commits and returns when it survives a power cut.
    ///
    /// Each commit is atomic, the group is not: after a crash in the middle of this call the log
    /// may hold the group's first commits without the others, never a part of one.
    ///
    /// # Errors
    /// With nothing written and the writer usable: [`LogError::CommitTooLarge`],
    /// [`LogError::InvalidCommit`], [`LogError::DuplicateCommand`], [`LogError::LowSpace`],
    /// [`LogError::IndexBehind`], [`LogError::ReadOnly`]. [`LogError::Stopped`] when a write or a
    /// sync has failed, now or earlier: nothing is acknowledged any more.
    pub fn append(&mut self, commits: &[NewCommit]) -> Result<Appended, LogError> {
        self.check_writable()?;
        self.check_commands(commits)?;
        let packed = pack::pack(self.shared.options.organisation, self.head, commits)?;
        self.shared.index.make_room()?;
        let shared = Arc::clone(&self.shared);
        self.store(packed).map_err(|error| shared.stop(&error))
    }

    /// Appends only if nothing has been appended since the caller looked.
    ///
    /// # Errors
    /// [`LogError::UnexpectedHead`], with nothing written; otherwise as [`Writer::append`].
    pub fn append_at(
        &mut self,
        expected: Position,
        commits: &[NewCommit],
    ) -> Result<Appended, LogError> {
        let actual = self.head.position;
        if actual != expected {
            return Err(LogError::UnexpectedHead { expected, actual });
        }
        self.append(commits)
    }

    /// Drains the archive and the index, syncs everything, and lets go of the folder.
    ///
    /// # Errors
    /// What went wrong first. The log is closed in any case, and what was acknowledged is safe.
    pub fn close(mut self) -> Result<Head, LogError> {
        self.shut_down().map(|()| self.head)
    }

    fn check_writable(&self) -> Result<(), LogError> {
        if let Some(reason) = self.shared.stopped() {
            return Err(LogError::Stopped { reason });
        }
        if self.head_file.is_none() {
            return Err(LogError::ReadOnly);
        }
        let disk = self.shared.options.disk.as_ref();
        match self.shared.space.shortage(disk, &self.shared.dir)? {
            Some(s) => Err(LogError::LowSpace {
                free: s.free,
                required: s.required,
            }),
            None => Ok(()),
        }
    }

    fn check_commands(&self, commits: &[NewCommit]) -> Result<(), LogError> {
        let mut in_group = HashSet::with_capacity(commits.len());
        for (commit, position) in commits.iter().zip(self.head.position + 1..) {
            let command_id = commit.command_id;
            if !in_group.insert(command_id) {
                return Err(LogError::DuplicateCommand {
                    command_id,
                    position,
                });
            }
            if self.recent.look(command_id) == Known::Unclear
                && let Some(position) = self.shared.index.command(command_id)?
            {
                return Err(LogError::DuplicateCommand {
                    command_id,
                    position,
                });
            }
        }
        Ok(())
    }

    fn store(&mut self, packed: Packed) -> Result<Appended, LogError> {
        let group = self.group_of(packed)?;
        let sync = self.make_durable(&group)?;
        let bytes = group.raws.iter().map(|raw| raw.bytes().len()).sum();
        let blocks = group.raws.len();
        let commits = Arc::clone(&group.commits);
        self.count(&commits, blocks, bytes, sync);
        self.publish(group);
        Ok(Appended {
            head: self.head,
            commits,
            blocks,
            bytes,
            sync,
        })
    }

    /// Reads the packed blocks back as any reader will: a mistake in packing stops the writer
    /// here, before it can reach the disk.
    fn group_of(&self, packed: Packed) -> Result<Group, LogError> {
        let first = self.head.position + 1;
        let commits = read_back(self.head, &packed.raws)
            .filter(|(_, head)| *head == packed.head)
            .map(|(commits, _)| commits);
        let last = packed.head.position;
        let commits = commits.ok_or_else(|| LogError::damaged("packed wrongly", first, last))?;
        Ok(Group {
            raws: packed.raws,
            commits,
            first,
            last,
            hash: packed.head.hash,
        })
    }

    fn make_durable(&mut self, group: &Group) -> Result<Duration, LogError> {
        if group.raws.is_empty() {
            return Ok(Duration::ZERO);
        }
        self.shared.store.insert(&group.raws)?;
        let start = Instant::now();
        self.shared.store.sync()?;
        let sync = start.elapsed();
        let head = Head {
            position: group.last,
            hash: group.hash,
        };
        if let Some(file) = &mut self.head_file {
            file.write(head, false)?;
        }
        Ok(sync)
    }

    fn publish(&mut self, group: Group) {
        if group.commits.is_empty() {
            return;
        }
        self.head = Head {
            position: group.last,
            hash: group.hash,
        };
        group
            .commits
            .iter()
            .for_each(|commit| self.recent.add(commit.command_id()));
        let group = Arc::new(group);
        // The index first: whoever learns of a commit from the feed can look it up.
        self.shared.index.push(Arc::clone(&group));
        self.shared.feed.publish(group);
    }

    fn count(&self, commits: &[Commit], blocks: usize, bytes: usize, sync: Duration) {
        if !commits.is_empty() {
            let events = commits
                .iter()
                .map(|commit| u64::from(commit.event_count()))
                .sum();
            let (blocks, bytes) = (u64_of(blocks), u64_of(bytes));
            let commits = u64_of(commits.len());
            self.shared.counters.count(Counted {
                commits,
                events,
                blocks,
                bytes,
                sync,
            });
        }
    }

    fn shut_down(&mut self) -> Result<(), LogError> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        let drained = self.workers.stop(&self.shared);
        let recorded = self.record_end();
        self.shared.release();
        drained.and(recorded)
    }

    /// After a failure the record stays as it is: it names the last acknowledged position.
    fn record_end(&mut self) -> Result<(), LogError> {
        let stopped = self.shared.stopped().is_some();
        match &mut self.head_file {
            Some(file) if !stopped => file.write(self.head, true).and_then(|()| file.sync()),
            _ => Ok(()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::warn!(%error, dir = %self.shared.dir.display(), "log did not close cleanly");
        }
    }
}

fn read_back(head: Head, raws: &[RawBlock]) -> Option<(Arc<[Commit]>, Head)> {
    let mut chain = Chain::after(head, Depth::Links);
    let mut commits = Vec::new();
    for raw in raws {
        if let Some(block) = chain.accept(raw).ok()? {
            commits.extend(block.to_commits());
        }
    }
    let whole = !chain.is_partial();
    chain
        .whole_head()
        .filter(|_| whole)
        .map(|head| (commits.into(), head))
}
