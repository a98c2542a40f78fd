//! Statements with their text in `.sql` files.
//!
//! diesel prepares a `sql_query` again at every call. A statement on the way of an event runs thousands
//! of times a second, so [`sql!`] declares a type with a constant text: each session prepares the
//! statement once, and later calls only send values.

use diesel::dsl::SqlTypeOf;
use diesel::expression::Selectable;
use diesel::pg::Pg;

/// A row struct of a statement.
pub(crate) trait Row {
    /// The SQL types of the columns, in order, as a tuple.
    type SqlType;
}

/// The row type of a statement with rows of `R`, declared by [`row!`].
pub(crate) type Columns<R> = <R as Row>::SqlType;

/// The row type of a statement with rows of `R`, a struct with `Selectable` for one table. The statement
/// returns the columns in the order of the fields.
pub(crate) type Selected<R> = SqlTypeOf<<R as Selectable<Pg>>::SelectExpression>;

/// Declares a row struct: the fields in the order of the statement's columns, each with a Rust type and
/// an SQL type.
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

/// Declares a statement by a file and numbered binds:
///
/// ```text
/// sql! {
///     struct PromoteDue from "promote_due.sql" -> Untyped {
///         1 limit: i64 as BigInt,
///     }
/// }
/// ```
///
/// Behind the arrow stands the row type: [`Columns`] or [`Selected`] of a struct, the type of a single
/// column, or `Untyped` for a statement without rows.
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

            /// Identifies the statement among the prepared statements of a session.
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
                    // The text has the placeholders, so only the values are pushed.
                    $(out.push_bind_param_value_only::<$sql, _>(&self.$field)?;)*
                    Ok(())
                }
            }
        };
    };
}

pub(crate) use {row, sql};

/// Whether the numbers of the declared binds are 1, 2, 3 …, up to the largest `$n` of the text.
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
            // Placeholders may repeat, and the comments of a file's head name each once more.
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
