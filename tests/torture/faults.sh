# shellcheck shell=bash
# The fault campaign, (a) to (k): whatever breaks, nothing that was acknowledged is lost and nobody is in Tracker twice.
# Read by tests/torture.sh; less than half an hour on two cores.

# Time is virtual for the seeds: they take what the others, who wait for real servers and disks, leave of the cores.
half=$((${SEEDS:-200000} / 2))
for from in 0 "$half"; do
    beside "(a) delivery by seed on virtual time, $half sites from $from on" nice -n 10 env SEEDS_FROM="$from" SEEDS="$half" \
        cargo test --profile fast --no-default-features --test simulation -- --nocapture seeds::nothing
done
if [ "$(id -u)" -eq 0 ]; then
    beside "(d) kill -9 over PHP that runs, accepts and captures" \
        env HAZARD_SUBMISSIONS="${SUBMISSIONS:-5000}" HAZARD_KILLS="${KILLS:-500}" HAZARD_KILL_MS=900 \
        cargo test --no-default-features --test hazards -- --test-threads=1 --nocapture kills
fi
check "(a) what delivery promises, with its figures, and its mechanisms switched off" env CAMPAIGN="${CAMPAIGN:-10000}" \
    cargo test --profile fast --no-default-features --test simulation -- --nocapture --skip seeds::nothing
check "(b) any history of the store against its model" env PROPTEST_CASES="${HISTORIES:-20000}" \
    cargo test --profile fast --no-default-features --test store -- --nocapture
check "(c) (e) (f) (h) (i) (j) a fault at every point of the store and of the way to Tracker" env TORTURE=1 \
    cargo test --profile fast --no-default-features --test faults -- --nocapture
if has_test wire; then
    check "(g) the network matrix" env NETWORK_ROUNDS="${NETWORK_ROUNDS:-3}" cargo test --no-default-features --test wire -- --nocapture
fi
if [ "$(id -u)" -eq 0 ]; then
    meet "(d)"
    check "(f) (h) (j) (k) disks, keys, locks, owners, copies, restores and fatal errors around a live site" \
        cargo test --no-default-features --no-fail-fast --test hazards -- --test-threads=1 --nocapture --skip kills
else
    skip "(d) (f) (h) (j) (k) on a live site" "root is needed to become www-data"
fi
meet "(a)"
