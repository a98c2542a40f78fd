//! Where a delivery stands.

use crate::names::names;

names! {
    /// Where a delivery stands.
    DeliveryStatus, "delivery status" {
        /// It will be tried, or tried again.
        Pending = "pending",
        /// The webhook accepted it.
        Succeeded = "succeeded",
        /// It was given up.
        Failed = "failed",
        /// Nobody wants it any more.
        Cancelled = "cancelled",
    }
}

names! {
    /// Where the deliveries stand that are asked for.
    StatusFilter, "delivery status" {
        /// Pending, tried before or not.
        Pending = "pending",
        /// Pending, and tried before.
        Retrying = "retrying",
        /// Accepted by the webhook.
        Succeeded = "succeeded",
        /// Given up.
        Failed = "failed",
        /// Not wanted any more.
        Cancelled = "cancelled",
    }
}

impl StatusFilter {
    /// The status that these deliveries have.
    pub const fn status(self) -> DeliveryStatus {
        match self {
            Self::Pending | Self::Retrying => DeliveryStatus::Pending,
            Self::Succeeded => DeliveryStatus::Succeeded,
            Self::Failed => DeliveryStatus::Failed,
            Self::Cancelled => DeliveryStatus::Cancelled,
        }
    }
}
