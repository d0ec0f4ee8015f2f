//! What comes from outside stays text.

use enroll_pages::{
    ClientFace, ConsentPage, ErrorPage, FormPostPage, Language, LogOutPage, LoginPage, Look, PostTarget,
    Problem, ScopeChoice, SignedOutPage, StillSignedInPage,
};

use crate::states::{consent, states};

/// Would end an attribute, an element, and begin both.
const HOSTILE: &str = "'\"><script>alert(1)</script><b a='";

const LOOK: Look<'_> = Look { language: Language::English, service: HOSTILE };

fn hostile_client() -> ClientFace<'static> {
    ClientFace {
        name: HOSTILE,
        logo: Some("/logo.png?'\"><script>alert(1)</script><b a='"),
        client_uri: Some("https://a.example/'\"><script>alert(1)</script><b a='"),
        policy_uri: Some("https://a.example/?'\"><script>alert(1)</script><b a='"),
        tos_uri: Some("https://a.example/#'\"><script>alert(1)</script><b a='"),
    }
}

/// Every page, every field of it hostile.
fn hostile_pages() -> Vec<String> {
    let scope = ScopeChoice {
        name: HOSTILE,
        title: HOSTILE,
        description: Some(HOSTILE),
        required: false,
        chosen: true,
    };
    let hidden = vec![(HOSTILE, HOSTILE)];
    let target = PostTarget::parse("https://a.example/'\"><script>alert(1)</script><b a='").unwrap();
    let consent = ConsentPage {
        client: hostile_client(),
        redirect_uri: HOSTILE,
        scopes: vec![scope, ScopeChoice { required: true, ..scope }],
        resources: vec![HOSTILE],
        user: HOSTILE,
        other_account: HOSTILE,
        action: HOSTILE,
        hidden: hidden.clone(),
        ..consent()
    };
    let login = LoginPage {
        client: hostile_client(),
        action: HOSTILE,
        hidden: hidden.clone(),
        username: Some(HOSTILE),
        problem: None,
        local_login: true,
    };
    let log_out =
        LogOutPage { user: HOSTILE, client: Some(hostile_client()), action: HOSTILE, hidden: hidden.clone() };
    let error = ErrorPage {
        problem: Problem::Unavailable,
        code: HOSTILE,
        detail: Some(HOSTILE),
        request: Some(HOSTILE),
    };
    vec![
        consent.render(&LOOK),
        ConsentPage { verified: true, ..consent }.render(&LOOK),
        login.render(&LOOK),
        LoginPage { local_login: false, ..login }.render(&LOOK),
        log_out.render(&LOOK),
        SignedOutPage { back_to: Some((HOSTILE, "https://a.example/'\"><script>alert(1)</script><b a='")) }
            .render(&LOOK),
        StillSignedInPage {
            back_to: Some((HOSTILE, "https://a.example/'\"><script>alert(1)</script><b a='")),
        }
        .render(&LOOK),
        error.render(&LOOK),
        FormPostPage { target, parameters: hidden }.render(&LOOK),
    ]
}

#[test]
fn no_value_of_any_field_gets_out_of_its_place() {
    for html in hostile_pages() {
        assert!(html.contains("&#60;script&#62;alert(1)"), "{html}");
        assert!(!html.contains("<script>alert") && !html.contains("<b a="), "{html}");
        assert!(!html.contains("'\">") && !html.contains("\">\n<script>alert"), "{html}");
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, usize::from(html.contains("HTMLFormElement")), "{html}");
    }
}

/// HTML §13.1.2.3: our templates write attributes in double quotes, so that an escaped quote cannot end one.
#[test]
fn every_tag_of_a_hostile_page_is_one_of_ours() {
    let friendly = tags(&states(&LOOK).into_iter().map(|(_, html)| html).collect::<String>());
    for html in hostile_pages() {
        for tag in tags(&html) {
            assert!(friendly.contains(&tag), "{tag}");
        }
    }
}

/// Each tag with the names of its attributes.
fn tags(html: &str) -> std::collections::BTreeSet<String> {
    let mut tags = std::collections::BTreeSet::new();
    for after in html.split('<').skip(1) {
        let Some((tag, _)) = after.split_once('>') else { continue };
        // Of `a="b" c="d"`, what stands at even places between the quotes.
        let names: String = tag.split('"').step_by(2).collect();
        tags.insert(names);
    }
    tags
}

#[test]
fn addresses_that_a_browser_would_run_are_not_links() {
    for (name, html) in
        Language::ALL.map(|language| states(&Look { language, service: "id.example" })).concat()
    {
        let links = html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for link in links {
            assert!(link.starts_with("https://") || link.starts_with('/'), "{name}: {link}");
        }
        for action in html.split(" action=\"").skip(1) {
            assert!(action.starts_with('/') || action.starts_with("https://"), "{name}");
        }
        for picture in html.split(" src=\"").skip(1) {
            assert!(picture.starts_with("/logos/"), "{name}");
        }
    }
}

#[test]
fn every_link_to_elsewhere_tells_nothing_of_where_it_was_followed() {
    for (name, html) in states(&LOOK) {
        for link in html.split("<a ").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let elsewhere = link.contains("https://");
            assert_eq!(link.contains("rel=\"noopener noreferrer\""), elsewhere, "{name}: {link}");
        }
    }
}

#[test]
fn no_sentence_lacks_a_value() {
    for language in Language::ALL {
        for (name, html) in states(&Look { language, service: "id.example" }) {
            let (_, body) = html.split_once("<body>").unwrap();
            assert!(!body.contains('{') && !body.contains('}'), "{name} in {}", language.tag());
        }
    }
}

#[test]
fn nothing_is_written_into_a_page_unescaped_but_the_two_constants() {
    for template in [
        "page",
        "client",
        "links",
        "hidden",
        "login",
        "consent",
        "log_out",
        "signed_out",
        "still_signed_in",
        "back_to",
        "error",
        "form_post",
    ] {
        let path = format!("{}/templates/{template}.html", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("safe") && !text.contains("style="), "{template}");
    }
}
