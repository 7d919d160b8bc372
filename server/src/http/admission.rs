//! Admission of connections: each network of clients has a share. To make room, the connection of a
//! network that has waited longest for its client is closed.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ipnet::IpNet;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::AbortHandle,
};

use super::proxies::TrustedProxies;

/// Maximum number of open connections.
const MAX_CONNECTIONS: usize = 1024;
/// Maximum number of open connections of one network of clients. Trusted proxies have no network:
/// many clients come through one of them.
const MAX_OF_NETWORK: usize = MAX_CONNECTIONS / 2;

/// Time limit for a client to send the headers of a request, including the idle time before them.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for a client to read the next piece of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval at which overdue clients are looked for. A timer for each request would take a
/// twentieth of the time of a small one.
const SWEEP_PAUSE: Duration = Duration::from_millis(500);

/// Decides who gets a connection.
pub(super) struct Admission {
    slots: Arc<Semaphore>,
    open: Mutex<Open>,
    proxies: Arc<TrustedProxies>,
    sweeps: Sweeps,
}

/// The connections that are open.
#[derive(Default)]
struct Open {
    next: u64,
    /// Connections in the order in which they were accepted.
    connections: BTreeMap<u64, Connection>,
}

struct Connection {
    network: Option<IpNet>,
    activity: Activity,
    /// Task of the connection, once it runs.
    task: Option<AbortHandle>,
}

/// Place of an open connection, which is released on drop.
pub(super) struct Place {
    admission: Arc<Admission>,
    pub(super) number: u64,
    pub(super) activity: Activity,
    slot: Option<OwnedSemaphorePermit>,
}

/// Time in sweeps, counted by the task that makes them: accurate enough for the time limits of
/// clients, and cheaper to read than a clock.
type Sweeps = Arc<AtomicU64>;

/// The state of a connection: which side waits for the other, and since when.
#[derive(Clone)]
pub(super) struct Activity {
    sweeps: Sweeps,
    /// Time since which the service has waited, in sweeps times 4, plus the number of the awaited
    /// [`Client`] action. 0 while the client waits.
    state: Arc<AtomicU64>,
}

/// An action that the service awaits from a client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    SendHead = 1,
    SendBody = 2,
    ReadAnswer = 3,
}

impl Client {
    const ALL: [Self; 3] = [Self::SendHead, Self::SendBody, Self::ReadAnswer];

    /// Returns the time limit of the action; `None` if the deadline of the request limits it.
    fn limit(self) -> Option<Duration> {
        match self {
            Self::SendHead => Some(HEAD_TIMEOUT),
            Self::SendBody => None,
            Self::ReadAnswer => Some(READ_TIMEOUT),
        }
    }
}

impl Activity {
    fn new(sweeps: &Sweeps) -> Self {
        let activity = Self {
            sweeps: Arc::clone(sweeps),
            state: Arc::default(),
        };
        activity.awaits_head();
        activity
    }

    /// Records that the client has to send a request.
    pub(super) fn awaits_head(&self) {
        self.awaits(Client::SendHead);
    }

    /// Records that the client has to send the rest of its request.
    pub(super) fn awaits_body(&self) {
        self.awaits(Client::SendBody);
    }

    /// Records that the client has to read the answer.
    pub(super) fn awaits_reader(&self) {
        self.awaits(Client::ReadAnswer);
    }

    /// Records that the client has read a piece of the answer.
    pub(super) fn note_progress(&self) {
        if let Some((_, Client::ReadAnswer)) = self.awaited() {
            self.awaits_reader();
        }
    }

    /// Records that all written data was passed to the system or the client. If that was an answer,
    /// the client has to send a request, since the time when the answer was complete.
    pub(super) fn note_flush(&self) {
        let state = self.state.load(Ordering::Relaxed);
        if state % 4 == Client::ReadAnswer as u64 {
            let as_head = state - Client::ReadAnswer as u64 + Client::SendHead as u64;
            self.state.store(as_head, Ordering::Relaxed);
        }
    }

    /// Records that the service has a complete request to answer.
    pub(super) fn answers(&self) {
        self.state.store(0, Ordering::Relaxed);
    }

    fn awaits(&self, client: Client) {
        let state = self.sweeps.load(Ordering::Relaxed) * 4 + client as u64;
        self.state.store(state, Ordering::Relaxed);
    }

