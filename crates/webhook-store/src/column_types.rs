//! Types of columns that diesel does not have: ids, names and codes whose rows hold domain values.
//!
//! [`schema`](crate::schema) declares `environment -> Named<Environment>`. A struct that is read from
//! that column has a field of type `Environment`, and a filter compares the column with [`bind`] of
//! one. Text that is none of the known names fails the query as `StoreError::Unreadable`.
#![allow(
    unreachable_pub,
    reason = "the modules that diesel makes for tables are as public"
)]

use std::io::Write;
use std::marker::PhantomData;

use diesel::deserialize::{self, FromSql, Queryable};
// The expression that diesel's own derive of `AsExpression` makes, under the path that it uses.
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{
    HasSqlType, SingleValue, SmallInt, SqlType, Uuid as SqlUuid, is_nullable::NotNull,
};
use uuid::Uuid;
use webhook_domain::{
    ApiKeyId, AuditAction, DeliveryId, DeliveryStatus, Environment, EventId, EventOutcome,
    EventPattern, EventType, FailureClass, JobId, JobKind, JobStatus, LastAnswer, OrderingKey,
    Role, WebhookId, WebhookStatus,
};

/// All types that `schema.rs` declares columns with.
pub(crate) mod all {
    pub use diesel::sql_types::*;
    pub use webhook_domain::{
        ApiKeyId, AuditAction, DeliveryId, DeliveryStatus, Environment, EventId, EventPattern,
        EventType, FailureClass, JobId, JobKind, JobStatus, LastAnswer, OrderingKey, Role,
        WebhookId, WebhookStatus,
    };

    pub use super::{Backlog, Code, Enum, Id, Named};
}

/// A column of type `uuid` that holds an id of type `T`.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(PhantomData<T>);

/// A column of type `text` that holds the name of a `T`, one of a closed set.
#[derive(Debug, Clone, Copy)]
pub struct Named<T>(PhantomData<T>);

/// A column of a Postgres enum whose labels are the names of `T`.
#[derive(Debug, Clone, Copy)]
pub struct Enum<T>(PhantomData<T>);

/// A column of type `smallint` that holds the number which stands for a `T`.
#[derive(Debug, Clone, Copy)]
pub struct Code<T>(PhantomData<T>);

/// A domain value, bound to a column of one of these types: `webhooks::id.eq(bind(id))`.
///
/// diesel would take the value alone if its type implemented `AsExpression`. That trait can be
/// implemented only in the crate of the type, and the domain knows no database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bind<T>(T);

/// Binds a domain value to the column that it is compared with or written to.
pub(crate) fn bind<T>(value: T) -> Bind<T> {
    Bind(value)
}

/// Binds values to the column that each of them is compared with.
pub(crate) fn bind_all<T: Copy>(values: &[T]) -> impl Iterator<Item = Bind<T>> {
    values.iter().copied().map(Bind)
}

/// Which of a webhook's two queues a delivery waits in until a lane has room for it. The column is
/// null while the delivery is leased, is not due yet, is held by its ordering key, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// It was never attempted.
    FirstAttempt = 0,
    /// It was attempted before, or an admin asked for it.
    Retry = 1,
}

macro_rules! sql_types {
    ($($name:ident)+) => {
        $(
            impl<T: 'static> SqlType for $name<T> {
                type IsNull = NotNull;
            }

            impl<T: 'static> SingleValue for $name<T> {}

            impl<T: 'static> QueryId for $name<T> {
                type QueryId = Self;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl<T: 'static> AsExpression<$name<T>> for Bind<T> {
                type Expression = Bound<$name<T>, T>;

                fn as_expression(self) -> Self::Expression {
                    Bound::new(self.0)
                }
            }

            impl<T: Copy + 'static> AsExpression<$name<T>> for &Bind<T> {
                type Expression = Bound<$name<T>, T>;

                fn as_expression(self) -> Self::Expression {
                    Bound::new(self.0)
                }
            }

            impl<T: ToSql<$name<T>, Pg>> ToSql<$name<T>, Pg> for Bind<T> {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                    self.0.to_sql(out)
                }
            }
        )+
    };
}

