//! The resolver of the client: one look-up for a connection, every address of the answer checked, and those are
//! the addresses connected to. It is asked when a connection is made, never for one that is kept.
//! It knows no exchange; whose addresses may be private it is told.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::{NotPublic, check_public};

/// Most look-ups of one client at a time. One that hangs keeps a thread until the system gives it up, a quarter of a
/// minute later; with 64 exchanges all of whose names hang this leaves threads to the others.
const LOOK_UPS: usize = 6;

/// How far a client reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The public internet alone: names that others choose.
    PublicOnly,
    /// Private networks too: an address that the operator wrote.
    Anywhere,
}

/// A look-up under way.
pub type LookingUp = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// How a name is looked up.
pub type NameLookUp = Arc<dyn Fn(String) -> LookingUp + Send + Sync>;

/// The system's own way, on a thread that may wait.
#[must_use]
pub fn system_look_up() -> NameLookUp {
    Arc::new(|name| {
        Box::pin(async move {
            // The port belongs to the caller: it is set when the connection is made.
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// The resolver.
#[derive(Clone)]
pub struct CheckedResolver {
    look_up: NameLookUp,
    reach: Reach,
    places: Arc<Semaphore>,
}

impl CheckedResolver {
    /// A resolver that lets through what is within `reach`.
    #[must_use]
    pub fn new(look_up: NameLookUp, reach: Reach) -> Self {
        Self { look_up, reach, places: Arc::new(Semaphore::new(LOOK_UPS)) }
    }

    /// The addresses of a name, all of which may be connected to.
    ///
    /// # Errors
    /// [`ResolveError`]: one address that is out of reach refuses the whole name, because whoever answers for the
    /// name chose to send the pool there.
    pub async fn addresses(&self, name: String) -> Result<Vec<IpAddr>, ResolveError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| ResolveError::Ended)?;
        let looking_up = (self.look_up)(name.clone());
        // A task of its own: the place is taken for as long as the look-up runs, even if nobody waits for it.
        let looked_up = tokio::spawn(async move {
            let found = looking_up.await;
            drop(place);
            found
        });
        let addresses = looked_up.await.map_err(|_| ResolveError::Ended)??;
        if addresses.is_empty() {
            return Err(ResolveError::Nothing);
        }
        if self.reach == Reach::PublicOnly {
            let refused = addresses.iter().find_map(|address| check_public(*address).err());
            if let Some(why) = refused {
                return Err(ResolveError::Forbidden(ForbiddenAddress { host: name, why }));
            }
        }
        Ok(addresses)
    }
}

impl fmt::Debug for CheckedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedResolver").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str().to_owned()).await?;
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Why a name leads nowhere.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// An address that is out of reach.
    #[error(transparent)]
    Forbidden(ForbiddenAddress),
    /// No address.
    #[error("the name has no address")]
    Nothing,
    /// The system's look-up failed.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The program ends.
    #[error("the look-up was given up")]
    Ended,
}

/// A host with an address that is not public. The operator's, if it is meant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{host} is not connected to: {why}")]
pub struct ForbiddenAddress {
    /// The host as the address names it.
    pub host: String,
    /// The address and what it is.
    pub why: NotPublic,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers so, one answer after the other; the last one again and again.
    fn answering(answers: &[&[&str]]) -> NameLookUp {
        let parse =
            |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let answers: Vec<Vec<IpAddr>> = answers.iter().map(parse).collect();
        let asked = AtomicUsize::new(0);
        Arc::new(move |_| {
            let turn = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            Box::pin(std::future::ready(Ok(answers[turn].clone())))
        })
    }

    async fn told(resolver: &CheckedResolver) -> String {
        match resolver.addresses("api.example.com".to_owned()).await {
            Ok(addresses) => format!("{addresses:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn one_private_address_among_public_ones_refuses_the_name() {
        let look_up = answering(&[&["93.184.216.34", "2606:2800::1", "10.0.0.7"]]);
        let public = CheckedResolver::new(Arc::clone(&look_up), Reach::PublicOnly);
        assert_eq!(told(&public).await, "api.example.com is not connected to: 10.0.0.7 is a private address");
        let anywhere = CheckedResolver::new(look_up, Reach::Anywhere);
        assert_eq!(told(&anywhere).await, "[93.184.216.34, 2606:2800::1, 10.0.0.7]");
    }

    #[tokio::test]
    async fn an_answer_that_changes_is_checked_each_time() {
        let resolver =
            CheckedResolver::new(answering(&[&["93.184.216.34"], &["127.0.0.1"]]), Reach::PublicOnly);
        assert_eq!(told(&resolver).await, "[93.184.216.34]");
        assert_eq!(
            told(&resolver).await,
            "api.example.com is not connected to: 127.0.0.1 is a loopback address"
        );
    }

    #[tokio::test]
    async fn an_empty_answer_is_none() {
        assert_eq!(
            told(&CheckedResolver::new(answering(&[&[]]), Reach::Anywhere)).await,
            "the name has no address"
        );
    }

    #[tokio::test]
    async fn look_ups_that_hang_take_no_more_than_their_places() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let look_up: NameLookUp = Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(std::future::pending())
        });
        let resolver = CheckedResolver::new(look_up, Reach::PublicOnly);
        for _ in 0..LOOK_UPS + 3 {
            let mut waiting = Box::pin(resolver.addresses("api.example.com".to_owned()));
            // Polled once, then given up by its caller.
            let polled =
                std::future::poll_fn(|context| std::task::Poll::Ready(waiting.as_mut().poll(context)));
            assert!(polled.await.is_pending());
        }
        assert_eq!(asked.load(Ordering::SeqCst), LOOK_UPS);
    }
}
