//! A team. Formed → dissolved.
//! Invariants: no team stands above itself; a dissolved team has no members, no teams below it
//! that count, and its code is not used again.

use daybook_schema::access::{TeamCommand, TeamEvent, TeamId};

use super::authority::TEAM_DEPTH_MAX;
use crate::{
    Aggregate, Declined, Desk,
    refusal::{CommonRejection, rejection},
};

/// The team's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Team {
    /// There is none.
    #[default]
    Unformed,
    /// People work together.
    Formed {
        /// The team above it.
        parent: Option<TeamId>,
    },
    /// It is no more.
    Dissolved,
}

/// The rules about teams.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum TeamRejection {
    /// The team is no more.
    #[error("`{team}` was dissolved")]
    TeamIsDissolved {
        /// The team.
        team: TeamId,
    },
    /// A team would stand above itself.
    #[error("`{team}` stands above `{parent}` already")]
    TeamBelowItself {
        /// The team.
        team: TeamId,
        /// The team that was to stand above it.
        parent: TeamId,
    },
    /// Too many teams would stand above one another.
    #[error("more than {limit} teams would stand above one another")]
    TeamsTooDeep {
        /// How many may.
        limit: usize,
    },
}
rejection!(
    TeamRejection,
    Self::TeamBelowItself { .. } | Self::TeamsTooDeep { .. } => ["parent"],
    Self::TeamIsDissolved { .. } => ["team"],
);

impl Aggregate for Team {
    type Id = TeamId;
    type Event = TeamEvent;

    fn evolve(self, event: &TeamEvent) -> Self {
        match event {
            TeamEvent::TeamFormed { parent, .. } | TeamEvent::TeamMoved { parent } => {
                Self::Formed {
                    parent: parent.clone(),
                }
            }
            TeamEvent::TeamRenamed { .. } => self,
            TeamEvent::TeamDissolved { .. } => Self::Dissolved,
        }
    }
}

pub(crate) fn decide(command: TeamCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use TeamCommand as C;
    let Some(id) = command.target() else {
        return Ok(());
    };
    match (&*desk.load::<Team>(&id)?, command) {
        (Team::Unformed, C::FormTeam(command)) => {
            let (name, parent) = (command.name, command.parent);
            require_place(desk, &id, parent.as_ref())?;
            Ok(desk.record(&id, TeamEvent::TeamFormed { name, parent })?)
        }
        (Team::Unformed, _) => Err(CommonRejection::not_found(&id)),
        (Team::Formed { .. }, C::FormTeam(_)) => Err(CommonRejection::already_exists(&id)),
        (Team::Formed { .. }, C::RenameTeam(command)) => {
            let name = command.name;
            Ok(desk.record(&id, TeamEvent::TeamRenamed { name })?)
        }
        (Team::Formed { parent }, C::MoveTeam(command)) => {
            if *parent == command.parent {
                return Err(CommonRejection::nothing_to_change(&id));
            }
            let parent = command.parent;
            require_place(desk, &id, parent.as_ref())?;
            Ok(desk.record(&id, TeamEvent::TeamMoved { parent })?)
        }
        (Team::Formed { .. }, C::DissolveTeam(command)) => {
            let because = command.because;
            Ok(desk.record(&id, TeamEvent::TeamDissolved { because })?)
        }
        (Team::Dissolved, _) => Err(TeamRejection::TeamIsDissolved { team: id }.into()),
    }
}

/// Refuses unless people can be put into the team.
pub(crate) fn require_formed(desk: &Desk<'_>, team: &TeamId) -> Result<(), Declined> {
    match &*desk.load::<Team>(team)? {
        Team::Formed { .. } => Ok(()),
        Team::Unformed => Err(CommonRejection::not_found(team)),
        Team::Dissolved => Err(TeamRejection::TeamIsDissolved { team: team.clone() }.into()),
    }
}

/// Refuses unless the team may stand below that parent.
fn require_place(desk: &Desk<'_>, team: &TeamId, parent: Option<&TeamId>) -> Result<(), Declined> {
    let Some(parent) = parent else { return Ok(()) };
    require_formed(desk, parent)?;
    let mut next = Some(parent.clone());
    for _ in 0..TEAM_DEPTH_MAX {
        let Some(above) = next else { return Ok(()) };
        if above == *team {
            return Err(TeamRejection::TeamBelowItself {
                team: team.clone(),
                parent: parent.clone(),
            }
            .into());
        }
        next = match &*desk.load::<Team>(&above)? {
            Team::Formed { parent } => parent.clone(),
            Team::Unformed | Team::Dissolved => None,
        };
    }
    let limit = TEAM_DEPTH_MAX;
    Err(TeamRejection::TeamsTooDeep { limit }.into())
}
