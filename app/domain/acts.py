"""Every act on an exchange as one discriminated union: the body that a person sends and, for wishes, the wire body."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from app.domain.onward_acts import (
    AskUse,
    ConfirmFormally,
    DecideOnwardTransfer,
    ExplainUse,
    RequestOnwardTransfer,
)
from app.domain.requested_acts import (
    Accept,
    AcceptInformation,
    Acknowledge,
    Answer,
    Ask,
    CannotComply,
    Close,
    ConfirmRefusal,
    DiscloseTrafficPath,
    Downgrade,
    Hop,
    NotExecutableAct,
    NotifyRisk,
    Postpone,
    Preserve,
    ProposeConditions,
    RecordOral,
    Refer,
    Refuse,
    Regularise,
    ReportProgress,
    Resume,
    Start,
    TargetOutcome,
)
from app.domain.requesting_acts import (
    AcceptCondition,
    DeclineCondition,
    Proceed,
    ProvideAnyway,
    RaiseTier,
    SendContent,
    Stop,
    Supplement,
    Withdraw,
    Withhold,
)
from app.domain.wire import Act

ExchangeAct = Annotated[
    Acknowledge
    | Ask
    | Supplement
    | NotifyRisk
    | Proceed
    | Stop
    | ProposeConditions
    | AcceptCondition
    | DeclineCondition
    | Accept
    | Start
    | Preserve
    | DiscloseTrafficPath
    | NotExecutableAct
    | Refuse
    | ConfirmRefusal
    | Postpone
    | Resume
    | Refer
    | Answer
    | ReportProgress
    | RaiseTier
    | Downgrade
    | Withdraw
    | Close
    | AcceptInformation
    | CannotComply
    | ProvideAnyway
    | Withhold
    | SendContent
    | RecordOral
    | Regularise
    | RequestOnwardTransfer
    | DecideOnwardTransfer
    | AskUse
    | ExplainUse
    | ConfirmFormally,
    Field(discriminator="action"),
]

EXCHANGE_ACT: TypeAdapter[ExchangeAct] = TypeAdapter(ExchangeAct)
"""Reads any act on an exchange; use its JSON mode, the models do not convert types."""

__all__ = [
    "EXCHANGE_ACT",
    "Accept",
    "AcceptCondition",
    "AcceptInformation",
    "Acknowledge",
    "Act",
    "Answer",
    "Ask",
    "AskUse",
    "CannotComply",
    "Close",
    "ConfirmFormally",
    "ConfirmRefusal",
    "DecideOnwardTransfer",
    "DeclineCondition",
    "DiscloseTrafficPath",
    "Downgrade",
    "ExchangeAct",
    "ExplainUse",
    "Hop",
    "NotExecutableAct",
    "NotifyRisk",
    "Postpone",
    "Preserve",
    "Proceed",
    "ProposeConditions",
    "ProvideAnyway",
    "RaiseTier",
    "RecordOral",
    "Refer",
    "Refuse",
    "Regularise",
    "ReportProgress",
    "RequestOnwardTransfer",
    "Resume",
    "SendContent",
    "Start",
    "Stop",
    "Supplement",
    "TargetOutcome",
    "Withdraw",
    "Withhold",
]
