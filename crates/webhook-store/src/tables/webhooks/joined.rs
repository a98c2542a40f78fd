//! The tables that lists of webhooks join, and the functions of Postgres that they call.

use diesel::dsl::{Eq, LeftJoinQuerySource, Nullable as Nullably};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use crate::schema::{webhook_activity, webhook_days, webhook_health, webhooks};

/// Webhooks with their circuits and holds, latest attempts, and last 24 hours.
pub(super) type Joined = LeftJoinQuerySource<
    LeftJoinQuerySource<
        LeftJoinQuerySource<webhooks::table, webhook_health::table>,
        webhook_activity::table,
        Eq<Nullably<webhook_activity::webhook_id>, Nullably<webhooks::id>>,
    >,
    webhook_days::table,
    Eq<Nullably<webhook_days::webhook_id>, Nullably<webhooks::id>>,
>;

/// A condition of a list.
pub(super) type Condition = Box<dyn BoxableExpression<Joined, Pg, SqlType = Nullable<Bool>>>;

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: Text) -> Text;
    fn strpos(text: Text, part: Text) -> Integer;
}
