//! Specs of the service context.

mod complaint;
mod cycle;

use daybook_schema::{
    customers::{Channel, CustomerDetails, CustomerId, CustomerType, RegisterCustomer},
    governance::{ComplaintRules, PolicyRules, PublishPolicy},
    kernel::Money,
    service::{
        AcknowledgeComplaint, ApproveRemedy, ClassifyComplaint, CloseComplaint, ComplaintId,
        CustomerNotice, LogComplaint, ProposeRemedy, RejectRemedy, RemedyKind, ReopenComplaint,
        ResolveComplaint, Severity,
    },
};

use crate::spec::{Given, given, t, uuid};

/// The customer of these specs.
fn acme() -> CustomerId {
    CustomerId(uuid(1))
}

/// The complaint of these specs.
fn complaint() -> ComplaintId {
    ComplaintId(uuid(10))
}

/// So many yuan.
fn yuan(amount: i64) -> Money {
    Money::from_minor(amount * 100, t("CNY"))
}

fn register() -> RegisterCustomer {
    RegisterCustomer {
        details: CustomerDetails {
            name: t("Acme"),
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

/// Compensation above 500 yuan needs approval.
fn rules() -> PublishPolicy {
    let approval_above = yuan(500);
    PublishPolicy {
        name: None,
        rules: PolicyRules::Complaints(ComplaintRules { approval_above }),
        effective_from: t("2026-01-01"),
    }
}

fn log() -> LogComplaint {
    LogComplaint {
        customer: acme(),
        channel: Channel::Phone,
        description: t("two of ten boxes arrived wet"),
        severity: Some(Severity::Medium),
        order: None,
        product: None,
        contact: Some(t("王芳")),
    }
}

fn classify() -> ClassifyComplaint {
    ClassifyComplaint {
        complaint: complaint(),
        category: t("delivery"),
        cause: Some(t("packaging")),
        severity: Severity::High,
    }
}

fn acknowledge() -> AcknowledgeComplaint {
    AcknowledgeComplaint {
        complaint: complaint(),
        message: t("we look into it today"),
    }
}

fn propose(compensation: Option<Money>) -> ProposeRemedy {
    ProposeRemedy {
        complaint: complaint(),
        kind: RemedyKind::Refund,
        compensation,
        description: t("the two wet boxes are paid back"),
    }
}

fn approve() -> ApproveRemedy {
    ApproveRemedy {
        complaint: complaint(),
    }
}

fn reject() -> RejectRemedy {
    RejectRemedy {
        complaint: complaint(),
        because: t("the insurer pays"),
    }
}

fn resolve() -> ResolveComplaint {
    ResolveComplaint {
        complaint: complaint(),
        outcome: t("paid back"),
        customer_notified: CustomerNotice {
            channel: Channel::Email,
            on: t("2026-03-02"),
            to: Some(t("王芳")),
        },
    }
}

fn reopen() -> ReopenComplaint {
    ReopenComplaint {
        complaint: complaint(),
        because: t("the money did not arrive"),
    }
}

fn close() -> CloseComplaint {
    CloseComplaint {
        complaint: complaint(),
    }
}

fn logged() -> Given {
    given().done(1, register()).done(2, rules()).done(10, log())
}

fn classified() -> Given {
    logged().done(11, classify())
}

fn acknowledged() -> Given {
    classified().done(12, acknowledge())
}

/// A remedy within the rules, approved by them.
fn remedied() -> Given {
    acknowledged().done(13, propose(Some(yuan(500))))
}

/// A remedy beyond the rules, proposed by li.wei.
fn pending() -> Given {
    acknowledged().done(13, propose(Some(yuan(501))))
}

fn resolved() -> Given {
    remedied().done(14, resolve())
}

fn closed() -> Given {
    resolved().done(15, close())
}
