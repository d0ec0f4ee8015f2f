//! What is written for people: links that lead somewhere, and nothing that is true of one machine only.

use super::{Finding, Tree};

/// The two commands that the first screen of the README shows.
const COMMANDS: &[&str] = &["cargo run --release -- serve --dev", "cargo xtask test"];

/// What ties a file to one package registry: which one a build asks is for the machine to say.
const REGISTRIES: &[&str] =
    &["\"resolved\":", "--index-url", "--extra-index-url", "--find-links", "registry="];

/// How the paths of one person's or one machine's folders begin.
const HOMES: &[&str] =
    &[concat!("/", "home/"), concat!("/", "root/"), concat!("/", "Users/"), concat!("C:\\", "Users\\")];

/// The README shows how to start and how to test.
pub(super) fn readme(tree: &Tree) -> Vec<Finding> {
    let text = tree.files.get("README.md").map(String::as_str).unwrap_or_default();
    let missing = COMMANDS.iter().filter(|command| !text.contains(**command));
    missing.map(|command| Finding::new("README.md", 1, format!("must show `{command}`"))).collect()
}

/// No lock file and no settings of a package manager name a registry.
pub(super) fn registries(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in [".json", ".txt", ".npmrc"].iter().flat_map(|end| tree.files("", end)) {
        for (number, line) in numbered(text) {
            for setting in REGISTRIES.iter().filter(|setting| line.contains(**setting)) {
                findings.push(Finding::new(path, number, format!("names a package registry by {setting}")));
            }
        }
    }
    findings
}

/// No file names a folder of one machine.
pub(super) fn home_paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("", "") {
        for (number, line) in numbered(text) {
            for home in HOMES.iter().filter(|home| names_folder(line, home)) {
                findings.push(Finding::new(path, number, format!("names a folder of one machine: {home}…")));
            }
        }
    }
    findings
}

/// Whether the path stands by itself, not within a longer one or a URL.
fn names_folder(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + home.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}'))
            && after.is_some_and(char::is_alphanumeric)
    })
}

/// Links between the repository's Markdown files lead to files that are there.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("", ".md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut in_code = false;
        for (number, line) in numbered(text) {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            }
            if in_code {
                continue;
            }
            for target in targets(line).filter(|target| !resolves(tree, folder, target)) {
                findings.push(Finding::new(path, number, format!("the link to `{target}` leads nowhere")));
            }
        }
    }
    findings
}

/// The targets of `[text](target)`, those within the repository.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let target = target.split('#').next()?;
        let elsewhere = target.is_empty() || target.contains(':');
        (!elsewhere).then_some(target)
    })
}

fn resolves(tree: &Tree, folder: &str, target: &str) -> bool {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    let path = parts.join("/");
    let inside = format!("{path}/");
    path.is_empty() || tree.files.contains_key(&path) || tree.files(&inside, "").next().is_some()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_without_a_command_is_found() {
        let tree = Tree::of(&[("README.md", "```\ncargo xtask test\n```\n")]);
        assert_eq!(
            readme(&tree),
            [Finding::new("README.md", 1, "must show `cargo run --release -- serve --dev`")]
        );
    }

    #[test]
    fn a_lock_file_or_a_setting_that_names_a_registry_is_found() {
        let tree = Tree::of(&[
            ("conformance/package-lock.json", "{\n\"resolved\": \"https://a.example/a\"}\n"),
            ("conformance/requirements.txt", "--index-url https://a.example/\n"),
            ("conformance/node/.npmrc", "omit-lockfile-registry-resolved=true\n"),
        ]);
        let found: Vec<_> =
            registries(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        let expected = [("conformance/package-lock.json", 2), ("conformance/requirements.txt", 1)];
        assert_eq!(found, expected.map(|(path, line)| (path.to_owned(), line)));
    }

    #[test]
    fn a_home_folder_is_found_and_a_url_is_not_one() {
        let home = HOMES[0];
        let lines = format!("see {home}alice/enroll\nhttps://a.example{home}alice\n`{home}`\n");
        let tree = Tree::of(&[("docs/a.md", &lines)]);
        let found: Vec<_> = home_paths(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(found, [1]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let text = "[a](guide.md#start) [b](../README.md) [c](https://a.example/x) [d](#here)\n\
                    [e](gone.md) [f](../crates)\n```\n[g](code.md)\n```\n[h](Type::method)\n";
        let tree = Tree::of(&[
            ("docs/a.md", text),
            ("docs/guide.md", ""),
            ("README.md", ""),
            ("crates/a/Cargo.toml", ""),
        ]);
        assert_eq!(links(&tree), [Finding::new("docs/a.md", 2, "the link to `gone.md` leads nowhere")]);
    }
}
