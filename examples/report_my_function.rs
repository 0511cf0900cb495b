//! What do the derivatives of my function cost, exactly, and how does that grow?
//!
//!     cargo run --release --example report_my_function
//!
//! Invariant: every number printed is a count; the program asserts what it says.
//! Source: Griewank & Walther 2008, §3 and §4.5.

use std::io::Write;

use wengert::prelude::*;
use wengert::program::Program;
use wengert::report::{cost, growth};

/// The energy of a chain of springs between neighbours.
fn springs<S: Scalar>(x: &[S]) -> S {
    S::sum_of(x.windows(2).map(|pair| {
        let stretch = (pair[1] - pair[0]).exp() - 1.0;
        stretch * stretch
    }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let x = [0.0, 0.1, 0.3, 0.6];
    let mut report = cost(&function!(springs), &x)?;
    // With the Jacobian by the cheapest order of elimination that a search finds.
    report.push_planned(&Program::record(|x| [springs(x)], &x)?)?;
    writeln!(out, "{report}")?;
    let gradient = report.mode("gradient").ok_or("there is one output")?;
    writeln!(out, "the gradient costs {:.2} values\n", gradient.ratio)?;
    assert!(gradient.ratio < 5.0);
    let planned = report.mode("jacobian, planned").ok_or("it was added")?;
    assert!(planned.operations.flops <= gradient.operations.flops);

    // The same for growing chains: which mode stays affordable?
    let growth = growth(&[10, 20, 40, 80], |n| {
        cost(&function!(springs), &vec![0.5; n])
    })?;
    write!(out, "{growth}")?;
    let exponent = |mode: &str| {
        let row = growth.modes.iter().find(|row| row.mode == mode);
        row.map_or(f64::NAN, |row| row.exponent)
    };
    assert!((exponent("gradient") - 1.0).abs() < 0.1);
    assert!((exponent("jacobian, forward") - 2.0).abs() < 0.2);
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
