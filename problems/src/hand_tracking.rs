//! Hand tracking: distances between measured points and the skin of a posed hand.
//!
//! Invariant: only vertices that correspond to a measured point are computed; bones without an angle keep their rest
//! pose as plain numbers.
//! Source: Taylor et al. 2014; Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective Hand.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wengert::{Function, Scalar};

pub use crate::hand_model::HandModel;

use crate::ProblemError;
use crate::hand_model::Affine;
use crate::text::{MOST_INPUTS, Reader, read};

/// Pose parameters: global rotation (3) and translation (3), then four angles per finger.
pub const POSE: usize = 26;

/// Below this angle, in radians, the global rotation is the identity, as in the suite.
const SMALLEST_ANGLE: f64 = 1e-4;

/// Where the measured points lie on the skin.
#[derive(Clone, Debug)]
enum Correspondence {
    /// At a vertex.
    Vertex(Vec<usize>),
    /// In a triangle, at barycentric coordinates that are independents.
    Triangle(Vec<[usize; 3]>),
}

/// An instance: a model, measured points and where they lie, and the start values of the independents.
///
/// Independents: in the complicated variant first `u1 u2` per point; then 26 pose parameters: global rotation (angle and
/// axis), global translation, and per finger (thumb to little finger) the x and z angles of the second bone and the x
/// angles of the next two; wrist, forearm and the first bone of a finger keep their rest pose.
/// Outputs: three coordinates per point, measured minus model.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::hand_tracking::{HandModel, HandTracking, Variant};
/// let hand = HandTracking::generate(HandModel::generate(50, 1), Variant::Complicated, 10, 2)?;
/// let (x, mut y) = (hand.x0(), [0.0; 30]);
/// hand.eval(&x, &mut y);
/// assert_eq!(x.len(), 2 * 10 + 26);
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: 26 or `2N + 26` inputs, `3N` outputs. All outputs depend on the pose, each point on its own `u`.
/// **Cost**: about 1100 multiplications for the bones and 12 per point and bone that moves it.
/// **Source**: ADBench, objective Hand.
#[derive(Clone, Debug)]
pub struct HandTracking {
    model: HandModel,
    points: Vec<[f64; 3]>,
    correspondence: Correspondence,
    x0: Vec<f64>,
}

/// Whether points correspond to vertices, or lie in triangles at coordinates that are independents too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Each point belongs to a vertex.
    Simple,
    /// Each point belongs to a place in a triangle.
    Complicated,
}

impl HandTracking {
    /// Reads the file format of the suite: `N 26`, per point its correspondence and position, in the complicated
    /// variant per point `u1 u2`, then the pose.
    ///
    /// **Cost**: linear in the text.
    ///
    /// # Errors
    /// [`ProblemError::Format`] with the line where the text is not as expected.
    pub fn from_text(text: &str, model: HandModel, variant: Variant) -> Result<Self, ProblemError> {
        Self::parse(Reader::spaced(text, "<text>"), model, variant)
    }

    /// Reads a file and the folder `model` beside it, as [`from_text`](Self::from_text).
    ///
    /// # Errors
    /// Also [`ProblemError::Io`].
    pub fn from_path(path: &Path, variant: Variant) -> Result<Self, ProblemError> {
        let text = read(path)?;
        let model = HandModel::from_folder(&path.with_file_name("model"))?;
        Self::parse(
            Reader::spaced(&text, &path.display().to_string()),
            model,
            variant,
        )
    }

    fn parse(
        mut reader: Reader<'_>,
        model: HandModel,
        variant: Variant,
    ) -> Result<Self, ProblemError> {
        let n = reader.positive("the number of points")?;
        match reader.count("the number of pose parameters, 26")? {
            POSE => {}
            other => {
                return Err(reader.error("26 pose parameters", other.to_string().into()));
            }
        }
        reader.check_inputs(n.checked_mul(4))?;
        let complicated = variant == Variant::Complicated;
        let (mut vertices, mut triangles, mut points) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n {
            if complicated {
                let corners = reader.index(model.triangles(), "the triangle of a point")?;
                triangles.push(model.triangles[corners]);
            } else {
                vertices.push(reader.index(model.vertices(), "the vertex of a point")?);
            }
            points.push(reader.array("a coordinate of a point")?);
        }
        let coordinates = if complicated { 2 * n } else { 0 };
        let mut x0 = reader.numbers(coordinates, "a coordinate in a triangle")?;
        x0.extend(reader.numbers(POSE, "a pose parameter")?);
        reader.end()?;
        let correspondence = if complicated {
            Correspondence::Triangle(triangles)
        } else {
            Correspondence::Vertex(vertices)
        };
        Ok(Self {
            model,
            points,
            correspondence,
            x0,
        })
    }

