//! Where a database is: a file, or a PostgreSQL server. Knows nothing of what is in it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind as IoErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::any::AnyConnectOptions;

use crate::dialect::{Dialect, Role};
use crate::error::StoreError;

/// The readable and writable bits of the database's file: it holds API keys and what everybody earns.
const FILE_MODE: u32 = 0o600;

/// The same for folders made on the way to it.
const FOLDER_MODE: u32 = 0o700;

/// The longest address of a database, in bytes: names of hosts, users and files have a few hundred at most.
const MAX_URL_BYTES: usize = 2048;

/// What may stand behind the `?` of an address. Anything else could switch off what the store relies on.
const PARAMETERS: [&str; 6] = ["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Stands where an address names its host only behind the `?`. Never connected to.
const STAND_IN: &str = "localhost";

/// Checks the address of a PostgreSQL server as it stands in a configuration, without connecting.
///
/// # Errors
/// [`StoreError::Address`] says what is wrong with it. A password is: it would be in backups of the file.
pub fn check_postgres_url(url: &str) -> Result<(), StoreError> {
    let parsed = parse_postgres(url)?;
    if parsed.database_url.password().is_some() {
        return Err(wrong("it holds a password; put that into a file of its own or into PGPASSWORD"));
    }
    Ok(())
}

/// The address of a PostgreSQL server with a password in it. Whoever has it must not show it.
///
/// # Errors
/// [`StoreError::Address`] says what is wrong with the address.
pub fn postgres_url_with_password(url: &str, password: &str) -> Result<String, StoreError> {
    let mut parsed = parse_postgres(url)?;
    parsed
        .database_url
        .set_password(Some(password))
        .map_err(|()| wrong("a password needs `postgres://user@host/database`, with a host"))?;
    Ok(parsed.database_url.to_string())
}

/// The address of a PostgreSQL server for its own programs: without a password, which they are given in another way.
///
/// # Errors
/// [`StoreError::Address`] says what is wrong with the address.
pub fn postgres_url_for_programs(url: &str) -> Result<String, StoreError> {
    let mut parsed = parse_postgres(url)?;
    parsed.database_url.set_password(None).map_err(|()| wrong("its password cannot be taken out"))?;
    let text = parsed.database_url.to_string();
    let named_behind = url.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        authority.ends_with('@')
    });
    // Programs take the host behind the `?` only if none stands before.
    Ok(if named_behind { text.replacen(&format!("@{STAND_IN}/"), "@/", 1) } else { text })
}

/// Where a database is.
#[derive(Clone)]
pub(crate) enum Place {
    /// SQLite: the path of its file.
    File(PathBuf),
    /// PostgreSQL: the address, which can hold a password.
    Server(AnyConnectOptions),
}

impl Place {
    /// Reads `sqlite:path`, the path taken as it stands, relative to the working folder; or
    /// `postgres://user@host/database`.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        if is_postgres(url) {
            return Ok(Self::Server(parse_postgres(url)?));
        }
        let path = url
            .strip_prefix("sqlite:")
            .ok_or(wrong("it starts with `sqlite:`, then the path of the file, or with `postgres://`"))?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(wrong("the path of a file is needed"));
        }
        if path.contains(['?', '#', '\0']) {
            return Err(wrong("the path must not contain `?` or `#`"));
        }
        let path = std::path::absolute(path)
            .map_err(|source| StoreError::Location { path: PathBuf::from(path), source: Arc::new(source) })?;
        Ok(Self::File(path))
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::File(_) => Dialect::Sqlite,
            Self::Server(_) => Dialect::Postgres,
        }
    }

    /// Makes the folder and the file, if they are missing, for this user alone. The files SQLite puts
    /// beside it take its mode. A server's database is the operator's to make.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        let Self::File(file) = self else { return Ok(()) };
        let failed =
            |path: &Path, source| StoreError::Location { path: path.to_owned(), source: Arc::new(source) };
        if let Some(folder) = file.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(folder)
                .map_err(|source| failed(folder, source))?;
        }
        let made = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(file);
        match made {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == IoErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed(file, error)),
        }
    }

    /// How to connect.
    pub(crate) fn options(&self, role: Role) -> Result<AnyConnectOptions, StoreError> {
        match self {
            Self::File(path) => Ok(file_url(path, role).parse()?),
            Self::Server(options) => Ok(options.clone()),
        }
    }
}

