//! Futures on one task, a few at a time, their results in the order in which they were given.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Drives all of them to their end, at most `most` at a time.
pub(super) async fn few_at_a_time<F: Future>(futures: Vec<F>, most: usize) -> Vec<F::Output> {
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let mut waiting = futures.into_iter().enumerate();
    let mut open: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    poll_fn(|context| {
        loop {
            while open.len() < most.max(1)
                && let Some((at, future)) = waiting.next()
            {
                open.push((at, Box::pin(future)));
            }
            let before = open.len();
            open.retain_mut(|(at, future)| match future.as_mut().poll(context) {
                Poll::Ready(result) => {
                    results[*at] = Some(result);
                    false
                }
                Poll::Pending => true,
            });
            if open.is_empty() && waiting.len() == 0 {
                return Poll::Ready(());
            }
            // Where one has ended another may begin, and must be asked once so that it can wake this task.
            if open.len() == before || waiting.len() == 0 {
                return Poll::Pending;
            }
        }
    })
    .await;
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::few_at_a_time;
    use std::cell::Cell;

    #[test]
    fn results_keep_their_order_and_no_more_than_so_many_run() {
        let (running, most) = (Cell::new(0), Cell::new(0));
        let job = |number: u32| {
            let (running, most) = (&running, &most);
            async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                for _ in 0..number % 4 {
                    tokio::task::yield_now().await;
                }
                running.set(running.get() - 1);
                number
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let results = runtime.block_on(few_at_a_time((0..20).map(job).collect(), 3));
        assert_eq!(results, (0..20).collect::<Vec<_>>());
        assert_eq!((running.get(), most.get()), (0, 3));
    }
}
