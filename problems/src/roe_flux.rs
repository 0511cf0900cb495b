//! The numerical flux between two states of a gas: a small Jacobian that solvers of flows evaluate at every cell face.
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

#[cfg(test)]
mod tests {
    use super::*;
    use wengert::{Mode, jacobian};

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
