//! Mutations: one per command, derived from the language.
//!
//! The input of a mutation is the command itself with four fields that every command has; the
//! payload is the receipt, what the rules said, and the object as it is afterwards.

use std::{
    borrow::Cow, collections::HashMap, future::Future, marker::PhantomData, pin::Pin,
    sync::LazyLock,
};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, InputValueError, InputValueResult,
    Name, ObjectType, OutputType, Positioned, ServerResult, SimpleObject, Value,
    parser::types::Field,
    registry::{MetaType, Registry},
};
use daybook_app::{
    CommandError, Envelope, Receipt,
    access::{Armoury, Token, TokenKind, first_key},
};
use daybook_schema::{
    Command, CommandVisitor, DomainCommand,
    access::{AccountId, ApiKeyId, SessionId},
    governance::TenantId,
    kernel::{BigInt, DateTime, Note, StreamKey, UniqueId},
    prefix,
};
use uuid::Uuid;

use super::{
    fault::{Answer, Fault, argument},
    object::{Kind, Node},
    reading::Reading,
    register::{enter, field, input, input_object, object},
};
use crate::transport::errors::Code;

/// What every command's input has besides the command.
struct CommandInput<C> {
    command_id: Option<UniqueId>,
    expected_version: Option<BigInt>,
    occurred_at: Option<DateTime>,
    reason: Option<Note>,
    command: C,
}

const COMMON_FIELDS: [(&str, &str, &str); 4] = [
    (
        "commandId",
        "Answered once, for ever: the same id with the same content gets the first answer again. \
         Made up where it is left out, and returned in the receipt.",
        "UUID",
    ),
    (
        "expectedVersion",
        "The version of the object that you saw; if it has moved on since, nothing is done and \
         the code is VERSION_CONFLICT.",
        "BigInt",
    ),
    (
        "occurredAt",
        "When it happened in business, where that is not now.",
        "DateTime",
    ),
    (
        "reason",
        "Why, in your own words; kept with the commit.",
        "String",
    ),
];

impl<C: Command> InputType for CommandInput<C> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}Input", C::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = <Self as InputType>::type_name();
        enter(registry, &name, |registry| {
            <UniqueId as InputType>::create_type_info(registry);
            <BigInt as InputType>::create_type_info(registry);
            <DateTime as InputType>::create_type_info(registry);
            C::create_type_info(registry);
            let own = C::type_name();
            let (description, fields) = match registry.types.get(&*own) {
                Some(MetaType::InputObject {
                    description,
                    input_fields,
                    ..
                }) => (
                    description.clone(),
                    input_fields.values().cloned().collect(),
                ),
                _ => (None, Vec::new()),
            };
            let common = COMMON_FIELDS
                .map(|(name, description, ty)| input(name, description, ty.to_owned()));
            let fields = common.into_iter().chain(fields).collect();
            input_object(&name, &description.unwrap_or_default(), fields)
        });
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let Some(Value::Object(mut fields)) = value else {
            return Err(InputValueError::custom("the input is an object"));
        };
        let mut take = |name: &str| fields.shift_remove(&Name::new(name));
        Ok(Self {
            command_id: InputType::parse(take("commandId")).map_err(InputValueError::propagate)?,
            expected_version: InputType::parse(take("expectedVersion"))
                .map_err(InputValueError::propagate)?,
            occurred_at: InputType::parse(take("occurredAt"))
                .map_err(InputValueError::propagate)?,
            reason: InputType::parse(take("reason")).map_err(InputValueError::propagate)?,
            command: C::parse(Some(Value::Object(fields))).map_err(InputValueError::propagate)?,
        })
    }

    fn to_value(&self) -> Value {
        self.command.to_value()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// Where the answer to a command stands in the log.
#[derive(SimpleObject)]
#[graphql(name = "Receipt")]
struct ReceiptObject {
    /// The command's id.
    command_id: UniqueId,
    /// The position of the commit; give it as `Daybook-At-Least` to read what it did.
    position: BigInt,
    /// The version of the object after the command; none for a refusal.
    version: Option<BigInt>,
    /// When the desk decided.
    recorded_at: DateTime,
    /// What happened, in order; empty for a refusal.
    events: Vec<EventRef>,
    /// Whether this is the answer to an earlier use of the same id.
    replayed: bool,
}

/// One event of a receipt.
#[derive(SimpleObject)]
struct EventRef {
    /// The object.
    stream: async_graphql::ID,
    /// The version of the object after the event.
    version: BigInt,
    /// The name of the fact.
    #[graphql(name = "type")]
    event_type: String,
}

/// Why a command was not done, for the person who issued it.
#[derive(SimpleObject)]
struct UserError {
    /// The path of the input field at fault, empty where the whole command is.
    field: Vec<String>,
    /// One sentence for a person.
    message: String,
    /// The stable code of the rule.
    code: String,
}

/// What a mutation returns.
struct Payload<C> {
    receipt: Option<ReceiptObject>,
    user_errors: Vec<UserError>,
    node: Option<Node>,
    /// The token that the command made, to be shown this once.
    secret: Option<String>,
    command: PhantomData<fn() -> C>,
}

/// The kind of the object that a payload shows, in the field of its name.
fn object_kind<C: Command>() -> Option<&'static Kind> {
    super::kinds().of_id(C::Id::PREFIX)
}

