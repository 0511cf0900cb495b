//! [`Budget`]: how long a search may go on, and [`StoppedBy`]: why it ended.
//!
//! Invariant: evaluations bound the work and give the same result on every machine; time and interruption are safety stops
//! (EDGE_CASES e96).
//! Source: none.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoppedBy {
    /// The budget of evaluations is used up, or there was nothing left to try.
    Work,
    /// The time is over.
    Time,
    /// The best that was found is proven optimal.
    Proof,
    /// Somebody asked it to stop.
    Interrupt,
}

impl fmt::Display for StoppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Work => "work",
            Self::Time => "time",
            Self::Proof => "proof",
            Self::Interrupt => "interrupt",
        })
    }
}

/// A bound on the work of a search.
///
/// ```
/// use std::time::Duration;
/// use wengert::crosscountry::Budget;
/// let budget = Budget::default().with_evaluations(10_000).with_time(Duration::from_secs(5));
/// assert_eq!(budget.evaluations, 10_000);
/// ```
///
/// **Shape**: an evaluation is the cost of one complete order, or as much work.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The number of evaluations, over all threads.
    pub evaluations: u64,
    /// The time, from [`start`](Self::start) on.
    pub time: Option<Duration>,
    /// Set from outside, it ends the search.
    pub interrupt: Option<Arc<AtomicBool>>,
}

impl Default for Budget {
    /// 200 000 evaluations without a time limit.
    fn default() -> Self {
        Self {
            evaluations: 200_000,
            time: None,
            interrupt: None,
        }
    }
}

impl Budget {
    /// The budget with another number of evaluations.
    #[must_use]
    pub fn with_evaluations(self, evaluations: u64) -> Self {
        Self {
            evaluations,
            ..self
        }
    }

    /// The budget with a time limit.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self {
            time: Some(time),
            ..self
        }
    }

    /// The budget with a flag that ends the search when it is set.
    #[must_use]
    pub fn with_interrupt(self, interrupt: Arc<AtomicBool>) -> Self {
        Self {
            interrupt: Some(interrupt),
            ..self
        }
    }

    /// Starts the clock.
    #[must_use]
    pub fn start(&self) -> Clock {
        Clock {
            deadline: self.time.and_then(|time| Instant::now().checked_add(time)),
            interrupt: self.interrupt.clone(),
            started: Instant::now(),
            evaluations: AtomicU64::new(0),
        }
    }
}

/// A budget whose time is running.
#[derive(Debug)]
pub struct Clock {
    deadline: Option<Instant>,
    interrupt: Option<Arc<AtomicBool>>,
    started: Instant,
    evaluations: AtomicU64,
}

impl Clock {
    /// Why the search must end now, if it must.
    #[must_use]
    pub fn must_stop(&self) -> Option<StoppedBy> {
        let is_set = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        if self.interrupt.as_ref().is_some_and(is_set) {
            Some(StoppedBy::Interrupt)
        } else if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            Some(StoppedBy::Time)
        } else {
            None
        }
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Counts evaluations for the report; the bound on the work is kept by the searches, each for its own part.
    pub fn count(&self, evaluations: u64) {
        self.evaluations.fetch_add(evaluations, Ordering::Relaxed);
    }

    /// The number of evaluations counted so far.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }
}
