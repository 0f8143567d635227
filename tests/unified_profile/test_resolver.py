"""Whose identity is it? Verified addresses join, claimed ones never do, repeats change nothing."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from madoguchi.clock import ManualClock
from madoguchi.model.people import Address, Customer, Identity, Scheme
from unified_profile.resolver import Claim, Known, Resolution, addresses, resolve

CLOCK = ManualClock()
ADDRESSES = [
    *(Address(Scheme.PHONE, f"+81905550{n:04d}") for n in range(4)),
    *(Address(Scheme.VISITOR, f"v{n}") for n in range(4)),
    *(Address(Scheme.CUSTOMER, f"shop-{n}") for n in range(2)),
]
CLAIMS = st.lists(
    st.builds(
        Claim,
        st.sampled_from(ADDRESSES),
        st.booleans(),
        st.sampled_from(["", "佐藤", "Sato"]),
        st.just("ja"),
        st.lists(st.sampled_from(ADDRESSES), max_size=2).map(tuple),
    ),
    max_size=8,
)
ALONE = st.lists(st.builds(Claim, st.sampled_from(ADDRESSES), st.booleans()), max_size=12)


class Profile:
    """What a store would hold after some resolutions."""

    def __init__(self) -> None:
        self.identities: dict[Address, Identity] = {}
        self.pointers: dict[str, tuple[str, int]] = {}
        self.customers: dict[str, Customer] = {}

    def meet(self, claims: list[Claim]) -> Resolution:
        """Resolve against what is known of the claims' addresses, as the service loads it."""
        CLOCK.advance(1)
        wanted = {a: self.identities[a] for a in addresses(claims) if a in self.identities}
        pointers = {i.id: self.pointers[i.id] for i in wanted.values()}
        customers = {c: self.customers[c] for c, _ in pointers.values()}
        ids = {c: self.business_ids(c) for c in customers}
        known = Known(wanted, pointers, customers, ids)
        found = resolve(claims, known, CLOCK.now(), CLOCK.new_id)
        for one in (*found.new_identities, *found.changed_identities):
            self.identities[one.address] = one
        for person in (*found.new_customers, *found.changed_customers):
            self.customers[person.id] = person
        for identity, customer in found.new_pointers:
            assert identity not in self.pointers
            self.pointers[identity] = (customer, 1)
        for move in found.moves:
            assert self.pointers[move.identity] == (move.source, move.version)
            self.pointers[move.identity] = (move.target, move.version + 1)
        return found

    def customer(self, address: Address) -> str:
        return self.pointers[self.identities[address].id][0]

    def business_ids(self, customer: str) -> frozenset[str]:
        """Return the business's own ids of a customer."""
        return frozenset(
            i.address.value
            for i in self.identities.values()
            if i.address.scheme is Scheme.CUSTOMER and self.pointers[i.id][0] == customer
        )

    def link(self, address: Address, customer: str) -> None:
        """Let a person say whose an address is."""
        id = self.identities[address].id
        self.pointers[id] = (customer, self.pointers[id][1] + 1)


@given(st.lists(CLAIMS, max_size=5))
def test_every_address_has_one_identity_and_one_customer(batches: list[list[Claim]]) -> None:
    profile = Profile()
    for claims in batches:
        found = profile.meet(claims)
        assert set(found.found) == set(addresses(claims))
        for address in addresses(claims):
            identity, customer = found.found[address]
            assert profile.identities[address].id == identity.id
            assert identity.address == address
            assert customer.id in profile.customers
    assert len({i.id for i in profile.identities.values()}) == len(profile.identities)
    assert set(profile.pointers) == {i.id for i in profile.identities.values()}
    assert {c for c, _ in profile.pointers.values()} <= set(profile.customers)


@given(CLAIMS)
def test_the_same_claim_again_changes_nothing(claims: list[Claim]) -> None:
    profile = Profile()
    for claim in claims:
        profile.meet([claim])
        again = profile.meet([claim, claim])
        assert not (again.new_identities)
        assert not (again.new_customers)
        assert not (again.new_pointers)
        assert again.moves == []
        assert again.changed_identities == []
        assert again.changed_customers == []


@given(ALONE)
def test_nobody_is_merged_without_being_vouched_for(claims: list[Claim]) -> None:
    profile = Profile()
    found = profile.meet(claims)
    assert found.moves == []
    owners = [profile.customer(a) for a in addresses(claims)]
    assert len(set(owners)) == len(owners), "two addresses, two customers"


@given(ALONE, ALONE)
def test_verified_stays_verified(first: list[Claim], second: list[Claim]) -> None:
    profile = Profile()
    profile.meet(first)
    before = {a for a, i in profile.identities.items() if i.verified}
    profile.meet(second)
    after = {a for a, i in profile.identities.items() if i.verified}
    assert after == before | {c.address for c in second if c.verified}


@given(st.sampled_from(ADDRESSES[:4]), st.sampled_from(ADDRESSES[4:8]))
def test_the_same_verified_address_is_the_same_customer(phone: Address, visitor: Address) -> None:
    profile = Profile()
    profile.meet([Claim(phone, True)])
    by_phone = profile.customer(phone)
    CLOCK.advance(timedelta(days=1).total_seconds())
    profile.meet([Claim(visitor, False)])
    assert profile.customer(visitor) != by_phone
    found = profile.meet([Claim(visitor, True, "佐藤", same_as=(phone,))])
    assert profile.customer(visitor) == profile.customer(phone) == by_phone, "the older one stays"
    assert [m.source for m in found.moves] != [by_phone]
    assert profile.customers[by_phone].name == "佐藤"


