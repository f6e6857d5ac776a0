//! Signatures of the Standard Webhooks specification, 1.0.0.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// Fewer bytes than this are no secret.
const BYTES_MIN: usize = 24;
/// The specification has no longer ones.
const BYTES_MAX: usize = 64;
/// Some tools write no `=` at the end.
const READ: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// What the sender and the receiver of a webhook know, and nobody else. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Reads `whsec_` and 24 to 64 bytes in base64; the prefix may be left out.
    ///
    /// # Errors
    /// Why it is none, in words that do not give it away.
    pub fn read(text: &str) -> Result<Secret, &'static str> {
        let text = text.trim();
        let bytes = READ.decode(text.strip_prefix(PREFIX).unwrap_or(text));
        let bytes = bytes.map_err(|_| "it is not base64: a secret is `whsec_` and base64")?;
        match bytes.len() {
            BYTES_MIN..=BYTES_MAX => Ok(Secret(bytes)),
            _ => Err("it is not 24 to 64 bytes in base64"),
        }
    }

    /// The signature of a post: `v1,` and, in base64, HMAC-SHA256 of its id, the second since 1970
    /// in which it is sent, and its body, with dots between them.
    pub fn sign(&self, id: &str, second: i64, body: &[u8]) -> String {
        // A key may have any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{second}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        for secret in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", " MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"] {
            let secret = Secret::read(secret).expect("a secret");
            let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
            assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        }
    }

    #[test]
    fn what_is_no_secret_is_told_and_not_shown() {
        for (text, why) in [("whsec_!!!", "not base64"), ("whsec_c2hvcnQ=", "24 to 64"), ("", "24 to 64")] {
            assert!(Secret::read(text).expect_err(text).contains(why), "{text}");
        }
        // With and without `=` at the end it is the same secret.
        let padded = "c2l4IGFuZCB0d2VudHkgYnl0ZXMgb2YgaXQ=";
        assert_eq!(Secret::read(padded), Secret::read(padded.trim_end_matches('=')));
        assert!(Secret::read(padded).is_ok());
        assert_eq!(format!("{:?}", Secret::read("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret")), "Secret");
    }
}
