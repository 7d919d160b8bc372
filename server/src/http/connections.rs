//! Connections: accepted, closed when they stall, and drained at shutdown.
//!
//! poem's own server gives a client that sends half a request, or does not read its answer, all the
//! time it wants, and spins when it runs out of file descriptors.

use std::{
    future::poll_fn,
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt;
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use poem::{
    Endpoint, Request, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, Take},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{
    admission::{Activity, Admission, Place},
    proxies::TrustedProxies,
};

/// Maximum size of the request line and the headers together, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// Maximum number of bytes that are read at once: less than the buffer that hyper begins with.
const MAX_READ: u64 = 4 * 1024;
/// Time limit of the TLS handshake.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a connection could not be accepted, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time limit for requests in progress to finish on shutdown, once the listener is closed.
const GRACE: Duration = Duration::from_secs(10);
/// Time that idle connections are kept open once shutdown begins: a client that is about to send
/// its next request still gets an answer, with `Connection: close`.
const LAST_REQUESTS: Duration = Duration::from_millis(500);
/// Time that further input of a client is read and discarded after the last answer: closing a
/// connection with unread input resets it, and the client may lose the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Serves until `shutdown`, then lets the requests in progress finish. A new connection is
/// encrypted with the TLS settings that `tls` holds at that time.
pub(crate) async fn serve<E>(
    listener: TcpListener,
    tls: watch::Receiver<Option<TlsAcceptor>>,
    endpoint: E,
    proxies: Arc<TrustedProxies>,
    shutdown: impl Future<Output = ()>,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let admission = Admission::new(proxies);
    // Aborted when this is dropped.
    let mut sweeper = JoinSet::new();
    sweeper.spawn(Arc::clone(&admission).close_overdue());
    let (stop, stopped) = watch::channel(());
    let server = Arc::new(Server {
        tls,
        endpoint,
        stopped,
    });
    let begin = |connections: &mut JoinSet<()>, stream, place: Place| {
        let number = place.number;
        let task = connections.spawn(Arc::clone(&server).serve(stream, place));
        admission.watch(number, task);
    };
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let admitted = tokio::select! {
                    // A connection with a place is served, even during shutdown.
                    biased;
                    admitted = admission.admit(peer.ip()) => admitted,
                    () = &mut shutdown => break,
                };
                if let Some(place) = admitted {
                    begin(&mut connections, stream, place);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(stop);
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if let Some(place) = admission.admit(peer.ip()).await {
                        begin(&mut connections, stream, place);
                    }
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    if let Err(error) = refuse_new_clients(&listener) {
        tracing::debug!(%error, "a client that connects during shutdown may get no answer");
    }
    // It only ends by the timeout.
    let _ = tokio::time::timeout(LAST_REQUESTS, accepting).await;
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, drained).await.is_err() {
        tracing::warn!("gave up on requests that did not finish in time");
    }
}

/// Makes the system ignore new attempts to connect, which are refused once the listener is closed.
/// Connections that have begun before are still accepted: closing the listener would drop them, and
/// perhaps requests that were sent already.
#[cfg(target_os = "linux")]
fn refuse_new_clients(listener: &TcpListener) -> io::Result<()> {
    use socket2::{SockFilter, SockRef};

    /// Drops a TCP segment with SYN among its flags, which are its byte 13.
    const NO_SYN: [SockFilter; 4] = [
        SockFilter::new(0x30, 0, 0, 13),
        SockFilter::new(0x45, 0, 1, 0x02),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    SockRef::from(listener).attach_filter(&NO_SYN)
}

#[cfg(not(target_os = "linux"))]
fn refuse_new_clients(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// State shared by all connections of a listener.
struct Server<E> {
    tls: watch::Receiver<Option<TlsAcceptor>>,
    endpoint: E,
    /// Its sender is dropped when it is time to stop.
    stopped: watch::Receiver<()>,
}

impl<E> Server<E>
where
    E: Endpoint<Output = Response> + 'static,
{
    async fn serve(self: Arc<Self>, stream: TcpStream, place: Place) {
        let activity = place.activity.clone();
        let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else {
            // The client has disconnected already.
            return;
        };
        // The answers are small, and should not wait for further data.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY for a connection");
        }
        let addresses = (LocalAddr(local.into()), RemoteAddr(remote.into()));
        let tls = self.tls.borrow().clone();
        let Some(tls) = tls else {
            return self
                .requests(stream, Scheme::HTTP, addresses, activity)
                .await;
        };
        match tokio::time::timeout(TLS_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                activity.awaits_head();
                // Boxed, so that plain connections stay small.
                let stream = Box::new(stream);
                Box::pin(self.requests(stream, Scheme::HTTPS, addresses, activity)).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake of a connection failed"),
            Err(_) => tracing::debug!("the TLS handshake of a connection took too long"),
        }
    }

    /// Answers the requests that come over a connection.
    async fn requests<S>(
        self: &Arc<Self>,
        stream: S,
        scheme: Scheme,
        (local, remote): (LocalAddr, RemoteAddr),
        activity: Activity,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Watched {
            stream: stream.take(0),
            activity: activity.clone(),
            is_stalled: false,
        };
        let service = service_fn(|request: hyper::Request<Incoming>| {
            let is_whole = request.body().is_end_stream();
            let mut request =
                Request::from((request, local.clone(), remote.clone(), scheme.clone()));
            if is_whole {
                activity.answers();
            } else {
                activity.awaits_body();
                request.set_data(activity.clone());
            }
            let (server, activity) = (&**self, &activity);
            let answered = server.endpoint.call(request).map(move |response| {
                let response = response.unwrap_or_else(|error| error.into_response());
                activity.awaits_reader();
                Ok::<_, std::convert::Infallible>(hyper::Response::from(response))
            });
            // Boxed: a connection without a request is small.
            Box::pin(answered)
        });
        let mut connection = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut stopped = self.stopped.clone();
        let stopped = async {
            // It fails, since the sender is dropped.
            let _ = stopped.changed().await;
            tokio::time::sleep(LAST_REQUESTS).await;
        };
        let ended = tokio::select! {
            biased;
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => ended,
            () = stopped => {
                Pin::new(&mut connection).graceful_shutdown();
                poll_fn(|context| connection.poll_without_shutdown(context)).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
        linger(connection.into_parts().io.into_inner().stream.into_inner()).await;
    }
}

/// Shuts down the sending side of a connection, and waits a little for the client to close its
/// side.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let lingering = async {
        stream.shutdown().await?;
        let mut unread = [0; 512];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    if let Ok(Err(error)) = tokio::time::timeout(LINGER, lingering).await {
        tracing::debug!(%error, "a connection did not end cleanly");
    }
}

/// Stream that is read in small pieces, and reports to an [`Activity`] what its client has read.
///
/// hyper doubles the buffer of a connection each time that a read fills it, and keeps it that large
/// while a slow body arrives: a thousand such connections take tens of megabytes.
struct Watched<S> {
    stream: Take<S>,
    activity: Activity,
    /// Set while the client has to read before more can be written.
    is_stalled: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.set_limit(MAX_READ);
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

/// No vectored writes: an answer is small, and cheaper to copy than to gather.
impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(self.stream.get_mut()).poll_write(context, bytes);
        let was_stalled = mem::replace(&mut self.is_stalled, written.is_pending());
        if was_stalled && written.is_ready() {
            self.activity.note_progress();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(self.stream.get_mut()).poll_flush(context);
        if flushed.is_ready() {
            self.activity.note_flush();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(context)
    }
}
