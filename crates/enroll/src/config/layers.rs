//! Where the values come from, and how a wrong one is told: with its file or variable, its key, and what would be right.

use figment::error::Kind;
use figment::providers::{Env, Format as _, Serialized, Toml};
use figment::value::UncasedStr;
use figment::{Error, Figment, Source};

use super::Config;
use crate::cli::Place;
use crate::failure::Failure;

/// The prefix of our variables.
const PREFIX: &str = "ENROLL_";

/// The keys at the top that are no tables, so that their variables have no `__`.
const TOP: [&str; 4] = ["issuer", "listen", "data", "role"];

/// Defaults, under the file, under variables, under the flags of `place`.
pub(super) fn read(place: &Place) -> Result<Config, Failure> {
    let mut layers = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = &place.config {
        if !file.is_file() {
            return Err(Failure::Usage(format!("the configuration file {} is not there", file.display())));
        }
        layers = layers.merge(Toml::file_exact(file));
    }
    layers = layers.merge(Env::prefixed(PREFIX).filter(is_ours).split("__"));
    if let Some(data) = &place.data {
        layers = layers.merge(("data", data));
    }
    layers.extract().map_err(|error| {
        let problems: Vec<_> = error.into_iter().map(|error| told(&error)).collect();
        Failure::Usage(problems.join("\n"))
    })
}

/// Scripts keep things of their own in variables like `ENROLL_TOKEN`. One with `__` is meant for us, and is refused
/// when no key has its name.
fn is_ours(name: &UncasedStr) -> bool {
    name.as_str().contains("__") || TOP.iter().any(|key| name == *key)
}

fn told(error: &Error) -> String {
    let source = error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref());
    let in_variable = error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment"));
    let key = match in_variable {
        true => format!("{PREFIX}{}", error.path.join("__").to_uppercase()),
        false => error.path.join("."),
    };
    let place = match source {
        Some(Source::File(file)) if key.is_empty() => format!("{}: ", file.display()),
        Some(Source::File(file)) => format!("{}: {key}: ", file.display()),
        _ if key.is_empty() => String::new(),
        _ => format!("{key}: "),
    };
    match &error.kind {
        Kind::UnknownField(_, known) => {
            format!("configuration: {place}there is no such key; the keys here are {}", known.join(", "))
        }
        kind => format!("configuration: {place}{kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_of_a_script_is_not_ours() {
        for (name, ours) in
            [("TOKEN", false), ("CONFIG", false), ("ISSUER", true), ("LOG__LEVELL", true), ("LOG", false)]
        {
            assert_eq!(is_ours(name.into()), ours, "{name}");
        }
    }
}
