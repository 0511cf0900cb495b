//! The import direction of `ARCHITECTURE.md`: a module uses modules of lower layers only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the bottom up. Modules of one layer do not use each other, but for those that share a line by design.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["elementary", "scalar"],
    &["program"],
    &["forward", "reverse", "sparse", "crosscountry"],
    &["linalg"],
    &["jacobian", "erased"],
    &["hessian"],
    &["check", "report"],
    &["guide"],
];

/// Uses that are allowed although they do not go down: `(from, to)` and the reason in `ARCHITECTURE.md`.
const EXCEPTIONS: &[(&str, &str)] = &[
    // One layer: rules are generic over scalars, scalars apply rules.
    ("elementary", "scalar"),
    ("scalar", "elementary"),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The module of a file: the first part of its path below `src`.
fn module(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).expect("the file is below the root");
    let first = relative.components().next().expect("the path is not empty");
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_owned()
}

#[test]
fn modules_use_lower_layers_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let layer: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(level, modules)| modules.iter().map(move |module| (*module, level)))
        .collect();
    let mut uses = 0;
    for file in files {
        let from = module(&file, &root);
        let is_tests = file.file_name().is_some_and(|name| name == "tests.rs");
        if from == "lib" || is_tests {
            continue;
        }
        let from_layer = *layer.get(from.as_str()).unwrap_or_else(|| {
            panic!("module `{from}` is in no layer; add it to the test and to ARCHITECTURE.md")
        });
        let text = fs::read_to_string(&file).expect("the file is readable");
        // Unit tests at the end of a file may use anything.
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for part in line.split("crate::").skip(1) {
                let to: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let Some(to_layer) = layer.get(to.as_str()) else {
                    continue;
                };
                uses += 1;
                let allowed = from == to
                    || *to_layer < from_layer
                    || EXCEPTIONS.contains(&(from.as_str(), to.as_str()));
                assert!(
                    allowed,
                    "{}: `{from}` must not use `{to}`: {line}",
                    file.display()
                );
            }
        }
    }
    assert!(
        uses > 50,
        "the test found only {uses} uses; does it still read the sources?"
    );
}

#[test]
fn the_command_line_stays_out_of_the_library() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest is readable");
    let dependencies = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .expect("the manifest lists dependencies");
    // Not `serde_json`: programs are written as JSON by the library itself.
    for tool in ["clap", "indicatif", "plotters", "wengert-problems"] {
        assert!(
            !dependencies.contains(tool),
            "{tool} belongs to the command line or to tests"
        );
    }
}
