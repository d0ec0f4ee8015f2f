//! What is measured, and how samples of noisy rounds become one figure.

use std::fmt;

/// How many connections registration is measured at.
pub(super) const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

/// A server that can be measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Who {
    Bare,
    Enroll,
    PeerMemory,
    PeerSqlite,
}

/// A request that is sent again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    Register,
    /// A registration that sets as many members as one client can have.
    RegisterEveryMember,
    Read,
    Update,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scenario {
    pub(super) who: Who,
    pub(super) what: What,
    pub(super) connections: usize,
}

/// One scenario in one round: requests a second, and latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) rate: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// What a request cost the server, in microseconds of processor time: the one figure that neighbours on the
    /// machine hardly change.
    pub(super) cost: Option<f64>,
}

/// All samples, in the order of the rounds.
#[derive(Default)]
pub(super) struct Samples {
    taken: Vec<(Scenario, Sample)>,
}

impl Who {
    /// Where it registers clients.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Bare | Self::Enroll => "/connect/dcr",
            Self::PeerMemory | Self::PeerSqlite => "/reg",
        }
    }
}

impl What {
    /// How the load generator calls it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Register | Self::RegisterEveryMember => "register",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The file whose bytes are posted.
    pub(super) fn body(self) -> &'static str {
        match self {
            Self::RegisterEveryMember => "xtask/bench/every-member.json",
            _ => "conformance/peers/request.json",
        }
    }
}

impl Scenario {
    pub(super) const fn registering(who: Who, connections: usize) -> Self {
        Self { who, what: What::Register, connections }
    }

    /// Every scenario, those that are compared next to each other.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for connections in CONNECTIONS {
            all.push(Self::registering(Who::Bare, connections));
            all.push(Self::registering(Who::Enroll, connections));
            if connections == 64 {
                all.push(Self::registering(Who::PeerMemory, connections));
                all.push(Self::registering(Who::PeerSqlite, connections));
                for what in [What::RegisterEveryMember, What::Read, What::Update, What::Delete] {
                    all.push(Self { who: Who::Enroll, what, connections });
                }
            }
        }
        all
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.who {
            Who::Bare => "bare axum handler",
            Who::Enroll => "Enroll on SQLite",
            Who::PeerMemory => "node-oidc-provider in memory",
            Who::PeerSqlite => "node-oidc-provider on SQLite",
        };
        let what = match self.what {
            What::Register => "",
            What::RegisterEveryMember => ", every member",
            What::Read => ", GET client",
            What::Update => ", PUT client",
            What::Delete => ", DELETE client",
        };
        f.pad(&format!("{who}{what}, {} conn.", self.connections))
    }
}

impl Samples {
    pub(super) fn push(&mut self, scenario: Scenario, sample: Sample) {
        self.taken.push((scenario, sample));
    }

    /// The median of each figure by itself; `None` when the scenario was skipped.
    pub(super) fn median(&self, scenario: Scenario) -> Option<Sample> {
        let each = |figure: fn(&Sample) -> f64| median(self.of(scenario).map(figure).collect());
        let cost = median(self.of(scenario).filter_map(|sample| sample.cost).collect());
        Some(Sample { rate: each(|s| s.rate)?, p50: each(|s| s.p50)?, p99: each(|s| s.p99)?, cost })
    }

    /// How many times as many requests the first answers as the second, in the median round.
    pub(super) fn ratio(&self, of: Scenario, to: Scenario) -> Option<f64> {
        median(self.of(of).zip(self.of(to)).map(|(of, to)| of.rate / to.rate).collect())
    }

    fn of(&self, scenario: Scenario) -> impl Iterator<Item = &Sample> {
        self.taken.iter().filter(move |(taken, _)| *taken == scenario).map(|(_, sample)| sample)
    }
}

/// The middle value; of an even number of them, the lower of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        let (bare, enroll) = (Scenario::registering(Who::Bare, 64), Scenario::registering(Who::Enroll, 64));
        let mut samples = Samples::default();
        // The machine is half as fast in the second round and a third as fast in the last: the ratio stays.
        for speed in [6.0, 3.0, 2.0] {
            samples.push(bare, Sample { rate: 10.0 * speed, p50: 1.0, p99: 1.0, cost: None });
            samples.push(enroll, Sample { rate: 5.0 * speed, p50: 1.0, p99: 1.0, cost: None });
        }
        assert_eq!(samples.ratio(enroll, bare), Some(0.5));
        assert_eq!(samples.median(enroll).map(|sample| sample.rate), Some(15.0));
    }

    #[test]
    fn what_was_skipped_has_no_figure() {
        assert_eq!(Samples::default().median(Scenario::registering(Who::PeerMemory, 64)), None);
    }
}
