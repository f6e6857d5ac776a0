#!/usr/bin/env python3
"""Writes a year of made-up data into data/, and counts its segments without Seg.

People look around on devices before anybody knows who they are; at the first sign-in a device becomes theirs. Orders have
a season (most before Christmas), most reach the shop's records at once and some an hour later, and a few records are sent
twice. The numbers are random, from a fixed seed.
"""

import csv
import gzip
import hashlib
import io
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).parent / "data"
NOW = datetime(2026, 12, 1, 11, tzinfo=timezone.utc)
START = NOW - timedelta(days=365)
N_PEOPLE, N_STRANGERS = 1_200, 300
CATEGORIES = ["cleanser", "serum", "cream", "sun care"]
# January to December.
SEASON = [0.7, 0.7, 0.8, 0.9, 1.1, 1.0, 0.8, 0.7, 0.9, 1.1, 2.2, 2.0]
CHOICE = random.Random(20261201)


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def arrival(event, at):
    """One order in ten comes from the till, up to 55 minutes late; one in a hundred takes up to four hours."""
    draw = CHOICE.random()
    if event == "Order Completed" and draw < 0.10:
        return at + timedelta(minutes=CHOICE.randint(5, 55))
    if event == "Order Completed" and draw < 0.11:
        return at + timedelta(minutes=CHOICE.randint(90, 240))
    return at + timedelta(seconds=CHOICE.randint(0, 4))


class Shop:
    def __init__(self):
        self.events, self.people, self.sign_ins = [], [], []

    def record(self, whose, event, at, **properties):
        if at > NOW:
            return
        row = {"profile_id": whose, "event": event, "happened_at": text(at), "received_at": text(arrival(event, at)),
               "message_id": f"m{len(self.events)}", **properties}
        self.events.append(row)
        if CHOICE.random() < 0.004:
            self.events.append(dict(row))

    def visit(self, whose, at, buys):
        """Looks, perhaps a cart, perhaps a checkout; whether that ends in an order is known."""
        for n in range(CHOICE.randint(1, 4)):
            self.record(whose, "Product Viewed", at - timedelta(minutes=40 - 8 * n), category=CHOICE.choice(CATEGORIES))
        value = str(CHOICE.randint(15, 180))
        if buys or CHOICE.random() < 0.35:
            self.record(whose, "Added to Cart", at - timedelta(minutes=6), value=value)
            if buys or CHOICE.random() < 0.4:
                self.record(whose, "Checkout Started", at - timedelta(minutes=3), value=value)
        return value

    def order(self, person, device, at):
        amount, category = self.visit(device, at, True), CHOICE.choice(CATEGORIES)
        self.record(person, "Order Completed", at, amount=amount, category=category)
        delivered = at + timedelta(days=CHOICE.randint(2, 5), hours=CHOICE.randint(0, 9))
        self.record(person, "Order Delivered", delivered, category=category)
        if CHOICE.random() < 0.05:
            self.record(person, "Order Refunded", delivered + timedelta(days=CHOICE.randint(3, 12)), amount=amount)
        if CHOICE.random() < 0.12:
            self.record(person, "Review Written", delivered + timedelta(days=CHOICE.randint(4, 18)))
        if CHOICE.random() < 0.06:
            self.record(person, "Support Requested", at + timedelta(days=CHOICE.randint(1, 20)))


def moment(since):
    """An instant from one on; what the season makes rare is drawn again."""
    while True:
        at = since + (NOW - since) * CHOICE.random()
        if CHOICE.random() * max(SEASON) < SEASON[at.month - 1]:
            return at.replace(microsecond=0)


def make():
    shop = Shop()
    for n in range(N_PEOPLE):
        person = f"c{n:04}"
        consent = lambda share: str(CHOICE.random() < share).lower()
        shop.people.append({"profile_id": person, "country": CHOICE.choices(["DE", "AT", "CH", ""], [60, 20, 12, 8])[0],
                            "email_consent": consent(0.72), "sms_consent": consent(0.35), "suppressed": consent(0.02)})
        came = moment(START)
        devices = [f"dev-{n:04}-{d}" for d in range(CHOICE.randint(1, 2))]
        for device in devices:
            shop.sign_ins.append({"device_id": device, "profile_id": person})
            for _ in range(CHOICE.randint(0, 2)):
                shop.visit(device, came - timedelta(days=CHOICE.randint(0, 9), minutes=CHOICE.randint(0, 600)), False)
        for _ in range(min(14, int(CHOICE.expovariate(1 / 2.2)))):
            shop.order(person, CHOICE.choice(devices), moment(came))
        for _ in range(CHOICE.randint(0, 3)):
            shop.visit(person, moment(came), False)
        for _ in range(CHOICE.choice([0, 0, 1, 3])):
            shop.record(person, "Email Clicked", moment(came))
    # Who is at the checkout now.
    for n in range(12):
        shop.visit(f"c{n * 97:04}", NOW - timedelta(minutes=CHOICE.randint(10, 130)), True)
    for n in range(N_STRANGERS):
        for _ in range(CHOICE.randint(1, 2)):
            shop.visit(f"dev-x{n:03}", moment(START), False)
    shop.events.sort(key=lambda row: (row["received_at"], row["message_id"]))
    return shop


