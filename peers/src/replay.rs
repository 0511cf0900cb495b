//! Recorded programs: recording, preparing and replaying the benchmark problems.
//!
//! Invariant: one thread unless the name says otherwise; every result is checked against the suite's expected file, or
//! against the carriers where there is none.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

use serde::Deserialize;
use wengert::program::{Program, Replay, ReplayOptions, Traced, Width};
use wengert::reverse::PreparedGradient;
use wengert::{Function, Mode, ScalarFunction, jacobian};
use wengert_problems::bundle_adjustment::BundleAdjustment;
use wengert_problems::gmm::Gmm;
use wengert_problems::hand_tracking::{HandTracking, Variant};
use wengert_problems::lstm::Lstm;
use wengert_problems::roe_flux::RoeFlux;

use crate::input;
use crate::measure::{Comparison, Contestant, OURS, PLAIN, Workload, compare};

/// The seed of instances that are generated where the suite's files are absent.
const SEED: u64 = 1;

/// Points in one batch of the flux.
const POINTS: usize = 4096;

/// Evaluations in one call, as a solver makes them: with one, every contestant would find the memory of the others in the cache.
const BA_TIMES: u32 = 5;
const HAND_TIMES: u32 = 20;

/// Operations of the flat programs.
const FLAT: [usize; 2] = [100_000, 10_000_000];

type Outcome<T> = Result<T, String>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Times everything; reads instances from `adbench` where they exist.
pub(crate) fn run(adbench: &Path, rounds: u32) -> Outcome<Comparison> {
    let cases = vec![
        flat(rounds)?,
        flux(rounds)?,
        mixture(adbench, rounds)?,
        mixture_setup(adbench, rounds)?,
        large_mixture(rounds.min(9))?,
        adjustment(adbench, rounds)?,
        sequence(adbench, rounds)?,
        hand(adbench, rounds)?,
        long(rounds.min(3))?,
    ];
    let mut all = cases[0].clone();
    all.name = "replay".to_owned();
    all.cases = cases;
    Ok(all)
}

fn options(width: Width, threads: usize) -> ReplayOptions {
    ReplayOptions { width, threads }
}

fn scalar(f: &impl ScalarFunction, x: &[f64]) -> Outcome<Program> {
    Program::record(|x: &[Traced]| [f.call(x)], x).map_err(text)
}

fn vector(f: &impl Function, x: &[f64]) -> Outcome<Program> {
    let record = |x: &[Traced]| {
        let mut y = vec![Traced::from(0.0); f.outputs(x.len())];
        f.eval(x, &mut y);
        y
    };
    Program::record(record, x).map_err(text)
}

/// The gradient, simplified once: simplifying the function before as well changes no operation here, and costs a tenth of
/// the setup.
fn gradient(program: &Program) -> Outcome<Program> {
    program
        .gradient()
        .and_then(|gradient| gradient.simplify())
        .map_err(text)
}

/// A contestant that replays a program.
fn replayed<'a>(
    name: &'static str,
    program: &Program,
    options: &ReplayOptions,
    x: &'a [f64],
    times: u32,
) -> Outcome<Contestant<'a>> {
    let mut replay = program.prepare_with(options).map_err(text)?;
    Ok(Contestant::new(name, move |out| {
        for _ in 0..times {
            run_into(&mut replay, x, out);
        }
    }))
}

fn run_into(replay: &mut Replay, x: &[f64], out: &mut [f64]) {
    // A contestant that fails leaves its buffer as it is, which the check before the timing finds.
    let _ = black_box(replay.run_into(black_box(x), out));
}

fn plain<'a>(f: &'a impl Function, x: &'a [f64], times: u32) -> Contestant<'a> {
    let outputs = f.outputs(x.len());
    Contestant::new(PLAIN, move |out| {
        for _ in 0..times {
            // Results that nobody looks at would not be computed.
            f.eval(black_box(x), black_box(&mut out[..outputs]));
        }
    })
}

/// A loop of additions and multiplications.
fn leapfrog(x: &[Traced], steps: usize) -> Traced {
    let (s, t) = (x[0], x[1]);
    let (mut u, mut v) = (s, t);
    for _ in 0..steps {
        v += u * t;
        u += v * s;
    }
    u
}

fn leapfrog_plain(s: f64, t: f64, steps: usize) -> f64 {
    let (mut u, mut v) = (s, t);
    for _ in 0..steps {
        v += u * t;
        u += v * s;
    }
    u
}

