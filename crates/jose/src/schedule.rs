//! When a key signs, and for how long it is published. OpenID Connect Core §10.1.1.
//!
//! All of it follows from when each key was made, so that several nodes with the same keys agree without a word.

use std::time::Duration;

use enroll_oauth_types::{Problem, Timestamp};

/// How long the keys of one algorithm are announced, used and kept.
///
/// The newest key whose announcement is over signs. Until one is announced, the oldest does: the first key of all at once,
/// and some key whatever the clock says. To rotate now is to make a key now; it signs after its announcement.
///
/// ```
/// use enroll_jose::{KeyAge, Schedule};
/// use enroll_oauth_types::Timestamp;
///
/// const DAY: u64 = 24 * 60 * 60;
/// let made = |kid, day| KeyAge { kid, created_at: Timestamp(day * DAY) };
/// let keys = [made("first", 0), made("second", 90)];
/// let plan = |day| Schedule::default().plan(&keys, Timestamp(day * DAY));
///
/// assert_eq!(plan(90).signer, Some("first"));
/// assert_eq!(plan(90).published, ["first", "second"]);
/// assert_eq!(plan(91).signer, Some("second"));
/// assert_eq!(plan(91).next_at, Timestamp(180 * DAY));
/// assert_eq!(plan(121).deletable, ["first"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// From when a key is published until it signs: longer than others cache a JWK Set.
    pub announce: Duration,
    /// How long a key signs: from one key's making to the next one's.
    pub use_for: Duration,
    /// How long a key is published after it last signed: longer than any token lives.
    pub keep: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for Schedule {
    /// Announced for a day, used for 90, kept for 30.
    fn default() -> Self {
        Self { announce: DAY, use_for: 90 * DAY, keep: 30 * DAY }
    }
}

/// What a schedule knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAge<'a> {
    /// The name of the key.
    pub kid: &'a str,
    /// When it was made, and published from then on.
    pub created_at: Timestamp,
}

/// What is to be done with the keys of one algorithm now. Keys are named oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The key that signs; `None` only when there is no key.
    pub signer: Option<&'a str>,
    /// The keys that others may need to verify.
    pub published: Vec<&'a str>,
    /// The other keys: no token of theirs lives any more.
    pub deletable: Vec<&'a str>,
    /// When another key is to be made.
    pub next_at: Timestamp,
}

impl Schedule {
    /// Whether a schedule makes sense: keys that sign for less time than they are announced would pile up.
    pub fn check(&self) -> Result<(), Problem> {
        if self.use_for.as_secs() > self.announce.as_secs() {
            Ok(())
        } else {
            Err("must use keys for longer than it announces them, by a second at least".into())
        }
    }

    /// What is to be done with these keys of one algorithm, in whatever order they come.
    pub fn plan<'a>(&self, keys: &[KeyAge<'a>], now: Timestamp) -> Plan<'a> {
        let mut keys = keys.to_vec();
        keys.sort_by_key(|key| (key.created_at, key.kid));
        let made: Vec<_> = keys.iter().map(|key| key.created_at).collect();
        let mut plan = Plan {
            signer: self.signer(&made, now).map(|index| keys[index].kid),
            published: Vec::new(),
            deletable: Vec::new(),
            next_at: made.last().map_or(now, |newest| *newest + self.use_for),
        };
        for (index, key) in keys.iter().enumerate() {
            let names =
                if self.is_published(&made, index, now) { &mut plan.published } else { &mut plan.deletable };
            names.push(key.kid);
        }
        plan
    }

    /// Which of the keys signs, by when each was made, oldest first.
    pub(crate) fn signer(&self, made: &[Timestamp], now: Timestamp) -> Option<usize> {
        let announced = made.partition_point(|made| *made + self.announce <= now);
        (!made.is_empty()).then(|| announced.saturating_sub(1))
    }

    /// Whether one of the keys is published: it signs, or will, or did until its successor began, less than `keep` ago. The
    /// key that signs is, since no successor of it has begun.
    pub(crate) fn is_published(&self, made: &[Timestamp], index: usize, now: Timestamp) -> bool {
        made.get(index + 1).is_none_or(|successor| now < *successor + self.announce + self.keep)
    }
}

#[cfg(test)]
mod tests;
