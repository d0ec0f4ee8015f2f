//! Who may depend on whom. ARCHITECTURE.md says why; this is the same as data.

use super::source::{is_test_file, lines};
use super::{Finding, Tree};

/// Each crate under `crates/`, and the crates of ours that it may use. Tests may use any.
const ARROWS: &[(&str, &[&str])] = &[
    ("oauth-types", &[]),
    ("jose", &["oauth-types"]),
    ("outbound", &["oauth-types"]),
    ("endpoint", &["oauth-types"]),
    ("store", &["oauth-types"]),
    ("store-sql", &["oauth-types", "store"]),
    ("access", &["oauth-types", "outbound", "store"]),
    ("registration", &["access", "endpoint", "oauth-types", "outbound", "store"]),
    ("pages", &["oauth-types"]),
    ("provider", &["access", "endpoint", "jose", "oauth-types", "outbound", "pages", "store"]),
    (
        "enroll",
        &[
            "access",
            "endpoint",
            "jose",
            "oauth-types",
            "outbound",
            "pages",
            "provider",
            "registration",
            "store",
            "store-sql",
        ],
    ),
    ("throwaway", &[]),
    ("testkit", &["access", "oauth-types", "outbound", "registration", "store"]),
];

/// Where another crate than `enroll` touches files, and why.
const FILES: &[(&str, &str)] = &[
    ("crates/store-sql/src/sqlite/connection.rs", "makes the database file, readable by its owner alone"),
    (
        "crates/throwaway/src/clock.rs",
        "for tests: finds the library of a clock that moves, and tells it the time",
    ),
    ("crates/throwaway/src/programs.rs", "for tests: finds the programs of a database server"),
    ("crates/throwaway/src/server.rs", "for tests: makes the folder of a database server"),
];

/// One dependency of a manifest.
struct Dependency<'a> {
    line: usize,
    name: &'a str,
    tests_only: bool,
}

/// Every crate depends on those of ours that its line in [`ARROWS`] allows.
pub(super) fn dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, manifest) in tree.files("crates/", "/Cargo.toml") {
        let folder = folder(path);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == folder) else {
            findings.push(Finding::new(
                path,
                1,
                format!("`{folder}` has no line in xtask/src/tidy/arrows.rs"),
            ));
            continue;
        };
        for dependency in manifest_dependencies(manifest).iter().filter(|dependency| !dependency.tests_only) {
            let ours =
                dependency.name.strip_prefix("enroll-").or((dependency.name == "enroll").then_some("enroll"));
            if ours.is_some_and(|name| !allowed.contains(&name)) {
                let message = format!("`{folder}` must not depend on `{}`", dependency.name);
                findings.push(Finding::new(path, dependency.line, message));
            }
        }
    }
    findings
}

/// The databases' drivers are used by one crate.
pub(super) fn sql(tree: &Tree) -> Vec<Finding> {
    let elsewhere = |folder: &str| folder != "store-sql";
    used_by(tree, &["rusqlite", "sqlx"], elsewhere, false, "SQL belongs in `store-sql`")
}

/// What opens connections to others is used by one crate, and by tests.
pub(super) fn outbound(tree: &Tree) -> Vec<Finding> {
    let elsewhere = |folder: &str| !matches!(folder, "outbound" | "testkit");
    let mut findings = used_by(tree, &["reqwest"], elsewhere, true, "only `outbound` opens connections");
    for (path, text) in tree.files("crates/", ".rs").filter(|(path, _)| path.contains("/src/")) {
        let client = |code: &str| code.contains("hyper::client") || code.contains("hyper_util::client");
        for line in lines(tree, path, text).iter().filter(|line| !line.test && client(line.code)) {
            if elsewhere(folder(path)) {
                findings.push(Finding::new(path, line.number, "only `outbound` opens connections"));
            }
        }
    }
    findings
}

/// The vocabulary neither waits nor spawns.
pub(super) fn no_io_in_vocabulary(tree: &Tree) -> Vec<Finding> {
    let here = |folder: &str| folder == "oauth-types";
    let runtimes = ["tokio", "async-trait", "futures", "futures-util", "hyper", "axum"];
    let mut findings = used_by(tree, &runtimes, here, true, "`oauth-types` does no IO");
    for (path, text) in tree.files("crates/oauth-types/src/", ".rs") {
        let waits =
            |code: &str| code.contains("async fn ") || code.contains(".await") || code.contains("async move");
        for line in lines(tree, path, text).iter().filter(|line| waits(line.code)) {
            findings.push(Finding::new(
                path,
                line.number,
                "`oauth-types` does no IO, so nothing in it is async",
            ));
        }
    }
    findings
}

/// Files and environment are read by the binary's crate and handed down as arguments.
pub(super) fn surroundings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("crates/", ".rs").filter(|(path, _)| path.contains("/src/")) {
        let excepted = FILES.iter().any(|(excepted, _)| *excepted == path);
        if folder(path) == "enroll" || excepted || is_test_file(tree, path) {
            continue;
        }
        let reads =
            |code: &&str| code.contains("std::env") || code.contains("std::fs") || code.contains("tokio::fs");
        for line in lines(tree, path, text).iter().filter(|line| !line.test && reads(&line.code)) {
            let message = "only `enroll` reads files and environment: take what you need as an argument";
            findings.push(Finding::new(path, line.number, message));
        }
    }
    findings
}

