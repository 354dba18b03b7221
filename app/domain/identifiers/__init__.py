"""Identifiers of lines, accounts, machines, things and persons (domain.md 5.7), told apart by `type`.

An identifier keeps the text as the officer gave it; `normal_form()` stands beside it and is what compares and searches.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from app.domain.identifiers.accounts import Account, HostingInstance, IssuedId, Person
from app.domain.identifiers.addresses import Cidr, IpFlow, Ipv4, Ipv6
from app.domain.identifiers.base import Identifier, Remark
from app.domain.identifiers.lines import Iccid, Imei, Imsi, Mac, Phone
from app.domain.identifiers.names import Domain, Email, MessageId, Url
from app.domain.identifiers.records import CardRef, FileHash, Iban
from app.domain.identifiers.wallets import CryptoAddress, CryptoTx

KINDS: tuple[type[Identifier], ...] = (
    Ipv4,
    Ipv6,
    IpFlow,
    Cidr,
    Domain,
    Url,
    Email,
    MessageId,
    Account,
    IssuedId,
    HostingInstance,
    Person,
    Phone,
    Imei,
    Imsi,
    Iccid,
    Mac,
    CryptoAddress,
    CryptoTx,
    Iban,
    CardRef,
    FileHash,
)

AnyIdentifier: TypeAlias = Annotated[
    Ipv4
    | Ipv6
    | IpFlow
    | Cidr
    | Domain
    | Url
    | Email
    | MessageId
    | Account
    | IssuedId
    | HostingInstance
    | Person
    | Phone
    | Imei
    | Imsi
    | Iccid
    | Mac
    | CryptoAddress
    | CryptoTx
    | Iban
    | CardRef
    | FileHash,
    Field(discriminator="type"),
]

__all__ = ["KINDS", "AnyIdentifier", "Identifier", "IpFlow", "Ipv4", "Ipv6", "Person", "Remark"]