/// A straight program of 1e5 operations: what one operation of one lane costs to record and to replay.
fn flat(rounds: u32) -> Outcome<Comparison> {
    let x = [0.3, -0.2];
    let steps = FLAT[0] / 4;
    let program = Program::record(|x| [leapfrog(x, steps)], &x).map_err(text)?;
    let mut one = program
        .prepare_with(&options(Width::One, 1))
        .map_err(text)?;
    let expected = leapfrog_plain(x[0], x[1], steps);
    let contestants = vec![
        Contestant::new(OURS, move |out| run_into(&mut one, &x, out)),
        Contestant::new("recording", move |out| {
            let program = Program::record(|x| [leapfrog(x, steps)], black_box(&x));
            out[0] = program.map_or(f64::NAN, |program| {
                black_box(program.len());
                expected
            });
        }),
        Contestant::new("simplifying", move |out| {
            let simple = black_box(&program).simplify();
            out[0] = simple.map_or(f64::NAN, |program| {
                black_box(program.len());
                expected
            });
        }),
    ];
    compare(
        Workload {
            name: "flat program, one lane".to_owned(),
            operation: "operation",
            operations: u32::try_from(FLAT[0]).map_err(text)?,
            evaluations: 1,
            plain: Contestant::new(PLAIN, move |out| {
                let [s, t] = *black_box(&x);
                out[0] = leapfrog_plain(s, t, steps);
            }),
            contestants,
            expected: vec![(0, vec![expected])],
            oracle: Some("the loop on f64".to_owned()),
            results: 1,
            tolerance: 0.0,
        },
        rounds,
    )
}

/// The Jacobian of a small function at many points.
fn flux(rounds: u32) -> Outcome<Comparison> {
    let x0 = RoeFlux::x0();
    let program = vector(&RoeFlux, &x0)?;
    let jacobian_program = program
        .simplify()
        .and_then(|program| program.jacobian())
        .and_then(|program| program.simplify())
        .map_err(text)?;
    let points: Vec<f64> = (0..POINTS)
        .flat_map(|i| {
            let phase = f64::from(u32::try_from(i % 1000).unwrap_or(0)) * 1e-3;
            x0.map(|x| x * (1.0 + 0.1 * phase))
        })
        .collect();
    let mut expected = Vec::new();
    for point in points.chunks(6) {
        let j = jacobian(&RoeFlux, point, Mode::Forward).map_err(text)?;
        expected.extend(j.transpose().iter());
    }
    let results = expected.len();
    let mut contestants = Vec::new();
    for (name, width) in [
        (OURS, Width::Eight),
        ("four lanes", Width::Four),
        ("one lane", Width::One),
    ] {
        let mut batch = jacobian_program
            .prepare_batch(&options(width, 1))
            .map_err(text)?;
        let points = &points;
        contestants.push(Contestant::new(name, move |out| {
            let _ = black_box(batch.run(black_box(points), out));
        }));
    }
    let mut comparison = compare(
        Workload {
            name: format!(
                "Jacobian of Roe's flux, {} operations, per point",
                jacobian_program.counts().flops()
            ),
            operation: "point",
            operations: u32::try_from(POINTS).map_err(text)?,
            evaluations: 1,
            plain: Contestant::new(PLAIN, |out| {
                for (point, out) in black_box(&points).chunks(6).zip(out.chunks_mut(18)) {
                    RoeFlux.eval(point, black_box(&mut out[..3]));
                }
            }),
            contestants,
            expected: vec![(0, expected)],
            oracle: Some("forward mode".to_owned()),
            results,
            tolerance: 1e-12,
        },
        rounds,
    )?;
    comparison.name.push_str(", batch of 4096");
    Ok(comparison)
}

#[derive(Deserialize)]
struct ExpectedGradient {
    gradient: Vec<f64>,
}

/// The expected gradient of the suite's instance, if both exist, with its file.
fn reference(adbench: &Path, instance: &str, file: &str) -> Outcome<Option<(Vec<f64>, String)>> {
    let path = adbench.join("expected").join(file);
    let expected = input::json::<ExpectedGradient>(&path)?;
    Ok(expected
        .filter(|_| adbench.join(instance).exists())
        .map(|expected| (expected.gradient, path.display().to_string())))
}

