//! Statements with a fixed text: prepared once per connection, bound anew each time.
//!
//! diesel's `sql_query` is prepared again at every call. The statements on the way of an event
//! are too hot for that, so they are types of their own with a text that never changes.

/// Declares a statement: pieces of its text with a bound value between them.
macro_rules! statement {
    (
        $(#[$meta:meta])*
        $name:ident<$life:lifetime> -> $row:ty {
            $head:expr $(, $field:ident: $rust:ty => $sql:ty, $next:expr)*
        }
    ) => {
        $(#[$meta])*
        struct $name<$life> {
            $($field: $rust,)*
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $row;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql($head);
                $(
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    out.push_sql($next);
                )*
                Ok(())
            }
        }
    };
}

pub(crate) use statement;
