"""What clones of several engines give away of real entities, side by side.

    python -m bench.attacks URL [--name NAME] [--engines relational,dp] [--tables account]

Each engine is fitted on half of the entities of a table, with all that belongs to them, and its
clone is attacked beside both halves (`dbsynth.attacks`).  Figures are added to
docs/benchmarks/attacks.json, and the page beside it is written anew, so engines can be run one at a
time.  An engine that needs an extra, or refuses the schema, is said to be left out, and why.

`dp N` is the engine `dp` with epsilon N: the table of entities is its unit and owns all that hangs
under it, lists are public (and --public), other tables are invented.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.machine import revision, surroundings
from dbsynth.attacks import Attacked, attacked, masked
from dbsynth.databases import open_database
from dbsynth.errors import DbsynthError
from dbsynth.memorise import below, entity_tables, worlds
from dbsynth.outline import Outline, make_outline
from dbsynth.progress import Silent
from dbsynth.randomness import Streams
from dbsynth.spec import PRIVATE, Spec
from dbsynth.spec.protection import Protection

PAGES = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
MASKING = "plain masking"
REAL = "real rows never shown"
BUDGETS, DELTA = (1, 3, 10), 1e-5
ORDER = (REAL, "relational", "independent", "hma", "gaussian_copula", "ctgan", "tvae",
         *(f"dp {budget}" for budget in BUDGETS), MASKING)  # fmt: skip

INTRODUCTION = """\
# Attacks

Written by `make bench-attacks`; the figures are in `attacks.json` beside this page.

A model is fitted on half of the entities, with all rows that belong to them, and its clone is held
against both halves (`docs/decisions/0032-*.md`). *Shown* are the entities of that half, *others*
those of the half that was kept aside; only what succeeds better on the shown ones is a leak.

- **AUC**: an entity with its whole family is scored by how much denser the clone is around it than
  other real entities are. The probability that a shown one scores above one of the others; .5 by
  guessing.
- **at 1 %, at 10 %**: shown entities that are found when so many of the others are mistaken for
  shown ones, with 95 % intervals (Clopper-Pearson, for the threshold too). A guesser finds 1 % and
  10 %.
- **exposed**: at 10 %, among the hundred of each half that are farthest from all others.
- **secret**: the column whose values are guessed from all else with the clearest lead of the shown
  over the others.
- **link**: own row and family found to belong together, shown and others.
- **whole, nearly**: entities of the clone that are, with all their rows, those of shown ones; in
  brackets the share of real entities never shown that are.
- *real rows never shown* in place of a clone are the floor, *plain masking* (the shown rows under
  other names) the ceiling: what an attacker can find at most, and the proof that he can.
- *dp* is differential privacy at that epsilon, and delta 1e-5, of an entity and its rows: lists
  are public, other tables invented. No ledger is charged by an attack. It reads real rows, so its
  figures are outside of the budget, and as confidential as the rows; those of this page are public.
