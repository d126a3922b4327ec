//! A policy: rules in force, as versioned data. Every version stays; the day decides which holds.
//! Invariant: versions count from 1; a broken set of rules is never published.

use std::collections::HashSet;

use daybook_schema::{
    commit::PolicyRef,
    governance::{
        ComplaintRules, OrderRules, PipelineDefinition, PolicyCommand, PolicyEvent, PolicyId,
        PolicyKind, PolicyRules, PublishPolicy, StockRules,
    },
    kernel::{BasisPoints, Code, Date},
};

use crate::{Aggregate, Declined, Desk, Fault, refusal::rejection};

/// All versions of a policy, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Policy(Vec<Version>);

#[derive(Clone, Debug, PartialEq)]
struct Version {
    number: u32,
    rules: PolicyRules,
    effective_from: Date,
}

/// The rules about policies.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PolicyRejection {
    /// The rules contradict themselves or leave something out.
    #[error("the rules are broken: {problem}")]
    BrokenPolicy {
        /// What is wrong with them.
        problem: String,
    },
    /// No version of the policy holds on the day of the command.
    #[error("policy `{policy}` has no version in force on {on}")]
    PolicyNotInForce {
        /// The policy.
        policy: PolicyId,
        /// The day.
        on: Date,
    },
}
rejection!(PolicyRejection, Self::BrokenPolicy { .. } => ["rules"]);

impl Aggregate for Policy {
    type Id = PolicyId;
    type Event = PolicyEvent;

    fn evolve(mut self, event: &PolicyEvent) -> Self {
        match event {
            PolicyEvent::PolicyPublished {
                version,
                rules,
                effective_from,
            } => {
                self.0.push(Version {
                    number: *version,
                    rules: rules.clone(),
                    effective_from: *effective_from,
                });
                self
            }
        }
    }
}

impl Policy {
    /// The version that holds on a day: of those that have begun, the one published last.
    fn in_force(&self, on: Date) -> Option<&Version> {
        self.0
            .iter()
            .rev()
            .find(|version| version.effective_from <= on)
    }
}

pub(crate) fn decide(command: PolicyCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    match command {
        PolicyCommand::PublishPolicy(command) => publish(command, desk),
    }
}

fn publish(command: PublishPolicy, desk: &mut Desk<'_>) -> Result<(), Declined> {
    check(&command.rules)?;
    let id = command.policy();
    let last = desk
        .load::<Policy>(&id)?
        .0
        .last()
        .map_or(0, |version| version.number);
    let PublishPolicy {
        rules,
        effective_from,
        ..
    } = command;
    let published = PolicyEvent::PolicyPublished {
        version: last + 1,
        rules,
        effective_from,
    };
    Ok(desk.record(&id, published)?)
}

fn check(rules: &PolicyRules) -> Result<(), PolicyRejection> {
    let problem = match rules {
        PolicyRules::Pipeline(pipeline) => pipeline_problem(pipeline),
        PolicyRules::Complaints(rules) => rules
            .approval_above
            .is_negative()
            .then(|| "the threshold for approval is negative".to_owned()),
        PolicyRules::Stock(_) => None,
        PolicyRules::Orders(rules) => (rules.over_delivery < BasisPoints::ZERO)
            .then(|| "the over-delivery allowance is negative".to_owned()),
    };
    problem.map_or(Ok(()), |problem| {
        Err(PolicyRejection::BrokenPolicy { problem })
    })
}

fn pipeline_problem(pipeline: &PipelineDefinition) -> Option<String> {
    if !(1..=20).contains(&pipeline.stages.len()) {
        return Some("a pipeline has 1 to 20 stages".to_owned());
    }
    let mut codes = HashSet::new();
    for stage in &pipeline.stages {
        if !codes.insert(&stage.code) {
            return Some(format!("stage `{}` stands twice", stage.code));
        }
        if stage.probability < BasisPoints::ZERO || stage.probability > BasisPoints::WHOLE {
            return Some(format!(
                "the probability of stage `{}` is not 0 to 10000",
                stage.code
            ));
        }
        let criteria: HashSet<_> = stage.exit_criteria.iter().map(|item| &item.code).collect();
        if criteria.len() != stage.exit_criteria.len() {
            return Some(format!(
                "a criterion of stage `{}` stands twice",
                stage.code
            ));
        }
    }
    None
}

