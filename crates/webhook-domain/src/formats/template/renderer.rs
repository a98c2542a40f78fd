//! Renders a body: copies the literal pieces, and writes the values of placeholders between them.

use super::body::{Body, Piece};
use super::context::{RenderContext, Values};
use super::escaping::{write_quoted, write_text};
use super::fitting::{Fitting, Inserted};
use super::limits::MAX_RESULT_BYTES;
use super::value::Value;

/// Renders a body for an event: valid JSON of at most 64 KiB.
pub(super) fn render(body: &Body, context: &RenderContext<'_>) -> Vec<u8> {
    let values = Values::read(body, context);
    let guess = body.literal_bytes + context.event.body.len();
    let mut out = Vec::with_capacity(guess.min(MAX_RESULT_BYTES));
    for piece in &body.pieces {
        match piece {
            Piece::Literal(json) => out.extend_from_slice(json),
            Piece::Whole(insertion) => write_whole(&mut out, values.of(insertion)),
            Piece::Part(insertion) => write_part(&mut out, values.of(insertion)),
        }
        if out.len() > MAX_RESULT_BYTES {
            // Most bodies fit, so the sizes of the values are counted only now.
            return render_cut(body, &values);
        }
    }
    out
}

fn write_whole(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Missing | Value::Null => out.extend_from_slice(b"null"),
        Value::Json(json) => out.extend_from_slice(json.as_bytes()),
        Value::Text(text) => write_quoted(out, &text),
    }
}

fn write_part(out: &mut Vec<u8>, value: Value<'_>) {
    if let Some(text) = value.into_text() {
        write_text(out, &text);
    }
}

/// Renders a body whose values are longer than the limit allows.
fn render_cut(body: &Body, values: &Values<'_>) -> Vec<u8> {
    let inserted = body.pieces.iter().filter_map(|piece| match piece {
        Piece::Literal(_) => None,
        Piece::Whole(insertion) => Some(Inserted::whole(values.of(insertion))),
        Piece::Part(insertion) => Some(Inserted::part(values.of(insertion))),
    });
    let inserted: Vec<Inserted<'_>> = inserted.collect();
    // The literal pieces take 32 KiB at most, as the template does: no text grows by its escapes. At least 320 bytes
    // remain for each of 100 values.
    let fitting = Fitting::new(
        &inserted,
        MAX_RESULT_BYTES.saturating_sub(body.literal_bytes),
    );
    let mut inserted = inserted.iter();
    let mut out = Vec::with_capacity(MAX_RESULT_BYTES);
    for piece in &body.pieces {
        match piece {
            Piece::Literal(json) => out.extend_from_slice(json),
            Piece::Whole(_) | Piece::Part(_) => {
                let value = inserted.next().expect("one value per placeholder");
                value.write(&mut out, fitting);
            }
        }
    }
    out
}
