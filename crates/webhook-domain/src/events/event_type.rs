//! The catalogue: the 21 types of event, each with a severity, a description, a sentence about one event,
//! and an example.

use super::event_severity::EventSeverity;
use crate::names::names;

macro_rules! catalogue {
    ($($variant:ident $name:literal $severity:ident $description:literal
        $sentence:literal
        $example:literal)+) => {
        names! {
            /// The type of an event, named `<group>.<what happened>`.
            EventType, "event type" {
                $(#[doc = $description] $variant = $name,)+
            }
        }

        impl EventType {
            /// How urgently a person should look at an event of the type.
            pub const fn severity(self) -> EventSeverity {
                match self { $(Self::$variant => EventSeverity::$severity,)+ }
            }

            /// One sentence for admins: what must happen for this event to be sent.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }

            /// The pattern of a sentence about one event, for people: fields of `data` in braces.
            ///
            /// `[a|b]` is the first alternative whose fields the event has, or empty. A field is
            /// written `{seats:seat}` with its noun, `{reason:words}` with spaces in place of
            /// underscores, `{expires_at:date}` as a day, `{changed:list}` as a list.
            /// `formats/sentence.rs` reads the pattern.
            pub(crate) const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }

            /// An example of `data`, as JSON text.
            pub const fn example(self) -> &'static str {
                match self { $(Self::$variant => $example,)+ }
            }
        }
    };
}

catalogue! {
    LicenseCreated "license.created" Info "A license was issued."
        "[License {license_id}|A license] was issued[ for product {product_id}][ under contract {contract_id}][ with {seats:seat}][, valid until {expires_at:date}]."
        r#"{"license_id":"lic_42","product_id":"prd_7","contract_id":"con_3","seats":5,"expires_at":"2027-11-23T00:00:00Z"}"#
    LicenseUpdated "license.updated" Info "A license's terms or attributes changed."
        "[License {license_id}|A license] was updated[. Changed: {changed:list}]."
        r#"{"license_id":"lic_42","changed":["seats"],"seats":10}"#
    LicenseDeleted "license.deleted" Info "A license was removed for good."
        "[License {license_id}|A license] was removed for good."
        r#"{"license_id":"lic_42"}"#
    LicenseAssigned "license.assigned" Info "A license was assigned to a user or a device."
        "[License {license_id}|A license] was assigned[ to {assignee.kind:words} {assignee.id}| to {assignee}]."
        r#"{"license_id":"lic_42","assignee":{"kind":"user","id":"usr_9"}}"#
    LicenseActivated "license.activated" Info "A license was activated and can be used."
        "[License {license_id}|A license] was activated[ with {seats:seat}]."
        r#"{"license_id":"lic_42","seats":5}"#
    LicenseDeactivated "license.deactivated" Info "A license was deactivated by its holder or an admin."
        "[License {license_id}|A license] was deactivated[: {reason:words}]."
        r#"{"license_id":"lic_42","reason":"holder_request"}"#
    LicenseSuspended "license.suspended" Warning "A license was suspended and cannot be used for now."
        "[License {license_id}|A license] was suspended[: {reason:words}]."
        r#"{"license_id":"lic_42","reason":"payment_overdue"}"#
    LicenseExpired "license.expired" Warning "A license reached the end of its term."
        "[License {license_id}|A license] expired[ on {expired_at:date}]."
        r#"{"license_id":"lic_42","expired_at":"2026-11-23T00:00:00Z"}"#
    LicenseRevoked "license.revoked" Critical "A license was withdrawn by the issuer."
        "[License {license_id}|A license] was revoked[: {reason:words}]."
        r#"{"license_id":"lic_42","reason":"terms_violated"}"#
    ActivationCreated "activation.created" Info "A device or an installation was activated."
        "[Device {device}|A device] was activated[ under license {license_id}]."
        r#"{"activation_id":"act_8","license_id":"lic_42","device":"build-server-1"}"#
    ActivationDeleted "activation.deleted" Info "An activation was released, its seat is free again."
        "[Activation {activation_id}|An activation][ under license {license_id}] was released; the seat is free again."
        r#"{"activation_id":"act_8","license_id":"lic_42"}"#
    ActivationFailed "activation.failed" Critical "An activation was attempted and refused."
        "[Device {device}|A device] could not be activated[ under license {license_id}][: {reason:words}]."
        r#"{"license_id":"lic_42","device":"build-server-1","reason":"no_seat_left"}"#
    ProductCreated "product.created" Info "A product was added to the catalogue."
        "[Product {name} ({product_id})|Product {name}|Product {product_id}|A product] was added to the catalogue."
        r#"{"product_id":"prd_7","name":"Render Farm Pro"}"#
    ProductUpdated "product.updated" Info "A product's name or attributes changed."
        "[Product {name} ({product_id})|Product {name}|Product {product_id}|A product] was updated[. Changed: {changed:list}]."
        r#"{"product_id":"prd_7","changed":["name"],"name":"Render Farm Pro 2"}"#
    ProductDeleted "product.deleted" Info "A product was withdrawn from the catalogue."
        "[Product {name} ({product_id})|Product {name}|Product {product_id}|A product] was withdrawn from the catalogue."
        r#"{"product_id":"prd_7"}"#
    ContractCreated "contract.created" Info "A contract was created."
        "[Contract {contract_id}|A contract] was created[ for customer {customer_id}][, starting on {starts_at:date}]."
        r#"{"contract_id":"con_3","customer_id":"cus_5","starts_at":"2026-12-01T00:00:00Z"}"#
    ContractUpdated "contract.updated" Info "A contract's terms changed."
        "[Contract {contract_id}|A contract] was updated[. Changed: {changed:list}]."
        r#"{"contract_id":"con_3","changed":["ends_at"],"ends_at":"2028-12-01T00:00:00Z"}"#
    ContractDeleted "contract.deleted" Info "A contract was removed."
        "[Contract {contract_id}|A contract] was removed."
        r#"{"contract_id":"con_3"}"#
    ContractSuspended "contract.suspended" Warning "A contract was suspended, with all licenses under it."
        "[Contract {contract_id}|A contract] was suspended, all licenses included[: {reason:words}]."
        r#"{"contract_id":"con_3","reason":"payment_overdue"}"#
    TelemetryReceived "telemetry.received" Info "A usage report arrived from an installation."
        "A usage report[ for {period}] arrived[ from activation {activation_id}][: {hours_used:hour} of use]."
        r#"{"activation_id":"act_8","license_id":"lic_42","period":"2026-11","hours_used":311.5}"#
    TelemetryFlagged "telemetry.flagged" Critical "A usage report was flagged for review."
        "A usage report[ from activation {activation_id}][ under license {license_id}] was flagged for review[: {finding:words}]."
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

    /// The name in words, such as `License activated`: the title of a message about an event.
    pub fn title(self) -> String {
        let mut words = self.as_str().replace(['.', '_'], " ");
        words[..1].make_ascii_uppercase();
        words
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
    fn failed_flagged_and_revoked_are_critical_and_suspended_and_expired_warn() {
        let named = |severity| {
            let types = EventType::ALL
                .iter()
                .filter(move |t| t.severity() == severity);
            types.map(|t| t.as_str()).collect::<Vec<_>>()
        };

        assert_eq!(
            named(EventSeverity::Critical),
            ["license.revoked", "activation.failed", "telemetry.flagged"]
        );
        assert_eq!(
            named(EventSeverity::Warning),
            ["license.suspended", "license.expired", "contract.suspended"]
        );
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