def write(name, fields, rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    HERE.mkdir(exist_ok=True)
    with open(HERE / name, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(out.getvalue().encode())


def histories(shop):
    """What is known of whom: each event once, the earliest first."""
    owner = {row["device_id"]: row["profile_id"] for row in shop.sign_ins}
    history, met = {row["profile_id"]: [] for row in shop.people}, set()
    for row in shop.events:
        person = owner.get(row["profile_id"], row["profile_id"])
        if (person, row["event"], row["message_id"]) not in met:
            met.add((person, row["event"], row["message_id"]))
            at = datetime.strptime(row["happened_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
            history.setdefault(person, []).append((at, row["event"], row))
    for events in history.values():
        events.sort(key=lambda event: event[0])
    return history


class Person:
    def __init__(self, name, events, row):
        self.name, self.events, self.row = name, events, row
        self.orders = self.times("Order Completed")

    def times(self, event, low=None, high=timedelta(), where=lambda row: True):
        """When it happened, from `low` ago to `high` ago."""
        return [at for at, name, row in self.events
                if name == event and (low is None or NOW - at <= low) and NOW - at >= high and where(row)]

    def agrees(self, to):
        return self.row.get(to) == "true" and self.row["suppressed"] == "false"

    def left_a_checkout(self, known):
        orders = [at for at in self.orders if at <= known]
        checkouts = [at for at in self.times("Checkout Started", timedelta(hours=2)) if at <= known]
        return any(not any(order >= at for order in orders) for at in checkouts)

    def is_out_of_rhythm(self):
        instants = sorted(set(self.orders))
        gaps = sorted(b - a for a, b in zip(instants, instants[1:]))
        if len(gaps) < 3:
            return False
        middle = len(gaps) // 2
        gap = gaps[middle] if len(gaps) % 2 else (gaps[middle - 1] + gaps[middle]) / 2
        return 2 * (NOW - instants[-1]) > 3 * gap


def counts(shop):
    """The segments, counted from the rows as they are."""
    days, hours = lambda n: timedelta(days=n), lambda n: timedelta(hours=n)
    rows = {row["profile_id"]: row for row in shop.people}
    people = [Person(name, events, rows.get(name, {})) for name, events in histories(shop).items()]
    mails = lambda p: p.agrees("email_consent")
    waiting = {p for p in people if p.times("Support Requested", days(7))}
    refunded = {p for p in people if p.times("Order Refunded", days(30))}
    held = waiting | refunded
    large = lambda row: int(row["value"]) >= 100
    cart = lambda p, where: p.times("Added to Cart", hours(24), hours(2), where) and not p.times("Order Completed", hours(24))
    regulars = {p for p in people if len(p.times("Order Completed", days(365))) >= 3}
    last = lambda p, low, high: bool(p.orders) and low <= NOW - p.orders[-1] <= high
    winback = {p for p in people if last(p, days(90), days(180)) and p not in held}
    spent = lambda p: sum(int(row["amount"]) for at, name, row in p.events if name == "Order Completed" and NOW - at <= days(365))
    vip = {p for p in people if spent(p) >= 500}
    winter = {p for p in winback if len(p.orders) >= 2}
    place = lambda p: int.from_bytes(hashlib.md5(b"winter-2026\0" + p.name.encode()).digest()[:4], "big")
    below = {p for p in people if place(p) < 2**31}
    category = lambda name: lambda row: row["category"] == name
    sold = lambda of: {p for p in people if of(p) and mails(p) and p not in held}
    segments = {
        "Checkout left, 0-2h": {p for p in people if p.agrees("sms_consent") and p not in held and p.left_a_checkout(NOW)
                                and p.left_a_checkout(NOW - timedelta(minutes=15))},
        "Cart left, 100 EUR, 2-24h": sold(lambda p: cart(p, large)),
        "Cart left, 2-24h": sold(lambda p: cart(p, lambda row: True)),
        "Browsed, 3 days": sold(lambda p: len(p.times("Product Viewed", days(3))) >= 3
                                and not p.times("Order Completed", days(3))),
        "First order, 7 days": {p for p in people if p.orders and NOW - p.orders[0] <= days(7) and mails(p)},
        "Second order overdue, 35-60 days": sold(lambda p: len(p.orders) == 1 and last(p, days(35), days(60))),
        "Regulars, 3 orders in 365 days": regulars,
        "Out of rhythm": sold(lambda p: p in regulars and p.is_out_of_rhythm()),
        "Winback, 90-180 days": sold(lambda p: p in winback),
        "VIP, 500 EUR in 365 days": vip,
        "VIP slipping, 45 days": sold(lambda p: p in vip and not p.times("Order Completed", days(45))),
        "Serum after cleanser, 5-14 days": sold(
            lambda p: p.times("Order Delivered", days(14), days(5), category("cleanser"))
            and not p.times("Order Completed", where=category("serum"))),
        "Review wanted, 10-20 days": sold(lambda p: p.times("Order Delivered", days(20), days(10))
                                          and not p.times("Review Written", days(20))),
        "Clicks, 60 days": {p for p in people if p.times("Email Clicked", days(60))},
        "Asleep, 180 days": {p for p in people if mails(p) and not p.times("Email Clicked", days(180))
                             and not p.times("Order Completed", days(180)) and p.events and NOW - p.events[0][0] >= days(180)},
        "Winter test, all": winter,
        "Winter test, written to": {p for p in winter & below if mails(p)},
        "Winter test, held out": winter - below,
        "Waiting for an answer, 7 days": waiting,
        "Refunded, 30 days": refunded,
        "Not now": held,
    }
    return {"people": len(people), "events": sum(len(p.events) for p in people),
            **{name: len(members) for name, members in segments.items()}}


if __name__ == "__main__":
    made = make()
    write("people.csv.gz", ["profile_id", "country", "email_consent", "sms_consent", "suppressed"], made.people)
    fields = ["profile_id", "event", "happened_at", "received_at", "message_id", "category", "value", "amount"]
    write("events.csv.gz", fields, made.events)
    write("sign-ins.csv.gz", ["device_id", "profile_id"], made.sign_ins)
    for name, n in counts(made).items():
        print(f"{n:6}  {name}")
