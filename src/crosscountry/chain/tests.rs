//! Brute-force twins: every bracketing in every schedule, for short chains.
//!
//! Invariant: the twins share nothing with the planner but the chain.

use super::*;
use crate::Error;
use crate::crosscountry::{Status, StoppedBy};

/// A task of the twin: its cost and what it waits for.
type Twin = Vec<(u64, Vec<usize>)>;

/// All task trees of the part `i..=j`, operands first. Straight from the definition, with sweeps over several elements.
fn trees(e: &[[u64; 3]], memory: u64, i: usize, j: usize) -> Vec<Twin> {
    if i == j {
        let [n, m, edges] = e[i];
        let cost = if edges <= memory { n.min(m) } else { n } * edges;
        return vec![vec![(cost, vec![])]];
    }
    let mut all = Vec::new();
    for k in i..j {
        let (left, right) = (trees(e, memory, i, k), trees(e, memory, k + 1, j));
        let edges = |range: &[[u64; 3]]| range.iter().map(|x| x[2]).sum::<u64>();
        for l in &left {
            let mut tree = l.clone();
            tree.push((e[i][0] * edges(&e[k + 1..=j]), vec![l.len() - 1]));
            all.push(tree);
            for r in &right {
                let mut tree = l.clone();
                let moved = r
                    .iter()
                    .map(|(cost, of)| (*cost, of.iter().map(|o| o + l.len()).collect::<Vec<_>>()));
                tree.extend(moved);
                let last = tree.len() - 1;
                tree.push((e[j][1] * e[k][1] * e[i][0], vec![l.len() - 1, last]));
                all.push(tree);
            }
        }
        if edges(&e[i..=k]) <= memory {
            for r in right {
                let mut tree = r.clone();
                tree.push((e[j][1] * edges(&e[i..=k]), vec![r.len() - 1]));
                all.push(tree);
            }
        }
    }
    all
}

/// The shortest schedule: every order of the tasks, each as soon as it can.
fn shortest(tree: &Twin, ends: &mut Vec<Option<u64>>, free: &mut Vec<u64>, best: &mut u64) {
    if free.iter().max() >= Some(best) {
        return;
    }
    if ends.iter().all(Option::is_some) {
        *best = free.iter().copied().max().unwrap();
        return;
    }
    for task in 0..tree.len() {
        let ready = tree[task]
            .1
            .iter()
            .map(|o| ends[*o])
            .try_fold(0, |a, e| Some(e?.max(a)));
        let (None, Some(ready)) = (ends[task], ready) else {
            continue;
        };
        for worker in 0..free.len() {
            let before = free[worker];
            if free[..worker].contains(&before) {
                continue;
            }
            free[worker] = ready.max(before) + tree[task].0;
            ends[task] = Some(free[worker]);
            shortest(tree, ends, free, best);
            ends[task] = None;
            free[worker] = before;
        }
    }
}

fn twin(e: &[[u64; 3]], memory: u64, workers: usize) -> u64 {
    let mut best = u64::MAX;
    for tree in trees(e, memory, 0, e.len() - 1) {
        shortest(
            &tree,
            &mut vec![None; tree.len()],
            &mut vec![0; workers],
            &mut best,
        );
    }
    best
}

fn random(rng: &mut fastrand::Rng, length: usize, edges: u64) -> Vec<[u64; 3]> {
    let dims: Vec<u64> = (0..=length).map(|_| rng.u64(1..=12)).collect();
    let element = |pair: &[u64]| [pair[0], pair[1], rng.u64(1..=edges)];
    dims.windows(2).map(element).collect()
}

fn chain(e: &[[u64; 3]]) -> Chain {
    Chain::new(e.iter().map(|e| Element::from(*e)).collect()).unwrap()
}

fn check(e: &[[u64; 3]], memory: Option<u64>, workers: usize) {
    let options = ChainOptions {
        workers,
        memory,
        ..ChainOptions::default()
    };
    let chain = chain(e);
    let plan = chain.plan(&options).unwrap();
    plan.verify(&chain, &options).unwrap();
    assert!(plan.is_optimal(), "{e:?} {memory:?} {workers}");
    assert_eq!(plan.stopped_by, StoppedBy::Proof);
    let expected = twin(e, memory.unwrap_or(u64::MAX), workers);
    assert_eq!(plan.best, expected, "{e:?} {memory:?} {workers}");
    // The best bracketing's own best schedule is this one.
    assert_eq!(
        chain.schedule(&plan.bracketing, &options).unwrap().best,
        expected
    );
}

#[test]
fn plans_equal_all_bracketings_in_all_schedules() {
    let mut rng = fastrand::Rng::with_seed(7);
    for (length, count) in [(1, 10), (2, 50), (3, 200), (4, 60), (5, 3)] {
        for _ in 0..count {
            let scale = [6, 40, 150][rng.usize(0..3)];
            let e = random(&mut rng, length, scale);
            for workers in 1..=length.min(3) {
                check(&e, None, workers);
                check(&e, Some(rng.u64(0..=scale)), workers);
            }
        }
    }
}

