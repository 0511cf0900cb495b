//! The four ADBench objectives against the suite's hand-written derivatives.
//!
//! The instances are not part of this workspace: see `common::adbench`.

mod common;

use common::{
    adbench, assert_close, assert_entries_close, jacobian, json, number, numbers, values,
};
use wengert::forward::Lanes;
use wengert::reverse::value_and_gradient;
use wengert::{Mode, ScalarFunction};
use wengert_problems::bundle_adjustment::{
    BundleAdjustment, OBSERVATION, residual, weight_residual,
};
use wengert_problems::gmm::Gmm;
use wengert_problems::hand_tracking::{HandModel, HandTracking, Variant};
use wengert_problems::lstm::Lstm;

/// Objectives agree to this; so do derivatives, relative to the largest.
const TOLERANCE: f64 = 1e-12;

#[test]
fn gmm_objectives_and_small_gradients() {
    let Some(folder) = adbench() else { return };
    for size in ["d2_K5", "d10_K5", "d10_K25", "d64_K5"] {
        let gmm = Gmm::from_path(&folder.join(format!("gmm/gmm_{size}.txt"))).unwrap();
        let expected = json(&folder.join(format!("expected/gmm_1k_{size}.json")));
        let x = gmm.x0();
        assert_eq!(number(&expected["n"]), 1000.0);
        assert_eq!(gmm.n(), 1000);
        let objective = number(&expected["objective"]);
        assert_close(size, &[gmm.call(&x)], &[objective], TOLERANCE);
        if size == "d2_K5" {
            let gradient = jacobian(&gmm, &x).concat();
            assert_close(size, &gradient, &numbers(&expected["gradient"]), TOLERANCE);
            assert_entries_close(size, &gradient, &numbers(&expected["gradient"]));
        }
    }
}

#[test]
fn bundle_adjustment_residuals_and_blocks() {
    let Some(folder) = adbench() else { return };
    for name in ["test", "ba1_n49_m7776_p31843"] {
        let ba = BundleAdjustment::from_path(&folder.join(format!("ba/{name}.txt"))).unwrap();
        let expected = json(&folder.join(format!("expected/ba_{name}.json")));
        let x = ba.x0();
        let y = values(&ba, &x);
        let p = ba.observations();
        assert_eq!(number(&expected["nrows"]), y.len() as f64);
        assert_eq!(number(&expected["ncols"]), x.len() as f64);
        let errors = numbers(&expected["reproj_err_obs0"]);
        let weights = numbers(&expected["w_err0"]);
        for i in [0, p / 2, p - 1] {
            // A residual is a small difference of numbers as large as the feature, and the table's own value is a
            // few units off in that number's last place; so the scale is the weighted feature.
            for c in 0..2 {
                let scale = x[ba.weight_column(i)] * ba.features()[i][c];
                assert!(
                    (y[2 * i + c] - errors[c]).abs() <= 1e-14 * scale.abs(),
                    "{name} {i} {c}"
                );
            }
            assert_close(name, &y[2 * p + i..=2 * p + i], &weights, TOLERANCE);
        }

        let columns = ba.columns(0);
        let block = numbers(&expected["J_block0_rowmajor_2x15"]);
        let lanes: Vec<Lanes<f64, 16>> = columns
            .iter()
            .enumerate()
            .map(|(lane, c)| Lanes::variable(x[*c], lane))
            .collect();
        let rows = residual(&lanes[..11], &lanes[11..14], lanes[14], &ba.features()[0]);
        let found = rows
            .map(|row| row.tangents[..OBSERVATION].to_vec())
            .concat();
        assert_close(name, &found, &block, TOLERANCE);
        assert_entries_close(name, &found, &block);
        let weight = weight_residual(lanes[14]).tangents[14];
        assert_close(
            name,
            &[weight],
            &numbers(&expected["w_row_value0"]),
            TOLERANCE,
        );
        let (rows, columns) = ba.jacobian_pattern();
        assert_eq!(number(&expected["nnz"]), columns.len() as f64);
        assert_eq!(rows.len(), y.len() + 1);
    }
}

#[test]
fn bundle_adjustment_jacobian_of_the_small_instance() {
    let Some(folder) = adbench() else { return };
    let ba = BundleAdjustment::from_path(&folder.join("ba/test.txt")).unwrap();
    let expected = numbers(&json(&folder.join("expected/ba_test.json"))["J_vals"]);
    let dense = jacobian(&ba, &ba.x0());
    let (starts, columns) = ba.jacobian_pattern();
    let mut found = Vec::new();
    for (row, entries) in dense.iter().enumerate() {
        let nonzero = &columns[starts[row]..starts[row + 1]];
        found.extend(nonzero.iter().map(|c| entries[*c]));
        assert!(
            entries
                .iter()
                .enumerate()
                .all(|(c, e)| *e == 0.0 || nonzero.contains(&c))
        );
    }
    assert_close("J_vals", &found, &expected, TOLERANCE);
}

#[test]
fn hand_residuals_and_jacobian() {
    let Some(folder) = adbench() else { return };
    let hand = HandTracking::from_path(
        &folder.join("hand/simple_small/hand1_t26_c100.txt"),
        Variant::Simple,
    )
    .unwrap();
    let expected = json(&folder.join("expected/hand_simple_small_hand1_t26_c100.json"));
    let x = hand.x0();
    assert_close(
        "objective",
        &values(&hand, &x),
        &numbers(&expected["objective"]),
        TOLERANCE,
    );
    let rows = jacobian(&hand, &x);
    let columns: Vec<f64> = (0..x.len())
        .flat_map(|c| rows.iter().map(move |row| row[c]))
        .collect();
    assert_close(
        "jacobian",
        &columns,
        &numbers(&expected["jacobian"]),
        TOLERANCE,
    );
    assert_entries_close("jacobian", &columns, &numbers(&expected["jacobian"]));
}

