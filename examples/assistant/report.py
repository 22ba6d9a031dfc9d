"""What a person reads: the table of commands, the summary of the ways, the last line."""

from dataclasses import asdict

from ways import rank


def mega(size):
    return f"{size / 1e6:.0f}"


def introduce(day):
    shape = ", ".join(f"{count} {what}" for what, count in day.shape().items())
    print(f"{len(day.components)} components; {shape}", flush=True)


class Table:
    """The table of commands, a row as each is done."""

    def __init__(self):
        print(f"{'command':<44} {'components (+ loaded for it)':<34} {'':<5} {'wait ms':>8}")

    def __call__(self, row):
        table_row(row)


def table_row(row):
    text = row.text if len(row.text) <= 43 else row.text[:42] + "…"
    names = " ".join(("+" if name in row.cold else "") + name for name in row.names) or "-"
    state = "" if not row.names else "cold" if row.cold else "warm"
    print(f"{text:<44} {names:<34} {state:<5} {row.wait * 1000:8.1f}", flush=True)
    if row.problem:
        print(f"    FAILED: {row.problem}", flush=True)


def way_done(result):
    print(f"  {len(result.rows)} commands in {result.seconds:.0f} s, "
          f"{mega(result.peak)} MB at peak", flush=True)
    for row in result.failed():
        print(f"  FAILED: {row.text}: {row.problem}", flush=True)
    for problem in result.problems:
        print(f"  PROBLEM: {problem}", flush=True)


def figures_of(result):
    waits = result.waits()
    return {
        "peak_bytes": result.peak, "mean_bytes": round(result.mean),
        "wait_p50_ms": rank(waits, 50) * 1000, "wait_p95_ms": rank(waits, 95) * 1000,
        "wait_total_ms": sum(waits) * 1000, "loads": result.loads,
        "evictions": result.evictions, "failed": len(result.failed()),
        "problems": result.problems, "ttl_s": result.ttl, "seconds": result.seconds,
        "budget_bytes": result.budget, "over_s": result.over,
        "cpu_s": result.cpu, "wake_ups": result.wakes, "idle_hour": result.idle,
        "samples": result.samples, "component_peak_bytes": result.parts,
        "load_ms": {name: [round(v * 1000, 1) for v in values]
                    for name, values in result.load_seconds.items()},
        "rows": [asdict(row) for row in result.rows]}


def goal(kind, text, value, limit):
    """One figure, and whether it is as low as it is to be for the full set."""
    reached = value <= limit
    wanted = f" (goal: {limit * 100:.0f} % or less{'' if reached else ', MISSED'})"
    print(f"  {text}: {value * 100:.0f} %{wanted if kind == 'full' else ''}")
    return {"value": value, "limit": limit, "reached": reached}


def goals(kind, by_name):
    """The figures to reach, as far as they were measured."""
    hearth, found = by_name.get("Hearth"), {}
    everything, at_once = by_name.get("everything at start"), by_name.get("unload at once")
    if not hearth or not everything:
        return found
    print("\nHearth")
    tuned = by_name.get("time to live, tuned")
    if hearth["budget_bytes"]:
        over, budget = hearth["over_s"], mega(hearth["budget_bytes"])
        print(f"  longest time more than 2 % above the budget of {budget} MB: {over:.1f} s "
              f"(goal: 1 s or less{'' if over <= 1 else ', MISSED'})")
    if everything:
        found["peak"] = goal(kind, "memory held at peak, of everything at start",
                             hearth["peak_bytes"] / everything["peak_bytes"], 0.4)
    if at_once:
        found["total"] = goal(kind, "total wait, of unload at once",
                              hearth["wait_total_ms"] / at_once["wait_total_ms"], 0.6)
    if tuned:
        found["p95"] = goal(kind, "wait p95, of the tuned time to live",
                            hearth["wait_p95_ms"] / max(tuned["wait_p95_ms"], 0.001), 0.5)
    return found


def summary(day, results):
    """Prints the summary; returns all figures."""
    by_name = {result.name: figures_of(result) for result in results}
    print(f"\n{'':<22} {'memory held MB':>15} {'wait ms':>25}")
    print(f"{'way':<22} {'peak':>7} {'mean':>7} {'p50':>7} {'p95':>7} {'total':>9} "
          f"{'loads':>6} {'evictions':>9} {'failed':>6} {'cpu s':>6} {'wake-ups':>8}")
    for name, f in by_name.items():
        evictions = "-" if f["evictions"] is None else f["evictions"]
        print(f"{name:<22} {mega(f['peak_bytes']):>7} {mega(f['mean_bytes']):>7} "
              f"{f['wait_p50_ms']:7.0f} {f['wait_p95_ms']:7.0f} {f['wait_total_ms']:9.0f} "
              f"{f['loads']:>6} {evictions:>9} {f['failed']:>6} {f['cpu_s']:6.1f} "
              f"{f['wake_ups']:>8}")
        if f["idle_hour"]:
            cpu, wakes = f["idle_hour"]
            print(f"{'':<22} (an hour in which nothing is asked: {cpu:.1f} s of a processor, "
                  f"{wakes:.0f} wake-ups)")
        if f["ttl_s"]:
            print(f"{'':<22} (one second of this day is five minutes: "
                  f"time to live {f['ttl_s']:.2f} s)")
    found = goals(day.kind, by_name)
    print(f"\nseed {day.seed}; PSS of all processes, sampled from outside every 100 ms")
    if "model" in day.components:
        print("the component `model` has random weights: it stands for the weight of one")
    hearth, everything = by_name.get("Hearth"), by_name.get("everything at start")
    if hearth and everything:
        one, all_of_it = hearth["peak_bytes"], everything["peak_bytes"]
        print(f"memory held at peak: {100 * one / all_of_it:.1f} % of load-all "
              f"({mega(one)} of {mega(all_of_it)} MB)", flush=True)
    elif hearth:
        print(f"memory held at peak: {mega(hearth['peak_bytes'])} MB", flush=True)
    return {"seed": day.seed, "set": day.kind, "shape": day.shape(), "ways": by_name,
            "goals": found}