impl<C: Command> OutputType for Payload<C> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Payload", C::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = <Self as OutputType>::type_name();
        enter(registry, &name, |registry| {
            let receipt = <Option<ReceiptObject> as OutputType>::create_type_info(registry);
            let errors = <Vec<UserError> as OutputType>::create_type_info(registry);
            let mut fields = vec![
                field(
                    "receipt",
                    "Where the answer stands in the log; none where nothing was recorded.",
                    receipt,
                ),
                field(
                    "userErrors",
                    "Why the command was not done; empty where it was.",
                    errors,
                ),
            ];
            if C::ISSUES_SECRET {
                let description = "The token that was made. It is shown this once: a repeated \
                                   command does not show it again.";
                fields.insert(0, field("token", description, "String".to_owned()));
            }
            if let Some(kind) = object_kind::<C>() {
                let ty = (kind.register)(registry);
                fields.insert(0, field(kind.singular, "The object after the command.", ty));
            }
            object(&name, &format!("What {} returns.", C::NAME), fields)
        });
        Self::qualified_type_name()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container(ctx, self).await
    }
}

impl<C: Command> ContainerType for Payload<C> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        resolve_payload(
            ctx,
            self.receipt.as_ref(),
            &self.user_errors,
            self.node.as_ref(),
            self.secret.as_deref(),
        )
        .await
    }
}

async fn resolve_payload(
    ctx: &Context<'_>,
    receipt: Option<&ReceiptObject>,
    user_errors: &[UserError],
    node: Option<&Node>,
    secret: Option<&str>,
) -> ServerResult<Option<Value>> {
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    match ctx.item.node.name.node.as_str() {
        "receipt" => OutputType::resolve(&receipt, &selection, ctx.item)
            .await
            .map(Some),
        "userErrors" => {
            let errors: Vec<&UserError> = user_errors.iter().collect();
            OutputType::resolve(&errors, &selection, ctx.item)
                .await
                .map(Some)
        }
        "token" => Ok(Some(secret.map_or(Value::Null, Value::from))),
        _ => match node {
            Some(node) => OutputType::resolve(node, &selection, ctx.item)
                .await
                .map(Some),
            None => Ok(Some(Value::Null)),
        },
    }
}

async fn run<C: Command>(ctx: &Context<'_>) -> ServerResult<Option<Value>> {
    let mut input: CommandInput<C> = argument(ctx, "input")?;
    let secret = arm(&mut input.command)
        .await
        .map_err(|fault| fault.at(ctx))?;
    let reading = Reading::of(ctx);
    let target = input.command.target().map(|id| id.to_string());
    let envelope = envelope(ctx, reading, input);
    let outcome = reading.organisation().desk().submit(envelope).await;
    let wants_object =
        object_kind::<C>().is_some_and(|kind| ctx.look_ahead().field(kind.singular).exists());
    if let Ok(receipt) = &outcome {
        reading.wrote(receipt.position);
    }
    let answer = conclude(reading, outcome, target, C::Id::PREFIX, wants_object).await;
    let Conclusion {
        receipt,
        user_errors,
        node,
        made,
    } = answer.map_err(|fault| fault.at(ctx))?;
    let payload = Payload::<C> {
        receipt,
        user_errors,
        node,
        secret: secret.and_then(|secret| token(reading, made.as_deref()?, &secret)),
        command: PhantomData,
    };
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    OutputType::resolve(&payload, &selection, ctx.item)
        .await
        .map(Some)
}