    /// An instance with `n` points near the skin of a random pose.
    ///
    /// **Cost**: linear in `n`.
    ///
    /// # Errors
    /// [`ProblemError::Size`] if `n` is 0 or above 10^7, or the model has no triangles.
    pub fn generate(
        model: HandModel,
        variant: Variant,
        n: usize,
        seed: u64,
    ) -> Result<Self, ProblemError> {
        let skinned = model.vertices() > 0 && model.triangles() > 0;
        if !skinned || n == 0 || n > MOST_INPUTS / 10 {
            let name = match variant {
                Variant::Simple => "hand",
                Variant::Complicated => "hand-complicated",
            };
            return Err(ProblemError::size(
                name,
                "a model with triangles and 1 <= n <= 10000000 points",
                &[n],
            ));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut x0: Vec<f64> = Vec::new();
        let correspondence = match variant {
            Variant::Simple => {
                let vertex = |_| rng.random_range(0..model.vertices());
                Correspondence::Vertex((0..n).map(vertex).collect())
            }
            Variant::Complicated => {
                let triangle = |_| model.triangles[rng.random_range(0..model.triangles())];
                let triangles = (0..n).map(triangle).collect();
                x0.extend((0..2 * n).map(|_| rng.random_range(0.0..0.5)));
                Correspondence::Triangle(triangles)
            }
        };
        x0.extend((0..POSE).map(|_| rng.random_range(-0.5..0.5)));
        let points = vec![[0.0; 3]; n];
        let mut instance = Self {
            model,
            points,
            correspondence,
            x0,
        };
        let mut skin = vec![0.0; 3 * n];
        instance.eval(&instance.x0, &mut skin);
        for (point, skin) in instance.points.iter_mut().zip(skin.chunks_exact(3)) {
            // The residual at a point in the origin is minus the place on the skin.
            *point = [0, 1, 2].map(|c| rng.random_range(-0.01..0.01) - skin[c]);
        }
        Ok(instance)
    }

    /// The number of measured points.
    pub const fn points(&self) -> usize {
        self.points.len()
    }

    /// Whether the coordinates in triangles are independents.
    pub const fn variant(&self) -> Variant {
        match self.correspondence {
            Correspondence::Vertex(_) => Variant::Simple,
            Correspondence::Triangle(_) => Variant::Complicated,
        }
    }

    /// The start values of the independents, in their order.
    pub fn x0(&self) -> Vec<f64> {
        self.x0.clone()
    }
}

impl Function for HandTracking {
    fn inputs(&self) -> Option<usize> {
        Some(self.x0.len())
    }

    fn outputs(&self, _: usize) -> usize {
        3 * self.points.len()
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let (coordinates, pose) = x.split_at(x.len() - POSE);
        let skin = Skin {
            model: &self.model,
            transforms: bone_transforms(&self.model, &pose[6..]),
            rotation: global_rotation(&pose[..3]),
            translation: [pose[3], pose[4], pose[5]],
        };
        match &self.correspondence {
            Correspondence::Vertex(vertices) => {
                for ((y, point), vertex) in y.chunks_exact_mut(3).zip(&self.points).zip(vertices) {
                    subtract(y, point, skin.place(skin.rest(*vertex)));
                }
            }
            Correspondence::Triangle(triangles) => {
                let rows = y.chunks_exact_mut(3).zip(&self.points);
                for ((y, point), (triangle, u)) in
                    rows.zip(triangles.iter().zip(coordinates.chunks_exact(2)))
                {
                    let [a, b, c] = triangle.map(|vertex| skin.rest(vertex));
                    let third = -u[0] - u[1] + 1.0;
                    let inside = [0, 1, 2].map(|i| u[0] * a[i] + u[1] * b[i] + third * c[i]);
                    subtract(y, point, skin.place(inside));
                }
            }
        }
    }
}

/// `y = point - place`.
fn subtract<S: Scalar>(y: &mut [S], point: &[f64; 3], place: [S; 3]) {
    for ((y, point), place) in y.iter_mut().zip(point).zip(place) {
        *y = -place + *point;
    }
}

/// A posed hand: everything that all points share.
struct Skin<'a, S> {
    model: &'a HandModel,
    transforms: Vec<[[S; 4]; 3]>,
    rotation: [[S; 3]; 3],
    translation: [S; 3],
}

