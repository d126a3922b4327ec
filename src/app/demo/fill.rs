//! Fills an organisation: many commands under way, their answers read in order.

use std::collections::VecDeque;

use daybook_schema::{
    DomainCommand,
    customers::{CustomerCommand, InteractionCommand},
    kernel::{BigInt, Date},
};
use tokio::sync::oneshot;

use super::{DemoOptions, commands, sim::FOUNDING_COMMITS};
use crate::{AppError, CommandError, Envelope, Organisation, Receipt};

/// How many commands may be under way.
const UNDER_WAY: usize = 1_024;

/// What filling did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoSummary {
    /// Commands of the demo.
    pub commands: u64,
    /// Those of them that the organisation had already.
    pub replayed: u64,
    /// Events recorded now.
    pub events: u64,
    /// Commands refused now; the demo means them to be.
    pub refused: u64,
    /// Customers registered now, by themselves and from leads.
    pub customers: u64,
    /// Leads captured now.
    pub leads: u64,
    /// Opportunities opened now.
    pub opportunities: u64,
    /// Orders placed now.
    pub orders: u64,
    /// Shipments prepared now.
    pub shipments: u64,
    /// Complaints logged now.
    pub complaints: u64,
}

/// Why an organisation could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Nothing can be delivered on a day that has not come.
    #[error("the demo ends on {until}, which is after today, {today}")]
    InFuture {
        /// The last day that was asked for.
        until: Date,
        /// Today.
        today: Date,
    },
    /// A command was not answered.
    #[error("`{command}`, command {number} of the demo, was not answered: {error}")]
    Unanswered {
        /// The name of the command.
        command: &'static str,
        /// Which command of the demo, counted from 1.
        number: u64,
        /// Why.
        error: CommandError,
    },
    /// The company could not be set up, for example because its codes belong to other objects.
    #[error("`{command}`, command {number} of the demo, was refused with {code}: {message}")]
    SetupRefused {
        /// The name of the command.
        command: &'static str,
        /// Which command of the demo, counted from 1.
        number: u64,
        /// The code of the rule.
        code: String,
        /// What the rule says.
        message: String,
    },
}

impl DemoError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InFuture { .. } => "DEMO_IN_FUTURE",
            Self::Unanswered { error, .. } => error.code(),
            Self::SetupRefused { .. } => "DEMO_SETUP_REFUSED",
        }
    }
}

/// Has the demo decided by an organisation that values its stock in CNY. What it has already is
/// skipped, so an interrupted filling goes on where it stopped. `progress` hears how many
/// simulated days are over, and how many there are. Blocks: not for a thread of an async runtime.
pub fn fill(
    organisation: &Organisation,
    options: DemoOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<DemoSummary, AppError> {
    let today = Date(chrono::Utc::now().date_naive());
    if options.until > today {
        let until = options.until;
        return Err(DemoError::InFuture { until, today }.into());
    }
    let mut filling = Filling::new(organisation);
    let mut commands = commands(options);
    let mut day = None;
    while let Some(envelope) = commands.next() {
        filling.take(envelope)?;
        let (done, total) = commands.progress();
        if day.replace(done) != Some(done) {
            progress(done, total);
        }
    }
    filling.settle()?;
    let (_, total) = commands.progress();
    progress(total, total);
    Ok(filling.summary)
}

/// A command under way.
struct Waiting {
    command: &'static str,
    number: u64,
    answer: oneshot::Receiver<Result<Receipt, CommandError>>,
}

struct Filling<'a> {
    organisation: &'a Organisation,
    /// Whether only commands came so far that the organisation has already.
    is_known: bool,
    under_way: VecDeque<Waiting>,
    /// Where the answer to each command stands.
    positions: Vec<u64>,
    summary: DemoSummary,
}

impl<'a> Filling<'a> {
    fn new(organisation: &'a Organisation) -> Self {
        Self {
            organisation,
            is_known: true,
            under_way: VecDeque::new(),
            positions: Vec::new(),
            summary: DemoSummary::default(),
        }
    }

