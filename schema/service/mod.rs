//! Service: the complaints of customers, and what we do about them.

mod complaint;

pub use complaint::{
    AcceptRemedy, AcknowledgeComplaint, ApproveRemedy, ClassifyComplaint, CloseComplaint,
    ComplaintCommand, ComplaintEvent, ComplaintId, ComplaintPhase, CustomerNotice,
    EscalateComplaint, LogComplaint, ProposeRemedy, RejectRemedy, RemedyKind, ReopenComplaint,
    ResolveComplaint, Severity,
};