fn file_url(path: &Path, role: Role) -> String {
    let mode = match role {
        Role::Schema | Role::Writer => "rw",
        Role::Reader | Role::Snapshot => "ro",
    };
    let mut url = String::from("sqlite://");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str("?mode=");
    url.push_str(mode);
    url
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Everything has to be said: what an address leaves out, the driver would take from its surroundings.
fn parse_postgres(url: &str) -> Result<AnyConnectOptions, StoreError> {
    if !is_postgres(url) {
        return Err(wrong("it starts with `postgres://`"));
    }
    if url.len() > MAX_URL_BYTES {
        return Err(wrong("it is too long"));
    }
    // `postgres://user@/database?host=..` is usual, but a URL with a user has a host by its own rules.
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let stand_in = if authority.ends_with('@') { STAND_IN } else { "" };
    // The parser's own words could repeat a password.
    let mut options: AnyConnectOptions = format!("{scheme}://{authority}{stand_in}{behind}")
        .parse()
        .map_err(|_| wrong("it is not of the form `postgres://user@host/database`"))?;
    let parsed = &options.database_url;
    if parsed.username().is_empty() {
        return Err(wrong("the user is missing: `postgres://user@host/database`"));
    }
    if parsed.path().trim_matches('/').is_empty() {
        return Err(wrong("the database is missing: `postgres://user@host/database`"));
    }
    if parsed.query_pairs().any(|(name, _)| !PARAMETERS.contains(&name.as_ref())) {
        return Err(wrong("only host, port, sslmode, sslrootcert, sslcert and sslkey may follow the `?`"));
    }
    let parameter = |wanted: &str| {
        let found = parsed.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    let named = parsed.host_str().filter(|_| stand_in.is_empty());
    let host = parameter("host").or_else(|| named.map(ToOwned::to_owned)).unwrap_or_default();
    if host.is_empty() {
        return Err(wrong(
            "the host is missing: `postgres://user@host/database`, or `?host=/folder` of a socket",
        ));
    }
    let mode = parameter("sslmode");
    let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    if mode.as_ref().is_some_and(|mode| !modes.contains(&mode.as_str())) {
        return Err(wrong("sslmode is one of disable, allow, prefer, require, verify-ca and verify-full"));
    }
    // Over a network nobody must be able to pose as the database, unless the operator says so.
    if mode.is_none() && !is_local(&host) {
        options.database_url.query_pairs_mut().append_pair("sslmode", "verify-full");
    }
    Ok(options)
}

fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || host.starts_with("%2F")
        || host.starts_with("%2f")
        || host == "localhost"
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

const fn wrong(reason: &'static str) -> StoreError {
    StoreError::Address { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sslmode(url: &str) -> Option<String> {
        let options = parse_postgres(url).unwrap();
        let mode = options.database_url.query_pairs().find(|(name, _)| name == "sslmode");
        mode.map(|(_, value)| value.into_owned())
    }

    #[test]
    fn a_server_over_a_network_has_to_prove_who_it_is_unless_the_operator_says_otherwise() {
        assert_eq!(sslmode("postgres://alp@db.example/pool").as_deref(), Some("verify-full"));
        assert_eq!(sslmode("postgres://alp@db.example/pool?sslmode=disable").as_deref(), Some("disable"));
        for local in ["127.0.0.1", "localhost:5433", "[::1]", "%2Frun%2Fpostgresql"] {
            assert_eq!(sslmode(&format!("postgres://alp@{local}/pool")), None, "{local}");
        }
        assert_eq!(sslmode("postgres://alp@/pool?host=/run/postgresql"), None);
    }

    #[test]
    fn an_address_that_leaves_something_out_is_refused() {
        let urls = [
            "postgres://",
            "postgres://db.example/pool",
            "postgres://alp@db.example",
            "postgres://alp@db.example/",
            "postgres://alp@/pool",
            "postgres://alp@db.example/pool?options=-cfsync%3Doff",
            "postgres://alp@db.example/pool?password=x",
            "postgres://alp@db.example/pool?sslmode=maybe",
            "postgres://alp@db.example:port/pool",
        ];
        for url in urls {
            assert!(matches!(check_postgres_url(url), Err(StoreError::Address { .. })), "{url}");
        }
    }

    #[test]
    fn a_password_stays_out_of_the_configuration_and_is_added_whatever_it_is_made_of() {
        let refused = check_postgres_url("postgres://alp:secret@db.example/pool").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("secret"));
        let url = postgres_url_with_password("postgres://alp@127.0.0.1/pool", "a:/@?#% b").unwrap();
        let options = parse_postgres(&url).unwrap();
        assert_eq!(options.database_url.username(), "alp");
        assert_eq!(options.database_url.host_str(), Some("127.0.0.1"));
        assert!(options.database_url.password().is_some());
        assert!(!url.contains("a:/@"));
    }

    #[test]
    fn the_programs_of_postgres_are_given_an_address_without_the_password() {
        let over_a_socket = "postgres://alp:secret@/pool?host=/run/postgresql";
        assert_eq!(
            postgres_url_for_programs(over_a_socket).unwrap(),
            "postgres://alp@/pool?host=/run/postgresql"
        );
        assert_eq!(
            postgres_url_for_programs("postgres://alp:secret@db.example/pool").unwrap(),
            "postgres://alp@db.example/pool?sslmode=verify-full"
        );
    }
}
