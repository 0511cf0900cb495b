//! A guided tour: what to call, when, and what to look out for. Every example runs.
//!
//! 1. [`first_gradient`]: one function, one call.
//! 2. [`modes`]: forward, reverse, and how to choose.
//! 3. [`nesting`]: derivatives of derivatives.
//! 4. [`programs_and_regions`]: record once, replay often; loops that stay loops.
//! 5. [`planning`]: elimination orders between forward and reverse.
//! 6. [`hessians`]: second order and products with it.
//! 7. [`pitfalls`]: kinks, domains, branches, and how errors look.
//!
//! Invariant: this module has no code, only text and examples.
//! Source: the order follows the textbook, Griewank & Walther 2008.

pub mod first_gradient {
    //! One function, one call.
    //!
    //! Write the function generic over [`Scalar`](crate::Scalar). Numbers become `S`, operators and methods stay as they are; loops,
    //! branches and recursion are ordinary code.
    //!
    //! ```
    //! use wengert::prelude::*;
    //!
    //! /// The potential energy of a chain of springs.
    //! fn energy<S: Scalar>(x: &[S]) -> S {
    //!     let mut sum = x[0] * x[0] * 0.5;
    //!     for pair in x.windows(2) {
    //!         sum += (pair[1] - pair[0] - 1.0).powi(2) * 0.5;
    //!     }
    //!     sum
    //! }
    //!
    //! // The function still is a function of plain numbers ...
    //! assert_eq!(energy(&[0.0, 1.0, 3.0]), 0.5);
    //! // ... and the gradient costs a few times as much as one evaluation, for any number of inputs.
    //! let (value, gradient) = value_and_gradient(energy, &[0.0, 1.0, 3.0])?;
    //! assert_eq!((value, gradient), (0.5, vec![0.0, -1.0, 1.0]));
    //! # Ok::<(), Error>(())
    //! ```
    //!
    //! The value that comes with a derivative is the plain one, bit for bit. A function of one number has
    //! [`derivative`](crate::forward::derivative) and [`derivatives`](crate::forward::derivatives) to any order:
    //!
    //! ```
    //! use wengert::prelude::*;
    //! // x^3 at 2: the value and the first three derivatives.
    //! let (value, orders) = derivatives(|x: Taylor<f64, 3>| x * x * x, 2.0);
    //! assert_eq!((value, orders), (8.0, [12.0, 12.0, 6.0]));
    //! ```
    //!
    //! Parameters in a struct, a tuple or a matrix: [`gradient_params`](crate::reverse::gradient_params) returns the same shape.
    //! In doubt whether a derivative is right: [`check`](crate::check).
}

pub mod modes {
    //! Forward, reverse, and how to choose.
    //!
    //! *Forward* mode computes directional derivatives: its cost grows with the number of inputs `n`. *Reverse* mode records the
    //! function and sweeps back: its cost grows with the number of outputs `m`. So a gradient is reverse, the derivative of a
    //! curve is forward, and a Jacobian takes whichever of `n` and `m` is smaller.
    //!
    //! ```
    //! use wengert::prelude::*;
    //!
    //! fn polar<S: Scalar>(x: &[S], y: &mut [S]) {
    //!     y[0] = x[0] * x[1].cos();
    //!     y[1] = x[0] * x[1].sin();
    //! }
    //! let f = function!(polar => 2);
    //! let forward = jacobian(&f, &[2.0, 0.0], Mode::Forward)?;
    //! let reverse = jacobian(&f, &[2.0, 0.0], Mode::Reverse)?;
    //! assert_eq!(forward, reverse);
    //! assert_eq!(forward.as_slice(), [1.0, 0.0, 0.0, 2.0]);
    //! # Ok::<(), Error>(())
    //! ```
    //!
    //! Products need no Jacobian: [`jvp`](crate::forward::jvp) is `J v`, [`vjp`](crate::reverse::vjp) is `w J`.
    //!
    //! A closure serves one carrier. A *function object*, made by [`function!`](crate::function), can be evaluated on several, so that
    //! drivers can choose the mode, nest, or repeat an evaluation with strict zeros.
}

pub mod nesting {
    //! Derivatives of derivatives.
    //!
    //! Carriers are generic over their number, so they nest: a [`Var`](crate::reverse::Var) over a [`Dual`](crate::forward::Dual) is
    //! forward over reverse. `grad` turns a function object into another one, so it can be applied again.
    //!
    //! ```
    //! use wengert::prelude::*;
    //!
    //! fn f<S: Scalar>(x: &[S]) -> S {
    //!     x[0] * x[0] * x[1]
    //! }
    //! let mut hessian = [0.0; 4];
    //! grad(grad(function!(f))).eval(&[3.0, 2.0], &mut hessian);
    //! assert_eq!(hessian, [4.0, 6.0, 6.0, 0.0]);
    //! ```
    //!
    //! Levels are types, so a derivative inside a function that is differentiated cannot be confused with the one outside:
    //!
    //! ```
    //! use wengert::prelude::*;
    //! // d/dx of x * d/dy (x + y) at y = 1.
    //! let outer = derivative(|x| x * derivative(|y| Dual::constant(x) + y, Dual::from(1.0)), 1.0);
    //! assert_eq!(outer, 1.0);
    //! ```
}

