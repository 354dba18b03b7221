"""The law as it is shown: to whoever files, decides or checks, in the words of its files."""

from __future__ import annotations

from datetime import date

from app.domain.codes import DataCategory, GateOutcome, Instrument, RefusalGround, RequestType, RiskNotice
from app.domain.directory_codes import PreservationKind, UserNotification
from app.domain.law.codes import AppliesTo, ConstraintCode, Effect, Need, StatementKind, TargetKind
from app.routers.models import Moment, View


class ArticleView(View):
    """An article and what it does for this type of request."""

    article: str
    role: str


class MeasureView(View):
    """A type of request that an instrument carries; `only_if_declared`: only where the requested state declared so."""

    type: RequestType
    only_if_declared: str | None
    articles: list[ArticleView]


class AdmittedView(View):
    """An article to which a state can make a statement, and what that does here."""

    article: str
    kind: StatementKind
    effect: Effect | None
    types: list[RequestType]
    only_categories: list[DataCategory]
    note: str | None


class InstrumentView(View):
    """An instrument. `duty` false: best efforts. `applies_to`: any two parties, pairs switched on, or treaties."""

    instrument: Instrument
    title: str
    done: str | None
    in_force_since: date | None
    applies_to: AppliesTo
    protocol_to: Instrument | None
    duty: bool
    notes: str | None
    measures: list[MeasureView]
    admits: list[AdmittedView]


class ComparatorView(View):
    """How long data are kept elsewhere; nothing is computed from it."""

    name: str
    period: str
    source: str


class WidestView(View):
    """The days of a kind of data about which a target can ask without a warning."""

    category: DataCategory
    days: int


class IntervalsView(View):
    """How much time one target may ask about; more hours of a shared or changing address are refused."""

    intervals: list[WidestView]
    shared_address_hours: int


class LawView(View):
    """The edition of the law that this node goes by, and since when.

    `digest` is what `LC_ALL=C sha256sum *.yaml | sha256sum` prints in the folder of its files.
    """

    version: str
    dated: date
    note: str
    digest: str
    since: Moment | None
    instruments: list[InstrumentView]
    comparators: list[ComparatorView]
    intervals: IntervalsView


class GroundView(View):
    """A ground for refusing, its provision, and what it needs beside reasons and two persons."""

    code: RefusalGround
    provision: str
    needs: list[Need]


class NoticeView(View):
    """A notice that the requesting side answers."""

    code: RiskNotice
    provision: str


class ConstraintView(View):
    """What goes with a basis and binds its use."""

    code: ConstraintCode
    detail: str
    provision: str | None
    statement: str | None


class BasisView(View):
    """An instrument that a request can rest on, with what can be said to the request under it.

    `grounds` are those of the matrix; whether one is open depends on the case. None: it cannot be refused.
    """

    instrument: Instrument
    title: str
    articles: list[ArticleView]
    duty: bool
    constraints: list[ConstraintView]
    grounds: list[GroundView]
    notices: list[NoticeView]
    postponement: str | None


class BasesView(View):
    """What a request of a type can rest on between two contact points on a day, best first; empty: `N-NOBASIS`."""

    requesting: str
    requested: str
    type: RequestType
    on: date
    bases: list[BasisView]


class PreservationAtHome(View):
    """By whose order data are preserved there, for how long, how often extended (null: no limit)."""

    power: PreservationKind
    citation: str
    days: int
    extension_days: int
    max_extensions: int | None


class RetentionView(View):
    """How long providers there usually have a kind of data."""

    category: DataCategory
    days: int
    note: str | None


class AddressView(View):
    """How an authority is reached."""

    name: str
    phone: str | None
    email: str | None
    url: str | None


class ProfileView(View):
    """What is known of a state's own law, as of a day."""

    as_of: date
    languages: list[str]
    preservation: PreservationAtHome
    user_notification: UserNotification
    dual_criminality: str | None
    data_retention: str | None
    retention: list[RetentionView]
    central_authority: AddressView
    note: str | None


class BoundView(View):
    """An instrument that binds the state, in all or towards another one (`other`), or a treaty with others (`id`)."""

    instrument: Instrument
    id: str | None
    title: str
    others: list[str]
    since: date
    until: date | None


class StatementView(View):
    """A reservation or declaration on file, withdrawn ones too."""

    id: str
    kind: StatementKind
    effect: Effect | None
    instrument: Instrument
    article: str
    text: str
    since: date
    until: date | None


class CountryView(View):
    """A state: its profile (null where none is on file), what binds it, what it has reserved and declared."""

    state: str
    name: str
    profile: ProfileView | None
    memberships: list[BoundView]
    switched_on: list[BoundView]
    treaties: list[BoundView]
    statements: list[StatementView]


class TargetView(View):
    """Where an agency can turn with what this network does not do, for these outcomes of triage."""

    state: str
    kind: TargetKind
    codes: list[GateOutcome]
    address: AddressView
    note: str | None
