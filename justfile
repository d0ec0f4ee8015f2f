# Every chore is one word; the chores themselves are in xtask/.

check:
    cargo clippy --workspace --all-targets

test:
    cargo xtask test

snap:
    RENEW=1 cargo test -p enroll --lib snapshot

conformance *options:
    cargo xtask conformance {{ options }}

bench *options:
    cargo xtask bench {{ options }}

run *options:
    cargo run --release -- serve --dev {{ options }}

docs:
    cargo doc --workspace --no-deps --open
