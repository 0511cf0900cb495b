//! The numerical flux between two states of a gas, on a line and in space: a small Jacobian that solvers of flows evaluate
//! at every cell face.
//!
//! Invariant: states are conserved quantities (density, momentum, energy), density and pressure positive.
//! Source: Roe 1981, "Approximate Riemann solvers, parameter vectors, and difference schemes"; a benchmark of elimination
//! orders since Tadjouddine, Forth & Pryce 2002.

use wengert::{Function, Scalar};

/// The ratio of specific heats of air.
const GAMMA: f64 = 1.4;

/// Pressure, velocity and total enthalpy of a state.
fn primitive<S: Scalar>(state: &[S]) -> [S; 3] {
    let velocity = state[1] / state[0];
    let pressure = (state[2] - state[1] * velocity * 0.5) * (GAMMA - 1.0);
    [pressure, velocity, (state[2] + pressure) / state[0]]
}

/// The flux from the left state into the right one.
///
/// ```
/// use wengert_problems::roe_flux::flux;
/// // Between equal states it is the flux of the state: momentum, momentum flow and pressure, flow of enthalpy.
/// let state = [1.0, 2.0, 4.5];
/// let f = flux(&state, &state);
/// assert!(f.iter().zip([2.0, 5.0, 11.0]).all(|(f, e)| (f - e).abs() < 1e-15 * e));
/// ```
///
/// **Shape**: two states of three numbers; three fluxes.
/// **Cost**: about 110 operations.
/// **Source**: Roe 1981; Toro 2009, §11.2.
pub fn flux<S: Scalar>(left: &[S], right: &[S]) -> [S; 3] {
    let ([p_l, u_l, h_l], [p_r, u_r, h_r]) = (primitive(left), primitive(right));
    let (root_l, root_r) = (left[0].sqrt(), right[0].sqrt());
    let total = root_l + root_r;
    let mean = |l: S, r: S| (root_l * l + root_r * r) / total;
    let (u, h) = (mean(u_l, u_r), mean(h_l, h_r));
    let kinetic = u * u * 0.5;
    let sound_squared = (h - kinetic) * (GAMMA - 1.0);
    let sound = sound_squared.sqrt();
    let density = root_l * root_r;
    // The jumps of the characteristic variables, each carried by its wave.
    let (jump_p, jump_u) = (p_r - p_l, density * sound * (u_r - u_l));
    let speeds = [u - sound, u, u + sound].map(|speed| speed.abs());
    let waves = [
        speeds[0] * (jump_p - jump_u) / (sound_squared * 2.0),
        speeds[1] * ((right[0] - left[0]) - jump_p / sound_squared),
        speeds[2] * (jump_p + jump_u) / (sound_squared * 2.0),
    ];
    let dissipation = [
        waves[0] + waves[1] + waves[2],
        waves[0] * (u - sound) + waves[1] * u + waves[2] * (u + sound),
        waves[0] * (h - u * sound) + waves[1] * kinetic + waves[2] * (h + u * sound),
    ];
    let side = |state: &[S], p: S, u: S, h: S| [state[1], state[1] * u + p, state[1] * h];
    let (f_l, f_r) = (side(left, p_l, u_l, h_l), side(right, p_r, u_r, h_r));
    [0, 1, 2].map(|k| (f_l[k] + f_r[k] - dissipation[k]) * 0.5)
}

/// [`flux`] as a function of both states, the left one first.
///
/// **Shape**: 6 inputs, 3 outputs. **Cost**: about 110 operations. **Source**: as the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoeFlux;

impl RoeFlux {
    /// Sod's shock tube: gas at rest, eight times as dense on the left.
    #[must_use]
    pub const fn x0() -> [f64; 6] {
        [1.0, 0.75, 2.75, 0.125, 0.05, 0.3]
    }
}

impl Function for RoeFlux {
    fn inputs(&self) -> Option<usize> {
        Some(6)
    }
    fn outputs(&self, _: usize) -> usize {
        3
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        y.copy_from_slice(&flux(&x[..3], &x[3..]));
    }
}

/// Velocity, pressure and total enthalpy of a state in space.
fn primitive_3d<S: Scalar>(state: &[S]) -> ([S; 3], S, S) {
    let velocity = [1, 2, 3].map(|k| state[k] / state[0]);
    let momentum_flow = squares(&state[1..4], &velocity);
    let pressure = (state[4] - momentum_flow * 0.5) * (GAMMA - 1.0);
    (velocity, pressure, (state[4] + pressure) / state[0])
}

