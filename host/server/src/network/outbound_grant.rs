//! What may be sent to somebody who is no exchange: one address, by one method, with nothing an adapter or a bot says.
//! It knows no price, wallet or notice; each of them holds a grant of its own.

use std::fmt;

use alp_sandbox::types::Method;
use reqwest::Url;
use thiserror::Error;

use super::Reach;

/// A permission to send to exactly one address, given by the operator who wrote the address.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundGrant {
    method: Method,
    url: Url,
    reach: Reach,
    basic_auth: Option<BasicAuth>,
}

impl OutboundGrant {
    /// May fetch this address by GET.
    ///
    /// # Errors
    /// [`UrlFault`] for the operator.
    pub fn get(url: &str) -> Result<Self, UrlFault> {
        Self::new(Method::Get, url)
    }

    /// May post JSON to this address.
    ///
    /// # Errors
    /// As [`OutboundGrant::get`].
    pub fn post(url: &str) -> Result<Self, UrlFault> {
        Self::new(Method::Post, url)
    }

    /// Has each call carry this name and password in the header `Authorization`.
    #[must_use]
    pub fn with_basic_auth(self, basic_auth: BasicAuth) -> Self {
        Self { basic_auth: Some(basic_auth), ..self }
    }

    fn new(method: Method, text: &str) -> Result<Self, UrlFault> {
        let url = Url::parse(text).map_err(|_| UrlFault::NoAddress)?;
        if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
            return Err(UrlFault::NoAddress);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlFault::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlFault::Fragment);
        }
        let reach = if is_operators_own(&url) { Reach::Anywhere } else { Reach::PublicOnly };
        Ok(Self { method, url, reach, basic_auth: None })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The whole address. It may carry a key in its query: never to be logged.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Private addresses are the operator's choice if the host is written as an IP address or `localhost`; a name
    /// that others answer for leads to public addresses or nowhere.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// What is sent to be let in.
    #[must_use]
    pub fn basic_auth(&self) -> Option<&BasicAuth> {
        self.basic_auth.as_ref()
    }
}

/// Whether the host says by itself where it leads: an IP address in any of its forms, or `localhost`.
fn is_operators_own(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("");
    literal_address(url).is_some() || host == "localhost"
}

/// The IP address that a URL names in place of a host. Decimal, octal, hexadecimal and short forms were made the usual
/// one when the URL was parsed.
pub(crate) fn literal_address(url: &Url) -> Option<std::net::IpAddr> {
    let host = url.host_str()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

impl fmt::Debug for OutboundGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, reach, basic_auth } = self;
        let mut shown = f.debug_struct("OutboundGrant");
        shown.field("method", method).field("host", &url.host_str()).field("reach", reach);
        shown.field("basic_auth", &basic_auth.is_some()).finish_non_exhaustive()
    }
}

/// A name and a password. It has no `Debug`: neither belongs into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// What is wrong with an address in the configuration. The operator's to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UrlFault {
    /// Not a web address.
    #[error("must be an address such as https://feed.example/ticker (http:// for a feed of your own)")]
    NoAddress,
    /// `https://name:password@host`.
    #[error(
        "must not carry a name or a password before the host: addresses end up in logs and in other hands"
    )]
    Credentials,
    /// `#fragment`.
    #[error("must not have a part that begins with #: it is never sent")]
    Fragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(url: &str) -> Reach {
        OutboundGrant::get(url).unwrap().reach()
    }

    #[test]
    fn private_addresses_are_granted_only_where_the_operator_wrote_the_address_itself() {
        for own in [
            "http://127.0.0.1:1/x",
            "https://[::1]/",
            "http://localhost:8/",
            "http://0x7f.1/",
            "http://10.0.0.1/",
        ] {
            assert_eq!(reach(own), Reach::Anywhere, "{own}");
        }
        for public in [
            "https://feed.example/x",
            "https://localhost.example/",
            "http://intranet/",
            "http://127.0.0.1.nip.io/",
        ] {
            assert_eq!(reach(public), Reach::PublicOnly, "{public}");
        }
    }

    #[test]
    fn an_address_with_credentials_or_of_another_kind_is_refused_with_a_sentence() {
        let fault = |url: &str| OutboundGrant::get(url).unwrap_err();
        assert_eq!(fault("https://user:secret@feed.example/x"), UrlFault::Credentials);
        assert_eq!(fault("https://user@feed.example/x"), UrlFault::Credentials);
        assert_eq!(fault("https://feed.example/x#y"), UrlFault::Fragment);
        for odd in ["ftp://feed.example/", "file:///etc/passwd", "feed.example", "https://", "data:,1"] {
            assert_eq!(fault(odd), UrlFault::NoAddress, "{odd}");
        }
    }

    #[test]
    fn neither_the_path_nor_a_password_is_shown() {
        let auth = BasicAuth { user: "user-1".into(), password: "secret-1".into() };
        let grant = OutboundGrant::post("https://feed.example/x?key=secret-2").unwrap().with_basic_auth(auth);
        let shown = format!("{grant:?}");
        assert!(
            shown.contains("feed.example") && !shown.contains("secret") && !shown.contains("user-1"),
            "{shown}"
        );
    }
}
