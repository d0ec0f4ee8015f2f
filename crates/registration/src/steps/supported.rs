//! Values out of what the server supports, and the refusal that lists it.

use std::fmt::Display;

use enroll_oauth_types::Rejection;

/// Whether this value of a member is one that the server supports.
pub(super) fn check<T: PartialEq + Display>(
    member: &'static str,
    value: &T,
    supported: &[T],
) -> Result<(), Rejection> {
    if supported.contains(value) { Ok(()) } else { Err(Rejection::metadata(member, one_of(supported))) }
}

/// The same for each item of a list.
pub(super) fn check_all<T: PartialEq + Display>(
    member: &'static str,
    values: &[T],
    supported: &[T],
) -> Result<(), Rejection> {
    match values.iter().position(|value| !supported.contains(value)) {
        Some(index) => Err(Rejection::metadata(member, one_of(supported)).at(index)),
        None => Ok(()),
    }
}

/// What would be right.
pub(super) fn one_of<T: Display>(supported: &[T]) -> String {
    match supported {
        [] => "must be left out: this server supports none".to_owned(),
        [only] => format!("must be {only}"),
        _ => {
            let names: Vec<_> = supported.iter().map(ToString::to_string).collect();
            format!("must be one of {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lists_what_is_supported() {
        let refusal = check_all("default_acr_values", &["b", "x"], &["a", "b"]).unwrap_err();
        assert_eq!(refusal.to_string(), "default_acr_values[1]: must be one of a, b");
        assert_eq!(check("x", &"b", &["a"]).unwrap_err().to_string(), "x: must be a");
        assert!(check("x", &"b", &[]).unwrap_err().to_string().contains("supports none"));
    }
}
