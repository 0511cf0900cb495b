//! Difference quotients with an estimate of their own error, and the search for kinks.
//!
//! Along a direction the function is evaluated on a ladder of steps, each a quarter of the one before, down to a millionth
//! of a millionth of the scale of `x`. Two successive central differences estimate the truncation error, fourth differences
//! on either side of `x` the noise of the values; every output takes the step where the sum of both is least.
//!
//! Invariant: the error estimate is never below the rounding error of the values divided by the step.
//!
//! **Source**: Moré & Wild 2011, *Estimating computational noise* (fourth differences); Ridders 1982 (choice of the step by
//! the estimated error, here without extrapolation).

use super::compare::AGREEMENT;
use crate::error::Error;

/// The first step for a direction of scale 1, `eps^(1/3)`, where truncation and rounding balance for third derivatives of
/// order 1 (EDGE_CASES t4).
const FIRST_STEP: f64 = 6.055_454_452_393_343e-6;

/// The ratio of successive steps; the truncation error falls by its square.
const RATIO: f64 = 4.0;

/// Steps on the ladder: 4^-12 x 6e-6 = 4e-13 is the last one above the spacing of the numbers at scale 1.
const STEPS: usize = 13;

/// Points on one side of `x` that measure the noise.
const NOISE_POINTS: u8 = 5;

/// How many times the noise an effect must be to count.
const SIGNIFICANT: f64 = 8.0;

/// A direction in which to go from `x`.
pub(super) struct Direction {
    /// The change of `x` per unit of step.
    entries: Vec<f64>,
    /// The single entry that changes, if only one does.
    axis: Option<usize>,
    /// The steps, falling.
    steps: Vec<f64>,
}

impl Direction {
    /// Along one input; the steps are relative to `max(1, |x|)`, and further ones to `|x|` where that is tiny.
    pub(super) fn axis(x: &[f64], axis: usize) -> Self {
        let mut entries = vec![0.0; x.len()];
        entries[axis] = 1.0;
        let size = x[axis].abs();
        let mut steps = ladder(FIRST_STEP * size.max(1.0), STEPS);
        let last = steps[STEPS - 1];
        let fine = ladder(FIRST_STEP * size * RATIO * RATIO, 5);
        steps.extend(fine.into_iter().filter(|step| *step > 0.0 && *step < last));
        Self {
            entries,
            axis: Some(axis),
            steps,
        }
    }

    /// A random direction whose entries have the scale `max(1, |x|)`, none of them near zero.
    pub(super) fn random(x: &[f64], random: &mut fastrand::Rng) -> Self {
        let entries = x
            .iter()
            .map(|x| signed_unit(random) * x.abs().max(1.0))
            .collect();
        Self {
            entries,
            axis: None,
            steps: ladder(FIRST_STEP, STEPS),
        }
    }

    pub(super) fn entries(&self) -> &[f64] {
        &self.entries
    }

    /// The point at a step, and the step really made after rounding.
    fn point(&self, x: &[f64], step: f64) -> (Vec<f64>, f64) {
        match self.axis {
            Some(axis) => {
                let mut to = x.to_vec();
                to[axis] += step;
                let made = to[axis] - x[axis];
                (to, made)
            }
            None => {
                let to = x.iter().zip(&self.entries).map(|(x, v)| x + step * v);
                (to.collect(), step)
            }
        }
    }
}

/// A number in [0.5, 1] with random sign: no entry of a direction is so small that it hides an error.
pub(super) fn signed_unit(random: &mut fastrand::Rng) -> f64 {
    let size = 0.5 + 0.5 * random.f64();
    if random.bool() { size } else { -size }
}

fn ladder(first: f64, steps: usize) -> Vec<f64> {
    std::iter::successors(Some(first), |step| Some(step / RATIO))
        .take(steps)
        .collect()
}

/// A directional derivative by differences.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    /// The central difference at the best step; NaN if none was finite.
    pub(super) value: f64,
    /// The estimate of its error.
    pub(super) error: f64,
    /// The smallest step at which a kink or jump is seen, if there is one.
    pub(super) kink: Option<f64>,
}

