//! A store by the variables of its provider.

use crate::errors::told_of_settings;
use crate::http::Http;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use seg_io::objects::{Address, ObjectError, Scheme};
use std::sync::Arc;
use std::time::Duration;

/// How often a request is made again that failed, and for how long.
const RETRIES: usize = 6;
const RETRY_TIME: Duration = Duration::from_secs(90);
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LAST_WAIT: Duration = Duration::from_secs(10);

/// With what the names of variables of providers begin, and those of proxies.
const PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];
const OTHERS: [&str; 7] =
    ["SERVICE_ACCOUNT", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];

/// Whether a variable of the environment says how stores are asked.
pub fn is_setting(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || OTHERS.contains(&name)
}

/// The store of a bucket.
///
/// # Errors
/// Variables that do not go together, or are not as they should be.
pub fn open(
    address: &Address,
    variables: &[(String, String)],
    http: &Http,
) -> Result<Arc<dyn ObjectStore>, ObjectError> {
    let opened: object_store::Result<Arc<dyn ObjectStore>> = match address.scheme {
        Scheme::S3 => s3(&address.bucket, variables, http).map(|store| Arc::new(store) as _),
        Scheme::Gs => {
            let builder = GoogleCloudStorageBuilder::new();
            let mut builder =
                of_prefix(variables, "GOOGLE_").fold(builder, |builder, (key, value)| match key.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
            if let Some(path) = value(variables, "SERVICE_ACCOUNT") {
                builder = builder.with_service_account_path(path);
            }
            let builder = builder.with_bucket_name(&address.bucket).with_retry(retries());
            builder.with_http_connector(http.clone()).build().map(|store| Arc::new(store) as _)
        }
        Scheme::Az => {
            let builder = MicrosoftAzureBuilder::new();
            let mut builder = of_prefix(variables, "AZURE_").fold(builder, |builder, (key, value)| match key.parse() {
                Ok(key) => builder.with_config(key, value),
                Err(_) => builder,
            });
            // As the tools of the provider call the account.
            if let Some(account) = value(variables, "AZURE_STORAGE_ACCOUNT")
                && value(variables, "AZURE_STORAGE_ACCOUNT_NAME").is_none()
            {
                builder = builder.with_account(account);
            }
            let endpoint = value(variables, "AZURE_STORAGE_ENDPOINT").or(value(variables, "AZURE_ENDPOINT"));
            let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
            let builder = if is_plain { builder.with_allow_http(true) } else { builder };
            let builder = builder.with_container_name(&address.bucket).with_retry(retries());
            builder.with_http_connector(http.clone()).build().map(|store| Arc::new(store) as _)
        }
    };
    opened.map_err(|error| told_of_settings(address, &error))
}

fn s3(bucket: &str, variables: &[(String, String)], http: &Http) -> object_store::Result<object_store::aws::AmazonS3> {
    let builder =
        of_prefix(variables, "AWS_").fold(AmazonS3Builder::new(), |builder, (key, value)| match key.parse() {
            Ok(key) => builder.with_config(key, value),
            Err(_) => builder,
        });
    // Whoever names an address without encryption means it.
    let endpoint = value(variables, "AWS_ENDPOINT_URL_S3").or(value(variables, "AWS_ENDPOINT_URL"));
    let is_plain = endpoint.or(value(variables, "AWS_ENDPOINT")).is_some_and(|url| url.starts_with("http://"));
    let builder = if is_plain { builder.with_allow_http(true) } else { builder };
    builder.with_bucket_name(bucket).with_retry(retries()).with_http_connector(http.clone()).build()
}

/// Variables of a provider, by the names that its settings have.
fn of_prefix<'v>(variables: &'v [(String, String)], prefix: &str) -> impl Iterator<Item = (String, &'v str)> {
    let of_provider = variables.iter().filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty());
    of_provider.map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
}

/// What a variable says, where it says anything.
pub fn value<'v>(variables: &'v [(String, String)], name: &str) -> Option<&'v str> {
    let found = variables.iter().find(|(known, value)| known == name && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_WAIT, max_backoff: LAST_WAIT, base: 2.0 },
        max_retries: RETRIES,
        retry_timeout: RETRY_TIME,
    }
}
