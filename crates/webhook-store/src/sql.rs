//! Statements whose text is a `.sql` file beside their Rust.
//!
//! diesel's `sql_query` is prepared again at every call. A statement on the way of an event runs
//! thousands of times a second, so [`sql!`] makes it a type of its own: its text never changes, each
//! session prepares it once, and later calls only send values.

use diesel::dsl::SqlTypeOf;
use diesel::expression::Selectable;
use diesel::pg::Pg;

/// The types of the columns that a statement returns, as its row struct reads them.
pub(crate) trait Row {
    /// A tuple of SQL types in the order of the columns.
    type SqlType;
}

/// The SQL type of a statement that returns rows of `R`, declared by [`row!`].
pub(crate) type Columns<R> = <R as Row>::SqlType;

/// The SQL type of a statement that returns rows of `R`, which derives `Selectable` for one table: the
/// statement returns the columns in the order of the fields.
pub(crate) type Selected<R> = SqlTypeOf<<R as Selectable<Pg>>::SelectExpression>;

/// Declares the struct that one row of a statement is read into. Its fields stand in the order of the
/// columns, each with its Rust type and its SQL type.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field:ident: $rust:ty as $sql:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(diesel::Queryable)]
        $vis struct $name {
            $($(#[$field_meta])* $vis $field: $rust,)+
        }

        impl $crate::sql::Row for $name {
            type SqlType = ($($sql,)+);
        }
    };
}

/// Declares a statement by its file and its numbered binds:
///
/// ```ignore
/// sql! {
///     struct PromoteDue from "promote_due.sql" -> Untyped {
///         1 limit: i64 as BigInt,
///     }
/// }
/// ```
///
/// Behind the arrow stands the SQL type of a row: [`Columns`] or [`Selected`] of a struct, the type of a
/// single column, or `Untyped` for a statement that returns no rows.
macro_rules! sql {
    (
        $(#[$meta:meta])*
        struct $name:ident $(<$life:lifetime>)? from $file:literal -> $row:ty {
            $($number:literal $field:ident: $rust:ty as $sql:ty,)*
        }
    ) => {
        $(#[$meta])*
        struct $name $(<$life>)? {
            $($field: $rust,)*
        }

        const _: () = {
            const TEXT: &str = include_str!($file);
            assert!(
                $crate::sql::counts_up(&[$($number),*], TEXT),
                "binds are numbered from 1, and the file has the same numbers"
            );

            /// Names the statement among those that a session has prepared.
            struct Identity;

            impl $(<$life>)? diesel::query_builder::QueryId for $name $(<$life>)? {
                type QueryId = Identity;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl $(<$life>)? diesel::query_builder::Query for $name $(<$life>)? {
                type SqlType = $row;
            }

            impl $(<$life>)? diesel::query_builder::QueryFragment<diesel::pg::Pg>
                for $name $(<$life>)?
            {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    out.push_sql(TEXT);
                    $(out.push_bind_param_value_only::<$sql, _>(&self.$field)?;)*
                    Ok(())
                }
            }
        };
    };
}

pub(crate) use {row, sql};

/// Whether the numbers of the declared binds are 1, 2, 3 …, and the largest `$n` of the text is the
/// last of them.
pub(crate) const fn counts_up(numbers: &[usize], text: &str) -> bool {
    let mut at = 0;
    while at < numbers.len() {
        if numbers[at] != at + 1 {
            return false;
        }
        at += 1;
    }
    largest_bind(text.as_bytes()) == numbers.len()
}

const fn largest_bind(text: &[u8]) -> usize {
    let (mut largest, mut at) = (0, 0);
    while at < text.len() {
        if text[at] == b'$' {
            let mut number = 0;
            while at + 1 < text.len() && text[at + 1].is_ascii_digit() {
                at += 1;
                number = number * 10 + (text[at] - b'0') as usize;
            }
            if number > largest {
                largest = number;
            }
        }
        at += 1;
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_are_numbered_from_one_and_all_of_them_stand_in_the_text() {
        let text = "SELECT $1, $2, $1 FROM unnest($10)";

        assert!(counts_up(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], text));
        assert!(!counts_up(&[1, 2, 3, 4, 5, 6, 7, 8, 10, 9], text));
        assert!(!counts_up(&[1, 2], text));
        assert!(counts_up(&[], "SELECT now()"));
    }
}
