//! Every member has its cases, every step says which standard it keeps.
//!
//! How a case is written is told by the `README.md` beside the cases.

use serde_json::Value;

use super::{Finding, Tree};

pub(super) const TABLE: &str = "crates/oauth-types/src/metadata.rs";
const CASES: &str = "crates/registration/tests/it/cases/";
const STEPS: &str = "crates/registration/src/steps/";
const STEP_TABLE: &str = "crates/registration/src/steps.rs";

/// The folder of the cases that are about the request as a whole.
const WHOLE: &str = "body";
/// How a case ends: the beginning of its name, and the key of what is expected.
const OUTCOMES: [&str; 2] = ["accepted", "refused"];
const LONGEST_NAME: usize = 75;

/// The standards that a step may keep.
const STANDARDS: &[&str] = &["RFC ", "OpenID ", "OAuth ", "FAPI ", "JARM "];

/// Each member of the table in `metadata.rs` has a case that is accepted and one that is refused.
pub(super) fn cases(tree: &Tree) -> Vec<Finding> {
    let table = tree.files.get(TABLE).map(String::as_str).unwrap_or_default();
    let members = table_members(table);
    if members.is_empty() {
        return vec![Finding::new(TABLE, 1, "the table of members is not where tidy looks for it")];
    }
    let mut findings = Vec::new();
    for (line, member) in members {
        for outcome in OUTCOMES {
            let begin = format!("{CASES}{member}/{outcome}-");
            if tree.files(&begin, ".json").next().is_none() {
                findings.push(Finding::new(TABLE, line, format!("needs a case {begin}….json")));
            }
        }
    }
    findings
}

/// A case stands in the folder of the member it is about, under a name that says how it ends, and has one body.
pub(super) fn format(tree: &Tree) -> Vec<Finding> {
    let table = tree.files.get(TABLE).map(String::as_str).unwrap_or_default();
    let members = table_members(table);
    let mut findings = Vec::new();
    for (path, text) in tree.files(CASES, ".json") {
        let mut complain = |problem: &str| findings.push(Finding::new(path, 1, problem));
        let Some((folder, name)) = path[CASES.len()..].trim_end_matches(".json").split_once('/') else {
            complain("must stand in the folder of its member");
            continue;
        };
        if folder != WHOLE && !members.iter().any(|(_, member)| *member == folder) {
            complain("must stand in a folder named for a member, or in `body`");
        }
        if name.len() > LONGEST_NAME
            || !name.chars().all(|c| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit())
        {
            complain("must be named by at most 75 lower-case letters, digits and hyphens");
        }
        match serde_json::from_str::<Value>(text) {
            Ok(case) => problems(&case, folder, name).for_each(complain),
            Err(error) => complain(&format!("must be JSON: {error}")),
        }
    }
    findings
}

/// What is wrong with a case of this folder and name.
fn problems(case: &Value, folder: &str, name: &str) -> impl Iterator<Item = &'static str> {
    let outcome = OUTCOMES.into_iter().find(|outcome| name.starts_with(&format!("{outcome}-")));
    let raw = case["raw"].is_string() || case["raw"].is_array();
    let about = case["about"].as_str().unwrap_or_default();
    let findings = [
        (!about.ends_with('.'), "needs an `about` that is a sentence"),
        (
            case["request"].is_object() == raw,
            "needs either a `request` (an object) or a `raw` body (a string, or its pieces)",
        ),
        (
            OUTCOMES.iter().any(|own| case[own].is_object() != (outcome == Some(own))),
            "must be named `accepted-` or `refused-`, and have what is expected under that key alone",
        ),
        (
            outcome == Some("refused") && !case["refused"]["member"].is_string(),
            "needs the `member` that is refused, or an empty one for the body",
        ),
        (
            folder != WHOLE && !told_of(case).any(|member| member == folder),
            "must expect something of the member whose folder this is",
        ),
    ];
    findings.into_iter().filter(|(wrong, _)| *wrong).map(|(_, problem)| problem)
}