fn load_mixture(adbench: &Path) -> Outcome<Gmm> {
    let path = adbench.join("gmm/gmm_d10_K25.txt");
    if path.exists() {
        Gmm::from_path(&path).map_err(text)
    } else {
        Gmm::generate(10, 25, 1000, SEED).map_err(text)
    }
}

/// The gradient of a scalar problem: replayed with all widths, and on the tape.
fn gradient_case(
    name: &str,
    f: &(impl ScalarFunction + Sync),
    x: &[f64],
    expected: Option<(Vec<f64>, String)>,
    widths: &[(&'static str, Width, usize)],
    rounds: u32,
) -> Outcome<Comparison> {
    let gradient = gradient(&scalar(f, x)?)?;
    let mut contestants = Vec::new();
    for (name, width, threads) in widths {
        contestants.push(replayed(name, &gradient, &options(*width, *threads), x, 1)?);
    }
    let mut tape = PreparedGradient::new(|x: &[_]| f.call(x), x.len());
    contestants.push(Contestant::new("tape", move |out| {
        let _ = black_box(tape.gradient_into(black_box(x), out));
    }));
    let (expected, oracle) = match expected {
        Some((expected, oracle)) => (expected, oracle),
        None => {
            let expected = wengert::reverse::gradient(|x| f.call(x), x).map_err(text)?;
            (expected, "the tape".to_owned())
        }
    };
    compare(
        Workload {
            name: name.to_owned(),
            operation: "entry of the gradient",
            operations: u32::try_from(x.len()).map_err(text)?,
            evaluations: 1,
            plain: plain(f, x, 1),
            contestants,
            expected: vec![(0, expected)],
            oracle: Some(oracle),
            results: x.len(),
            tolerance: 1e-9,
        },
        rounds,
    )
}

fn mixture(adbench: &Path, rounds: u32) -> Outcome<Comparison> {
    let f = load_mixture(adbench)?;
    gradient_case(
        "gmm d=10 K=25 N=1000",
        &f,
        &f.x0(),
        reference(adbench, "gmm/gmm_d10_K25.txt", "gmm_1k_d10_K25.json")?,
        &[
            (OURS, Width::of_this_machine(), 1),
            ("four lanes", Width::Four, 1),
            ("one lane", Width::One, 1),
        ],
        rounds,
    )
}

fn large_mixture(rounds: u32) -> Outcome<Comparison> {
    let f = Gmm::generate(10, 25, 10_000, SEED).map_err(text)?;
    gradient_case(
        "gmm d=10 K=25 N=10000",
        &f,
        &f.x0(),
        None,
        &[
            (OURS, Width::of_this_machine(), 1),
            ("two threads", Width::of_this_machine(), 2),
        ],
        rounds,
    )
}

/// What happens before the first replay of the mixture: record, simplify, differentiate, simplify, prepare.
fn mixture_setup(adbench: &Path, rounds: u32) -> Outcome<Comparison> {
    let f = load_mixture(adbench)?;
    let x = f.x0();
    let options = options(Width::of_this_machine(), 1);
    let prepare = |x: &[f64]| -> Outcome<Replay> {
        gradient(&scalar(&f, x)?)?
            .prepare_with(&options)
            .map_err(text)
    };
    let work = |step: usize| {
        let (f, x) = (&f, &x);
        move |out: &mut [f64]| {
            let done = || -> Outcome<usize> {
                let program = scalar(f, black_box(x))?;
                if step == 0 {
                    return Ok(program.len());
                }
                let gradient = gradient(&program)?;
                Ok(gradient.len())
            };
            out[0] = done().map_or(f64::NAN, |len| {
                black_box(len);
                1.0
            });
        }
    };
    compare(
        Workload {
            name: "gmm d=10 K=25 N=1000, setup".to_owned(),
            operation: "setup",
            operations: 1,
            evaluations: 1,
            plain: plain(&f, &x, 1),
            contestants: vec![
                Contestant::new(OURS, |out| {
                    out[0] = prepare(black_box(&x)).map_or(f64::NAN, |replay| {
                        black_box(replay.memory());
                        1.0
                    });
                }),
                Contestant::new("recording", work(0)),
                Contestant::new("without preparing", work(1)),
            ],
            expected: vec![(0, vec![1.0])],
            oracle: Some("it succeeds".to_owned()),
            results: 1,
            tolerance: 0.0,
        },
        rounds,
    )
}

fn sequence(adbench: &Path, rounds: u32) -> Outcome<Comparison> {
    let path = adbench.join("lstm/lstm_l2_c1024.txt");
    let f = if path.exists() {
        Lstm::from_path(&path)
    } else {
        Lstm::generate(2, 1024, 14, SEED)
    };
    let f = f.map_err(text)?;
    gradient_case(
        "lstm l=2 c=1024",
        &f,
        &f.x0(),
        reference(adbench, "lstm/lstm_l2_c1024.txt", "lstm_l2_c1024.json")?,
        &[
            (OURS, Width::of_this_machine(), 1),
            ("one lane", Width::One, 1),
        ],
        rounds,
    )
}

#[derive(Deserialize)]
struct ExpectedAdjustment {
    #[serde(rename = "J_block0_rowmajor_2x15")]
    block: Vec<f64>,
    w_row_value0: [f64; 1],
}

fn adjustment(adbench: &Path, rounds: u32) -> Outcome<Comparison> {
    let path = adbench.join("ba/ba1_n49_m7776_p31843.txt");
    let f = if path.exists() {
        BundleAdjustment::from_path(&path)
    } else {
        BundleAdjustment::generate(49, 7776, 31_843, SEED)
    };
    let f = f.map_err(text)?;
    let x = f.x0();
    let observations = f.features().len();
    let (program, pattern) = vector(&f, &x)?
        .simplify()
        .and_then(|program| program.sparse_jacobian())
        .map_err(text)?;
    // The order of the suite: row by row, each over the columns of its observation.
    let number: HashMap<(u32, u32), usize> =
        pattern.iter().enumerate().map(|(k, at)| (*at, k)).collect();
    let id = |k: usize| u32::try_from(k).unwrap_or(u32::MAX);
    // A coordinate does not depend on the other's image shift: two of the suite's 31 entries are structurally zero here.
    let (mut picks, mut stored) = (Vec::new(), Vec::new());
    for i in 0..observations {
        let columns = f.columns(i);
        let weight = columns[columns.len() - 1];
        let mut rows = vec![(2 * i, &columns[..]), (2 * i + 1, &columns[..])];
        let weights = [weight];
        rows.push((2 * observations + i, &weights));
        for (row, columns) in rows {
            for column in columns {
                let k = number.get(&(id(row), id(*column)));
                stored.push(k.is_some());
                picks.extend(k);
            }
        }
    }
    let program = program
        .select_outputs(&picks)
        .and_then(|program| program.simplify())
        .map_err(text)?;
    let oracle = adbench.join("expected/ba_ba1_n49_m7776_p31843.json");
    let reference = match input::json::<ExpectedAdjustment>(&oracle)? {
        Some(expected) if path.exists() => {
            let mut block = expected.block;
            block.extend(expected.w_row_value0);
            let entries = block.iter().cycle().zip(&stored);
            vec![(
                0,
                entries
                    .filter_map(|(entry, is_stored)| is_stored.then_some(*entry))
                    .collect(),
            )]
        }
        _ => Vec::new(),
    };
    let mut contestants = Vec::new();
    for (name, width, threads) in [
        (OURS, Width::of_this_machine(), 1),
        ("two threads", Width::of_this_machine(), 2),
        ("four lanes", Width::Four, 1),
        ("one lane", Width::One, 1),
    ] {
        let mut replay = program
            .prepare_with(&options(width, threads))
            .map_err(text)?;
        let x = &x;
        // The result stays where the replay computed it; one entry is copied to be checked.
        let mut is_checked = false;
        contestants.push(Contestant::new(name, move |out| {
            for _ in 1..BA_TIMES {
                let _ = black_box(replay.run(black_box(x)));
            }
            if let Ok(y) = black_box(replay.run(black_box(x)))
                && !is_checked
            {
                out.copy_from_slice(y);
                is_checked = true;
            }
        }));
    }
    let outputs = f.outputs(x.len());
    let mut y = vec![0.0; outputs];
    compare(
        Workload {
            name: "ba n=49 m=7776 p=31843, Jacobian".to_owned(),
            operation: "nonzero of the Jacobian",
            operations: u32::try_from(picks.len()).map_err(text)?,
            evaluations: BA_TIMES,
            plain: Contestant::new(PLAIN, |out| {
                for _ in 0..BA_TIMES {
                    f.eval(black_box(&x), black_box(&mut y));
                }
                out[0] = y[0];
            }),
            contestants,
            oracle: (!reference.is_empty()).then(|| oracle.display().to_string()),
            expected: reference,
            results: picks.len(),
            tolerance: 1e-9,
        },
        rounds,
    )
}

#[derive(Deserialize)]
struct ExpectedHand {
    jacobian: Vec<f64>,
}

fn hand(adbench: &Path, rounds: u32) -> Outcome<Comparison> {
    let folder = adbench.join("hand/simple_small");
    let path = folder.join("hand1_t26_c100.txt");
    let f = if path.exists() {
        HandTracking::from_path(&path, Variant::Simple)
    } else {
        let model = wengert_problems::hand_tracking::HandModel::generate(544, SEED);
        HandTracking::generate(model, Variant::Simple, 100, SEED)
    };
    let f = f.map_err(text)?;
    let x = f.x0();
    let (rows, columns) = (f.outputs(x.len()), x.len());
    let program = vector(&f, &x)?
        .simplify()
        .and_then(|program| program.jacobian())
        .map_err(text)?;
    // The suite's matrix is column-major.
    let picks: Vec<usize> = (0..columns)
        .flat_map(|column| (0..rows).map(move |row| row * columns + column))
        .collect();
    let program = program
        .select_outputs(&picks)
        .and_then(|program| program.simplify())
        .map_err(text)?;
    let oracle = adbench.join("expected/hand_simple_small_hand1_t26_c100.json");
    let (expected, oracle) = match input::json::<ExpectedHand>(&oracle)? {
        Some(expected) if path.exists() => (expected.jacobian, oracle.display().to_string()),
        _ => {
            let j = jacobian(&f, &x, Mode::Forward).map_err(text)?;
            (j.as_slice().to_vec(), "forward mode".to_owned())
        }
    };
    let mut contestants = Vec::new();
    for (name, width) in [
        (OURS, Width::of_this_machine()),
        ("four lanes", Width::Four),
        ("one lane", Width::One),
    ] {
        contestants.push(replayed(
            name,
            &program,
            &options(width, 1),
            &x,
            HAND_TIMES,
        )?);
    }
    compare(
        Workload {
            name: format!("hand, simple, {} points, Jacobian", rows / 3),
            operation: "entry of the Jacobian",
            operations: u32::try_from(rows * columns).map_err(text)?,
            evaluations: HAND_TIMES,
            plain: plain(&f, &x, HAND_TIMES),
            contestants,
            expected: vec![(0, expected)],
            oracle: Some(oracle),
            results: rows * columns,
            tolerance: 1e-9,
        },
        rounds,
    )
}

/// A straight program of 1e7 operations: record, simplify, and the first gradient.
fn long(rounds: u32) -> Outcome<Comparison> {
    let x = [0.3, -0.2];
    let steps = FLAT[1] / 4;
    let work = |x: &[f64]| -> Outcome<Vec<f64>> {
        let program = Program::record(|x| [leapfrog(x, steps)], x)
            .and_then(|program| program.simplify())
            .map_err(text)?;
        program
            .linearize(x)
            .and_then(|linearization| linearization.vjp(&[1.0]))
            .map_err(text)
    };
    let mut tape = PreparedGradient::new(
        |x: &[_]| {
            let (s, t) = (x[0], x[1]);
            let (mut u, mut v) = (s, t);
            for _ in 0..steps {
                v += u * t;
                u += v * s;
            }
            u
        },
        x.len(),
    );
    compare(
        Workload {
            name: "flat program of 1e7 operations: record, simplify, first gradient".to_owned(),
            operation: "operation",
            operations: u32::try_from(FLAT[1]).map_err(text)?,
            evaluations: 1,
            plain: Contestant::new(PLAIN, move |out| {
                let [s, t] = *black_box(&x);
                out[0] = leapfrog_plain(s, t, steps);
            }),
            contestants: vec![
                Contestant::new("tape", move |out| {
                    let _ = black_box(tape.gradient_into(black_box(&x), out));
                }),
                Contestant::new(OURS, move |out| {
                    if let Ok(gradient) = work(black_box(&x)) {
                        out.copy_from_slice(&gradient);
                    }
                }),
            ],
            expected: Vec::new(),
            oracle: None,
            results: 2,
            tolerance: 1e-10,
        },
        rounds,
    )
}
