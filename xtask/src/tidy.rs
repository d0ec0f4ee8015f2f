//! `cargo xtask tidy`: rules of the tree that no compiler checks.
//!
//! To add a rule: a function from [`Tree`] to findings, its line in [`RULES`], and a test with a small tree that
//! breaks it. A rule that cannot fail is a defect.

mod arrows;
mod effects;
mod members;
mod shape;
mod source;
mod texts;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::Failure;
use crate::command::root;

/// A rule: what it is about, and how it is checked.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: &[Rule] = &[
    ("dependency arrows", arrows::dependencies),
    ("only store-sql knows SQL", arrows::sql),
    ("only outbound opens connections", arrows::outbound),
    ("oauth-types does no IO", arrows::no_io_in_vocabulary),
    ("only enroll reads files and environment", arrows::surroundings),
    ("file lengths", shape::lengths),
    ("file names", shape::names),
    ("no unwrap, no stubs", shape::unfinished),
    ("no ignored tests", shape::ignored_tests),
    ("no sleeping tests", shape::sleeping_tests),
    ("a case for every member", members::cases),
    ("an effect for every member", effects::effects),
    ("cases are well formed", members::format),
    ("steps name their standard", members::steps),
    ("README names the two commands", texts::readme),
    ("no registry hosts", texts::registries),
    ("no paths of one machine", texts::home_paths),
    ("links resolve", texts::links),
];

pub(crate) fn run() -> Result<(), Failure> {
    let tree = Tree::read(&root())?;
    let mut count = 0;
    for (name, rule) in RULES {
        for finding in rule(&tree) {
            println!("{finding} [{name}]");
            count += 1;
        }
    }
    if count > 0 {
        return Err(format!("tidy: {count} findings").into());
    }
    println!("tidy: {} files, {} rules, nothing found", tree.files.len(), RULES.len());
    Ok(())
}

/// Something that breaks a rule, and where.
#[derive(Debug, PartialEq)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// The text files of the repository, by their path from its root.
#[derive(Default)]
struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads what a commit of everything would hold: all files but those that `.gitignore` names.
    fn read(root: &Path) -> Result<Self, Failure> {
        let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        let mut tree = Self::default();
        tree.walk(root, "", &ignored)?;
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str, ignored: &str) -> Result<(), Failure> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            if name == ".git" || is_ignored(&path, &name, ignored) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.walk(&entry.path(), &format!("{path}/"), ignored)?;
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    /// The files whose path begins and ends so.
    fn files(&self, begin: &str, end: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(begin) && path.ends_with(end))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files }
    }
}

/// The patterns that this repository's `.gitignore` uses: `/path/from/root`, `name`, `*.ending`.
fn is_ignored(path: &str, name: &str, ignored: &str) -> bool {
    ignored.lines().map(|pattern| pattern.trim().trim_end_matches('/')).any(|pattern| {
        if let Some(from_root) = pattern.strip_prefix('/') {
            path == from_root
        } else if let Some(ending) = pattern.strip_prefix('*') {
            name.ends_with(ending)
        } else {
            name == pattern
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_compilers_print_it() {
        assert_eq!(Finding::new("a/b.rs", 7, "too long").to_string(), "a/b.rs:7: too long");
    }

    #[test]
    fn what_git_ignores_is_not_read() {
        let ignored = "/target\n/fuzz/corpus\nnode_modules\n.venv/\n*.profraw\n";
        for (path, name) in [
            ("target", "target"),
            ("fuzz/corpus", "corpus"),
            ("a/node_modules", "node_modules"),
            ("a/.venv", ".venv"),
            ("a/b.profraw", "b.profraw"),
        ] {
            assert!(is_ignored(path, name, ignored), "{path}");
        }
        assert!(!is_ignored("crates/target", "target", ignored));
        assert!(!is_ignored("README.md", "README.md", ignored));
    }
}