def test_the_shops_own_customer_id_decides() -> None:
    profile = Profile()
    phone, visitor, shop = ADDRESSES[0], ADDRESSES[4], ADDRESSES[8]
    profile.meet([Claim(phone, True)])
    profile.meet([Claim(shop, True)])
    wanted = profile.customer(shop)
    profile.meet([Claim(visitor, True, same_as=(shop, phone))])
    assert {profile.customer(a) for a in (phone, visitor, shop)} == {wanted}


SHOPPERS = [Address(Scheme.CUSTOMER, f"shop-{n}") for n in range(3)]
SHARED = [
    *(Address(Scheme.PHONE, f"+81905550{n:04d}") for n in range(2)),
    *(Address(Scheme.MAIL, f"family{n}@example.jp") for n in range(2)),
]
BROWSERS = [Address(Scheme.VISITOR, f"v{n}") for n in range(3)]
IDENTIFY = st.builds(
    lambda browser, shopper, shared: Claim(browser, True, "", "ja", (shopper, *shared)),
    st.sampled_from(BROWSERS),
    st.sampled_from(SHOPPERS),
    st.lists(st.sampled_from(SHARED), max_size=2),
)
"""A signed-in customer of a shop, with a telephone or an address that others use, too."""
MET = st.builds(Claim, st.sampled_from([*SHARED, *BROWSERS]), st.booleans())
STORY = st.lists(st.lists(st.one_of(IDENTIFY, MET), min_size=1, max_size=3), max_size=8)


@given(STORY)
def test_what_a_known_customer_has_stays_with_them(story: list[list[Claim]]) -> None:
    profile = Profile()
    for claims in story:
        before = {
            a: profile.customer(a)
            for a in profile.identities
            if a.scheme is not Scheme.VISITOR and profile.business_ids(profile.customer(a))
        }
        profile.meet(claims)
        assert {a: profile.customer(a) for a in before} == before


@given(STORY)
def test_two_ids_of_the_business_are_two_customers(story: list[list[Claim]]) -> None:
    profile = Profile()
    for claims in story:
        profile.meet(claims)
    owners = [profile.customer(a) for a in SHOPPERS if a in profile.identities]
    assert len(set(owners)) == len(owners)
    for claims in story:
        for claim in claims:
            if claim.same_as:
                profile.meet([claim])
                assert profile.customer(claim.address) == profile.customer(claim.same_as[0]), (
                    "the browser is whoever signed in there last"
                )


@given(STORY)
def test_a_story_told_again_moves_browsers_only(story: list[list[Claim]]) -> None:
    profile = Profile()
    for claims in story:
        profile.meet(claims)
    browsers = {profile.identities[a].id for a in BROWSERS if a in profile.identities}
    for claims in story:
        again = profile.meet(claims)
        assert {m.identity for m in again.moves} <= browsers
        assert again.new_customers == []


@given(STORY)
def test_a_claim_that_is_not_followed_is_suggested(story: list[list[Claim]]) -> None:
    profile = Profile()
    for claims in story:
        found = profile.meet(claims)
        suggested = set(found.suggested)
        for claim in claims:
            for address in claim.same_as:
                mine = profile.customer(claim.same_as[0])
                if profile.customer(address) != mine:
                    assert (profile.identities[address].id, mine) in suggested


def test_one_telephone_of_two_shop_customers() -> None:
    phone, mother, child = ADDRESSES[0], ADDRESSES[8], ADDRESSES[9]
    tablet, laptop = ADDRESSES[4], ADDRESSES[5]
    profile = Profile()
    profile.meet([Claim(phone, True)])
    by_sms = profile.customer(phone)
    profile.meet([Claim(tablet, True, "母", same_as=(mother, phone))])
    assert profile.customer(mother) == by_sms, "nobody else's yet: her history goes with her"
    for _ in range(3):
        found = profile.meet([Claim(laptop, True, "子", same_as=(child, phone))])
        assert found.moves == []
        assert found.suggested == [(profile.identities[phone].id, profile.customer(child))]
        assert profile.meet([Claim(tablet, True, "母", same_as=(mother, phone))]).moves == []
    assert profile.customer(phone) == profile.customer(mother) != profile.customer(child)
    profile.link(phone, profile.customer(child))
    found = profile.meet([Claim(tablet, True, "母", same_as=(mother, phone))])
    assert found.moves == [], "a person's word stands"
    assert found.suggested == [(profile.identities[phone].id, profile.customer(mother))]


def test_what_the_business_says_of_a_customer_is_kept_changed_and_taken_back() -> None:
    mine, visitor = Address(Scheme.CUSTOMER, "C-7"), Address(Scheme.VISITOR, "v")
    now = CLOCK.now()

    def said(known: Known, **attributes: str) -> Customer:
        claim = Claim(visitor, True, "Sato", "ja", (mine,), attributes)
        found = resolve([claim], known, now, CLOCK.new_id)
        (customer,) = found.new_customers or found.changed_customers
        return customer

    first = said(Known(), contract="gold", segment="vip")
    assert first.attributes == {"contract": "gold", "segment": "vip"}
    ids = {a: Identity(f"i-{a.value}", a, True, "", now) for a in (visitor, mine)}
    pointers = {one.id: (first.id, 1) for one in ids.values()}
    known = Known(ids, pointers, {first.id: first}, {first.id: frozenset({"C-7"})})
    changed = said(known, contract="silver", segment="")
    assert changed.attributes == {"contract": "silver"}
    assert changed.version == first.version + 1
    again = resolve(
        [Claim(visitor, True, "", "ja", (mine,), {"contract": "gold"})], known, now, CLOCK.new_id
    )
    assert again.changed_customers == [], "the same again changes nothing"
