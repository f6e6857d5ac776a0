#!/usr/bin/env python3
"""Writes data/calls.ndjson.gz from the click-stream of examples/webshop, and counts its segments without Seg.

Nobody is known at the beginning of a visit. At the first step that needs an account the shop calls `identify`, and
from then on the calls of the visit name the person. Every fiftieth call is sent twice, as SDKs do when no answer comes.
"""

import csv
import gzip
import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
N_USERS = 200
NOW = datetime(2024, 6, 30)
TRACKED = {
    "product_view": "Product Viewed", "add_to_cart": "Added to Cart", "shipping_details": "Shipping Entered",
    "payment_details": "Payment Entered", "purchase": "Order Completed", "search": "Products Searched",
    "wishlist_add": "Added to Wishlist", "payment_error": "Payment Failed",
}
PAGES = {"home": "Home", "catalog": "Catalog", "promo_page": "Promotion", "cart": "Cart", "account_page": "Account"}
NEED_ACCOUNT = {"account_page", "shipping_details", "payment_details", "purchase", "wishlist_add"}


def rows():
    with gzip.open(HERE / "../webshop/data/ecom.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["user_id"].removeprefix("user_")) < N_USERS:
                yield row


def calls():
    known, created = set(), {}
    for n, row in enumerate(rows()):
        user, visit, event = row["user_id"], row["session_id"], row["event"]
        device = f"device-{user.removeprefix('user_')}-{row['platform'][0]}"
        time = row["timestamp"].replace(" ", "T") + "Z"
        call = {"anonymousId": device, "timestamp": time, "context": {"platform": row["platform"]}}
        if event in NEED_ACCOUNT and visit not in known:
            known.add(visit)
            created_at = created.setdefault(user, call["timestamp"])
            traits = {"cohort": row["user_cohort"], "standing": row["user_lifecycle"], "createdAt": created_at}
            yield {"type": "identify", "messageId": f"i{n}", "userId": user, **call, "traits": traits}
        if visit in known:
            call["userId"] = user
        properties = {"visit": visit, "channel": row["acquisition_channel"]}
        if event in PAGES:
            yield {"type": "page", "messageId": f"m{n}", "name": PAGES[event], **call, "properties": properties}
        elif event in TRACKED:
            yield {"type": "track", "messageId": f"m{n}", "event": TRACKED[event], **call, "properties": properties}


def counts(all_calls):
    first = {}
    for call in all_calls:
        if "userId" in call:
            link = (call["timestamp"], call["messageId"], call["userId"])
            first[call["anonymousId"]] = min(first.get(call["anonymousId"], link), link)
    owner = {device: link[2] for device, link in first.items()}
    people, standing, met = defaultdict(list), {}, set()
    for call in all_calls:
        person = call.get("userId") or owner.get(call["anonymousId"], call["anonymousId"])
        time = datetime.fromisoformat(call["timestamp"].rstrip("Z"))
        if call["type"] == "identify":
            standing.setdefault(person, []).append((time, call["traits"]["standing"]))
        elif call["messageId"] not in met:
            met.add(call["messageId"])
            people[person].append((time, call.get("event", "page")))
    since = lambda days: NOW - timedelta(days=days)
    did = lambda person, names, days: any(t >= since(days) and e in names for t, e in people[person])
    checkout, order = {"Shipping Entered", "Payment Entered"}, {"Order Completed"}
    everybody = set(people) | set(standing)
    result = {
        "people": len(everybody),
        "events": sum(map(len, people.values())),
        "Checkout abandonment, 14 days": sum(did(p, checkout, 14) and not did(p, order, 14) for p in everybody),
        "Buyers, 30 days": sum(did(p, order, 30) for p in everybody),
        "Still unknown, 30 days": sum(p not in standing and did(p, {"page"}, 30) for p in everybody),
        "Loyal": sum(max(standing.get(p, [(NOW, "")]))[1] == "loyal" for p in everybody),
        "Looked before they were known": sum(
            p in standing and any(t < min(standing[p])[0] and e == "Product Viewed" for t, e in people[p]) for p in everybody
        ),
    }
    return result


def main():
    made = list(calls())
    sent = [again for n, call in enumerate(made) for again in ([call, call] if n % 50 == 0 else [call])]
    text = "".join(json.dumps(call, separators=(",", ":")) + "\n" for call in sent)
    with open(HERE / "data/calls.ndjson.gz", "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())
    for name, number in counts(sent).items():
        print(f"{number:>7,}  {name}")


main()
