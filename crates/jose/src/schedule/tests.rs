use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn seconds(announce: u64, use_for: u64, keep: u64) -> Schedule {
    let [announce, use_for, keep] = [announce, use_for, keep].map(Duration::from_secs);
    Schedule { announce, use_for, keep }
}

fn made(kid: &str, at: u64) -> KeyAge<'_> {
    KeyAge { kid, created_at: Timestamp(at), needed_until: None }
}

#[test]
fn without_a_key_one_is_due_at_once() {
    let plan = Schedule::default().plan(&[], Timestamp(7));
    assert_eq!((plan.signer, plan.next_at), (None, Timestamp(7)));
    assert!(plan.published.is_empty() && plan.deletable.is_empty());
}

#[test]
fn an_only_key_signs_at_once() {
    let plan = seconds(10, 100, 30).plan(&[made("a", 50)], Timestamp(50));
    assert_eq!((plan.signer, plan.next_at), (Some("a"), Timestamp(150)));
}

#[test]
fn each_moment_comes_to_the_second() {
    let keys = [made("b", 100), made("a", 0)];
    let plan = |now| seconds(10, 100, 30).plan(&keys, Timestamp(now));
    assert_eq!((plan(109).signer, plan(110).signer), (Some("a"), Some("b")));
    assert_eq!(plan(139).published, ["a", "b"]);
    assert_eq!(plan(140).published, ["b"]);
    assert_eq!(plan(140).deletable, ["a"]);
}

#[test]
fn a_key_made_early_is_announced_first_and_moves_the_next_one() {
    let keys = [made("a", 0), made("b", 20)];
    let plan = seconds(10, 100, 30).plan(&keys, Timestamp(20));
    assert_eq!((plan.signer, plan.next_at), (Some("a"), Timestamp(120)));
}

/// A token that lives longer than keys are kept.
#[test]
fn a_key_stays_until_the_last_of_its_tokens_has_ended() {
    let needed = |end| [KeyAge { needed_until: Some(Timestamp(end)), ..made("a", 0) }, made("b", 100)];
    let published = |end, now| seconds(10, 100, 30).plan(&needed(end), Timestamp(now)).published;
    assert_eq!(published(500, 499), ["a", "b"]);
    assert_eq!(published(500, 500), ["b"]);
    assert_eq!(published(120, 139), ["a", "b"], "it is kept as long as any");
}

#[test]
fn a_key_is_announced_then_signs_then_is_kept() {
    use KeyState::{Announced, Kept, Signing};
    let needed = KeyAge { needed_until: Some(Timestamp(500)), ..made("n", 0) };
    let stages = |keys: &[KeyAge<'static>], now| -> Vec<_> {
        let stages = seconds(10, 100, 30).stages(keys, Timestamp(now));
        stages.iter().map(|own| (own.kid, own.state, own.since.seconds(), own.until.seconds())).collect()
    };
    let (only, both) = ([made("a", 0)], [made("b", 100), made("a", 0)]);
    assert_eq!(stages(&only, 5), [("a", Signing, 0, 110)], "the first signs at once");
    assert_eq!(stages(&both, 109), [("a", Signing, 0, 110), ("b", Announced, 100, 110)]);
    assert_eq!(stages(&both, 110), [("a", Kept, 110, 140), ("b", Signing, 110, 210)]);
    assert_eq!(stages(&both, 140), [("b", Signing, 110, 210)]);
    assert_eq!(stages(&[needed, made("b", 100)], 140)[0], ("n", Kept, 110, 500));
}

/// Nodes that start together may each make a key in the same second.
#[test]
fn keys_of_the_same_age_are_told_apart_alike_everywhere() {
    let (one, other) = ([made("a", 0), made("b", 0)], [made("b", 0), made("a", 0)]);
    for now in [0, 9, 10, 1000] {
        let now = Timestamp(now);
        assert_eq!(seconds(10, 100, 30).plan(&one, now), seconds(10, 100, 30).plan(&other, now));
    }
}