pub mod programs_and_regions {
    //! Record once, replay often; loops that stay loops.
    //!
    //! A [`Program`](crate::program::Program) is the recorded function: the Wengert list. Derivatives are transformations from program to
    //! program; replay runs them on vector registers and all cores. It pays after some ten evaluations.
    //!
    //! ```
    //! use wengert::prelude::*;
    //! use wengert::program::Program;
    //!
    //! fn misfit<S: Scalar>(x: &[S], times: &[f64]) -> S {
    //!     // One body in the program, however long the data.
    //!     S::sum_over(&[], &[Rows::column(times)], |_, d| (x[0] * d[0] - d[0].sin()).powi(2))
    //! }
    //! let times = [0.0, 0.5, 1.0];
    //! let program = Program::record(|x| [misfit(x, &times)], &[1.0])?;
    //! let mut gradient = program.gradient()?.simplify()?.prepare()?;
    //! let replayed = gradient.run(&[0.7])?[0];
    //! let direct = wengert::reverse::gradient(|x| misfit(x, &times), &[0.7])?[0];
    //! assert!((replayed - direct).abs() < 1e-14);
    //! # Ok::<(), Error>(())
    //! ```
    //!
    //! A program is that of the branch taken. Where a function would decide otherwise, replay says so:
    //!
    //! ```
    //! use wengert::prelude::*;
    //! use wengert::program::Program;
    //! let program = Program::record(|x| [if x[0] > 0.0 { x[0] } else { -x[0] * 2.0 }], &[1.0])?;
    //! let error = program.prepare()?.run(&[-1.0]).unwrap_err();
    //! assert!(matches!(error, Error::BranchChanged { .. }));
    //! # Ok::<(), Error>(())
    //! ```
    //!
    //! [`ProgramCache`](crate::program::ProgramCache) keeps one program per path; `select` on masks decides without a branch.
}

pub mod planning {
    //! Elimination orders between forward and reverse.
    //!
    //! The chain rule may be applied in any order. The [`crosscountry`](crate::crosscountry) planner looks for the cheapest
    //! one on the *linearized graph*, and proves how far it is at most from the best.
    //!
    //! ```
    //! use wengert::crosscountry::{EdgeClass, LinearizedGraph, Order, cost_of};
    //! // An hour-glass: three inputs, a waist of one vertex, three outputs.
    //! let edges = [(0, 3), (1, 3), (2, 3), (3, 4), (4, 5), (5, 6), (5, 7), (5, 8)];
    //! let edges = edges.map(|(source, target)| (source, target, EdgeClass::Variable));
    //! let graph = LinearizedGraph::new("hour-glass", 3, 9, &[6, 7, 8], &edges)?;
    //! let cost = |order: Order| cost_of(&graph, &order.of(&graph)?).map(|cost| cost.multiplications);
    //! assert_eq!(cost(Order::Forward)?, 3 + 3 + 9);
    //! assert_eq!(cost(Order::Reverse)?, 3 + 3 + 9);
    //! // The middle of the waist first.
    //! assert_eq!(cost(Order::Markowitz)?, 1 + 3 + 9);
    //! # Ok::<(), wengert::Error>(())
    //! ```
    //!
    //! On the command line: `wengert plan roe-flux`, or `wengert plan GRAPH.json --moves edge`.
}

pub mod hessians {
    //! Second order and products with it.
    //!
    //! ```
    //! use wengert::prelude::*;
    //!
    //! fn f<S: Scalar>(x: &[S]) -> S {
    //!     x[0].exp() * x[1]
    //! }
    //! let h = hessian(&function!(f), &[0.0, 2.0])?;
    //! assert_eq!(h.as_slice(), [2.0, 1.0, 1.0, 0.0]);
    //! // A product with the Hessian costs a few gradients, whatever n is.
    //! let (_, _, product) = hvp(f, &[0.0, 2.0], &[1.0, 0.0])?;
    //! assert_eq!(product, [2.0, 1.0]);
    //! # Ok::<(), Error>(())
    //! ```
    //!
    //! [`HessianMode`](crate::hessian::HessianMode) chooses the nesting; [`laplacian`](crate::hessian::laplacian) and
    //! [`third_order`](crate::hessian::third_order) are there as well. As programs:
    //! [`Program::hessian`](crate::program::Program::hessian) and [`hvp`](crate::program::Program::hvp).
}

pub mod pitfalls {
    //! Kinks, domains, branches, and how errors look.
    //!
    //! - At a kink the derivative is that of the table in `EDGE_CASES.md`: `abs(0)` has slope 0, a tie of `max` shares alike.
    //! - A domain error is loud: `ln(-1)` has the value NaN and the slope NaN.
    //! - `if` on a value takes one branch, and the derivative is that of the branch: at `x == c` it is easy to be surprised.
    //! - `sqrt(x * x)` at 0 is not `abs(x)`: infinity times zero is NaN. Use `abs`, `hypot` or `norm2_of`.
    //! - A variable belongs to the call that made it; taken out of it, the next driver returns an error.
    //!
    //! ```
    //! use wengert::prelude::*;
    //! assert_eq!(derivative(|x| x.abs(), 0.0), 0.0);
    //! assert!(derivative(|x| x.ln(), -1.0).is_nan());
    //! // Both arms of a choice are evaluated, but only the one selected counts, also where the other is infinite.
    //! let safe = |x: Dual<f64>| Scalar::select(x.lt_mask(Dual::from(0.0)), Dual::from(0.0), x.sqrt());
    //! assert_eq!(derivative(safe, 4.0), 0.25);
    //! let wrong = jvp(|x| [x[0]], &[1.0], &[1.0, 2.0]).unwrap_err();
    //! assert_eq!(wrong.to_string(), "tangent has length 2, expected 1");
    //! ```
}
