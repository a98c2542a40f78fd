//! Messages of strangers: broken in a known way, or good messages with a change.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use webhook_domain::{Environment, EventType};

use crate::{StrangersMessage, event};

/// Text that has broken parsers, terminals, databases or pages.
pub(super) const TEXTS: &[&str] = &[
    "\u{1b}[2J\u{1b}[1;31mFAKE",
    "a\r\nX-Injected: 1",
    "\u{0}",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "{{ 7 * 7 }}",
    "\u{202e}gnp.exe",
    "\u{feff}",
    "%00%0a",
    "\u{1f680}\u{1f1e6}\u{1f1e8}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "../../etc/passwd",
];

/// A message. A third are broken in a known way, a third are mutations of good messages.
pub(super) fn draw(rng: &mut StdRng) -> StrangersMessage {
    let types = [
        EventType::ProductCreated,
        EventType::TelemetryFlagged,
        EventType::ContractDeleted,
    ];
    let good = event(
        Environment::Production,
        types[rng.random_range(0..types.len())],
    );
    let good = good.body.to_vec();
    let body = match rng.random_range(0..3) {
        0 => break_it(rng, &good),
        1 => mutate(rng, good),
        _ => good,
    };
    let mut message = StrangersMessage::event(body);
    message.routing_key = "production.product.created".to_owned();
    dress(rng, &mut message);
    message
}

fn break_it(rng: &mut StdRng, good: &[u8]) -> Vec<u8> {
    let text = TEXTS[rng.random_range(0..TEXTS.len())];
    let json = serde_json::to_string(text).expect("JSON");
    let many = rng.random_range(1..2_000);
    let text_of_good = String::from_utf8(good.to_vec()).expect("text");
    match rng.random_range(0..20) {
        0 => bytes(rng, 1_024),
        1 => {
            let fields: Vec<String> = (0..many).map(|n| format!("\"{n}\":{json}")).collect();
            format!("{{{}}}", fields.join(",")).into_bytes()
        }
        2 => [b"\xef\xbb\xbf", good].concat(),
        3 => text_of_good
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        4 => [b"\x1f\x8b\x08\0", bytes(rng, 300).as_slice()].concat(),
        5 => format!("[{text_of_good},{text_of_good}]").into_bytes(),
        6 => format!("{text_of_good}\n{text_of_good}").into_bytes(),
        7 => "[".repeat(5_000).into_bytes(),
        8 => format!("{{\"data\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000)).into_bytes(),
        9 => vec![b'x'; rng.random_range(262_145..524_000)],
        10 => text_of_good.replace("2026", "99999").into_bytes(),
        11 => text_of_good.replace("production", text).into_bytes(),
        12 => text_of_good
            .replace("\"id\":", &format!("{json}:1,\"id\":"))
            .into_bytes(),
        13 => good[..rng.random_range(0..good.len())].to_vec(),
        14 => text_of_good.replace("\"id\"", "\"\\ud800\"").into_bytes(),
        15 => format!("\"{}", "x".repeat(many * 100)).into_bytes(),
        16 => text_of_good
            .replacen('{', "{\"id\":\"a\",\"\\u0069d\":\"b\",", 1)
            .into_bytes(),
        17 => Vec::new(),
        18 => text_of_good
            .replacen("2026-11-23T08:15:30.123Z", "9999-12-31T23:59:59-23:59", 1)
            .into_bytes(),
        _ => format!("{{\"type\":{json},\"environment\":{json},\"test\":{json}}}").into_bytes(),
    }
}

/// Flips, cuts, doubles or inserts bytes; the result may still be an event.
fn mutate(rng: &mut StdRng, mut good: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..good.len());
        match rng.random_range(0..4) {
            0 => good[at] ^= 1 << rng.random_range(0..8),
            1 => good.insert(at, rng.random()),
            2 => {
                good.remove(at);
            }
            _ => {
                let end = (at + rng.random_range(1..20)).min(good.len());
                let part = good[at..end].to_vec();
                good.splice(at..at, part);
            }
        }
    }
    good
}

/// Gives a message headers, an encoding, another way into the queues.
fn dress(rng: &mut StdRng, message: &mut StrangersMessage) {
    let text = TEXTS[rng.random_range(0..TEXTS.len())];
    match rng.random_range(0..12) {
        0 => {
            let chars = rng.random_range(1..120_000);
            *message = message.clone().with_header("x-a", chars);
        }
        1 => message.content_encoding = Some("gzip".to_owned()),
        2 => message
            .headers
            .push(("x-death".to_owned(), text.to_owned())),
        3 => message
            .headers
            .push(("x-delivery-count".to_owned(), text.to_owned())),
        4 => {
            for name in ["x-original-exchange", "x-original-routing-key"] {
                message
                    .headers
                    .push((name.to_owned(), text.repeat(rng.random_range(1..500))));
            }
        }
        5 => {
            message.exchange = String::new();
            message.routing_key = "webhooks.events.rejected".to_owned();
            let reason = text.repeat(rng.random_range(0..2_000));
            message
                .headers
                .push(("x-rejection-reason".to_owned(), reason));
        }
        _ => {}
    }
}

fn bytes(rng: &mut StdRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; rng.random_range(0..most)];
    rng.fill_bytes(&mut bytes);
    bytes
}
