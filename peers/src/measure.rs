//! Interleaved timing of contestants that do the same work.
//!
//! Invariant: every contestant runs once per round on the same inputs and writes the same quantities
//! into its own buffer, which exists before the clock starts; the figures are medians over rounds.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde::Serialize;

/// Name under which this project's contestant is listed.
pub(crate) const OURS: &str = "wengert";

/// This project, on the same loops as the other tapes.
pub(crate) const OURS_LOOPS: &str = "wengert, plain loops";

/// Name of the function without derivatives.
pub(crate) const PLAIN: &str = "plain f64";

/// Does the work once and writes the quantities that are compared.
type Run<'a> = Box<dyn FnMut(&mut [f64]) + 'a>;

/// One implementation of a workload.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    run: Run<'a>,
}

impl<'a> Contestant<'a> {
    /// A contestant that writes all results of the workload into the slice it is given.
    pub(crate) fn new(name: &'static str, run: impl FnMut(&mut [f64]) + 'a) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }

    /// The same so many times in one call.
    pub(crate) fn repeated(mut self, times: u32) -> Self {
        Self::new(self.name, move |out| {
            for _ in 0..times {
                (self.run)(black_box(&mut *out));
            }
        })
    }
}

/// A workload: who takes part and what the right results are.
pub(crate) struct Workload<'a> {
    /// Name in the output.
    pub(crate) name: String,
    /// What one operation is, for `ns_per_op`.
    pub(crate) operation: &'static str,
    /// Operations in one evaluation.
    pub(crate) operations: u32,
    /// Evaluations in one call of a contestant.
    pub(crate) evaluations: u32,
    /// The function without derivatives.
    pub(crate) plain: Contestant<'a>,
    /// This project and the other crates.
    pub(crate) contestants: Vec<Contestant<'a>>,
    /// Parts of the results, `(from, expected)`, each compared relative to its own largest entry.
    pub(crate) expected: Vec<(usize, Vec<f64>)>,
    /// Where `expected` comes from; `None` means the first contestant's results are used.
    pub(crate) oracle: Option<String>,
    /// Entries a contestant writes.
    pub(crate) results: usize,
    /// Largest deviation that is accepted; at most 1e-8, which is what reports draw.
    pub(crate) tolerance: f64,
}

/// Medians of one workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    /// Workload.
    pub(crate) name: String,
    /// `native` or `default`, from the features the binary was compiled for.
    pub(crate) target_cpu: &'static str,
    /// What one operation is.
    pub(crate) operation: &'static str,
    /// Operations in one evaluation.
    pub(crate) operations: u32,
    /// Measured rounds.
    pub(crate) rounds: u32,
    /// Median of the function without derivatives.
    pub(crate) plain_seconds: f64,
    /// Median of this project; absent where it takes no part.
    pub(crate) ours_seconds: Option<f64>,
    /// Median of this project on the peers' plain loops, where its own version uses n-ary operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ours_loops_seconds: Option<f64>,
    /// Medians of the others.
    pub(crate) peers: BTreeMap<&'static str, f64>,
    /// Ours over the fastest peer.
    pub(crate) ratio_to_best_peer: Option<f64>,
    /// Ours per operation, in nanoseconds.
    pub(crate) ns_per_op: Option<f64>,
    /// The others per operation, in nanoseconds.
    pub(crate) peers_ns_per_op: BTreeMap<&'static str, f64>,
    /// Fastest round of every contestant: what to look at where other work disturbs the medians.
    pub(crate) minimum_seconds: BTreeMap<&'static str, f64>,
    /// Where the expected results come from.
    pub(crate) oracle: String,
    /// Largest deviation of each contestant, relative to the largest expected entry.
    pub(crate) deviations: BTreeMap<&'static str, f64>,
    /// Who was not timed, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed: BTreeMap<&'static str, String>,
    /// Further comparisons of the same workload.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) cases: Vec<Self>,
}

