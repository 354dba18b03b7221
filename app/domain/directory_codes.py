"""Closed lists of the directory (domain.md 3.5). Every value is the word used in the signed document."""

from __future__ import annotations

from enum import StrEnum


class PartyKind(StrEnum):
    """A contact point speaks for a state, or for an economy that takes part as such."""

    STATE = "STATE"
    ECONOMY = "ECONOMY"


class Network(StrEnum):
    """The networks that keep a point of contact round the clock."""

    G7_24_7 = "G7_24_7"
    ETS185_35 = "ETS185_35"
    UNCC_41 = "UNCC_41"
    INTERPOL_NCRP = "INTERPOL_NCRP"
    OAS_REMJA = "OAS_REMJA"
    APEC = "APEC"
    BILATERAL = "BILATERAL"


class OtherChannel(StrEnum):
    """Roads beside this one on which the same request may travel (arts. 25(3), 27(9)(b))."""

    INTERPOL_I247 = "INTERPOL_I247"
    TELEPHONE = "TELEPHONE"
    FAX = "FAX"
    EMAIL = "EMAIL"
    DIPLOMATIC = "DIPLOMATIC"
    OTHER = "OTHER"


class AgencyKind(StrEnum):
    """Where the contact point sits at home."""

    POLICE = "POLICE"
    PROSECUTION = "PROSECUTION"
    MOJ = "MOJ"
    CENTRAL_AUTHORITY = "CENTRAL_AUTHORITY"
    OTHER = "OTHER"


class ContactKind(StrEnum):
    """Who answers the telephone: someone who can act, or someone who fetches that person."""

    EXPERT = "EXPERT"
    SWITCHBOARD = "SWITCHBOARD"


class LanguageLevel(StrEnum):
    """How well: NATIVE, WORKING (handles a case in it), BASIC (understands an alarm)."""

    NATIVE = "NATIVE"
    WORKING = "WORKING"
    BASIC = "BASIC"


class LanguageUse(StrEnum):
    """What the language may be used for with this contact point."""

    VOICE = "VOICE"
    WRITTEN = "WRITTEN"
    FORMS = "FORMS"


class Capability(StrEnum):
    """EXECUTES itself, FACILITATES through others, or NO (art. 35(1))."""

    EXECUTES = "EXECUTES"
    FACILITATES = "FACILITATES"
    NO = "NO"


class PreservationKind(StrEnum):
    """By whose order data are preserved there."""

    OWN_ORDER = "OWN_ORDER"
    PROSECUTOR_ORDER = "PROSECUTOR_ORDER"
    JUDGE_ORDER = "JUDGE_ORDER"
    VOLUNTARY_PROVIDER = "VOLUNTARY_PROVIDER"
    NONE = "NONE"


class UserNotification(StrEnum):
    """Whether a provider there tells its customer; feeds the risk notice W-CONF."""

    PROHIBITED = "PROHIBITED"
    PROHIBITABLE_ON_REQUEST = "PROHIBITABLE_ON_REQUEST"
    PROVIDER_DISCRETION = "PROVIDER_DISCRETION"
    MANDATORY = "MANDATORY"


class Visibility(StrEnum):
    """An entry is for members of the network and never public."""

    RESTRICTED = "RESTRICTED"
