//! Answers of hostile and broken receivers.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::Answer;

/// The answer to a receiver's request by number.
pub(super) fn draw(seed: u64, request: usize) -> Answer {
    let mut rng = StdRng::seed_from_u64(seed ^ (request as u64) << 16);
    let raw = |head: &str, body: &[u8]| Answer::Raw([head.as_bytes(), b"\r\n\r\n", body].concat());
    let long = "é".repeat(rng.random_range(1..20_000));
    match rng.random_range(0..18) {
        0 => raw("HTTP/1.1 500 X\r\ncontent-length: 3", b"a\0b"),
        1 => {
            let headers: Vec<String> = (0..150).map(|n| format!("x-{n}: {n}")).collect();
            raw(&format!("HTTP/1.1 200 OK\r\n{}", headers.join("\r\n")), b"")
        }
        2 => raw(
            &format!("HTTP/1.1 500 X\r\nserver: {long}\r\ncontent-length: 0"),
            b"",
        ),
        3 => raw(
            &format!("HTTP/1.1 302 X\r\nlocation: {long}\r\ncontent-length: 0"),
            b"",
        ),
        4 => Answer::Raw(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()),
        5 => Answer::Raw(bytes(&mut rng)),
        6 => raw(
            "HTTP/1.1 503 X\r\nretry-after: 99999999999999999999\r\ncontent-length: 0",
            b"",
        ),
        7 => raw("HTTP/1.1 500 X\r\ntransfer-encoding: chunked", b"zz\r\n"),
        8 => raw(
            "HTTP/1.1 500 X\r\ncontent-length: 40000",
            "\n],[\"\u{1b}[2J\\u0000".repeat(3_000).as_bytes(),
        ),
        9 => raw(
            "HTTP/1.1 400 X\r\ncontent-type: text/html; charset=utf-16\r\ncontent-length: 400",
            &bytes(&mut rng),
        ),
        10 => raw(
            "HTTP/1.1 500 X\r\ncontent-encoding: gzip\r\ncontent-length: 60",
            &[0x1f; 60],
        ),
        11 => raw("HTTP/1.1 999 \u{fffd}\r\ncontent-length: 0", b""),
        12 => raw("HTTP/1.0 500 X", &bytes(&mut rng)),
        13 => raw(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 X\r\ncontent-length: 1",
            b"x",
        ),
        14 => Answer::Reset,
        15 => Answer::Hang,
        16 => Answer::After(Duration::from_millis(rng.random_range(0..300))),
        _ => Answer::Status(rng.random_range(200..600)),
    }
}

fn bytes(rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; rng.random_range(0..2_000)];
    rng.fill_bytes(&mut bytes);
    bytes
}
