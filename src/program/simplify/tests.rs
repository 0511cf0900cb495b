//! Tests of simplification: naive twins of the passes, and properties over random programs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;

use super::Passes;
use crate::elementary::Op;
use crate::program::random::{self, SPECIAL, guards_hold, is_same, sees_sign_of_nan};
use crate::program::region::{Region, Sink, Source};
use crate::program::{NodeId, NodeKind, Program};

/// Demands equal outputs and equally answered guards at a few points.
fn assert_equivalent(seed: u64, rng: &mut Rng, program: &Program, simple: &Program) {
    assert_eq!(simple.validate(), Ok(()), "seed {seed}");
    assert_eq!(simple.inputs(), program.inputs());
    assert_eq!(simple.outputs().len(), program.outputs().len());
    for _ in 0..4 {
        let x = random::point(rng, program);
        if sees_sign_of_nan(program, &x) {
            continue;
        }
        let expected = program.values(&x).unwrap();
        let found = simple.values(&x).unwrap();
        for (a, b) in program.outputs().iter().zip(simple.outputs()) {
            let (a, b) = (expected[a.index()], found[b.index()]);
            assert!(is_same(a, b), "seed {seed} at {x:?}: {a:e} became {b:e}");
        }
        assert_eq!(
            guards_hold(program, &x),
            guards_hold(simple, &x),
            "seed {seed} at {x:?}: guards"
        );
    }
}

fn only(set: impl Fn(&mut Passes)) -> Passes {
    let mut passes = Passes::none();
    set(&mut passes);
    passes
}

#[test]
fn random_programs_keep_their_values_under_every_pass() {
    let each = [
        Passes::none(),
        only(|p| p.fold = true),
        only(|p| p.identities = true),
        only(|p| p.common = true),
        only(|p| p.dead = true),
        only(|p| p.hoist = true),
        only(|p| (p.hoist, p.dead) = (true, true)),
        Passes::default(),
    ];
    for seed in 0..3000 {
        let mut rng = Rng::with_seed(seed);
        let size = rng.usize(1..60);
        let program = random::program(&mut rng, size);
        assert_eq!(program.validate(), Ok(()), "seed {seed}");
        for passes in each {
            let simple = program.simplify_with(passes).unwrap();
            assert_equivalent(seed, &mut rng, &program, &simple);
        }
    }
}