    fn take(&mut self, envelope: Envelope) -> Result<(), AppError> {
        self.summary.commands += 1;
        if self.is_known {
            // The demo is submitted in order, so what is known is a beginning of it.
            if let Some(position) = self.organisation.log().command(envelope.command_id)? {
                self.positions.push(position);
                self.summary.replayed += 1;
                return Ok(());
            }
            self.is_known = false;
        }
        self.submit(envelope)
    }

    fn submit(&mut self, mut envelope: Envelope) -> Result<(), AppError> {
        if self.under_way.len() >= UNDER_WAY {
            self.receive()?;
        }
        if let Some(corrects) = corrected(&mut envelope.command) {
            while !self.under_way.is_empty() {
                self.receive()?;
            }
            corrects.0 = self.position_here(corrects.0);
        }
        let (command, number) = (envelope.command.name(), self.summary.commands);
        let answer = self.organisation.desk().submit_blocking(envelope);
        let answer = answer.map_err(|error| unanswered(command, number, error))?;
        self.under_way.push_back(Waiting {
            command,
            number,
            answer,
        });
        Ok(())
    }

    /// The commands know positions as in a new organisation; this one may have held more before.
    fn position_here(&self, in_new: u64) -> u64 {
        let number = in_new.saturating_sub(FOUNDING_COMMITS + 1);
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        self.positions.get(index).copied().unwrap_or(in_new)
    }

    fn settle(&mut self) -> Result<(), AppError> {
        while !self.under_way.is_empty() {
            self.receive()?;
        }
        Ok(())
    }

    /// Reads the oldest answer that is still to come.
    fn receive(&mut self) -> Result<(), AppError> {
        let Some(Waiting {
            command,
            number,
            answer,
        }) = self.under_way.pop_front()
        else {
            return Ok(());
        };
        let answer = answer.blocking_recv().unwrap_or(Err(CommandError::Closed));
        let receipt = answer.map_err(|error| unanswered(command, number, error))?;
        self.positions.push(receipt.position);
        self.count(command, number, receipt)
    }

    fn count(
        &mut self,
        command: &'static str,
        number: u64,
        receipt: Receipt,
    ) -> Result<(), AppError> {
        if let Some(refusal) = receipt.refusal {
            self.summary.refused += 1;
            if SETUP.contains(&command) {
                return Err(DemoError::SetupRefused {
                    command,
                    number,
                    code: refusal.code,
                    message: refusal.message,
                }
                .into());
            }
        }
        for event in &receipt.events {
            self.summary.count(&event.event_type);
        }
        Ok(())
    }
}

/// Commands that the demo never means to be refused; where they are, nothing of it makes sense.
const SETUP: [&str; 5] = [
    "OpenWarehouse",
    "PublishPolicy",
    "ListProduct",
    "OpenPriceList",
    "ReceiveStock",
];

impl DemoSummary {
    fn count(&mut self, event_type: &str) {
        self.events += 1;
        match event_type {
            "CustomerRegistered" => self.customers += 1,
            "LeadCaptured" => self.leads += 1,
            "OpportunityOpened" => self.opportunities += 1,
            "OrderPlaced" => self.orders += 1,
            "ShipmentPrepared" => self.shipments += 1,
            "ComplaintLogged" => self.complaints += 1,
            _ => {}
        }
    }
}

/// The position that a correction names.
fn corrected(command: &mut DomainCommand) -> Option<&mut BigInt> {
    match command {
        DomainCommand::Customer(CustomerCommand::CorrectCustomerDetails(command)) => {
            Some(&mut command.corrects)
        }
        DomainCommand::Interaction(InteractionCommand::CorrectInteraction(command)) => {
            Some(&mut command.corrects)
        }
        _ => None,
    }
}

fn unanswered(command: &'static str, number: u64, error: CommandError) -> DemoError {
    DemoError::Unanswered {
        command,
        number,
        error,
    }
}
