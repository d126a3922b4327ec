//! An object in an answer: what its document holds, cut out in one pass, and its links.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use daybook_projections::store::Document;
use futures_util::future::{BoxFuture, try_join_all};

use super::{
    fault::Fault,
    object::ReadObject,
    reading::Reading,
    shape::{Shape, fields_of},
};

/// A row of a read model, with the ids by which it is linked to others.
pub(super) struct Fields<R> {
    document: Arc<Document<R>>,
    /// Texts of the document that were met when it was read, for links.
    kept: Vec<(String, String)>,
}

impl<R> Fields<R> {
    /// The object's id.
    pub(super) fn id(&self) -> &str {
        self.document.id()
    }

    /// The text of a member, such as another object's id.
    pub(super) fn text(&self, member: &str) -> Option<String> {
        let met = self.kept.iter().find(|(name, _)| name == member);
        met.map_or_else(
            || self.document.text(member),
            |(_, text)| Some(text.clone()),
        )
    }
}

/// Tells the schema which fields there are. [`Shown`] answers them.
impl<R: OutputType> OutputType for Fields<R> {
    fn type_name() -> Cow<'static, str> {
        <R as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <R as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}

impl<R: OutputType> ContainerType for Fields<R> {
    async fn resolve_field(&self, _: &Context<'_>) -> ServerResult<Option<Value>> {
        Ok(None)
    }
}

/// An object as it stands in an answer.
pub(super) struct Shown<O: ReadObject>(Arc<Document<O::Row>>);

impl<O: ReadObject> From<Arc<Document<O::Row>>> for Shown<O> {
    fn from(document: Arc<Document<O::Row>>) -> Self {
        Self(document)
    }
}

impl<O: ReadObject> From<Document<O::Row>> for Shown<O> {
    fn from(document: Document<O::Row>) -> Self {
        Self(document.into())
    }
}

impl<O: ReadObject> OutputType for Shown<O> {
    fn type_name() -> Cow<'static, str> {
        <O as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <O as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let reading = ctx.data_unchecked::<Arc<Reading>>();
        let shape = reading.shape::<O>(ctx);
        let mut kept = Vec::new();
        let cut = shape.cut(self.0.json(), &mut kept);
        let mut values = cut.map_err(|error| {
            let error = async_graphql::Error::from(Fault::from(error));
            ctx.set_error_path(error.into_server_error(field.pos))
        })?;
        if shape.has_links() {
            let document = self.0.clone();
            let object = O::from(Fields { document, kept });
            resolve_links(ctx, &object, &shape, &mut values).await?;
        }
        Ok(shape.object(values))
    }
}

/// Resolves what is wanted and not in the document, all links at once.
async fn resolve_links<O: ReadObject>(
    ctx: &ContextSelectionSet<'_>,
    object: &O,
    shape: &Shape,
    values: &mut [Value],
) -> ServerResult<()> {
    let mut links = Vec::new();
    fields_of(ctx, &ctx.item.node, &O::type_name(), &mut |field| {
        let place = shape.link(&field.node.response_key().node);
        links.extend(place.map(|place| (place, field)));
    });
    let resolved = links.into_iter().map(async |(place, field)| {
        let value = resolve_link(ctx, object, field).await;
        value.map(|value| (place, value))
    });
    for (place, value) in try_join_all(resolved).await? {
        merge(&mut values[place], value);
    }
    Ok(())
}

/// A link that fails leaves a hole with its error where the schema allows one, so that the rest
/// of the object is still answered. Boxed, because objects are linked in circles.
fn resolve_link<'a, O: ReadObject>(
    ctx: &'a ContextSelectionSet<'a>,
    object: &'a O,
    field: &'a Positioned<Field>,
) -> BoxFuture<'a, ServerResult<Value>> {
    Box::pin(async move {
        let ctx_field = ctx.with_field(field);
        match ContainerType::resolve_field(object, &ctx_field).await {
            Ok(value) => Ok(value.unwrap_or_default()),
            Err(error) if is_nullable::<O>(ctx, field) => {
                ctx.add_error(error);
                Ok(Value::Null)
            }
            Err(error) => Err(error),
        }
    })
}

fn is_nullable<O: ReadObject>(ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> bool {
    let own = ctx.schema_env.registry.types.get(&*O::type_name());
    let meta = own.and_then(|own| own.field_by_name(&field.node.name.node));
    meta.is_some_and(|meta| !meta.ty.ends_with('!'))
}

/// Puts the answers of one link that was asked for in several places together.
fn merge(known: &mut Value, more: Value) {
    match (known, more) {
        (Value::Object(known), Value::Object(more)) => {
            for (key, value) in more {
                merge(known.entry(key).or_default(), value);
            }
        }
        (Value::List(known), Value::List(more)) => {
            for (known, more) in known.iter_mut().zip(more) {
                merge(known, more);
            }
        }
        (known, more) => *known = more,
    }
}
