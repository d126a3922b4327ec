//! Who may act here, in the API: accounts, teams, keys, sessions, and oneself.

use async_graphql::{ComplexObject, Context, ID, Json, Object, SimpleObject};
use daybook_app::export;
use daybook_projections::access::{AccountRow, ApiKeyRow, SessionRow, TeamRow};
use daybook_schema::{
    access::{Grant, Role},
    governance::SubjectId,
    kernel::BigInt,
};

use super::{fault::Fault, links::objects, object::linked, reading::Reading, shown::Shown};
use crate::transport::errors::Code;

objects! {
    /// An account: a person or a program that may act here (账号).
    Account(AccountRow) = "account", account, accounts {
        one {
            /// The team that it belongs to.
            team: Team = "team";
        }
        many {
            /// Its API keys.
            api_keys: ApiKey = "account";
            /// Its sessions.
            sessions: Session = "account";
        }
    }

    /// A team of accounts (团队).
    Team(TeamRow) = "team", team, teams {
        one {
            /// The team above it.
            parent: Team = "parent";
        }
        many {
            /// The teams right below it.
            teams: Team = "parent";
            /// The accounts that belong to it.
            members: Account = "team";
        }
    }

    /// An API key, without its secret.
    ApiKey(ApiKeyRow) = "apiKey", apiKey, apiKeys {
        one {
            /// The account that acts by it.
            account: Account = "account";
        }
    }

    /// A session of a person who signed in (登录会话).
    Session(SessionRow) = "session", session, sessions {
        one {
            /// The account.
            account: Account = "account";
        }
    }
}

/// Who asks, and what follows from it.
#[derive(SimpleObject)]
#[graphql(complex)]
struct Me {
    /// The user name that stands in commits as the actor.
    login: String,
    /// The user name on whose behalf it is asked.
    on_behalf_of: Option<String>,
    /// The roles that count today.
    roles: Vec<Role>,
    /// The grants that count today.
    grants: Vec<Grant>,
    #[graphql(skip)]
    account_id: String,
}

#[ComplexObject]
impl Me {
    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Account>>> {
        Ok(linked(ctx, Some(self.account_id.clone())).await?)
    }
}

/// Everything on record about a person, for whoever has a right to see it.
#[derive(SimpleObject)]
struct SubjectExport {
    /// The person.
    subject: ID,
    /// The position that it was collected at.
    position: BigInt,
    /// The objects that are about the person, as they are now.
    objects: Json<serde_json::Value>,
    /// Every commit with an event about the person, with those events, oldest first.
    commits: Json<serde_json::Value>,
}

/// Questions about access.
#[derive(Default)]
pub(super) struct AccessQueries;

#[Object]
impl AccessQueries {
    /// Everything on record about a person, as far as it was not erased. It reads the whole record,
    /// so it takes its time.
    async fn subject_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A customer, contact, lead or account.")] of: SubjectId,
    ) -> async_graphql::Result<SubjectExport> {
        let reading = Reading::of(ctx);
        if reading.principal().view.is_some() {
            let message = "only whoever sees everything may export a person";
            return Err(Fault::new(Code::Forbidden, message).into());
        }
        let organisation = reading.organisation().clone();
        let collected = tokio::task::spawn_blocking(move || export(&organisation, of)).await;
        let failed = |problem: String| Fault::new(Code::InternalServerError, problem);
        let export = collected.map_err(|error| failed(error.to_string()))?;
        let export = export.map_err(|error| failed(error.to_string()))?;
        Ok(SubjectExport {
            subject: export.subject.to_string().into(),
            position: export.position,
            objects: Json(export.objects.into()),
            commits: Json(serde_json::to_value(&export.commits).map_err(Fault::from)?),
        })
    }

    /// Who asks, and with which roles.
    async fn me(&self, ctx: &Context<'_>) -> Me {
        let principal = Reading::of(ctx).principal();
        Me {
            login: principal.login().to_string(),
            on_behalf_of: principal
                .on_behalf_of
                .as_ref()
                .map(|other| other.0.to_string()),
            roles: principal.roles(),
            grants: principal.grants.clone(),
            account_id: principal.actor.to_string(),
        }
    }
}
