//! The checks of RabbitMQ.

use webhook_broker::topology::{EVENTS_QUEUE, UNREADABLE_QUEUE};
use webhook_broker::{BrokerFacts, Cluster, Content, LargestMessage, PartState, inspect};

use super::finding::Finding;

const AREA: &str = "RabbitMQ";

/// Checks RabbitMQ.
pub(super) async fn check(broker: &Cluster) -> Vec<Finding> {
    let facts = match inspect(broker).await {
        Ok(facts) => facts,
        Err(error) => {
            let told = format!("no use at {broker:?}: {error}");
            let advice = "start RabbitMQ, or correct host, user, password and vhost of AMQP_URL";
            return vec![Finding::problem(AREA, told).advise(advice)];
        }
    };
    let version = facts.version.as_deref().unwrap_or("unknown");
    let mut findings = vec![Finding::fine(
        AREA,
        format!("version {version} answers at {broker:?}"),
    )];
    findings.extend(check_parts(&facts));
    findings.extend([
        check_rights(&facts),
        check_largest_message(&facts.largest_message),
    ]);
    findings
}

/// RabbitMQ accepted a connection and said nothing.
pub(super) fn silent(broker: &Cluster) -> Finding {
    Finding::problem(AREA, format!("no answer from {broker:?} in time"))
        .advise("look for a memory or disk alarm, for a queue without a leader, and for firewalls")
}

/// Judges exchanges and queues. Missing parts are told together, and so are parts without a fault.
fn check_parts(facts: &BrokerFacts) -> Vec<Finding> {
    let parts = || facts.parts.iter();
    let mut findings: Vec<Finding> = parts()
        .filter_map(|(name, state)| check_part(name, state))
        .collect();
    let missing = parts().filter(|(_, state)| *state == PartState::Missing);
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        let advice =
            "start either service once as a user with the right `configure` on `^webhooks\\.`";
        let told = format!("parts are missing: {}", missing.join(", "));
        findings.push(Finding::problem(AREA, told).advise(advice));
    }
    if findings.is_empty() {
        findings.push(Finding::fine(
            AREA,
            "every exchange and queue is there as declared by this version",
        ));
    }
    findings.extend(parts().filter_map(|(name, state)| check_content(name, content(state)?)));
    findings
}

fn check_part(name: &str, state: &PartState) -> Option<Finding> {
    match state {
        PartState::AsDeclared(_) | PartState::Missing => None,
        PartState::Differs(_, reason) => {
            let told = format!("the {name} has other arguments, which stay in use: {reason}");
            let advice =
                "see Queues in docs/operating.md: a policy mends the limits of an older queue";
            Some(Finding::warning(AREA, told).advise(advice))
        }
        PartState::Exists(_) => {
            let told = format!(
                "the {name} is there; its arguments are known to users with the right `configure` only"
            );
            Some(Finding::unchecked(AREA, told))
        }
    }
}

fn content(state: &PartState) -> Option<Content> {
    match state {
        PartState::AsDeclared(content)
        | PartState::Differs(content, _)
        | PartState::Exists(content) => Some(*content),
        PartState::Missing => None,
    }
}

fn check_content(name: &str, content: Content) -> Option<Finding> {
    let Content {
        messages,
        consumers,
    } = content;
    if name == format!("queue {EVENTS_QUEUE}") {
        let told = format!(
            "{messages} events wait in {EVENTS_QUEUE}, and {consumers} dispatchers consume or stand in line"
        );
        return Some(match consumers {
            0 => Finding::warning(AREA, told).advise("start a dispatcher"),
            _ => Finding::fine(AREA, told),
        });
    }
    let is_unreadable = name == format!("queue {UNREADABLE_QUEUE}") && messages > 0;
    is_unreadable.then(|| {
        let told = format!("{messages} messages are in {UNREADABLE_QUEUE}, which has no consumer: their headers fill a frame");
        Finding::warning(AREA, told).advise("see Queues in docs/operating.md")
    })
}

fn check_rights(facts: &BrokerFacts) -> Finding {
    if facts.missing_rights.is_empty() {
        return Finding::fine(AREA, "the user has every right to publish and to consume");
    }
    Finding::problem(
        AREA,
        format!("the user lacks rights: {}", facts.missing_rights.join(", ")),
    )
    .advise("grant the rights that docs/operating.md lists under Permissions")
}

fn check_largest_message(largest: &LargestMessage) -> Finding {
    let advice = "set max_message_size = 524288 in rabbitmq.conf";
    match largest {
        LargestMessage::Bounded => Finding::fine(AREA, "messages larger than 512 KiB are refused"),
        LargestMessage::Unbounded => {
            let told = "messages larger than 512 KiB are accepted: dispatchers hold fewer messages, and are slower";
            Finding::warning(AREA, told).advise(advice)
        }
        LargestMessage::BelowEvents => {
            Finding::problem(AREA, "an event of 256 KiB is refused as too large").advise(advice)
        }
        LargestMessage::Unknown(reason) => {
            let told = format!("the largest message is unknown: {reason}");
            Finding::unchecked(AREA, told).advise(
                "look for a memory or disk alarm, and for the right to write to amq.default",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Weight;
    use super::*;

    #[test]
    fn a_queue_without_a_consumer_and_an_unreadable_message_are_warnings() {
        let weight = |name: &str, messages, consumers| {
            check_content(
                name,
                Content {
                    messages,
                    consumers,
                },
            )
            .map(|finding| finding.weight)
        };

        assert_eq!(weight("queue webhooks.events", 5, 0), Some(Weight::Warning));
        assert_eq!(weight("queue webhooks.events", 5, 1), Some(Weight::Fine));
        assert_eq!(
            weight("queue webhooks.events.unreadable", 1, 0),
            Some(Weight::Warning)
        );
        assert_eq!(weight("queue webhooks.events.unreadable", 0, 0), None);
    }
}
