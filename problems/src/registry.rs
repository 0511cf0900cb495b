//! All problems by name: what the command line and reports run over.
//!
//! Problems are objects of different types, so they are not returned but *visited*: the caller gives a [`Visitor`] that is
//! generic over the function.
//!
//! Invariant: every entry of [`PROBLEMS`] can be visited with [`Source::Default`].

use std::path::{Path, PathBuf};

use wengert::{Function, ScalarFunction};

use crate::bundle_adjustment::BundleAdjustment;
use crate::gmm::Gmm;
use crate::hand_tracking::{HandTracking, Variant};
use crate::hessian_suite::Family;
use crate::lstm::Lstm;
use crate::pollu::SUBSTANCES;
use crate::{ProblemError, instances};

/// The seed of generated instances, so that reports on two machines are about the same numbers.
pub const SEED: u64 = 1;

/// What is known about a problem before an instance is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub description: &'static str,
    /// The meaning of the sizes; empty if there is one instance only.
    pub sizes: &'static [&'static str],
    /// The sizes of the default instance.
    pub default_sizes: &'static [usize],
    /// Whether instances can be read from a file.
    pub reads_data: bool,
    /// The names of the inputs, where they have names.
    pub inputs: &'static [&'static str],
}

impl Problem {
    const fn fixed(
        name: &'static str,
        description: &'static str,
        inputs: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            description,
            sizes: &[],
            default_sizes: &[],
            reads_data: false,
            inputs,
        }
    }

    const fn sized(
        name: &'static str,
        description: &'static str,
        sizes: &'static [&'static str],
        default_sizes: &'static [usize],
    ) -> Self {
        Self {
            name,
            description,
            sizes,
            default_sizes,
            reads_data: false,
            inputs: &[],
        }
    }

    const fn with_data(mut self) -> Self {
        self.reads_data = true;
        self
    }
}

/// All problems.
pub const PROBLEMS: [Problem; 41] = [
    Problem::fixed(
        "slide",
        "the slides' branch: a sin(b) or a + b c",
        &["a", "b", "c"],
    ),
    Problem::fixed("arithmetic", "the slides' a + b c", &["a", "b", "c"]),
    Problem::sized(
        "tensors",
        "the slides' branch on arrays",
        &["entries"],
        &[9],
    ),
    Problem::sized(
        "loop",
        "the slides' repeated squaring in a loop",
        &["times"],
        &[2],
    ),
    Problem::sized(
        "recursion",
        "the slides' repeated squaring by recursion",
        &["times"],
        &[2],
    ),
    Problem::sized("floor", "the slides' sum of floor(a^3)", &["entries"], &[9]),
    Problem::sized(
        "special-floor",
        "the same with derivatives passed through",
        &["entries"],
        &[9],
    ),
    Problem::fixed("table", "the slides' table of elementary functions", &["x"]),
    Problem::sized(
        "simple-network",
        "the slides' |W x + b - t|^2",
        &["width"],
        &[4],
    ),
    Problem::sized(
        "dot",
        "torch-autograd's sum(W x)",
        &["rows", "columns"],
        &[32, 100],
    ),
    Problem::sized(
        "scale",
        "torch-autograd's sum(3 W x + 1)",
        &["rows", "columns"],
        &[32, 100],
    ),
    Problem::sized(
        "dot-nonlinear",
        "torch-autograd's sum(tanh(W x))",
        &["rows", "columns"],
        &[32, 100],
    ),
    Problem::fixed(
        "particle",
        "a charged particle's miss, a derivative inside",
        &["w"],
    ),
    Problem::sized("rosenbrock", "Rosenbrock's valley", &["n"], &[2]),
    Problem::sized("speelpenning", "Speelpenning's product", &["n"], &[10]),
    Problem::sized("helmholtz", "Helmholtz energy of a mixture", &["n"], &[10]),
    Problem::sized(
        "gmm",
        "Gaussian mixture likelihood",
        &["d", "k", "n"],
        &[10, 5, 1000],
    )
    .with_data(),
    Problem::sized(
        "ba",
        "bundle adjustment residuals",
        &["cameras", "points", "observations"],
        &[10, 100, 500],
    )
    .with_data(),
    Problem::fixed(
        "roe-flux",
        "Roe's flux between two states of a gas",
        &["rho_l", "m_l", "e_l", "rho_r", "m_r", "e_r"],
    ),
    Problem::fixed(
        "roe-flux-3d",
        "the same across a face in space",
        &[
            "rho_l", "mx_l", "my_l", "mz_l", "e_l", "rho_r", "mx_r", "my_r", "mz_r", "e_r",
        ],
    ),
    Problem::fixed(
        "robot-arm",
        "position and orientation of a robot's hand",
        &["t1", "t2", "t3", "t4", "t5", "t6"],
    ),
    Problem::fixed(
        "heart-dipole",
        "two dipoles in the human heart",
        &["a", "b", "c", "d", "t", "u", "v", "w"],
    ),
    Problem::fixed(
        "propane",
        "equilibrium of burning propane",
        &[
            "co2", "h2o", "n2", "co", "h2", "h", "oh", "o", "no", "o2", "total",
        ],
    ),
    Problem::fixed(
        "black-scholes",
        "greeks of an option, to be differentiated again",
        &["spot", "strike", "rate", "volatility", "time"],
    ),
    Problem::sized(
        "spherical-harmonics",
        "all spherical harmonics up to an order",
        &["order"],
        &[10],
    ),
    Problem::sized("matrix-function", "(A + B) (A B)^T", &["rows"], &[4]),
    Problem::fixed("pollu", "25 reactions of air pollution", &SUBSTANCES),
    Problem::sized(
        "random-graph",
        "random straight-line function",
        &["inputs", "intermediates", "outputs", "seed"],
        &[10, 100, 5, 1],
    ),
    Problem::sized("hand", "hand tracking residuals", &["points"], &[100]).with_data(),
    Problem::sized(
        "hand-complicated",
        "hand tracking in triangles",
        &["points"],
        &[100],
    )
    .with_data(),
    Problem::sized(
        "lstm",
        "long short-term memory loss",
        &["layers", "characters", "bits"],
        &[2, 100, 14],
    )
    .with_data(),
    suite(Family::Rosen, "Rosenbrock's valley, chained", &[100]),
    suite(Family::Arwhead, "arrow-head", &[100]),
    suite(Family::Cosine, "chained cosines", &[100]),
    suite(Family::Bdqrtic, "quartic with a band and an arrow", &[100]),
    suite(Family::Brybnd, "Broyden's banded function", &[100]),
    suite(Family::Tridia, "quadratic, tridiagonal", &[100]),
    suite(Family::Minsurf, "minimal surface", &[100]),
    suite(Family::Bratu, "solid fuel ignition", &[100]),
    suite(Family::Lj, "Lennard-Jones cluster", &[30]),
    suite(Family::Ocp, "optimal control of a pendulum", &[60]),
];