/// Puts the digests of secrets into a command that needs them; gives the secret that was made.
/// Hashing takes a core for a while, so it is done where nobody else waits.
async fn arm<C: Command>(command: &mut C) -> Answer<Option<String>> {
    if !C::HAS_SECRET {
        return Ok(None);
    }
    let mut armed = command.clone();
    let armed = tokio::task::spawn_blocking(move || {
        let mut armoury = Armoury::default();
        armed.arm(&mut armoury);
        armoury.secret().map(|secret| (armed, secret))
    });
    let failed = |problem: String| Fault::new(Code::InternalServerError, problem);
    let armed = armed.await.map_err(|error| failed(error.to_string()))?;
    let (armed, secret) = armed.map_err(failed)?;
    *command = armed;
    Ok(secret)
}

/// The text of the token that opens what a command made.
fn token(reading: &Reading, made: &str, secret: &str) -> Option<String> {
    let (kind, name) = made.split_once('-')?;
    if kind == TenantId::PREFIX {
        let tenant = Uuid::try_parse(name).ok()?;
        let key = first_key(tenant).to_string();
        return Some(Token::new(TokenKind::ApiKey, tenant, &key, secret).reveal());
    }
    let kind = match kind {
        ApiKeyId::PREFIX => TokenKind::ApiKey,
        SessionId::PREFIX => TokenKind::Session,
        AccountId::PREFIX => TokenKind::Invitation,
        _ => return None,
    };
    let organisation = reading.organisation().id();
    Some(Token::new(kind, organisation, name, secret).reveal())
}

fn envelope<C: Command>(ctx: &Context<'_>, reading: &Reading, input: CommandInput<C>) -> Envelope {
    let CommandInput {
        command_id,
        expected_version,
        occurred_at,
        reason,
        command,
    } = input;
    let response_key = ctx.item.node.response_key().node.as_str();
    let from_header = || {
        // One header may cover several mutations of a document: each gets its own id.
        let key = reading.idempotency_key.as_deref()?;
        let actor = reading.principal().login();
        let name = format!("{actor}\n{key}\n{response_key}");
        Some(Uuid::new_v5(&reading.organisation().id(), name.as_bytes()))
    };
    let command_id = command_id
        .map(|id| id.0)
        .or_else(from_header)
        .unwrap_or_else(Uuid::now_v7);
    let command: DomainCommand = command.into();
    let principal = reading.principal();
    Envelope {
        on_behalf_of: principal.on_behalf_of.as_ref().map(|other| other.0.clone()),
        expected_version: expected_version.map(|version| version.0),
        occurred_at,
        reason,
        ..Envelope::new(command_id, principal.login().clone(), command)
    }
}

struct Conclusion {
    receipt: Option<ReceiptObject>,
    user_errors: Vec<UserError>,
    node: Option<Node>,
    /// The object that the command changed just now; none for a repeated or refused one.
    made: Option<String>,
}

async fn conclude(
    reading: &Reading,
    outcome: Result<Receipt, CommandError>,
    target: Option<String>,
    kind: &str,
    wants_object: bool,
) -> Result<Conclusion, Fault> {
    let (receipt, user_errors) = match outcome {
        Ok(receipt) => {
            let errors = receipt.refusal.iter().map(|refusal| UserError {
                field: refusal.field.clone(),
                message: refusal.message.clone(),
                code: refusal.code.clone(),
            });
            let errors = errors.collect();
            (Some(receipt), errors)
        }
        Err(
            error @ (CommandError::VersionConflict { .. }
            | CommandError::IdempotencyKeyReused { .. }),
        ) => {
            let error = UserError {
                field: vec![field_of(&error).to_owned()],
                message: error.to_string(),
                code: error.code().to_owned(),
            };
            (None, vec![error])
        }
        Err(error) => return Err(error.into()),
    };
    let events = receipt.as_ref().map_or(&[][..], |receipt| &receipt.events);
    let changed = events.iter().find(|event| prefix(&event.stream) == kind);
    let id = target.or_else(|| changed.map(|event| event.stream.clone()));
    if wants_object && let Some(receipt) = &receipt {
        reading.renew(receipt.position).await?;
    }
    let node = id.and_then(|id| {
        let kind = *super::kinds().of_id(&id)?;
        Some(Node { kind, id })
    });
    let version = node.as_ref().and_then(|node| {
        let last = events.iter().rev().find(|event| event.stream == node.id);
        last.map(|event| BigInt(event.version))
    });
    let fresh = receipt
        .as_ref()
        .is_some_and(|receipt| !receipt.replayed && receipt.refusal.is_none());
    let made = node.as_ref().map(|node| node.id.clone()).filter(|_| fresh);
    let receipt = receipt.map(|receipt| receipt_object(receipt, version));
    Ok(Conclusion {
        receipt,
        user_errors,
        made,
        node: node.filter(|_| wants_object),
    })
}

