//! How a context declares its objects: the row they show, and their links to other objects.

/// Declares objects. Each shows the fields of its row and its history; `one` links to another
/// object by the member of the row that holds its id, `many` to all objects whose column holds this
/// object's id; `also` names and holds resolvers that are neither.
macro_rules! objects {
    ($(
        $(#[doc = $doc:literal])+
        $object:ident($row:ty) = $prefix:literal, $singular:ident, $plural:ident {
            $(one {$(
                $(#[doc = $one_doc:literal])+
                $one:ident: $One:ty = $one_key:literal;
            )+})?
            $(many {$(
                $(#[doc = $many_doc:literal])+
                $many:ident: $Many:ty = $column:literal;
            )+})?
            $(also($($own_name:ident),+) { $($own:tt)* })?
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub(super) struct $object {
            #[graphql(flatten)]
            row: $crate::graphql::shown::Fields<$row>,
        }

        impl From<$crate::graphql::shown::Fields<$row>> for $object {
            fn from(row: $crate::graphql::shown::Fields<$row>) -> Self {
                Self { row }
            }
        }

        impl $crate::graphql::object::ReadObject for $object {
            type Row = $row;
            const PREFIX: &'static str = $prefix;
            const SINGULAR: &'static str = stringify!($singular);
            const PLURAL: &'static str = stringify!($plural);
            const LINKS: &'static [&'static str] = &[
                "history",
                $($(stringify!($one),)+)?
                $($(stringify!($many),)+)?
                $($(stringify!($own_name),)+)?
            ];
        }

        #[async_graphql::ComplexObject]
        impl $object {
            /// Every commit that holds an event of this object.
            async fn history(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(default = 20, desc = "How many at most, up to 200.")] first: i32,
                #[graphql(desc = "After this position.")]
                after: Option<daybook_schema::kernel::BigInt>,
                #[graphql(desc = "Before this position.")]
                before: Option<daybook_schema::kernel::BigInt>,
                #[graphql(default, desc = "Newest first instead of oldest first.")]
                newest_first: bool,
            ) -> async_graphql::Result<$crate::graphql::history::CommitPage> {
                let range = $crate::graphql::history::CommitRange {
                    first, after, before, newest_first,
                };
                let id = self.row.id().to_owned();
                Ok($crate::graphql::history::of_object(ctx, id, &range)?)
            }

            $($(
                $(#[doc = $one_doc])+
                async fn $one(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> async_graphql::Result<Option<$crate::graphql::shown::Shown<$One>>> {
                    let id = self.row.text($one_key);
                    Ok($crate::graphql::object::linked::<$One>(ctx, id).await?)
                }
            )+)?

            $($(
                $(#[doc = $many_doc])+
                #[expect(clippy::too_many_arguments, reason = "a Relay connection has as many")]
                async fn $many(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    #[graphql(desc = "How many from the beginning, at most 100.")]
                    first: Option<i32>,
                    #[graphql(desc = "After the object with this cursor.")] after: Option<String>,
                    #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
                    #[graphql(desc = "Before the object with this cursor.")] before: Option<String>,
                    #[graphql(name = "where", desc = "Which objects.")]
                    filter: Option<$crate::graphql::filter::Where<$Many>>,
                    #[graphql(desc = "In which order; by id where nothing is said.")]
                    order_by: Option<Vec<$crate::graphql::filter::OrderBy<$Many>>>,
                ) -> async_graphql::Result<$crate::graphql::connection::Connection<$Many>> {
                    let arguments = $crate::graphql::connection::PageArguments::new(
                        first, after, last, before, filter, order_by,
                    );
                    let id = self.row.id();
                    Ok($crate::graphql::connection::owned(ctx, arguments, $column, id)?)
                }
            )+)?

            $($($own)*)?
        }
    )+};
}
pub(super) use objects;

/// Declares sums that are kept as rows: no objects of their own with an id and a history, but
/// lists of them can be filtered and sorted like any other.
macro_rules! totals {
    ($(
        $(#[doc = $doc:literal])+
        $object:ident($row:ty) {$(
            $(#[doc = $one_doc:literal])+
            $one:ident: $One:ty = |$this:ident| $one_id:expr;
        )+}
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub(super) struct $object {
            #[graphql(flatten)]
            row: $crate::graphql::shown::Fields<$row>,
        }

        impl From<$crate::graphql::shown::Fields<$row>> for $object {
            fn from(row: $crate::graphql::shown::Fields<$row>) -> Self {
                Self { row }
            }
        }

        impl $crate::graphql::object::ReadObject for $object {
            type Row = $row;
            const PREFIX: &'static str = <$row as daybook_projections::store::Row>::TABLE;
            const SINGULAR: &'static str = Self::PREFIX;
            const PLURAL: &'static str = Self::PREFIX;
            const LINKS: &'static [&'static str] = &[$(stringify!($one)),+];
        }

        #[async_graphql::ComplexObject]
        impl $object {
            $(
                $(#[doc = $one_doc])+
                async fn $one(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> async_graphql::Result<Option<$crate::graphql::shown::Shown<$One>>> {
                    let $this = &self.row;
                    let id: Option<String> = $one_id;
                    Ok($crate::graphql::object::linked::<$One>(ctx, id).await?)
                }
            )+
        }
    )+};
}
pub(super) use totals;
