//! What stores say, in words for whoever wrote an address.

use crate::http::NoCredentials;
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use seg_io::objects::{Address, ObjectError, Scheme};
use std::error::Error as StdError;

/// So much is shown of what a store says that is no XML.
const SAID_CHARS: usize = 200;

/// What a store answered to a request about an address.
pub fn told(address: &Address, error: &Error) -> ObjectError {
    let text = last(error);
    let what = if address.scheme == Scheme::Az { "container" } else { "bucket" };
    let message = match error {
        _ if is_without_credentials(error) => format!("there are no credentials: {}", how(address.scheme)),
        _ if is_about_bucket(&text) => format!("there is no {what} `{}`", address.bucket),
        _ if text.contains("InvalidAccessKeyId") || text.contains("SignatureDoesNotMatch") => {
            format!("the credentials are not accepted{}", said(&text))
        }
        Error::NotFound { .. } => "there is no such object".to_owned(),
        Error::Precondition { .. } => CHANGED.to_owned(),
        Error::PermissionDenied { .. } => format!("access is refused{}", said(&text)),
        // Of listings an answer is not told apart.
        _ if text.contains("AccessDenied") || text.contains("403 Forbidden") => {
            format!("access is refused{}", said(&text))
        }
        Error::Unauthenticated { .. } => format!("the credentials are not accepted{}", said(&text)),
        _ if is_of_other_region(&text) => {
            format!(
                "the bucket is in another region than the one that is asked; name it in `AWS_REGION`{}",
                said(&text)
            )
        }
        _ => match failed_request(error) {
            Some(HttpErrorKind::Connect) => format!("the store cannot be reached{}", said(&text)),
            Some(_) => format!("the store does not answer to the end{}", said(&text)),
            None => format!("the store does not answer as it should{}", said(&text)),
        },
    };
    ObjectError(message)
}

/// What is said of an object that is no longer the one that was found.
pub const CHANGED: &str = "it was changed while it was read; run again when nobody writes it";

/// What is said of an object that went away since it was found.
pub const REMOVED: &str = "it was removed while it was read; run again when nobody writes there";

/// Variables from which no store can be asked.
pub fn told_of_settings(address: &Address, error: &Error) -> ObjectError {
    let what = match address.scheme {
        Scheme::S3 => "`AWS_…`",
        Scheme::Gs => "`GOOGLE_…`",
        Scheme::Az => "`AZURE_…`",
    };
    ObjectError(format!("the variables {what} do not say how the store is asked: {}", bounded(&last(error))))
}

/// How credentials are given.
fn how(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => {
            "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_SKIP_SIGNATURE=true` for a public bucket"
        }
        Scheme::Gs => "name a key file in `GOOGLE_APPLICATION_CREDENTIALS`",
        Scheme::Az => "set `AZURE_STORAGE_ACCOUNT_KEY`, or `AZURE_STORAGE_SAS_TOKEN`",
    }
}

fn is_without_credentials(error: &Error) -> bool {
    chain(error).any(|error| error.is::<NoCredentials>() || error.to_string().contains(&NoCredentials.to_string()))
}

/// How a request failed that was not answered.
fn failed_request(error: &Error) -> Option<HttpErrorKind> {
    chain(error).find_map(|error| error.downcast_ref::<HttpError>()).map(HttpError::kind)
}

fn is_about_bucket(text: &str) -> bool {
    ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"].iter().any(|said| text.contains(said))
}

fn is_of_other_region(text: &str) -> bool {
    let said = ["without LOCATION", "PermanentRedirect", "AuthorizationHeaderMalformed", "301 Moved Permanently"];
    said.iter().any(|said| text.contains(said))
}

fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn StdError + 'static) = *error;
        error.source()
    })
}

/// What lies below all that was said of it: no address with a signature, no times.
fn last(error: &Error) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// The message of an answer, or what else was said, behind a colon.
fn said(text: &str) -> String {
    let message = between(text, "<Message>", "</Message>").or_else(|| between(text, "\"message\": \"", "\""));
    // The client says first where it heard it.
    let text = bounded(message.unwrap_or(text.strip_prefix("io: ").unwrap_or(text)));
    if text.is_empty() { text } else { format!(": {text}") }
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let (_, behind) = text.split_once(begin)?;
    let (inside, _) = behind.split_once(end)?;
    Some(inside).filter(|inside| !inside.is_empty())
}

/// One line, of which a terminal obeys nothing.
fn bounded(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_CHARS).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches([':', ' ']).to_owned()
}