/// The shortest schedule of one bracketing, by all orders.
#[test]
fn schedules_of_a_given_bracketing_are_shortest() {
    let mut rng = fastrand::Rng::with_seed(11);
    for _ in 0..200 {
        let e = random(&mut rng, 4, 60);
        let chain = chain(&e);
        let given = chain.plan(&ChainOptions::default()).unwrap().bracketing;
        let tree: Twin = given
            .tasks()
            .iter()
            .map(|t| (t.cost, t.operands.clone()))
            .collect();
        for workers in 1..=3 {
            let mut best = u64::MAX;
            shortest(
                &tree,
                &mut vec![None; tree.len()],
                &mut vec![0; workers],
                &mut best,
            );
            let options = ChainOptions {
                workers,
                ..ChainOptions::default()
            };
            let plan = chain.schedule(&given, &options).unwrap();
            assert_eq!(
                (plan.best, plan.is_optimal()),
                (best, true),
                "{e:?} {workers}"
            );
            assert_eq!(plan.bracketing, given);
            plan.verify(&chain, &options).unwrap();
        }
    }
}

/// The best brackets of matrices, by trying all.
fn dense_twin(dims: &[u64]) -> u64 {
    let q = dims.len() - 1;
    let splits = (1..q)
        .map(|k| dense_twin(&dims[..=k]) + dense_twin(&dims[k..]) + dims[0] * dims[k] * dims[q]);
    splits.min().unwrap_or(0)
}

#[test]
fn dense_chains_equal_all_brackets() {
    let mut rng = fastrand::Rng::with_seed(3);
    for length in 1..=8 {
        for _ in 0..20 {
            let dims: Vec<u64> = (0..=length).map(|_| rng.u64(1..=50)).collect();
            let plan = dense(&dims).unwrap();
            assert_eq!(plan.best, dense_twin(&dims), "{dims:?}");
            assert!(plan.best <= plan.forward.min(plan.reverse));
            let chain = Chain::dense(&dims);
            let one = chain.plan(&ChainOptions::default()).unwrap();
            assert_eq!(
                (one.best, one.forward, one.reverse),
                (plan.best, Some(plan.forward), Some(plan.reverse))
            );
        }
    }
}

/// EDGE_CASES e90: near 2^32 a product of two still fits, of three it does not.
#[test]
fn e90_costs_beyond_64_bits_are_an_error() {
    let big = 1_u64 << 32;
    assert_eq!(dense(&[big, big, big]), Err(Error::CostOverflow));
    assert_eq!(
        dense(&[big - 1, big - 1, 1]).unwrap().best,
        (big - 1) * (big - 1)
    );
    assert_eq!(dense(&[big, big, 1]), Err(Error::CostOverflow));
    assert_eq!(dense(&[big, big, 0]).unwrap().best, 0);
    // Two products of 2^63 fit one by one, but not together.
    assert_eq!(
        dense(&[1 << 31, 1 << 31, 1 << 31, 2]),
        Err(Error::CostOverflow)
    );
    for workers in [0, 1, 2, 3] {
        let options = ChainOptions {
            workers,
            ..ChainOptions::default()
        };
        let wide = chain(&[[big, big, big], [big, big, 1], [big, big, 1], [big, big, 1]]);
        assert_eq!(wide.plan(&options).unwrap_err(), Error::CostOverflow);
        // Every product is beyond 2^64, and so is the sum of tangents; adjoints are not.
        let narrow = chain(&[
            [big, big, 5],
            [big, big, 9],
            [big, big, 7],
            [big, 1, 3 * big],
        ]);
        let plan = narrow.plan(&options).unwrap();
        plan.verify(&narrow, &options).unwrap();
        assert_eq!(
            (plan.best, plan.forward, plan.reverse),
            (21 + 3 * big, None, Some(21 + 3 * big))
        );
    }
}

/// EDGE_CASES e94: nothing to do costs nothing.
#[test]
fn e94_empty_and_single_chains() {
    for workers in [0, 1, 2] {
        let options = ChainOptions {
            workers,
            ..ChainOptions::default()
        };
        for empty in [
            Chain::new(vec![]).unwrap(),
            Chain::dense(&[]),
            Chain::dense(&[7]),
        ] {
            let plan = empty.plan(&options).unwrap();
            plan.verify(&empty, &options).unwrap();
            assert_eq!(
                (plan.best, plan.lower_bound, plan.forward, plan.reverse),
                (0, 0, Some(0), Some(0))
            );
            assert_eq!(
                (
                    plan.bracketing.to_string().as_str(),
                    plan.schedule.slots.len()
                ),
                ("", 0)
            );
            assert_eq!(plan.status(), Status::Optimal);
            assert_eq!(empty.schedule(&plan.bracketing, &options).unwrap().best, 0);
        }
        let one = chain(&[[3, 2, 9]]);
        let plan = one.plan(&options).unwrap();
        assert_eq!(
            (plan.best, plan.forward, plan.reverse),
            (18, Some(27), Some(18))
        );
        assert_eq!(plan.bracketing.to_string(), "J0");
        assert_eq!(Chain::dense(&[3, 2]).plan(&options).unwrap().best, 0);
    }
    assert_eq!(dense(&[]).unwrap().best, 0);
    assert_eq!(dense(&[4, 5]).unwrap().bracketing.to_string(), "J0");
}

