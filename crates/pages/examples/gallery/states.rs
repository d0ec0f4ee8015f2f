//! Every page in every state that looks different.

use std::time::Duration;

use enroll_oauth_types::Timestamp;
use enroll_pages::{
    ClientFace, ConsentPage, ErrorPage, FormPostPage, LogOutPage, LoginPage, LoginProblem, Look, PostTarget,
    Problem, RegisteredBy, ScopeChoice, SignedOutPage, StillSignedInPage,
};

const REGISTERED: Timestamp = Timestamp(1_793_664_000);

const PHOTOS: ClientFace<'_> = ClientFace {
    name: "Holiday Photos",
    logo: None,
    client_uri: Some("https://photos.example/"),
    policy_uri: Some("https://photos.example/privacy"),
    tos_uri: Some("https://legal.photos.example/terms"),
};

/// A name and hosts as long as they may be, without a place to break a line.
const LONG: ClientFace<'_> = ClientFace {
    name: "DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftMitEinemNamenOhneEnde",
    logo: Some("/logos/0197a3.png"),
    client_uri: Some(
        "https://a-very-long-label-that-goes-on-and-on-and-on.another-rather-long-label.example:8443/",
    ),
    policy_uri: Some("javascript:alert(1)"),
    tos_uri: Some("https://xn--pple-43d.example/"),
};

/// A name that is written from right to left, with marks that could turn what follows.
const RIGHT_TO_LEFT: ClientFace<'_> =
    ClientFace {
        name: "صور العطلة (2)", logo: None, client_uri: None, policy_uri: None, tos_uri: None
    };

/// A name that wants to be more than text.
const HOSTILE: ClientFace<'_> = ClientFace {
    name: "\"><script>alert('name')</script>",
    logo: Some("//evil.example/logo.png"),
    client_uri: Some("javascript:alert('client_uri')"),
    policy_uri: Some("data:text/html,<script>alert(1)</script>"),
    tos_uri: Some("https://evil.example/\"onmouseover=\"alert(1)"),
};

/// Each state with its name, as HTML.
pub(crate) fn states(look: &Look<'_>) -> Vec<(&'static str, String)> {
    let mut states = logins(look);
    states.extend(consents(look));
    states.extend(ends(look));
    states.extend(errors(look));
    states
}

fn login(client: ClientFace<'static>) -> LoginPage<'static> {
    LoginPage {
        client,
        action: "/login",
        hidden: vec![("transaction", "tx_7f3a"), ("csrf", "k7Jq")],
        username: None,
        problem: None,
        local_login: true,
    }
}

fn logins(look: &Look<'_>) -> Vec<(&'static str, String)> {
    let hinted = LoginPage { username: Some("alice"), ..login(PHOTOS) };
    let wrong = LoginPage { problem: Some(LoginProblem::WrongCredentials), ..hinted.clone() };
    let wait = Some(LoginProblem::TooManyTries(Duration::from_secs(14 * 60 + 1)));
    vec![
        ("login", login(PHOTOS).render(look)),
        ("login-hint", hinted.render(look)),
        ("login-wrong", wrong.render(look)),
        ("login-busy", LoginPage { problem: Some(LoginProblem::Busy), ..hinted.clone() }.render(look)),
        ("login-too-many", LoginPage { problem: wait, ..hinted }.render(look)),
        ("login-long", login(LONG).render(look)),
        ("login-right-to-left", login(RIGHT_TO_LEFT).render(look)),
        ("login-not-here", LoginPage { local_login: false, ..login(PHOTOS) }.render(look)),
        (
            "login-hostile",
            LoginPage { username: Some("\" autofocus onfocus=\"alert(1)"), ..login(HOSTILE) }.render(look),
        ),
    ]
}

/// A consent page as most people will see it.
pub(crate) fn consent() -> ConsentPage<'static> {
    ConsentPage {
        client: PHOTOS,
        registered_at: REGISTERED,
        registered_by: RegisteredBy::Itself,
        verified: false,
        redirect_uri: "https://photos.example/callback",
        scopes: vec![
            ScopeChoice {
                name: "openid",
                title: "Who you are",
                description: Some("An identifier that stands for you"),
                required: true,
                chosen: true,
            },
            ScopeChoice {
                name: "email",
                title: "Your e-mail address",
                description: None,
                required: false,
                chosen: true,
            },
            ScopeChoice {
                name: "albums.write",
                title: "Change your albums",
                description: Some(
                    "Add, rename and delete albums and the pictures in them, also while you are away",
                ),
                required: false,
                chosen: false,
            },
        ],
        resources: vec!["Albums of id.example"],
        user: "alice",
        other_account: "/login?transaction=tx_7f3a&prompt=login",
        may_remember: true,
        action: "/consent",
        hidden: vec![("transaction", "tx_7f3a"), ("csrf", "k7Jq")],
    }
}