#[test]
fn with_a_clock_far_back_the_oldest_signs_and_all_are_published() {
    let keys = [made("a", 1000), made("b", 1100), made("c", 1200)];
    let plan = seconds(10, 100, 30).plan(&keys, Timestamp(0));
    assert_eq!(plan.signer, Some("a"));
    assert_eq!(plan.published, ["a", "b", "c"]);
}

#[test]
fn a_schedule_that_would_pile_up_keys_is_refused() {
    assert!(Schedule::default().check().is_ok());
    assert!(seconds(10, 11, 0).check().is_ok());
    for bad in [seconds(10, 10, 30), seconds(0, 0, 30), seconds(10, 1, 30)] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
}

/// What others saw of a key in a life of a server.
struct Seen {
    published_at: u64,
    signed_at: Option<u64>,
    was_alone: bool,
    last_signed_at: Option<u64>,
}

/// Lives through the seconds one by one: makes a key when one is due or somebody asks, deletes what may be.
fn live(schedule: &Schedule, rotations: &[bool], deletions: &[bool]) -> Result<(), TestCaseError> {
    let names: Vec<String> = (0..rotations.len()).map(|second| format!("made at {second}")).collect();
    let mut stored: Vec<KeyAge<'_>> = Vec::new();
    let mut seen: HashMap<&str, Seen> = HashMap::new();
    for (second, (rotates, deletes)) in rotations.iter().zip(deletions).enumerate() {
        let now = second as u64;
        if *rotates || schedule.plan(&stored, Timestamp(now)).next_at <= Timestamp(now) {
            let was_alone = stored.is_empty();
            stored.push(made(&names[second], now));
            let first = Seen { published_at: now, signed_at: None, was_alone, last_signed_at: None };
            seen.insert(&names[second], first);
        }
        let plan = schedule.plan(&stored, Timestamp(now));
        prop_assert_eq!(plan.signer.is_some(), !stored.is_empty());
        let Some(signer) = plan.signer else { continue };
        prop_assert!(plan.published.contains(&signer));
        let seen_signer = seen.get_mut(signer).unwrap();
        let first = *seen_signer.signed_at.get_or_insert(now);
        let announced_for = first - seen_signer.published_at;
        prop_assert!(
            announced_for >= schedule.announce.as_secs() || seen_signer.was_alone,
            "{} signed after {} s",
            signer,
            announced_for
        );
        seen_signer.last_signed_at = Some(now);
        for kid in plan.deletable.iter().filter(|_| *deletes) {
            let idle = seen[kid].last_signed_at.map_or(u64::MAX, |last| now - last);
            prop_assert!(idle > schedule.keep.as_secs(), "{} signed {} s ago", kid, idle);
            stored.retain(|key| key.kid != *kid);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn in_any_life_a_signer_is_there_published_and_announced_and_nothing_is_deleted_early(
        (announce, more, keep) in (0_u64..6, 1_u64..12, 0_u64..12),
        rotations in prop::collection::vec(prop::bool::weighted(0.1), 120),
        deletions in prop::collection::vec(any::<bool>(), 120),
    ) {
        live(&seconds(announce, announce + more, keep), &rotations, &deletions)?;
    }

    /// The clock may have jumped in any way between any two keys, and between them and now.
    #[test]
    fn whatever_the_clock_says_there_is_a_signer_and_it_is_published(
        (announce, use_for, keep) in (0_u64..20, 0_u64..20, 0_u64..20),
        ages in prop::collection::vec(prop_oneof![0_u64..100, Just(u64::MAX)], 0..6),
        now in prop_oneof![0_u64..150, Just(u64::MAX)],
    ) {
        let names: Vec<String> = (0..ages.len()).map(|index| index.to_string()).collect();
        let keys: Vec<_> = names.iter().zip(&ages).map(|(kid, at)| made(kid, *at)).collect();
        let plan = seconds(announce, use_for, keep).plan(&keys, Timestamp(now));
        prop_assert_eq!(plan.signer.is_some(), !keys.is_empty());
        prop_assert!(plan.signer.is_none_or(|signer| plan.published.contains(&signer)));
        let mut all = [plan.published, plan.deletable].concat();
        all.sort_unstable();
        prop_assert_eq!(all, names.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