/// Checks every contestant once (which also fills its memory pools), then times `rounds` rounds of those that were right.
pub(crate) fn compare(mut workload: Workload<'_>, rounds: u32) -> Result<Comparison, String> {
    let mut deviations = BTreeMap::new();
    let mut failed = BTreeMap::new();
    let mut buffers = Vec::new();
    let mut contestants = Vec::new();
    for mut contestant in std::mem::take(&mut workload.contestants) {
        let mut buffer = vec![f64::NAN; workload.results];
        // A crate that panics is out of the comparison, which is also what happens to its state.
        let outcome = catch_unwind(AssertUnwindSafe(|| (contestant.run)(&mut buffer)));
        let wrong = match outcome {
            Err(_) => Err("it panicked".to_owned()),
            Ok(()) => {
                if workload.expected.is_empty() {
                    workload.expected.push((0, buffer.clone()));
                }
                let worst = worst(&workload.expected, &buffer);
                if worst <= workload.tolerance {
                    Ok(worst)
                } else {
                    let most = workload.tolerance;
                    Err(format!("it deviates by {worst:e}, more than {most:e}"))
                }
            }
        };
        match wrong {
            Ok(worst) => {
                deviations.insert(contestant.name, worst);
                buffers.push(buffer);
                contestants.push(contestant);
            }
            // Without ours there is nothing to compare with.
            Err(reason) if contestant.name.starts_with(OURS) => {
                return Err(format!("{}: {}: {reason}", workload.name, contestant.name));
            }
            Err(reason) => {
                failed.insert(contestant.name, reason);
            }
        }
    }
    workload.contestants = contestants;

    let mut plain_buffer = vec![f64::NAN; workload.results];
    let mut plain = Vec::new();
    let mut times = vec![Vec::new(); workload.contestants.len()];
    let count = workload.contestants.len();
    // Round 0 is one more warm-up, now in the measured order.
    for round in 0..=rounds {
        let seconds = time(&mut workload.plain, &mut plain_buffer);
        if round > 0 {
            plain.push(seconds);
        }
        // Each round starts with another contestant, so that nobody always follows the same one.
        let start = usize::try_from(round).map_or(0, |r| r % count.max(1));
        for k in (start..count).chain(0..start) {
            let seconds = time(&mut workload.contestants[k], &mut buffers[k]);
            if round > 0 {
                times[k].push(seconds);
            }
        }
    }

    let per_call = f64::from(workload.evaluations);
    let operations = f64::from(workload.operations);
    let mut ours_seconds = None;
    let mut ours_loops_seconds = None;
    let mut peers = BTreeMap::new();
    let mut minimum_seconds = BTreeMap::from([(PLAIN, minimum(&plain) / per_call)]);
    for (contestant, times) in workload.contestants.iter().zip(times) {
        minimum_seconds.insert(contestant.name, minimum(&times) / per_call);
        let seconds = median(times) / per_call;
        if contestant.name == OURS {
            ours_seconds = Some(seconds);
        } else if contestant.name == OURS_LOOPS {
            ours_loops_seconds = Some(seconds);
        } else {
            peers.insert(contestant.name, seconds);
        }
    }
    let others = peers.iter().filter(|(name, _)| !name.starts_with(OURS));
    let best = others.map(|(_, seconds)| *seconds).reduce(f64::min);
    Ok(Comparison {
        name: workload.name,
        target_cpu: target_cpu(),
        operation: workload.operation,
        operations: workload.operations,
        rounds,
        plain_seconds: median(plain) / per_call,
        ours_seconds,
        ours_loops_seconds,
        ratio_to_best_peer: ours_seconds.zip(best).map(|(ours, best)| ours / best),
        ns_per_op: ours_seconds.map(|s| s * 1e9 / operations),
        peers_ns_per_op: peers
            .iter()
            .map(|(&n, &s)| (n, s * 1e9 / operations))
            .collect(),
        peers,
        minimum_seconds,
        oracle: workload
            .oracle
            .unwrap_or_else(|| "the first contestant".to_owned()),
        deviations,
        failed,
        cases: Vec::new(),
    })
}

