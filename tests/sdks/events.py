"""Sends events by an SDK and by hand, and reads the tables with engines that know nothing of the service."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import chdb
import polars
import requests
from deltalake import DeltaTable

URL = os.environ["CORTEX_REPORT_URL"]
BUNDLES, EVENTS = 50, 20


def log_in(email):
    login = requests.post(f"{URL}/api/1/login", json={"email": email}).json()
    deadline = time.monotonic() + 20
    while not (mails := list(Path("mail").glob("login-*.eml"))):
        assert time.monotonic() < deadline, "no mail came"
        time.sleep(0.01)
    link = re.search(r"http\S+/verify/\S+", mails[0].read_text())[0]
    requests.post(link, data={"manual_code": login["manual_code"]}).raise_for_status()
    return {"Authorization": f"Bearer {login['session_key']}"}


def rows(org_id, table, count):
    """The rows of a table, once there are so many."""
    path = f"lake/org-{org_id}/{table}"
    deadline = time.monotonic() + 60
    while True:
        if Path(path, "_delta_log").is_dir():
            found = polars.from_arrow(DeltaTable(path).to_pyarrow_table())
            if len(found) >= count:
                assert len(found) == count, f"{table} has {len(found)} rows, not {count}"
                return found
        assert time.monotonic() < deadline, f"{table} does not come to {count} rows"
        time.sleep(0.2)


def main():
    ann = log_in("ann@example.org")
    user = requests.get(f"{URL}/api/1/user", headers=ann).json()
    org = user["org_list"][0]
    assert org["short_name"] == "ann", org
    app = {"org_id": org["org_id"], "app_name": "Space Miner"}
    app_id = requests.post(f"{URL}/api/1/app", headers=ann, json=app).json()["app_id"]
    keys = requests.get(f"{URL}/api/1/app/{app_id}/api_key", headers=ann).json()
    key = keys["api_key_list"][0]["api_key"]

    subprocess.run(["node", sys.argv[1], URL, key], check=True)
    org_id = org["org_id"]
    install = rows(org_id, "install", 1).row(0, named=True)
    assert install["kingdom"] == "organic" and install["app"] == "Space Miner", install
    rows(org_id, "dau", 1)
    event = rows(org_id, "event", 1).row(0, named=True)
    assert (event["kingdom"], event["phylum"], event["float1"]) == ("level", "done", 2.5), event
    assert event["user_map_tag"] == "utuser 7" and event["app_ver"] == "1.2", event
    assert event["browser"] and event["os"] and event["device_tag"] == install["device_tag"], event
    economy = rows(org_id, "economy", 1).row(0, named=True)
    assert (economy["spend_currency"], economy["spend_amount"]) == ("USD", 4.99), economy
    print("the SDK of browsers: 4 events sent, each in its table")

    total = 0
    for bundle in range(BUNDLES):
        events = []
        for number in range(EVENTS):
            index = bundle * EVENTS + number
            amount = index * 7919 % 1000 / 4
            total += amount
            events.append({
                "type": "economy", "event_index": index, "event_datetime": "2026-11-30T12:00:00.000Z",
                "spend_currency": "EUR", "spend_amount": amount, "species": f"s{index % 9}",
            })
        body = {"api_key": key, "device_tag": f"d{bundle}", "app_ver": "1", "events": events}
        # Each twice, as after an answer that was lost.
        for _ in range(2):
            sent = requests.post(f"{URL}/ann/1/track", json=body)
            assert (sent.status_code, sent.text) == (200, "OK"), sent.text
    count = BUNDLES * EVENTS
    found = rows(org_id, "economy", count + 1).filter(polars.col("spend_currency") == "EUR")
    assert (len(found), found["spend_amount"].sum()) == (count, total)
    assert found["species"].n_unique() == 9 and found["event_id"].n_unique() == count
    lake = Path("lake").resolve()
    connection = chdb.connect(f"file:chdb?user_files_path={lake}/")
    asked = connection.query(
        "SELECT count(), sum(spend_amount), uniqExact(event_id) "
        f"FROM deltaLakeLocal('{lake}/org-{org_id}/economy') WHERE spend_currency = 'EUR'",
        "CSV",
    )
    counted = [float(value) for value in str(asked).strip().split(",")]
    assert counted == [count, total, count], counted
    print(f"polars and ClickHouse: {count} events and a sum of {total} each, as were sent")


main()