/// The members whose fate a case tells: `jwks` of `jwks.keys[0]`, `client_name` of `client_name#fr`.
fn told_of(case: &Value) -> impl Iterator<Item = &str> {
    let refused = case["refused"]["member"].as_str();
    let accepted = &case["accepted"];
    let answered = accepted["response"].as_object().into_iter().flatten().map(|(member, _)| member.as_str());
    let absent = accepted["absent"].as_array().into_iter().flatten().filter_map(Value::as_str);
    refused
        .into_iter()
        .chain(answered)
        .chain(absent)
        .filter_map(|member| member.split(['#', '.', '[']).next())
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

/// The names in the invocation of `client_metadata!`, with their lines.
pub(super) fn table_members(text: &str) -> Vec<(usize, &str)> {
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
    use serde_json::json;

    use super::*;

    const METADATA: &str = "macro_rules! client_metadata {\n    ($name:ident: $type:ty,) => {};\n}\n\
        client_metadata! {\n    members {\n        /// Names: many.\n        client_name: Localized<String>,\n        \
        scope: Scope,\n    }\n}\nimpl A {\n    b: C,\n}\n";

    #[test]
    fn the_table_is_read_with_its_lines() {
        assert_eq!(table_members(METADATA), [(7, "client_name"), (8, "scope")]);
    }

    fn case_tree(cases: &[(&str, &str)]) -> Tree {
        let paths: Vec<_> = cases.iter().map(|(path, text)| (format!("{CASES}{path}"), *text)).collect();
        let cases = paths.iter().map(|(path, text)| (path.as_str(), *text));
        Tree::of(&cases.chain([(TABLE, METADATA)]).collect::<Vec<_>>())
    }

    #[test]
    fn a_member_without_an_accepted_and_a_refused_case_is_found() {
        let tree = case_tree(&[
            ("client_name/accepted-a.json", ""),
            ("client_name/refused-b.json", ""),
            ("scope/refused-b.json", ""),
        ]);
        let found = cases(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 8);
        assert!(found[0].message.contains("scope/accepted-"));
    }

    #[test]
    fn a_case_tells_what_becomes_of_members() {
        let refused = json!({ "refused": { "member": "client_name#fr[0].x" } });
        assert_eq!(told_of(&refused).collect::<Vec<_>>(), ["client_name"]);
        let accepted = json!({ "accepted": { "response": { "client_name": "A" }, "absent": ["scope"] } });
        assert_eq!(told_of(&accepted).collect::<Vec<_>>(), ["client_name", "scope"]);
    }

    #[test]
    fn a_table_that_has_moved_is_found() {
        assert_eq!(cases(&Tree::of(&[(TABLE, "")])).len(), 1);
    }

    #[test]
    fn a_sound_case_is_left_alone() {
        let refused = r#"{"about": "A.", "raw": "{", "refused": {"member": ""}}"#;
        let accepted = r#"{"about": "A.", "request": {}, "accepted": {"absent": ["scope"]}}"#;
        let tree = case_tree(&[("body/refused-a.json", refused), ("scope/accepted-a-1.json", accepted)]);
        assert_eq!(format(&tree), []);
    }

    #[test]
    fn a_case_has_a_sentence_one_body_one_outcome_and_its_place() {
        let sound = r#"{"about": "A.", "request": {}, "refused": {"member": "scope"}}"#;
        for (path, text) in [
            ("refused-a.json", sound),
            ("nonce/refused-a.json", sound),
            ("scope/a.json", sound),
            ("scope/accepted-a.json", sound),
            ("scope/refused-A.json", sound),
            ("client_name/refused-a.json", sound),
            ("scope/refused-a.json", "{"),
            ("scope/refused-a.json", &sound.replace("A.", "")),
            ("scope/refused-a.json", &sound.replace("request", "body")),
            ("scope/refused-a.json", &sound.replace("{}", r#"{}, "raw": """#)),
            ("scope/refused-a.json", &sound.replace("{}", r#"{}, "accepted": {}"#)),
        ] {
            assert!(!format(&case_tree(&[(path, text)])).is_empty(), "{path}: {text}");
        }
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
