# shellcheck shell=bash
# The fault campaign, (a) to (k): whatever breaks, nothing that was acknowledged is lost and nobody is in Tracker twice.
# Read by tests/torture.sh; less than half an hour on two cores.
#
# (a) delivery on virtual time: random sites by seed, and what it promises sentence by sentence
# (b) the store: any history of calls, against a model of it
# (c) at every point: the process dies, a call of the system fails once, or the machine stands still
# (d) kill -9 over real PHP that runs, accepts and captures
# (e) power cuts: only what was synced survives for certain
# (f) errors of the disk: the n-th call of a kind fails; on a live site disks that are full or read-only, and keys that are gone
# (g) the network: every fault at every step through both APIs, on real sockets under TLS
# (h) other processes and sites at the same files and locks, and a newer engine at the store
# (i) the wall clock jumps by an hour
# (j) files of yesterday are put back, sites are copied, folders are somebody else's
# (k) a fatal error of PHP around a run, and a call of the engine that never comes back

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
