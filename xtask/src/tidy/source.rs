//! Rust sources as the rules see them: line by line, tests told from code, comments left out.

/// A line of code, without its comment.
pub(super) struct Line<'a> {
    /// Counted from one.
    pub(super) number: usize,
    pub(super) code: &'a str,
    /// Whether it is compiled for tests only.
    pub(super) test: bool,
}

use super::Tree;

/// The lines of a Rust file, tests told from code by [`is_test_file`] and by `#[cfg(test)]` within it.
///
/// This relies on rustfmt: an item ends at the first `}` or `;` that stands as deep as its beginning.
pub(super) fn lines<'a>(tree: &Tree, path: &str, text: &'a str) -> Vec<Line<'a>> {
    let all_test = is_test_file(tree, path);
    let mut item: Option<usize> = None; // how deep the test item stands that we are in
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let code = without_comment(line);
        let trimmed = code.trim();
        if item.is_none() && trimmed.starts_with("#[cfg(test)]") {
            item = Some(depth);
        }
        lines.push(Line { number: index + 1, code, test: all_test || item.is_some() });
        let ends = trimmed.ends_with(['}', ';']);
        if item == Some(depth) && ends && !trimmed.starts_with("#[") {
            item = None;
        }
    }
    lines
}

/// Whether the whole file is compiled for tests only: its path says so, or the module that declares it.
pub(super) fn is_test_file(tree: &Tree, path: &str) -> bool {
    if path.starts_with("crates/testkit/") || path.ends_with("/tests.rs") || path.contains("/tests/") {
        return true;
    }
    let Some((folder, name)) = path.trim_end_matches(".rs").rsplit_once('/') else { return false };
    let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
    parents.iter().filter(|parent| *parent != path).filter_map(|parent| tree.files.get(parent)).any(
        |parent| {
            parent.lines().zip(parent.lines().skip(1)).any(|(attribute, declaration)| {
                attribute.trim() == "#[cfg(test)]" && declaration.trim().ends_with(&format!("mod {name};"))
            })
        },
    )
}

/// The line up to `//`, unless that stands in a string (a URL, say).
fn without_comment(line: &str) -> &str {
    let mut searched = 0;
    while let Some(found) = line[searched..].find("//") {
        let at = searched + found;
        let quotes = line[..at].matches('"').count() - line[..at].matches("\\\"").count();
        if quotes.is_multiple_of(2) {
            return &line[..at];
        }
        searched = at + 2;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_ends_where_it_began() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let tests: Vec<_> =
            lines(&Tree::default(), "crates/a/src/a.rs", text).iter().map(|line| line.test).collect();
        assert_eq!(tests, [false, true, true, true, true, false]);
    }

    #[test]
    fn a_test_module_in_another_file_is_one_line() {
        let text = "#[cfg(test)]\nmod tests;\nfn c() {}\n";
        let tests: Vec<_> =
            lines(&Tree::default(), "crates/a/src/a.rs", text).iter().map(|line| line.test).collect();
        assert_eq!(tests, [true, true, false]);
        assert!(lines(&Tree::default(), "crates/a/src/a/tests.rs", text).iter().all(|line| line.test));
    }

    #[test]
    fn a_file_that_its_module_declares_for_tests_is_a_test_file() {
        let declared = "#[cfg(test)]\nmod issuer;\nmod jwt;\n";
        let tree = Tree::of(&[("crates/a/src/a.rs", declared)]);
        assert!(is_test_file(&tree, "crates/a/src/a/issuer.rs"));
        assert!(!is_test_file(&tree, "crates/a/src/a/jwt.rs"));
    }

    #[test]
    fn comments_are_left_out_and_urls_are_not_comments() {
        assert_eq!(without_comment("a(); // b"), "a(); ");
        assert_eq!(without_comment("/// a.unwrap()"), "");
        assert_eq!(without_comment(r#"get("https://a.example")"#), r#"get("https://a.example")"#);
        assert_eq!(without_comment(r#"get("https://a.example"); // now"#), r#"get("https://a.example"); "#);
    }
}
