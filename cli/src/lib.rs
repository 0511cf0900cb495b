//! The problems, compiled once for all commands: what the binary and its tests share.
//!
//! Every command is generic over the function it works on. Called with the problems' own types, each would be compiled forty
//! times; here the type is hidden first, so that it is compiled twice, for one output and for several.
//!
//! Invariant: a visitor sees the instance that [`wengert_problems::registry::visit`] makes, through one indirect call per
//! evaluation.
//! Source: [`wengert::Erased`].
#![deny(unsafe_code)]

use wengert::{Erased, ErasedScalar, Function, ScalarFunction};
use wengert_problems::ProblemError;
use wengert_problems::registry::{self, ProblemInfo, Source, Visitor};

/// A problem whose type is hidden.
enum Hidden<'a> {
    /// With several outputs.
    Vector(Erased<'a>),
    /// With one output.
    Scalar(ErasedScalar<'a>),
}

/// What is done with it.
type Action<'a> = dyn FnMut(Hidden<'_>, &[f64], &ProblemInfo) + 'a;

/// Hides the type of what it visits.
struct Hide<'a, 'b>(&'a mut Action<'b>);

impl Visitor for Hide<'_, '_> {
    type Output = ();
    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) {
        (self.0)(Hidden::Vector(Erased::new(f)), x, info);
    }
    fn visit_scalar<F: ScalarFunction + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) {
        (self.0)(Hidden::Scalar(ErasedScalar::new(f)), x, info);
    }
}

/// Makes the instance of a problem and visits it behind [`Erased`] or [`ErasedScalar`].
///
/// **Cost**: the instance; then the visitor's.
///
/// # Errors
/// As [`registry::visit`].
pub fn visit<V: Visitor>(
    name: &str,
    source: &Source,
    visitor: V,
) -> Result<V::Output, ProblemError> {
    let mut visitor = Some(visitor);
    let mut output = None;
    hidden(name, source, &mut |f, x, info| {
        if let Some(visitor) = visitor.take() {
            output = Some(match f {
                Hidden::Vector(f) => visitor.visit(&f, x, info),
                Hidden::Scalar(f) => visitor.visit_scalar(&f, x, info),
            });
        }
    })?;
    Ok(output.expect("the registry visits every problem that it finds"))
}

/// The one place where the problems' types are known; not generic, so that it is compiled here.
fn hidden(name: &str, source: &Source, action: &mut Action<'_>) -> Result<(), ProblemError> {
    registry::visit(name, source, Hide(action))
}