impl<S: Scalar> Skin<'_, S> {
    /// A vertex moved by its bones, before the global motion.
    fn rest(&self, vertex: usize) -> [S; 3] {
        let mut sum: Option<[S; 3]> = None;
        for (bone, p) in &self.model.influences[vertex] {
            let moved = self.transforms[*bone]
                .map(|row| row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3] * p[3]);
            sum = Some(sum.map_or(moved, |sum| [0, 1, 2].map(|i| sum[i] + moved[i])));
        }
        sum.unwrap_or([S::from(0.0); 3])
    }

    /// The global motion of a place. It is affine, so places in triangles may be combined before it.
    fn place(&self, p: [S; 3]) -> [S; 3] {
        [0, 1, 2].map(|r| {
            let row = &self.rotation[r];
            row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + self.translation[r]
        })
    }
}

/// The rotation matrix of an angle-axis vector; the identity for tiny angles.
fn global_rotation<S: Scalar>(r: &[S]) -> [[S; 3]; 3] {
    let squared_angle = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
    if squared_angle < S::from(SMALLEST_ANGLE * SMALLEST_ANGLE) {
        let [zero, one] = [0.0, 1.0].map(S::from);
        return [[one, zero, zero], [zero, one, zero], [zero, zero, one]];
    }
    let angle = squared_angle.sqrt();
    let (sin, cos) = angle.sin_cos();
    let inverse = angle.recip();
    let [x, y, z] = [r[0] * inverse, r[1] * inverse, r[2] * inverse];
    let versine = -cos + 1.0;
    let [xy, xz, yz] = [x * y * versine, x * z * versine, y * z * versine];
    [
        [x * x * versine + cos, xy - z * sin, xz + y * sin],
        [xy + z * sin, y * y * versine + cos, yz - x * sin],
        [xz - y * sin, yz + x * sin, z * z * versine + cos],
    ]
}

/// The motion of every bone from its rest pose. `angles`: four per finger.
fn bone_transforms<S: Scalar>(model: &HandModel, angles: &[S]) -> Vec<[[S; 4]; 3]> {
    let mut absolutes: Vec<[[S; 4]; 3]> = Vec::with_capacity(model.bones.len());
    for (index, bone) in model.bones.iter().enumerate() {
        let parent = bone.parent.map(|parent| &absolutes[parent]);
        let absolute = match (parent, joint(index, angles)) {
            (None, None) => bone.relative.map(|row| row.map(S::from)),
            (None, Some(angles)) => turned(&bone.relative, angles),
            (Some(parent), None) => after_constant(parent, &bone.relative),
            (Some(parent), Some(angles)) => after(parent, &turned(&bone.relative, angles)),
        };
        absolutes.push(absolute);
    }
    for (absolute, bone) in absolutes.iter_mut().zip(&model.bones) {
        *absolute = after_constant(absolute, &bone.inverse_absolute);
    }
    absolutes
}

/// The angles about x and z of a bone that is posed; the wrist, the forearm and the first bone of a finger are not.
fn joint<S: Scalar>(bone: usize, angles: &[S]) -> Option<(S, Option<S>)> {
    let (finger, place) = (bone.checked_sub(1)? / 4, (bone - 1) % 4);
    let angles = angles.chunks_exact(4).nth(finger)?;
    match place {
        0 => None,
        1 => Some((angles[0], Some(angles[1]))),
        _ => Some((angles[place], None)),
    }
}

/// The rest pose after a rotation about x and then, if given, z.
fn turned<S: Scalar>(relative: &Affine, (x, z): (S, Option<S>)) -> [[S; 4]; 3] {
    let (sx, cx) = x.sin_cos();
    let z = z.map(|z| z.sin_cos());
    relative.map(|row| {
        let shift = S::from(row[3]);
        match z {
            None => {
                let [second, third] = [cx * row[1] + sx * row[2], cx * row[2] - sx * row[1]];
                [S::from(row[0]), second, third, shift]
            }
            Some((sz, cz)) => {
                let [first, middle] = [cz * row[0] + sz * row[1], cz * row[1] - sz * row[0]];
                [
                    first,
                    middle * cx + sx * row[2],
                    cx * row[2] - middle * sx,
                    shift,
                ]
            }
        }
    })
}

