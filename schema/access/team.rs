//! A team (团队): who works together, and which teams stand above which.

use async_graphql::InputObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Code, Name, Note, ParseIdError, StreamKey, text_scalar},
    language::commands,
};

/// A team, by its code: `team-east`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamId(pub Code);

impl StreamKey for TeamId {
    const PREFIX: &'static str = "team";
}

impl std::fmt::Display for TeamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "team-{}", self.0)
    }
}

impl std::str::FromStr for TeamId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let code = text
            .strip_prefix("team-")
            .and_then(|code| code.parse().ok());
        code.map(Self)
            .ok_or_else(|| ParseIdError::new(Self::PREFIX, text))
    }
}

text_scalar!(TeamId, "ID", "id of the form `team-<code>`");

/// Forms a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormTeam {
    /// The team's code, for ever.
    pub code: Code,
    /// Its name for people.
    pub name: Name,
    /// The team above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TeamId>,
}

/// Gives a team another name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenameTeam {
    /// The team.
    pub team: TeamId,
    /// Its name from now on.
    pub name: Name,
}

/// Puts a team under another one, with all teams below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoveTeam {
    /// The team.
    pub team: TeamId,
    /// The team above it from now on; none puts it at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TeamId>,
}

/// Dissolves a team. Grants that name it reach nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DissolveTeam {
    /// The team.
    pub team: TeamId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Note>,
}

impl FormTeam {
    /// The team that is formed.
    pub fn team(&self) -> TeamId {
        TeamId(self.code.clone())
    }
}

commands! {
    /// The commands to a team.
    TeamCommand for TeamId {
        FormTeam by team,
        RenameTeam on team,
        MoveTeam on team,
        DissolveTeam on team,
    }
}

/// What can happen to a team.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all_fields = "camelCase")]
pub enum TeamEvent {
    /// The team was formed.
    TeamFormed {
        /// Its name for people.
        name: Name,
        /// The team above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<TeamId>,
    },
    /// It has another name.
    TeamRenamed {
        /// Its name from now on.
        name: Name,
    },
    /// Another team stands above it, or none.
    TeamMoved {
        /// The team above it from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<TeamId>,
    },
    /// It is no more.
    TeamDissolved {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Note>,
    },
}