fn long(length: usize) -> Chain {
    let mut rng = fastrand::Rng::with_seed(5);
    let dims: Vec<u64> = (0..=length).map(|_| rng.u64(5..=50)).collect();
    let element = |pair: &[u64]| [pair[0], pair[1], rng.u64(1000..=10_000)];
    chain(&dims.windows(2).map(element).collect::<Vec<_>>())
}

/// EDGE_CASES e95: limits give the heuristic plan, honestly labelled, and more work never a worse one.
#[test]
fn e95_limits_give_a_plan_and_no_false_proof() {
    let chain = long(16);
    let with = |evaluations, seconds| ChainOptions {
        workers: 4,
        evaluations,
        seconds,
        ..ChainOptions::default()
    };
    let proven = chain.plan(&with(None, None)).unwrap();
    assert_eq!(proven.status(), Status::Optimal);
    let mut before = u64::MAX;
    for work in [0, 1, 100, 10_000] {
        let plan = chain.plan(&with(Some(work), None)).unwrap();
        plan.verify(&chain, &with(None, None)).unwrap();
        assert!(plan.evaluations <= work);
        assert!(plan.best <= before && plan.lower_bound <= proven.best && proven.best <= plan.best);
        before = plan.best;
        if !plan.is_optimal() {
            assert_eq!(plan.stopped_by, StoppedBy::Work);
            let Status::Feasible { gap } = plan.status() else {
                panic!("there is a gap");
            };
            assert_eq!(gap, plan.best - plan.lower_bound);
        }
    }
    for seconds in [0.0, -1.0, f64::NAN] {
        let plan = chain.plan(&with(None, Some(seconds))).unwrap();
        assert_eq!((plan.evaluations, plan.stopped_by), (0, StoppedBy::Time));
        assert!(plan.lower_bound <= proven.best && proven.best <= plan.best);
    }
    assert!(
        chain
            .plan(&with(None, Some(f64::INFINITY)))
            .unwrap()
            .is_optimal()
    );
    let mut stopped = with(None, None);
    stopped.interrupt = Some(std::sync::Arc::new(true.into()));
    let plan = chain.plan(&stopped).unwrap();
    assert_eq!(plan.stopped_by, StoppedBy::Interrupt);
    plan.verify(&chain, &stopped).unwrap();
}

/// EDGE_CASES e96: the same work gives the same plan.
#[test]
fn e96_plans_are_reproducible() {
    let chain = long(24);
    let options = ChainOptions {
        workers: 5,
        evaluations: Some(3000),
        ..ChainOptions::default()
    };
    let plan = chain.plan(&options).unwrap();
    assert_eq!(chain.plan(&options).unwrap(), plan);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<ChainPlan>(&text).unwrap(), plan);
}

#[test]
fn chains_too_long_for_the_search_get_bounds() {
    let chain = long(70);
    let options = ChainOptions {
        workers: 3,
        ..ChainOptions::default()
    };
    let plan = chain.plan(&options).unwrap();
    plan.verify(&chain, &options).unwrap();
    assert!(plan.lower_bound <= plan.best && plan.evaluations == 0);
}

#[test]
fn damaged_plans_are_refused() {
    let chain = long(5);
    let options = ChainOptions {
        workers: 2,
        ..ChainOptions::default()
    };
    let plan = chain.plan(&options).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(&plan).unwrap();
        change(&mut value);
        let damaged: ChainPlan = serde_json::from_value(value).unwrap();
        assert!(matches!(
            damaged.verify(&chain, &options),
            Err(Error::InvalidChain { .. })
        ));
    };
    refused(&|v| v["best"] = 1.into());
    refused(&|v| v["bracketing"][0]["cost"] = 1.into());
    refused(&|v| v["bracketing"][0]["kind"] = "product".into());
    refused(&|v| v["schedule"]["slots"][0]["worker"] = 2.into());
    refused(&|v| v["schedule"]["slots"][0]["task"] = 99.into());
    refused(&|v| v["schedule"]["slots"][1]["end"] = 0.into());
    refused(&|v| v["schedule"]["slots"] = Vec::<u64>::new().into());
    refused(&|v| v["bracketing"] = Vec::<u64>::new().into());
    let other = long(4);
    assert!(other.schedule(&plan.bracketing, &options).is_err());
    assert!(plan.verify(&other, &options).is_err());
}
