//! Specs of the pipeline context, and what they have in common.

mod lead;
mod opportunity;
mod progress;

use daybook_schema::{
    customers::{CustomerDetails, CustomerId, CustomerType, DeactivateCustomer, RegisterCustomer},
    governance::{ExitCriterion, PipelineDefinition, PipelineStage, PolicyRules, PublishPolicy},
    kernel::{BasisPoints, Code, Money},
    pipeline::OpportunityStage,
};

use crate::spec::{Given, given, t, uuid};

/// The customer of these specs.
fn acme() -> CustomerId {
    CustomerId(uuid(1))
}

/// So many yuan.
fn yuan(amount: i64) -> Money {
    Money::from_minor(amount * 100, t("CNY"))
}

fn share(points: i64) -> BasisPoints {
    BasisPoints::try_from(points).unwrap_or_default()
}

fn stage(code: &str, points: i64, criteria: &[&str], may_regress: bool) -> PipelineStage {
    let criterion = |code: &&str| ExitCriterion {
        code: t(code),
        name: t(code),
    };
    PipelineStage {
        code: t(code),
        name: t(code),
        name_zh: None,
        probability: share(points),
        exit_criteria: criteria.iter().map(criterion).collect(),
        may_regress,
    }
}

/// Contact → analysis → proposal → contract; from contact and contract there is no way back.
fn pipeline() -> PipelineDefinition {
    PipelineDefinition {
        stages: vec![
            stage("contact", 1_000, &["need-known"], false),
            stage("analysis", 3_000, &["budget-known", "decider-known"], true),
            stage("proposal", 6_000, &["proposal-accepted"], true),
            stage("contract", 9_000, &[], false),
        ],
        win_requires_order: false,
    }
}

/// A stage of [`pipeline`] as events name it.
fn at(code: &str) -> OpportunityStage {
    let code: Code = t(code);
    let stages = (1..).zip(pipeline().stages);
    let mut found = stages.filter(|(_, stage)| stage.code == code);
    match found.next() {
        Some((position, stage)) => OpportunityStage {
            code,
            position,
            probability: stage.probability,
        },
        None => OpportunityStage {
            code,
            position: 0,
            probability: BasisPoints::ZERO,
        },
    }
}

fn publish(definition: PipelineDefinition) -> PublishPolicy {
    PublishPolicy {
        name: None,
        rules: PolicyRules::Pipeline(definition),
        effective_from: t("2026-01-01"),
    }
}

fn register(name: &str) -> RegisterCustomer {
    RegisterCustomer {
        details: CustomerDetails {
            name: t(name),
            customer_type: CustomerType::Company,
            tax_number: None,
            phone: None,
            email: None,
            address: None,
            currency: None,
            language: None,
            external_number: None,
        },
        contacts: Vec::new(),
        owner: None,
    }
}

fn deactivate() -> DeactivateCustomer {
    DeactivateCustomer {
        customer: acme(),
        because: t("moved abroad"),
    }
}

/// A customer, and the default pipeline in force.
fn business() -> Given {
    given()
        .done(1, register("Acme"))
        .done(2, publish(pipeline()))
}
