//! Every member has a case, every step says which standard it keeps.
//!
//! A case in `refused_*` says which `member` is refused; any other what the `response` holds, or what is `absent` from it.

use serde_json::Value;

use super::{Finding, Tree};

const TABLE: &str = "crates/oauth-types/src/metadata.rs";
const CASES: &str = "crates/registration/tests/it/cases/";
const STEPS: &str = "crates/registration/src/steps/";
const STEP_TABLE: &str = "crates/registration/src/steps.rs";

/// The standards that a step may keep.
const STANDARDS: &[&str] = &["RFC ", "OpenID ", "OAuth ", "FAPI ", "JARM "];

/// Each member of the table in `metadata.rs` is what some case is about.
pub(super) fn cases(tree: &Tree) -> Vec<Finding> {
    let table = tree.files.get(TABLE).map(String::as_str).unwrap_or_default();
    let members = table_members(table);
    if members.is_empty() {
        return vec![Finding::new(TABLE, 1, "the table of members is not where tidy looks for it")];
    }
    let covered: Vec<String> = tree.files(CASES, ".json").flat_map(|(_, text)| covered(text)).collect();
    let missing = members.iter().filter(|(_, member)| !covered.iter().any(|name| name == member));
    missing
        .map(|(line, member)| Finding::new(TABLE, *line, format!("no case in {CASES} is about `{member}`")))
        .collect()
}

/// A case has a name of its own, says what it is about, and has one body.
pub(super) fn format(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(CASES, ".json") {
        let cases = match serde_json::from_str::<Vec<Value>>(text) {
            Ok(cases) => cases,
            Err(error) => {
                findings.push(Finding::new(
                    path,
                    error.line(),
                    format!("must be a JSON array of cases: {error}"),
                ));
                continue;
            }
        };
        let mut names = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            let name = case["name"].as_str().unwrap_or_default();
            let mut complain = |problem: &str| {
                let line = line_of(text, name);
                findings.push(Finding::new(path, line, format!("case {index} (`{name}`) {problem}")));
            };
            if name.is_empty() {
                complain("needs a `name`");
            } else if names.contains(&name) {
                complain("has the name of another");
            }
            names.push(name);
            if path[CASES.len()..].starts_with("refused_") && !case["member"].is_string() {
                complain("needs the `member` that is refused, or an empty one for the body");
            }
            let raw = case["raw"].is_string() || case["raw"].is_array();
            if case["request"].is_object() == raw {
                complain("needs either a `request` (an object) or a `raw` body (a string, or its pieces)");
            }
        }
    }
    findings
}

/// A step's file begins with the members it owns and the sections it keeps.
pub(super) fn steps(tree: &Tree) -> Vec<Finding> {
    let table = tree.files.get(STEP_TABLE).map(String::as_str).unwrap_or_default();
    // `pub use scope::scope;`: a step is called as its file is.
    let exported =
        table.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';')?.split_once("::"));
    let steps: Vec<_> = exported.filter(|(file, function)| file == function).map(|(file, _)| file).collect();
    if steps.is_empty() {
        return vec![Finding::new(STEP_TABLE, 1, "the list of steps is not where tidy looks for it")];
    }
    let paths = steps.iter().map(|step| format!("{STEPS}{step}.rs"));
    let unnamed = paths.filter(|path| {
        let text = tree.files.get(path).map(String::as_str).unwrap_or_default();
        !text.lines().take_while(|line| line.starts_with("//!")).any(names_a_section)
    });
    unnamed
        .map(|path| Finding::new(&path, 1, "its `//!` must name a standard and its section (`RFC 7591 §2`)"))
        .collect()
}

fn names_a_section(line: &str) -> bool {
    STANDARDS.iter().any(|standard| {
        line.split_once(standard).is_some_and(|(_, section)| section.contains(|c: char| c.is_ascii_digit()))
    })
}