sql_types! { Id Named Enum Code }

/// The object ids of a built-in type of Postgres, from its catalogue `pg_type.dat`, and of its array.
macro_rules! stored_as {
    ($name:ident, $oid:literal, $array_oid:literal) => {
        impl<T: 'static> HasSqlType<$name<T>> for Pg {
            fn metadata(_: &mut (dyn PgMetadataLookup + 'static)) -> PgTypeMetadata {
                PgTypeMetadata::new($oid, $array_oid)
            }
        }
    };
}

stored_as!(Id, 2950, 2951);
stored_as!(Named, 25, 1009);
stored_as!(Code, 21, 1005);

/// The name of the Postgres enum. Its object id differs between databases, so each session asks for
/// it before the first statement that binds a value of the enum.
macro_rules! enum_names {
    ($($rust:ty = $name:literal),+ $(,)?) => {
        $(
            impl HasSqlType<Enum<$rust>> for Pg {
                fn metadata(lookup: &mut (dyn PgMetadataLookup + 'static)) -> PgTypeMetadata {
                    lookup.lookup_type($name, None)
                }
            }
        )+
    };
}

enum_names! {
    DeliveryStatus = "delivery_status",
    Environment = "environment",
    EventType = "event_type",
}

/// Lets a column of type `$sql` be read as `$rust`.
macro_rules! value_of {
    ($($rust:ty as $sql:ty),+ $(,)?) => {
        $(
            impl Queryable<$sql, Pg> for $rust {
                type Row = Self;

                fn build(value: Self) -> deserialize::Result<Self> {
                    Ok(value)
                }
            }
        )+
    };
}

macro_rules! ids {
    ($($rust:ident)+) => {
        $(
            value_of! { $rust as Id<$rust> }

            impl FromSql<Id<$rust>, Pg> for $rust {
                fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                    <Uuid as FromSql<SqlUuid, Pg>>::from_sql(value).map(Self)
                }
            }

            impl ToSql<Id<$rust>, Pg> for $rust {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                    <Uuid as ToSql<SqlUuid, Pg>>::to_sql(&self.0, out)
                }
            }
        )+
    };
}

ids! { ApiKeyId DeliveryId EventId JobId OrderingKey WebhookId }

/// Postgres sends and takes the label of an enum as it does text, so both types share this code.
macro_rules! names {
    ($($rust:ident as $sql:ident),+ $(,)?) => {
        $(
            value_of! { $rust as $sql<$rust> }

            impl FromSql<$sql<$rust>, Pg> for $rust {
                fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                    Ok(std::str::from_utf8(value.as_bytes())?.parse()?)
                }
            }

            impl ToSql<$sql<$rust>, Pg> for $rust {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                    write!(out, "{self}")?;
                    Ok(IsNull::No)
                }
            }
        )+
    };
}

names! {
    AuditAction as Named,
    DeliveryStatus as Enum,
    DeliveryStatus as Named,
    Environment as Enum,
    Environment as Named,
    EventOutcome as Named,
    EventPattern as Named,
    EventType as Enum,
    EventType as Named,
    JobKind as Named,
    JobStatus as Named,
    Role as Named,
    WebhookStatus as Named,
}

value_of! { FailureClass as Named<FailureClass>, LastAnswer as Code<LastAnswer> }

impl FromSql<Named<FailureClass>, Pg> for FailureClass {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        // A later version may know more classes. While both run, its attempts must not hide their
        // deliveries from this one.
        let name = std::str::from_utf8(value.as_bytes())?;
        Ok(name.parse().unwrap_or(Self::Reset))
    }
}

impl ToSql<Named<FailureClass>, Pg> for FailureClass {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.as_str().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Code<Backlog>, Pg> for Backlog {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(*self as i16).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Code<LastAnswer>, Pg> for LastAnswer {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <i16 as FromSql<SmallInt, Pg>>::from_sql(value).map(Self::from_code)
    }
}

impl ToSql<Code<LastAnswer>, Pg> for LastAnswer {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The number lives in this function only, so it is written and not borrowed.
        out.write_all(&self.code().to_be_bytes())?;
        Ok(IsNull::No)
    }
}
