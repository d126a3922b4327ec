//! The kinds of objects, by the prefix of their ids: how each is named, listed and read.

use std::{borrow::Cow, collections::BTreeMap, future::Future, pin::Pin};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, InputType, OutputType, Positioned,
    ServerResult, Value,
    parser::types::Field,
    registry::{MetaField, MetaType, Registry},
};
use daybook_projections::store::Row;
use daybook_schema::prefix;

use super::{
    connection::{Connection, PageArguments},
    fault::{Answer, Fault, argument},
    reading::Reading,
    register::{enter, field, input},
    shown::{Fields, Shown},
};

/// An object of the API that is a row of a read model, with links to others.
pub(super) trait ReadObject:
    ContainerType + OutputType + From<Fields<Self::Row>> + 'static
{
    /// The row.
    type Row: Row;
    /// The prefix of its ids.
    const PREFIX: &'static str;
    /// The field of the query root that reads one.
    const SINGULAR: &'static str;
    /// The field of the query root that lists them.
    const PLURAL: &'static str;
    /// Its fields that are not in its document, in snake case.
    const LINKS: &'static [&'static str];
}

type Resolved<'a> = Pin<Box<dyn Future<Output = ServerResult<Option<Value>>> + Send + 'a>>;

/// What the API knows of one kind of object.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) prefix: &'static str,
    pub(super) singular: &'static str,
    pub(super) plural: &'static str,
    pub(super) type_name: fn() -> Cow<'static, str>,
    pub(super) register: fn(&mut Registry) -> String,
    list_field: fn(&mut Registry) -> MetaField,
    list: for<'a> fn(&'a Context<'a>) -> Resolved<'a>,
    one: for<'a> fn(
        &'a ContextSelectionSet<'a>,
        &'a Positioned<Field>,
        &'a Reading,
        String,
    ) -> Resolved<'a>,
}

impl Kind {
    pub(super) fn of<O: ReadObject>() -> Self {
        Self {
            prefix: O::PREFIX,
            singular: O::SINGULAR,
            plural: O::PLURAL,
            type_name: <O as OutputType>::type_name,
            register: register::<O>,
            list_field: |registry| {
                let description = format!("All objects of the kind {}.", O::type_name());
                PageArguments::<O>::field(registry, O::PLURAL, &description)
            },
            list: |ctx| Box::pin(list::<O>(ctx)),
            one: |ctx, field, reading, id| Box::pin(one::<O>(ctx, field, reading, id)),
        }
    }
}

/// All kinds, in the order of the contexts.
pub(super) struct Kinds {
    kinds: Vec<Kind>,
    by_prefix: BTreeMap<&'static str, usize>,
}

impl Kinds {
    pub(super) fn new(kinds: Vec<Kind>) -> Self {
        let by_prefix = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| (kind.prefix, index));
        Self {
            by_prefix: by_prefix.collect(),
            kinds,
        }
    }

    pub(super) fn all(&self) -> &[Kind] {
        &self.kinds
    }

    /// The kind of an id; none for an id of no kind that the API shows.
    pub(super) fn of_id(&self, id: &str) -> Option<&Kind> {
        self.by_prefix
            .get(prefix(id))
            .and_then(|index| self.kinds.get(*index))
    }
}

fn register<O: ReadObject>(registry: &mut Registry) -> String {
    let qualified = <O as OutputType>::create_type_info(registry);
    registry.add_implements(&O::type_name(), "Node");
    qualified.trim_end_matches('!').to_owned()
}

async fn list<O: ReadObject>(ctx: &Context<'_>) -> ServerResult<Option<Value>> {
    let arguments = PageArguments::<O>::of(ctx)?;
    let page = arguments
        .read(Reading::of(ctx), None)
        .map_err(|fault| fault.at(ctx))?;
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    <Connection<O> as OutputType>::resolve(&page, &selection, ctx.item)
        .await
        .map(Some)
}

async fn one<O: ReadObject>(
    ctx: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    reading: &Reading,
    id: String,
) -> ServerResult<Option<Value>> {
    let snapshot = reading.snapshot();
    let document = snapshot.and_then(|snapshot| Ok(snapshot.document::<O::Row>(&id)?));
    let document = document.map_err(|fault| {
        let error = async_graphql::Error::from(fault);
        ctx.set_error_path(error.into_server_error(field.pos))
    })?;
    match document {
        Some(document) => Shown::<O>::from(document)
            .resolve(ctx, field)
            .await
            .map(Some),
        None => Ok(None),
    }
}

/// The object that another one links to.
pub(super) async fn linked<O: ReadObject>(
    ctx: &Context<'_>,
    id: Option<String>,
) -> Answer<Option<Shown<O>>> {
    let Some(id) = id else { return Ok(None) };
    let document = Reading::of(ctx).load::<O::Row>(id).await?;
    Ok(document.map(Shown::from))
}

/// An object of any kind, by its id; resolved as what its prefix says it is.
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) id: String,
}

impl OutputType for Node {
    fn type_name() -> Cow<'static, str> {
        "Node".into()
    }

    fn qualified_type_name() -> String {
        "Node".to_owned()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        (self.kind.type_name)()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        enter(registry, "Node", |registry| {
            let id = field(
                "id",
                "The object's id.",
                <ID as OutputType>::create_type_info(registry),
            );
            let kinds = super::kinds();
            let possible = kinds
                .all()
                .iter()
                .map(|kind| (kind.register)(registry))
                .collect();
            MetaType::Interface {
                name: "Node".to_owned(),
                description: Some("Anything that has an id.".to_owned()),
                fields: [(id.name.clone(), id)].into_iter().collect(),
                possible_types: possible,
                extends: false,
                keys: None,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: None,
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        });
        "Node".to_owned()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let reading = ctx.data_unchecked::<std::sync::Arc<Reading>>();
        let resolved = (self.kind.one)(ctx, field, reading, self.id.clone()).await?;
        Ok(resolved.unwrap_or_default())
    }
}

/// The fields of the query root that follow from the kinds: one object, and the list.
pub(super) struct Lists;

impl OutputType for Lists {
    fn type_name() -> Cow<'static, str> {
        "Lists".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        enter(registry, "Lists", |registry| {
            let mut fields = Vec::new();
            for kind in super::kinds().all() {
                let type_name = (kind.register)(registry);
                let description = format!("One object of the kind {type_name}, by its id.");
                let mut one = field(kind.singular, &description, type_name);
                let id = <ID as InputType>::create_type_info(registry);
                one.args
                    .insert("id".to_owned(), input("id", "The object's id.", id));
                fields.extend([one, (kind.list_field)(registry)]);
            }
            super::register::object("Lists", "Objects and lists of them.", fields)
        });
        "Lists!".to_owned()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container(ctx, self).await
    }
}

impl ContainerType for Lists {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        let kinds = super::kinds().all();
        if let Some(kind) = kinds.iter().find(|kind| kind.plural == name) {
            return (kind.list)(ctx).await;
        }
        let Some(kind) = kinds.iter().find(|kind| kind.singular == name) else {
            return Ok(None);
        };
        let id: ID = argument(ctx, "id")?;
        if prefix(&id) != kind.prefix {
            let message = format!("`{}` is not an id of the form `{}-…`", *id, kind.prefix);
            return Err(Fault::bad_input(message).at(ctx));
        }
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        let found = (kind.one)(&selection, ctx.item, Reading::of(ctx), id.to_string()).await?;
        Ok(Some(found.unwrap_or_default()))
    }
}

impl async_graphql::ObjectType for Lists {}
