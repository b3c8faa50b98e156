# Short names for what CONTRIBUTING.md describes. https://just.systems

# What there is.
default:
    @just --list

# The tests, on SQLite; `just test --test it health::` runs a part.
test *ARGS:
    cargo test --workspace {{ARGS}}

# Everything that must pass, on SQLite, PostgreSQL and MariaDB. For a machine that is there for tests: it sets up servers.
gate:
    .ci/run

# Format and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# One random history of the sync engine, step by step.
simulate SEED:
    CLASSY_SYNC_SEED={{SEED}} cargo test --test simulation one_seed -- --nocapture

# Many random histories.
histories COUNT="20000":
    CLASSY_SYNC_SEEDS={{COUNT}} cargo test --test simulation many_seeds -- --nocapture

# How fast it loads, and how little many idle organizations cost.
bench:
    cargo bench --bench load -- 20 2000
    cargo bench --bench fleet -- 2000

# Everything at work, in a temporary folder.
demo:
    cargo run --release -- demo
