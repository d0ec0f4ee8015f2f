//! How many connections the operating system lets us have: each is a file descriptor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Limits;

/// What the process needs besides connections: databases, standard streams, the runtime, and those that are turned
/// away at the door.
const OTHERS: u64 = 64;

/// Raises the soft limit to the hard one, which is ours to do, and takes the configured limits down to what is left.
///
/// Without that, a source within its own limit could use up the descriptors of all.
pub(super) fn within_reach(limits: &Limits) -> Limits {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let descriptors = if raised.is_ok() { maximum } else { current };
    let reachable = limited(limits, descriptors);
    if reachable != *limits {
        tracing::warn!(
            "the operating system lets this process have {} connections, {} for each source; the configuration asks for \
             {} and {}",
            reachable.connections,
            reachable.connections_per_source,
            limits.connections,
            limits.connections_per_source,
        );
    }
    reachable
}

fn limited(limits: &Limits, descriptors: Option<u64>) -> Limits {
    let room = descriptors.map_or(u64::MAX, |descriptors| descriptors.saturating_sub(OTHERS).max(2));
    let connections = limits.connections.min(usize::try_from(room).unwrap_or(usize::MAX));
    // One source never gets all that there is, unless the operator has said so.
    let per_source = if connections < limits.connections { connections / 2 } else { connections };
    let mut limits = limits.clone();
    limits.connections = connections;
    limits.connections_per_source = limits.connections_per_source.min(per_source);
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_descriptors_are_few_no_source_gets_them_all() {
        let limits = Limits::default();
        assert_eq!((limits.connections, limits.connections_per_source), (8192, 1024));
        let found = |descriptors| {
            let limits = limited(&limits, descriptors);
            (limits.connections, limits.connections_per_source)
        };
        assert_eq!(found(None), (8192, 1024));
        assert_eq!(found(Some(1_000_000)), (8192, 1024));
        assert_eq!(found(Some(1024)), (960, 480));
        assert_eq!(found(Some(3)), (2, 1));
    }
}
