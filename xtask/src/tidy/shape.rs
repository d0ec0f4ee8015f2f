//! How files look: their length, their names, and what must not stand in them.

use super::source::{Line, lines};
use super::{Finding, Tree};

/// The most lines that a source file may have.
const LIMIT: usize = 500;

/// Files that may be longer, and why. A few at most: tables of data, nothing else.
const LONGER: &[(&str, &str)] = &[];

/// Names that say nothing, so that everything ends up under them.
const EMPTY_NAMES: &[&str] = &["utils", "util", "misc", "common", "helpers", "helper"];

/// What marks code that is not finished, or stops on input.
const UNFINISHED: &[&str] = &[".unwrap()", "todo!(", "unimplemented!(", "dbg!("];

/// A source file is one idea.
pub(super) fn lengths(tree: &Tree) -> Vec<Finding> {
    let sources = rust(tree).filter(|(path, _)| path.contains("/src/"));
    let long = sources
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, count)| *count > LIMIT && !LONGER.iter().any(|(allowed, _)| allowed == path));
    long.map(|(path, count)| {
        Finding::new(path, LIMIT + 1, format!("{count} lines: is it two ideas? The limit is {LIMIT}"))
    })
    .collect()
}

/// A file's name says what is in it.
pub(super) fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in rust(tree) {
        if path.ends_with("/mod.rs") {
            findings.push(Finding::new(path, 1, "`foo.rs` beside `foo/`, not `mod.rs`"));
        }
        let words = path.trim_end_matches(".rs").split('/');
        for word in words.filter(|word| EMPTY_NAMES.contains(word)) {
            findings.push(Finding::new(path, 1, format!("`{word}` does not say what is in it")));
        }
    }
    findings
}

/// Nothing stops on input, and nothing is left for later.
pub(super) fn unfinished(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("crates/", ".rs").filter(|(path, _)| path.contains("/src/")) {
        for line in lines(tree, path, text).iter().filter(|line| !line.test) {
            for mark in UNFINISHED.iter().filter(|mark| line.code.contains(**mark)) {
                findings.push(Finding::new(path, line.number, format!("`{mark}` outside tests")));
            }
        }
    }
    findings
}

/// A test that does not run says nothing. One that needs a database server, or a clock that moves, runs where the gate has one.
pub(super) fn ignored_tests(tree: &Tree) -> Vec<Finding> {
    let waits = |code: &str| {
        let needs = ["cargo xtask test starts one\"]", "cargo xtask test installs it\"]"];
        code.starts_with("#[ignore = $needs]") || needs.iter().any(|needs| code.ends_with(needs))
    };
    let ignored = |line: &Line<'_>| {
        let code = line.code.trim();
        code.starts_with("#[ignore") && !waits(code)
    };
    found_in(tree, ignored, "a test that is never run")
}

/// A test waits for something that happens, not for time to pass.
pub(super) fn sleeping_tests(tree: &Tree) -> Vec<Finding> {
    let sleeps =
        |line: &Line<'_>| line.test && ["thread::sleep", "time::sleep"].iter().any(|s| line.code.contains(s));
    found_in(tree, sleeps, "a test must wait for a condition, not sleep")
}

/// The lines that break a rule, but for those of xtask, whose sources hold the words as data.
fn found_in(tree: &Tree, breaks: impl Fn(&Line<'_>) -> bool, message: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in rust(tree).filter(|(path, _)| !path.starts_with("xtask/")) {
        for line in lines(tree, path, text).iter().filter(|line| breaks(line)) {
            findings.push(Finding::new(path, line.number, message));
        }
    }
    findings
}

fn rust(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.files("", ".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_more_than_the_limit_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/long.rs", &"//\n".repeat(LIMIT + 1)),
            ("crates/a/src/short.rs", &"//\n".repeat(LIMIT)),
            ("crates/a/tests/it/long.rs", &"//\n".repeat(LIMIT + 1)),
        ]);
        let found: Vec<_> = lengths(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/a/src/long.rs"]);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        let tree = Tree::of(&[
            ("crates/a/src/uri/mod.rs", ""),
            ("crates/a/src/utils.rs", ""),
            ("crates/a/tests/common/app.rs", ""),
            ("crates/a/src/commonly.rs", ""),
        ]);
        assert_eq!(names(&tree).len(), 3);
    }

    #[test]
    fn unwrap_and_stubs_are_found_outside_tests_and_comments() {
        let code = "//! a.unwrap()\nfn a() { b.unwrap(); }\nfn c() { todo!() }\n\
                    #[cfg(test)]\nmod tests {\n    fn d() { e.unwrap(); }\n}\n";
        let tree = Tree::of(&[("crates/a/src/a.rs", code), ("crates/a/src/a/tests.rs", "b.unwrap();\n")]);
        let found: Vec<_> = unfinished(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(found, [2, 3]);
    }

    #[test]
    fn an_ignored_test_is_found() {
        let tree = Tree::of(&[("crates/a/tests/it/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n")]);
        assert_eq!(
            ignored_tests(&tree),
            [Finding::new("crates/a/tests/it/a.rs", 2, "a test that is never run")]
        );
        for waits in ["PostgreSQL: cargo xtask test starts one", "libfaketime: cargo xtask test installs it"]
        {
            let waits = format!("#[test]\n#[ignore = \"needs {waits}\"]\nfn a() {{}}\n");
            assert_eq!(ignored_tests(&Tree::of(&[("crates/a/tests/it/a.rs", &waits)])), []);
        }
    }

    #[test]
    fn a_sleeping_test_is_found_and_sleeping_code_is_not() {
        let tree = Tree::of(&[
            ("crates/a/tests/it/a.rs", "std::thread::sleep(second);\n"),
            ("crates/a/src/retry.rs", "tokio::time::sleep(pause).await;\n"),
        ]);
        let found: Vec<_> = sleeping_tests(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/a/tests/it/a.rs"]);
    }
}
