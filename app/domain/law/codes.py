"""Closed lists of the law files: what a row can say beside the codes that everything else uses."""

from __future__ import annotations

from enum import StrEnum


class AppliesTo(StrEnum):
    """Whom an instrument reaches: any two of its parties, or only pairs switched on or with a treaty of their own."""

    PARTIES = "parties"
    PAIRS = "pairs"
    TREATIES = "treaties"


class StatementKind(StrEnum):
    """What a state has deposited with an instrument."""

    RESERVATION = "reservation"
    DECLARATION = "declaration"


class Effect(StrEnum):
    """What a statement does here; one without an effect is kept and shown."""

    DUAL_CRIMINALITY = "dual_criminality"
    EXCLUDES = "excludes"
    FORMALITIES_AFTER_EXECUTION = "formalities_after_execution"
    URGENT_TO_CENTRAL_AUTHORITY = "urgent_to_central_authority"
    THROUGH_CONTACT_POINT = "through_contact_point"


class Need(StrEnum):
    """What must be so before a ground is open, beside reasons and two persons, which every refusal needs."""

    RESERVATION = "reservation"
    DECLARATION = "declaration"
    OUTSIDE_CONVENTION_OFFENCES = "outside_convention_offences"
    ONLY_BEST_EFFORTS = "only_best_efforts"


class TargetKind(StrEnum):
    """Where an agency is sent that this network does not serve."""

    MLA_AUTHORITY = "MLA_AUTHORITY"
    INTERPOL_NCB = "INTERPOL_NCB"
    POLICE = "POLICE"
    CERT = "CERT"
    FIU = "FIU"
    DOMAIN_REGISTRY = "DOMAIN_REGISTRY"
    PROVIDER_PORTAL = "PROVIDER_PORTAL"


class ConstraintCode(StrEnum):
    """What goes with a legal basis and binds whoever uses it."""

    BEST_EFFORTS = "best_efforts"
    RESERVATION = "reservation"
    DECLARATION = "declaration"
    TREATY_GOVERNS = "treaty_governs"
    FORMALITIES_AFTER_EXECUTION = "formalities_after_execution"
    URGENT_TO_CENTRAL_AUTHORITY = "urgent_to_central_authority"
    THROUGH_CONTACT_POINT = "through_contact_point"
