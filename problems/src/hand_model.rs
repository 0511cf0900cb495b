//! The hand model of [`hand_tracking`](crate::hand_tracking): a skeleton of bones and a skin of weighted vertices.
//!
//! Invariant: a bone's parent stands before it, and every index of a vertex or triangle is in range.
//! Source: Taylor et al. 2014; file format of Srajer, Kukelova & Fitzgibbon 2018 (ADBench).

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::ProblemError;
use crate::text::{Reader, read};

/// The first three rows of an affine map in homogeneous coordinates; the last is 0 0 0 1.
pub(crate) type Affine = [[f64; 4]; 3];

/// What moves a vertex: bones, each with the vertex' homogeneous rest position times the bone's weight.
pub(crate) type Influences = Vec<(usize, [f64; 4])>;

/// Wrist and four bones per finger; a forearm may follow.
pub(crate) const HAND_BONES: usize = 21;

/// A bone: its parent, if it has one, its rest pose relative to it, and the map from the rest pose back to the bone.
#[derive(Clone, Debug)]
pub(crate) struct Bone {
    pub(crate) parent: Option<usize>,
    pub(crate) relative: Affine,
    pub(crate) inverse_absolute: Affine,
}

/// A skeleton, its skin and the triangles of the skin.
///
/// ```
/// use wengert_problems::hand_tracking::HandModel;
/// let model = HandModel::generate(50, 1);
/// assert_eq!((model.bones(), model.vertices(), model.triangles()), (22, 50, 48));
/// ```
/// **Shape**: 21 bones of a hand or more. **Cost**: none. **Source**: ADBench, objective Hand.
#[derive(Clone, Debug)]
pub struct HandModel {
    pub(crate) bones: Vec<Bone>,
    /// One per vertex.
    pub(crate) influences: Vec<Influences>,
    pub(crate) triangles: Vec<[usize; 3]>,
}

impl HandModel {
    /// Reads the three files of a model.
    ///
    /// `bones`: `name:parent:16 numbers:16 numbers`, the rest pose relative to the parent and the inverse of
    /// the absolute one, 4 x 4 by
    /// rows. `vertices`: `x:y:z:5 numbers that are ignored:count:bone:weight:...`. `triangles`: `v1:v2:v3`.
    ///
    /// **Cost**: linear in the texts.
    ///
    /// # Errors
    /// [`ProblemError::Format`] with the line where a text is not as expected.
    pub fn from_text(bones: &str, vertices: &str, triangles: &str) -> Result<Self, ProblemError> {
        Self::parse(
            [bones, vertices, triangles],
            ["<bones>", "<vertices>", "<triangles>"],
        )
    }

    /// Reads `bones.txt`, `vertices.txt` and `triangles.txt` in a folder, as [`from_text`](Self::from_text).
    ///
    /// # Errors
    /// Also [`ProblemError::Io`].
    pub fn from_folder(folder: &Path) -> Result<Self, ProblemError> {
        let files = ["bones.txt", "vertices.txt", "triangles.txt"].map(|file| folder.join(file));
        let [bones, vertices, triangles] = [read(&files[0])?, read(&files[1])?, read(&files[2])?];
        let names = files.map(|file| file.display().to_string());
        Self::parse(
            [&bones, &vertices, &triangles],
            [&names[0], &names[1], &names[2]],
        )
    }

    fn parse(texts: [&str; 3], files: [&str; 3]) -> Result<Self, ProblemError> {
        let bones = parse_bones(Reader::separated(texts[0], files[0], ':'))?;
        let influences = parse_vertices(Reader::separated(texts[1], files[1], ':'), bones.len())?;
        let triangles = Reader::separated(texts[2], files[2], ':');
        let triangles = parse_triangles(triangles, influences.len())?;
        Ok(Self {
            bones,
            influences,
            triangles,
        })
    }

