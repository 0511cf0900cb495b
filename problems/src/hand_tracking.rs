//! Hand tracking: distances between measured points and the skin of a posed hand.
//!
//! Invariant: only vertices that correspond to a measured point are computed, each once; bones without an angle keep
//! their rest pose as plain numbers.
//! Source: Taylor et al. 2014; Srajer, Kukelova & Fitzgibbon 2018 (ADBench), objective Hand.

use std::ops::Range;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smallvec::SmallVec;
use wengert::{Function, Rows, Scalar};

pub use crate::hand_model::HandModel;

use crate::ProblemError;
use crate::hand_model::Affine;
use crate::text::{MOST_INPUTS, Reader, read};

/// Pose parameters: global rotation (3) and translation (3), then four angles per finger.
pub const POSE: usize = 26;

/// Below this angle, in radians, the global rotation is the identity, as in the suite.
const SMALLEST_ANGLE: f64 = 1e-4;

/// Numbers of a bone's transform, row by row.
const TRANSFORM: usize = 12;

/// The vertices of the skin that are needed, those moved by equally many bones together.
#[derive(Clone, Debug)]
struct Skin {
    groups: Vec<Group>,
    /// Numbers of all vertices, three for each.
    len: usize,
}

/// Vertices that are moved by equally many bones.
#[derive(Clone, Debug)]
struct Group {
    /// For the first bone of every vertex, for the second, ...: where its transform starts.
    bones: Vec<Vec<usize>>,
    /// The rest positions times the weights, bone by bone, vertex by vertex.
    weighted: Vec<f64>,
    /// Where the vertices lie among those of the skin.
    range: Range<usize>,
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
/// **Cost**: about 1100 multiplications for the bones and 12 per vertex and bone that moves it.
/// **Source**: ADBench, objective Hand.
#[derive(Clone, Debug)]
pub struct HandTracking {
    model: HandModel,
    points: Vec<[f64; 3]>,
    skin: Skin,
    /// Where the vertex of every point starts in the skin, or the three corners of its triangle.
    corners: Vec<Vec<usize>>,
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

impl Variant {
    /// How many vertices a point lies between.
    const fn corners(self) -> usize {
        match self {
            Self::Simple => 1,
            Self::Complicated => 3,
        }
    }
}

/// Appends one entry to each list.
fn push_each(lists: &mut [Vec<usize>], entries: &[usize]) {
    for (list, entry) in lists.iter_mut().zip(entries) {
        list.push(*entry);
    }
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
        let mut corners = vec![Vec::new(); variant.corners()];
        let mut points = Vec::new();
        for _ in 0..n {
            if complicated {
                let triangle = reader.index(model.triangles(), "the triangle of a point")?;
                push_each(&mut corners, &model.triangles[triangle]);
            } else {
                let vertex = reader.index(model.vertices(), "the vertex of a point")?;
                push_each(&mut corners, &[vertex]);
            }
            points.push(reader.array("a coordinate of a point")?);
        }
        let coordinates = if complicated { 2 * n } else { 0 };
        let mut x0 = reader.numbers(coordinates, "a coordinate in a triangle")?;
        x0.extend(reader.numbers(POSE, "a pose parameter")?);
        reader.end()?;
        let skin = Skin::new(&model, &mut corners);
        Ok(Self {
            model,
            points,
            skin,
            corners,
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
        let mut x0 = Vec::new();
        let mut corners = vec![Vec::new(); variant.corners()];
        for _ in 0..n {
            match variant {
                Variant::Simple => {
                    let vertex = rng.random_range(0..model.vertices());
                    push_each(&mut corners, &[vertex]);
                }
                Variant::Complicated => {
                    let triangle = rng.random_range(0..model.triangles());
                    push_each(&mut corners, &model.triangles[triangle]);
                }
            }
        }
        if variant == Variant::Complicated {
            x0.extend((0..2 * n).map(|_| rng.random_range(0.0..0.5)));
        }
        x0.extend((0..POSE).map(|_| rng.random_range(-0.5..0.5)));
        let skin = Skin::new(&model, &mut corners);
        let mut instance = Self {
            model,
            points: vec![[0.0; 3]; n],
            skin,
            corners,
            x0,
        };
        let mut places = vec![0.0; 3 * n];
        instance.eval(&instance.x0, &mut places);
        for (point, place) in instance.points.iter_mut().zip(places.chunks_exact(3)) {
            // The residual at a point in the origin is minus the place on the skin.
            *point = [0, 1, 2].map(|c| rng.random_range(-0.01..0.01) - place[c]);
        }
        Ok(instance)
    }

    /// The number of measured points.
    pub const fn points(&self) -> usize {
        self.points.len()
    }

    /// Whether the coordinates in triangles are independents.
    pub const fn variant(&self) -> Variant {
        match self.corners.len() {
            1 => Variant::Simple,
            _ => Variant::Complicated,
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
        let transforms = bone_transforms(&self.model, &pose[6..]);
        let skin = self.skin.moved(transforms.as_flattened().as_flattened());
        let motion = Motion {
            rotation: global_rotation(&pose[..3]),
            translation: [pose[3], pose[4], pose[5]],
        };
        let points = [Rows::from(self.points.as_slice())];
        let corner = |starts| {
            Rows::gathered(&skin, 3, starts).expect("the starts are those of vertices of the skin")
        };
        match self.corners.as_slice() {
            [a, b, c] => {
                let u = Rows::new(coordinates, 2).expect("there are two coordinates per point");
                let lanes = [u, corner(a), corner(b), corner(c)];
                S::map_rows(&lanes, &points, y, |x, point, y| {
                    let (u, corners) = x.split_at(2);
                    let third = -u[0] - u[1] + 1.0;
                    let inside = [0, 1, 2].map(|i| {
                        u[0] * corners[i] + u[1] * corners[3 + i] + third * corners[6 + i]
                    });
                    motion.residual(&inside, point, y);
                });
            }
            corners => {
                let lanes = corners.iter().map(|starts| corner(starts));
                let lanes: SmallVec<[Rows<'_, S>; 1]> = lanes.collect();
                S::map_rows(&lanes, &points, y, |vertex, point, y| {
                    motion.residual(vertex, point, y);
                });
            }
        }
    }
}

impl Skin {
    /// Finds the vertices that are needed; `corners` name vertices of the model and then places in the skin.
    fn new(model: &HandModel, corners: &mut [Vec<usize>]) -> Self {
        let mut vertices: Vec<usize> = corners.iter().flatten().copied().collect();
        vertices.sort_unstable_by_key(|vertex| (model.influences[*vertex].len(), *vertex));
        vertices.dedup();
        let mut starts = vec![0; model.vertices()];
        for (place, vertex) in vertices.iter().enumerate() {
            starts[*vertex] = 3 * place;
        }
        for corner in corners.iter_mut().flatten() {
            *corner = starts[*corner];
        }
        let influences = |vertex: &usize| &model.influences[*vertex];
        let mut groups: Vec<Group> = Vec::new();
        for members in vertices.chunk_by(|a, b| influences(a).len() == influences(b).len()) {
            let start = groups.last().map_or(0, |group| group.range.end);
            let bones = 0..influences(&members[0]).len();
            let starts = |bone: usize| {
                let starts = members.iter().map(|v| TRANSFORM * influences(v)[bone].0);
                starts.collect()
            };
            groups.push(Group {
                bones: bones.map(starts).collect(),
                weighted: members
                    .iter()
                    .flat_map(influences)
                    .flat_map(|(_, p)| *p)
                    .collect(),
                range: start..start + 3 * members.len(),
            });
        }
        let len = 3 * vertices.len();
        Self { groups, len }
    }

    /// The vertices moved by their bones, before the global motion.
    fn moved<S: Scalar>(&self, transforms: &[S]) -> Vec<S> {
        let mut skin = vec![S::from(0.0); self.len];
        // A vertex that no bone moves stays at the origin.
        for group in self.groups.iter().filter(|group| !group.bones.is_empty()) {
            let lanes = group.bones.iter().map(|starts| {
                Rows::gathered(transforms, TRANSFORM, starts)
                    .expect("the starts are those of bones")
            });
            let bones: SmallVec<[Rows<'_, S>; 4]> = lanes.collect();
            let weighted = Rows::new(&group.weighted, 4 * bones.len())
                .expect("there are four numbers per bone and vertex");
            let vertices = &mut skin[group.range.clone()];
            S::map_rows(&bones, &[weighted], vertices, |bones, weighted, vertex| {
                let bones = bones.as_chunks::<TRANSFORM>().0.iter();
                let moved = bones.zip(weighted.as_chunks::<4>().0).map(|(bone, p)| {
                    let rows: &[[S; 4]] = bone.as_chunks().0;
                    [0, 1, 2].map(|r| {
                        let row = &rows[r];
                        row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3] * p[3]
                    })
                });
                let sum = moved.reduce(|sum, moved| [0, 1, 2].map(|r| sum[r] + moved[r]));
                vertex.copy_from_slice(&sum.expect("some bone moves it"));
            });
        }
        skin
    }
}

/// The global motion. It is affine, so places in triangles may be combined before it.
struct Motion<S> {
    rotation: [[S; 3]; 3],
    translation: [S; 3],
}

impl<S: Scalar> Motion<S> {
    /// A measured point minus the moved place on the skin.
    fn residual(&self, p: &[S], point: &[S], y: &mut [S]) {
        let motion = self.rotation.iter().zip(&self.translation);
        for ((y, point), (row, shift)) in y.iter_mut().zip(point).zip(motion) {
            *y = -(row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + *shift) + *point;
        }
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