fn consents(look: &Look<'_>) -> Vec<(&'static str, String)> {
    let long_scope = ScopeChoice {
        name: "https://long.example/scopes/with.a.name.that.is.an.address/and.goes.on.for.very.long.without.a.break",
        title: "https://long.example/scopes/with.a.name.that.is.an.address/and.goes.on.for.very.long.without.a.break",
        ..ScopeChoice::default()
    };
    let long = ConsentPage {
        client: LONG,
        redirect_uri: "https://a-very-long-label-that-goes-on-and-on-and-on.another-rather-long-label.example:8443/cb",
        registered_by: RegisteredBy::Token,
        scopes: vec![long_scope; 2],
        resources: vec![
            "https://mcp.a-very-long-label-that-goes-on-and-on-and-on.another-rather-long-label.example/mcp",
        ],
        user: "somebody.with.a.very.long.name.that.is.an.address@another-rather-long-label.example",
        ..consent()
    };
    let hostile =
        ScopeChoice { name: "\"><i>", title: "<b>", description: Some("</ul>"), ..ScopeChoice::default() };
    let hostile = ConsentPage {
        client: HOSTILE,
        redirect_uri: "javascript:alert('redirect_uri')",
        scopes: vec![hostile, ScopeChoice { required: true, ..hostile }],
        resources: vec!["<img src=x onerror=alert(1)>"],
        user: "<script>alert('user')</script>",
        ..consent()
    };
    let operator = RegisteredBy::Operator;
    vec![
        ("consent", consent().render(look)),
        (
            "consent-verified",
            ConsentPage { verified: true, registered_by: operator, ..consent() }.render(look),
        ),
        (
            "consent-loopback",
            ConsentPage { redirect_uri: "http://127.0.0.1:53682/cb", ..consent() }.render(look),
        ),
        ("consent-app", ConsentPage { redirect_uri: "com.example.photos:/cb", ..consent() }.render(look)),
        (
            "consent-nothing",
            ConsentPage { scopes: vec![], resources: vec![], may_remember: false, ..consent() }.render(look),
        ),
        ("consent-right-to-left", ConsentPage { client: RIGHT_TO_LEFT, ..consent() }.render(look)),
        ("consent-long", long.render(look)),
        ("consent-hostile", hostile.render(look)),
    ]
}

fn ends(look: &Look<'_>) -> Vec<(&'static str, String)> {
    let log_out = LogOutPage {
        user: "alice",
        client: None,
        action: "/connect/endsession",
        hidden: vec![("csrf", "k7Jq")],
    };
    let target =
        PostTarget::parse("https://photos.example/callback?a=1&b=2").expect("it is an address of the web");
    let parameters = vec![("code", "c0de"), ("state", "\"><script>"), ("iss", "https://id.example")];
    vec![
        ("log-out", log_out.render(look)),
        ("log-out-asked", LogOutPage { client: Some(PHOTOS), ..log_out }.render(look)),
        ("signed-out", SignedOutPage { back_to: None }.render(look)),
        (
            "signed-out-back",
            SignedOutPage { back_to: Some((PHOTOS.name, "https://photos.example/bye")) }.render(look),
        ),
        (
            "signed-out-hostile",
            SignedOutPage { back_to: Some((HOSTILE.name, "javascript:alert(1)")) }.render(look),
        ),
        ("still-signed-in", StillSignedInPage { back_to: None }.render(look)),
        (
            "still-signed-in-back",
            StillSignedInPage { back_to: Some((PHOTOS.name, "https://photos.example/bye")) }.render(look),
        ),
        ("form-post", FormPostPage { target, parameters }.render(look)),
    ]
}

fn errors(look: &Look<'_>) -> Vec<(&'static str, String)> {
    let page = |problem, code, detail| {
        ErrorPage { problem, code, detail, request: Some("0197a3c5-6c1e") }.render(look)
    };
    vec![
        ("error-unknown", page(Problem::UnknownClient, "invalid_client", Some("client_id: no such client"))),
        ("error-gone", page(Problem::GoneClient(REGISTERED), "invalid_client", Some("client_id: deleted"))),
        ("error-disabled", page(Problem::DisabledClient(REGISTERED), "unauthorized_client", None)),
        (
            "error-redirect-uri",
            page(Problem::RedirectUri, "invalid_request", Some("redirect_uri: not one of those registered")),
        ),
        (
            "error-request",
            page(Problem::InvalidRequest, "invalid_request", Some("<script>alert(1)</script>")),
        ),
        ("error-expired", page(Problem::Expired, "invalid_request", None)),
        ("error-unavailable", page(Problem::Unavailable, "temporarily_unavailable", None)),
    ]
}
