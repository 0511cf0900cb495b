//! Where the hand of an industrial robot is, by the angles of its six joints.
//!
//! Invariant: the orientation is that of Euler angles about z, y and z; it has no derivative where the last axis of the hand
//! is vertical.
//! Source: Denavit & Hartenberg 1955, "A kinematic notation for lower-pair mechanisms based on matrices"; Craig 2005, §3.
//! The lengths are those of the robot arm in Lohoff & Neftci 2024, "Optimizing automatic differentiation with deep
//! reinforcement learning", whose second coordinate has the sign of one term wrong.

use wengert::{Function, Scalar};

/// The offset and height of the shoulder, in mm.
const SHOULDER: [f64; 2] = [175.0, 575.0];
/// The length of the upper arm.
const UPPER: f64 = 890.0;
/// The offset and length of the forearm.
const FOREARM: [f64; 2] = [50.0, 1035.0];
/// From the wrist to the tip of the hand.
const HAND: f64 = 185.0;

/// Position and orientation of the hand.
///
/// ```
/// use std::f64::consts::FRAC_PI_2;
/// use wengert_problems::robot_arm::hand;
/// // Stretched out along the first axis, the forearm down and the hand forward.
/// let hand = hand(&[0.0, 0.0, 0.0, 0.0, FRAC_PI_2, 0.0]);
/// let expected = [1300.0, 0.0, -460.0, 0.0, FRAC_PI_2];
/// assert!(hand.iter().zip(expected).all(|(h, e)| (h - e).abs() < 1e-12));
/// ```
///
/// **Shape**: six angles; three coordinates in mm and the three Euler angles.
/// **Cost**: 11 sines and cosines, 3 arctangents, a root, about 70 multiplications and additions.
/// **Source**: as the module; Euler angles by Craig 2005, equation (2.74).
pub fn hand<S: Scalar>(angles: &[S]) -> [S; 6] {
    let (s1, c1) = (angles[0].sin(), angles[0].cos());
    let (s2, c2) = (angles[1].sin(), angles[1].cos());
    // The second and third axes are parallel, so their angles add up.
    let arm = angles[1] + angles[2];
    let (s23, c23) = (arm.sin(), arm.cos());
    let (s4, c4) = (angles[3].sin(), angles[3].cos());
    let (s5, c5) = (angles[4].sin(), angles[4].cos());
    let (s6, c6) = (angles[5].sin(), angles[5].cos());

    // The last axis of the hand; `out` and `side` are its parts in the plane of the arm and across it.
    let out = c23 * c4 * s5 + s23 * c5;
    let side = s4 * s5;
    let (ax, ay) = (c1 * out + s1 * side, s1 * out - c1 * side);
    let az = s23 * c4 * s5 - c23 * c5;
    // The vertical components of the other two axes.
    let (bend, roll) = (c23 * s5 + s23 * c4 * c5, s23 * s4);
    let nz = c6 * bend - roll * s6;
    let oz = -(s6 * bend) - roll * c6;

    let reach = c2 * UPPER + c23 * FOREARM[0] + s23 * FOREARM[1] + SHOULDER[0];
    let height = s2 * UPPER + s23 * FOREARM[0] - c23 * FOREARM[1] + SHOULDER[1];
    [
        c1 * reach + ax * HAND,
        s1 * reach + ay * HAND,
        height + az * HAND,
        ay.atan2(ax),
        (-(az * az) + 1.0).sqrt().atan2(az),
        oz.atan2(-nz),
    ]
}

/// [`hand`] as a function of the angles.
///
/// **Shape**: 6 inputs, 6 outputs. **Cost**, **Source**: as [`hand`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RobotArm;

impl RobotArm {
    /// A posture without symmetries.
    #[must_use]
    pub const fn x0() -> [f64; 6] {
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    }
}

impl Function for RobotArm {
    fn inputs(&self) -> Option<usize> {
        Some(6)
    }
    fn outputs(&self, _: usize) -> usize {
        6
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        y.copy_from_slice(&hand(x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;
    use nalgebra::{Matrix4, Rotation3, Vector3};
    use std::f64::consts::FRAC_PI_2;

    /// The product of the six frames: turn and shift by `d` about z, shift by `a` and turn by `twist` about x.
    fn frame(angles: &[f64; 6]) -> Matrix4<f64> {
        let table = [
            (575.0, 175.0, FRAC_PI_2),
            (0.0, 890.0, 0.0),
            (0.0, 50.0, FRAC_PI_2),
            (1035.0, 0.0, -FRAC_PI_2),
            (0.0, 0.0, FRAC_PI_2),
            (185.0, 0.0, 0.0),
        ];
        let joints = table.iter().zip(angles).map(|((d, a, twist), angle)| {
            let about = |axis, angle| Rotation3::new(axis * angle).to_homogeneous();
            about(Vector3::z(), *angle)
                * Matrix4::new_translation(&Vector3::new(*a, 0.0, *d))
                * about(Vector3::x(), *twist)
        });
        joints.product()
    }

    #[test]
    fn it_is_the_product_of_six_frames() {
        for angles in [
            RobotArm::x0(),
            [-2.0, 0.7, -1.1, 2.5, -0.8, 3.0],
            [1.0, -0.4, 0.9, -0.3, 1.9, -2.2],
        ] {
            let (found, expected) = (hand(&angles), frame(&angles));
            for k in 0..3 {
                assert!((found[k] - expected[(k, 3)]).abs() < 1e-11, "{found:?}");
            }
            let about = |axis, angle| Rotation3::new(axis * angle);
            let turn = about(Vector3::z(), found[3])
                * about(Vector3::y(), found[4])
                * about(Vector3::z(), found[5]);
            let difference = turn.into_inner() - expected.fixed_view::<3, 3>(0, 0);
            assert!(difference.amax() < 1e-14, "{angles:?}: {difference}");
        }
    }

    #[test]
    fn turning_the_base_turns_position_and_orientation() {
        let x = RobotArm::x0();
        let j = assert_modes_agree(&RobotArm, &x);
        let hand = hand(&x);
        for (i, expected) in [-hand[1], hand[0], 0.0, 1.0, 0.0, 0.0]
            .into_iter()
            .enumerate()
        {
            assert!((j[(i, 0)] - expected).abs() < 1e-11, "{i}: {}", j[(i, 0)]);
        }
    }
}
