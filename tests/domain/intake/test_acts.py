"""Bodies of the acts on a request, and what approval proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import TypeAdapter

from app.domain.approval import Approval, decide_approval, least_marking, propose_approval
from app.domain.codes import GateOutcome, Instrument, RequestType
from app.domain.instruments import Basis, packaged_law, usable
from app.domain.intake import TRANSITIONS, IntakeAction
from app.domain.intake_acts import (
    ACTS,
    AnyIntakeAct,
    Approve,
    DeclineCode,
    RedirectCode,
    TriageTestId,
    read_act,
)
from app.domain.triage import TRIAGE_TESTS, propose_triage
from app.domain.triage_hints import Matter
from app.errors import Refused
from tests.domain.documents.filing import ABSENT, NOW, check, emergency, preservation

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE: dict[IntakeAction, dict[str, Any]] = {
    IntakeAction.OPEN: {},
    IntakeAction.RETURN: {"codes": ["C-PORT", "C-TZ"], "text": "Add the source port."},
    IntakeAction.RESUBMIT: {"document": {"type": "PRESERVATION"}},
    IntakeAction.REDIRECT: {"code": "D-MLA", "text": "Ask the Ministry."},
    IntakeAction.DECLINE: {"code": "D-NOTCRIM", "text": "A civil matter."},
    IntakeAction.CONFIRM_DECLINE: {},
    IntakeAction.APPROVE: {},
    IntakeAction.SIGN: {},
    IntakeAction.MERGE: {"into": "XA-2026-C5H66SX", "text": "It is being preserved already."},
    IntakeAction.REVIEW: {"text": "Rightly sent: the child was in danger."},
    IntakeAction.RETARGET: {"new_requested": "XS"},
    IntakeAction.REOPEN: {"text": "The interval is too wide."},
    IntakeAction.SUPPLEMENT: {"text": "The victim found another log."},
    IntakeAction.WITHDRAW: {},
}
ETS185 = Basis(Instrument.ETS185, ("29", "30"))
G7 = Basis(Instrument.G7_24_7, (), duty=False)


def propose(document: Mapping[str, Any], bases: tuple[Basis, ...]) -> Approval:
    """The proposal for a document without warnings."""
    answers = propose_triage(Matter(document, (), requesting="XA", requested="XT"))
    return propose_approval(document, bases, answers)


def faults(raw: dict[str, Any]) -> set[tuple[str, str]]:
    """Pointers and codes of the faults of an act."""
    try:
        read_act(raw)
    except Refused as refused:
        return {(error.pointer, error.code) for error in refused.errors}
    return set()


@pytest.mark.parametrize("action", IntakeAction)
def test_act_is_read_with_and_without_generation(action: IntakeAction) -> None:
    """Each act is read from its least body, and takes a generation beside it."""
    assert read_act({"action": action.value, **WHOLE[action]}).generation is None
    assert read_act({"action": action.value, "generation": 4, **WHOLE[action]}).generation == 4


@pytest.mark.parametrize("action", IntakeAction)
def test_each_needed_member_is_needed(action: IntakeAction) -> None:
    """What a row of the machine says an act needs, its body cannot do without."""
    needed = {name for row in TRANSITIONS if row.action is action for name in row.needs}
    assert needed == set(WHOLE[action])
    for name in needed:
        rest = {other: value for other, value in WHOLE[action].items() if other != name}
        assert faults({"action": action.value, **rest}) == {(f"/{name}", "C-MISSING")}


@pytest.mark.parametrize("action", IntakeAction)
def test_unknown_members_and_wrong_generations_are_refused(action: IntakeAction) -> None:
    """An act takes no member it does not know, and no generation in quotes."""
    whole = {"action": action.value, **WHOLE[action]}
    assert faults({**whole, "surprise": 1}) == {("/surprise", "unknown_field")}
    assert faults({**whole, "generation": "4"}) == {("/generation", "wrong_type")}
    assert faults({**whole, "generation": -1}) == {("/generation", "out_of_range")}


@pytest.mark.parametrize("named", ["forward", 3, None, ["open"]])
def test_act_outside_the_list_is_refused(named: object) -> None:
    """An act there is not is refused at its name."""
    assert faults({"action": named}) == {("/action", "not_in_list")}
    with pytest.raises(Refused, match="invalid_act"):
        read_act({"action": named})


def test_broken_unicode_is_refused() -> None:
    """A text that is no Unicode never reaches the models."""
    assert faults({"action": "supplement", "text": "\ud800"}) == {("/text", "bad_characters")}


def test_codes_are_those_of_the_gate() -> None:
    """Declining, redirecting and merging share out the codes of the gate, with none left over and none in both."""
    declining, redirecting = set(get_args(DeclineCode)), set(get_args(RedirectCode))
    assert declining | redirecting | {"D-MERGED"} == set(GateOutcome)
    assert not declining & redirecting


def test_another_state_goes_with_a_wrong_state_only() -> None:
    """A copy for another state is made where the state was wrong, and not on the way to an authority at home."""
    redirect = {"action": "redirect", "text": "The host is elsewhere.", "new_requested": "XS"}
    assert faults({**redirect, "code": "D-WRONGSTATE"}) == set()
    assert faults({**redirect, "code": "D-MLA"}) == {("/new_requested", "not_applicable")}


def test_code_of_another_act_is_refused() -> None:
    """A redirect code does not decline, and a completion code does not redirect."""
    assert faults({"action": "decline", "code": "D-MLA", "text": "No."}) == {("/code", "not_in_list")}
    assert faults({"action": "redirect", "code": "C-PORT", "text": "No."}) == {("/code", "not_in_list")}
    assert faults({"action": "return", "codes": ["D-MLA"], "text": "No."}) == {("/codes/0", "not_in_list")}
    assert faults({"action": "return", "codes": [], "text": "No."}) == {("/codes", "C-MISSING")}


def test_blank_text_is_no_reason() -> None:
    """A decline without a word is refused."""
    assert faults({"action": "decline", "code": "D-RIGHTS", "text": "  "}) == {("/text", "C-MISSING")}


def test_models_and_actions_agree() -> None:
    """The union that is published, the table of models and the list of acts name the same acts."""
    schema = TypeAdapter(AnyIntakeAct).json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(IntakeAction) == set(ACTS)


def test_marking_of_an_approval_obeys_the_same_rules() -> None:
    """Approval cannot open a marking either, nor use H3 without its text."""
    marking = {"tlp": "TLP:CLEAR", "pap": "PAP:RED", "handling": ["H3"]}
    assert faults({"action": "approve", "marking": marking}) == {
        ("/marking/tlp", "C-MARKING"),
        ("/marking/handling_text", "C-MARKING"),
    }


def test_checklist_names_the_tests_of_triage() -> None:
    """The tests an approval may answer are those of the checklist; a failed one needs a word."""
    assert list(get_args(TriageTestId)) == [test.id for test in TRIAGE_TESTS]
    failed = {"test": "TRI-12", "answer": "FAILED"}
    assert faults({"action": "approve", "checklist": [failed]}) == {("/checklist/0/note", "C-MISSING")}
    assert faults({"action": "approve", "checklist": [{**failed, "note": "Both cases are joined."}]}) == set()


def test_proposal_takes_what_the_document_says() -> None:
    """Instrument, articles and marking come from the document where they can be used."""
    document = check(preservation()).document
    proposed = propose(document, (G7, ETS185))
    assert (proposed.instrument, proposed.articles) == (Instrument.ETS185, ("29", "30"))
    assert proposed.marking == preservation()["marking"]


def test_proposal_takes_the_best_where_the_document_names_none_in_force() -> None:
    """A document under the UN convention is proposed under the best instrument that is in force."""
    raw = preservation(
        ("/legal_basis/international", [{"instrument": "UNCC", "articles": ["42"]}]), ("/marking", ABSENT)
    )
    proposed = propose(check(raw).document, (ETS185, G7))
    assert proposed.instrument is Instrument.ETS185
    assert proposed.marking == {"tlp": "TLP:AMBER+STRICT", "pap": "PAP:RED", "handling": ["H1"]}


def test_proposal_without_any_basis_names_none() -> None:
    """The emergency example is approved without an instrument; signing is what refuses it."""
    bases = usable("XA", "XT", on=NOW.date(), type=RequestType.EMERGENCY_DISCLOSURE, law=packaged_law())
    proposed = propose(check(emergency()).document, bases)
    assert (bases, proposed.instrument, proposed.articles) == ((), None, ())


def test_officer_decides_over_the_proposal() -> None:
    """Instrument, marking and single answers of the officer replace the proposed ones; the rest stays."""
    proposed = propose(check(preservation()).document, (ETS185, G7))
    marking = {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H2"]}
    checklist = [{"test": "TRI-01", "answer": "PASSED"}]
    act = read_act({"action": "approve", "instrument": "G7_24_7", "marking": marking, "checklist": checklist})
    assert isinstance(act, Approve)
    decided = decide_approval(act, proposed, bases=(ETS185, G7)).as_json()
    assert (decided["instrument"], decided["articles"], decided["marking"]) == ("G7_24_7", [], marking)
    answers = {entry["test"]: entry["answer"] for entry in decided["checklist"]}
    assert (answers["TRI-01"], answers["TRI-02"], len(answers)) == ("PASSED", "OPEN", len(TRIAGE_TESTS))


def test_silent_approval_is_the_proposal() -> None:
    """`approve` alone takes everything as proposed."""
    proposed = propose(check(preservation()).document, (ETS185,))
    assert decide_approval(Approve(action="approve"), proposed, bases=(ETS185,)) == proposed


def test_sensitive_data_cannot_be_approved_more_openly() -> None:
    """CETS 224 art. 14(4): the desk may mark it more strictly than need-to-know, not more openly; else as it likes."""
    opener = Approve.model_validate(
        {"action": "approve", "marking": {"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H1"]}}
    )
    flagged = {"contains_sensitive": True}
    proposed = propose_approval(flagged, (ETS185,), (), files=least_marking(flagged))
    assert proposed.marking["tlp"] == "TLP:AMBER+STRICT"
    assert decide_approval(opener, proposed, bases=(), files=least_marking({})).marking["tlp"] == "TLP:AMBER"
    with pytest.raises(Refused) as refused:
        decide_approval(opener, proposed, bases=(), files=least_marking(flagged))
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/marking/tlp", "C-MARKING")]


def test_instrument_out_of_force_cannot_be_chosen() -> None:
    """Choosing an instrument that is not usable is N-NOBASIS at once."""
    proposed = propose(check(preservation()).document, (ETS185,))
    act = Approve(action="approve", instrument=Instrument.CETS224)
    with pytest.raises(Refused) as refused:
        decide_approval(act, proposed, bases=(ETS185,))
    assert refused.value.code == "N-NOBASIS"