    /// A hand with a forearm, random rest poses and `vertices` vertices moved by two or three neighbouring bones.
    ///
    /// **Shape**: at least three vertices (fewer are raised to three). **Cost**: linear in the vertices.
    pub fn generate(vertices: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bones: Vec<Bone> = Vec::new();
        let mut absolutes: Vec<Affine> = Vec::new();
        for index in 0..=HAND_BONES {
            let parent = match index {
                0 => None,
                HAND_BONES => Some(0),
                _ if index % 4 == 1 => Some(0),
                _ => Some(index - 1),
            };
            let angles = [0; 3].map(|_| rng.random_range(-0.4..0.4));
            let shift = [
                rng.random_range(-0.02..0.02),
                rng.random_range(0.02..0.08),
                0.0,
            ];
            let relative = rigid(angles, shift);
            let absolute = parent.map_or(relative, |parent| compose(&absolutes[parent], &relative));
            absolutes.push(absolute);
            bones.push(Bone {
                parent,
                relative,
                inverse_absolute: rigid_inverse(&absolute),
            });
        }
        let vertices = vertices.max(3);
        let influences = (0..vertices)
            .map(|_| {
                let home = rng.random_range(0..bones.len());
                let inside = [0; 3].map(|_| rng.random_range(-0.02..0.02));
                let position = apply(&absolutes[home], &inside);
                let mut near: Vec<usize> = vec![home];
                near.extend(bones[home].parent);
                near.extend(bones.iter().position(|bone| bone.parent == Some(home)));
                let shares: Vec<f64> = near.iter().map(|_| rng.random_range(0.1..1.0)).collect();
                let total: f64 = shares.iter().sum();
                near.into_iter()
                    .zip(shares)
                    .map(|(b, s)| (b, weighted(&position, s / total)))
                    .collect()
            })
            .collect();
        let triangles = (2..vertices).map(|v| [v - 2, v - 1, v]).collect();
        Self {
            bones,
            influences,
            triangles,
        }
    }

    /// The number of bones.
    pub const fn bones(&self) -> usize {
        self.bones.len()
    }

    /// The number of vertices.
    pub const fn vertices(&self) -> usize {
        self.influences.len()
    }

    /// The number of triangles.
    pub const fn triangles(&self) -> usize {
        self.triangles.len()
    }
}

fn parse_bones(mut reader: Reader<'_>) -> Result<Vec<Bone>, ProblemError> {
    let mut bones: Vec<Bone> = Vec::new();
    while reader.next_record() {
        reader.word("the name of a bone")?;
        let before = bones.len();
        let parent = match reader.word("the parent of a bone")?.parse::<i64>() {
            Ok(-1) => None,
            Ok(parent) => match usize::try_from(parent) {
                Ok(parent) if parent < before => Some(parent),
                _ => {
                    let found = parent.to_string().into();
                    return Err(reader.error("-1 or a bone of an earlier line as parent", found));
                }
            },
            Err(_) => return Err(reader.error("the parent of a bone", "no integer".into())),
        };
        let relative = affine(&mut reader, "the relative transform of a bone")?;
        let inverse_absolute = affine(&mut reader, "the inverse absolute transform of a bone")?;
        reader.end()?;
        bones.push(Bone {
            parent,
            relative,
            inverse_absolute,
        });
    }
    if bones.len() < HAND_BONES {
        let found = format!("{} bones", bones.len()).into();
        return Err(reader.error("a wrist and four bones for each of five fingers", found));
    }
    Ok(bones)
}

fn parse_vertices(mut reader: Reader<'_>, bones: usize) -> Result<Vec<Influences>, ProblemError> {
    let mut vertices = Vec::new();
    while reader.next_record() {
        let position = reader.array::<3>("a coordinate of a vertex")?;
        reader.array::<5>("a number of a vertex that is not used")?;
        let count = reader.count("the number of bones that move a vertex")?;
        let mut influences = Vec::new();
        for _ in 0..count {
            let bone = reader.index(bones, "a bone that moves a vertex")?;
            let weight = reader.number("the weight of a bone")?;
            influences.push((bone, weighted(&position, weight)));
        }
        reader.end()?;
        vertices.push(influences);
    }
    Ok(vertices)
}

fn parse_triangles(
    mut reader: Reader<'_>,
    vertices: usize,
) -> Result<Vec<[usize; 3]>, ProblemError> {
    let mut triangles = Vec::new();
    while reader.next_record() {
        let mut triangle = [0; 3];
        for corner in &mut triangle {
            *corner = reader.index(vertices, "a vertex of a triangle")?;
        }
        reader.end()?;
        triangles.push(triangle);
    }
    Ok(triangles)
}

/// Reads a 4 x 4 matrix whose last row is 0 0 0 1.
fn affine(reader: &mut Reader<'_>, expected: &'static str) -> Result<Affine, ProblemError> {
    let rows = [
        reader.array(expected)?,
        reader.array(expected)?,
        reader.array(expected)?,
    ];
    let last = reader.array::<4>(expected)?;
    if last == [0.0, 0.0, 0.0, 1.0] {
        return Ok(rows);
    }
    Err(reader.error(
        "0 0 0 1 as the last row of a transform",
        format!("{last:?}").into(),
    ))
}

/// The homogeneous position times a weight.
fn weighted(p: &[f64; 3], weight: f64) -> [f64; 4] {
    [p[0] * weight, p[1] * weight, p[2] * weight, weight]
}

