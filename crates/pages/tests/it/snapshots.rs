//! One state of each page, as it is. After a change, `INSTA_UPDATE=always cargo test -p enroll-pages` writes them anew.

use enroll_pages::{Language, Look};

use crate::states::states;

/// A page without what all pages share.
fn main_part(html: &str) -> &str {
    let (_, rest) = html.split_once("<main>").unwrap();
    rest.split_once("</body>").unwrap().0.trim()
}

#[test]
fn each_page_is_what_it_was() {
    let look = Look { language: Language::English, service: "id.example" };
    for (name, html) in states(&look) {
        if ["login-wrong", "consent", "log-out-asked", "signed-out-back", "error-gone", "form-post"]
            .contains(&name)
        {
            insta::assert_snapshot!(name, main_part(&html));
        }
    }
}

#[test]
fn what_all_pages_share_is_what_it_was() {
    let look = Look { language: Language::Japanese, service: "id.example" };
    let (_, html) = states(&look).swap_remove(0);
    let (head, rest) = html.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (header, _) = rest.split_once("<main>").unwrap();
    insta::assert_snapshot!("head", format!("{head}{header}"));
}
