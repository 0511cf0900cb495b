//! Custom rules as programs keep them: erased, with their partials on plain and on traced numbers.

use std::any::TypeId;
use std::sync::Arc;

use super::record::Traced;
use crate::elementary::{Custom, CustomRule, Keeper, Nary};

/// A custom rule owned by a program.
pub(super) trait ProgramRule: Send + Sync {
    /// The value.
    fn value(&self, x: &[f64]) -> f64;
    /// The partials; `None` for structural zeros.
    fn partials(&self, x: &[f64], y: f64, out: &mut [Option<f64>]);
    /// The partials as nodes of the program being recorded.
    fn traced_partials(&self, x: &[Traced], y: Traced, out: &mut [Option<Traced>]);
    /// The type of the rule.
    fn type_id(&self) -> TypeId;
    /// Whether the rule holds no data, so that two of its type are the same.
    fn is_unit(&self) -> bool;
    /// Whether the partials are constants.
    fn is_linear(&self) -> bool;
}

/// A rule of which a program keeps a copy.
struct Kept<R>(R);

impl<R: CustomRule> ProgramRule for Kept<R> {
    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x)
    }
    fn partials(&self, x: &[f64], y: f64, out: &mut [Option<f64>]) {
        Custom(&self.0).partials(x, y, out);
    }
    fn traced_partials(&self, x: &[Traced], y: Traced, out: &mut [Option<Traced>]) {
        Custom(&self.0).partials(x, y, out);
    }
    fn type_id(&self) -> TypeId {
        TypeId::of::<R>()
    }
    fn is_unit(&self) -> bool {
        size_of::<R>() == 0
    }
    fn is_linear(&self) -> bool {
        self.0.is_linear()
    }
}

/// Erases the rules that programs keep.
pub(super) struct Erase;

impl Keeper for Erase {
    type Kept = Arc<dyn ProgramRule>;
    fn keep<R: CustomRule>(self, rule: R) -> Self::Kept {
        Arc::new(Kept(rule))
    }
}