/// `a` after `b`.
fn after<S: Scalar>(a: &[[S; 4]; 3], b: &[[S; 4]; 3]) -> [[S; 4]; 3] {
    a.map(|row| {
        let mut product =
            [0, 1, 2, 3].map(|c| row[0] * b[0][c] + row[1] * b[1][c] + row[2] * b[2][c]);
        product[3] += row[3];
        product
    })
}

/// `a` after the constant `b`.
fn after_constant<S: Scalar>(a: &[[S; 4]; 3], b: &Affine) -> [[S; 4]; 3] {
    a.map(|row| {
        let mut product =
            [0, 1, 2, 3].map(|c| row[0] * b[0][c] + row[1] * b[1][c] + row[2] * b[2][c]);
        product[3] += row[3];
        product
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> HandModel {
        HandModel::generate(5, 1)
    }

    fn text(u: &str) -> String {
        format!("2 26\n0 1 2 3\n1 4 5 6\n{u}{}", "0.1\n".repeat(POSE))
    }

    #[test]
    fn every_truncation_and_every_wrong_word_is_an_error() {
        for (u, variant) in [
            ("", Variant::Simple),
            ("0.1 0.2\n0.3 0.4\n", Variant::Complicated),
        ] {
            let text = text(u);
            let whole = HandTracking::from_text(&text, model(), variant).unwrap();
            assert_eq!(whole.variant(), variant);
            let words: Vec<&str> = text.split_whitespace().collect();
            for at in 0..words.len() {
                let short =
                    HandTracking::from_text(&words[..at].join(" "), model(), variant).unwrap_err();
                assert!(short.to_string().contains("the end of the file"), "{short}");
                let mut words = words.clone();
                words[at] = "thumb";
                let wrong =
                    HandTracking::from_text(&words.join("\n"), model(), variant).unwrap_err();
                assert!(
                    wrong
                        .to_string()
                        .starts_with(&format!("<text>:{}:", at + 1)),
                    "{wrong}"
                );
            }
            assert!(HandTracking::from_text(&format!("{text} 1"), model(), variant).is_err());
        }
    }

    #[test]
    fn sizes_and_indices_are_checked() {
        for start in [
            "2 25",
            "0 26",
            "4611686018427387904 26",
            "18446744073709551615 26",
            "2 26 5",
        ] {
            let wrong = text("").replacen("2 26", start, 1);
            assert!(
                HandTracking::from_text(&wrong, model(), Variant::Simple).is_err(),
                "{start}"
            );
        }
        assert!(HandTracking::generate(model(), Variant::Simple, 0, 1).is_err());
        assert!(HandTracking::generate(model(), Variant::Simple, usize::MAX, 1).is_err());
    }

    #[test]
    fn a_hand_at_rest_is_its_model() {
        let model = HandModel::generate(20, 3);
        let transforms = bone_transforms(&model, &[0.0; 20]);
        for transform in &transforms {
            for (r, row) in transform.iter().enumerate() {
                for (c, entry) in row.iter().enumerate() {
                    let unit = f64::from(u8::from(r == c));
                    assert!((entry - unit).abs() < 1e-14, "{r} {c}: {entry}");
                }
            }
        }
    }

    /// A pose at the vertices of triangles gives the residuals of the simple variant.
    #[test]
    fn corners_of_triangles_are_vertices() {
        let model = HandModel::generate(5, 1);
        let corners = model.triangles[1];
        let pose = "0.3\n".repeat(POSE);
        let complicated = format!("1 26\n1 1 2 3\n0 1\n{pose}");
        let simple = format!("1 26\n{} 1 2 3\n{pose}", corners[1]);
        let texts = [
            (complicated, Variant::Complicated),
            (simple, Variant::Simple),
        ];
        let residuals = texts.map(|(text, variant)| {
            let hand = HandTracking::from_text(&text, model.clone(), variant).unwrap();
            let mut y = [0.0; 3];
            hand.eval(&hand.x0(), &mut y);
            y
        });
        for (a, b) in residuals[0].iter().zip(residuals[1]) {
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
    }
}
