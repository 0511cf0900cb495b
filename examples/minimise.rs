//! Minimisation with argmin: L-BFGS asks for costs and gradients, one tape serves all of them.
//!
//! Run it with `cargo run --release --example minimise`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use wengert::prelude::*;

/// Rosenbrock's valley in `n` dimensions.
fn rosenbrock<S: Scalar>(x: &[S]) -> S {
    x.windows(2)
        .map(|x| (-x[0] + 1.0).powi(2) + (x[1] - x[0] * x[0]).powi(2) * 100.0)
        .fold(S::from(0.0), |sum, term| sum + term)
}

/// The function on the tape.
type OnTape = fn(&[Var<f64>]) -> Var<f64>;

/// The function for argmin, with a tape that is used again and again.
struct Valley {
    gradient: RefCell<PreparedGradient<f64, OnTape>>,
}

impl CostFunction for Valley {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, x: &Self::Param) -> Result<f64, Error> {
        Ok(rosenbrock(x))
    }
}

impl Gradient for Valley {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, x: &Self::Param) -> Result<Vec<f64>, Error> {
        let mut gradient = vec![0.0; x.len()];
        self.gradient
            .borrow_mut()
            .value_and_gradient_into(x, &mut gradient)?;
        Ok(gradient)
    }
}

fn main() -> Result<(), Error> {
    let n = 20;
    let valley = Valley {
        gradient: RefCell::new(PreparedGradient::new(rosenbrock as OnTape, n)),
    };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 7);
    let result = Executor::new(valley, solver)
        .configure(|state| state.param(vec![-1.2; n]).max_iters(500))
        .run()?;
    let state = result.state();
    let best = state.get_best_param().expect("the solver has made a step");
    println!(
        "cost {:.2e} after {} iterations",
        state.get_best_cost(),
        state.get_iter()
    );
    assert!(best.iter().all(|x| (x - 1.0).abs() < 1e-6), "{best:?}");
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Error> {
    main()
}
