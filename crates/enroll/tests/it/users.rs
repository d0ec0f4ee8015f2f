//! `enroll users`, and what `--dev` adds.

use serde_json::{Value, json};

use crate::harness::{Home, Ran, Server};

fn listed(home: &Home) -> Vec<Value> {
    let ran = home.run("users list --json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut users: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    users.sort_by_key(|user| user["username"].to_string());
    users
}

#[track_caller]
fn refused(ran: &Ran, code: i32, said: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
    assert!(ran.stderr.contains(said), "{said}: {ran:?}");
}

#[test]
fn somebody_is_added_before_the_first_start_and_the_subject_is_all_that_is_printed() {
    let home = Home::new();
    let added = home.run_with_input(
        "users add Carol --email c@example.com --claim birthdate=1990 --claim groups=[\"a\"]",
        "a secret\n",
    );
    assert_eq!(added.code, Some(0), "{added:?}");
    let claims = json!({ "birthdate": "1990", "groups": ["a"], "email": "c@example.com" });
    let carol =
        json!({ "username": "Carol", "sub": added.stdout.trim_end(), "enabled": true, "claims": claims });
    assert_eq!(listed(&home), [carol]);
    let table = home.run("users list").stdout;
    assert!(table.starts_with("NAME") && table.contains("birthdate groups email"), "{table}");
}

#[test]
fn what_is_wrong_is_told_with_what_would_be_right() {
    let home = Home::new();
    assert_eq!(home.run_with_input("users add carol", "a secret").code, Some(0));
    refused(&home.run_with_input("users add CAROL", "other"), 1, "there is a user of this name already");
    refused(&home.run_with_input("users add dan", "\n"), 2, "must be 1 to 1024 bytes long");
    refused(&home.run_with_input("users add dan", &"a".repeat(5000)), 2, "must be 1 to 1024 bytes long");
    refused(&home.run_with_input("users password carol", ""), 2, "must be 1 to 1024 bytes long");
    for (claim, said) in [
        ("aud=a", "not a claim of a user"),
        ("phone_number_verified=1", "phone_number_verified: must be true or false"),
        ("address=here", "address: must be a JSON object"),
        ("updated_at=today", "updated_at: must be a number of seconds"),
        ("name", "must be NAME=VALUE"),
    ] {
        refused(&home.run_with_input(&format!("users add dan --claim {claim}"), "dan"), 2, said);
    }
    for command in ["password", "disable", "enable", "delete"] {
        refused(&home.run_with_input(&format!("users {command} dan"), "dan"), 1, "dan: there is no user");
    }
    assert_eq!(listed(&home).len(), 1);
}

#[test]
fn a_user_is_disabled_enabled_and_deleted_by_the_name_in_any_case() {
    let home = Home::new();
    let subject = home.run_with_input("users add carol", "a secret").stdout;
    for (command, enabled) in [("disable", false), ("enable", true)] {
        let ran = home.run(&format!("users {command} Carol"));
        assert_eq!((ran.code, ran.stdout), (Some(0), format!("{command}d Carol\n")));
        assert_eq!(listed(&home)[0]["enabled"], enabled);
    }
    assert_eq!(home.run_with_input("users password carol", "another").code, Some(0));
    assert_eq!(listed(&home)[0]["sub"], subject.trim_end());
    assert_eq!(home.run("users delete CAROL").code, Some(0));
    assert!(listed(&home).is_empty());
    let again = home.run_with_input("users add carol", "a secret").stdout;
    assert_ne!(again, subject, "whoever comes later is somebody else");
}

#[test]
fn a_second_start_leaves_the_people_of_dev_as_they_are() {
    let home = Home::new();
    Server::open(&home).stop();
    assert_eq!(home.run("users disable bob").code, Some(0));
    let before = listed(&home);
    let names: Vec<_> = before.iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["alice", "bob"]);
    Server::open(&home).stop();
    assert_eq!(listed(&home), before);
}

#[test]
fn a_server_for_real_starts_with_nobody() {
    let home = Home::new();
    Server::start(&home, "").stop();
    assert!(listed(&home).is_empty());
}
