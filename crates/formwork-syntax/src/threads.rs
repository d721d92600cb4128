//! Work on a long document, shared out to the processors: what the rooms of the front end have in common for it.
//!
//! What comes out is what one thread would have made, in the same order; a document that is short is read on the
//! thread that asks. Source: docs/decisions/0151-threads-for-long-documents.md.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;

/// Documents of fewer bytes are not worth a second thread, which takes longer to begin than they take to read.
pub const LONG: usize = 1 << 18;

/// More threads than this wait for memory rather than for each other.
const MOST: usize = 8;

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Does something on the thread that asks and on no other: what measures the work of one thread sees all of it.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    let before = ALONE.replace(true);
    let done = work();
    ALONE.set(before);
    done
}

/// How many threads a document of this many bytes is worth.
pub fn worth(bytes: usize) -> usize {
    if ALONE.get() {
        return 1;
    }
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors = || *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from));
    if bytes < LONG { 1 } else { processors().min(MOST).min(bytes / (LONG / 2)) }
}

/// Does two things, at the same time when there are two threads or more.
pub fn both<A: Send, B>(threads: usize, one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    if threads < 2 {
        return (one(), other());
    }
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| resume_unwind(panic)), other)
    })
}

/// What comes of each item, in their order. Each thread takes a run of neighbours.
pub fn map<'i, I: Sync, O: Send>(threads: usize, items: &'i [I], make: impl Fn(&'i I) -> O + Sync) -> Vec<O> {
    if threads < 2 || items.len() < 2 {
        return items.iter().map(make).collect();
    }
    let make = &make;
    let mut runs = items.chunks(items.len().div_ceil(threads));
    let first = runs.next().unwrap_or_default();
    thread::scope(|scope| {
        let begun: Vec<_> =
            runs.map(|run| scope.spawn(move || run.iter().map(make).collect::<Vec<O>>())).collect();
        let mut made: Vec<O> = Vec::with_capacity(items.len());
        made.extend(first.iter().map(make));
        for thread in begun {
            made.append(&mut thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_make_comes_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1_001).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        for threads in [1, 2, 3, 8, 2_000] {
            assert_eq!(map(threads, &items, |item| item * 2), doubled, "{threads}");
            assert_eq!(both(threads, || 1, || 2), (1, 2));
        }
        assert_eq!(map(4, &[] as &[u32], |item| *item), [] as [u32; 0]);
    }

    #[test]
    fn a_short_document_is_worth_one_thread() {
        assert_eq!(worth(0), 1);
        assert_eq!(worth(LONG - 1), 1);
        assert!((1..=MOST).contains(&worth(usize::MAX)));
        assert_eq!(alone(|| worth(usize::MAX)), 1);
    }
}
