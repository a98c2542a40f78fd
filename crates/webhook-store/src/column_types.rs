//! SQL types for columns of domain values: ids, names and codes.
//!
//! [`schema`](crate::schema) declares `environment -> Named<Environment>`. A row struct then has a field
//! of type `Environment`, and a filter compares the column with [`bind`] of an `Environment`. An unknown
//! name in a row fails the query with `StoreError::Unreadable`.
#![allow(
    unreachable_pub,
    reason = "the modules that diesel makes for tables are as public"
)]

use std::fmt::Display;
use std::io::Write;
use std::marker::PhantomData;
use std::str::FromStr;

use diesel::deserialize::{self, FromSql, Queryable};
// The expression made by diesel's derive of `AsExpression`, under the path used by the derive.
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{
    HasSqlType, SingleValue, SmallInt, SqlType, Text, Uuid as SqlUuid, is_nullable::NotNull,
};
use uuid::Uuid;
use webhook_domain::{
    ApiKeyId, AuditAction, DeliveryId, DeliveryStatus, Environment, EventId, EventOutcome,
    EventPattern, EventType, FailureClass, Format, JobId, JobKind, JobStatus, LastResponse,
    OrderingKey, RatePeriod, Role, WebhookId, WebhookStatus,
};

use crate::StoreError;
use crate::error::unreadable;

/// All column types of `schema.rs`.
pub(crate) mod all {
    pub use diesel::sql_types::*;
    pub use webhook_domain::{
        ApiKeyId, AuditAction, DeliveryId, DeliveryStatus, Environment, EventId, EventPattern,
        EventType, FailureClass, Format, JobId, JobKind, JobStatus, LastResponse, OrderingKey,
        RatePeriod, Role, WebhookId, WebhookStatus,
    };

    pub use super::{BacklogQueue, Code, Enum, Id, Named};
}

/// A column of type `uuid`: an id of type `T`.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(PhantomData<T>);

/// A column of type `text`: the name of a `T`, out of a closed set.
#[derive(Debug, Clone, Copy)]
pub struct Named<T>(PhantomData<T>);

/// A column of a Postgres enum: the labels are the names of `T`.
#[derive(Debug, Clone, Copy)]
pub struct Enum<T>(PhantomData<T>);

/// A column of type `smallint`: the number of a `T`.
#[derive(Debug, Clone, Copy)]
pub struct Code<T>(PhantomData<T>);

/// A domain value bound to a column: `webhooks::id.eq(bind(id))`.
///
/// A value alone would need `AsExpression`, a trait implemented in the crate of the value's type only.
/// The domain knows no database, hence a wrapper.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bind<T>(T);

/// Binds a domain value to a column, in a comparison or an assignment.
pub(crate) fn bind<T>(value: T) -> Bind<T> {
    Bind(value)
}

/// Binds several values to a column, in a comparison with each.
pub(crate) fn bind_all<T: Copy>(values: &[T]) -> impl Iterator<Item = Bind<T>> {
    values.iter().copied().map(Bind)
}

/// A name as stored, parsed by the reader: an unknown name then costs its own row, not the rows beside
/// the row. For reads of many webhooks at once.
#[derive(Debug)]
pub(crate) struct StoredName<T>(String, PhantomData<T>);

impl<T: FromStr<Err: Display>> StoredName<T> {
    /// Parses the name.
    pub(crate) fn parse(&self) -> Result<T, StoreError> {
        self.0.parse().map_err(unreadable)
    }
}

impl<T: 'static> FromSql<Named<T>, Pg> for StoredName<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Pg>>::from_sql(value)?;
        Ok(Self(text, PhantomData))
    }
}

impl<T: 'static> Queryable<Named<T>, Pg> for StoredName<T> {
    type Row = Self;

    fn build(value: Self) -> deserialize::Result<Self> {
        Ok(value)
    }
}

/// A webhook's two queues of due deliveries without room in a lane. The column is null for a delivery
/// that is leased, not due yet, waiting for the turn of its ordering key, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BacklogQueue {
    /// Deliveries without an attempt.
    FirstAttempt = 0,
    /// Deliveries with an attempt, or retried at an admin's request.
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

/// The object ids of a built-in type and of the array type, as the catalogue of Postgres fixes both.
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

/// The name of the Postgres enum. Object ids of enums differ between databases: each session looks the
/// id up before the first statement with a bound value.
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

/// Labels of enums and text have one format on the wire, so both types share the code.
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
    Format as Named,
    JobKind as Named,
    JobStatus as Named,
    RatePeriod as Named,
    Role as Named,
    WebhookStatus as Named,
}

value_of! { FailureClass as Named<FailureClass>, LastResponse as Code<LastResponse> }

impl FromSql<Named<FailureClass>, Pg> for FailureClass {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        // A later version may know more classes. While both versions run, an unknown class must not make
        // the deliveries unreadable here.
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

impl ToSql<Code<BacklogQueue>, Pg> for BacklogQueue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(*self as i16).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Code<LastResponse>, Pg> for LastResponse {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <i16 as FromSql<SmallInt, Pg>>::from_sql(value).map(Self::from_code)
    }
}

impl ToSql<Code<LastResponse>, Pg> for LastResponse {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // Written as bytes: `i16::to_sql` would borrow the number beyond the end of this function.
        out.write_all(&self.code().to_be_bytes())?;
        Ok(IsNull::No)
    }
}