/// What stock may do on the business day of the command.
pub(crate) fn stock_rules(desk: &Desk<'_>) -> Result<StockRules, Declined> {
    let id = PolicyId::default_of(PolicyKind::Stock);
    match rules_in_force(desk, &id)? {
        PolicyRules::Stock(rules) => Ok(rules),
        PolicyRules::Pipeline(_) | PolicyRules::Complaints(_) | PolicyRules::Orders(_) => {
            Err(not_in_force(desk, &id))
        }
    }
}

/// What orders and shipments may do on the business day of the command.
pub(crate) fn order_rules(desk: &Desk<'_>) -> Result<OrderRules, Declined> {
    let id = PolicyId::default_of(PolicyKind::Orders);
    match rules_in_force(desk, &id)? {
        PolicyRules::Orders(rules) => Ok(rules),
        PolicyRules::Pipeline(_) | PolicyRules::Complaints(_) | PolicyRules::Stock(_) => {
            Err(not_in_force(desk, &id))
        }
    }
}

/// A version of a pipeline that opportunities follow.
pub(crate) struct Pipeline {
    /// Its name.
    pub(crate) name: Code,
    /// The version, counted from 1.
    pub(crate) version: u32,
    /// Its stages.
    pub(crate) definition: PipelineDefinition,
}

/// The pipeline of that name, or the default one, on the business day of the command.
pub(crate) fn pipeline_in_force(desk: &Desk<'_>, name: Option<Code>) -> Result<Pipeline, Declined> {
    let id = PolicyId {
        kind: PolicyKind::Pipeline,
        name: name.unwrap_or_else(PolicyId::default_name),
    };
    let version = version_in_force(desk, &id)?;
    pipeline_of(desk, id, version)
}

/// The pipeline as an earlier decision found it, whatever holds today.
pub(crate) fn pipeline_at_version(
    desk: &Desk<'_>,
    name: &Code,
    number: u32,
) -> Result<Pipeline, Declined> {
    let id = PolicyId {
        kind: PolicyKind::Pipeline,
        name: name.clone(),
    };
    let policy = desk.load::<Policy>(&id)?;
    let Some(version) = policy.0.iter().find(|version| version.number == number) else {
        return Err(not_on_record(&id, number).into());
    };
    cite(desk, &id, version);
    pipeline_of(desk, id, version.clone())
}

/// Versions are never taken back: only a log that is not ours leads here.
fn not_on_record(id: &PolicyId, number: u32) -> Fault {
    Fault::History {
        stream: id.to_string(),
        message: format!("version {number} is in use but not on record"),
    }
}

fn pipeline_of(desk: &Desk<'_>, id: PolicyId, version: Version) -> Result<Pipeline, Declined> {
    let PolicyRules::Pipeline(definition) = version.rules else {
        return Err(not_in_force(desk, &id));
    };
    Ok(Pipeline {
        name: id.name,
        version: version.number,
        definition,
    })
}

/// The rules for complaints on the business day of the command.
pub(crate) fn complaint_rules(desk: &Desk<'_>) -> Result<ComplaintRules, Declined> {
    let id = PolicyId::default_of(PolicyKind::Complaints);
    match rules_in_force(desk, &id)? {
        PolicyRules::Complaints(rules) => Ok(rules),
        PolicyRules::Pipeline(_) | PolicyRules::Stock(_) | PolicyRules::Orders(_) => {
            Err(not_in_force(desk, &id))
        }
    }
}

/// The rules of a policy on the business day of the command; the decision cites their version.
pub(crate) fn rules_in_force(desk: &Desk<'_>, id: &PolicyId) -> Result<PolicyRules, Declined> {
    Ok(version_in_force(desk, id)?.rules)
}

fn version_in_force(desk: &Desk<'_>, id: &PolicyId) -> Result<Version, Declined> {
    let policy = desk.load::<Policy>(id)?;
    let Some(version) = policy.in_force(desk.context().effective_on()) else {
        return Err(not_in_force(desk, id));
    };
    cite(desk, id, version);
    Ok(version.clone())
}

fn cite(desk: &Desk<'_>, id: &PolicyId, version: &Version) {
    let kind = format!("{}.{}", id.kind, id.name);
    desk.cite(PolicyRef {
        kind,
        version: version.number,
    });
}

fn not_in_force(desk: &Desk<'_>, policy: &PolicyId) -> Declined {
    PolicyRejection::PolicyNotInForce {
        policy: policy.clone(),
        on: desk.context().effective_on(),
    }
    .into()
}
