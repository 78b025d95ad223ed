"""dlt's custom destination on the same rows and the same vendor. One JSON line on stdout per run; imports and start-up are not measured."""

import json
import os
import sys
import tempfile
import threading
import time

import dlt
import psycopg
import requests

BATCH, CALLS, PAGE = int(sys.argv[1]), int(sys.argv[2]), 1_000
URL = os.environ["SYNCLINE_HUBSPOT_MAIN_BASE_URL"] + "/crm/v3/objects/contacts/batch/upsert"
HEADERS = {"authorization": "Bearer " + os.environ["SYNCLINE_HUBSPOT_MAIN_TOKEN"]}
local = threading.local()


@dlt.resource(name="people")
def people():
    after = 0
    with psycopg.connect(os.environ["SYNCLINE_WAREHOUSE_MAIN_URL"], row_factory=psycopg.rows.dict_row) as connection:
        while True:
            query = "select id, email, name, visits from public.people where id > %s order by id limit %s"
            rows = connection.execute(query, (after, PAGE)).fetchall()
            if not rows:
                return
            after = rows[-1]["id"]
            yield rows


@dlt.destination(batch_size=BATCH, name="contacts", loader_file_format="typed-jsonl", max_parallel_load_jobs=CALLS)
def contacts(items, table):
    session = getattr(local, "session", None)
    if session is None:
        session = local.session = requests.Session()
    inputs = [
        {
            "id": row["email"],
            "idProperty": "email",
            "objectWriteTraceId": str(index + 1),
            "properties": {"firstname": row["name"], "numemployees": str(row["visits"])},
        }
        for index, row in enumerate(items)
    ]
    response = session.post(URL, headers=HEADERS, json={"inputs": inputs})
    response.raise_for_status()
    response.json()


def run(number):
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(f"bench_{number}", destination=contacts, dataset_name="bench", pipelines_dir=folder)
        started = time.perf_counter()
        pipeline.run(people())
        return time.perf_counter() - started


print(json.dumps({"ready": True, "dlt": dlt.__version__}), flush=True)
for number, line in enumerate(sys.stdin):
    if not line.strip():
        break
    print(json.dumps({"seconds": run(number)}), flush=True)
