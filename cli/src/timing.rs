//! Times of functions: the median of several runs.
//!
//! Invariant: the first run is not counted where others follow, since it touches fresh memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The shortest time that is measured at once; the clock's own cost is a thousandth of it.
const SHORTEST: Duration = Duration::from_micros(40);
/// More samples than that do not move a median.
const MOST_SAMPLES: usize = 31;
/// A median of fewer samples may be an outlier.
const FEWEST_SAMPLES: usize = 3;

/// The result of `f` and the median of its times in seconds.
///
/// Runs until `budget` is used up, but at least three times; once if one run takes longer than the budget.
pub(crate) fn median<R, E>(
    budget: Duration,
    mut f: impl FnMut() -> Result<R, E>,
) -> Result<(R, f64), E> {
    let start = Instant::now();
    let result = black_box(f()?);
    let first = start.elapsed();
    if first > budget {
        return Ok((result, first.as_secs_f64()));
    }
    let repeats = repeats(first);
    let mut samples = Vec::with_capacity(MOST_SAMPLES);
    while samples.len() < FEWEST_SAMPLES || samples.len() < MOST_SAMPLES && start.elapsed() < budget
    {
        let sample = Instant::now();
        for _ in 0..repeats {
            black_box(f()?);
        }
        samples.push(sample.elapsed().as_secs_f64() / f64::from(repeats));
    }
    samples.sort_by(f64::total_cmp);
    Ok((result, samples[samples.len() / 2]))
}

/// How many runs make up the shortest time.
fn repeats(first: Duration) -> u32 {
    let runs = SHORTEST.as_nanos() / first.as_nanos().max(10) + 1;
    u32::try_from(runs).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_time_of_one_run() {
        let mut runs = 0_u32;
        let nap = || {
            runs += 1;
            std::thread::sleep(Duration::from_millis(2));
            Ok::<_, ()>(7)
        };
        let (result, seconds) = median(Duration::from_millis(1), nap).unwrap();
        assert_eq!((result, runs), (7, 1));
        assert!(seconds >= 0.002, "{seconds}");
        let (_, seconds) = median(Duration::from_millis(5), || Ok::<_, ()>(0)).unwrap();
        assert!(seconds < 1e-4, "{seconds}");
    }

    #[test]
    fn errors_end_the_measurement() {
        assert_eq!(median(Duration::ZERO, || Err::<(), _>("no")), Err("no"));
    }
}
