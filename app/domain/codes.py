"""Closed lists. Every value is the word used on the wire, in SQL and in documents (domain.md appendix A)."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """How urgent: EMERGENCY means a risk to the life or safety of a person, never merely to data."""

    EMERGENCY = "EMERGENCY"
    URGENT = "URGENT"
    ROUTINE = "ROUTINE"


class Lane(StrEnum):
    """The two queues of a contact point."""

    URGENT = "urgent"
    ROUTINE = "routine"


class RequestType(StrEnum):
    """What one contact point may ask of another (domain.md 1.6)."""

    PRESERVATION = "PRESERVATION"
    PRESERVATION_EXTENSION = "PRESERVATION_EXTENSION"
    TRAFFIC_PATH_DISCLOSURE = "TRAFFIC_PATH_DISCLOSURE"
    TECHNICAL_ADVICE = "TECHNICAL_ADVICE"
    LEGAL_INFORMATION = "LEGAL_INFORMATION"
    PROVIDER_CONTACT = "PROVIDER_CONTACT"
    EVIDENCE_COLLECTION = "EVIDENCE_COLLECTION"
    LOCATE_SUSPECT = "LOCATE_SUSPECT"
    MLA_INITIATION = "MLA_INITIATION"
    SPONTANEOUS_INFORMATION = "SPONTANEOUS_INFORMATION"
    EMERGENCY_DISCLOSURE = "EMERGENCY_DISCLOSURE"
    EMERGENCY_MLA_NOTICE = "EMERGENCY_MLA_NOTICE"
    DATA_LOCATION_QUERY = "DATA_LOCATION_QUERY"
    PING = "PING"
    DRILL = "DRILL"


class Direction(StrEnum):
    """Seen from this node: an exchange we opened, or one opened towards us."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class State(StrEnum):
    """States of an exchange (machine M2)."""

    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    CLARIFICATION = "CLARIFICATION"
    RISK_NOTICE = "RISK_NOTICE"
    CONDITIONS = "CONDITIONS"
    ACCEPTED = "ACCEPTED"
    IN_EXECUTION = "IN_EXECUTION"
    POSTPONED = "POSTPONED"
    REFERRED = "REFERRED"
    PRESERVED = "PRESERVED"
    PARTIALLY_PRESERVED = "PARTIALLY_PRESERVED"
    ANSWERED = "ANSWERED"
    NOT_EXECUTABLE = "NOT_EXECUTABLE"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    CLOSED = "CLOSED"


class IntakeState(StrEnum):
    """States of a domestic request (machine M1); never visible abroad."""

    INTAKE = "INTAKE"
    TRIAGE = "TRIAGE"
    RETURNED = "RETURNED"
    REDIRECTED = "REDIRECTED"
    DECLINE_PROPOSED = "DECLINE_PROPOSED"
    DECLINED = "DECLINED"
    DRAFTED = "DRAFTED"
    SIGNED = "SIGNED"
    WITHDRAWN_DOMESTIC = "WITHDRAWN_DOMESTIC"


class HoldState(StrEnum):
    """States of a hold (machine M4). EXPIRING is a warning flag of TIMED, `releasing` one of any open hold."""

    TIMED = "TIMED"
    PENDING_DECISION = "PENDING_DECISION"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"
    LOST = "LOST"
    LIFTED = "LIFTED"


class MlaStatus(StrEnum):
    """How far the follow-up request for mutual assistance is known to have come."""

    NONE = "NONE"
    ANNOUNCED = "ANNOUNCED"
    CLAIMED_SENT = "CLAIMED_SENT"
    RECEIVED = "RECEIVED"
    DECIDED = "DECIDED"


class Fate(StrEnum):
    """How an authenticated message of a thread ended (ruling 11); each consumes its sequence number."""

    APPLIED = "applied"
    STALE = "stale"
    REFUSED = "refused"
    EXPIRED = "expired"
    VOID = "void"


class ReceiptStatus(StrEnum):
    """What the receiving node did with the bytes; says nothing about what a person did."""

    STORED = "stored"
    HELD = "held"
    QUARANTINED = "quarantined"


class MessageType(StrEnum):
    """Types of message between nodes, with their major version."""

    EXCHANGE_OPEN = "exchange.open/1"
    EXCHANGE_ACTION = "exchange.action/1"
    EXCHANGE_STATE = "exchange.state/1"
    HOLD_ACTION = "hold.action/1"
    RECEIPT = "receipt/1"
    ATTACHMENT_CHUNK = "attachment.chunk/1"
    HEARTBEAT = "heartbeat/1"
    TEST_CALL = "test-call/1"
    DIRECTORY_UPDATE = "directory.update/1"
    INCIDENT = "incident/1"
    ERASE = "erase/1"
    RESYNC = "resync/1"
    RESYNC_COPY = "resync.copy/1"
    VOID = "void/1"


