//! `enroll backup`: while the server runs and writes.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::harness::{Home, Server};
use crate::transfer::app;

/// A home whose databases are those of this folder, with the same sealing key.
fn restored(home: &Home, folder: &str) -> Home {
    let other = Home::new();
    let data = other.path().join("enroll-data");
    std::fs::create_dir(&data).unwrap();
    for name in ["configuration.db", "operational.db"] {
        std::fs::copy(home.path().join(folder).join(name), data.join(name)).unwrap();
    }
    std::fs::copy(home.path().join("enroll-data/sealing.key"), data.join("sealing.key")).unwrap();
    other
}

#[tokio::test]
async fn a_backup_during_registrations_has_all_that_were_answered_before_it() {
    let home = Home::new();
    let server = Arc::new(Server::open(&home));
    let jwks = "/.well-known/openid-configuration/jwks";
    let keys = server.get(jwks).await.json; // whoever asks waits until all are there
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    let answered = Arc::new(std::sync::Mutex::new(Vec::<Value>::new()));
    for _ in 0..4 {
        let (server, stop, answered) = (server.clone(), stop.clone(), answered.clone());
        writers.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let registered = server.register(&app(), None).await;
                assert_eq!(registered.status, 201);
                answered.lock().unwrap().push(registered.json);
            }
        }));
    }
    for number in 0..3 {
        while answered.lock().unwrap().len() < 30 * (number + 1) {
            tokio::task::yield_now().await;
        }
        let before = answered.lock().unwrap().clone();
        let command = format!("backup copy-{number}");
        let (ran, home_path) = (home.enroll(command.split(' ')).output().unwrap(), home.path());
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        assert_eq!(String::from_utf8_lossy(&ran.stdout), format!("copy-{number}\n"));
        let folder = home_path.join(format!("copy-{number}"));
        for path in [folder.clone(), folder.join("configuration.db"), folder.join("operational.db")] {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "two files and no more");
        let other = restored(&home, &format!("copy-{number}"));
        let listed = other.run("clients list --json");
        assert_eq!(listed.code, Some(0), "{listed:?}");
        for client in &before {
            assert!(listed.stdout.contains(client["client_id"].as_str().unwrap()), "{client}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let other = restored(&home, "copy-0");
    let again = Server::open(&other);
    let mut first = answered.lock().unwrap()[0].clone();
    let id = first["client_id"].as_str().unwrap().to_owned();
    first["registration_client_uri"] = format!("{}/connect/dcr/{id}", again.url).into();
    assert_eq!(again.read(&first).await.status, 200, "it works where it was restored");
    assert_eq!(again.get(jwks).await.json, keys);
}

#[test]
fn a_backup_writes_over_nothing_and_leaves_nothing_half_done() {
    let home = Home::new();
    let nothing = home.run("backup copy");
    assert!(nothing.code == Some(3) && nothing.stderr.contains("there is no database"), "{nothing:?}");
    Server::open(&home).stop();
    std::fs::create_dir(home.path().join("mine")).unwrap();
    home.write("file", "mine");
    for place in ["mine", "file"] {
        let refused = home.run(&format!("backup {place}"));
        assert!(refused.code == Some(1) && refused.stderr.contains("is there already"), "{refused:?}");
    }
    assert_eq!(std::fs::read_to_string(home.path().join("file")).unwrap(), "mine");
    std::fs::create_dir(home.path().join("copy.part")).unwrap();
    let cut = home.run("backup copy");
    assert!(cut.code == Some(1) && cut.stderr.contains("was cut off"), "{cut:?}");
    std::fs::remove_dir(home.path().join("copy.part")).unwrap();
    let nowhere = home.run("backup no/such/folder");
    assert_eq!(nowhere.code, Some(3), "{nowhere:?}");
    std::fs::write(home.path().join("enroll-data/configuration.db"), "no database at all").unwrap();
    let damaged = home.run("backup copy");
    assert_eq!(damaged.code, Some(3), "{damaged:?}");
    assert!(!home.path().join("copy").exists() && !home.path().join("copy.part").exists());
}
