//! The choice of the event that a preview shows: the example of a type, or an event of the log.

use webhook_admin::events::{EventBody, ListEvents, list_events};
use webhook_admin::{Connections, Refusal};
use webhook_domain::{Environment, EventId, EventType};

use crate::form::Form;
use crate::query::Query;

/// The most events of the log in the choice: the latest ones. An earlier event is named by its id.
const MAX_EVENTS: usize = 10;

/// The fields with the choice, as a browser sent them.
#[derive(Debug, Default)]
pub(crate) struct EventAsked {
    /// The name of an event type, or the id of an event; empty for the example of the first selected type.
    pub(crate) of: String,
    /// The typed id of an event, which counts instead of `of`.
    pub(crate) event: String,
}

/// The event of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows<'a> {
    Example(EventType),
    /// An event of the log, by the text of its id.
    Event(&'a str),
}

impl EventAsked {
    /// Reads the fields of a form.
    pub(crate) fn sent(form: &Form) -> Self {
        Self {
            of: form.text("preview_of").to_owned(),
            event: form.text("preview_event").to_owned(),
        }
    }

    /// Reads the address of a page.
    pub(crate) fn linked(query: &Query) -> Self {
        Self {
            of: query.text("preview_of").to_owned(),
            event: String::new(),
        }
    }

    /// The event to be shown. `selected`: the event types that the form selects.
    pub(crate) fn shows(&self, selected: &[EventType]) -> Shows<'_> {
        if !self.event.is_empty() {
            return Shows::Event(&self.event);
        }
        let first = selected.first().copied();
        let first = first.unwrap_or(EventType::LicenseActivated);
        match self.of.parse() {
            Ok(event_type) => Shows::Example(event_type),
            Err(_) if self.of.is_empty() => Shows::Example(first),
            Err(_) => Shows::Event(&self.of),
        }
    }
}

/// The entries of the choice.
pub(crate) struct Choices {
    pub(crate) selected: Vec<EventType>,
    pub(crate) others: Vec<EventType>,
    /// The latest events of the form's environment.
    pub(crate) events: Vec<EventBody>,
    /// The chosen event, if the event is not among the latest ones.
    pub(crate) earlier: Option<EventId>,
    /// The chosen entry.
    pub(crate) chosen: String,
    /// The typed id.
    pub(crate) typed: String,
}

impl Choices {
    /// Reads the latest events of an environment; none of an environment that does not exist.
    pub(super) async fn read(
        asked: &EventAsked,
        selected: Vec<EventType>,
        environment: &str,
        connections: &Connections,
    ) -> Self {
        let events = match environment.parse() {
            // The form is of use without its latest events.
            Ok(environment) => latest(environment, connections)
                .await
                .unwrap_or_else(|refusal| {
                    refusal.log();
                    Vec::new()
                }),
            Err(_) => Vec::new(),
        };
        let chosen = match asked.of.as_str() {
            "" => match asked.shows(&selected) {
                Shows::Example(event_type) => event_type.to_string(),
                Shows::Event(_) => String::new(),
            },
            of => of.to_owned(),
        };
        let earlier: Option<EventId> = chosen.parse().ok();
        let all = EventType::ALL.iter().copied();
        Self {
            others: all.filter(|one| !selected.contains(one)).collect(),
            earlier: earlier.filter(|id| events.iter().all(|event| event.id != *id)),
            selected,
            events,
            chosen,
            typed: asked.event.clone(),
        }
    }

    /// Whether an entry is chosen.
    pub(crate) fn is_chosen(&self, entry: &impl ToString) -> bool {
        self.chosen == entry.to_string()
    }
}

async fn latest(
    environment: Environment,
    connections: &Connections,
) -> Result<Vec<EventBody>, Refusal> {
    let list = ListEvents::parse(&format!("environment={environment}&limit={MAX_EVENTS}"))?;
    Ok(list_events(&list, connections).await?.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_id_counts_before_a_choice_and_a_choice_before_the_first_selected_type() {
        let asked = |of: &str, event: &str| EventAsked {
            of: of.to_owned(),
            event: event.to_owned(),
        };
        let id = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";
        let selected = [EventType::ActivationFailed];

        for (asked, expected) in [
            (asked("", ""), Shows::Example(EventType::ActivationFailed)),
            (
                asked("product.created", ""),
                Shows::Example(EventType::ProductCreated),
            ),
            (asked(id, ""), Shows::Event(id)),
            (asked("product.created", "mine"), Shows::Event("mine")),
        ] {
            assert_eq!(asked.shows(&selected), expected);
        }
        let of_none = asked("", "");
        let first = of_none.shows(&[]);
        assert_eq!(first, Shows::Example(EventType::LicenseActivated));
    }
}
