"""Closed lists that only the exchange and its holds need; `app.domain.codes` holds those that the whole node needs."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The two contact points of an exchange: the one that opened it and the one it was addressed to."""

    REQUESTING = "requesting"
    REQUESTED = "requested"


class By(StrEnum):
    """Who may make a move (domain.md 6.1): A asks, B is asked; a supervisor may do what a duty officer may."""

    DO_A = "DO_A"
    SUP_A = "SUP_A"
    DO_B = "DO_B"
    SUP_B = "SUP_B"
    SYS = "SYS"


class Flag(StrEnum):
    """Marks that both sides see and that change no state (domain.md 6.3; rulings 14, 15)."""

    CONFIRMATION_OUTSTANDING = "CONFIRMATION_OUTSTANDING"
    TRANSLATION_PENDING = "TRANSLATION_PENDING"
    ORAL_FIRST = "ORAL_FIRST"
    POST_FORMALITIES_DUE = "POST_FORMALITIES_DUE"
    UNDER_INCIDENT = "UNDER_INCIDENT"
    LATE = "late"
    NOTED = "noted"


class LocalFlag(StrEnum):
    """Marks that each node works out for itself and never sends."""

    OVERDUE = "OVERDUE"
    UNDELIVERABLE = "UNDELIVERABLE"
    WITHDRAWAL_WAITING = "WITHDRAWAL_WAITING"


class HoldFlag(StrEnum):
    """Marks of a hold: its end is near, more time or its release was asked for, its end has passed without news."""

    EXPIRING = "EXPIRING"
    EXTENSION_ASKED = "EXTENSION_ASKED"
    RELEASING = "releasing"
    ENDED_NOT_CONFIRMED = "ended_not_confirmed"


class QuestionKind(StrEnum):
    """What the requesting side has to answer: something is missing, or a risk is to be taken or not."""

    ASK = "ask"
    RISK = "risk"


class ConditionKind(StrEnum):
    """What a condition under art. 28(2) or 26(2) demands."""

    CONFIDENTIAL = "CONFIDENTIAL"
    NO_OTHER_USE = "NO_OTHER_USE"
    COURT_CONSENT = "COURT_CONSENT"
    OTHER = "OTHER"


class ThreatKind(StrEnum):
    """What threatens a person; loss of property or of evidence is no emergency."""

    LIFE = "LIFE"
    BODILY_HARM = "BODILY_HARM"
    ABDUCTION = "ABDUCTION"
    CHILD_AT_RISK = "CHILD_AT_RISK"
    TERROR_ATTACK = "TERROR_ATTACK"
    SELF_HARM = "SELF_HARM"
    OTHER_LIFE_SAFETY = "OTHER_LIFE_SAFETY"


class SourceEvaluation(StrEnum):
    """Four by four, the source: from no doubt (A) to not assessable (X)."""

    A = "A"
    B = "B"
    C = "C"
    X = "X"


class InformationEvaluation(StrEnum):
    """Four by four, the information: from not in doubt (1) to neither known nor corroborated (4)."""

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"


class Decision(StrEnum):
    """What the giver of information says to an onward transfer, or to another use, of it (CETS 224 art. 14(10))."""

    GRANTED = "GRANTED"
    DENIED = "DENIED"


class LiftReason(StrEnum):
    """Why an order to preserve ended before its term; the class alone is told abroad."""

    COURT = "COURT"
    AUTHORITY = "AUTHORITY"
    LAW = "LAW"
    OTHER = "OTHER"
