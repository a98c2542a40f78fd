//! The bound of a decoded body.

/// The most bytes of a decompressed body and of a shown text: 64 KiB, four times the stored body. The
/// rest of a decompression bomb is not decompressed.
pub const MAX_DECODED_BYTES: usize = 64 * 1024;
