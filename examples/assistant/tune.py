"""What a time to live would do with a day that has been measured: used to choose the one whose
peak equals a given peak, before it is measured itself."""

import components as config


def simulate(day, measured, ttl):
    """(peak bytes, [waits]) of the reactive manager with that time to live.

    `measured` has load seconds and sizes by component, and seconds of service by command.
    Loads of one command are taken as side by side, its needs before it.
    """
    foes = config.conflicts(day.components)
    resident, sizes = {}, measured["sizes"]  # name: when its use ended
    now, peak, waits = 0.0, 0, []
    for command, service in zip(day.commands, measured["service"]):
        now += command.pause
        wanted = config.with_needs(day.components, command.asked)
        resident = {name: used for name, used in resident.items() if now - used <= ttl}
        enemies = set().union(*(foes[name] for name in wanted)) if wanted else set()
        resident = {name: used for name, used in resident.items() if name not in enemies}

        def ready(name):
            own = 0.0 if name in resident else measured["loads"][name]
            return own + max(map(ready, day.components[name].get("needs", [])), default=0.0)
        wait = max(map(ready, wanted), default=0.0)
        peak = max(peak, sum(sizes[name] for name in set(resident) | wanted))
        now += wait + service
        resident = {name: used for name, used in resident.items()
                    if name in wanted or now - used <= ttl}
        resident.update(dict.fromkeys(wanted, now))
        waits.append(wait)
    return peak, waits


def choose(day, measured, peak):
    """The longest time to live whose peak is at most that one (0 where none is)."""
    best = 0.0
    for step in range(1, 2001):
        ttl = step * 0.02
        if simulate(day, measured, ttl)[0] > peak:
            break
        best = ttl
    return best