/// The members that the cases of a file are about: `jwks` of `jwks.keys[0]`, `client_name` of `client_name#fr`.
fn covered(text: &str) -> Vec<String> {
    let cases: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let about = cases.iter().flat_map(|case| {
        let refused = case["member"].as_str();
        let answered = case["response"].as_object().into_iter().flatten().map(|(member, _)| member.as_str());
        let absent = case["absent"].as_array().into_iter().flatten().filter_map(Value::as_str);
        refused.into_iter().chain(answered).chain(absent)
    });
    about.filter_map(|member| member.split(['#', '.', '[']).next()).map(str::to_owned).collect()
}

/// The line that names the case; the first one when none does.
fn line_of(text: &str, name: &str) -> usize {
    let name = Value::from(name).to_string();
    text.lines().position(|line| line.contains(&name)).map_or(1, |index| index + 1)
}

/// The names in the invocation of `client_metadata!`, with their lines.
fn table_members(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate();
    let table =
        lines.skip_while(|(_, line)| *line != "client_metadata! {").take_while(|(_, line)| *line != "}");
    table
        .filter_map(|(index, line)| {
            let (name, rest) = line.trim().split_once(": ")?;
            let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            (is_name && rest.ends_with(',')).then_some((index + 1, name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "macro_rules! client_metadata {\n    ($name:ident: $type:ty,) => {};\n}\n\
        client_metadata! {\n    members {\n        /// Names: many.\n        client_name: Localized<String>,\n        \
        scope: Scope,\n    }\n}\nimpl A {\n    b: C,\n}\n";

    #[test]
    fn the_table_is_read_with_its_lines() {
        assert_eq!(table_members(METADATA), [(7, "client_name"), (8, "scope")]);
    }

    #[test]
    fn a_member_without_a_case_is_found() {
        let case = r#"[{"name": "a", "member": "client_name#fr[0].x", "request": {}}]"#;
        let tree = Tree::of(&[(TABLE, METADATA), ("crates/registration/tests/it/cases/display.json", case)]);
        let found = cases(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 8);
        assert!(found[0].message.contains("`scope`"));
    }

    #[test]
    fn an_accepted_case_is_about_what_is_answered_and_what_is_not() {
        let case =
            r#"[{"name": "a", "request": {"x": 1}, "response": {"client_name": "A"}, "absent": ["scope"]}]"#;
        assert_eq!(covered(case), ["client_name", "scope"]);
    }

    #[test]
    fn a_table_that_has_moved_is_found() {
        assert_eq!(cases(&Tree::of(&[(TABLE, "")])).len(), 1);
    }

    #[test]
    fn a_case_has_a_name_a_member_and_one_body() {
        let file = "[\n{\"name\": \"fine\", \"member\": \"scope\", \"raw\": \"{\"},\n\
                    {\"name\": \"fine\", \"member\": \"scope\", \"request\": {}},\n\
                    {\"name\": \"aimless\", \"request\": {}},\n\
                    {\"name\": \"both\", \"member\": \"scope\", \"request\": {}, \"raw\": \"\"},\n\
                    {\"member\": \"scope\"}\n]";
        let tree = Tree::of(&[("crates/registration/tests/it/cases/refused_a.json", file)]);
        let found: Vec<_> =
            format(&tree).into_iter().map(|finding| (finding.line, finding.message)).collect();
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(found[1].0, 4);
    }

    #[test]
    fn a_file_that_is_no_array_of_cases_is_found() {
        let tree = Tree::of(&[("crates/registration/tests/it/cases/a.json", "{\"name\": 1}")]);
        assert_eq!(format(&tree).len(), 1);
    }

    #[test]
    fn a_step_without_its_standard_is_found() {
        let tree = Tree::of(&[
            (STEP_TABLE, "mod text;\npub use scope::scope;\npub use keys::keys;\n"),
            ("crates/registration/src/steps/scope.rs", "//! `scope`: what it may ask for. RFC 7591 §2.\n"),
            ("crates/registration/src/steps/keys.rs", "//! `jwks`.\n\n// RFC 7591 §2\n"),
            ("crates/registration/src/steps/text.rs", "//! What steps share.\n"),
        ]);
        let found: Vec<_> = steps(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/registration/src/steps/keys.rs"]);
    }

    #[test]
    fn a_list_of_steps_that_has_moved_is_found() {
        assert_eq!(steps(&Tree::of(&[(STEP_TABLE, "")])).len(), 1);
    }
}
