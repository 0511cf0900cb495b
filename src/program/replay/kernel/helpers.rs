//! [`Helpers`]: threads of rayon's pool that take part in what a calling thread does.
//!
//! A scope of rayon makes its caller wait until every job has run, also jobs that find nothing left to do, and a job runs late
//! where processors have other work. When the caller only waits, both jobs of two often start on the processor it left, and take
//! as long as one. Here the caller works as well, and takes back what has not been started when it is ready.
//!
//! Invariant: a helper touches the work of a call only between its start and its end, and the call waits for the end of what was
//! started; a helper has at most one job in the pool. The safe twin of a call is that of one thread.
//! Source: work sharing with cancellation; none in particular.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What may run on several threads at once.
type Work = dyn Fn() + Sync;

/// Threads of the pool that help one caller at a time.
#[derive(Debug, Default)]
pub(super) struct Helpers(Vec<Arc<Helper>>);

impl Clone for Helpers {
    /// As many others: the copies may be called at the same time.
    fn clone(&self) -> Self {
        Self::new(self.0.len())
    }
}

#[derive(Debug, Default)]
struct Helper {
    state: Mutex<State>,
    has_ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether a job of this helper waits in the pool.
    is_queued: bool,
    /// What it will do, unless it is taken back.
    work: Option<Shared>,
    is_running: bool,
    /// What the work panicked with.
    panic: Option<Box<dyn std::any::Any + Send>>,
}

/// The work of a call.
#[derive(Clone, Copy, Debug)]
struct Shared(*const Work);

// SAFETY: the work is `Sync`, and it is there for as long as this is used: see `Helpers::run`.
unsafe impl Send for Shared {}

impl Helper {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job in the pool.
    fn run(&self) {
        let mut state = self.state();
        state.is_queued = false;
        let Some(work) = state.work.take() else {
            return;
        };
        state.is_running = true;
        drop(state);
        // SAFETY: the call that owns the work waits while `is_running`.
        let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { (*work.0)() }));
        let mut state = self.state();
        state.is_running = false;
        state.panic = outcome.err();
        self.has_ended.notify_one();
    }

    /// Offers work; a job that still waits in the pool from an earlier call will do this one.
    fn offer(self: &Arc<Self>, work: Shared) {
        let mut state = self.state();
        state.work = Some(work);
        if !std::mem::replace(&mut state.is_queued, true) {
            drop(state);
            let helper = Arc::clone(self);
            rayon::spawn(move || helper.run());
        }
    }

    /// Takes the work back, or waits for its end.
    fn end(&self) -> Option<Box<dyn std::any::Any + Send>> {
        let mut state = self.state();
        state.work = None;
        while state.is_running {
            let woken = self.has_ended.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        state.panic.take()
    }
}

/// Ends the help when a call ends, by a panic as well.
struct Call<'a>(&'a [Arc<Helper>]);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let panics = self.0.iter().filter_map(|helper| helper.end());
        // All have ended before one panic goes on.
        let first = panics.reduce(|first, _| first);
        if let Some(panic) = first
            && !std::thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

impl Helpers {
    /// So many helpers; no thread is started.
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Arc::default()).collect())
    }

    /// Does the work of every item, on this thread and on those of the pool that are free in time; the results have the order of the
    /// items.
    pub(super) fn each<T: Send, R: Send>(
        &mut self,
        items: &mut [T],
        work: impl Fn(&mut T) -> R + Sync,
    ) -> Vec<R> {
        let helpers = items.len().saturating_sub(1);
        let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let rest = Mutex::new(items.iter_mut().zip(&mut results));
        let take = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.run(helpers, &|| {
            while let Some((item, result)) = take() {
                *result = Some(work(item));
            }
        });
        results.into_iter().flatten().collect()
    }

    /// Runs the work here and on so many helpers at the same time; some may not come to it.
    fn run(&mut self, helpers: usize, work: &(dyn Fn() + Sync)) {
        let pointer: *const (dyn Fn() + Sync + '_) = work;
        // SAFETY: only the lifetime changes. `Call` ends the help before this function returns or unwinds, after which nobody has the
        // pointer: `end` takes it back or waits.
        let pointer =
            unsafe { std::mem::transmute::<*const (dyn Fn() + Sync + '_), *const Work>(pointer) };
        let helpers = &self.0[..helpers.min(self.0.len())];
        let _call = Call(helpers);
        for helper in helpers {
            helper.offer(Shared(pointer));
        }
        work();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_item_is_done_once_and_results_keep_their_order() {
        for (helpers, len) in [(0, 0), (0, 5), (1, 1), (3, 2), (3, 1000)] {
            let mut helpers = Helpers::new(helpers);
            for _ in 0..20 {
                let mut items: Vec<usize> = (0..len).collect();
                let squares = helpers.each(&mut items, |item| {
                    *item += 1;
                    *item * *item
                });
                assert_eq!(items, (1..=len).collect::<Vec<_>>());
                assert_eq!(squares, (1..=len).map(|k| k * k).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn helpers_do_help() {
        let mut helpers = Helpers::new(1);
        // The first of the two waits for the second, so one thread alone would never end.
        let met = AtomicUsize::new(0);
        helpers.each(&mut [(), ()], |()| {
            met.fetch_add(1, Ordering::SeqCst);
            while met.load(Ordering::SeqCst) < 2 {
                std::thread::yield_now();
            }
        });
    }

    #[test]
    fn a_pool_without_a_free_thread_holds_nobody_up() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        // The only thread of this pool is busy with the call itself.
        let done = pool.unwrap().install(|| {
            let mut helpers = Helpers::new(2);
            (0..100)
                .map(|_| helpers.each(&mut [1, 2, 3], |k| *k).len())
                .sum::<usize>()
        });
        assert_eq!(done, 300);
    }

    #[test]
    fn a_panic_of_a_helper_reaches_the_caller_after_all_have_ended() {
        let mut helpers = Helpers::new(1);
        let caller = std::thread::current().id();
        let met = AtomicUsize::new(0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            helpers.each(&mut [(), ()], |()| {
                met.fetch_add(1, Ordering::SeqCst);
                while met.load(Ordering::SeqCst) < 2 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                assert!(std::thread::current().id() == caller, "on a helper");
            })
        }));
        let panic = outcome.unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"on a helper"));
        // The helpers are ready for the next call.
        assert_eq!(helpers.each(&mut [1, 2], |k| *k), [1, 2]);
    }
}