/// A family of the Hessian suite.
const fn suite(
    family: Family,
    description: &'static str,
    default_sizes: &'static [usize],
) -> Problem {
    Problem::sized(family.name(), description, &["n"], default_sizes)
}

/// Where an instance comes from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Source {
    /// The default sizes, generated with [`SEED`].
    #[default]
    Default,
    /// These sizes, generated with [`SEED`]; their meaning is in [`Problem::sizes`].
    Sizes(Vec<usize>),
    /// A data file.
    Data(PathBuf),
}

/// What a visitor is told about the instance.
#[derive(Clone, Debug)]
pub struct ProblemInfo {
    /// The problem.
    pub problem: Problem,
    /// The instance in words: its sizes, or its file.
    pub instance: String,
}

/// What to do with a problem, for every type that a problem can have.
///
/// ```
/// use wengert::Function;
/// use wengert_problems::registry::{ProblemInfo, Source, Visitor, visit};
/// struct FirstOutput;
/// impl Visitor for FirstOutput {
///     type Output = f64;
///     fn visit<F: Function + Sync>(self, f: &F, x: &[f64], _: &ProblemInfo) -> f64 {
///         let mut y = vec![0.0; f.outputs(x.len())];
///         f.eval(x, &mut y);
///         y[0]
///     }
/// }
/// assert_eq!(visit("slide", &Source::Default, FirstOutput)?, 2.727892280477045);
/// assert_eq!(visit("tridia", &Source::Sizes(vec![1]), FirstOutput)?, 0.0);
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Source**: the visitor pattern (Gamma et al. 1994), here over types that share a generic method.
pub trait Visitor: Sized {
    /// The result.
    type Output;

    /// Called once, with the function and its start point.
    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output;

    /// Called instead for functions with one output; by default it is [`visit`](Self::visit).
    fn visit_scalar<F: ScalarFunction + Sync>(
        self,
        f: &F,
        x: &[f64],
        info: &ProblemInfo,
    ) -> Self::Output {
        self.visit(f, x, info)
    }
}

/// The problem of this name.
///
/// # Errors
/// [`ProblemError::UnknownProblem`] with all names.
pub fn find(name: &str) -> Result<&'static Problem, ProblemError> {
    PROBLEMS
        .iter()
        .find(|problem| problem.name == name)
        .ok_or_else(|| ProblemError::UnknownProblem {
            name: name.into(),
            known: PROBLEMS.iter().map(|problem| problem.name).collect(),
        })
}

