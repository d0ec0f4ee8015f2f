//! Every member of client metadata has an effect, and a test that sees it; or a reason why not.

use std::collections::BTreeMap;

use super::members::{TABLE, table_members};
use super::{Finding, Tree};

/// The table of effects: member, what it changes, how that is known.
const EFFECTS: &str = "docs/effects.md";

/// Where the tests are that see the wire.
const TESTS: &[&str] =
    &["crates/provider/tests/it/", "crates/registration/tests/it/", "crates/enroll/tests/it/"];

/// What may stand in the place of a test, with its reason behind it.
const REASONS: [&str; 2] = ["later: ", "declaration only: "];

/// Each member has one row, each row is a member's, and names a test that is there, or a reason.
pub(super) fn effects(tree: &Tree) -> Vec<Finding> {
    let metadata = tree.files.get(TABLE).map(String::as_str).unwrap_or_default();
    let members = table_members(metadata);
    let text = tree.files.get(EFFECTS).map(String::as_str).unwrap_or_default();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for (line, [member, changes, known]) in table(text) {
        if rows.insert(member, line).is_some() {
            findings.push(Finding::new(EFFECTS, line, format!("`{member}` has another row already")));
        }
        if !members.iter().any(|(_, own)| *own == member) {
            findings.push(Finding::new(EFFECTS, line, format!("`{member}` is no member")));
        }
        if changes.is_empty() {
            findings.push(Finding::new(EFFECTS, line, format!("`{member}`: say what it changes")));
        }
        if let Some(problem) = problem(tree, known) {
            findings.push(Finding::new(EFFECTS, line, format!("`{member}`: {problem}")));
        }
    }
    let without = members.iter().filter(|(_, member)| !rows.contains_key(member));
    findings
        .extend(without.map(|(line, member)| {
            Finding::new(TABLE, *line, format!("`{member}` needs a row in {EFFECTS}"))
        }));
    findings
}

/// What is wrong with the last column of a row.
fn problem(tree: &Tree, known: &str) -> Option<String> {
    if let Some(reason) = REASONS.iter().find_map(|reason| known.strip_prefix(reason)) {
        return reason.trim().is_empty().then(|| "give the reason".to_owned());
    }
    let Some(test) = known.strip_prefix('`').and_then(|known| known.strip_suffix('`')) else {
        return Some(format!("name a test in backticks, or begin with {}", REASONS.join("or ")));
    };
    let heading = format!("async fn {test}()");
    let mut files = TESTS.iter().flat_map(|folder| tree.files(folder, ".rs"));
    let is_there = files.any(|(_, text)| text.lines().any(|line| line.trim().starts_with(&heading)));
    (!is_there).then(|| format!("there is no test `{test}` in {}", TESTS.join(", ")))
}

/// The rows of a table whose first column is a name in backticks, with their lines.
fn table(text: &str) -> impl Iterator<Item = (usize, [&str; 3])> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
        let member = cells.next()?.strip_suffix('`')?;
        Some((index + 1, [member, cells.next()?, cells.next()?]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str =
        "client_metadata! {\n    members {\n        scope: Scope,\n        jwks: Jwks,\n    }\n}\n";
    const TEST: (&str, &str) = ("crates/provider/tests/it/a.rs", "    async fn it_is_seen() {\n");

    fn findings(rows: &str) -> Vec<String> {
        let tree = Tree::of(&[(TABLE, METADATA), (EFFECTS, rows), TEST]);
        effects(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_member_is_seen_by_a_test_or_has_a_reason() {
        assert_eq!(
            findings("| `scope` | much | `it_is_seen` |\n| `jwks` | nothing | later: keys |\n"),
            [""; 0]
        );
    }

    #[test]
    fn what_is_missing_doubled_or_not_there_is_found() {
        for (rows, problem) in [
            ("| `scope` | much | `it_is_seen` |\n", "`jwks` needs a row"),
            ("| `scope` | a | `it_is_seen` |\n| `scope` | a | `it_is_seen` |\n", "`scope` has another row"),
            ("| `other` | a | `it_is_seen` |\n", "`other` is no member"),
            ("| `scope` | a | `it_is_gone` |\n", "there is no test `it_is_gone`"),
            ("| `scope` | a | it_is_seen |\n", "name a test in backticks"),
            ("| `scope` |  | `it_is_seen` |\n", "say what it changes"),
            ("| `scope` | a | later:  |\n", "give the reason"),
            ("| `scope` | a | declaration only:  |\n", "give the reason"),
        ] {
            let findings = findings(rows);
            assert!(findings.iter().any(|own| own.contains(problem)), "{problem}: {findings:?}");
        }
    }
}
