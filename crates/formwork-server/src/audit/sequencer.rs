//! Chains what is committed, well within a second, and removes what is kept no longer. On a database that several
//! nodes share each tries, and the database lets one at a time.

use crate::clock::Clock;
use formwork_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it looks for entries: often enough that a second holds on a machine that has little time.
const LOOK: Duration = Duration::from_millis(100);

/// Keeps the chain up with the entries until told to stop.
pub(crate) async fn keep_chain(store: Arc<Store>, clock: Arc<Clock>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        keep_up(&store, clock.now()).await;
    }
}

/// Chains all that is committed, and removes what is over. What cannot be done now is done next time.
pub(crate) async fn keep_up(store: &Arc<Store>, now: i64) {
    let due = match store.is_shared() {
        true => {
            let store = Arc::clone(store);
            tokio::task::spawn_blocking(move || store.audit_due(now)).await.ok()
        }
        false => Some(store.audit_due(now)),
    };
    let Some(Ok((waits, is_over))) = due else { return };
    if waits {
        while let Ok(true) = store.chain_audit().await {}
    }
    if is_over {
        while let Ok(true) = store.prune_audit(now).await {}
        // The removal itself is an entry.
        while let Ok(true) = store.chain_audit().await {}
    }
}
