//! Files of the repository that are made of the code, and that people and programs read as files.

use std::path::Path;

/// The text is that of this file in `docs/`. With `RENEW` in the environment the file is written instead.
#[track_caller]
pub(crate) fn is_current(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, text).expect("docs/ is there and can be written");
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "docs/{file} is stale; renew it by `RENEW=1 cargo test -p enroll --lib snapshot`");
}
