//! Writes every page in every state and every language into a folder, to be looked at:
//! `cargo run -p enroll-pages --example gallery -- DIR`.

mod states;

use std::fs;
use std::path::PathBuf;

use enroll_pages::{Language, Look};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    fs::create_dir_all(&folder)?;
    for language in Language::ALL {
        for (name, html) in states::states(&Look { language, service: "id.example" }) {
            fs::write(folder.join(format!("{name}.{}.html", language.tag())), html)?;
        }
    }
    Ok(())
}
