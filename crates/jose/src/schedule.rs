//! When a key signs, and for how long it is published. OpenID Connect Core §10.1.1.
//!
//! All of it follows from when each key was made, so that several nodes with the same keys agree without a word.

use std::cmp::Ordering;
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
/// let made = |kid, day| KeyAge { kid, created_at: Timestamp(day * DAY), needed_until: None };
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
    /// How long a key is published after it last signed: longer than a usual token lives. For one that lives longer,
    /// [`KeyAge::needed_until`] says so.
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
    /// When the last of the tokens ends that it signed and that outlive [`Schedule::keep`]; `None` without such a token.
    pub needed_until: Option<Timestamp>,
}

/// What a key is there for, and from when until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage<'a> {
    /// The name of the key.
    pub kid: &'a str,
    /// What it is there for.
    pub state: KeyState,
    /// Since when it is there for that.
    pub since: Timestamp,
    /// Until when it is, if no other key is made before it is due.
    pub until: Timestamp,
}

/// What a published key is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is published before it signs.
    Announced,
    /// It signs.
    Signing,
    /// It is published for the tokens that it signed.
    Kept,
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
            let is_published = self.is_published(&made, index, key.needed_until, now);
            let names = if is_published { &mut plan.published } else { &mut plan.deletable };
            names.push(key.kid);
        }
        plan
    }

    /// What each published key of one algorithm is there for, oldest first.
    pub fn stages<'a>(&self, keys: &[KeyAge<'a>], now: Timestamp) -> Vec<Stage<'a>> {
        let mut keys = keys.to_vec();
        keys.sort_by_key(|key| (key.created_at, key.kid));
        let made: Vec<_> = keys.iter().map(|key| key.created_at).collect();
        let signer = self.signer(&made, now).unwrap_or_default();
        let published = keys.iter().enumerate();
        let published =
            published.filter(|(index, key)| self.is_published(&made, *index, key.needed_until, now));
        let stage = |(index, key): (usize, &KeyAge<'a>)| {
            let announced = key.created_at + self.announce;
            // The next one is made when it is due, and announced before it signs.
            let next = made.get(index + 1).map_or(announced + self.use_for, |made| *made + self.announce);
            let (state, since, until) = match index.cmp(&signer) {
                Ordering::Less => {
                    (KeyState::Kept, next, (next + self.keep).max(key.needed_until.unwrap_or(next)))
                }
                Ordering::Equal if index == 0 || announced > now => (KeyState::Signing, key.created_at, next),
                Ordering::Equal => (KeyState::Signing, announced, next),
                Ordering::Greater => (KeyState::Announced, key.created_at, announced),
            };
            Stage { kid: key.kid, state, since, until }
        };
        published.map(stage).collect()
    }

    /// Which of the keys signs, by when each was made, oldest first.
    pub(crate) fn signer(&self, made: &[Timestamp], now: Timestamp) -> Option<usize> {
        let announced = made.partition_point(|made| *made + self.announce <= now);
        (!made.is_empty()).then(|| announced.saturating_sub(1))
    }

    /// Whether one of the keys is published: it signs, or will, or did until its successor began, less than `keep` ago, or
    /// one of its tokens still needs it. The key that signs is, since no successor of it has begun.
    pub(crate) fn is_published(
        &self,
        made: &[Timestamp],
        index: usize,
        needed_until: Option<Timestamp>,
        now: Timestamp,
    ) -> bool {
        made.get(index + 1).is_none_or(|successor| now < *successor + self.announce + self.keep)
            || needed_until.is_some_and(|end| now < end)
    }
}

#[cfg(test)]
mod tests;
