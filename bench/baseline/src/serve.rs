//! Puts the service together: one single-threaded runtime per core, all accepting from one socket, and the
//! writer beside them.
//!
//! A request stays on the core that accepted its connection, so that nothing but a write crosses threads.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::sync::{mpsc, watch};

use crate::Options;
use crate::http::{App, router};
use crate::keys::Keys;
use crate::store;
use crate::writer::{Delivery, Writer};

/// Serves until SIGTERM or Ctrl-C, then answers what it has and returns.
///
/// # Errors
/// When the folder, the database or the address cannot be had.
pub fn run(options: &Options) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("cannot make the folder {}", options.data.display()))?;
    let path = options.data.join("shortlink.db");
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
    let writer = Writer::start(&path, senders)?;
    let listener =
        TcpListener::bind(options.listen).with_context(|| format!("cannot listen on {}", options.listen))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;

    let (stop, stopped) = watch::channel(());
    let mut workers = Vec::new();
    for (worker, outcomes) in receivers.into_iter().enumerate() {
        let app = App { keys: Keys::of_member(&options.key), writer: writer.clone(), worker };
        workers.push(start_worker(&path, listener.try_clone()?, app, outcomes, stopped.clone())?);
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()?;
    drop(stdout);

    wait_for_signal()?;
    drop(stop);
    for worker in workers {
        worker.join().map_err(|_| anyhow::anyhow!("a worker failed"))??;
    }
    Ok(())
}

fn start_worker(
    path: &Path,
    listener: TcpListener,
    app: App,
    mut outcomes: mpsc::UnboundedReceiver<Delivery>,
    mut stopped: watch::Receiver<()>,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let path = path.to_owned();
    let thread = std::thread::Builder::new().name(format!("worker-{}", app.worker));
    let handle = thread.spawn(move || {
        store::open_reader(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        runtime.block_on(async move {
            tokio::spawn(async move {
                while let Some(delivery) = outcomes.recv().await {
                    for (reply, outcome) in delivery {
                        // A caller that has hung up no longer waits.
                        let _ = reply.send(outcome);
                    }
                }
            });
            let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
                // Without it a small answer may wait for the peer's acknowledgement.
                let _ = stream.set_nodelay(true);
            });
            // One per worker for the whole life of the process.
            let app: &'static App = Box::leak(Box::new(app));
            axum::serve(listener, router(app))
                .with_graceful_shutdown(async move {
                    // The sender says nothing; it is dropped to stop.
                    let _ = stopped.changed().await;
                })
                .await?;
            anyhow::Ok(())
        })
    })?;
    Ok(handle)
}

fn wait_for_signal() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        Ok(())
    })
}
