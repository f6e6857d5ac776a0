//! Requests of `object_store` by the HTTP client of the command.

use crate::settings::value;
use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use std::error::Error as StdError;
use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;
use ureq::{Agent, Error, Proxy};

/// How long connecting, the first bytes of an answer, and each read of it may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
const ANSWER_TIME: Duration = Duration::from_secs(60);
const READ_TIME: Duration = Duration::from_secs(60);
/// How long machines of providers may take to say who they are; elsewhere nobody answers.
const MACHINE_TIME: Duration = Duration::from_secs(1);
/// Where they say it.
const MACHINE_HOSTS: [&str; 4] = ["169.254.169.254", "169.254.170.2", "metadata.google.internal", "metadata"];

/// A client, of which connections are kept open. It waits until a request is answered: each of
/// the threads that read is in one request at a time.
#[derive(Debug, Clone)]
pub struct Http {
    agent: Agent,
    /// For machines that say who they are.
    machine: Agent,
}

/// No machine says here who it is.
#[derive(Debug)]
pub struct NoCredentials;

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no credentials")
    }
}

impl StdError for NoCredentials {}

impl Http {
    /// Through the proxy that variables name, if they do.
    pub fn new(variables: &[(String, String)]) -> Http {
        let proxy = value(variables, "HTTPS_PROXY").or(value(variables, "https_proxy"));
        let direct = value(variables, "NO_PROXY").or(value(variables, "no_proxy")).unwrap_or_default();
        // Of a proxy that cannot be read the first request would say no more.
        let proxy = proxy.and_then(|proxy| with_direct(proxy, direct));
        let config = |proxy, connect, answer| {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .allow_non_standard_methods(true)
                .user_agent(concat!("seg/", env!("CARGO_PKG_VERSION")))
                .accept("*/*")
                .accept_encoding("identity")
                .timeout_connect(Some(connect))
                .timeout_recv_response(Some(answer))
                .timeout_per_read(Some(READ_TIME))
                .proxy(proxy)
                .build()
                .new_agent()
        };
        let agent = config(proxy, CONNECT_TIME, ANSWER_TIME);
        Http { agent, machine: config(None, MACHINE_TIME, MACHINE_TIME) }
    }
}

/// A proxy, but for hosts that are asked without it.
fn with_direct(proxy: &str, direct: &str) -> Option<Proxy> {
    let read = Proxy::new(proxy).ok()?;
    let mut builder = Proxy::builder(read.protocol()).host(read.host()).port(read.port());
    if let Some(name) = read.username() {
        builder = builder.username(name);
    }
    if let Some(password) = read.password() {
        builder = builder.password(password);
    }
    let direct = direct.split(',').map(str::trim).filter(|host| !host.is_empty());
    direct.fold(builder, |builder, host| builder.no_proxy(host)).build().ok()
}

impl HttpConnector for Http {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let is_machine = parts.uri.host().is_some_and(|host| MACHINE_HOSTS.contains(&host));
        let agent = if is_machine { &self.machine } else { &self.agent };
        let has_body = !body.is_empty() || matches!(parts.method, http::Method::POST | http::Method::PUT);
        let is_head = parts.method == http::Method::HEAD;
        let answer = match has_body {
            true => agent.run(http::Request::from_parts(parts, body.as_ref())),
            false => agent.run(http::Request::from_parts(parts, ())),
        };
        let answer = answer.and_then(|answer| read(answer, is_head));
        let none = || HttpError::new(HttpErrorKind::Decode, NoCredentials);
        match answer {
            // A machine without a role says so.
            Ok(answer) if is_machine && answer.status().is_client_error() => Err(none()),
            Ok(answer) => Ok(answer),
            Err(_) if is_machine => Err(none()),
            Err(error) => Err(HttpError::new(kind(&error), error)),
        }
    }
}

/// An answer with all of its body: one that was cut is none.
fn read(answer: http::Response<ureq::Body>, is_head: bool) -> Result<HttpResponse, Error> {
    let (parts, mut body) = answer.into_parts();
    let bytes = if is_head { Vec::new() } else { body.with_config().limit(u64::MAX).read_to_vec()? };
    let length = parts.headers.get(http::header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if !is_head && length.is_some_and(|length| length != bytes.len() as u64) {
        return Err(Error::Io(ErrorKind::UnexpectedEof.into()));
    }
    Ok(http::Response::from_parts(parts, bytes.into()))
}

/// Whether a request that failed may be made again.
fn kind(error: &Error) -> HttpErrorKind {
    match error {
        Error::Timeout(_) => HttpErrorKind::Timeout,
        Error::ConnectionFailed | Error::HostNotFound => HttpErrorKind::Connect,
        Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        Error::Io(_) | Error::Protocol(_) | Error::BodyStalled => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}
