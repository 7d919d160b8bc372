//! Who gets one of the connections: each network of clients has a share, and who has waited longest
//! for its client makes room.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use ipnet::IpNet;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::proxies::TrustedProxies;

/// The most connections at once.
const MAX_CONNECTIONS: usize = 1024;
/// The most connections at once of one network of clients. Trusted proxies have no network: many
/// clients come through one of them.
const MAX_OF_NETWORK: usize = MAX_CONNECTIONS / 2;

/// Decides who gets a connection.
pub(super) struct Admission {
    slots: Arc<Semaphore>,
    open: Mutex<Open>,
    proxies: Arc<TrustedProxies>,
    began: Instant,
}

/// The connections that are open.
#[derive(Default)]
struct Open {
    next: u64,
    /// In the order in which they came.
    connections: BTreeMap<u64, Connection>,
}

struct Connection {
    network: Option<IpNet>,
    activity: Activity,
    evicted: Arc<Notify>,
}

/// The place of an open connection, free again when this is dropped.
pub(super) struct Place {
    admission: Arc<Admission>,
    number: u64,
    pub(super) activity: Activity,
    evicted: Arc<Notify>,
    slot: Option<OwnedSemaphorePermit>,
}

/// Which side of a connection the other one waits for.
#[derive(Clone)]
pub(super) struct Activity {
    began: Instant,
    /// When the service began to wait for its client, in milliseconds; 0 while the client waits.
    waits_since: Arc<AtomicU64>,
}

impl Activity {
    fn new(began: Instant) -> Self {
        let activity = Self {
            began,
            waits_since: Arc::default(),
        };
        activity.waits();
        activity
    }

    /// The client has to do something: send a request, the rest of one, or read an answer.
    pub(super) fn waits(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.waits_since.store(now.max(1), Ordering::Relaxed);
    }

    /// The service has a whole request to answer.
    pub(super) fn answers(&self) {
        self.waits_since.store(0, Ordering::Relaxed);
    }

    fn waits_since(&self) -> Option<u64> {
        Some(self.waits_since.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }
}

impl Admission {
    pub(super) fn new(proxies: Arc<TrustedProxies>) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            open: Mutex::default(),
            proxies,
            began: Instant::now(),
        })
    }

    /// A place for a connection from an address; none if its network has as many as it may, and
    /// waits for an answer with all of them. Who comes when all places are taken waits for one.
    pub(super) async fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let network = network(peer).filter(|_| !self.proxies.contains(peer));
        let activity = Activity::new(self.began);
        let evicted = Arc::new(Notify::new());
        let number = {
            let mut open = self.open();
            if network.is_some() && open.count(network) >= MAX_OF_NETWORK {
                if !open.evict(network) {
                    tracing::debug!(%peer, "a network has its share of the connections");
                    return None;
                }
            } else if open.connections.len() >= MAX_CONNECTIONS {
                open.evict_of_greediest();
            }
            let number = open.next;
            open.next += 1;
            let connection = Connection {
                network,
                activity: activity.clone(),
                evicted: Arc::clone(&evicted),
            };
            open.connections.insert(number, connection);
            number
        };
        let mut place = Place {
            admission: Arc::clone(self),
            number,
            activity,
            evicted,
            slot: None,
        };
        // The semaphore is never closed.
        place.slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        Some(place)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn count(&self, network: Option<IpNet>) -> usize {
        let connections = self.connections.values();
        connections.filter(|it| it.network == network).count()
    }

    /// Makes room where most connections come from one network.
    fn evict_of_greediest(&mut self) {
        let mut counts = HashMap::<IpNet, usize>::new();
        for network in self.connections.values().filter_map(|it| it.network) {
            *counts.entry(network).or_default() += 1;
        }
        let waiting = self.connections.values().filter_map(|connection| {
            connection.activity.waits_since()?;
            let network = connection.network?;
            Some((counts[&network], network))
        });
        if let Some((_, greediest)) = waiting.max() {
            self.evict(Some(greediest));
        }
    }

    /// Closes the connection of a network that has waited longest for its client. Says whether
    /// there was one.
    fn evict(&mut self, network: Option<IpNet>) -> bool {
        let of_network = self
            .connections
            .iter()
            .filter(|(_, it)| it.network == network);
        let waiting = of_network
            .filter_map(|(number, connection)| Some((connection.activity.waits_since()?, *number)));
        let oldest = waiting
            .min()
            .and_then(|(_, number)| self.connections.remove(&number));
        if let Some(connection) = &oldest {
            connection.evicted.notify_one();
        }
        oldest.is_some()
    }
}

impl Place {
    /// Waits until another connection needs the place.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.open().connections.remove(&self.number);
    }
}

/// The network that has one share: the /24 of an IPv4 address, the /64 of an IPv6 one.
fn network(address: IpAddr) -> Option<IpNet> {
    let length = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, length)
        .ok()
        .map(|network| network.trunc())
}
