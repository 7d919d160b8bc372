//! Connections: accepted up to a limit, given up when they stall, drained at the end.
//!
//! poem's own server gives a client that sends half a request, or does not read its answer, all the
//! time it wants, and spins when it runs out of file descriptors.

use std::{pin::pin, sync::Arc, time::Duration};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Endpoint, Request, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

const MAX_CONNECTIONS: usize = 1024;
const MAX_HEADERS: usize = 100;
/// The largest request line and headers together, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// How long a request's headers may take to arrive, and a connection may wait for the next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to read the next piece of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait when no connection can be accepted, such as without file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long requests under way may take to finish once the service is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `shutdown`, then lets the requests under way finish.
pub(crate) async fn serve<E>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    endpoint: E,
    shutdown: impl Future<Output = ()>,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let endpoint = Arc::new(endpoint);
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let tls = tls.clone();
                let connection = connection(stream, tls, Arc::clone(&endpoint), stopped.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    drop(stop);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, drained).await.is_err() {
        tracing::warn!("gave up on requests that did not finish in time");
    }
}

async fn connection<E>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    endpoint: Arc<E>,
    stopped: watch::Receiver<()>,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else {
        // Gone before it was looked at.
        return;
    };
    // The answers are small: none should wait for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection takes no options");
    }
    let addresses = (LocalAddr(local.into()), RemoteAddr(remote.into()));
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let stream = Box::pin(stream);
    let Some(tls) = tls else {
        return requests(stream, Scheme::HTTP, addresses, endpoint, stopped).await;
    };
    match tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, Scheme::HTTPS, addresses, endpoint, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection is not encrypted"),
        Err(_) => tracing::debug!("a connection took too long to be encrypted"),
    }
}

/// Answers the requests that come over a connection.
async fn requests<S, E>(
    stream: S,
    scheme: Scheme,
    (local, remote): (LocalAddr, RemoteAddr),
    endpoint: Arc<E>,
    mut stopped: watch::Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let request = Request::from((request, local.clone(), remote.clone(), scheme.clone()));
        let endpoint = Arc::clone(&endpoint);
        async move {
            let response = endpoint.get_response(request).await;
            Ok::<_, std::convert::Infallible>(hyper::Response::from(response))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        // The sender is dropped when it is time to stop.
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