"""


def specs(
    name: str, url: str, base: Spec, tables: Sequence[str], public: Sequence[str]
) -> Iterator[tuple[Spec, tuple[str, ...]]]:
    """The specs behind a line, and the tables of entities that each is for; empty for all."""
    engine, _, epsilon = name.partition(" ")
    if engine != PRIVATE:
        yield replace(base, engine=engine), tuple(tables)
        return
    with open_database(url) as database:
        outline = make_outline(database, base, Streams(base.seed), Silent())
    rows = {n: f.rows if f.strategy == "synthesize" else 0 for n, f in outline.tables.items()}
    for entity in entity_tables(outline.plan, rows):
        if not tables or entity in tables:
            said = protection(outline, entity, float(epsilon), public)
            yield replace(base, engine=engine, privacy=said), (entity,)


def protection(outline: Outline, entity: str, epsilon: float, public: Sequence[str]) -> Protection:
    """An entity owns what hangs under it; lists are public, what is left is invented."""
    owned = below(outline.plan, entity)
    copied = [name for name, facts in outline.tables.items() if facts.strategy == "copy"]
    known = tuple(dict.fromkeys(name for name in (*public, *copied) if name not in owned))
    return Protection(
        entity, epsilon, DELTA, public=known,
        invented={
            name: max(facts.rows, 1) for name, facts in outline.tables.items()
            if name not in owned and name not in known
        },
        owner={name: outline.plan.generating[name].columns for name in owned[1:]},
    )  # fmt: skip


def figures(found: Attacked) -> dict[str, Any]:
    """The line of a clone."""
    clone = found.membership[0]
    worst = max(found.inference, key=lambda i: i.lead[1], default=None)
    link = found.linkage
    return {
        **_membership(clone),
        "secret": worst
        and {
            "column": f"{worst.table}.{worst.column}",
            "shown": worst.attack.value,
            "others": worst.control.value,
        },
        "link": link and {"shown": link.attack.value, "others": link.control.value},
        "whole": found.entities.exact,
        "natural": found.entities.natural,
        "nearly": found.entities.near,
        "findings": [f"{f.check}: {f.detail}" for f in found.findings if f.detail],
    }


def _membership(clone: Any) -> dict[str, Any]:
    shares = {"at_1": clone.at_1, "at_10": clone.at_10, "exposed": clone.exposed_at_10}
    return {
        "auc": clone.auc,
        "auc_error": clone.auc_error,
        **{n: s and [s.value, s.low, s.high] for n, s in shares.items()},
    }


def run(url: str, name: str, spec: Spec, tables: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """By table of entities, the lines that one engine gives: its own, the floor, the ceiling."""
    found: dict[str, dict[str, Any]] = {}
    start = time.perf_counter()
    for world in worlds(url, spec, only=tables):
        streams = Streams(spec.seed)
        mine = attacked(world, streams)
        lines = {name: figures(mine)}
        if name == "relational":
            lines[REAL] = _membership(mine.membership[1])
            lines[MASKING] = figures(attacked(masked(world), streams))
        lines[name]["seconds"] = time.perf_counter() - start
        lines = {who: {**line, "revision": revision()} for who, line in lines.items()}
        size = {"entities": mine.entities.entities, "tables": list(mine.tables)}
        found[world.entity] = {"size": size, "lines": lines}
        start = time.perf_counter()
    return found


def page(kept: Mapping[str, Any]) -> str:
    """The page of the figures."""
    lines = [INTRODUCTION]
    for name, entry in kept.items():
        lines += [f"## {name}", "", f"{entry['surroundings']['machine']}.", ""]
        for entity, found in entry["entities"].items():
            size = found["size"]["entities"]
            below = ", ".join(found["size"]["tables"][1:]) or "nothing"
            lines += [
                f"### {entity}, with {below}: {size:,} entities", "",
                "| clone by | AUC | at 1 % | at 10 % | exposed | secret, shown / others"
                " | link, shown / others | whole | nearly | revision |",
                "|---|--:|--:|--:|--:|---|--:|--:|--:|---|",
            ]  # fmt: skip
            known = found["lines"]
            lines += [_line(who, known[who]) for who in ORDER if who in known]
            lines.append("")
        lines += [f"{note}\n" for note in entry.get("notes", ())]
        lines += _missing(entry["missing"])
    return "\n".join(lines).rstrip() + "\n"


def _missing(missing: Mapping[str, str]) -> Iterator[str]:
    """One line for all that was not run."""
    together: dict[str, list[str]] = {}
    for who, why in missing.items():
        together.setdefault(why, []).append(who)
    if together:
        said = [f"{', '.join(who)}: {why}" for why, who in together.items()]
        yield f"Not run: {'; '.join(said)}."
        yield ""


def _line(who: str, found: Mapping[str, Any]) -> str:
    cells = [who, f"{found['auc']:.3f}", *(_share(found[n]) for n in ("at_1", "at_10", "exposed"))]
    secret, link = found.get("secret"), found.get("link")
    cells.append(f"{secret['column']} {_pair(secret)}" if secret else "")
    cells.append(_pair(link) if link else "")
    if "whole" in found:
        cells += [f"{found['whole']:.2%} ({found['natural']:.2%})", f"{found['nearly']:.2%}"]
    return "| " + " | ".join([*[*cells, "", ""][:9], found["revision"]]) + " |"


def _share(share: list[float] | None) -> str:
    return "too few" if share is None else "{:.1%} ({:.1%}-{:.1%})".format(*share)


def _pair(found: Mapping[str, Any]) -> str:
    return f"{found['shown']:.1%} / {found['others']:.1%}"


def main() -> None:
    """Run some engines, add their figures, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("--name", default="source")
    parser.add_argument("--engines", default=",".join(w for w in ORDER if w not in (REAL, MASKING)))
    parser.add_argument("--tables", default="")
    parser.add_argument("--public", default="", help="tables that are public to the engine dp")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=PAGES / "attacks.json")
    said = parser.parse_args()
    tables = tuple(name for name in said.tables.split(",") if name)
    public = [name for name in said.public.split(",") if name]
    for name in said.engines.split(","):
        found: dict[str, dict[str, Any]] = {}
        missing: dict[str, str] = {}
        for spec, wanted in specs(name, said.source, Spec(seed=said.seed), tables, public):
            who = f"{name} of {wanted[0]}" if spec.privacy else name
            try:
                found |= run(said.source, name, spec, wanted)
                missing[who] = ""
            except DbsynthError as error:
                missing[who] = error.message
        print(f"{name}: {', '.join(found)} {' '.join(missing.values())}", flush=True)
        _keep(said.json, said.name, found, missing)


def _keep(
    path: Path, name: str, found: Mapping[str, dict[str, Any]], missing: Mapping[str, str]
) -> None:
    """Add what was found, and write the page; no reason for what is not missing any more."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    entry = kept.setdefault(name, {"entities": {}, "missing": {}})
    entry["surroundings"] = surroundings()
    entry["missing"] = {who: why for who, why in (entry["missing"] | missing).items() if why}
    for entity, part in found.items():
        known = entry["entities"].setdefault(entity, {"size": part["size"], "lines": {}})
        known["lines"] |= part["lines"]
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
