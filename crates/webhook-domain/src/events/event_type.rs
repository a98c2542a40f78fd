//! The catalogue: the 21 types of event, each with a description and an example.

use crate::names::names;

macro_rules! catalogue {
    ($($variant:ident $name:literal $description:literal $example:literal)+) => {
        names! {
            /// The type of an event, named `<group>.<what happened>`.
            EventType, "event type" {
                $(#[doc = $description] $variant = $name,)+
            }
        }

        impl EventType {
            /// One sentence for admins: what must happen for this event to be sent.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }

            /// An example of `data`, as JSON text.
            pub const fn example(self) -> &'static str {
                match self { $(Self::$variant => $example,)+ }
            }
        }
    };
}

catalogue! {
    LicenseCreated "license.created" "A license was issued."
        r#"{"license_id":"lic_42","product_id":"prd_7","contract_id":"con_3","seats":5,"expires_at":"2027-11-23T00:00:00Z"}"#
    LicenseUpdated "license.updated" "A license's terms or attributes changed."
        r#"{"license_id":"lic_42","changed":["seats"],"seats":10}"#
    LicenseDeleted "license.deleted" "A license was removed for good."
        r#"{"license_id":"lic_42"}"#
    LicenseAssigned "license.assigned" "A license was assigned to a user or a device."
        r#"{"license_id":"lic_42","assignee":{"kind":"user","id":"usr_9"}}"#
    LicenseActivated "license.activated" "A license was activated and can be used."
        r#"{"license_id":"lic_42","seats":5}"#
    LicenseDeactivated "license.deactivated" "A license was deactivated by its holder or an admin."
        r#"{"license_id":"lic_42","reason":"holder_request"}"#
    LicenseSuspended "license.suspended" "A license was suspended and cannot be used for now."
        r#"{"license_id":"lic_42","reason":"payment_overdue"}"#
    LicenseExpired "license.expired" "A license reached the end of its term."
        r#"{"license_id":"lic_42","expired_at":"2026-11-23T00:00:00Z"}"#
    LicenseRevoked "license.revoked" "A license was withdrawn by the issuer."
        r#"{"license_id":"lic_42","reason":"terms_violated"}"#
    ActivationCreated "activation.created" "A device or an installation was activated."
        r#"{"activation_id":"act_8","license_id":"lic_42","device":"build-server-1"}"#
    ActivationDeleted "activation.deleted" "An activation was released, its seat is free again."
        r#"{"activation_id":"act_8","license_id":"lic_42"}"#
    ActivationFailed "activation.failed" "An activation was attempted and refused."
        r#"{"license_id":"lic_42","device":"build-server-1","reason":"no_seat_left"}"#
    ProductCreated "product.created" "A product was added to the catalogue."
        r#"{"product_id":"prd_7","name":"Render Farm Pro"}"#
    ProductUpdated "product.updated" "A product's name or attributes changed."
        r#"{"product_id":"prd_7","changed":["name"],"name":"Render Farm Pro 2"}"#
    ProductDeleted "product.deleted" "A product was withdrawn from the catalogue."
        r#"{"product_id":"prd_7"}"#
    ContractCreated "contract.created" "A contract was created."
        r#"{"contract_id":"con_3","customer_id":"cus_5","starts_at":"2026-12-01T00:00:00Z"}"#
    ContractUpdated "contract.updated" "A contract's terms changed."
        r#"{"contract_id":"con_3","changed":["ends_at"],"ends_at":"2028-12-01T00:00:00Z"}"#
    ContractDeleted "contract.deleted" "A contract was removed."
        r#"{"contract_id":"con_3"}"#
    ContractSuspended "contract.suspended" "A contract was suspended, with all licenses under it."
        r#"{"contract_id":"con_3","reason":"payment_overdue"}"#
    TelemetryReceived "telemetry.received" "A usage report arrived from an installation."
        r#"{"activation_id":"act_8","license_id":"lic_42","period":"2026-11","hours_used":311.5}"#
    TelemetryFlagged "telemetry.flagged" "A usage report was flagged for review."
        r#"{"activation_id":"act_8","license_id":"lic_42","finding":"clock_moved_back"}"#
}

/// The groups of the catalogue, in its order.
pub(super) const GROUPS: [&str; 5] = ["license", "activation", "product", "contract", "telemetry"];

impl EventType {
    /// The part of the name before the dot: `license`, `activation`, `product`, `contract` or
    /// `telemetry`.
    pub fn group(self) -> &'static str {
        let (group, _) = self
            .as_str()
            .split_once('.')
            .expect("every name in the catalogue has a dot");
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_21_types_in_five_groups() {
        let mut groups: Vec<_> = EventType::ALL.iter().map(|t| t.group()).collect();
        groups.dedup();

        assert_eq!(EventType::ALL.len(), 21);
        assert_eq!(groups, GROUPS);
    }

    #[test]
    fn every_example_is_a_json_object() {
        for event_type in EventType::ALL {
            let example: serde_json::Value =
                serde_json::from_str(event_type.example()).expect("the example is JSON");

            assert!(example.is_object(), "{event_type}");
        }
    }
}