/// The largest deviation in all parts of the results.
fn worst(expected: &[(usize, Vec<f64>)], found: &[f64]) -> f64 {
    let part = |(from, expected): &(usize, Vec<f64>)| {
        found
            .get(*from..*from + expected.len())
            .map_or(f64::INFINITY, |found| deviation(found, expected))
    };
    expected.iter().map(part).fold(0.0, f64::max)
}

/// Largest difference over the largest expected entry; infinite where only one side is finite.
pub(crate) fn deviation(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = expected.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
    let mut worst = 0.0_f64;
    for (f, e) in found.iter().zip(expected) {
        let difference = (f - e).abs();
        if !difference.is_finite() {
            return f64::INFINITY;
        }
        worst = worst.max(difference);
    }
    if worst == 0.0 { 0.0 } else { worst / scale }
}

/// `native` where instructions beyond the x86-64 baseline (here AVX2) were allowed.
pub(crate) fn target_cpu() -> &'static str {
    if cfg!(target_feature = "avx2") {
        "native"
    } else {
        "default"
    }
}

fn time(contestant: &mut Contestant<'_>, buffer: &mut [f64]) -> f64 {
    let start = Instant::now();
    (contestant.run)(black_box(&mut *buffer));
    black_box(&*buffer);
    start.elapsed().as_secs_f64()
}

fn minimum(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match (times.get(middle), times.len() % 2) {
        (Some(&upper), 1) => upper,
        (Some(&upper), _) => f64::midpoint(times[middle - 1], upper),
        (None, _) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_even_and_odd_counts() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn a_deviation_is_relative_to_the_largest_entry_and_never_hides_nan() {
        assert_eq!(deviation(&[1.0, 4.5], &[1.0, 4.0]), 0.125);
        assert_eq!(deviation(&[0.0], &[0.0]), 0.0);
        assert_eq!(deviation(&[f64::NAN], &[1.0]), f64::INFINITY);
        assert_eq!(deviation(&[1.0], &[f64::NAN]), f64::INFINITY);
        assert_eq!(deviation(&[1.0], &[1.0, 2.0]), f64::INFINITY);
    }

    fn workload<'a>(second: f64) -> Workload<'a> {
        Workload {
            name: "test".to_owned(),
            operation: "entry",
            operations: 1,
            evaluations: 1,
            plain: Contestant::new(PLAIN, |_| {}),
            contestants: vec![
                Contestant::new(OURS, |out| out.fill(1.0)),
                Contestant::new("peer", move |out| out.fill(second)),
            ],
            expected: Vec::new(),
            oracle: None,
            results: 2,
            tolerance: 1e-9,
        }
    }

    #[test]
    fn a_wrong_contestant_is_listed_and_a_right_one_is_timed() {
        for wrong in [1.0 + 1e-6, f64::NAN] {
            let comparison = compare(workload(wrong), 1).unwrap();
            assert!(comparison.peers.is_empty());
            assert!(comparison.failed["peer"].starts_with("it deviates by "));
            assert_eq!(comparison.minimum_seconds.len(), 2);
        }
        let comparison = compare(workload(1.0), 3).unwrap();
        assert!(comparison.ours_seconds.is_some() && comparison.ratio_to_best_peer.is_some());
        assert_eq!(
            comparison.peers.keys().copied().collect::<Vec<_>>(),
            ["peer"]
        );
        let mut panics = workload(1.0);
        panics.contestants[1] = Contestant::new("peer", |_| panic!("on purpose"));
        assert_eq!(compare(panics, 1).unwrap().failed["peer"], "it panicked");
    }

    #[test]
    fn nothing_is_timed_where_ours_is_wrong() {
        let mut wrong = workload(1.0);
        wrong.expected = vec![(0, vec![2.0, 2.0])];
        assert!(compare(wrong, 1).is_err());
    }

    #[test]
    fn repeated_contestants_run_so_often() {
        let mut calls = 0;
        let mut contestant = Contestant::new("counts", |_| calls += 1).repeated(5);
        (contestant.run)(&mut []);
        drop(contestant);
        assert_eq!(calls, 5);
    }
}