/// A rotation about x, then y, then z, followed by a shift.
fn rigid([x, y, z]: [f64; 3], shift: [f64; 3]) -> Affine {
    let ((sx, cx), (sy, cy), (sz, cz)) = (x.sin_cos(), y.sin_cos(), z.sin_cos());
    [
        [
            cz * cy,
            cz * sy * sx - sz * cx,
            cz * sy * cx + sz * sx,
            shift[0],
        ],
        [
            sz * cy,
            sz * sy * sx + cz * cx,
            sz * sy * cx - cz * sx,
            shift[1],
        ],
        [-sy, cy * sx, cy * cx, shift[2]],
    ]
}

/// `a` after `b`.
fn compose(a: &Affine, b: &Affine) -> Affine {
    a.map(|row| {
        std::array::from_fn(|c| {
            let own = if c == 3 { row[3] } else { 0.0 };
            row[0] * b[0][c] + row[1] * b[1][c] + row[2] * b[2][c] + own
        })
    })
}

fn apply(a: &Affine, p: &[f64; 3]) -> [f64; 3] {
    a.map(|row| row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3])
}

/// The inverse of a rotation and shift: the transpose, and the shift turned back.
fn rigid_inverse(a: &Affine) -> Affine {
    std::array::from_fn(|r| {
        let [x, y, z] = [a[0][r], a[1][r], a[2][r]];
        [x, y, z, -(x * a[0][3] + y * a[1][3] + z * a[2][3])]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_undo_their_map() {
        let map = rigid([0.3, -0.7, 1.1], [1.0, 2.0, 3.0]);
        for (r, row) in compose(&rigid_inverse(&map), &map).iter().enumerate() {
            for (c, entry) in row.iter().enumerate() {
                let unit = f64::from(u8::from(r == c));
                assert!((entry - unit).abs() < 1e-14, "{r} {c}: {entry}");
            }
        }
    }

    /// At rest every bone transform is the identity, so the weights of a vertex sum to one at its rest position.
    #[test]
    fn generated_weights_sum_to_one() {
        let model = HandModel::generate(30, 4);
        for influences in &model.influences {
            let total: f64 = influences.iter().map(|(_, p)| p[3]).sum();
            assert!((total - 1.0).abs() < 1e-15);
        }
        assert_eq!(HandModel::generate(0, 4).vertices(), 3);
    }

    fn bone(parent: &str) -> String {
        format!("b:{parent}{}", ":1:0:0:0:0:1:0:0:0:0:1:0:0:0:0:1".repeat(2))
    }

    #[test]
    fn malformed_models_are_errors_with_a_line() {
        let mut lines = vec![bone("-1")];
        lines.extend((0..20).map(|_| bone("0")));
        let bones = lines.join("\n");
        let vertex = "1:2:3:0:0:0:0:0:2:0:0.5:1:0.5";
        let vertices = [vertex; 3].join("\n");
        let parse = HandModel::from_text;
        let model = parse(&bones, &vertices, "0:1:2\n").unwrap();
        assert_eq!(
            (model.bones(), model.vertices(), model.triangles()),
            (21, 3, 1)
        );

        for bad in [
            "b",
            "b:0",
            "b:x",
            "b:21",
            "b:-2",
            &bone("0")[..40],
            &format!("{}:1", bone("0")),
        ] {
            let mut lines = lines.clone();
            lines[20] = bad.to_owned();
            let wrong = parse(&lines.join("\n"), &vertices, "")
                .unwrap_err()
                .to_string();
            assert!(wrong.starts_with("<bones>:21: expected"), "{bad}: {wrong}");
        }
        let projective = bones.replace(":0:0:0:1\n", ":0:0:1:1\n");
        assert!(parse(&projective, &vertices, "").is_err());
        assert!(parse("", &vertices, "").is_err());

        for bad in [
            "1:2",
            "1:2:x:0:0:0:0:0:0",
            "1:2:3:0:0:0:0:0:-1",
            "1:2:3:0:0:0:0:0:1:21:1",
            "1:2:3:0:0:0:0:0:2:0:1",
            "1:2:3:0:0:0:0:0:99999999999999999999",
            "1:2:3:0:0:0:0:0:18446744073709551615:0:1",
            "1:2:3:0:0:0:0:0:0:7",
        ] {
            let text = format!("{vertex}\n{bad}\n");
            let wrong = parse(&bones, &text, "").unwrap_err().to_string();
            assert!(
                wrong.starts_with("<vertices>:2: expected"),
                "{bad}: {wrong}"
            );
        }
        for bad in ["0:1", "0:1:3", "0:1:-1", "0:1:2:0", "a:b:c"] {
            let wrong = parse(&bones, &vertices, bad).unwrap_err().to_string();
            assert!(
                wrong.starts_with("<triangles>:1: expected"),
                "{bad}: {wrong}"
            );
        }
    }
}