#[test]
fn lstm_objective_and_gradient() {
    let Some(folder) = adbench() else { return };
    let lstm = Lstm::from_path(&folder.join("lstm/lstm_l2_c1024.txt")).unwrap();
    let expected = json(&folder.join("expected/lstm_l2_c1024.json"));
    let x = lstm.x0();
    let objective = number(&expected["objective"]);
    assert_close("objective", &[lstm.call(&x)], &[objective], TOLERANCE);
    let gradient = jacobian(&lstm, &x).concat();
    assert_close(
        "gradient",
        &gradient,
        &numbers(&expected["gradient"]),
        TOLERANCE,
    );
    assert_entries_close("gradient", &gradient, &numbers(&expected["gradient"]));
}

/// The suite gives no expected values for the complicated variant. Its residuals must be those of the simple one,
/// combined by the coordinates in the triangle, and its first two columns per point the differences of two corners.
#[test]
fn hand_complicated_is_the_combination_of_its_corners() {
    let Some(folder) = adbench() else { return };
    let model = HandModel::from_folder(&folder.join("hand/simple_small/model")).unwrap();
    let pose: String = (0..26)
        .map(|i| format!("{}\n", 0.05 * f64::from(i)))
        .collect();
    let triangles = std::fs::read_to_string(folder.join("hand/simple_small/model/triangles.txt"));
    let corners: Vec<String> = triangles
        .unwrap()
        .lines()
        .nth(7)
        .unwrap()
        .split(':')
        .map(str::to_owned)
        .collect();
    let text = format!("1 26\n7 0.1 0.2 0.3\n0.25 0.5\n{pose}");
    let complicated = HandTracking::from_text(&text, model.clone(), Variant::Complicated).unwrap();
    let at_corners: Vec<Vec<f64>> = corners
        .iter()
        .map(|corner| {
            let text = format!("1 26\n{corner} 0.1 0.2 0.3\n{pose}");
            let hand = HandTracking::from_text(&text, model.clone(), Variant::Simple).unwrap();
            values(&hand, &hand.x0())
        })
        .collect();
    let x = complicated.x0();
    let combined: Vec<f64> = (0..3)
        .map(|c| 0.25 * at_corners[0][c] + 0.5 * at_corners[1][c] + 0.25 * at_corners[2][c])
        .collect();
    assert_close("residual", &values(&complicated, &x), &combined, TOLERANCE);
    let rows = jacobian(&complicated, &x);
    for c in 0..3 {
        let differences = [
            at_corners[0][c] - at_corners[2][c],
            at_corners[1][c] - at_corners[2][c],
        ];
        assert_close("u columns", &rows[c][..2], &differences, TOLERANCE * 10.0);
    }
}

#[test]
fn every_gmm_gradient_by_the_tape() {
    let Some(folder) = adbench() else { return };
    for size in ["d2_K5", "d10_K5", "d10_K25", "d64_K5"] {
        let gmm = Gmm::from_path(&folder.join(format!("gmm/gmm_{size}.txt"))).unwrap();
        let expected =
            numbers(&json(&folder.join(format!("expected/gmm_1k_{size}.json")))["gradient"]);
        let x = gmm.x0();
        let (value, gradient) = value_and_gradient(|x| gmm.call(x), &x).unwrap();
        assert_eq!(value.to_bits(), gmm.call(&x).to_bits());
        assert_close(size, &gradient, &expected, TOLERANCE);
        assert_entries_close(size, &gradient, &expected);
    }
}

#[test]
fn lstm_hand_and_bundle_adjustment_by_the_tape() {
    let Some(folder) = adbench() else { return };
    let lstm = Lstm::from_path(&folder.join("lstm/lstm_l2_c1024.txt")).unwrap();
    let expected = numbers(&json(&folder.join("expected/lstm_l2_c1024.json"))["gradient"]);
    let gradient = value_and_gradient(|x| lstm.call(x), &lstm.x0()).unwrap().1;
    assert_close("lstm", &gradient, &expected, TOLERANCE);
    assert_entries_close("lstm", &gradient, &expected);

    let hand = folder.join("hand/simple_small/hand1_t26_c100.txt");
    let hand = HandTracking::from_path(&hand, Variant::Simple).unwrap();
    let expected = json(&folder.join("expected/hand_simple_small_hand1_t26_c100.json"));
    let expected = numbers(&expected["jacobian"]);
    for mode in Mode::ALL {
        // Both the table and nalgebra go column by column.
        let found = wengert::jacobian(&hand, &hand.x0(), mode).unwrap();
        assert_close("hand", found.as_slice(), &expected, TOLERANCE);
        assert_entries_close("hand", found.as_slice(), &expected);
    }

    let ba = BundleAdjustment::from_path(&folder.join("ba/test.txt")).unwrap();
    let expected = numbers(&json(&folder.join("expected/ba_test.json"))["J_vals"]);
    let (starts, columns) = ba.jacobian_pattern();
    let dense = wengert::jacobian(&ba, &ba.x0(), Mode::Reverse).unwrap();
    let entries = |row: usize| (starts[row]..starts[row + 1]).map(move |k| (row, k));
    let found: Vec<f64> = (0..dense.nrows())
        .flat_map(entries)
        .map(|(row, k)| dense[(row, columns[k])])
        .collect();
    assert_close("ba", &found, &expected, TOLERANCE);
}
