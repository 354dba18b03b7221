"""Scenario 17: a language that is not read there needs a translation before signing; in an emergency a machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import Journey, expect, filed, taken
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

DESK = (("duty_officer", "open"), ("duty_officer", "approve"))
FACTS = (
    "Em 21 de novembro de 2026 uma pessoa desconhecida entrou no acesso remoto de um hospital com credenciais furtadas "
    "e copiou 40 GB de registos."
)
ENGLISH = "On 21 November 2026 an unknown person entered the remote access of a hospital and copied 40 GB of records."
BY_A_PERSON = {"language": "en", "text": ENGLISH, "machine_translation": False}
BY_A_MACHINE = BY_A_PERSON | {"machine_translation": True}
EMERGENCY = document(RequestType.EMERGENCY_DISCLOSURE)["emergency"]


def portuguese(world: World, tier: str, *translations: dict[str, Any]) -> dict[str, Any]:
    """A preservation written in Portuguese, which Kitano does not read."""
    members = {
        "language": "pt",
        "facts_summary": FACTS,
        "translations": list(translations),
        "urgency": {"tier": tier, "reasons": "Os registos são apagados ao fim de 72 horas."},
        "emergency": EMERGENCY if tier == "EMERGENCY" else None,
    }
    return document(RequestType.PRESERVATION, **{**fresh(world), **members})


async def drafted(world: World, made: dict[str, Any]) -> str:
    """The path of a request that waits for its signature; filing has warned of the language and stopped nothing."""
    shown = await filed(world, made)
    await taken(world, shown["id"], *DESK)
    return f"/v1/requests/{shown['id']}"


async def refused(world: World, path: str) -> tuple[str, str]:
    """Where signing points to, and what it says; the request stays a draft at home."""
    problem = assert_problem(await world["XA"].as_("supervisor").act(path, "sign"), 422, "C-LANG")
    (error,) = problem["errors"]
    assert error["code"] == "C-LANG"
    assert expect(await world["XA"].as_("supervisor").get(path), 200)["state"] == "DRAFTED"
    return error["pointer"], error["detail"]


async def signed(world: World, path: str) -> Journey:
    """Signed, and delivered to Kitano."""
    done = expect(await world["XA"].as_("supervisor").act(path, "sign"), 200)
    journey = Journey(world, done["id"], done["exchange_id"], "XT")
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: answer.status_code == 200)
    return journey


async def test_routine_waits_for_a_translation(scenario_world: World) -> None:
    """Filing warns, signing stops and says what to do; with a person's translation the same request leaves."""
    path = await drafted(scenario_world, portuguese(scenario_world, "ROUTINE"))
    desk, agency = (scenario_world["XA"].as_(seat) for seat in ("duty_officer", "agency_officer"))
    shown = expect(await desk.get(path), 200)
    assert "language_not_read" in {warning["code"] for warning in shown["warnings"]}
    pointer, said = await refused(scenario_world, path)
    assert pointer == "/document/translations"
    assert "en, ja" in said

    expect(await desk.act(path, "reopen", text="It needs a translation."), 200)
    expect(await desk.act(path, "return", codes=["C-LANG"], text="Add an English translation."), 200)
    completed = portuguese(scenario_world, "ROUTINE", BY_A_PERSON)
    resubmitted = expect(await agency.act(path, "resubmit", document=completed), 200)
    assert "language_not_read" not in {warning["code"] for warning in resubmitted["warnings"]}
    expect(await desk.act(path, "approve"), 200)
    journey = await signed(scenario_world, path)
    there = await journey.settled()
    assert (there["document"]["language"], there["document"]["facts_summary"]) == ("pt", FACTS)
    assert there["document"]["translations"] == [BY_A_PERSON]


async def test_machine_will_not_do_without_haste(scenario_world: World) -> None:
    """URGENT: a translation that nobody has checked is pointed at; one that was announced and is not there, as well."""
    path = await drafted(scenario_world, portuguese(scenario_world, "URGENT", BY_A_MACHINE))
    assert (await refused(scenario_world, path))[0] == "/document/translations/0/machine_translation"
    announced = {"language": "en", "file_name": "translation.pdf", "machine_translation": False}
    path = await drafted(scenario_world, portuguese(scenario_world, "URGENT", announced))
    assert (await refused(scenario_world, path))[0] == "/document/translations/0/file_name"


async def test_emergency_leaves_with_a_machine_translation(scenario_world: World) -> None:
    """EMERGENCY: the original and a machine's translation travel together, and the other side may ask once."""
    bare = await drafted(scenario_world, portuguese(scenario_world, "EMERGENCY"))
    assert "a machine's will do" in (await refused(scenario_world, bare))[1]
    path = await drafted(scenario_world, portuguese(scenario_world, "EMERGENCY", BY_A_MACHINE))
    journey = await signed(scenario_world, path)
    there = await journey.settled()
    assert there["document"]["facts_summary"] == FACTS
    assert there["document"]["translations"][0]["machine_translation"] is True
    await journey.do("acknowledge")
    await journey.do("ask", codes=["C-LANG"], text="Does `registos` mean patient files?")
    question = (await journey.settled())["details"]["question"]["id"]
    answered = await journey.wish("supplement", text="Yes, patient files.", question_id=question)
    assert answered["state"] == "ACKNOWLEDGED"
    again = await journey.theirs().act(journey.exchange, "ask", codes=["C-LANG"], text="And `acesso remoto`?")
    assert assert_problem(again, 409, "action_not_allowed")["reason"] == "one_question_in_emergency"
