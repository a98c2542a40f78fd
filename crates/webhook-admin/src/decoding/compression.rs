//! Content codings of a response's body.

use std::io::{ErrorKind, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::limit::MAX_DECODED_BYTES;

/// The most codings of one body, one over the other. Real servers use one; a body with more is shown
/// encoded.
const MAX_CODINGS: usize = 3;

/// Bytes decompressed in one step. A broken stream loses up to this much text before the error, as the
/// decoder returns nothing of a failed step.
const STEP_BYTES: usize = 512;

/// A body without its codings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// At most [`MAX_DECODED_BYTES`].
    pub(super) bytes: Vec<u8>,
    /// The undone codings, in the order of undoing.
    pub(super) undone: Vec<&'static str>,
    /// Whether each coding was undone to the end of a complete body.
    pub(super) is_whole: bool,
}

/// A known coding.
#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
}

/// How the reading of a decoder ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With the stream.
    Whole,
    /// The text reached [`MAX_DECODED_BYTES`].
    TooLong,
    /// The encoded bytes ended before the stream did.
    Short,
    /// The bytes are not of the coding.
    Corrupt,
}

/// Undoes the codings of a `Content-Encoding` value. `None`: the value lists no coding or an unknown
/// coding, or the body is not encoded as declared.
pub(super) fn undo(listed: &str, body: &[u8], is_complete: bool) -> Option<Plain> {
    let codings = parse(listed)?;
    if codings.is_empty() || codings.len() > MAX_CODINGS || body.is_empty() {
        return None;
    }
    let mut plain = Plain {
        bytes: body.to_vec(),
        undone: Vec::new(),
        is_whole: is_complete,
    };
    // The header lists the codings in the order of encoding; undoing goes backwards.
    for coding in codings.into_iter().rev() {
        let (bytes, ending) = coding.undo(&plain.bytes, plain.is_whole)?;
        plain.bytes = bytes;
        plain.undone.push(coding.name());
        plain.is_whole &= ending == Ending::Whole;
    }
    Some(plain)
}

fn parse(listed: &str) -> Option<Vec<Coding>> {
    let names = listed.split(',').map(|name| name.trim().to_lowercase());
    let names = names.filter(|name| !name.is_empty() && name != "identity");
    let codings = names.map(|name| match name.as_str() {
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "deflate" => Some(Coding::Deflate),
        _ => None,
    });
    codings.collect()
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// `None`: the bytes are not of the coding.
    fn undo(self, encoded: &[u8], is_complete: bool) -> Option<(Vec<u8>, Ending)> {
        let (bytes, ending) = match self {
            Self::Gzip => read(MultiGzDecoder::new(encoded)),
            Self::Deflate if has_zlib_header(encoded) => read(ZlibDecoder::new(encoded)),
            Self::Deflate => return undo_raw_deflate(encoded, is_complete),
        };
        (ending == Ending::Whole || !bytes.is_empty()).then_some((bytes, ending))
    }
}

/// `deflate` means the format of zlib; some servers send raw deflate without zlib's header and checksum.
/// A raw stream has no mark, so only a sound stream to its last byte is undone, and text is left alone.
fn undo_raw_deflate(encoded: &[u8], is_complete: bool) -> Option<(Vec<u8>, Ending)> {
    if std::str::from_utf8(encoded).is_ok() {
        return None;
    }
    let (bytes, ending) = read(DeflateDecoder::new(encoded));
    let is_sound = match ending {
        Ending::Whole | Ending::TooLong => true,
        Ending::Short => !is_complete && !bytes.is_empty(),
        Ending::Corrupt => false,
    };
    is_sound.then_some((bytes, ending))
}

/// RFC 1950, 2.2: method 8, and both bytes as a number are a multiple of 31.
fn has_zlib_header(encoded: &[u8]) -> bool {
    match encoded {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        [_] | [] => false,
    }
}

