//! Table `deliveries` with the partitions `deliveries_pending` and `deliveries_ended`: the API's reads,
//! and the acts of admins.

mod cancel;
mod find;
mod list;
mod retry;
mod row;

pub use cancel::{cancel, cancel_pending};
pub use find::{
    count_pending, count_pending_in, count_pending_of, find, find_by_event, find_oldest_due,
    find_oldest_due_in, find_sent_body, list_deleted_with_pending,
};
pub use list::{DeliveryFilter, Order, PageStart, count, list};
pub use retry::{DueDeliveries, ManualRetryRow, RetryRequest, list_manual_retries, make_due};
pub use row::DeliveryRow;
