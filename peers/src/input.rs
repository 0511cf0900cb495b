//! Reading of instance files: numbers between white space, and JSON.
//!
//! Invariant: a file that does not exist is `None`, one that cannot be understood is an error.

use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

/// All numbers of a file.
pub(crate) fn numbers(path: &Path) -> Result<Option<Vec<f64>>, String> {
    let Some(text) = text(path)? else {
        return Ok(None);
    };
    text.split_whitespace()
        .map(|word| {
            word.parse()
                .map_err(|_| format!("{}: not a number: {word}", path.display()))
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

/// A JSON file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    let Some(text) = text(path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|e| format!("{}: {e}", path.display()))
}

/// The next `count` numbers.
pub(crate) fn take<'a>(rest: &mut &'a [f64], count: usize) -> Result<&'a [f64], String> {
    let (head, tail) = rest
        .split_at_checked(count)
        .ok_or_else(|| format!("{} numbers are left where {count} are needed", rest.len()))?;
    *rest = tail;
    Ok(head)
}

/// A size that was read as a number.
pub(crate) fn size(number: f64) -> Result<usize, String> {
    format!("{number}")
        .parse()
        .map_err(|_| format!("not a size: {number}"))
}

fn text(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(format!("{}: {e}", path.display())),
    }
}