fn read(mut decoder: impl Read) -> (Vec<u8>, Ending) {
    let (mut bytes, mut step) = (Vec::new(), [0; STEP_BYTES]);
    let ending = loop {
        match decoder.read(&mut step) {
            Ok(0) => break Ending::Whole,
            Ok(count) => bytes.extend_from_slice(&step[..count]),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break Ending::Short,
            Err(_) => break Ending::Corrupt,
        }
        if bytes.len() > MAX_DECODED_BYTES {
            bytes.truncate(MAX_DECODED_BYTES);
            break Ending::TooLong;
        }
    };
    (bytes, ending)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use rstest::rstest;

    use super::*;

    const TEXT: &[u8] = b"{\"error\":\"the receiver is being updated, the receiver is back soon\"}";

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    fn raw_deflate(plain: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    /// Text that hardly gets shorter.
    fn noise(bytes: usize) -> Vec<u8> {
        let numbers = (0_u64..).map(|n| (n * n * 2_654_435_761) % 1_000_003);
        let mut text: Vec<u8> = Vec::new();
        for number in numbers {
            if text.len() >= bytes {
                break;
            }
            text.extend_from_slice(number.to_string().as_bytes());
        }
        text.truncate(bytes);
        text
    }

    #[rstest]
    #[case("gzip", gzip(TEXT), &["gzip"])]
    #[case(" X-GZIP ,", gzip(TEXT), &["gzip"])]
    #[case("identity, gzip", gzip(TEXT), &["gzip"])]
    #[case("gzip", [gzip(&TEXT[..9]), gzip(&TEXT[9..])].concat(), &["gzip"])]
    #[case("deflate", zlib(TEXT), &["deflate"])]
    #[case("deflate", raw_deflate(TEXT), &["deflate"])]
    #[case("deflate, gzip", gzip(&zlib(TEXT)), &["gzip", "deflate"])]
    fn a_coding_is_undone(
        #[case] listed: &str,
        #[case] body: Vec<u8>,
        #[case] undone: &[&'static str],
    ) {
        let plain = undo(listed, &body, true).expect("it is encoded so");

        assert_eq!(plain.bytes, TEXT);
        assert_eq!((plain.undone.as_slice(), plain.is_whole), (undone, true));
    }

    #[rstest]
    #[case("", gzip(TEXT))]
    #[case("identity", gzip(TEXT))]
    #[case("br", gzip(TEXT))]
    #[case("gzip, zstd", gzip(TEXT))]
    #[case("gzip, gzip, gzip, gzip", gzip(&gzip(&gzip(&gzip(TEXT)))))]
    #[case("gzip", TEXT.to_vec())]
    #[case("gzip", Vec::new())]
    #[case("gzip", b"\x1f\x8b".to_vec())]
    #[case("gzip, gzip", gzip(TEXT))]
    #[case("deflate", TEXT.to_vec())]
    #[case("deflate", b"x^ is no header here".to_vec())]
    #[case("deflate", b"\xff\xfe no stream".to_vec())]
    fn a_body_that_is_not_encoded_so_is_left_alone(#[case] listed: &str, #[case] body: Vec<u8>) {
        assert_eq!(undo(listed, &body, true), None);
    }

    #[test]
    fn a_stream_that_is_cut_gives_what_came_before_the_cut() {
        let text = noise(40_000);
        for (coding, encoded) in [
            ("gzip", gzip(&text)),
            ("deflate", zlib(&text)),
            ("deflate", raw_deflate(&text)),
        ] {
            let cut = &encoded[..encoded.len() / 2];

            let plain = undo(coding, cut, false).expect("it is encoded so");

            assert!(text.starts_with(&plain.bytes) && plain.bytes.len() > 15_000);
            assert!(!plain.is_whole);
        }
    }

    #[test]
    fn a_stream_that_is_damaged_gives_what_came_before_the_damage() {
        let text = noise(40_000);
        let mut damaged = gzip(&text);
        let middle = damaged.len() / 2;
        damaged[middle..].fill(0xff);

        let plain = undo("gzip", &damaged, true).expect("it begins as gzip");

        assert!(plain.bytes.len() > 10_000 && text.starts_with(&plain.bytes[..10_000]));
        assert!(!plain.is_whole);
    }

    #[test]
    fn a_bomb_is_decompressed_no_further_than_the_bound() {
        let bomb = gzip(&gzip(&vec![0; 50 << 20]));
        assert!(bomb.len() < 16 * 1024, "it would be kept: {}", bomb.len());

        let plain = undo("gzip, gzip", &bomb, true).expect("it is gzip");

        assert_eq!(plain.bytes.len(), MAX_DECODED_BYTES);
        assert!(!plain.is_whole);
    }
}
