//! The status of a delivery.

use crate::names::names;

names! {
    /// The status of a delivery. The table of transitions is in `verdict.rs`.
    DeliveryStatus, "delivery status" {
        /// The next attempt is due now or later.
        Pending = "pending",
        /// The receiver responded with 2xx.
        Succeeded = "succeeded",
        /// No attempts were left, or the receiver answered that no further attempt can succeed.
        Failed = "failed",
        /// The webhook was deleted, or an admin cancelled the delivery.
        Cancelled = "cancelled",
    }
}

names! {
    /// A filter of deliveries by status.
    StatusFilter, "delivery status" {
        /// Pending, with or without an attempt so far.
        Pending = "pending",
        /// Pending after at least one attempt.
        Retrying = "retrying",
        /// Succeeded.
        Succeeded = "succeeded",
        /// Failed.
        Failed = "failed",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

impl StatusFilter {
    /// The status of a delivery with the pending ones told apart: retrying after an attempt, pending
    /// before the first one.
    pub const fn of(status: DeliveryStatus, attempts: i32) -> Self {
        match status {
            DeliveryStatus::Pending if attempts > 0 => Self::Retrying,
            DeliveryStatus::Pending => Self::Pending,
            DeliveryStatus::Succeeded => Self::Succeeded,
            DeliveryStatus::Failed => Self::Failed,
            DeliveryStatus::Cancelled => Self::Cancelled,
        }
    }

    /// The status of the deliveries within the filter.
    pub const fn status(self) -> DeliveryStatus {
        match self {
            Self::Pending | Self::Retrying => DeliveryStatus::Pending,
            Self::Succeeded => DeliveryStatus::Succeeded,
            Self::Failed => DeliveryStatus::Failed,
            Self::Cancelled => DeliveryStatus::Cancelled,
        }
    }
}
