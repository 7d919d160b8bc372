//! Signal handling: three signals stop the service, one reloads it, and no other ends it.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The action that a signal asks for.
pub(crate) enum Asked {
    /// Finish requests in progress, and end.
    Stop,
    /// Reload the certificate and the log filter.
    Reload,
}

/// Handlers of the signals, registered by [`Signals::take`].
pub(crate) struct Signals {
    stop: [Signal; 3],
    reload: Signal,
    /// Signals that would otherwise end the process, with their numbers; they are logged and
    /// ignored. Signals of a fault are left out: the process cannot continue after one.
    ignored: Vec<(i32, Signal)>,
}

impl Signals {
    /// Registers handlers for the signals.
    pub(crate) fn take() -> io::Result<Self> {
        let ignored = would_end().filter_map(|number| {
            match signal(SignalKind::from_raw(number)) {
                Ok(taken) => Some(Ok((number, taken))),
                // Reserved by a tool that the process runs in, such as valgrind.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => None,
                Err(error) => Some(Err(error)),
            }
        });
        Ok(Self {
            stop: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::quit())?,
            ],
            reload: signal(SignalKind::hangup())?,
            ignored: ignored.collect::<io::Result<_>>()?,
        })
    }

    /// Waits for a signal to stop or to reload.
    pub(crate) async fn next(&mut self) -> Asked {
        poll_fn(|context| match self.poll_stop(context) {
            Poll::Ready(()) => Poll::Ready(Asked::Stop),
            Poll::Pending => self.reload.poll_recv(context).map(|_| Asked::Reload),
        })
        .await
    }

    /// Waits for a signal to stop. A signal to reload is kept for [`Self::next`].
    pub(crate) async fn stop(&mut self) {
        poll_fn(|context| self.poll_stop(context)).await;
    }

    fn poll_stop(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for (number, signal) in &mut self.ignored {
            while let Poll::Ready(Some(())) = signal.poll_recv(context) {
                tracing::info!(number, "ignored a signal");
            }
        }
        let mut stop = self.stop.iter_mut();
        match stop.any(|signal| signal.poll_recv(context).is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

fn would_end() -> impl Iterator<Item = i32> {
    use libc::{SIGALRM, SIGIO, SIGPROF, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ};

    let everywhere = [
        SIGALRM, SIGIO, SIGPROF, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
    ];
    everywhere.into_iter().chain(would_end_here())
}

#[cfg(target_os = "linux")]
fn would_end_here() -> impl Iterator<Item = i32> {
    [libc::SIGPWR, libc::SIGSTKFLT]
        .into_iter()
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
}

#[cfg(not(target_os = "linux"))]
fn would_end_here() -> impl Iterator<Item = i32> {
    []
}
