//! One declaration per request: the struct of its values, its reader and its schema.
//!
//! ```
//! use utoipa::ToSchema;
//! use webhook_admin::{fields::Fields, request, schema, values::parse_time};
//! use webhook_domain::{KeyName, Role};
//!
//! request! {
//!     /// An API key to be created.
//!     #[derive(Debug, ToSchema)]
//!     pub struct CreateApiKey {
//!         #[schema(value_type = schema::KeyNameText, inline)]
//!         pub name: KeyName = required(str::parse),
//!         #[schema(value_type = schema::RoleName, inline)]
//!         pub role: Role = required(str::parse),
//!         /// When the API key expires; never when left out.
//!         pub expires_at: Option<chrono::DateTime<chrono::Utc>> = optional(parse_time),
//!     }
//! }
//!
//! let mut fields = Fields::of_body(br#"{"name":"CI","role":"owner"}"#)?;
//! let key = CreateApiKey::take(&mut fields);
//! assert_eq!(fields.end_with(key)?.role, Role::Owner);
//! # Ok::<(), webhook_admin::Refusal>(())
//! ```

/// Declares a request. After each field stands how its value is read:
///
/// | reader | the field in the document | the value |
/// | --- | --- | --- |
/// | `required(parse)` | a string that must be there | `T` |
/// | `optional(parse)` | a string, `null`, or left out | `Option<T>` |
/// | `or_default(parse)` | a string, `null`, or left out | `T`, its default without a string |
/// | `whole(parse)` | a whole number, `null`, or left out | `Option<T>` |
/// | `number(parse)` | a number, `null`, or left out | `Option<T>` |
/// | `list(parse)` | an array of strings with at least one item | `Vec<T>` |
/// | `patch(read)` | a field of a merge patch; `read` takes out a value or `null` | `Patch<T>` |
/// | `taken(read)` | whatever `read(&mut fields, name)` takes out | `T`, from an `Option<T>` |
///
/// The fields are read in the order of the declaration. `take` returns `None` when a required value
/// is missing or wrong; [`Fields::end_with`](crate::fields::Fields::end_with) then refuses the request
/// with every fault.
#[macro_export]
macro_rules! request {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field_vis:vis $field:ident: $type:ty = $reader:ident($parse:expr)
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        impl $name {
            /// Takes the fields of the request out of a document or a query.
            $vis fn take(fields: &mut $crate::fields::Fields<'_>) -> Option<Self> {
                // Every field is read before the first missing one ends the reading, so that all faults
                // are told at once.
                $(let $field = $crate::request!(@read $reader fields, stringify!($field), $parse);)+
                Some(Self {
                    $($field: $crate::request!(@value $reader $field),)+
                })
            }
        }
    };
    (@read required $fields:ident, $name:expr, $parse:expr) => { $fields.required($name, $parse) };
    (@read optional $fields:ident, $name:expr, $parse:expr) => { $fields.optional($name, $parse) };
    (@read or_default $fields:ident, $name:expr, $parse:expr) => { $fields.optional($name, $parse) };
    (@read whole $fields:ident, $name:expr, $parse:expr) => { $fields.optional_whole($name, $parse) };
    (@read number $fields:ident, $name:expr, $parse:expr) => {
        $fields.optional_json($name, "a number", $parse)
    };
    (@read list $fields:ident, $name:expr, $parse:expr) => { $fields.required_list($name, $parse) };
    (@read patch $fields:ident, $name:expr, $read:expr) => { $fields.patch($name, $read) };
    (@read taken $fields:ident, $name:expr, $read:expr) => { ($read)($fields, $name) };
    (@value required $value:ident) => { $value? };
    (@value optional $value:ident) => { $value };
    (@value or_default $value:ident) => { $value.unwrap_or_default() };
    (@value whole $value:ident) => { $value };
    (@value number $value:ident) => { $value };
    (@value list $value:ident) => { $value? };
    (@value patch $value:ident) => { $value };
    (@value taken $value:ident) => { $value? };
}

#[cfg(test)]
mod tests {
    use crate::Refusal;
    use crate::fields::Fields;
    use webhook_domain::{Environment, Role};

    request! {
        #[derive(Debug)]
        struct Sample {
            role: Role = required(str::parse),
            environment: Option<Environment> = optional(str::parse),
            count: Option<u64> = whole(Ok::<_, String>),
            note: String = or_default(str::parse),
        }
    }

    fn read(body: &str) -> Result<Sample, Refusal> {
        let mut fields = Fields::of_body(body.as_bytes())?;
        let sample = Sample::take(&mut fields);
        fields.end_with(sample)
    }

    #[test]
    fn a_request_holds_the_values_of_its_document() {
        let sample = read(r#"{"role":"admin","count":7}"#).expect("it is right");

        assert_eq!((sample.role, sample.environment), (Role::Admin, None));
        assert_eq!((sample.count, sample.note.as_str()), (Some(7), ""));
    }

    #[test]
    fn every_fault_of_a_document_is_told_at_once() {
        let refused = read(r#"{"environment":"moon","count":-1,"other":1}"#);

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("the document must be refused by field");
        };
        let names: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(names, ["role", "environment", "count", "other"]);
    }
}