/// The scalar product of two vectors of space.
fn squares<S: Scalar>(a: &[S], b: &[S]) -> S {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The flux across a face in space, whose normal is the first axis.
///
/// ```
/// use wengert_problems::roe_flux::flux_3d;
/// // Between equal states it is the flux of the state: the tangential momenta are carried along.
/// let state = [1.0, 2.0, 0.5, -0.5, 4.75];
/// let f = flux_3d(&state, &state);
/// let expected = [2.0, 5.0, 1.0, -1.0, 11.5];
/// assert!(f.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-14));
/// ```
///
/// **Shape**: two states of density, three momenta and energy; five fluxes.
/// **Cost**: about 180 operations.
/// **Source**: Roe 1981; wave strengths by Toro 2009, §11.2.2, equations (11.68) to (11.70).
pub fn flux_3d<S: Scalar>(left: &[S], right: &[S]) -> [S; 5] {
    let (v_l, p_l, h_l) = primitive_3d(left);
    let (v_r, p_r, h_r) = primitive_3d(right);
    let (root_l, root_r) = (left[0].sqrt(), right[0].sqrt());
    let total = root_l + root_r;
    let mean = |l: S, r: S| (root_l * l + root_r * r) / total;
    let velocity = [0, 1, 2].map(|k| mean(v_l[k], v_r[k]));
    let [u, v, w] = velocity;
    let h = mean(h_l, h_r);
    let kinetic = squares(&velocity, &velocity) * 0.5;
    let sound_squared = (h - kinetic) * (GAMMA - 1.0);
    let sound = sound_squared.sqrt();
    // The jumps, and what remains of that of the energy without the two shear waves.
    let jump = [0, 1, 2, 3, 4].map(|k| right[k] - left[k]);
    let (shear_v, shear_w) = (jump[2] - v * jump[0], jump[3] - w * jump[0]);
    let energy = jump[4] - shear_v * v - shear_w * w;
    let entropy = (jump[0] * (h - u * u) + u * jump[1] - energy) * (GAMMA - 1.0) / sound_squared;
    let back = (jump[0] * (u + sound) - jump[1] - sound * entropy) / (sound * 2.0);
    let forth = jump[0] - (back + entropy);
    // Each wave with its speed.
    let speed = u.abs();
    let (back, forth) = (back * (u - sound).abs(), forth * (u + sound).abs());
    let (entropy, shear_v, shear_w) = (entropy * speed, shear_v * speed, shear_w * speed);
    let mass = back + entropy + forth;
    let dissipation = [
        mass,
        back * (u - sound) + entropy * u + forth * (u + sound),
        mass * v + shear_v,
        mass * w + shear_w,
        back * (h - u * sound)
            + entropy * kinetic
            + shear_v * v
            + shear_w * w
            + forth * (h + u * sound),
    ];
    let (f_l, f_r) = (
        side_3d(left, v_l[0], p_l, h_l),
        side_3d(right, v_r[0], p_r, h_r),
    );
    [0, 1, 2, 3, 4].map(|k| (f_l[k] + f_r[k] - dissipation[k]) * 0.5)
}

/// The flux of one state along the first axis.
fn side_3d<S: Scalar>(state: &[S], u: S, p: S, h: S) -> [S; 5] {
    [
        state[1],
        state[1] * u + p,
        state[2] * u,
        state[3] * u,
        state[1] * h,
    ]
}

/// [`flux_3d`] as a function of both states, the left one first.
///
/// **Shape**: 10 inputs, 5 outputs. **Cost**: about 180 operations. **Source**: as the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoeFlux3d;

impl RoeFlux3d {
    /// The shock tube of [`RoeFlux::x0`] with some flow along the face.
    #[must_use]
    pub const fn x0() -> [f64; 10] {
        [1.0, 0.75, 0.2, -0.1, 2.8, 0.125, 0.05, 0.02, 0.03, 0.32]
    }
}

impl Function for RoeFlux3d {
    fn inputs(&self) -> Option<usize> {
        Some(10)
    }
    fn outputs(&self, _: usize) -> usize {
        5
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        y.copy_from_slice(&flux_3d(&x[..5], &x[5..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;
    use wengert::{Mode, jacobian};

    #[test]
    fn without_flow_along_the_face_space_is_a_line() {
        let x = RoeFlux::x0();
        let [l, r] = [&x[..3], &x[3..]].map(|s| [s[0], s[1], 0.0, 0.0, s[2]]);
        let (line, space) = (flux(&x[..3], &x[3..]), flux_3d(&l, &r));
        for (line, space) in line.iter().zip([space[0], space[1], space[4]]) {
            assert!((line - space).abs() < 1e-14, "{line} {space}");
        }
        assert_eq!(space[2..4], [0.0, 0.0]);
    }

    #[test]
    fn supersonic_flow_in_space_takes_the_upwind_side_whatever_the_frame() {
        let (left, right) = ([1.0, 3.0, 0.4, -0.3, 7.0], [0.9, 2.8, -0.2, 0.5, 6.8]);
        let (v, p, h) = primitive_3d(&left);
        let upwind = side_3d(&left, v[0], p, h);
        for (found, expected) in flux_3d(&left, &right).iter().zip(upwind) {
            assert!((found - expected).abs() < 1e-13, "{found} {expected}");
        }
        // A turn of the face in its plane by a quarter: (v, w) becomes (-w, v), and the fluxes turn with it.
        let x = RoeFlux3d::x0();
        let turn = |s: &[f64]| [s[0], s[1], -s[3], s[2], s[4]];
        let (f, turned) = (
            flux_3d(&x[..5], &x[5..]),
            flux_3d(&turn(&x[..5]), &turn(&x[5..])),
        );
        for (found, expected) in turned.iter().zip(turn(&f)) {
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
    }

    #[test]
    fn both_modes_give_one_jacobian() {
        assert_modes_agree(&RoeFlux, &RoeFlux::x0());
        assert_modes_agree(&RoeFlux3d, &RoeFlux3d::x0());
    }

    #[test]
    fn supersonic_flow_takes_the_flux_of_the_upwind_side() {
        let (left, right) = ([1.0, 3.0, 7.0], [0.9, 2.8, 6.8]);
        let found = flux(&left, &right);
        let [p, u, h] = primitive(&left);
        for (found, expected) in found.iter().zip([left[1], left[1] * u + p, left[1] * h]) {
            assert!(
                (found - expected).abs() < 1e-14 * expected,
                "{found} {expected}"
            );
        }
        // So the right state has no influence.
        let x: Vec<f64> = left.into_iter().chain(right).collect();
        let j = jacobian(&RoeFlux, &x, Mode::Reverse).unwrap();
        assert!(j.columns(3, 3).iter().all(|d| d.abs() < 1e-13));
    }
}