    /// Returns the start of the wait, in sweeps, and the action that is awaited from the client.
    fn awaited(&self) -> Option<(u64, Client)> {
        let state = self.state.load(Ordering::Relaxed);
        let client = Client::ALL.into_iter().find(|it| *it as u64 == state % 4)?;
        Some((state / 4, client))
    }

    /// Returns true if the client takes longer than it may.
    fn is_overdue(&self) -> bool {
        self.awaited().is_some_and(|(since, client)| {
            let sweeps = self.sweeps.load(Ordering::Relaxed).saturating_sub(since);
            let waited = SWEEP_PAUSE.saturating_mul(u32::try_from(sweeps).unwrap_or(u32::MAX));
            client.limit().is_some_and(|limit| waited > limit)
        })
    }
}

impl Admission {
    pub(super) fn new(proxies: Arc<TrustedProxies>) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            open: Mutex::default(),
            proxies,
            sweeps: Sweeps::default(),
        })
    }

    /// Returns a place for a connection from an address. If all places are taken, waits for one.
    /// Returns `None` if the network of the address has its full share, and waits for an answer on
    /// all of these connections.
    pub(super) async fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let network = network(peer).filter(|_| !self.proxies.contains(peer));
        let activity = Activity::new(&self.sweeps);
        let number = {
            let mut open = self.open();
            if network.is_some() && open.count(network) >= MAX_OF_NETWORK {
                if !open.evict(network) {
                    tracing::debug!(%peer, "refused a connection: its network has its share");
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
                task: None,
            };
            open.connections.insert(number, connection);
            number
        };
        let mut place = Place {
            admission: Arc::clone(self),
            number,
            activity,
            slot: None,
        };
        // The semaphore is never closed.
        place.slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        Some(place)
    }

    /// Sets the task of a connection. It is aborted when another connection needs the place, or the
    /// client takes too long.
    pub(super) fn watch(&self, number: u64, task: AbortHandle) {
        match self.open().connections.get_mut(&number) {
            Some(connection) => connection.task = Some(task),
            // It has ended, or lost its place before it began.
            None => task.abort(),
        }
    }

    /// Closes the connections of clients that take too long. Never returns.
    pub(super) async fn close_overdue(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP_PAUSE).await;
            self.sweeps.fetch_add(1, Ordering::Relaxed);
            self.open().evict_overdue();
        }
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

    /// Makes room by closing a connection of the network that has the most.
    fn evict_of_greediest(&mut self) {
        let mut counts = HashMap::<IpNet, usize>::new();
        for network in self.connections.values().filter_map(|it| it.network) {
            *counts.entry(network).or_default() += 1;
        }
        let waiting = self.connections.values().filter_map(|connection| {
            connection.activity.awaited()?;
            let network = connection.network?;
            Some((counts[&network], network))
        });
        if let Some((_, greediest)) = waiting.max() {
            self.evict(Some(greediest));
        }
    }

    /// Closes the connection of a network that has waited longest for its client. Returns true if
    /// there was one.
    fn evict(&mut self, network: Option<IpNet>) -> bool {
        let of_network = self
            .connections
            .iter()
            .filter(|(_, it)| it.network == network);
        let waiting = of_network.filter_map(|(number, connection)| {
            let (since, _) = connection.activity.awaited()?;
            Some((since, *number))
        });
        let oldest = waiting
            .min()
            .and_then(|(_, number)| self.connections.remove(&number));
        if let Some(connection) = &oldest {
            connection.close();
        }
        oldest.is_some()
    }

    fn evict_overdue(&mut self) {
        self.connections.retain(|_, connection| {
            let is_overdue = connection.activity.is_overdue();
            if is_overdue {
                connection.close();
            }
            !is_overdue
        });
    }
}

impl Connection {
    fn close(&self) {
        tracing::debug!(
            "closed a connection: another needed its place, or its client took too long"
        );
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.open().connections.remove(&self.number);
    }
}

/// Returns the network that has one share: the /24 of an IPv4 address, the /64 of an IPv6 one.
fn network(address: IpAddr) -> Option<IpNet> {
    let length = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, length)
        .ok()
        .map(|network| network.trunc())
}
