//! Where a database is, as `--on` says it.

use seg::unstable::sql::Dialect;
use std::path::{Path, PathBuf};

/// A database that segments are run in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A file of DuckDB.
    DuckDb(PathBuf),
    /// A server of PostgreSQL.
    Postgres(Server),
}

/// A server, with what to connect by.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// The address as libpq reads it, without a password.
    pub url: String,
    /// The same without parameters, to be shown.
    pub shown: String,
    /// What nobody is shown.
    pub password: Option<String>,
}

/// No password stands in anything that is printed, whoever prints it.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

/// How addresses are written.
const FORMS: &str = "write such as duckdb:shop.db or postgres://user@host/shop";

impl Address {
    /// Reads `duckdb:FILE` or `postgres://…`.
    ///
    /// # Errors
    /// What is wrong, in words in which no password can stand.
    pub fn parse(text: &str) -> Result<Address, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!("`--on` says in which database segments are run; {FORMS}"));
        };
        match scheme {
            "duckdb" if rest.is_empty() => Err(format!("`--on duckdb:` lacks the file of the database; {FORMS}")),
            "duckdb" => Ok(Address::DuckDb(PathBuf::from(rest))),
            "postgres" | "postgresql" => match rest.strip_prefix("//") {
                Some(rest) => Server::parse(rest).map(Address::Postgres),
                None => Err(format!("an address of PostgreSQL begins with `postgres://`; {FORMS}")),
            },
            other => Err(match Dialect::ALL.iter().find(|dialect| dialect.name() == other) {
                Some(dialect) => format!(
                    "Seg does not connect to {} itself; `seg emit --sql {other} --as members` writes the query to run there",
                    dialect.title()
                ),
                None => format!("no database is known by what stands before the first `:` of `--on`; {FORMS}"),
            }),
        }
    }

    /// The dialect that is spoken there.
    pub fn dialect(&self) -> Dialect {
        match self {
            Address::DuckDb(_) => Dialect::DuckDb,
            Address::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What is shown of it.
    pub fn shown(&self) -> String {
        match self {
            Address::DuckDb(file) => file.display().to_string(),
            Address::Postgres(server) => server.shown.clone(),
        }
    }

    /// The file that it is, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Address::DuckDb(file) => Some(file),
            Address::Postgres(_) => None,
        }
    }
}

impl Server {
    /// What stands behind `postgres://`, as libpq has it: `user:password@host:port/database?name=value`.
    fn parse(rest: &str) -> Result<Server, String> {
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        // Such a sign may be the end of a password in which `?` stands as it is.
        if parameters.contains('@') {
            return Err("behind a `?` of the address stands `@`: write `%40` for it, and in a password `%3F` for `?`"
                .to_owned());
        }
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, place),
        };
        let (user, mut password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, "")) => (Some(user), None),
            Some((user, password)) => (Some(user), Some(decoded(password)?)),
            None => (None, None),
        };
        let mut kept = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "password" => password = Some(decoded(value)?),
                "sslpassword" => {
                    return Err("`sslpassword` would be shown to everybody on this machine: name a key without a \
                                password, or a service of ~/.pg_service.conf"
                        .to_owned());
                }
                _ => kept.push(parameter),
            }
        }
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let shown = format!("postgres://{user}{place}");
        let parameters = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        Ok(Server { url: format!("{shown}{parameters}"), shown, password })
    }
}

/// A text in which `%` and two digits stand for a byte.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || "in the password of the address `%` does not stand before two digits: write `%25` for it".to_owned();
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (high, low) = digit(high).zip(digit(low)).ok_or_else(wrong)?;
                bytes.push((high * 16 + low) as u8);
                after
            }
            (b'%', _) => return Err(wrong()),
            _ => {
                bytes.push(*first);
                after
            }
        };
    }
    String::from_utf8(bytes).map_err(|_| "the password of the address is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stand_apart_from_what_is_shown() {
        for (text, shown, url, password) in [
            (
                "postgres://ann:s3cret@db:5433/shop",
                "postgres://ann@db:5433/shop",
                "postgres://ann@db:5433/shop",
                "s3cret",
            ),
            ("postgresql://ann:a%40b%3A@db/shop", "postgres://ann@db/shop", "postgres://ann@db/shop", "a@b:"),
            ("postgres://ann:p/w@rd@db/shop", "postgres://ann@db/shop", "postgres://ann@db/shop", "p/w@rd"),
            (
                "postgres://db/shop?sslmode=require&password=s3cret&user=ann",
                "postgres://db/shop",
                "postgres://db/shop?sslmode=require&user=ann",
                "s3cret",
            ),
        ] {
            let Ok(Address::Postgres(server)) = Address::parse(text) else { panic!("{text}") };
            let found = (server.shown.as_str(), server.url.as_str(), server.password.as_deref());
            assert_eq!(found, (shown, url, Some(password)), "{text}");
            assert!(!format!("{server:?}").contains(password), "{text}");
        }
        let Ok(Address::Postgres(server)) = Address::parse("postgres://") else { panic!("the environment says where") };
        assert_eq!((server.url.as_str(), server.password), ("postgres://", None));
    }

    #[test]
    fn what_cannot_be_read_is_told_without_the_address() {
        for (text, why) in [
            ("shop.db", "in which database"),
            ("duckdb:", "lacks the file"),
            ("postgres:shop", "begins with `postgres://`"),
            ("mysql://ann:s3cret@db/shop", "no database is known"),
            ("postgres://ann:s3cret?@db/shop", "write `%40`"),
            ("postgres://ann:s3cret%4@db/shop", "write `%25`"),
            ("postgres://db/shop?sslpassword=s3cret", "shown to everybody"),
        ] {
            let told = Address::parse(text).expect_err(text);
            assert!(told.contains(why) && !told.contains("s3cret"), "{text}: {told}");
        }
    }
}
