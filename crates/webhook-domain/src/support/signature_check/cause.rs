//! The cause of a wrong signature: common mistakes are undone one by one until the signature holds.

use bytes::Bytes;

use super::claim::SignatureClaim;
use super::mangling::is_same_json;
use crate::{BodyDifference, Mangling, OwnSecret, SignatureFinding};

/// The fault that explains a claim that no valid secret confirms, as far as the webhook's own
/// secrets tell. The commonest mistakes are tried first.
pub(crate) fn explain(
    claim: &SignatureClaim,
    own: &[OwnSecret],
    body: &[u8],
    sent: Option<&Bytes>,
) -> Option<SignatureFinding> {
    let signed = |claim: &SignatureClaim, body: &[u8]| {
        own.iter().find(|own| claim.is_signed_by(&own.secret, body))
    };
    // The caller tried every valid secret, so a match here is an expired secret.
    if let Some(valid_until) = signed(claim, body).and_then(|own| own.valid_until) {
        return Some(SignatureFinding::ExpiredSecret { valid_until });
    }
    if let Some((finding, corrected)) = claim.corrected()
        && signed(&corrected, body).is_some()
    {
        return Some(finding);
    }
    let by_other_form = |own: &OwnSecret| claim.is_signed_by_other_form(&own.secret, body);
    if own.iter().any(by_other_form) {
        let scheme = claim.scheme;
        return Some(SignatureFinding::WrongKeyForm { scheme });
    }
    let was_done = |mangling: &Mangling| {
        let mut before = mangling.undo(body).into_iter();
        before.any(|before| signed(claim, &before).is_some())
    };
    if let Some(mangling) = Mangling::ALL.into_iter().find(was_done) {
        return Some(SignatureFinding::Mangled(mangling));
    }
    let sent = sent.filter(|sent| signed(claim, sent).is_some())?;
    Some(tell_difference(sent, body))
}

/// The finding for a body that differs from the one that was sent.
pub(crate) fn tell_difference(sent: &[u8], received: &[u8]) -> SignatureFinding {
    let same = sent
        .iter()
        .zip(received)
        .take_while(|(one, other)| one == other);
    let difference = BodyDifference {
        first: same.count(),
        sent: sent.len(),
        received: received.len(),
    };
    if is_same_json(sent, received) {
        SignatureFinding::ReserializedJson(difference)
    } else {
        SignatureFinding::BodyChanged(difference)
    }
}