/// Makes the instance of a problem and visits it.
///
/// **Cost**: the instance; then the visitor's.
///
/// # Errors
/// [`ProblemError::UnknownProblem`], [`ProblemError::Size`] for sizes that the problem does not have,
/// [`ProblemError::NoData`], and the readers' errors.
pub fn visit<V: Visitor>(
    name: &str,
    source: &Source,
    visitor: V,
) -> Result<V::Output, ProblemError> {
    let problem = find(name)?;
    let sizes = match source {
        Source::Data(path) if problem.reads_data => return read(*problem, path, visitor),
        Source::Data(_) => {
            return Err(ProblemError::NoData {
                problem: problem.name,
            });
        }
        Source::Sizes(sizes) => sizes,
        Source::Default => problem.default_sizes,
    };
    if sizes.len() != problem.sizes.len() {
        let expected = match problem.sizes.len() {
            0 => "no sizes",
            1 => "one size",
            2 => "two sizes",
            3 => "three sizes",
            _ => "four sizes",
        };
        return Err(ProblemError::size(problem.name, expected, sizes));
    }
    let pairs = problem
        .sizes
        .iter()
        .zip(sizes)
        .map(|(name, size)| format!("{name}={size}"));
    let info = ProblemInfo {
        problem: *problem,
        instance: pairs.collect::<Vec<_>>().join(" "),
    };
    instances::visit(&info, sizes, visitor)
}

/// Visits the instance in a file.
fn read<V: Visitor>(problem: Problem, path: &Path, visitor: V) -> Result<V::Output, ProblemError> {
    let info = ProblemInfo {
        problem,
        instance: path.display().to_string(),
    };
    Ok(match problem.name {
        "gmm" => {
            let f = Gmm::from_path(path)?;
            visitor.visit_scalar(&f, &f.x0(), &info)
        }
        "lstm" => {
            let f = Lstm::from_path(path)?;
            visitor.visit_scalar(&f, &f.x0(), &info)
        }
        "ba" => {
            let f = BundleAdjustment::from_path(path)?;
            visitor.visit(&f, &f.x0(), &info)
        }
        "hand" | "hand-complicated" => {
            let simple = problem.name == "hand";
            let variant = if simple {
                Variant::Simple
            } else {
                Variant::Complicated
            };
            let f = HandTracking::from_path(path, variant)?;
            visitor.visit(&f, &f.x0(), &info)
        }
        _ => {
            return Err(ProblemError::NoData {
                problem: problem.name,
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Finite;
    impl Visitor for Finite {
        type Output = (usize, bool);
        fn visit<F: Function + Sync>(self, f: &F, x: &[f64], _: &ProblemInfo) -> Self::Output {
            assert!(f.inputs().is_none_or(|n| n == x.len()));
            let mut y = vec![f64::NAN; f.outputs(x.len())];
            f.eval(x, &mut y);
            (x.len(), y.iter().all(|y| y.is_finite()))
        }
    }

    #[test]
    fn every_problem_has_a_default_instance_with_finite_values() {
        for problem in PROBLEMS {
            let (n, finite) = visit(problem.name, &Source::Default, Finite).unwrap();
            assert!(n > 0 && finite, "{}", problem.name);
            assert_eq!(
                problem.sizes.len(),
                problem.default_sizes.len(),
                "{}",
                problem.name
            );
            let by_size = Source::Sizes(problem.default_sizes.to_vec());
            assert_eq!(visit(problem.name, &by_size, Finite).unwrap(), (n, true));
            if !problem.inputs.is_empty() {
                assert_eq!(problem.inputs.len(), n, "{}", problem.name);
            }
        }
        let mut names = PROBLEMS.map(|problem| problem.name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn wrong_sizes_are_errors() {
        for problem in PROBLEMS {
            let count = problem.sizes.len();
            for sizes in [vec![1; count + 1], vec![0; count], vec![usize::MAX; count]] {
                if sizes.is_empty() {
                    continue;
                }
                let wrong = visit(problem.name, &Source::Sizes(sizes.clone()), Finite);
                let wrong = wrong.expect_err(problem.name).to_string();
                assert!(wrong.starts_with(problem.name), "{sizes:?}: {wrong}");
            }
        }
    }

    #[test]
    fn unknown_names_and_missing_files_are_errors() {
        let unknown = visit("nothing", &Source::Default, Finite)
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("`nothing`") && unknown.contains("slide, arithmetic"));
        for problem in PROBLEMS {
            let missing = Source::Data("/no/such/file".into());
            let wrong = visit(problem.name, &missing, Finite).unwrap_err();
            match wrong {
                ProblemError::Io { .. } => assert!(problem.reads_data),
                ProblemError::NoData { .. } => assert!(!problem.reads_data),
                other => panic!("{other}"),
            }
        }
    }
}