class ResyncKind(StrEnum):
    """What a `resync/1` is for (ruling 22): `ask` lists what a restored node has, `answer` what its peer has.

    `want` asks for single texts by their `jti`: those of which only a receipt is known.
    """

    ASK = "ask"
    ANSWER = "answer"
    WANT = "want"


class CopyReason(StrEnum):
    """Why a peer gets a text of its own back: another one took its place, it asked for it, or it was restored."""

    EQUIVOCATION = "equivocation"
    WANTED = "wanted"
    RESYNC = "resync"


class Role(StrEnum):
    """What a person may do at this node. Agency roles are bound to one agency."""

    AGENCY_OFFICER = "agency_officer"
    AGENCY_VIEWER = "agency_viewer"
    DUTY_OFFICER = "duty_officer"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    MONITOR = "monitor"
    REGISTRAR = "registrar"
    ADMINISTRATOR = "administrator"


class Instrument(StrEnum):
    """Legal instruments a request may rest on."""

    ETS185 = "ETS185"
    CETS224 = "CETS224"
    UNCC = "UNCC"
    BILATERAL = "BILATERAL"
    REGIONAL = "REGIONAL"
    G7_24_7 = "G7_24_7"


class DataCategory(StrEnum):
    """Kinds of data, stored fine-grained and projected to an instrument's own scheme."""

    SUBSCRIBER = "SUBSCRIBER"
    USER_IDENTIFICATION = "USER_IDENTIFICATION"
    TRAFFIC = "TRAFFIC"
    LOCATION = "LOCATION"
    CONTENT = "CONTENT"
    DEVICE_BACKUP = "DEVICE_BACKUP"
    PAYMENT = "PAYMENT"
    OTHER = "OTHER"


class Tlp(StrEnum):
    """Traffic light protocol 2.0: who may see it."""

    RED = "TLP:RED"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    AMBER = "TLP:AMBER"
    GREEN = "TLP:GREEN"
    CLEAR = "TLP:CLEAR"


class Pap(StrEnum):
    """Permissible actions protocol: what may be done with it."""

    RED = "PAP:RED"
    AMBER = "PAP:AMBER"
    GREEN = "PAP:GREEN"
    CLEAR = "PAP:CLEAR"


class Handling(StrEnum):
    """Handling codes: what it may be used for; H3 needs a text."""

    H0 = "H0"
    H1 = "H1"
    H2 = "H2"
    H3 = "H3"


class RefusalGround(StrEnum):
    """The closed list of grounds (domain.md 2.2); which apply depends on instrument and type."""

    POLITICAL = "R-POL"
    ESSENTIAL_INTERESTS = "R-ESS"
    DUAL_CRIMINALITY = "R-DC"
    DOMESTIC_LAW = "R-LAW"
    FISCAL = "R-FISCAL"
    DECLARATION = "R-DECL"
    BEST_EFFORT = "R-BESTEFFORT"


class NotExecutable(StrEnum):
    """Why it cannot be done; none of these is a refusal."""

    NODATA = "N-NODATA"
    EXPIRED = "N-EXPIRED"
    UNIDENT = "N-UNIDENT"
    WRONGSTATE = "N-WRONGSTATE"
    NOPOWER = "N-NOPOWER"
    PROVIDER = "N-PROVIDER"
    NOBASIS = "N-NOBASIS"
    NOANSWER = "N-NOANSWER"
    DUP = "N-DUP"


class Completion(StrEnum):
    """What is missing or wrong in a request."""

    MISSING = "C-MISSING"
    VAGUE = "C-VAGUE"
    OVERBROAD = "C-OVERBROAD"
    PORT = "C-PORT"
    TZ = "C-TZ"
    LANG = "C-LANG"
    AUTH = "C-AUTH"
    MARKING = "C-MARKING"
    MLAINTENT = "C-MLAINTENT"
    EMERGENCYFACTS = "C-EMERGENCYFACTS"


class RiskNotice(StrEnum):
    """Notices of art. 29(6) and 27(8): a question to the requesting side, not an outcome."""

    AVAILABILITY = "W-AVAIL"
    CONFIDENTIALITY = "W-CONF"
    PREJUDICE = "W-PREJ"


class GateOutcome(StrEnum):
    """Why a contact point does not forward a request of its own agency.

    ADVICE: the answer is advice of its own. MERGED: the same was asked for another agency, whose exchange serves both.
    """

    NOTCRIM = "D-NOTCRIM"
    NOAUTH = "D-NOAUTH"
    WRONGSTATE = "D-WRONGSTATE"
    DOMESTIC = "D-DOMESTIC"
    ART32 = "D-ART32"
    PROVIDER = "D-PROVIDER"
    MLA = "D-MLA"
    INTERPOL = "D-INTERPOL"
    POLICE = "D-POLICE"
    DISPROP = "D-DISPROP"
    RIGHTS = "D-RIGHTS"
    ADVICE = "D-ADVICE"
    MERGED = "D-MERGED"


POSTPONED_OWN = "P-OWN"
NOT_EMERGENCY = "E-NOTEMERGENCY"
