//! Who may post, and who may look.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

/// The cookie by which a browser shows the token of operators.
pub(super) const TOKEN: &str = "seg_token";

/// The keys with which records may be posted.
#[derive(Clone)]
pub enum Keys {
    /// Whoever reaches the address may post.
    Any,
    /// Whoever knows one of these.
    These(Vec<String>),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Keys::Any => f.write_str("Any"),
            Keys::These(keys) => write!(f, "These({} keys)", keys.len()),
        }
    }
}

impl Keys {
    /// Whether a request may post: by its header, or by the key in its body.
    pub(super) fn allow(&self, headers: &HeaderMap, in_body: Option<&str>) -> bool {
        let Keys::These(keys) = self else { return true };
        let shown = [in_body.map(str::to_owned), user_of(headers), bearer_of(headers).map(str::to_owned)];
        shown.iter().flatten().any(|shown| is_one_of(shown, keys))
    }
}

/// Whether a request shows the token of operators: in its header, or as a cookie.
pub(super) fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut of_cookies = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.split_once('=')?;
        (name.trim() == TOKEN).then_some(value.trim())
    });
    bearer_of(headers).is_some_and(|shown| is_same(shown, token)) || of_cookies.any(|shown| is_same(shown, token))
}

/// Whether a text is one of some keys; all are looked at, however early one is met.
fn is_one_of(shown: &str, keys: &[String]) -> bool {
    keys.iter().fold(false, |found, key| is_same(shown, key) | found)
}

/// Whether two texts are the same, in a time that tells nothing of where they differ.
pub(super) fn is_same(shown: &str, known: &str) -> bool {
    shown.as_bytes().ct_eq(known.as_bytes()).into()
}

/// The user of a basic authorization: SDKs send the key so, without a password.
fn user_of(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, coded) = text.split_once(' ')?;
    let bytes = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(coded.trim()).ok()).flatten()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.split_once(':').map_or(text.as_str(), |(user, _)| user).to_owned())
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a value"))])
    }

    #[test]
    fn keys_are_shown_as_user_as_token_or_in_the_body() {
        let keys = Keys::These(vec!["one".to_owned(), "two".to_owned()]);
        let basic = |text: &str| headers(AUTHORIZATION, &format!("Basic {}", STANDARD.encode(text)));
        assert!(keys.allow(&basic("two:"), None));
        assert!(keys.allow(&basic("one"), None));
        assert!(keys.allow(&headers(AUTHORIZATION, "bearer one"), None));
        assert!(keys.allow(&HeaderMap::new(), Some("two")));
        for refused in ["three:", ":one", "on:e", ""] {
            assert!(!keys.allow(&basic(refused), None), "{refused}");
        }
        for broken in ["Basic", "Basic !!", "Basic /w==", "one", ""] {
            assert!(!keys.allow(&headers(AUTHORIZATION, broken), Some("three")), "{broken}");
        }
        assert!(Keys::Any.allow(&HeaderMap::new(), None));
        assert!(!Keys::These(Vec::new()).allow(&HeaderMap::new(), Some("")));
    }

    #[test]
    fn operators_show_their_token_in_a_header_or_a_cookie() {
        assert!(has_token(&headers(AUTHORIZATION, "Bearer t"), "t"));
        assert!(has_token(&headers(COOKIE, "a=b; seg_token=t"), "t"));
        for refused in ["seg_token=", "seg_token=u", "other=t", "t", ""] {
            assert!(!has_token(&headers(COOKIE, refused), "t"), "{refused}");
        }
        assert!(!has_token(&HeaderMap::new(), "t"));
    }
}