fn field_of(error: &CommandError) -> &'static str {
    match error {
        CommandError::VersionConflict { .. } => "expectedVersion",
        _ => "commandId",
    }
}

fn receipt_object(receipt: Receipt, version: Option<BigInt>) -> ReceiptObject {
    let events = receipt.events.into_iter().map(|event| EventRef {
        stream: event.stream.into(),
        version: BigInt(event.version),
        event_type: event.event_type.into_owned(),
    });
    ReceiptObject {
        command_id: UniqueId(receipt.command_id),
        position: BigInt(receipt.position),
        version,
        recorded_at: receipt.recorded_at,
        events: events.collect(),
        replayed: receipt.replayed,
    }
}

type Run = for<'a> fn(
    &'a Context<'a>,
) -> Pin<Box<dyn Future<Output = ServerResult<Option<Value>>> + Send + 'a>>;

/// The mutation root.
pub(super) struct Mutation;

static RUNS: LazyLock<HashMap<String, Run>> = LazyLock::new(|| {
    struct Runs(HashMap<String, Run>);
    impl CommandVisitor for Runs {
        fn command<C: Command>(&mut self) {
            self.0
                .insert(field_name(C::NAME), |ctx| Box::pin(run::<C>(ctx)));
        }
    }
    let mut runs = Runs(HashMap::new());
    DomainCommand::visit(&mut runs);
    runs.0
});

/// The name of a command's mutation.
pub(super) fn field_name(command: &str) -> String {
    let mut letters = command.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

impl OutputType for Mutation {
    fn type_name() -> Cow<'static, str> {
        "Mutation".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        struct Fields<'a>(&'a mut Registry, Vec<async_graphql::registry::MetaField>);
        impl CommandVisitor for Fields<'_> {
            fn command<C: Command>(&mut self) {
                let ty = <Payload<C> as OutputType>::create_type_info(self.0);
                let input_type = <CommandInput<C> as InputType>::create_type_info(self.0);
                let description = match self.0.types.get(input_type.trim_end_matches('!')) {
                    Some(MetaType::InputObject { description, .. }) => description.clone(),
                    _ => None,
                };
                let mut mutation =
                    field(&field_name(C::NAME), &description.unwrap_or_default(), ty);
                let argument = input("input", "The command.", input_type);
                mutation.args.insert("input".to_owned(), argument);
                self.1.push(mutation);
            }
        }
        enter(registry, "Mutation", |registry| {
            let mut fields = Fields(registry, Vec::new());
            DomainCommand::visit(&mut fields);
            object("Mutation", "One field per command.", fields.1)
        });
        "Mutation!".to_owned()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container_serial(ctx, self).await
    }
}

impl ContainerType for Mutation {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match RUNS.get(ctx.item.node.name.node.as_str()) {
            Some(run) => run(ctx).await,
            None => Ok(None),
        }
    }
}

impl ObjectType for Mutation {}

#[cfg(test)]
mod tests {
    use super::{COMMON_FIELDS, Command, CommandVisitor, DomainCommand, MetaType, Registry};

    /// A command's own field would be taken for the common one of the same name.
    #[test]
    fn no_command_has_a_field_that_all_commands_have() {
        struct Check(Registry);
        impl CommandVisitor for Check {
            fn command<C: Command>(&mut self) {
                C::create_type_info(&mut self.0);
                let own = self.0.types.get(&*C::type_name());
                let Some(MetaType::InputObject { input_fields, .. }) = own else {
                    panic!("{} is no input object", C::NAME);
                };
                for (name, _, _) in COMMON_FIELDS {
                    assert!(!input_fields.contains_key(name), "{} has `{name}`", C::NAME);
                }
            }
        }
        DomainCommand::visit(&mut Check(Registry::default()));
    }
}