/// The derivatives of all outputs along a direction.
///
/// **Shape**: one estimate per output of `f`. **Cost**: 2 evaluations per step, 26 to 36, and 31 more; further 10 per reduction of
/// the spacing of the noise, on functions with a fine structure.
pub(super) fn differences(
    f: &impl Fn(&[f64]) -> Result<Vec<f64>, Error>,
    x: &[f64],
    along: &Direction,
) -> Result<Vec<Estimate>, Error> {
    let center = f(x)?;
    let mut levels = Vec::with_capacity(along.steps.len());
    for step in &along.steps {
        let (right, ahead) = along.point(x, *step);
        let (left, behind) = along.point(x, -step);
        if ahead > 0.0 && behind < 0.0 {
            levels.push((ahead, f(&right)?, -behind, f(&left)?));
        }
    }
    let measured = noise(f, x, along, center.len())?;
    let estimate = |output: usize| {
        let levels: Vec<Level> = levels
            .iter()
            .map(|(ahead, right, behind, left)| {
                Level::new(
                    center[output],
                    (*ahead, right[output]),
                    (*behind, left[output]),
                )
            })
            .filter(Level::is_finite)
            .collect();
        estimate(&levels, measured[output])
    };
    Ok((0..center.len()).map(estimate).collect())
}

/// The difference quotients of one output at one step.
struct Level {
    step: f64,
    right: f64,
    left: f64,
    central: f64,
    /// The largest value that entered.
    size: f64,
}

impl Level {
    fn new(center: f64, (ahead, right): (f64, f64), (behind, left): (f64, f64)) -> Self {
        Self {
            step: ahead.min(behind),
            right: (right - center) / ahead,
            left: (center - left) / behind,
            central: (right - left) / (ahead + behind),
            size: center.abs().max(right.abs()).max(left.abs()),
        }
    }

    fn is_finite(&self) -> bool {
        self.right.is_finite() && self.left.is_finite() && self.central.is_finite()
    }

    /// The error of the quotients by the noise of the values, which is at least that of a few roundings.
    fn noise(&self, measured: f64) -> f64 {
        measured.max(4.0 * f64::EPSILON * self.size) / self.step
    }
}

/// The noise of every output near `x`, from fourth differences of [`NOISE_POINTS`] values on either side.
///
/// Smooth parts contribute the fourth derivative times the fourth power of the spacing. The first spacing is that where
/// kinks are looked for, so that values which are constant between rounded intermediate results do not look exact. It is
/// reduced as long as the function, not noise, was seen. The ratio is 4 times the golden ratio, so that no two spacings are in step
/// with the same rounding.
fn noise(
    f: &impl Fn(&[f64]) -> Result<Vec<f64>, Error>,
    x: &[f64],
    along: &Direction,
    outputs: usize,
) -> Result<Vec<f64>, Error> {
    let last = along.steps.last().copied().unwrap_or(0.0);
    let spacings = std::iter::successors(Some(along.steps[0] / (RATIO * RATIO)), |spacing| {
        (*spacing > last).then_some(spacing / 6.472_135_954_999_58)
    });
    let mut noise: Vec<Option<f64>> = vec![None; outputs];
    let mut seen: Vec<Vec<Spread>> = Vec::new();
    for spacing in spacings {
        seen.push(spreads(f, x, along, (spacing, outputs))?);
        let [.., this, next, after] = seen.as_slice() else {
            continue;
        };
        for (output, noise) in noise.iter_mut().enumerate() {
            let (this, next, after) = (this[output], next[output], after[output]);
            *noise = noise.or_else(|| this.noise_if_settled(next, after));
        }
        if noise.iter().all(Option::is_some) {
            break;
        }
    }
    let or_last = |(output, noise): (usize, Option<f64>)| {
        noise.unwrap_or_else(|| seen.last().map_or(0.0, |last| last[output].noise))
    };
    let noise = noise.into_iter().enumerate().map(or_last);
    // Where no value was finite, there is nothing to estimate either.
    Ok(noise.map(|n| if n.is_finite() { n } else { 0.0 }).collect())
}

/// How much a few neighbouring values differ.
#[derive(Clone, Copy)]
struct Spread {
    /// The fourth difference over the root of 70, its variance for independent errors of variance 1.
    noise: f64,
    /// The largest less the smallest value.
    range: f64,
}

impl Spread {
    /// The noise, unless the function itself was seen at this spacing, judged by the next two smaller ones.
    ///
    /// It was if the differences soon fall much faster than noise does, or are too large a part of the range. Values that
    /// are constant at a smaller spacing are rounded to a coarser grid, which is noise at this one.
    fn noise_if_settled(self, next: Self, after: Self) -> Option<f64> {
        if next.range == 0.0 {
            return Some(self.noise);
        }
        let falls = |later: Self| later.range > 0.0 && later.noise < self.noise / 32.0;
        let saw_function = falls(next) || falls(after) || self.noise > 1e-3 * self.range;
        // The smaller spacing counts as well: the first may by chance be in step with the rounding.
        (!saw_function).then(|| self.noise.min(4.0 * next.noise).max(next.noise))
    }
}

