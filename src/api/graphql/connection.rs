//! Relay connections over any list of read-model rows.

use async_graphql::{
    ComplexObject, Context, InputType, OutputType, SimpleObject, TypeName,
    registry::{MetaField, Registry},
};
use daybook_projections::store::{Cell, Condition, Cursor, Operator, Page, PageRequest, Row};
use daybook_schema::kernel::BigInt;

use super::{
    fault::{Answer, Fault, argument},
    filter::{OrderBy, Where},
    object::ReadObject,
    reading::Reading,
    register::{field, input},
    shown::Shown,
};

/// The greatest page.
const PAGE_MAX: usize = 100;
/// The page where nobody says how many.
const PAGE_DEFAULT: usize = 20;
/// The most sort keys of a list.
const SORT_KEYS: usize = 4;

/// Where a page stands in its list.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// Whether there are objects after this page.
    has_next_page: bool,
    /// Whether there are objects before this page.
    has_previous_page: bool,
    /// The cursor of the first object of the page.
    start_cursor: Option<String>,
    /// The cursor of the last object of the page.
    end_cursor: Option<String>,
}

/// A page of a list.
#[derive(SimpleObject)]
#[graphql(name_type, complex)]
pub(super) struct Connection<O: ReadObject> {
    /// The objects with their cursors.
    edges: Vec<Edge<O>>,
    /// Where the page stands in the list.
    page_info: PageInfo,
    #[graphql(skip)]
    condition: Condition,
}

/// An object with its place in the list.
#[derive(SimpleObject)]
#[graphql(name_type, complex)]
pub(super) struct Edge<O: ReadObject> {
    /// The object.
    node: Shown<O>,
    #[graphql(skip)]
    place: Cursor,
}

#[ComplexObject]
impl<O: ReadObject> Edge<O> {
    /// Its place in the list.
    async fn cursor(&self) -> String {
        self.place.encode()
    }
}

impl<O: ReadObject> TypeName for Connection<O> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        format!("{}Connection", O::type_name()).into()
    }
}

impl<O: ReadObject> TypeName for Edge<O> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        format!("{}Edge", O::type_name()).into()
    }
}

#[ComplexObject]
impl<O: ReadObject> Connection<O> {
    /// The objects of the page.
    async fn nodes(&self) -> Vec<&Shown<O>> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// How many objects the whole list has; counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<BigInt> {
        let count = Reading::of(ctx)
            .snapshot()?
            .count::<O::Row>(&self.condition);
        Ok(BigInt(count.map_err(Fault::from)?))
    }
}

/// The arguments by which a page is asked for.
pub(super) struct PageArguments<O> {
    after: Option<String>,
    before: Option<String>,
    first: Option<i32>,
    last: Option<i32>,
    condition: Condition,
    order: Vec<OrderBy<O>>,
}

impl<O: ReadObject> PageArguments<O> {
    /// The arguments as they were given.
    pub(super) fn new(
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<Where<O>>,
        order: Option<Vec<OrderBy<O>>>,
    ) -> Self {
        let condition = filter.map_or(Condition::EVERYTHING, |filter| filter.condition);
        Self {
            after,
            before,
            first,
            last,
            condition,
            order: order.unwrap_or_default(),
        }
    }

    /// The arguments of a field that is a list.
    pub(super) fn of(ctx: &Context<'_>) -> async_graphql::ServerResult<Self> {
        Ok(Self::new(
            argument(ctx, "first")?,
            argument(ctx, "after")?,
            argument(ctx, "last")?,
            argument(ctx, "before")?,
            argument(ctx, "where")?,
            argument(ctx, "orderBy")?,
        ))
    }

    /// A list with its arguments, as a field of an object.
    pub(super) fn field(registry: &mut Registry, name: &str, description: &str) -> MetaField {
        let ty = <Connection<O> as OutputType>::create_type_info(registry);
        let filter = <Option<Where<O>> as InputType>::create_type_info(registry);
        let order = <Option<Vec<OrderBy<O>>> as InputType>::create_type_info(registry);
        let mut list = field(name, description, ty);
        let arguments = [
            (
                "first",
                "How many from the beginning, at most 100; 20 where nothing is said.",
                "Int",
            ),
            ("after", "After the object with this cursor.", "String"),
            ("last", "How many from the end, at most 100.", "Int"),
            ("before", "Before the object with this cursor.", "String"),
            ("where", "Which objects.", &filter),
            (
                "orderBy",
                "In which order; by id where nothing is said.",
                &order,
            ),
        ];
        for (name, description, ty) in arguments {
            list.args
                .insert(name.to_owned(), input(name, description, ty.to_owned()));
        }
        list
    }

    /// Reads the page; `within` restricts the list to the objects of its owner.
    pub(super) fn read(
        self,
        reading: &Reading,
        within: Option<Condition>,
    ) -> Answer<Connection<O>> {
        let (limit, backwards) = self.limit()?;
        if self.order.len() > SORT_KEYS {
            return Err(Fault::bad_input(format!(
                "a list may have {SORT_KEYS} sort keys"
            )));
        }
        let order: Vec<_> = self.order.iter().map(|key| key.order).collect();
        let condition = match within {
            Some(within) => Condition::All(vec![within, self.condition]),
            None => self.condition,
        };
        let cursor =
            |text: Option<String>| text.map(|text| Cursor::decode(&text, &order)).transpose();
        let (after, before) = (cursor(self.after)?, cursor(self.before)?);
        let request = PageRequest {
            condition,
            order,
            after,
            before,
            limit,
            backwards,
        };
        let page = reading.snapshot()?.page::<O::Row>(&request)?;
        Ok(connection(page, request.condition))
    }

    fn limit(&self) -> Answer<(usize, bool)> {
        let bounded = |name: &str, count: i32| {
            usize::try_from(count)
                .ok()
                .filter(|count| *count <= PAGE_MAX)
                .ok_or_else(|| {
                    Fault::bad_input(format!("`{name}` is {count}; 0 to {PAGE_MAX} are allowed"))
                })
        };
        match (self.first, self.last) {
            (Some(_), Some(_)) => Err(Fault::bad_input("`first` and `last` exclude each other")),
            (Some(first), None) => Ok((bounded("first", first)?, false)),
            (None, Some(last)) => Ok((bounded("last", last)?, true)),
            (None, None) => Ok((PAGE_DEFAULT, false)),
        }
    }
}

fn connection<O: ReadObject>(page: Page<O::Row>, condition: Condition) -> Connection<O> {
    let edges: Vec<_> = page
        .rows
        .into_iter()
        .map(|(document, place)| Edge {
            node: document.into(),
            place,
        })
        .collect();
    let page_info = PageInfo {
        has_next_page: page.has_next,
        has_previous_page: page.has_previous,
        start_cursor: edges.first().map(|edge| edge.place.encode()),
        end_cursor: edges.last().map(|edge| edge.place.encode()),
    };
    Connection {
        edges,
        page_info,
        condition,
    }
}

/// Reads a page of the objects whose column holds their owner's id.
pub(super) fn owned<O: ReadObject>(
    ctx: &Context<'_>,
    arguments: PageArguments<O>,
    column: &str,
    owner: &str,
) -> Answer<Connection<O>> {
    let found = O::Row::COLUMNS
        .iter()
        .position(|candidate| candidate.name == column);
    let values = vec![owner.cell()];
    let within = found.map_or(Condition::Any(Vec::new()), |column| Condition::Is {
        column,
        operator: Operator::Eq,
        values,
    });
    arguments.read(Reading::of(ctx), Some(within))
}
