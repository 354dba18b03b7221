"""The law files are read whole or not at all: each fault with its file, its line and its reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.domain.law import packaged_law, packaged_texts, read_law
from app.errors import SettingsUnusable

FOLDER = Path(__file__).parents[3] / "app" / "data" / "law"

FIRST_PARTY = "  - {instrument: ETS185, state: XA, since: 2012-07-01}"
NEW = "      - {ground: R-LAW, provision: 25(4)}"
PRESERVATION = "      - {ground: R-ESS, provision: 29(5)(b)}"
DUAL = "      - {ground: R-DC, provision: 29(4), needs: [reservation, outside_convention_offences]}"

FAULTS = {
    # file, what is replaced (the first time it occurs), by what, text of the line that is named, part of the reason
    "a file that is no YAML": ("parties", FIRST_PARTY, "  - {instrument: [", "XT, since: 2013-02-01", "not YAML"),
    "a control character": ("law", "note: >-", "note: \x07", "", "not YAML"),
    "a member written twice": ("law", "dated:", 'version: "2"\ndated:', 'version: "2"', "version is written twice"),
    "an anchor": ("parties", "states:\n", "states: &all\n", "states: &all", "anchors"),
    "a tag": ("law", 'version: "1"', 'version: !!int "1"', "version: !!int", "tags"),
    "a key that is no name": ("parties", FIRST_PARTY, "  - {[XA]: XT}", "{[XA]: XT}", "a name is expected"),
    "a file of another shape": (
        "statements", "statements:", "reservations:", "reservations:", "no member reservations",
    ),
    "a version that is no word": ("law", 'version: "1"', 'version: "one two"', "version:", "version"),
    "a day that is none": ("parties", "since: 2012-07-01", "since: 2012-13-01", FIRST_PARTY[:40], "since"),
    "a missing day": ("parties", ", since: 2012-07-01", "", "ETS185, state: XA}", "since is missing"),
    "an end before the beginning": (
        "parties", "since: 2012-07-01}", "since: 2012-07-01, until: 2012-06-30}", "until: 2012-06-30",
        "until lies before",
    ),
    "a state by its name": ("parties", FIRST_PARTY, FIRST_PARTY.replace("XA", "Aurelia"), "Aurelia, since", "state"),
    "a state that nobody knows": (
        "parties", FIRST_PARTY, FIRST_PARTY.replace("XA", "XB"), "state: XB", "XB is not among the states",
    ),
    "a state listed twice": (
        "parties", "{state: XT, name: Kitano}", "{state: XA, name: Kitano}", "name: Kitano", "XA is listed twice",
    ),
    "an instrument that nobody knows": (
        "parties", FIRST_PARTY, FIRST_PARTY.replace("ETS185", "ETS186"), "ETS186", "instrument: input should be",
    ),
    "periods that overlap": (
        "parties", FIRST_PARTY, f"{FIRST_PARTY}\n{FIRST_PARTY.replace('2012', '2019')}", "2019-07-01", "overlaps",
    ),
    "a party before the instrument is in force": (
        "parties", "XA, since: 2026-02-01", "XA, since: 2026-01-31", "2026-01-31", "in force since 2026-02-01 only",
    ),
    "a party to a protocol and not to its convention": (
        "parties", "state: XS, since: 2019-01-01", "state: XS, since: 2025-03-02", "CETS224, state: XS", "protocol",
    ),
    "a party to a treaty": (
        "parties", FIRST_PARTY, "  - {instrument: BILATERAL, state: XA, since: 2012-07-01}", "BILATERAL", "treaties",
    ),
    "a pair of one": ("parties", "states: [XA, XS]", "states: [XA, XA]", "[XA, XA]", "at least 2"),
    "a pair for an instrument that needs none": (
        "parties", "{instrument: CETS224, states", "{instrument: ETS185, states", "ETS185, states", "needs no pair",
    ),
    "a pair with a state that is no party": (
        "parties", "states: [XA, XS], since: 2025", "states: [XA, XT], since: 2025", "[XA, XT]",
        "XT is not bound by CETS224",
    ),
    "a pair before the instrument is in force": (
        "parties", "states: [XA, XS], since: 2026-03-01", "states: [XA, XS], since: 2025-03-01", "2025-03-01}", "only",
    ),
    "a pair for an instrument that is not in force": (
        "instruments", "    in_force_since: 2026-02-01\n", "", "UNCC, states", "no in_force_since",
    ),
    "a bilateral treaty of one region": (
        "parties", "    states: [XT, XS]", "    states: [XT, XS, XA]", "states: [XT, XS, XA]", "two states",
    ),
    "a treaty that carries what such treaties do not": (
        "parties", "types: [EVIDENCE", "types: [PING, EVIDENCE", "types: [PING", "does not carry PING",
    ),
    "a ground listed twice in a treaty": (
        "parties", "{ground: R-ESS, provision: 3(1)(b)}", "{ground: R-POL, provision: 3(1)(b)}", "grounds:", "twice",
    ),
    "a treaty of a kind that is none": (
        "parties", "instrument: BILATERAL", "instrument: UNCC", "id: XT-XS", "kind of treaty",
    ),
    "a statement to an unknown article": (
        "statements", "id: ETS185:29(4)\n    state: XT\n    instrument: ETS185\n    article: 29(4)",
        "id: ETS185:30(4)\n    state: XT\n    instrument: ETS185\n    article: 30(4)",
        "article: 30(4)", "admits no statement to 30(4)",
    ),
    "a statement with another name": (
        "statements", "id: ETS185:29(4)", "id: ETS185:29", "id: ETS185:29", "id must be ETS185:29(4)",
    ),
    "a statement of a state that is no party": (
        "statements", "id: CETS224:9(5)\n    state: XA", "id: CETS224:9(5)\n    state: XT", "CETS224:9(5)", "not bound",
    ),
    "a statement before the state was bound": (
        "statements", "since: 2013-02-01", "since: 2013-01-31", "ETS185:29(4)", "XT is not bound by ETS185 then",
    ),
    "an instrument listed twice": (
        "instruments", "- instrument: CETS224", "- instrument: ETS185", "- instrument: ETS185", "twice",
    ),
    "a measure listed twice": (
        "instruments", "type: LEGAL_INFORMATION", "type: TECHNICAL_ADVICE", "type: TECHNICAL_ADVICE", "is listed twice",
    ),
    "treaties that are none": (
        "instruments", "applies_to: treaties", "applies_to: parties", "applies_to: parties",
        "treaties is for BILATERAL",
    ),
    "a column for what the instrument does not carry": (
        "refusals", "types: [TRAFFIC_PATH_DISCLOSURE]", "types: [TRAFFIC_PATH_DISCLOSURE, PING]", "PING",
        "not carry PING",
    ),
    "a column twice": (
        "refusals", "types: [SPONTANEOUS_INFORMATION]", "types: [PRESERVATION, SPONTANEOUS_INFORMATION]",
        "[PRESERVATION, SPON", "has a column already",
    ),
    "a measure without a column": (
        "refusals", "types: [PRESERVATION, PRESERVATION_EXTENSION]", "types: [PRESERVATION]",
        "type: PRESERVATION_EXTENSION",
        "no column",
    ),
    "a fourth ground for a preservation": ("refusals", PRESERVATION, f"{PRESERVATION}\n{NEW}", NEW, "no ground R-LAW"),
    "dual criminality without a reservation": (
        "refusals", DUAL, DUAL.replace("reservation, ", ""), "R-DC, provision: 29(4)", "needs reservation",
    ),
    "dual criminality for offences of the convention": (
        "refusals", DUAL, DUAL.replace(", outside_convention_offences", ""), "29(4)", "needs outside_convention",
    ),
    "a fiscal ground for offences of the convention": (
        "refusals", "25(4), needs: [outside_convention_offences]}", "25(4)}", "R-FISCAL", "needs outside_convention",
    ),
    "a ground for information that is offered": (
        "refusals", "    grounds: []", "    grounds: [{ground: R-POL, provision: 26}]", "provision: 26",
        "grounds are none",
    ),
    "best efforts under a treaty": (
        "refusals", "{ground: R-LAW, provision: 25(4)}",
        "{ground: R-BESTEFFORT, provision: 25(4), needs: [only_best_efforts]}", "R-BESTEFFORT", "without a duty",
    ),
    "a ground listed twice": (
        "refusals", "{ground: R-ESS, provision: 30(2)(b)}", "{ground: R-POL, provision: 30(2)(b)}", "30(2)(b)", "twice",
    ),
    "a preservation that is postponed": (
        "refusals", "    types: [PRESERVATION, PRESERVATION_EXTENSION]",
        "    types: [PRESERVATION, PRESERVATION_EXTENSION]\n    postponement: 27(5)",
        "postponement: 27(5)", "only these are postponed",
    ),
    "a traffic path that is postponed": (
        "refusals", "    types: [TRAFFIC_PATH_DISCLOSURE]",
        "    types: [TRAFFIC_PATH_DISCLOSURE]\n    postponement: 27(5)",
        "postponement: 27(5)", "only these are postponed",
    ),
    "a notice on preservation for something else": (
        "refusals", "{notice: W-CONF, provision: 27(8)}", "{notice: W-PREJ, provision: 27(8)}",
        "W-PREJ, provision: 27(8)",
        "for preservation alone",
    ),
    "a preservation that gives way to a treaty": (
        "refusals", "    types: [PRESERVATION, PRESERVATION_EXTENSION]",
        "    types: [PRESERVATION, PRESERVATION_EXTENSION]\n    gives_way: true", "gives_way: true",
        "give way to no treaty",
    ),
    "another instrument that gives way": (
        "refusals", "    types: [EMERGENCY_MLA_NOTICE]", "    types: [EMERGENCY_MLA_NOTICE]\n    gives_way: true",
        "gives_way: true", "only arts. 27 and 28",
    ),
    "a country twice": ("countries", "- state: XT", "- state: XA", "- state: XA", "XA is listed twice"),
    "a target twice": ("redirects", "kind: INTERPOL_NCB", "kind: MLA_AUTHORITY", "- state: XA", "twice"),
    "an outcome that is none": ("redirects", "codes: [D-MLA]", "codes: [D-FAX]", "codes: [D-FAX]", "codes"),
    "a state by letters that no state has": (
        "parties", "{state: XS, name: Sahran}", "{state: UK, name: Sahran}", "state: UK", "the United Kingdom is GB",
    ),
    "a kind of data without a width": (
        "intervals", "  - {category: PAYMENT, days: 180}\n", "", "intervals:", "PAYMENT is missing",
    ),
    "a kind of data with two widths": (
        "intervals", "category: OTHER", "category: PAYMENT", "category: PAYMENT", "PAYMENT is listed twice",
    ),
    "a width of no days": ("intervals", "TRAFFIC, days: 90", "TRAFFIC, days: 0", "days: 0", "greater than or equal"),
    "a shared address for longer than a week": (
        "intervals", "shared_address_hours: 24", "shared_address_hours: 169", "hours: 169", "less than or equal",
    ),
    "a telephone that is none": ("countries", '"+99900555030"', "call us", "phone: call us", "phone"),
}  # fmt: skip


ELSEWHERE = {
    "a pair for an instrument that is not in force": "parties",
    "a measure without a column": "instruments",
}
"""Faults between two files: the one that is named is not the one that was changed."""


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_is_told_with_file_line_and_reason(sentence: str) -> None:
    """One sentence that an operator can act on; the same three as members. The line is the one with the fault."""
    name, old, new, marked, reason = FAULTS[sentence]
    texts = packaged_texts()
    assert old in texts[f"{name}.yaml"], "the case no longer fits the packaged law"
    texts[f"{name}.yaml"] = texts[f"{name}.yaml"].replace(old, new, 1)
    with pytest.raises(SettingsUnusable) as caught:
        read_law(texts)
    file, line, told = (caught.value.extra[member] for member in ("file", "line", "reason"))
    assert caught.value.code == "law_unusable"
    assert file == f"{ELSEWHERE.get(sentence, name)}.yaml"
    assert marked in texts[file].splitlines()[line - 1]
    assert reason in told
    assert caught.value.detail == f"{file}, line {line}: {told}."


def test_the_files_without_a_fault_are_read() -> None:
    """The negative control: the same files without the fault are read."""
    assert read_law(packaged_texts()).digest == packaged_law().digest


def test_a_missing_file_and_one_too_many_are_told() -> None:
    """All the files and no others: a law half put in place is no law."""
    texts = packaged_texts()
    missing = {name: text for name, text in texts.items() if name != "refusals.yaml"}
    for wrong, named, reason in (
        (missing, "refusals.yaml", "this file is missing"),
        (texts | {"refusal.yaml": ""}, "refusal.yaml", "there is no such law file"),
    ):
        with pytest.raises(SettingsUnusable) as caught:
            read_law(wrong)
        assert (caught.value.extra["file"], caught.value.extra["line"]) == (named, 1)
        assert reason in caught.value.detail


def test_scalars_are_the_texts_that_were_written() -> None:
    """NO is a state and not a denial; 29 is an article and not a number."""
    texts = packaged_texts()
    texts["parties.yaml"] = texts["parties.yaml"].replace(
        "{state: XA, name: Aurelia}", "{state: XA, name: Aurelia}\n  - {state: NO, name: on}"
    )
    assert [(row.state, row.name) for row in read_law(texts).states][1] == ("NO", "on")
    measures = packaged_law().instruments[0].measures
    assert measures[0].articles[0].article == "29"


def test_the_digest_is_what_the_shell_prints() -> None:
    """An operator compares it without this program."""
    command = "LC_ALL=C sha256sum *.yaml | sha256sum"
    printed = subprocess.run(["/bin/sh", "-c", command], cwd=FOLDER, capture_output=True, text=True, check=True)
    assert packaged_law().digest == printed.stdout.split()[0]


def test_a_changed_byte_is_another_digest() -> None:
    """A comment, too: the digest names the files and not their meaning."""
    texts = packaged_texts()
    texts["law.yaml"] += "# seen by counsel\n"
    assert read_law(texts).digest != packaged_law().digest