/// The larger spread of the two sides, for every output; infinite noise where neither side is finite.
fn spreads(
    f: &impl Fn(&[f64]) -> Result<Vec<f64>, Error>,
    x: &[f64],
    along: &Direction,
    (spacing, outputs): (f64, usize),
) -> Result<Vec<Spread>, Error> {
    let mut spreads: Vec<Option<Spread>> = vec![None; outputs];
    for sign in [1.0, -1.0] {
        let values = (1..=NOISE_POINTS)
            .map(|point| f(&along.point(x, sign * spacing * f64::from(point)).0))
            .collect::<Result<Vec<_>, Error>>()?;
        for (output, spread) in spreads.iter_mut().enumerate() {
            let y = |i: usize| values[i][output];
            let fourth = y(0) - 4.0 * y(1) + 6.0 * y(2) - 4.0 * y(3) + y(4);
            if !fourth.is_finite() {
                continue;
            }
            let (low, high) = (0..values.len())
                .map(y)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                    (low.min(y), high.max(y))
                });
            let other = spread.unwrap_or(Spread {
                noise: 0.0,
                range: 0.0,
            });
            *spread = Some(Spread {
                noise: other.noise.max(fourth.abs() / 70.0_f64.sqrt()),
                range: other.range.max(high - low),
            });
        }
    }
    let unknown = Spread {
        noise: f64::INFINITY,
        range: f64::INFINITY,
    };
    Ok(spreads
        .into_iter()
        .map(|spread| spread.unwrap_or(unknown))
        .collect())
}

fn estimate(levels: &[Level], measured: f64) -> Estimate {
    let mut best = Estimate {
        value: f64::NAN,
        error: f64::INFINITY,
        kink: kink(levels, measured).or_else(|| jump(levels, measured)),
    };
    for pair in levels.windows(2) {
        // The second is 16 times as accurate as the first, so this estimate errs on the safe side.
        let truncation = (pair[0].central - pair[1].central).abs();
        let error = truncation + pair[1].noise(measured);
        if error < best.error {
            (best.value, best.error) = (pair[1].central, error);
        }
    }
    best
}

/// Looks for a difference of the one-sided slopes that does not vanish with the step.
///
/// For a smooth function the difference falls with the step, to a quarter from level to level. At a kink it stays, at a
/// jump it grows; at a kink a little off `x` it stays until the step is shorter than the distance, and then is gone at
/// once. A function that is smooth but bends within less than the first step looks like a kink there as well, but on finer
/// levels the difference fades gradually. Where noise hides how it fades, the kink is not excluded.
fn kink(levels: &[Level], measured: f64) -> Option<f64> {
    let gap = |k: usize| levels[k].right - levels[k].left;
    let significant = |k: usize| {
        let slopes = levels[k].right.abs() + levels[k].left.abs();
        gap(k).abs() > SIGNIFICANT * levels[k].noise(measured)
            && gap(k).abs() > SIGNIFICANT * AGREEMENT * slopes
    };
    // 0.6 lies between the 1 of a kink and the 1/2 of |x|^(3/2), which has a derivative.
    let stays = |k: usize| {
        k + 1 < levels.len()
            && significant(k)
            && significant(k + 1)
            && gap(k) * gap(k + 1) > 0.0
            && gap(k + 1).abs() >= 0.6 * gap(k).abs()
    };
    // A kink nearer than the steps shows on the coarsest levels, where noise is least.
    let first = (0..2).find(|k| stays(*k))?;
    let last = (first..).take_while(|k| stays(*k)).last()?;
    let fading = last + 3;
    let faded_gradually = fading < levels.len()
        && significant(fading)
        && gap(fading).abs() >= 0.01 * gap(last + 1).abs();
    (!faded_gradually).then(|| levels[last + 1].step)
}

/// Looks for a one-sided slope that grows as the reciprocal of the step on all levels: the value jumps at `x`.
///
/// This finds jumps that are symmetric about the value at `x`, as that of the derivative of `|x|`, where both one-sided
/// slopes are the same. 2.5 lies between the 2 of a square root and the 4 of a jump.
fn jump(levels: &[Level], measured: f64) -> Option<f64> {
    let (first, last) = (levels.first()?, levels.last()?);
    let jumps = |slope: fn(&Level) -> f64| {
        let grows = |pair: &[Level]| {
            let (coarse, fine) = (slope(&pair[0]), slope(&pair[1]));
            coarse * fine > 0.0 && fine.abs() >= 2.5 * coarse.abs()
        };
        slope(first).abs() > SIGNIFICANT * first.noise(measured) && levels.windows(2).all(grows)
    };
    let is_jump = levels.len() > 4 && (jumps(|level| level.right) || jumps(|level| level.left));
    is_jump.then_some(last.step)
}