/// The uses of some packages by crates where they do not belong.
fn used_by(
    tree: &Tree,
    packages: &[&str],
    misplaced: impl Fn(&str) -> bool,
    tests_may: bool,
    message: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, manifest) in tree.files("crates/", "/Cargo.toml").filter(|(path, _)| misplaced(folder(path))) {
        for dependency in manifest_dependencies(manifest) {
            if packages.contains(&dependency.name) && !(tests_may && dependency.tests_only) {
                findings.push(Finding::new(
                    path,
                    dependency.line,
                    format!("{message}, not `{}`", dependency.name),
                ));
            }
        }
    }
    findings
}

/// The crate's folder, of the path of a file in it: `store-sql` of `crates/store-sql/src/lib.rs`.
fn folder(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// The dependencies of a manifest, by package name.
fn manifest_dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut found: Vec<Dependency<'_>> = Vec::new();
    let mut section = "";
    for (index, line) in manifest.lines().enumerate() {
        let line_number = index + 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            // `[dependencies.name]`
            if let Some((table, name)) = section.rsplit_once("dependencies.") {
                found.push(Dependency { line: line_number, name, tests_only: table.ends_with("dev-") });
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let renamed = value.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
            if section.ends_with("dependencies") {
                let name =
                    renamed.unwrap_or_else(|| key.split('.').next().unwrap_or(key).trim().trim_matches('"'));
                found.push(Dependency {
                    line: line_number,
                    name,
                    tests_only: section.ends_with("dev-dependencies"),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let tree = Tree::of(&[(
            "crates/store/Cargo.toml",
            "[dependencies]\nenroll-oauth-types.workspace = true\nenroll-access.workspace = true\n",
        )]);
        assert_eq!(
            dependencies(&tree),
            [Finding::new("crates/store/Cargo.toml", 3, "`store` must not depend on `enroll-access`")]
        );
    }

    #[test]
    fn a_crate_without_a_line_in_the_table_is_found() {
        let tree = Tree::of(&[("crates/novelty/Cargo.toml", "[dependencies]\n")]);
        assert_eq!(dependencies(&tree).len(), 1);
    }

    #[test]
    fn tests_may_use_any_crate_of_ours() {
        let tree =
            Tree::of(&[("crates/store/Cargo.toml", "[dev-dependencies]\nenroll-testkit.workspace = true\n")]);
        assert_eq!(dependencies(&tree), []);
    }

    #[test]
    fn dependencies_are_found_however_they_are_written() {
        let manifest = "[dependencies]\na = \"1\"\nb.workspace = true\nc = { package = \"real\", version = \"1\" }\n\
                        [dependencies.d]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\" # why\n\
                        [dev-dependencies]\nf = \"1\"\n[features]\ng = []\n";
        let found: Vec<_> = manifest_dependencies(manifest).iter().map(|d| (d.name, d.tests_only)).collect();
        let expected = [("a", false), ("b", false), ("real", false), ("d", false), ("e", false), ("f", true)];
        assert_eq!(found, expected);
    }

    #[test]
    fn sql_outside_its_crate_is_found_even_in_tests() {
        let tree = Tree::of(&[
            ("crates/store-sql/Cargo.toml", "[dependencies]\nrusqlite.workspace = true\n"),
            ("crates/enroll/Cargo.toml", "[dev-dependencies]\nrusqlite.workspace = true\n"),
        ]);
        assert_eq!(sql(&tree).len(), 1);
    }

    #[test]
    fn an_http_client_is_for_tests_only() {
        let tree = Tree::of(&[
            (
                "crates/access/Cargo.toml",
                "[dependencies]\nreqwest = \"1\"\n[dev-dependencies]\nreqwest = \"1\"\n",
            ),
            ("crates/access/src/lib.rs", "use hyper_util::client::legacy::Client;\n"),
        ]);
        assert_eq!(outbound(&tree).len(), 2);
    }

    #[test]
    fn the_vocabulary_must_not_wait() {
        let tree = Tree::of(&[
            ("crates/oauth-types/Cargo.toml", "[dependencies]\ntokio.workspace = true\n"),
            ("crates/oauth-types/src/jwks.rs", "pub async fn fetch() {}\n"),
            ("crates/store/src/memory.rs", "pub async fn insert() {}\n"),
        ]);
        assert_eq!(no_io_in_vocabulary(&tree).len(), 2);
    }

    #[test]
    fn files_and_environment_are_read_by_the_binary_and_by_tests() {
        let tree = Tree::of(&[
            ("crates/access/src/jwks.rs", "let keys = std::fs::read(path);\n#[cfg(test)]\nuse std::env;\n"),
            ("crates/enroll/src/config.rs", "use std::env;\n"),
            ("crates/store-sql/tests/it/main.rs", "use std::fs;\n"),
        ]);
        let findings = surroundings(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("crates/access/src/jwks.rs", 1));
    }
}
