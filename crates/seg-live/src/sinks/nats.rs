//! Changes as messages of a NATS stream (JetStream).

use super::parcel::{Outcome, Parcel, Parceled, Receiver};
use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::{ConnectOptions, jetstream};
use std::fmt;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Messages that are handed over together.
const CHANGES_MAX: usize = 200;

/// A subject of a server, which a stream has to take in.
pub(crate) struct Nats {
    /// It works while something is handed over.
    runtime: Runtime,
    url: String,
    subject: String,
    options: Settings,
    connection: Option<Context>,
}

struct Settings {
    credentials: Option<String>,
    time_out: Duration,
}

impl Nats {
    pub fn new(url: String, subject: String, credentials: Option<String>, time_out: Duration) -> Result<Nats, String> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let options = Settings { credentials, time_out };
        // What can be told of an address and credentials at once.
        options.to_connect()?;
        url.parse::<async_nats::ServerAddr>().map_err(|error| format!("`{url}`: {error}"))?;
        Ok(Nats { runtime, url, subject, options, connection: None })
    }
}

impl Settings {
    fn to_connect(&self) -> Result<ConnectOptions, String> {
        let options = match &self.credentials {
            // The error would show what it could not read.
            Some(credentials) => ConnectOptions::with_credentials(credentials)
                .map_err(|_| "the credentials are none: they are the text of a `.creds` file".to_owned())?,
            None => ConnectOptions::new(),
        };
        Ok(options.name("seg").connection_timeout(self.time_out).request_timeout(Some(self.time_out)).max_reconnects(1))
    }

    async fn connect(&self, url: &str) -> Result<Context, String> {
        let connect = self.to_connect()?.connect(url);
        let client = tokio::time::timeout(self.time_out, connect).await;
        let client = client.map_err(|_| self.too_slow())?.map_err(|error| words(&error))?;
        let mut context = jetstream::new(client);
        context.set_timeout(self.time_out);
        Ok(context)
    }

    fn too_slow(&self) -> String {
        format!("the server does not answer within {} seconds", self.time_out.as_secs_f64())
    }

    /// Publishes a message, and waits until the stream has it: were the next on its way before, a
    /// stream could have it without this one.
    async fn publish(&self, to: &Context, subject: &str, (id, json): (String, Vec<u8>)) -> Result<(), String> {
        let message = PublishMessage::build().message_id(id).payload(json.into());
        let all = async {
            let sent = to.send_publish(subject.to_owned(), message).await.map_err(|error| words(&error))?;
            sent.await.map_err(|error| words(&error))
        };
        tokio::time::timeout(self.time_out, all).await.map_err(|_| self.too_slow())?.map(|_| ())
    }
}

impl Receiver for Nats {
    fn changes_max(&self) -> usize {
        CHANGES_MAX
    }

    fn hand_over(&mut self, parcel: &Parcel) -> Outcome {
        let (known, url, subject, options) = (self.connection.take(), &self.url, &self.subject, &self.options);
        let handed = self.runtime.block_on(async {
            let connection = match known {
                Some(connection) => connection,
                None => options.connect(url).await?,
            };
            for message in messages(parcel) {
                options.publish(&connection, subject, message).await?;
            }
            Ok(connection)
        });
        match handed {
            Ok(connection) => {
                self.connection = Some(connection);
                Outcome::Taken
            }
            // Something is wrong with the connection, perhaps: the next try makes another.
            Err(why) => Outcome::Failed(why, None),
        }
    }
}

/// The messages of a parcel, each with its id, by which the stream passes over what it has.
fn messages(parcel: &Parcel) -> Vec<(String, Vec<u8>)> {
    match parcel {
        Parcel::Changes(changes) => {
            changes.iter().map(|Parceled { change, json }| (change.id.clone(), json.clone())).collect()
        }
        Parcel::Gap(from, to) => {
            let mut json = parcel.lines();
            json.pop();
            vec![(format!("gap-{from}-{to}"), json)]
        }
    }
}

/// What a library says, with all that it says of why.
fn words(error: &dyn std::error::Error) -> String {
    struct Why<'e>(&'e dyn std::error::Error);
    impl fmt::Display for Why<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt::Display::fmt(self.0, f)?;
            match self.0.source().filter(|source| !self.0.to_string().contains(&source.to_string())) {
                Some(source) => write!(f, ": {}", Why(source)),
                None => Ok(()),
            }
        }
    }
    format!("the server does not take it: {}", Why(error))
}
